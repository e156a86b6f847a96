"""One Google spreadsheet: a call for what it consists of, then as few calls as possible for the cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from webapp.clock import Budget, Clock
from webapp.errors import SourceError
from webapp.sources.ahead import fetch_ahead
from webapp.sources.http import LIMITS, Http, Limits
from webapp.sources.sheet import Book, Cells, Tab
from webapp.sources.sheet.credentials import Credentials, ServiceAccount, check_token_uri
from webapp.sources.sheet.google.answers import BOOK_FIELDS, decode_book, decode_values
from webapp.sources.sheet.google.ranges import API, LONGEST_URL, READ, chunks, how_far_ahead, query, range_of
from webapp.sources.sheet.google.refusals import RefusedRangesError, refusal
from webapp.sources.sheet.payload import error_payload, json_payload

if TYPE_CHECKING:
    from webapp.sources.sheet.google.client import Client
    from webapp.sources.sheet.pace import Pace

_HOPELESS = 4  # tabs that were refused one by one before any was granted: all of them will be
_PATIENCE = 32  # refusals of one call that are looked into: an odd tab among 200 takes eight


@dataclass
class _Answer:
    """What came of one planned call: cells and refusals by tab id. patience: refusals that may still be looked into."""

    budget: Budget
    found: dict[str, msgspec.Raw] = field(default_factory=dict)
    refused: dict[str, SourceError] = field(default_factory=dict)
    patience: int = _PATIENCE


class GoogleSheet:
    """A spreadsheet behind the Sheets API v4.

    Source: spreadsheets.get and values:batchGet with UNFORMATTED_VALUE, so numbers come as numbers, and trailing blank
    cells are left out. At most MOST_COLUMNS columns of a tab are read.

    pace: called before each call, returns when it may be made. None: whenever somebody wants to.
    """

    def __init__(
        self,
        key: str,
        *,
        credentials: Credentials | None,
        api_base: str | None,
        clock: Clock,
        limits: Limits = LIMITS,
        pace: Pace | None = None,
    ) -> None:
        if isinstance(credentials, ServiceAccount):
            check_token_uri(credentials, api_base)
        self.key = key
        self._credentials = credentials
        self._pace = pace
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
        """The tabs' cells in order; while those of one call are worked on, the next calls are made."""
        planned = list(self._chunks(tabs, sizes))
        fetches = [partial(self._answer, chunk, budget) for chunk in planned]
        answers = fetch_ahead(fetches, how_far_ahead(tabs, sizes))
        with closing(answers):
            for chunk, answer in zip(planned, answers, strict=True):
                yield from _cells(chunk, answer)

    def plan(self, tabs: Sequence[Tab], sizes: Sequence[int | None]) -> list[int]:
        """How many tabs share each call."""
        return [len(chunk) for chunk in self._chunks(tabs, sizes)]

    def _chunks(self, tabs: Sequence[Tab], sizes: Sequence[int | None]) -> Iterator[list[Tab]]:
        room = LONGEST_URL - len(f"{self._api}/v4/spreadsheets/{self.key}/values:batchGet?{query(READ)}")
        return chunks(tabs, sizes, room)

    def _answer(self, chunk: Sequence[Tab], budget: Budget) -> _Answer:
        answer = _Answer(budget)
        self._fetch([tab for tab in chunk if tab.grid], answer)
        return answer

    def _fetch(self, tabs: Sequence[Tab], answer: _Answer) -> None:
        """The cells, without the tabs that have gone: one unknown name fails a whole call at Google."""
        while tabs:
            client = self._client(answer.budget, partial(decode_values, count=len(tabs)), of_ranges=True)
            try:
                values = client.values_batch_get(self.key, [range_of(tab) for tab in tabs], dict(READ))
            except RefusedRangesError as refused:
                left = [tab for tab in tabs if not refused.is_about(tab)]
                if len(left) == len(tabs):
                    self._narrow_down(tabs, refused, answer)
                    return
                tabs = left
            else:
                answer.found |= {tab.id: each for tab, each in zip(tabs, values, strict=True)}
                return

    def _narrow_down(self, tabs: Sequence[Tab], refused: RefusedRangesError, answer: _Answer) -> None:
        """Find the tabs that a refusal is about which does not name them, by halves, as long as there is patience."""
        answer.patience -= 1
        if len(answer.refused) >= _HOPELESS and not answer.found:
            answer.patience = 0
        middle = len(tabs) // 2
        if middle and answer.patience > 0:
            self._fetch(tabs[:middle], answer)
            self._fetch(tabs[middle:], answer)
        elif refused.code != "tab_missing":
            answer.refused |= {tab.id: _odd(tab) for tab in tabs}

    def _client(self, budget: Budget, decode: Callable[[bytes], Any], *, of_ranges: bool = False) -> Client:
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
            refuse=partial(refusal, credentials=self._credentials, of_ranges=of_ranges),
            pace=self._pace,
        )


def _cells(chunk: Sequence[Tab], answer: _Answer) -> Iterator[Cells]:
    for tab in chunk:
        yield _take(answer, tab)


def _take(answer: _Answer, tab: Tab) -> Cells:
    """Copied out of the answer, which can go as soon as the caller has its last tab: nothing here holds on to it."""
    values = answer.found.pop(tab.id, None)
    if values is None:
        return error_payload(tab, answer.refused.get(tab.id) or _missing(tab))
    return json_payload(tab, bytes(values))


def _odd(tab: Tab) -> SourceError:
    return SourceError(
        f"Google Sheets does not understand the request for {tab.title} (400)",
        code="bad_request",
        hint="rename the tab, or look for what is special about it",
    )


def _missing(tab: Tab) -> SourceError:
    if not tab.grid:
        return SourceError(f"{tab.title} is a chart or a connected sheet, which has no cells", code="no_grid")
    return SourceError(
        f"{tab.title} was renamed, deleted or cut while the spreadsheet was read",
        code="tab_missing",
        hint="the next run looks again",
    )
