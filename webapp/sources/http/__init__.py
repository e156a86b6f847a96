"""HTTP for every source: deadlines that hold, retries that end, bodies that stay bounded, words instead of tracebacks."""

from webapp.sources.http.client import Http
from webapp.sources.http.exchange import LIMITS, Busy, Fetched, Limits

__all__ = ["LIMITS", "Busy", "Fetched", "Http", "Limits"]
