"""Google's answers as they are promised, and what we make of them."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from webapp.errors import TransientSourceError
from webapp.sources.sheet import Book, Tab
from webapp.sources.sheet.payload import GARBLED

T = TypeVar("T")

BOOK_FIELDS = (
    "properties(title,locale),sheets.properties(sheetId,title,hidden,sheetType,gridProperties(rowCount,columnCount))"
)


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


class _BookAnswer(msgspec.Struct):
    properties: _BookProperties
    sheets: list[_Sheet]


class _ValueRange(msgspec.Struct):
    values: msgspec.Raw = msgspec.Raw(b"")


class _ValueRanges(msgspec.Struct, rename="camel"):
    value_ranges: list[_ValueRange]


def decode_book(body: bytes) -> Book:
    """Raises: TransientSourceError `bad_response`, for a garbled answer may come right the next time."""
    found = _decode(body, _BookAnswer)
    return Book(
        found.properties.title, found.properties.locale or None, tuple(_tab(s.properties) for s in found.sheets)
    )


def _tab(properties: _Properties) -> Tab:
    return Tab(
        id=str(properties.sheet_id),
        title=properties.title,
        rows=properties.grid_properties.row_count,
        columns=properties.grid_properties.column_count,
        hidden=properties.hidden,
        grid=properties.sheet_type == "GRID",
    )


def _decode(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except GARBLED:
        message = "Google Sheets answered with something other than the JSON it promises"
        raise TransientSourceError(message, code="bad_response") from None


def decode_values(body: bytes, count: int) -> list[msgspec.Raw]:
    """Each tab's cells as the slice of the answer they are, not parsed yet, in the order asked for.

    Raises: TransientSourceError `bad_response`.
    """
    found = _decode(body, _ValueRanges).value_ranges
    if len(found) != count:
        raise TransientSourceError(f"Google Sheets answered {len(found)} of {count} tabs", code="bad_response")
    return [each.values for each in found]
