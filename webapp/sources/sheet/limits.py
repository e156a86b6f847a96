"""How much of a tab is read, and for how long. Nothing that a sheet says makes a run endless."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from webapp.clock import Budget
from webapp.errors import OutOfTime, SourceError

LARGEST_FILE = 64 * 2**20  # bytes of a CSV
LARGEST_UNPACKED = 256 * 2**20  # bytes of all parts of a workbook together
LARGEST_PART = 16 * 2**20  # bytes of a part that is held as a tree
LONGEST_CONTENTS = 2 * 2**20  # bytes in which a workbook lists its parts
MOST_ROWS = 2**20  # as many as Excel has
MOST_CELLS = 10_000_000  # as many as a spreadsheet of Google may have
LARGEST_TEXT = 64 * 2**20  # characters of all cells together
LONGEST_CELL = 131_072  # characters; what Python's reader of CSV takes, and more than spreadsheet programs write
# Of a part of a workbook: a few bytes that are packed may be very many that are not.
DEEPEST = 100  # elements within elements
LONGEST_TAG = 2**20  # bytes of a tag or a comment
MOST_NAMES = 10_000  # different ones, of elements and attributes
MOST_ELEMENTS = 250_000  # in a part that is held as a tree; four for each format that Excel can have

_LOOK = 4_096  # rows between two looks at the time

T = TypeVar("T")


def too_large(what: str, hint: str = "split it into smaller ones") -> SourceError:
    return SourceError(what, code="too_large", hint=hint)


def check_rows(title: str, rows: int) -> None:
    """Raises: SourceError `too_large`."""
    if rows > MOST_ROWS:
        raise too_large(f"{title}: more than {MOST_ROWS:,} rows", "split the tab, or delete its blank rows")


def check_cells(title: str, cells: int) -> None:
    """Raises: SourceError `too_large`."""
    if cells > MOST_CELLS:
        raise too_large(f"{title}: more than {MOST_CELLS:,} cells", "split the tab, or delete its blank columns")


def check_text(title: str, characters: int) -> None:
    """Raises: SourceError `too_large`."""
    if characters > LARGEST_TEXT:
        raise too_large(f"{title}: more than {LARGEST_TEXT // 2**20} MB of text", "split the tab")


def check_cell(title: str, characters: int) -> None:
    """Raises: SourceError `too_large`."""
    if characters > LONGEST_CELL:
        raise too_large(f"{title}: a cell has more than {LONGEST_CELL:,} characters", "shorten its text")


def check_time(title: str, budget: Budget) -> None:
    """Raises: OutOfTime."""
    if budget.used_up:
        raise OutOfTime(
            f"{title}: the budget was used up while the tab was read",
            code="timeout",
            hint="split the tab, or give the run more seconds with SMART_SYNC_BUDGET",
        )


def in_time(items: Iterable[T], title: str, budget: Budget) -> Iterator[T]:
    """The items, as long as there is time; looked at now and then, since a look costs as much as a row.

    A small tab that has been read is worked through, whatever the time.

    Raises: OutOfTime.
    """
    for number, item in enumerate(items, 1):
        if number % _LOOK == 0:
            check_time(title, budget)
        yield item
