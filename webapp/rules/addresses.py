"""Where in a spreadsheet something stands: `Project A!17` is a row, `Project A!E17` a cell. Pure."""

from __future__ import annotations


def cells_of(origin: str | None, column: str | None) -> list[str]:
    """The cells of an observation's rows in one column: `Project A!17,31` and E make `Project A!E17`, `Project A!E31`.

    Nothing without a column, or for an origin that is no place in a sheet.
    """
    title, mark, rows = (origin or "").rpartition("!")
    return [f"{title}!{column}{row}" for row in rows.split(",")] if mark and column else []
