"""The platforms that can be read: one line here makes one known to settings, doctor, docs and status.

Every start pays for imports, so a platform's own file is loaded only when something of it is set, or when there are
accounts to read.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from typing import Any, NamedTuple


class Listed(NamedTuple):
    """A platform that can be read.

    prefix: what the names of its settings begin with, behind SMART_SYNC_ where they begin so. keyless: it is read even
    if nothing of it is set. many: it may be several sources, with names of their own. file: its module in
    `sources/platforms`, which has a `PLATFORM`.
    """

    name: str
    prefix: str
    keyless: bool = False
    many: bool = False
    file: str = ""

    @property
    def module(self) -> str:
        return f"webapp.sources.platforms.{self.file or self.name}"

    def is_set(self, names: Collection[str]) -> bool:
        """Whether any of these variables may be a setting of it."""
        return any(name.removeprefix("SMART_SYNC_").startswith(self.prefix) for name in names)

    def load(self) -> Any:
        """What its file says of it."""
        return import_module(self.module).PLATFORM


PLATFORMS: tuple[Listed, ...] = (
    Listed("json", "JSON_", many=True, file="json_reader"),  # first, so that it may stand in for another
    Listed("youtube", "YOUTUBE_"),
    Listed("bluesky", "BLUESKY_", keyless=True),
    Listed("mastodon", "MASTODON_", keyless=True),
    Listed("telegram", "TELEGRAM_", keyless=True),
    Listed("twitch", "TWITCH_"),
    Listed("instagram", "INSTAGRAM_"),
    Listed("x", "X_"),
)
