"""A CSV that is published to the web: File > Share > Publish to web in Google Sheets, or any other address of a CSV."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urljoin, urlsplit

from webapp.clock import Budget, Clock
from webapp.errors import SourceError
from webapp.sources.http import LIMITS, Fetched, Http, Limits
from webapp.sources.sheet import Book, Cells, Tab
from webapp.sources.sheet.payload import Payload, csv_payload

if TYPE_CHECKING:
    from webapp.sources.sheet.vocabulary import Aliases

MOST_REDIRECTS = 3

_ENCODED_NAME = re.compile(r"filename\*=UTF-8''([^;\s]+)", re.IGNORECASE)
_PLAIN_NAME = re.compile(r'filename="?([^";]+)')

DOCS = "docs.google.com"
_SIGN_IN = "accounts.google.com"
_STORE = ".googleusercontent.com"  # where Google keeps what it publishes, and sends us to
_HINT = "choose File > Share > Publish to web, comma-separated values, and use the address shown there"


class PublishedCsv:
    """One published tab: its id is the gid of the address, its title the name that the file comes with.

    api_base: when set, addresses of the private network are allowed and redirects to it are followed. aliases: more
    column names by meaning, which tell the delimiter.
    """

    def __init__(
        self,
        url: str,
        *,
        api_base: str | None,
        clock: Clock,
        aliases: Aliases | None = None,
        limits: Limits = LIMITS,
    ) -> None:
        self.key = _key(url)
        self._url = url
        self._aliases = aliases
        self._home = _origin(api_base) if api_base else None
        self._http = Http("the published CSV", clock, limits=limits, public_only=not api_base)
        self._held: Payload | None = None

    @property
    def calls(self) -> int:
        return self._http.calls

    def book(self, budget: Budget) -> Book:
        """The one tab. Its cells came with it and are kept for the next `read`. Raises as `read` does."""
        self._held = self._fetch(budget)
        return Book(self._held.tab.title, None, (self._held.tab,))

    def plan(self, tabs: Sequence[Tab], sizes: Sequence[int | None]) -> list[int]:  # noqa: ARG002
        """All at once: nothing has to be waited for."""
        return [len(tabs)]

    def read(self, tabs: Sequence[Tab], sizes: Sequence[int | None], budget: Budget) -> Iterator[Cells]:  # noqa: ARG002
        """Raises: SourceError `not_published`, `redirected`, `private_address`, `too_large`; TransientSourceError."""
        for tab in tabs:
            held, self._held = self._held, None
            yield (held or self._fetch(budget)).of(tab)

    def _fetch(self, budget: Budget) -> Payload:
        url = self._url
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._http.request(url, budget=budget, read=self._read, doubt=(HTTPStatus.NOT_FOUND,))
            if isinstance(answer, Payload):
                return answer
            url = self._next(urljoin(url, answer))
        raise SourceError("the published CSV sends us from address to address", code="redirected", hint=_HINT)

    def _read(self, fetched: Fetched) -> Payload | str:
        """The table, or the address to go on to."""
        location = fetched.headers.get("Location")
        if fetched.redirects and location:
            return location
        if fetched.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            raise SourceError("the published CSV does not exist (any more)", code="spreadsheet_missing", hint=_HINT)
        if not fetched.ok or _is_page(fetched):
            raise _not_published()
        return csv_payload(Tab(_gid(self._url), _title(fetched) or "Sheet1"), fetched.body, aliases=self._aliases)

    def _next(self, url: str) -> str:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if host == _SIGN_IN:
            raise _not_published()
        google = parts.scheme == "https" and (host == DOCS or host.endswith(_STORE))
        if google or _origin(url) == self._home:
            return url
        raise SourceError(
            f"the published CSV sends us to {host}, which is not followed",
            code="redirected",
            hint="set the address that the browser ends up at",
        )


def _not_published() -> SourceError:
    return SourceError("the address gives a page to people, not a CSV to programs", code="not_published", hint=_HINT)


def _is_page(fetched: Fetched) -> bool:
    start = fetched.body[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return "html" in fetched.headers.get("Content-Type", "") or start.startswith((b"<!doctype html", b"<html"))


def _title(fetched: Fetched) -> str:
    """The file name of the Content-Disposition without `.csv`; empty when there is none."""
    header = fetched.headers.get("Content-Disposition", "")
    encoded = _ENCODED_NAME.search(header)
    plain = _PLAIN_NAME.search(header)
    name = unquote(encoded[1]) if encoded else plain[1] if plain else ""
    return name.removesuffix(".csv").strip()


def _gid(url: str) -> str:
    return parse_qs(urlsplit(url).query).get("gid", ["0"])[0]


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _key(url: str) -> str:
    """The address as projects store it. A query of another host than Google's may hold a secret, so only its hash stays."""
    parts = urlsplit(url)
    if parts.query and parts.hostname != DOCS:
        return parts._replace(query="", fragment="").geturl() + "#" + sha256(parts.query.encode()).hexdigest()[:16]
    return parts._replace(fragment="").geturl()
