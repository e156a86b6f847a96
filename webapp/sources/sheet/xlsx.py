"""An .xlsx workbook, each worksheet a tab."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import msgspec

from webapp.clock import Budget
from webapp.errors import SourceError
from webapp.sources.sheet import MOST_COLUMNS, Book, Cell, Cells, Tab
from webapp.sources.sheet.disk import source_errors
from webapp.sources.sheet.payload import Payload, error_payload, json_payload

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

LARGEST_UNPACKED = 256 * 2**20


class XlsxFile:
    """A workbook with one tab per worksheet, identified by its name.

    Dates are text in ISO form. A formula has the value that was last saved with it, and none if none was.
    """

    calls = 0

    def __init__(self, path: Path, *, largest_unpacked: int = LARGEST_UNPACKED) -> None:
        self.key = str(path)
        self._path = path
        self._largest_unpacked = largest_unpacked

    def book(self, budget: Budget) -> Book:  # noqa: ARG002 - the protocol's; a file answers at once
        """Raises: SourceError when there is no such file or it is no workbook."""
        with source_errors(self._path, "file"), closing(self._open()) as workbook:
            tabs = tuple(
                Tab(sheet.title, sheet.title, hidden=sheet.sheet_state != "visible") for sheet in workbook.worksheets
            )
        return Book(self._path.stem, None, tabs)

    def read(self, tabs: Sequence[Tab], sizes: Sequence[int | None], budget: Budget) -> Iterator[Cells]:  # noqa: ARG002
        with source_errors(self._path, "file"):
            workbook = self._open()
        with closing(workbook):
            for tab in tabs:
                yield self._cells(workbook, tab)

    def cell_link(self, tab: Tab, cell: str) -> str | None:  # noqa: ARG002 - the protocol's
        return None

    def _open(self) -> Workbook:
        from openpyxl import load_workbook  # noqa: PLC0415 - a tenth of a second that only this source needs

        with ZipFile(self._path) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
        if unpacked > self._largest_unpacked:
            limit = self._largest_unpacked // 2**20
            raise SourceError(
                f"{self._path} unpacks to more than {limit} MB", code="too_large", hint="split the workbook"
            )
        return load_workbook(self._path, read_only=True, data_only=True)

    def _cells(self, workbook: Workbook, tab: Tab) -> Payload:
        sheet = next((sheet for sheet in workbook.worksheets if sheet.title == tab.id), None)
        if sheet is None:
            return error_payload(tab, SourceError(f"{tab.title} is no longer in {self._path.name}", code="tab_missing"))
        try:
            with source_errors(self._path, "file"):
                sheet.reset_dimensions()  # some programs save wrong ones, and rows beyond them would not be read
                rows = _grid(sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True))
                return json_payload(tab, msgspec.json.encode(rows))
        except SourceError as error:
            return error_payload(tab, error)


def _grid(rows: Iterable[Sequence[object]]) -> list[list[Cell]]:
    """Rows without the blank ones at the end, of which a workbook may name a million, and without blank ends."""
    grid: list[list[Cell]] = []
    blank: list[Cell] = []
    skipped = 0
    for row in rows:
        cells = _trim(row)
        if cells:
            grid += [blank] * skipped
            grid.append(cells)
            skipped = 0
        else:
            skipped += 1
    return grid


def _trim(row: Sequence[object]) -> list[Cell]:
    end = len(row)
    while end and row[end - 1] is None:
        end -= 1
    return [_cell(value) for value in row[:end]]


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return value.isoformat() if isinstance(value, datetime | date | time) else str(value)
