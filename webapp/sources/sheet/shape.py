"""Rows of a CSV that have not the cells of their header: what stands in them has shifted, and nobody knows how far."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property

from webapp.model import METRICS
from webapp.sources.counts import NotACount, count_of
from webapp.sources.dates import is_written_date
from webapp.sources.sheet.finder import names_account, number_of_counts
from webapp.sources.sheet.headers import Header, identity
from webapp.sources.sheet.table import Table
from webapp.sources.sheet.texts import clean

_TEXTS = ("platform", "owner", "topic", "status")
_EXCEPTION = 3  # one in so many
_GROUP = re.compile("[0-9]{3}")
_ZERO_GROUP = re.compile("0[0-9]{2}")
_BEGINNING = re.compile("[1-9][0-9]{0,2}")
_WHOLE = re.compile("[0-9]{1,3}")
_SCALED = re.compile(r"[0-9]+\s?[^\W\d_]+\.?")
_FIX = 'what has the delimiter in it needs quotes, such as "1,234"'


class Ruler:
    """Holds rows against the header of their table.

    A row may end early, since many programs leave blank cells at the end out; not so where the table shows that its
    program writes them, where hardly any other row ends between two counts, and where a cell stands in a wrong column.
    stops: whether the file was found to end in the middle of a row.
    """

    def __init__(self, table: Table, header: Header) -> None:
        self.stops = False
        self._table = table
        self._header = header
        names = table[header.row - 1]
        self._width = len(names)
        self._named = max((i for i, name in enumerate(names, 1) if clean(name)), default=0)
        self._name = header.columns[identity(header.columns)[-1]]
        self._metrics = sorted(header.columns[metric] for metric in METRICS if metric in header.columns)
        self._is_by_comma = table.delimiter == ","
        self._last = max(column for meaning, column in header.columns.items() if meaning != "date")

    def fault(self, number: int, row: Sequence[str]) -> str | None:
        """What is wrong with a row, in words; None for one that can be read. number: of the row, from 1."""
        if self._is_broken(number, row):
            return "the line ends within a cell of this row, and goes on in the next"
        if any(_is_cut(row, column) for column in self._cut_columns):
            return f"a number is cut in two by its comma; {_FIX}"
        if len(row) > self._width or any(row[self._named :]):
            words = self._excess(row) or self._overflow(row) or self._surplus(row) or self._shift(row)
            if words:
                return words
        if len(row) >= self._width or not any(map(clean, row)):
            return None
        if self._is_quoted(row):
            return "a quote is around several cells of this row"
        if len(row) > self._last:
            return None
        if number == len(self._table) and not self._table.ended:
            self.stops = True
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
    def _rows(self) -> Sequence[Sequence[str]]:
        """Those below the header."""
        return self._table[self._header.row :]

    @cached_property
    def _cut_columns(self) -> set[int]:
        """Columns of counts in which some row has a number that its comma surely cut: `5` and, behind it, `000`.

        Where one number was cut so, `5` and `100` may be as well.
        """
        if not self._is_by_comma:
            return set()
        return {column for column in self._metrics if column + 1 != self._named and self._is_cut_somewhere(column)}

    def _is_cut_somewhere(self, column: int) -> bool:
        """By a group that begins with a zero, as no count does. Where the next column is of no count, and has no other
        numbers, also by a row with a cell too many or among texts."""
        cut = [row for row in self._rows if _is_cut(row, column)]
        plain = (row for row in self._rows if not _is_cut(row, column))
        is_zero = any(_ZERO_GROUP.fullmatch(row[column + 1].strip()) for row in cut)
        if not cut or column + 1 in self._metrics:
            return is_zero
        others = {clean(row[column + 1]) or "" for row in plain if len(row) > column + 1}
        if any(other[:1].isdigit() and not is_written_date(other) for other in others):
            return False
        return is_zero or any(others) or any(self._excess(row) or self._surplus(row) for row in cut)

    def _may_be_cut(self, row: Sequence[str]) -> bool:
        """Whether a number in the row may be cut; none is in front of its account, which stands in its place."""
        cut = [column for column in self._metrics if _is_cut(row, column)]
        return bool(cut) and (cut[-1] > self._name or not names_account(self._header, row))

    @cached_property
    def _length(self) -> int:
        """How many cells a row has in which no number may be cut; where they differ, as many as any row has."""
        lengths = {len(row) for row in self._plain if len(row) >= self._width >= _filled(row)} or {self._width}
        return lengths.pop() if len(lengths) == 1 else max(map(len, self._rows))

    @cached_property
    def _numbered(self) -> set[int]:
        """Columns under no name in which such rows have numbers."""
        return {i for row in self._plain for i in self._numbers_beside(row)}

    @cached_property
    def _plain(self) -> Sequence[Sequence[str]]:
        return [row for row in self._rows if not self._may_be_cut(row)]

    def _numbers_beside(self, row: Sequence[str]) -> set[int]:
        return {i for i in range(self._named, len(row)) if row[i].strip()[:1].isdigit() and not _is_no_count(row[i])}

    def _excess(self, row: Sequence[str]) -> str | None:
        cells = _filled(row)
        if cells <= self._width or not any(sign.isdigit() for cell in row for sign in cell):
            return None
        return f"{self._cells(cells)} under {self._width} headers; {_FIX}"

    def _overflow(self, row: Sequence[str]) -> str | None:
        """What may be the end of a number, under no name: a group of three digits; other cells there are notes."""
        is_end = self._is_by_comma and self._named - 1 in self._metrics and _is_cut(row, self._named - 1)
        is_end |= any(_GROUP.fullmatch(cell.strip()) for cell in row[self._named :])
        return self._beside() if is_end else None

    def _surplus(self, row: Sequence[str]) -> str | None:
        """A blank cell at the end for each number that may be cut, or a number under no name, where others have none."""
        if not self._is_by_comma or not self._may_be_cut(row):
            return None
        if 0 < len(row) - self._length <= _groups(row):
            return f"{self._cells(len(row))} under {self._width} headers; {_FIX}"
        is_beside = _filled(row) > self._named and self._is_shifted(row)
        return self._beside() if is_beside or not self._numbers_beside(row) <= self._numbered else None

    def _shift(self, row: Sequence[str]) -> str | None:
        """A cell more than rows have, that is not at the end: behind a blank count, or with a number in a text's place."""
        if len(row) <= self._usual or not names_account(self._header, row):
            return None
        has_gap = any(not clean(row[i]) for i in self._metrics if i < _filled(row))
        return (
            f"{self._cells(len(row))} where others have {self._usual}"
            if has_gap or self._is_number_a_text(row)
            else None
        )

    @cached_property
    def _usual(self) -> int:
        """How many cells most rows have, or as many as any row has where longer ones are no exception."""
        lengths = Counter(len(row) for row in self._rows if any(map(clean, row)))
        usual = max(self._width, lengths.most_common(1)[0][0])
        longer = sum(count for length, count in lengths.items() if length > usual)
        return usual if longer * _EXCEPTION <= lengths.total() else max(lengths)

    def _beside(self) -> str:
        return f"a number stands beside the {self._named} headers; {_FIX}"

    def _is_quoted(self, row: Sequence[str]) -> bool:
        """Whether a row with too few cells names its account, or has more counts, once a cell is taken apart; or whether
        what should name the account has lines with several cells."""
        delimiter, header = self._table.delimiter, self._header
        if not any(delimiter in cell for cell in row):
            return False
        names = (row[i] for m in identity(header.columns) if (i := header.columns[m]) < len(row))
        if any(delimiter in cell and "\n" in cell for cell in names):
            return True
        apart = [part for i, cell in enumerate(row) for part in self._take_apart(i, cell)]
        if any(map(clean, apart[self._width :])) or not names_account(header, apart):
            return False
        counts = number_of_counts(header, apart) or 0
        if names_account(header, row):
            return counts > (number_of_counts(header, row) or 0)
        return counts > 0 or len(apart) == self._width

    def _take_apart(self, column: int, cell: str) -> Sequence[str]:
        """The cells that are within one; a count may have the delimiter in it, but not at its ends."""
        delimiter = self._table.delimiter
        is_count = column in self._metrics and cell.strip(delimiter) == cell and not _is_no_count(cell)
        return [cell] if is_count else cell.split(delimiter)

    @staticmethod
    def _cells(count: int) -> str:
        return "1 cell" if count == 1 else f"{count} cells"

    @cached_property
    def _pads(self) -> bool:
        """Whether some row ends in a blank cell under the last header: then so does every row that is whole."""
        return any(len(row) == self._width and not clean(row[-1]) and any(map(clean, row)) for row in self._rows)

    @cached_property
    def _are_most_full(self) -> bool:
        """Whether rows with some of their counts alone are the exception, so that they miss one in between as likely."""
        rows = [row for row in self._rows if any(map(clean, row[1:]))]
        partial = sum(self._is_partial(row) for row in rows)
        return partial * _EXCEPTION <= len(rows)

    def _is_partial(self, row: Sequence[str]) -> bool:
        """Whether the row ends between two counts."""
        return max(self._metrics) >= len(row) and any(clean(row[i]) for i in self._metrics if i < len(row))

    def _is_shifted(self, row: Sequence[str]) -> bool:
        """Whether a number stands where a text should, or a text where a number should."""
        counts = (row[i] for i in self._metrics if i < len(row))
        return self._is_number_a_text(row) or any(_is_no_count(cell) for cell in counts)

    def _is_number_a_text(self, row: Sequence[str]) -> bool:
        return any(row[i].strip().isdigit() for i in self._worded if i < len(row))

    @cached_property
    def _worded(self) -> Sequence[int]:
        """Columns of texts in which numbers, as for owners and years, are the exception in rows that are whole."""
        whole = [row for row in self._rows if self._width <= len(row) <= self._usual]
        texts = [self._header.columns[meaning] for meaning in _TEXTS if meaning in self._header.columns]
        return [i for i in texts if sum(row[i].strip().isdigit() for row in whole) * _EXCEPTION <= len(whole)]


def _is_cut(row: Sequence[str], column: int) -> bool:
    """Whether a cell may be the beginning of a number, and the next one the rest: a group of its digits, or `5K`."""
    first, then = (row[i].strip() if i < len(row) else "" for i in (column, column + 1))
    if _SCALED.fullmatch(then):
        return _WHOLE.fullmatch(first) is not None and _is_amount(f"{first},{then}")
    return _GROUP.fullmatch(then) is not None and _BEGINNING.fullmatch(first) is not None


def _is_amount(text: str) -> bool:
    """Whether it is a number with a word for so many times; where the letters are not sure, it is one all the same."""
    try:
        count_of(text)
    except NotACount as why:
        return why.code == "magnitude"
    return True


def _groups(row: Sequence[str]) -> int:
    return sum(_is_cut(row, column) for column in range(len(row) - 1))


def _filled(row: Sequence[str]) -> int:
    """How many cells there are without the blank ones at the end."""
    return next((i for i in range(len(row), 0, -1) if clean(row[i - 1])), 0)


def _is_no_count(cell: str) -> bool:
    try:
        count_of(cell)
    except NotACount:
        return True
    return False
