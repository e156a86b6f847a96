"""A folder in which each file is a table: CSV, TSV, or a workbook with several."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from webapp.clock import Budget, Clock
from webapp.errors import OutOfTime, SourceError, TransientSourceError
from webapp.sources.encoding import decode_text
from webapp.sources.sheet import Book, Cells, Tab
from webapp.sources.sheet.disk import check_size, open_file, source_errors
from webapp.sources.sheet.limits import LARGEST_FILE
from webapp.sources.sheet.payload import Payload, csv_payload, error_payload
from webapp.sources.sheet.vocabulary import Aliases
from webapp.sources.sheet.xlsx import XlsxFile

_TEXT = (".csv", ".tsv")
_WORKBOOKS = (".xlsx", ".xlsm")
# Files in which people keep tables and which are not read, with what to do about it.
_OTHERS = {
    **dict.fromkeys((".xls", ".xlsb", ".ods", ".fods", ".numbers"), "save it as .xlsx or .csv"),
    **dict.fromkeys((".txt", ".tab", ".dat"), "name it .csv or .tsv if it is a table"),
    **dict.fromkeys((".gsheet", ".url", ".webloc"), "give the address of the spreadsheet itself"),
    **dict.fromkeys((".zip", ".gz", ".7z", ".rar"), "unpack it"),
    **dict.fromkeys((".json", ".jsonl", ".parquet", ".dbf", ".xml", ".html", ".htm"), "save it as .csv"),
}
_FRESH_S = 1.0  # since a file was written: it may not be whole yet
_PAUSE_S = 0.1
_SAMPLE = 64 * 1024  # bytes of each file that tell in which letters a folder is written


class _Source(NamedTuple):
    """Where a tab is. sheet: of the workbook, None for a text file."""

    tab: Tab
    file: Path
    sheet: Tab | None = None
    error: SourceError | None = None


class CsvFolder:
    """Each `*.csv` and `*.tsv` of a folder is a tab, named and identified by the file's name without the ending.

    A workbook there is a tab for each of its sheets. Other files are named in the book's notes. aliases: more column
    names by meaning, by which the delimiter of a file is found.
    """

    calls = 0

    def __init__(
        self, path: Path, *, clock: Clock | None = None, aliases: Aliases | None = None, largest: int = LARGEST_FILE
    ) -> None:
        self.key = str(path)
        self._path = path
        self._clock = clock or Clock()
        self._aliases = aliases
        self._largest = largest

    def book(self, budget: Budget) -> Book:
        """Raises: SourceError when there is no such folder or it may not be looked into."""
        files = self._files()
        sources = [*self._sources(files, budget)]
        return Book(
            self._path.name,
            None,
            tuple(source.tab for source in sources),
            notes=tuple(_note(file) for file in files if file.suffix.lower() in _OTHERS),
            unopened=tuple((_beginning(source.file), source.error) for source in sources if source.error),
        )

    def plan(self, tabs: Sequence[Tab], sizes: Sequence[int | None]) -> list[int]:  # noqa: ARG002
        """All at once: nothing has to be waited for."""
        return [len(tabs)]

    def read(self, tabs: Sequence[Tab], sizes: Sequence[int | None], budget: Budget) -> Iterator[Cells]:  # noqa: ARG002
        """A file that is written meanwhile is its tabs' own `error`: what is there may be half of it."""
        sources = {source.tab.id: source for source in self._sources(self._files(), budget)}
        growing = self._files_in_writing({sources[tab.id].file for tab in tabs if tab.id in sources})
        for file, group in groupby(tabs, lambda tab: sources[tab.id].file if tab.id in sources else None):
            if file is None:
                yield from (error_payload(tab, self._missing(tab, sources.values())) for tab in group)
            elif file in growing:
                yield from (error_payload(tab, _growth_error(file)) for tab in group)
            elif file.suffix.lower() in _WORKBOOKS:
                yield from self._read_workbook(file, [(tab, sources[tab.id]) for tab in group], budget)
            else:
                yield from (self._read_text(file, tab) for tab in group)

    # What there is

    def _files(self) -> list[Path]:
        with source_errors(self._path, "folder"):
            return sorted((file for file in self._path.iterdir() if _is_seen(file)), key=lambda file: file.name)

    def _sources(self, files: Sequence[Path], budget: Budget) -> Iterator[_Source]:
        """The tabs, those of CSV files first: where names meet, theirs stay as they are.

        Raises: OutOfTime.
        """
        taken: set[str] = set()
        for ending in _TEXT:
            for file in files:
                if file.suffix.lower() == ending:
                    name = file.stem if file.stem not in taken else file.name
                    taken.add(name)
                    yield _Source(Tab(id=name, title=name), file)
        for file in files:
            if file.suffix.lower() in _WORKBOOKS:
                yield from self._sheets(file, budget)

    def _sheets(self, file: Path, budget: Budget) -> Iterator[_Source]:
        try:
            sheets = XlsxFile(file).book(budget).tabs
        except OutOfTime:
            raise
        except SourceError as error:
            yield _Source(Tab(id=file.name, title=file.name), file, error=error)
            return
        for sheet in sheets:
            title = file.stem if len(sheets) == 1 else f"{file.stem}: {sheet.title}"
            yield _Source(Tab(id=_beginning(file) + sheet.id, title=title, hidden=sheet.hidden), file, sheet)

    # What it says

    def _missing(self, tab: Tab, sources: Iterable[_Source]) -> SourceError:
        for source in sources:
            if source.error is not None and tab.id.startswith(_beginning(source.file)):
                return source.error
        message = f"there is no table {self._path / tab.id}"
        return SourceError(message, code="tab_missing", hint="check SMART_SYNC_SHEET")

    def _read_text(self, file: Path, tab: Tab) -> Payload:
        try:
            with source_errors(file, "table"):
                data = _bytes(file, self._largest)
        except SourceError as error:
            return error_payload(tab, error)
        return csv_payload(tab, data, aliases=self._aliases, others=lambda: self._others(file))

    @staticmethod
    def _read_workbook(file: Path, found: Sequence[tuple[Tab, _Source]], budget: Budget) -> Iterator[Payload]:
        sheets = [source.sheet for _, source in found if source.sheet is not None]
        answers = XlsxFile(file).read(sheets, [None] * len(sheets), budget)
        failure: SourceError | None = None
        for tab, source in found:
            failure = source.error or failure
            try:
                cells = error_payload(tab, failure) if failure else next(answers).of(tab)
            except OutOfTime:
                raise
            except SourceError as error:
                failure = error
                cells = error_payload(tab, error)
            yield cells

    def _others(self, file: Path) -> str:
        """What the other text files say, as far as it can be read: its letters tell in which ones the folder is written."""
        texts = []
        for other in self._files():
            if other != file and other.suffix.lower() in _TEXT:
                with (
                    suppress(SourceError, UnicodeError),
                    source_errors(other, "table"),
                    open_file(other, self._largest) as opened,
                ):
                    data = opened.read(_SAMPLE) or b""
                    texts.append(decode_text(data[: data.rfind(b"\n") + 1] or data))
        return "\n".join(texts)

    def _files_in_writing(self, files: Collection[Path]) -> set[Path]:
        """The files that are written right now: those of the last moment are looked at twice."""
        now = self._clock.now().timestamp()
        states = {file: state for file in files if (state := _state(file))}
        fresh = {file: state for file, state in states.items() if abs(now - state.st_mtime) < _FRESH_S}
        if fresh:
            self._clock.sleep(_PAUSE_S)
        return {file for file, state in fresh.items() if _is_changed(state, _state(file))}


def _is_seen(file: Path) -> bool:
    """Whether there is something that may be a table. A pipe is no file, and is named where it has the name of one."""
    state = None if file.name.startswith((".", "~$")) else _state(file)
    return state is not None and not stat.S_ISDIR(state.st_mode)


def _beginning(file: Path) -> str:
    """Of the ids of a workbook's tabs."""
    return f"{file.name}/"


def _note(file: Path) -> str:
    return f"the file {file.name!r} is not read: {_OTHERS[file.suffix.lower()]}"


def _bytes(file: Path, largest: int) -> bytes:
    """Raises: SourceError for what is no file, is too large, or changes while it is read; OSError."""
    with open_file(file, largest) as opened:
        before = os.fstat(opened.fileno())
        data = opened.read(largest + 1)
        after = os.fstat(opened.fileno())
    if data is None:  # a file of the kernel that has nothing to say
        raise BlockingIOError
    check_size(file, len(data), largest)
    if _is_changed(before, after):
        raise _growth_error(file)
    return data


def _state(file: Path) -> os.stat_result | None:
    try:
        return file.stat()
    except OSError:
        return None


def _is_changed(before: os.stat_result, after: os.stat_result | None) -> bool:
    if after is None:
        return True
    return (before.st_size, before.st_mtime_ns, before.st_ino) != (after.st_size, after.st_mtime_ns, after.st_ino)


def _growth_error(file: Path) -> SourceError:
    return TransientSourceError(f"{file.name} is being written", code="being_written", hint="the next run looks again")
