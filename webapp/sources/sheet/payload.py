"""The cells of one tab as the bytes they came in: hashed at once, decoded only when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING, overload

import msgspec

from webapp.clock import Budget
from webapp.errors import SourceError
from webapp.sources.encoding import decode_as_others, decode_text
from webapp.sources.sheet import UNLIMITED, Cell, Grid, Tab
from webapp.sources.sheet.limits import MOST_CELLS, MOST_ROWS, check_cells, check_rows

if TYPE_CHECKING:
    from webapp.sources.sheet.vocabulary import Aliases

_GRID = msgspec.json.Decoder(list[list[Cell]])
_RAW_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_ROW = msgspec.json.Decoder(list[Cell])
# What msgspec raises for bytes that are no JSON, or not of the promised shape.
_ZIP = b"PK\x03\x04"  # how workbooks begin, and archives
GARBLED = (msgspec.DecodeError, UnicodeError, RecursionError)


class Payload:
    """`Cells` over bytes."""

    def __init__(
        self,
        tab: Tab,
        data: bytes,
        decode: Callable[[bytes, Budget], Grid],
        *,
        error: SourceError | None = None,
        is_json: bool = False,
    ) -> None:
        self.tab = tab
        self.digest = sha256(data).digest()
        self.size = len(data)
        self.error = error
        self._data = data
        self._decode = decode
        self._is_json = is_json

    def of(self, tab: Tab) -> Payload:
        """The same cells under what the caller knows of the tab."""
        return Payload(tab, self._data, self._decode, error=self.error, is_json=self._is_json)

    def rows(self, budget: Budget = UNLIMITED) -> Grid:
        """Rows from row 1, decoded on each call.

        Raises: the tab's own `error`; SourceError `bad_response`, `too_large`; OutOfTime.
        """
        if self.error is not None:
            raise self.error
        try:
            return self._decode(self._data, budget)
        except GARBLED as error:
            raise _no_table(self.tab.title) from error

    def apart(self) -> RowsApart | None:
        """The rows one by one, where they came as JSON.

        Raises: as `rows`.
        """
        if self.error is not None or not self._is_json:
            return None
        try:
            return RowsApart(self.tab.title, self._data)
        except GARBLED as error:
            raise _no_table(self.tab.title) from error


def _no_table(title: str) -> SourceError:
    return SourceError(f"{title}: what came is no table of cells", code="bad_response")


class RowsApart(Sequence[Sequence[Cell]]):
    """Rows from row 1 of a JSON list, each decoded when it is asked for."""

    def __init__(self, title: str, data: bytes) -> None:
        _check_json(data, title)
        self._title = title
        self._rows = _RAW_ROWS.decode(data)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Sequence[Cell]]:
        return map(self._decode, self._rows)

    @overload
    def __getitem__(self, place: int) -> Sequence[Cell]: ...

    @overload
    def __getitem__(self, place: slice) -> list[Sequence[Cell]]: ...

    def __getitem__(self, place: int | slice) -> Sequence[Cell] | list[Sequence[Cell]]:
        """Raises: SourceError `bad_response`."""
        if isinstance(place, slice):
            return [*map(self._decode, self._rows[place])]
        return self._decode(self._rows[place])

    def hashes(self) -> bytes:
        """Eight bytes a row: equal where the cells are (up to the hash)."""
        return b"".join([blake2b(row, digest_size=8).digest() for row in self._rows])

    def _decode(self, row: msgspec.Raw) -> Sequence[Cell]:
        try:
            return _ROW.decode(row)
        except GARBLED as error:
            raise _no_table(self._title) from error


def error_payload(tab: Tab, error: SourceError) -> Payload:
    """A tab that could not be read, among others that could."""
    return Payload(tab, b"", _nothing, error=error)


def _nothing(_: bytes, __: Budget) -> Grid:
    return []


def json_payload(tab: Tab, data: bytes) -> Payload:
    """A JSON list of rows of plain values; no bytes at all is an empty tab."""
    return Payload(tab, data, partial(_json_rows, title=tab.title) if data else _nothing, is_json=bool(data))


def _json_rows(data: bytes, _: Budget, *, title: str) -> Grid:
    _check_json(data, title)
    return _GRID.decode(data)


def _check_json(data: bytes, title: str) -> None:
    """Not unfolded before it is known to be bounded: a row of nothing takes three bytes, and a list thirty times as many."""
    if len(data) // 2 > MOST_ROWS:  # a row takes two bytes, a cell one: of fewer there is nothing to count
        check_rows(title, min(data.count(b"["), data.count(b"]")) - 1)
    if len(data) >= MOST_CELLS:
        check_cells(title, data.count(b",") + 1)


def csv_payload(tab: Tab, data: bytes, *, aliases: Aliases | None = None, others: Callable[[], str] = str) -> Payload:
    """A CSV, all of whose cells are text.

    In UTF-8, in UTF-16 with a byte order mark, or in an encoding of Windows where the header or the letters of the
    others tell which; else the encoding is the tab's `error`. aliases: more column names by meaning. others: text of
    the tabs beside it, asked for only where it is needed.
    """
    try:
        decode_text(data)
    except UnicodeError:
        if data.startswith(_ZIP):
            return error_payload(tab, _not_text(tab))
        text = decode_as_others(data, others(), partial(_has_known_header, aliases=aliases))
        if text is None:
            return error_payload(tab, _bad_encoding(tab))
        data = text.encode()
    return Payload(tab, data, partial(_csv_rows, title=tab.title, aliases=aliases))


def _has_known_header(text: str, aliases: Aliases | None) -> bool:
    from webapp.sources.sheet.headers import has_foreign_header  # noqa: PLC0415  see _csv_rows
    from webapp.sources.sheet.table import sample_rows  # noqa: PLC0415

    return has_foreign_header(sample_rows(text, aliases), aliases)


def _not_text(tab: Tab) -> SourceError:
    return SourceError(f"{tab.title}: the file is no text", code="bad_file", hint="name it .xlsx if it is a workbook")


def _bad_encoding(tab: Tab) -> SourceError:
    return SourceError(f"{tab.title}: the CSV is not in UTF-8", code="bad_encoding", hint='save it as "CSV UTF-8"')


def _csv_rows(data: bytes, budget: Budget, *, title: str, aliases: Aliases | None) -> Grid:
    # Opening a sheet needs none of what tells columns and numbers, and every start pays for imports.
    from webapp.sources.sheet.table import read_table  # noqa: PLC0415

    return read_table(decode_text(data), title, aliases, budget)
