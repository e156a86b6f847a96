"""Where in a spreadsheet something stands: `Project A!17` is a row, `Project A!E17` a cell. Pure."""

from __future__ import annotations

from collections.abc import Iterable


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


def rows_address(title: str, rows: Iterable[int]) -> str:
    """The rows of one account, `Project A!17,31`: the origin of an observation."""
    return f"{title}!{','.join(map(str, rows))}"


def cells_of(origin: str | None, column: str | None) -> list[str]:
    """The cells of an observation's rows in one column: `Project A!17,31` and E make `Project A!E17`, `Project A!E31`.

    Nothing without a column, or for an origin that is no place in a sheet.
    """
    title, mark, rows = (origin or "").rpartition("!")
    return [cell_address(title, column, row) for row in rows.split(",")] if mark and column else []
