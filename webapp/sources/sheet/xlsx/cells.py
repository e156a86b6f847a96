"""The cells of one worksheet."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from webapp.sources.counts import NOT_COMPUTED
from webapp.sources.sheet import MOST_COLUMNS, Cell
from webapp.sources.sheet.limits import check_cell, check_cells, check_rows, check_text, too_large
from webapp.sources.sheet.xlsx.texts import local_name, parse, unescape


class Unit(str):
    """What a format writes behind a number, and multiplies it by for whoever reads it: `K` of `0.0"K"`."""

    __slots__ = ()


# What a number is shown as: a date or a time of day, a length of time, a share, so many thousands.
Shown = Literal["date", "length", "percent"] | Unit

_ADDRESS = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")
_WHOLE = re.compile("-?[0-9]{1,18}")
_SINCE_1900, _SINCE_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001 - cells have no zone
_LEAP_DAY = 60  # 29 February 1900, which Excel believes in
_DAY_MS = 86_400_000
_NO_DATE = "#VALUE!"
_MOST_SPANS = 1_000  # formulas that fill others' cells in one row; each of its cells is held against all of them


class CellReader:
    """Reads the cells of one worksheet as they are saved, formulas by the value that was saved with them.

    title: of the tab, for the words of an error. strings: the texts that cells name by number. shown: the styles that show a number as something else.
    doubts_zeros: a formula's 0 is no value. NOT_COMPUTED stands for a formula that has none.
    """

    def __init__(
        self, title: str, strings: Sequence[str], shown: Mapping[str, Shown], *, from_1904: bool, doubts_zeros: bool
    ) -> None:
        self._title = title
        self._strings = strings
        self._shown = shown
        self._from_1904 = from_1904
        self._doubts_zeros = doubts_zeros
        self._rows: list[list[Cell]] = []
        self._row = 0  # the number of the row that is read, from 1
        self._column = -1
        self._kind = self._style = ""
        self._inside = ""  # the element whose text is taken
        self._value: str | None = None
        self._inline: list[str] = []
        self._length = 0  # of them together
        self._is_formula = False
        self._spans: list[tuple[int, int, int, int]] = []  # cells whose formula stands in the first of them
        self._span: tuple[int, int, int, int] | None = None  # of the cell that is read
        self._uncomputed: dict[int, int] = {}  # the last row of each column that such a formula without a result fills
        self._phonetic = 0
        self._cells = self._characters = 0  # taken so far

    def read(self, pieces: Iterable[bytes]) -> list[list[Cell]]:
        """Rows from row 1, without blank ends.

        Raises: SourceError `too_large`; ValueError, expat.ExpatError for what is no worksheet; what the pieces raise.
        """
        parse(self, pieces)
        return self._rows

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        match local_name(name):
            case "row":
                self._row = int(attributes.get("r", self._row + 1))
                self._column = -1
                self._spans = [span for span in self._spans if span[2] >= self._row]
            case "c":
                self._begin_cell(attributes)
            case "v":
                self._inside, self._value = "v", ""
            case "f":
                self._is_formula = True
                self._note_span(attributes)
            case "t":
                self._inside = "" if self._phonetic else "t"
            case "rPh":
                self._phonetic += 1

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        address = attributes.get("r")
        self._column = _place(address)[1] if address else self._column + 1
        self._kind = attributes.get("t", "n")
        self._style = attributes.get("s", "")
        self._value = None
        self._inline.clear()
        self._length = 0
        self._is_formula = False
        self._span = None

    def _note_span(self, attributes: Mapping[str, str]) -> None:
        """An array formula stands in its first cell and fills others."""
        first, _, last = attributes.get("ref", "").partition(":")
        if last and attributes.get("t") in {"array", "dataTable"}:
            self._span = (*_place(first), *_place(last))
            self._spans.append(self._span)
            if len(self._spans) > _MOST_SPANS:
                words = f"{self._title}: more than {_MOST_SPANS:,} formulas that fill cells of one row"
                raise too_large(words, "save it as CSV")

    def data(self, text: str) -> None:
        if self._inside == "v":
            self._value = (self._value or "") + text
            check_cell(self._title, len(self._value))
        elif self._inside == "t":
            self._inline.append(text)
            self._length += len(text)
            check_cell(self._title, self._length)

    def end(self, name: str) -> None:
        match local_name(name):
            case "v" | "t":
                self._inside = ""
            case "rPh":
                self._phonetic -= 1
            case "c":
                if self._column < MOST_COLUMNS:
                    cell = self._cell()
                    self._put(cell)
                    if self._span is not None and cell == NOT_COMPUTED:
                        self._note_uncomputed(self._span)
            case "row" if self._uncomputed and len(self._rows) == self._row:
                self._fill(self._rows[-1])

    def _note_uncomputed(self, span: tuple[int, int, int, int]) -> None:
        _, left, bottom, right = span
        for column in range(left, min(right + 1, MOST_COLUMNS)):
            self._uncomputed[column] = max(bottom, self._uncomputed.get(column, 0))

    def _fill(self, row: list[Cell]) -> None:
        """Of a formula that fills others' cells some libraries write the first alone; whoever computes it adds the others."""
        for column, bottom in sorted(self._uncomputed.items()):
            if self._row > bottom or (column < len(row) and row[column] is not None):
                continue
            self._count(NOT_COMPUTED)
            row += [None] * (column + 1 - len(row))
            row[column] = NOT_COMPUTED

    def _put(self, cell: Cell) -> None:
        if cell is None or cell == "":
            return
        rows, number = self._rows, self._row
        check_rows(self._title, number)
        self._count(cell)
        if number < 1 or number < len(rows):
            raise ValueError("rows that are not in order")
        if number > len(rows):
            blank: list[Cell] = []
            rows += [blank] * (number - 1 - len(rows))
            rows.append([])
        row = rows[-1]
        if self._column < len(row):
            raise ValueError("cells that are not in order")
        row += [None] * (self._column - len(row))
        row.append(cell)

    def _count(self, cell: Cell) -> None:
        """One text may stand in very many cells, so what they hold is more than the file."""
        self._cells += 1
        check_cells(self._title, self._cells)
        if isinstance(cell, str):
            self._characters += len(cell)
            check_text(self._title, self._characters)

    def _cell(self) -> Cell:
        if (self._is_formula or self._spans) and self._is_uncomputed():
            return NOT_COMPUTED
        value = self._value
        match self._kind:
            case "inlineStr":
                return unescape("".join(self._inline))
            case _ if value is None:
                return None
            case "s":
                return self._strings[_index(value)]
            case "b":
                return value.strip() in {"1", "true"}
            case "str":
                return unescape(value)
            case "e" | "d":
                return value
            case _:
                return self._number(value.strip())

    def _is_uncomputed(self) -> bool:
        """Whether the cell is a formula's whose result nobody has computed, or nobody knows whether anybody has."""
        if not self._is_formula and not self._is_spanned():
            return False
        value = self._value
        if value is None or (not value.strip() and self._kind != "str"):
            return True
        return self._doubts_zeros and (not value.strip() or _is_zero(value))

    def _is_spanned(self) -> bool:
        row, column = self._row, self._column
        return any(top <= row <= bottom and left <= column <= right for top, left, bottom, right in self._spans)

    def _number(self, text: str) -> Cell:
        if not text:
            return None
        number = int(text) if _WHOLE.fullmatch(text) else float(text)
        if not math.isfinite(number):
            return text  # which JSON, in which cells travel, would make a blank of
        shown = self._shown.get(self._style)
        if shown is None:
            return number
        if shown == "percent":
            return f"{number * 100:g}%"
        if isinstance(shown, Unit):
            return f"{number:.15g} {shown}"
        return self._moment(number, is_length=shown == "length")

    def _moment(self, days: float, *, is_length: bool) -> str:
        """A number that is shown as a date, as text in ISO form: it is no count."""
        try:
            length = timedelta(milliseconds=round(days * _DAY_MS))
            if is_length:
                return str(length)
            if 0 <= days < 1:
                return (_SINCE_1900 + length).time().isoformat()
            if self._from_1904:
                return (_SINCE_1904 + length).isoformat()
            return (_SINCE_1900 + length + timedelta(days=days < _LEAP_DAY)).isoformat()
        except (OverflowError, ValueError):
            return _NO_DATE


def _place(address: str) -> tuple[int, int]:
    """Row from 1 and column from 0 of `B17`."""
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise ValueError("a cell without an address")
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(found[2]), column - 1


def _index(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError("a text that is not there")
    return number


def _is_zero(text: str) -> bool:
    try:
        return float(text) == 0
    except ValueError:
        return False
