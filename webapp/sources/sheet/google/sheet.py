"""One Google spreadsheet: a call for what it consists of, then as few calls as possible for the cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from webapp.clock import Budget, Clock
from webapp.errors import SourceError
from webapp.sources.http import LIMITS, Fetched, Http, Limits
from webapp.sources.sheet import Book, Cells, Tab
from webapp.sources.sheet.credentials import Credentials, ServiceAccount, check_token_uri
from webapp.sources.sheet.google.answers import BOOK_FIELDS, decode_book, decode_values
from webapp.sources.sheet.google.ranges import API, LONGEST_URL, READ, chunks, query, range_of
from webapp.sources.sheet.google.refusals import UnknownRangeError, refusal
from webapp.sources.sheet.payload import error_payload, json_payload

if TYPE_CHECKING:
    from webapp.sources.sheet.google.client import Client


class GoogleSheet:
    """A spreadsheet behind the Sheets API v4.

    Source: spreadsheets.get and values:batchGet with UNFORMATTED_VALUE, so numbers come as numbers, and trailing blank
    cells are left out. At most MOST_COLUMNS columns of a tab are read.
    """

    def __init__(
        self,
        key: str,
        *,
        credentials: Credentials | None,
        api_base: str | None,
        clock: Clock,
        limits: Limits = LIMITS,
    ) -> None:
        if isinstance(credentials, ServiceAccount):
            check_token_uri(credentials, api_base)
        self.key = key
        self._credentials = credentials
        self._api = (api_base or API).rstrip("/")
        self._http = Http("Google Sheets", clock, limits=limits)
        # One attempt: the call that needs the token is what gets repeated.
        self._sign_in = Http("Google sign-in", clock, limits=replace(limits, attempts=1))

    @property
    def calls(self) -> int:
        return self._http.calls

    def book(self, budget: Budget) -> Book:
        """Title, locale and tabs, charts and connected sheets included. Raises: SourceError, TransientSourceError."""
        book: Book = self._client(budget, decode_book).spreadsheets_get(self.key, {"fields": BOOK_FIELDS})
        return book

    def read(self, tabs: Sequence[Tab], sizes: Sequence[int | None], budget: Budget) -> Iterator[Cells]:
        """The tabs' cells in order; each call is made only when the tabs of the one before have been taken."""
        room = LONGEST_URL - len(f"{self._api}/v4/spreadsheets/{self.key}/values:batchGet?{query(READ)}")
        for chunk in chunks(tabs, sizes, room):
            yield from self._read_chunk(chunk, budget)

    def cell_link(self, tab: Tab, cell: str) -> str:
        return f"https://docs.google.com/spreadsheets/d/{self.key}/edit#gid={tab.id}&range={cell}"

    def _read_chunk(self, chunk: Sequence[Tab], budget: Budget) -> Iterator[Cells]:
        found = self._fetch([tab for tab in chunk if tab.grid], budget)
        for tab in chunk:
            # Copied out of the answer, so that the answer can go before the caller is done with its last tab.
            values = found.pop(tab.id, None)
            yield error_payload(tab, _missing(tab)) if values is None else json_payload(tab, bytes(values))

    def _fetch(self, tabs: Sequence[Tab], budget: Budget) -> dict[str, msgspec.Raw]:
        """The cells by tab id, without the tabs that have gone: one unknown name fails a whole call at Google."""
        while tabs:
            client = self._client(budget, partial(decode_values, count=len(tabs)))
            try:
                values = client.values_batch_get(self.key, [range_of(tab) for tab in tabs], dict(READ))
            except UnknownRangeError as gone:
                left = [tab for tab in tabs if not gone.is_about(tab)]
                if len(left) == len(tabs):
                    return self._fetch_halves(tabs, budget)
                tabs = left
            else:
                return {tab.id: each for tab, each in zip(tabs, values, strict=True)}
        return {}

    def _fetch_halves(self, tabs: Sequence[Tab], budget: Budget) -> dict[str, msgspec.Raw]:
        """As `_fetch`, for a refusal that does not say which tab it is about."""
        middle = len(tabs) // 2
        return self._fetch(tabs[:middle], budget) | self._fetch(tabs[middle:], budget) if middle else {}

    def _client(self, budget: Budget, decode: Callable[[bytes], Any]) -> Client:
        if self._credentials is None:
            raise SourceError(
                "Google Sheets is not configured",
                code="no_credentials",
                hint="set GOOGLE_CREDENTIALS to a service account's key, or GOOGLE_API_KEY for a sheet open to anyone",
            )
        from webapp.sources.sheet.google.client import Client  # noqa: PLC0415 - gspread takes half a second to import

        return Client(
            self._http,
            self._sign_in,
            self._credentials,
            api=self._api,
            budget=budget,
            decode=decode,
            refuse=self._refuse,
        )

    def _refuse(self, fetched: Fetched) -> SourceError:
        return refusal(fetched, self._credentials)


def _missing(tab: Tab) -> SourceError:
    if not tab.grid:
        return SourceError(f"{tab.title} is a chart or a connected sheet, which has no cells", code="no_grid")
    return SourceError(
        f"{tab.title} was renamed, deleted or cut while the spreadsheet was read",
        code="tab_missing",
        hint="the next run looks again",
    )
