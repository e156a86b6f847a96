"""Spreadsheets on disk: a folder in which each CSV file is a tab, or an .xlsx workbook."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError  # noqa: N812 - named like the others it is caught with

import msgspec

from webapp.clock import Budget
from webapp.errors import SourceError
from webapp.sources.sheet import Book, Cell, Cells, Tab
from webapp.sources.sheet.payload import Payload, csv_payload, failed, json_payload

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

__all__ = ["CsvFolder", "XlsxFile"]

LARGEST_FILE = 64 * 2**20
LARGEST_UNPACKED = 256 * 2**20
MOST_COLUMNS = 52  # as far as AZ, as in Google's sheets

# What openpyxl and the parsers below it raise for a file that is no workbook.
_BROKEN = (BadZipFile, KeyError, ValueError, TypeError, AttributeError, IndexError, EOFError, ParseError, ZlibError)


class CsvFolder:
    """Each `*.csv` of a folder is a tab, named and identified by the file's name without the ending."""

    calls = 0

    def __init__(self, path: Path, *, largest: int = LARGEST_FILE) -> None:
        self.key = str(path)
        self._path = path
        self._largest = largest

    def book(self, budget: Budget) -> Book:  # noqa: ARG002 - the protocol's; a folder answers at once
        """Raises: SourceError when there is no such folder or it may not be looked into."""
        with _translated(self._path, "folder"):
            names = sorted(file.name for file in self._path.iterdir() if _is_table(file))
        tabs = tuple(Tab(id=name[: -len(".csv")], title=name[: -len(".csv")]) for name in names)
        return Book(self._path.name, None, tabs)

    def read(self, tabs: Sequence[Tab], sizes: Sequence[int | None], budget: Budget) -> Iterator[Cells]:  # noqa: ARG002
        for tab in tabs:
            yield self._cells(tab)

    def cell_link(self, tab: Tab, cell: str) -> str | None:  # noqa: ARG002 - the protocol's
        return None

    def _cells(self, tab: Tab) -> Payload:
        try:
            with _translated(self._path / tab.id, "table"):
                return csv_payload(tab, _bytes(self._file(tab), self._largest))
        except SourceError as error:
            return failed(tab, error)

    def _file(self, tab: Tab) -> Path:
        """The tab's file as it is spelled, `.csv` or `.CSV`. Raises: FileNotFoundError."""
        for file in self._path.iterdir():
            if file.name[: -len(".csv")] == tab.id and _is_table(file):
                return file
        raise FileNotFoundError(errno.ENOENT, "no such tab")


def _is_table(file: Path) -> bool:
    return file.suffix.lower() == ".csv" and not file.name.startswith(".") and file.is_file()


def _bytes(file: Path, largest: int) -> bytes:
    with file.open("rb") as opened:
        data = opened.read(largest + 1)
    if len(data) > largest:
        message = f"{file.name} is larger than {largest // 2**20} MB"
        raise SourceError(message, code="too_large", hint="split it into smaller ones")
    return data


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
        with _translated(self._path, "file"), closing(self._open()) as workbook:
            tabs = tuple(
                Tab(sheet.title, sheet.title, hidden=sheet.sheet_state != "visible") for sheet in workbook.worksheets
            )
        return Book(self._path.stem, None, tabs)

    def read(self, tabs: Sequence[Tab], sizes: Sequence[int | None], budget: Budget) -> Iterator[Cells]:  # noqa: ARG002
        with _translated(self._path, "file"):
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
            return failed(tab, SourceError(f"{tab.title} is no longer in {self._path.name}", code="tab_missing"))
        try:
            with _translated(self._path, "file"):
                sheet.reset_dimensions()  # some programs save wrong ones, and rows beyond them would not be read
                rows = _grid(sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True))
                return json_payload(tab, msgspec.json.encode(rows))
        except SourceError as error:
            return failed(tab, error)


def _grid(rows: Iterable[Sequence[object]]) -> list[list[Cell]]:
    """Rows without the blank ones at the end, of which a workbook may name a million, and without blank ends."""
    grid: list[list[Cell]] = []
    blank: list[Cell] = []
    skipped = 0
    for row in rows:
        cells = _trimmed(row)
        if cells:
            grid += [blank] * skipped
            grid.append(cells)
            skipped = 0
        else:
            skipped += 1
    return grid


def _trimmed(row: Sequence[object]) -> list[Cell]:
    end = len(row)
    while end and row[end - 1] is None:
        end -= 1
    return [_cell(value) for value in row[:end]]


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return value.isoformat() if isinstance(value, datetime | date | time) else str(value)


@contextmanager
def _translated(path: Path, what: str) -> Iterator[None]:
    """Errors of the disk and of broken files as SourceErrors that name the path."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        code = "tab_missing" if what == "table" else "spreadsheet_missing"
        raise SourceError(f"there is no {what} {path}", code=code, hint="check SMART_SYNC_SHEET") from error
    except PermissionError as error:
        message = f"the {what} {path} may not be read"
        raise SourceError(message, code="unreadable", hint="give this user the right to read it") from error
    except (OSError, *_BROKEN) as error:
        message = f"the {what} {path} can not be read"
        raise SourceError(message, code="bad_file", hint="open it and save it again") from error
