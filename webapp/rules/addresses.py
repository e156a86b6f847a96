"""Where in a spreadsheet something stands: `Project A!17` is a row, `Project A!E17` a cell. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

GOOGLE_ID = re.compile(r"[A-Za-z0-9_-]{25,}")
CELL = re.compile(r"[A-Z]{1,3}\d+")
LONGEST_NAME = 30
WHOLE = re.compile(r"[A-Z]{1,3}|\d+")  # a column or a row


def column_letters(index: int) -> str:
    """`A` for 0, `Z` for 25, `AA` for 26."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def cell_address(title: str, letters: str, row: int | str) -> str:
    """`Project A!D17` as people read it, with nothing quoted; `D17` where there is no title.

    letters: of the column; none for the whole row. row: none for the whole column.
    """
    return f"{title}!{letters}{row}" if title else f"{letters}{row}"


def address(title: str, column: int, row: int) -> str:
    """The same for a column counted from 0."""
    return cell_address(title, column_letters(column), row)


def rows_address(title: str, row: int, more: Sequence[int] = ()) -> str:
    """The rows of one account, `Project A!17,31`: the origin of an observation."""
    return f"{title}!{','.join(map(str, (row, *more)))}" if more else f"{title}!{row}"


def cell_of(origin: str, letters: str, row: int | None = None) -> str:
    """The cell of an observation in a column: `Project A!17` and E make `Project A!E17`.

    row: which of its rows, where that is known; of several all are told, `Project A!E17,E31`.
    letters: none for the whole row. An origin that is no place in a sheet stands for itself.
    """
    place = _rows_of(origin)
    if place is None:
        return origin
    title, rows = place
    every = [str(row)] if row is not None else rows
    return cell_address(title, "", ",".join(f"{letters}{one}" for one in every))


def title_of(origin: str) -> str | None:
    """Of the tab of an observation; None for an origin that is no place in a sheet."""
    place = _rows_of(origin)
    return None if place is None else place[0]


def row_numbers(origin: str) -> list[int]:
    """Of an observation: 17 and 31 of `Project A!17,31`; none for an origin that is no place in a sheet."""
    place = _rows_of(origin)
    return [int(row) for row in place[1] if row.isdecimal()] if place is not None else []


def cells_of(origin: str | None, column: str | None) -> list[str]:
    """The cells of an observation's rows in one column: `Project A!17,31` and E make `Project A!E17`, `Project A!E31`.

    Nothing without a column, or for an origin that is no place in a sheet.
    """
    place = _rows_of(origin or "")
    return [cell_address(place[0], column, row) for row in place[1]] if place is not None and column else []


def _rows_of(origin: str) -> tuple[str, list[str]] | None:
    """The tab of an observation and its rows, as they are written; None for an origin that is no place in a sheet."""
    title, mark, rows = origin.rpartition("!")
    return (title, rows.split(",")) if mark else None


def cell_link(spreadsheet: str | None, worksheet_id: str | None, cell: str | None) -> str | None:
    """The cell, row, column or tab in Google Sheets; None for a spreadsheet that is not there."""
    if not spreadsheet or not GOOGLE_ID.fullmatch(spreadsheet) or worksheet_id is None:
        return None
    place = _range_of(cell or "")
    part = f"&range={quote(place)}" if place else ""
    return f"https://docs.google.com/spreadsheets/d/{spreadsheet}/edit#gid={worksheet_id}{part}"


def _range_of(cell: str) -> str:
    """A place as an address of Google Sheets has it; nothing for a whole tab."""
    title, _, place = cell.rpartition("!")
    if CELL.fullmatch(place):
        return place
    return f"{place}:{place}" if title and WHOLE.fullmatch(place) else ""


def short_name(username: str | None, profile_url: str) -> str:
    """What an account is called where its address would be too long: `linktr.ee/…/anna`, if it has no name."""
    if username:
        return username
    plain = profile_url.partition("://")[2].removeprefix("www.").rstrip("/") or profile_url
    if len(plain) <= LONGEST_NAME:
        return plain
    host, _, path = plain.partition("/")
    last = path.rpartition("/")[2]
    return f"{host[:LONGEST_NAME]}/…/{last[-LONGEST_NAME:]}" if path else f"{plain[:LONGEST_NAME]}…"
