"""One Google spreadsheet: a call for what it consists of, then as few calls as possible for the cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

import msgspec

from webapp.clock import Budget, Clock
from webapp.errors import SourceError, TransientSourceError
from webapp.sources.http import LIMITS, Fetched, Http, Limits
from webapp.sources.sheet import Book, Cells, Tab
from webapp.sources.sheet.credentials import Credentials, ServiceAccount, check_token_uri
from webapp.sources.sheet.payload import failed, json_payload

if TYPE_CHECKING:
    from webapp.sources.sheet._gspread import Client

__all__ = ["GoogleSheet", "range_of"]

T = TypeVar("T")

API = "https://sheets.googleapis.com"
LONGEST_URL = 8_000
LARGEST_PAYLOAD = 2_000_000  # Google advises to stay below 2 MB
MOST_COLUMNS = 52  # as far as AZ

_BOOK_FIELDS = (
    "properties(title,locale),sheets.properties(sheetId,title,hidden,sheetType,gridProperties(rowCount,columnCount))"
)
# With `range` in the mask an empty tab answers with something, so that answers stay as many as questions.
_READ = {"valueRenderOption": "UNFORMATTED_VALUE", "fields": "valueRanges(range,values)"}

_DEFAULT_ROWS = 1000  # a new tab has them whether they are used or not, so they say nothing about its size
_DEFAULT_SIZE = 10_000
_CELL_SIZE = 12
_COLUMNS_USED = 10


class _GridProperties(msgspec.Struct, rename="camel"):
    row_count: int = 0
    column_count: int = 0


class _Properties(msgspec.Struct, rename="camel"):
    title: str
    sheet_id: int = 0
    hidden: bool = False
    sheet_type: str = "GRID"
    grid_properties: _GridProperties = msgspec.field(default_factory=_GridProperties)


class _Sheet(msgspec.Struct):
    properties: _Properties


class _BookProperties(msgspec.Struct):
    title: str = ""
    locale: str | None = None


class _Spreadsheet(msgspec.Struct):
    properties: _BookProperties
    sheets: list[_Sheet]


class _ValueRange(msgspec.Struct):
    values: msgspec.Raw = msgspec.Raw(b"")


class _ValueRanges(msgspec.Struct, rename="camel"):
    value_ranges: list[_ValueRange]


class _Message(msgspec.Struct):
    message: str = ""


class _Refusal(msgspec.Struct):
    error: _Message


class _UnknownRangeError(SourceError):
    """A range of the call names no tab any more. `said` is what Google says of it, and is not for showing."""

    def __init__(self, said: str) -> None:
        super().__init__("a tab has gone", code="tab_missing")
        self.said = said

    def is_about(self, tab: Tab) -> bool:
        return f": {range_of(tab)}" in self.said or f"({range_of(tab)})" in self.said


class GoogleSheet:
    """A spreadsheet behind the Sheets API v4.

    Source: spreadsheets.get and values:batchGet with UNFORMATTED_VALUE, so numbers come as numbers, and trailing blank
    cells are left out. At most 52 columns of a tab are read.
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
        found: _Spreadsheet = self._client(budget, partial(_decode, kind=_Spreadsheet)).spreadsheets_get(
            self.key, {"fields": _BOOK_FIELDS}
        )
        tabs = tuple(_tab(sheet.properties) for sheet in found.sheets)
        return Book(found.properties.title, found.properties.locale or None, tabs)

    def read(self, tabs: Sequence[Tab], sizes: Sequence[int | None], budget: Budget) -> Iterator[Cells]:
        """The tabs' cells in order; each call is made only when the tabs of the one before have been taken."""
        room = LONGEST_URL - len(f"{self._api}/v4/spreadsheets/{self.key}/values:batchGet?{query(_READ)}")
        for chunk in _chunks(tabs, sizes, room):
            yield from self._read_chunk(chunk, budget)

    def cell_link(self, tab: Tab, cell: str) -> str:
        return f"https://docs.google.com/spreadsheets/d/{self.key}/edit#gid={tab.id}&range={cell}"

    def _read_chunk(self, chunk: Sequence[Tab], budget: Budget) -> Iterator[Cells]:
        found = self._fetch([tab for tab in chunk if tab.grid], budget)
        for tab in chunk:
            # Copied out of the answer, so that the answer can go before the caller is done with its last tab.
            values = found.pop(tab.id, None)
            yield failed(tab, _unreadable(tab)) if values is None else json_payload(tab, bytes(values))

    def _fetch(self, tabs: Sequence[Tab], budget: Budget) -> dict[str, msgspec.Raw]:
        """The cells by tab id, without the tabs that have gone: one unknown name fails a whole call at Google."""
        while tabs:
            client = self._client(budget, partial(_decode_values, count=len(tabs)))
            try:
                values = client.values_batch_get(self.key, [range_of(tab) for tab in tabs], dict(_READ))
            except _UnknownRangeError as gone:
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
        from webapp.sources.sheet._gspread import Client  # noqa: PLC0415 - gspread takes half a second to import

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
        return _refusal(fetched, self._credentials)


def query(params: Mapping[str, object]) -> str:
    """The query as it is sent; what A1 notation is made of stays as it is, since every character counts."""
    return urlencode({**params, "prettyPrint": "false"}, doseq=True, safe="'!:(),")


def range_of(tab: Tab) -> str:
    """The whole tab in A1 notation, its title quoted, at most 52 columns wide."""
    title = tab.title.replace("'", "''")
    last = _column(min(tab.columns or MOST_COLUMNS, MOST_COLUMNS))
    return f"'{title}'!A1:{last}{tab.rows}" if tab.rows else f"'{title}'!A:{last}"


def _column(number: int) -> str:
    """The letters of a column counted from 1."""
    letters = ""
    while number:
        number, letter = divmod(number - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def _chunks(tabs: Sequence[Tab], sizes: Sequence[int | None], room: int) -> Iterator[list[Tab]]:
    """Tabs that share a call: their ranges fit the room in the URL, their planned bytes the payload."""
    chunk: list[Tab] = []
    planned = length = 0
    for tab, size in zip(tabs, sizes, strict=True):
        cost = _planned_size(tab) if size is None else size
        width = len("&" + urlencode({"ranges": range_of(tab)}, safe="'!:"))
        if chunk and (planned + cost > LARGEST_PAYLOAD or length + width > room):
            yield chunk
            chunk, planned, length = [], 0, 0
        chunk.append(tab)
        planned, length = planned + cost, length + width
    if chunk:
        yield chunk


def _planned_size(tab: Tab) -> int:
    if not tab.grid:
        return 0
    if tab.rows <= _DEFAULT_ROWS:
        return _DEFAULT_SIZE
    return tab.rows * _CELL_SIZE * min(tab.columns, _COLUMNS_USED)


def _tab(properties: _Properties) -> Tab:
    return Tab(
        id=str(properties.sheet_id),
        title=properties.title,
        rows=properties.grid_properties.row_count,
        columns=properties.grid_properties.column_count,
        hidden=properties.hidden,
        grid=properties.sheet_type == "GRID",
    )


def _unreadable(tab: Tab) -> SourceError:
    if not tab.grid:
        return SourceError(f"{tab.title} is a chart or a connected sheet, which has no cells", code="no_grid")
    return SourceError(
        f"{tab.title} was renamed, deleted or cut while the spreadsheet was read",
        code="tab_missing",
        hint="the next run looks again",
    )


def _decode(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        message = "Google Sheets answered with something else than the JSON it promises"
        raise TransientSourceError(message, code="bad_response") from None


def _decode_values(body: bytes, count: int) -> list[msgspec.Raw]:
    """Each tab's cells as the slice of the answer they are, not parsed yet, in the order asked for."""
    found = _decode(body, _ValueRanges).value_ranges
    if len(found) != count:
        raise TransientSourceError(f"Google Sheets answered {len(found)} of {count} tabs", code="bad_response")
    return [each.values for each in found]


def _refusal(fetched: Fetched, credentials: Credentials | None) -> SourceError:
    match fetched.status:
        case 400:
            return _bad_request(fetched)
        case 401:
            return _not_us("does not accept the credentials")
        case 403:
            return _forbidden(fetched, credentials)
        case 404:
            return SourceError(
                "the spreadsheet does not exist or is in the bin",
                code="spreadsheet_missing",
                hint="compare SMART_SYNC_SHEET with the address of the spreadsheet in the browser",
            )
        case status if 300 <= status < 400:  # noqa: PLR2004 - the redirects
            return SourceError("Google Sheets sent us to another address, which is not followed", code="redirected")
        case status:
            return SourceError(f"Google Sheets refused the request with status {status}", code="bad_request")


def _bad_request(fetched: Fetched) -> SourceError:
    said = _message(fetched.body)
    if "not supported for this document" in said:
        return SourceError(
            "the spreadsheet is an uploaded Office file, which Google Sheets can not read for us",
            code="office_file",
            hint="open it and choose File > Save as Google Sheets, then use the new address",
        )
    if "Unable to parse range" in said or "exceeds grid limits" in said:
        return _UnknownRangeError(said)
    if b"API_KEY_INVALID" in fetched.body or "API key" in said:
        return _not_us("does not know the API key")
    return SourceError("Google Sheets does not understand the request (400)", code="bad_request")


def _forbidden(fetched: Fetched, credentials: Credentials | None) -> SourceError:
    body = fetched.body
    if b"SERVICE_DISABLED" in body or b"accessNotConfigured" in body:
        api = "drive" if b"drive.googleapis.com" in body else "sheets"
        return SourceError(
            f"the Google {api.capitalize()} API is not enabled in the project of the credentials",
            code="api_disabled",
            hint=f"enable it at https://console.cloud.google.com/apis/library/{api}.googleapis.com",
        )
    if b"ateLimitExceeded" in body or b"RATE_LIMIT_EXCEEDED" in body:
        return TransientSourceError("Google Sheets says that it is asked too often", code="rate_limited")
    if b"API_KEY_" in body:
        return _not_us("does not let the API key be used for this")
    return _not_shared(credentials)


def _not_shared(credentials: Credentials | None) -> SourceError:
    if isinstance(credentials, ServiceAccount):
        email = credentials.client_email
        hint = f"share it with {email} as a viewer; if sharing outside is forbidden, its administrator has to allow it"
    else:
        hint = 'share it with "anyone with the link", or set GOOGLE_CREDENTIALS to a service account\'s key'
    return SourceError("the spreadsheet is not shared with us", code="not_shared", hint=hint)


def _not_us(what: str) -> SourceError:
    return SourceError(
        f"Google Sheets {what}",
        code="credentials",
        hint="check GOOGLE_CREDENTIALS or GOOGLE_API_KEY, or make a new key",
    )


def _message(body: bytes) -> str:
    """The words of Google's error; empty when the body is no such error. Never shown: it may quote the request."""
    try:
        return msgspec.json.decode(body, type=_Refusal).error.message
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ""
