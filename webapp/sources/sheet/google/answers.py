"""Google's answers as they are promised, and what we make of them."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

from webapp.errors import TransientSourceError
from webapp.sources.sheet import Book, Tab
from webapp.sources.sheet.limits import MOST_CELLS
from webapp.sources.sheet.payload import GARBLED

T = TypeVar("T")

BOOK_FIELDS = (
    "properties(title,locale),sheets.properties(sheetId,title,hidden,sheetType,gridProperties(rowCount,columnCount))"
)


class _Properties(msgspec.Struct, rename="camel"):
    title: str
    sheet_id: int = 0
    hidden: bool = False
    sheet_type: str = "GRID"
    grid_properties: Any = None  # one tab of an odd size takes nothing from the others


class _Sheet(msgspec.Struct):
    properties: _Properties


class _BookProperties(msgspec.Struct):
    title: str = ""
    locale: str | None = None


class _BookAnswer(msgspec.Struct):
    properties: _BookProperties
    sheets: list[_Sheet]


class _ValueRange(msgspec.Struct):
    values: msgspec.Raw = msgspec.Raw(b"")


class _ValueRanges(msgspec.Struct, rename="camel"):
    value_ranges: list[_ValueRange]


# Made before any thread asks: two that come to a type at the same time, and first, crash msgspec 0.22.
_BOOK = msgspec.json.Decoder(_BookAnswer)
_VALUES = msgspec.json.Decoder(_ValueRanges)


def decode_book(body: bytes) -> Book:
    """Raises: TransientSourceError `bad_response`, for a garbled answer may come right the next time."""
    found = _decode(body, _BOOK)
    return Book(
        found.properties.title, found.properties.locale or None, tuple(_tab(s.properties) for s in found.sheets)
    )


def _tab(properties: _Properties) -> Tab:
    sizes = properties.grid_properties
    grid = sizes if isinstance(sizes, dict) else {}
    return Tab(
        id=str(properties.sheet_id),
        title=properties.title,
        rows=_size(grid.get("rowCount")),
        columns=_size(grid.get("columnCount")),
        hidden=properties.hidden,
        grid=properties.sheet_type == "GRID",
    )


def _size(value: object) -> int:
    """0, which is unknown, for what is no size of a grid."""
    return value if type(value) is int and 0 < value <= MOST_CELLS else 0


_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<half>u[dD][89a-fA-F]..)|.)", re.DOTALL)


def _mend(body: bytes) -> bytes:
    """The JSON with U+FFFD for halves of signs, which msgspec takes for the end of everything."""
    return _ESCAPE.sub(lambda escape: b"\\ufffd" if escape["half"] else escape[0], body)


def _decode(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(body)
    except GARBLED:
        return _decode_mended(body, decoder)


def _decode_mended(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Half of a sign in one cell or title takes nothing from the others."""
    try:
        return decoder.decode(_mend(body))
    except GARBLED:
        message = "Google Sheets answered with something other than the JSON it promises"
        raise TransientSourceError(message, code="bad_response") from None


def decode_values(body: bytes, count: int) -> list[msgspec.Raw]:
    """Each tab's cells as the slice of the answer they are, not parsed yet, in the order asked for.

    Raises: TransientSourceError `bad_response`.
    """
    found = _decode(body, _VALUES).value_ranges
    if len(found) != count:
        raise TransientSourceError(f"Google Sheets answered {len(found)} of {count} tabs", code="bad_response")
    return [each.values for each in found]
