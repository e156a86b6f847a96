"""Cells as people name them: `Project A!D17`, and what stands in them."""

from __future__ import annotations

_LONGEST_QUOTE = 40  # characters of a cell that a message repeats


def column_letters(index: int) -> str:
    """`A` for 0, `Z` for 25, `AA` for 26."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def address(title: str, column: int, row: int) -> str:
    """`Project A!D17` as people read it, with nothing quoted; `D17` where there is no title."""
    cell = f"{column_letters(column)}{row}"
    return f"{title}!{cell}" if title else cell


def quote_cell(cell: object) -> str:
    """A cell for a message: at most 40 characters of it, on one line."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, str):
        return repr(cell) if len(cell) <= _LONGEST_QUOTE else repr(cell[:_LONGEST_QUOTE] + "…")
    if isinstance(cell, int) and abs(cell) >= 10**_LONGEST_QUOTE:
        return "a number of very many digits"  # which str() would refuse from 4,300 on
    return quote_cell(str(cell)) if isinstance(cell, (list, dict)) else str(cell)
