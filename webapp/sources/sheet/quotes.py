"""Cells as messages show them."""

from __future__ import annotations

_LONGEST_QUOTE = 40  # characters of a cell that a message repeats


def quote_cell(cell: object) -> str:
    """A cell for a message: at most 40 characters of it, on one line."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, str):
        return repr(cell) if len(cell) <= _LONGEST_QUOTE else repr(cell[:_LONGEST_QUOTE] + "…")
    if isinstance(cell, int) and abs(cell) >= 10**_LONGEST_QUOTE:
        return "a number of very many digits"  # which str() would refuse from 4,300 on
    return quote_cell(str(cell)) if isinstance(cell, (list, dict)) else str(cell)
