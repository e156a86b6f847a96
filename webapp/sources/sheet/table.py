"""The text of a CSV as rows, read strictly.

Where spreadsheet programs guess, one stray quote moves numbers from one account to another. Here it is refused, with
the line it stands in.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from webapp.clock import Budget
from webapp.errors import SourceError
from webapp.sources.sheet import UNLIMITED
from webapp.sources.sheet.finder import names_account, number_of_counts
from webapp.sources.sheet.headers import Header, find_header, fitness, identity
from webapp.sources.sheet.limits import (
    LONGEST_CELL,
    MOST_CELLS,
    MOST_ROWS,
    check_cells,
    check_rows,
    check_time,
    in_time,
)
from webapp.sources.sheet.vocabulary import Aliases

if TYPE_CHECKING:
    from _csv import Reader

_DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 20
_LOOK_LINES = 4_096  # lines within cells between two looks at the time
_NAMED = re.compile(
    r'"?sep=([^\w"\r\n])"?[,;\t|]*\r?(?:\n|\Z)', re.IGNORECASE
)  # how Excel is told the delimiter, in the first line
_LINE_END = re.compile(r"\r\n?|\n")
_LONE_CR = re.compile(r"\r(?!\n)")
_OFFICE_LINE_END = re.compile("_x000D_", re.IGNORECASE)  # left over where a workbook was turned into CSV
_FIX = "save it again as CSV with a spreadsheet program"


class Table(list[list[str]]):
    """Rows of a CSV, in which every row has the cells of the header.

    ended: whether the last one ends its line. delimiter: what cells are told apart by.
    """

    ended = True
    delimiter = ""


def read_table(text: str, title: str, aliases: Aliases | None = None, budget: Budget = UNLIMITED) -> Table:
    """All rows. aliases: more column names by meaning; the delimiter is the one by which a header is found.

    Raises: SourceError `malformed_csv`, `too_large`, `bad_response` for a cell that is too long; OutOfTime.
    """
    _check_signs(text, title)
    # Before a row is read: one line may have as many cells as the file has bytes, each of which takes eight.
    check_cells(title, max(map(text.count, _DELIMITERS)))
    text = _unwrap(_OFFICE_LINE_END.sub("", text).replace("\r\r\n", "\r\n"), aliases)
    delimiter = _delimiter(text, aliases)
    table, spans = _parse_whole(text, delimiter, title, budget)
    table.delimiter = delimiter
    table.ended = text.endswith(("\n", "\r"))
    if _LONE_CR.search(text):
        _check_line_ends(text, spans, title)
    if spans:
        _check_spans(text, delimiter, table, spans, title, aliases, budget)
    return table


def sample_rows(text: str, aliases: Aliases | None = None) -> list[list[str]]:
    """The first rows, as far as they can be read."""
    return _first_rows(text, _delimiter(text, aliases))


def _unwrap(text: str, aliases: Aliases | None) -> str:
    """The table within, of a file in which each line is one quoted cell that holds a row."""
    if not text.startswith('"') or _fit(text, _delimiter(text, aliases), aliases)[0]:
        return text
    lines = text.splitlines()
    if not all(line[:1] == line[-1:] == '"' and len(line) > 1 for line in lines if line.strip()):
        return text
    within = "".join(line.strip()[1:-1].replace('""', '"') + "\n" for line in lines)
    return within if _fit(within, _delimiter(within, aliases), aliases)[0] else text


class _QuoteError(Exception):
    """line: where the row begins in which a quote is stray."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


# Rows of several lines: {place in the table: (first line, last line)}.
_Span = tuple[int, int]
_Spans = dict[int, _Span]


def _parse_whole(text: str, delimiter: str, title: str, budget: Budget) -> tuple[Table, _Spans]:
    try:
        return _parse(text, delimiter, title, budget)
    except _QuoteError as error:
        if '\\"' in text:  # databases escape a quote by a backslash, and double none
            with suppress(_QuoteError):
                return _parse(text, delimiter, title, budget, escape="\\")
        line = _odd_line(_lines(text), error.line)
        raise _bad_csv(title, line, "has a quote that is not closed, or closed too early") from error


def _parse(text: str, delimiter: str, title: str, budget: Budget, escape: str | None = None) -> tuple[Table, _Spans]:
    """Raises: _QuoteError; SourceError; OutOfTime."""
    reader = _reader(text, delimiter, escape, strict=True)
    table, spans, line, cells = Table(), _Spans(), 0, 0
    try:
        for row in in_time(reader, title, budget):
            if reader.line_num != line + 1:
                spans[len(table)] = (line + 1, reader.line_num)
            table.append(row)
            line = reader.line_num
            cells += len(row)
            if len(table) > MOST_ROWS or cells > MOST_CELLS:
                check_rows(title, len(table))
                check_cells(title, cells)
    except csv.Error as error:
        if "limit" in str(error):
            raise _long_cell(title, line + 1) from error
        raise _QuoteError(line + 1) from error
    return table, spans


def _reader(text: str, delimiter: str, escape: str | None = None, *, strict: bool) -> Reader:
    return csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        escapechar=escape,
        doublequote=escape is None,
        skipinitialspace=True,
        strict=strict,
    )


def _lines(text: str) -> list[str]:
    """The lines as the reader counts them, with their ends."""
    return list(io.StringIO(text, newline=""))


# The delimiter


def _delimiter(text: str, aliases: Aliases | None) -> str:
    best = max(_DELIMITERS, key=lambda each: _fit(text, each, aliases))
    named = _NAMED.match(text)
    if named is None:
        return best
    # Whoever turned the file into another dialect may have left the line as it was.
    is_stale = _fit(text, named[1], aliases)[0] == 0 < _fit(text, best, aliases)[0]
    return best if is_stale else named[1]


def _fit(text: str, delimiter: str, aliases: Aliases | None) -> tuple[int, int, int]:
    """How well a delimiter explains the first rows: by the names of columns in them, else by an even width."""
    rows = _first_rows(text, delimiter)
    widths = Counter(map(len, rows))
    even, width = max(((count, width) for width, count in widths.items() if width > 1), default=(0, 0))
    return fitness(rows, aliases), even, width


def _first_rows(text: str, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    with suppress(csv.Error):  # of a cell that is too long; the rows before it are enough
        rows.extend(islice(_reader(text, delimiter, strict=False), _SAMPLE_ROWS))
    return rows


# What is wrong with it


def _check_signs(text: str, title: str) -> None:
    place = text.find("\0")
    if place >= 0:
        raise _bad_csv(
            title, text.count("\n", 0, place) + 1, "has signs that are no text: the file is damaged or UTF-16"
        )


def _check_line_ends(text: str, spans: _Spans, title: str) -> None:
    """Raises: SourceError where rows end in two ways, one of which must be a line end within a cell."""
    inside = {line for first, last in spans.values() for line in range(first, last)}
    ends = [(number, line) for number, line in enumerate(_lines(text), 1) if number not in inside]
    lone = next((number for number, line in ends if line.endswith("\r")), None)
    if lone is not None and any(line.endswith("\n") for _, line in ends):
        raise _bad_csv(title, lone, "ends by a sign that other lines do not end by: a line break within a cell?")


def _in_time(spans: _Spans, title: str, budget: Budget) -> Iterator[tuple[int, _Span]]:
    """The spans, as long as there is time: one alone may have as many lines as a tab.

    Raises: OutOfTime.
    """
    lines = 0
    for place, (first, last) in spans.items():
        lines += last - first
        if lines >= _LOOK_LINES:
            check_time(title, budget)
            lines = 0
        yield place, (first, last)


def _check_spans(
    text: str, delimiter: str, table: Table, spans: _Spans, title: str, aliases: Aliases | None, budget: Budget
) -> None:
    """Raises: SourceError where rows of the table are within one cell: a quote was left open and closed by another."""
    try:
        header = find_header(table, aliases)
    except SourceError:
        return
    widths = {len(row) for place, row in enumerate(table) if place not in spans}
    form = _Form(header, delimiter, len(table[header.row - 1]), widths)
    for place, (first, last) in _in_time(spans, title, budget):
        if _holds_rows(table[place], form):
            line = _odd_line(_lines(text), first)
            raise _bad_csv(title, line, f"opens a quote that is closed only in line {last}, with rows between")


@dataclass(frozen=True)
class _Form:
    """What rows of a table look like. width: of the header; widths: of all rows that stand in one line."""

    header: Header
    delimiter: str
    width: int
    widths: Container[int]

    @property
    def named(self) -> int:
        """The column that names the account."""
        return self.header.columns[identity(self.header.columns)[-1]]

    def is_row(self, cells: Sequence[str], *, is_sure: bool = False) -> bool:
        """Whether these are all the cells of an account's row; fewer than the header has need an address and a count.

        An address does without counts that can be read. is_sure: so few, even where other rows have more.
        """
        if not names_account(self.header, cells):
            return False
        counts = number_of_counts(self.header, cells)
        if len(cells) == self.width:
            return counts is not None or self._has_address(cells)
        return (is_sure or len(cells) in self.widths) and self._has_address(cells) and bool(counts)

    def begins(self, row: Sequence[str], column: int, first: Sequence[str], last: Sequence[str]) -> bool:
        """Whether the lines of one cell end a row and begin another, of which the rest stands behind the cell.

        first, last: what its first and its last line hold.
        """
        ended = [*row[:column], *first]
        if not self.is_row(ended):
            return False
        is_sure = number_of_counts(self.header, ended) is not None
        is_named = names_account(self.header, last) and (is_sure or self._has_address(last))
        if len(last) == column + 1 and (self.named > column or is_named):
            return True
        return is_sure and self.is_row([*last, *row[column + 1 :]], is_sure=len(first) > 1)

    def _has_address(self, cells: Sequence[str]) -> bool:
        return "/" in "".join(cells[self.named : self.named + 1])


def _holds_rows(row: Sequence[str], form: _Form) -> bool:
    """Whether one cell holds other rows, or the rest of its row and then the beginning of another.

    A note of several lines does not: its lines are no rows, and its first one is not the rest of a row.
    """
    for column, cell in enumerate(row):
        first, *others = (line.split(form.delimiter) for line in _LINE_END.split(cell))
        if any(map(form.is_row, others)) or (others and form.begins(row, column, first, others[-1])):
            return True
    return False


def _odd_line(lines: Sequence[str], first: int) -> int:
    """The first line from here on in which quotes are left open."""
    return next((number for number, line in _number_lines(lines, first) if line.count('"') % 2), first)


def _number_lines(lines: Sequence[str], first: int) -> Iterator[tuple[int, str]]:
    return enumerate(lines[first - 1 :], first)


def _long_cell(title: str, line: int) -> SourceError:
    words = f"{title}: line {line} has a cell of more than {LONGEST_CELL:,} characters"
    return SourceError(words, code="bad_response", hint="shorten it, or close the quote that it begins with")


def _bad_csv(title: str, line: int, words: str) -> SourceError:
    return SourceError(f"{title}: line {line} {words}; nothing of the tab is read", code="malformed_csv", hint=_FIX)
