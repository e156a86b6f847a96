"""A folder in which each CSV file is a tab."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from pathlib import Path

from webapp.clock import Budget
from webapp.errors import SourceError
from webapp.sources.sheet import Book, Cells, Tab
from webapp.sources.sheet.disk import source_errors
from webapp.sources.sheet.payload import Payload, csv_payload, error_payload

LARGEST_FILE = 64 * 2**20


class CsvFolder:
    """Each `*.csv` of a folder is a tab, named and identified by the file's name without the ending."""

    calls = 0

    def __init__(self, path: Path, *, largest: int = LARGEST_FILE) -> None:
        self.key = str(path)
        self._path = path
        self._largest = largest

    def book(self, budget: Budget) -> Book:  # noqa: ARG002 - the protocol's; a folder answers at once
        """Raises: SourceError when there is no such folder or it may not be looked into."""
        with source_errors(self._path, "folder"):
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
            with source_errors(self._path / tab.id, "table"):
                return csv_payload(tab, _bytes(self._file(tab), self._largest))
        except SourceError as error:
            return error_payload(tab, error)

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
