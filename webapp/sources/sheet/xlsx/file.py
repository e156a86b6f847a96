"""An .xlsx workbook, each worksheet a tab."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast
from zipfile import ZipFile

import msgspec

from webapp.clock import Budget
from webapp.errors import SourceError
from webapp.sources.sheet import Book, Tab
from webapp.sources.sheet.disk import open_file, source_errors
from webapp.sources.sheet.limits import LARGEST_UNPACKED, check_time
from webapp.sources.sheet.payload import Payload, error_payload, json_payload

if TYPE_CHECKING:
    from webapp.sources.sheet.xlsx.parts import WorkbookParts

_COMPOUND = b"\xd0\xcf\x11\xe0"  # how files of before 2007 begin, and those that a password protects


class XlsxFile:
    """A workbook with one tab per worksheet, identified by its name.

    Dates are text in ISO form. A formula has the value that was saved with it, or NOT_COMPUTED.
    """

    calls = 0

    def __init__(self, path: Path, *, largest_unpacked: int = LARGEST_UNPACKED) -> None:
        self.key = str(path)
        self._path = path
        self._largest_unpacked = largest_unpacked

    def book(self, budget: Budget) -> Book:
        """Raises: SourceError when there is no such file or it is no workbook."""
        with self._open(budget) as parts:
            tabs = tuple(Tab(sheet.name, sheet.name, hidden=sheet.hidden) for sheet in parts.sheets)
        return Book(self._path.stem, None, tabs)

    def plan(self, tabs: Sequence[Tab], sizes: Sequence[int | None]) -> list[int]:  # noqa: ARG002
        """All at once: nothing has to be waited for."""
        return [len(tabs)]

    def read(self, tabs: Sequence[Tab], sizes: Sequence[int | None], budget: Budget) -> Iterator[Payload]:  # noqa: ARG002
        """Raises: OutOfTime before a tab for which no time is left; the one during which it ends has its own `error`."""
        with self._open(budget) as parts:
            for tab in tabs:
                check_time(tab.title, budget)
                yield self._cells(parts, tab)

    @contextmanager
    def _open(self, budget: Budget) -> Iterator[WorkbookParts]:
        from webapp.sources.sheet.xlsx.parts import ReadInPieces, WorkbookParts  # noqa: PLC0415 - XML parsers, which only this source needs

        with ExitStack() as stack:
            with source_errors(self._path, "file"):
                opened = stack.enter_context(open_file(self._path, LARGEST_UNPACKED))
                self._check(opened)
                archive = stack.enter_context(ZipFile(cast("IO[bytes]", ReadInPieces(opened, self._path.name))))
                parts = WorkbookParts(archive, self._path.name, budget, self._largest_unpacked)
                _ = parts.sheets
            yield parts

    def _check(self, opened: IO[bytes]) -> None:
        """Raises: SourceError `bad_file` for an old or a protected workbook, which only looks like this one."""
        if opened.read(len(_COMPOUND)) == _COMPOUND:
            raise SourceError(
                f"the file {self._path} is protected by a password or of an old format",
                code="bad_file",
                hint="save it as .xlsx without a password",
            )

    def _cells(self, parts: WorkbookParts, tab: Tab) -> Payload:
        from webapp.sources.sheet.xlsx.cells import CellReader  # noqa: PLC0415 - as above

        sheet = next((sheet for sheet in parts.sheets if sheet.name == tab.id), None)
        if sheet is None:
            return error_payload(tab, SourceError(f"{tab.title} is no longer in {self._path.name}", code="tab_missing"))
        try:
            with source_errors(self._path, "file"):
                reader = CellReader(
                    tab.title, parts.strings, parts.shown, from_1904=parts.from_1904, doubts_zeros=parts.doubts_zeros
                )
                return json_payload(tab, msgspec.json.encode(reader.read(parts.pieces(sheet.part, tab.title))))
        except SourceError as error:
            return error_payload(tab, error)
