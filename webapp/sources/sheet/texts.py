"""Cells as texts that every database can keep."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from webapp.sources.blanks import MARKS
from webapp.sources.counts import NOT_COMPUTED
from webapp.sources.sheet import Cell
from webapp.sources.sheet.quotes import quote_cell

_LONGEST_CLEAN = 2_048  # what an address may have; to normalise piled accents takes quadratic time

# Inside a text they may hold an emoji together.
_UNSEEN_ENDS = MARKS + "\u202e\xad"

# How programs write that they have nothing. Spelled in another way, some of them are names.
_NOTHING = frozenset(("nan", "NaN", "NAN", "NaT", "None", "null", "NULL", "(null)", "\\N", "<NA>", "undefined"))

# What stands in a cell whose text a formula should give, and does not.
UNREADABLE = frozenset(
    (
        *("#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#ERROR!", "#SPILL!", "#CALC!"),
        *("#GETTING_DATA", "Loading...", NOT_COMPUTED),
    )
)


def clean(cell: Cell) -> str | None:
    """A cell as text in single spaces; None for a blank one, for a checkbox and for a program's word for nothing."""
    if not isinstance(cell, str):
        return None if cell is None or isinstance(cell, bool) else clean(_number_text(cell))
    text = " ".join(cell.split())
    if not text.isprintable():
        text = " ".join("".join(map(_storable, text)).split()).strip(_UNSEEN_ENDS)
    if text.isascii():
        return None if text in _NOTHING else text or None
    return unicodedata.normalize("NFC", text[:_LONGEST_CLEAN]) or None


# Owners, topics and statuses come again and again.
clean_again = lru_cache(maxsize=4_096)(clean)


def _number_text(cell: object) -> str:
    """A number as the sheet shows it."""
    return f"{cell:.15g}" if isinstance(cell, float) else quote_cell(cell)


def _storable(sign: str) -> str:
    category = unicodedata.category(sign)
    return "" if category == "Cc" else "\ufffd" if category == "Cs" else sign
