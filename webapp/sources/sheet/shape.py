"""Rows of a CSV that have not the cells of their header: what stands in them has shifted, and nobody knows how far."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from webapp.model import METRICS
from webapp.sources.counts import NotACount, count_of
from webapp.sources.sheet.finder import names_account, number_of_counts
from webapp.sources.sheet.headers import Header
from webapp.sources.sheet.table import Table
from webapp.sources.sheet.texts import clean

_TEXTS = ("platform", "owner", "topic", "status")
_EXCEPTION = 3  # one in so many
_GROUP = re.compile("[0-9]{3}")
_ZERO_GROUP = re.compile("0[0-9]{2}")
_BEGINNING = re.compile("[1-9][0-9]{0,2}")
_FIX = 'what has the delimiter in it needs quotes, such as "1,234"'


class Ruler:
    """Holds rows against the header of their table.

    A row may end early, since many programs leave blank cells at the end out; not so where the table shows that its
    program writes them, where hardly any other row ends between two counts, and where a cell stands in a wrong column.
    """

    def __init__(self, table: Table, header: Header) -> None:
        self._table = table
        self._header = header
        names = table[header.row - 1]
        self._width = len(names)
        self._named = max((i for i, name in enumerate(names, 1) if clean(name)), default=0)
        self._metrics = [header.columns[metric] for metric in METRICS if metric in header.columns]
        self._last = max(column for meaning, column in header.columns.items() if meaning != "date")

    def fault(self, number: int, row: Sequence[str]) -> str | None:
        """What is wrong with a row, in words; None for one that can be read. number: of the row, from 1."""
        if self._is_broken(number, row):
            return "the line ends within a cell of this row, and goes on in the next"
        if any(_is_group(row, column, _GROUP) for column in self._cut_columns):
            return f"a number is cut in two by its comma; {_FIX}"
        if len(row) == self._width:
            return self._overflow(row) if self._named < self._width else None
        if not any(map(clean, row)):
            return None
        if len(row) > self._width:
            return self._excess(row)
        if self._is_quoted(row):
            return "a quote is around several cells of this row"
        if len(row) > self._last:
            return None
        if number == len(self._table) and not self._table.ended:
            return "the file ends in the middle of this row; is it still being written?"
        is_odd = self._pads or self._is_shifted(row) or (self._is_partial(row) and self._are_most_full)
        if is_odd and names_account(self._header, row):
            return f"{self._cells(len(row))} under {self._width} headers: one is missing in between"
        return None

    def _is_broken(self, number: int, row: Sequence[str]) -> bool:
        """Whether the next line is what is missing of this row."""
        after = self._table[number] if number < len(self._table) else ()
        if len(row) == self._width:
            return len(after) == 1 and after[0].strip().isdigit()
        is_rest = len(row) <= self._last and len(row) + len(after) == self._width + 1
        return is_rest and names_account(self._header, row) and not names_account(self._header, after)

    @cached_property
    def _cut_columns(self) -> set[int]:
        """Columns of counts in which some row has a number that its comma cut: `5` and, behind it, `000`.

        No count begins with a zero. Where one number was cut so, `5` and `100` may be as well.
        """
        if self._table.delimiter != ",":
            return set()
        columns, rows = self._header.columns, self._table[self._header.row :]
        used = {column for meaning, column in columns.items() if meaning != "date"}
        followed = (column for column in self._metrics if column + 1 in used)
        return {column for column in followed if any(_is_group(row, column, _ZERO_GROUP) for row in rows)}

    def _excess(self, row: Sequence[str]) -> str | None:
        cells = max((i for i, cell in enumerate(row, 1) if clean(cell)), default=0)
        if cells <= self._width or not any(sign.isdigit() for cell in row for sign in cell):
            return None
        return f"{self._cells(cells)} under {self._width} headers; {_FIX}"

    def _overflow(self, row: Sequence[str]) -> str | None:
        """A group of three digits under no name, which may be the end of a number; other cells there are notes."""
        if not any(_GROUP.fullmatch(cell.strip()) for cell in row[self._named :]):
            return None
        return f"a number stands beside the {self._named} headers; {_FIX}"

    def _is_quoted(self, row: Sequence[str]) -> bool:
        """Whether a row with too few cells names its account, or has more counts, once a cell is taken apart."""
        delimiter, header = self._table.delimiter, self._header
        if not any(delimiter in cell for cell in row):
            return False
        apart = [part for i, cell in enumerate(row) for part in self._take_apart(i, cell)]
        if any(map(clean, apart[self._width :])) or not names_account(header, apart):
            return False
        counts = number_of_counts(header, apart) or 0
        return counts > (number_of_counts(header, row) or 0) or (counts > 0 and not names_account(header, row))

    def _take_apart(self, column: int, cell: str) -> Sequence[str]:
        """The cells that are within one; a count may have the delimiter in it."""
        is_count = column in self._metrics and not _is_no_count(cell)
        return [cell] if is_count else cell.split(self._table.delimiter)

    @staticmethod
    def _cells(count: int) -> str:
        return "1 cell" if count == 1 else f"{count} cells"

    @cached_property
    def _pads(self) -> bool:
        """Whether some row ends in a blank cell under the last header: then so does every row that is whole."""
        rows = self._table[self._header.row :]
        return any(len(row) == self._width and not clean(row[-1]) and any(map(clean, row)) for row in rows)

    @cached_property
    def _are_most_full(self) -> bool:
        """Whether rows with some of their counts alone are the exception, so that they miss one in between as likely."""
        rows = [row for row in self._table[self._header.row :] if any(map(clean, row[1:]))]
        partial = sum(self._is_partial(row) for row in rows)
        return partial * _EXCEPTION <= len(rows)

    def _is_partial(self, row: Sequence[str]) -> bool:
        """Whether the row ends between two counts."""
        return max(self._metrics) >= len(row) and any(clean(row[i]) for i in self._metrics if i < len(row))

    def _is_shifted(self, row: Sequence[str]) -> bool:
        """Whether a number stands where a text should, or a text where a number should."""
        columns = self._header.columns
        texts = (row[columns[m]] for m in _TEXTS if columns.get(m, len(row)) < len(row))
        counts = (row[i] for i in self._metrics if i < len(row))
        return any(cell.strip().isdigit() for cell in texts) or any(_is_no_count(cell) for cell in counts)


def _is_group(row: Sequence[str], column: int, group: re.Pattern[str]) -> bool:
    """Whether a cell may be the beginning of a number, and the next one a group of its digits."""
    first, then = (row[i].strip() if i < len(row) else "" for i in (column, column + 1))
    return _BEGINNING.fullmatch(first) is not None and group.fullmatch(then) is not None


def _is_no_count(cell: str) -> bool:
    try:
        count_of(cell)
    except NotACount:
        return True
    return False
