"""An .xlsx workbook, each worksheet a tab."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import msgspec

from webapp.clock import Budget
from webapp.errors import SourceError
from webapp.sources.sheet import Book, Tab
from webapp.sources.sheet.disk import source_errors
from webapp.sources.sheet.payload import Payload, error_payload, json_payload

if TYPE_CHECKING:
    from webapp.sources.sheet.xlsx.parts import WorkbookParts

LARGEST_UNPACKED = 256 * 2**20
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

    def book(self, budget: Budget) -> Book:  # noqa: ARG002 - the protocol's; a file answers at once
        """Raises: SourceError when there is no such file or it is no workbook."""
        with self._open() as parts:
            tabs = tuple(Tab(sheet.name, sheet.name, hidden=sheet.hidden) for sheet in parts.sheets)
        return Book(self._path.stem, None, tabs)

    def read(self, tabs: Sequence[Tab], sizes: Sequence[int | None], budget: Budget) -> Iterator[Payload]:  # noqa: ARG002
        with self._open() as parts:
            for tab in tabs:
                yield self._cells(parts, tab)

    @contextmanager
    def _open(self) -> Iterator[WorkbookParts]:
        from webapp.sources.sheet.xlsx.parts import WorkbookParts  # noqa: PLC0415 - XML parsers, which only this source needs

        with source_errors(self._path, "file"):
            self._check()
            archive = ZipFile(self._path)
        with archive:
            unpacked = sum(part.file_size for part in archive.infolist())
            if unpacked > self._largest_unpacked:
                limit = self._largest_unpacked // 2**20
                raise SourceError(
                    f"{self._path} unpacks to more than {limit} MB", code="too_large", hint="split the workbook"
                )
            parts = WorkbookParts(archive)
            with source_errors(self._path, "file"):
                _ = parts.sheets
            yield parts

    def _check(self) -> None:
        """Raises: SourceError `bad_file` for an old or a protected workbook, which only looks like this one."""
        with self._path.open("rb") as opened:
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
                    parts.strings, parts.shown, from_1904=parts.from_1904, doubts_zeros=parts.doubts_zeros
                )
                with parts.open(sheet.part) as opened:
                    return json_payload(tab, msgspec.json.encode(reader.read(opened)))
        except SourceError as error:
            return error_payload(tab, error)
