"""What people type or paste as a profile's address: a table of platforms and one parser."""

from webapp.sources.urls.parse import PLATFORMS, is_host, platform_slug, profile_of
from webapp.sources.urls.refusals import BadProfile

__all__ = ["PLATFORMS", "BadProfile", "is_host", "platform_slug", "profile_of"]
