"""All that is stored, out into a file and in again, whichever kind of database it is."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from io import BufferedReader
from typing import BinaryIO, cast

from webapp.clock import Clock
from webapp.errors import Conflict
from webapp.store import portable
from webapp.store.db import Database
from webapp.store.portable import Advance, BadExport, Head

LONGEST_LINE = 64 * 2**20
LEVEL = 3  # a third larger than the smallest, in a fifth of the time
GZIP = b"\x1f\x8b"


def export_all(db: Database, file: BinaryIO, clock: Clock, advance: Advance = lambda *_: None) -> int:
    """Write all that is stored, as it is at one moment, compressed; the bytes of the file. Writers go on meanwhile.

    Raises: StoreError; OSError of the file.
    """
    counted = _Counted(file)
    with gzip.GzipFile("", "wb", LEVEL, cast("BinaryIO", counted), mtime=0) as packed, db.read() as tx:
        for lines in portable.dump(tx, clock.now(), advance):
            packed.write(lines)
    return counted.size


class _Counted:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = 0

    def write(self, data: bytes) -> int:
        self.size += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


def has_something_to_lose(db: Database) -> bool:
    """Whether an import would overwrite anything.

    Raises: StoreError.
    """
    with db.read() as tx:
        return portable.holds_anything(tx)


def import_all(
    db: Database, file: BufferedReader, *, overwrite: bool = False, advance: Advance = lambda *_: None
) -> Head:
    """Put an export in the place of all that is stored, in one transaction; what it was. Readers go on meanwhile.

    overwrite: whether a database that holds projects may be emptied.

    Raises: Conflict; BadExport for a file that is no whole export; StoreError. Then all is as it was.
    """
    with db.write() as tx:
        if portable.holds_anything(tx) and not overwrite:
            words = f"{db.storage()} holds projects already"
            raise Conflict(words, code="not_empty", hint="use --force to replace all of it")
        return portable.load(tx, _lines(file), advance)


def _lines(file: BufferedReader) -> Iterator[bytes]:
    """The lines of a file, unpacked where they are packed.

    Raises: BadExport.
    """
    stream = gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == GZIP else file
    try:
        while line := stream.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                raise BadExport("the export has a line without end")
            yield line
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadExport(f"the export is damaged: {error}", hint="nothing was changed; use another copy") from error
