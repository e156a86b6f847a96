"""Files: opened without being held up, and what may go wrong with them, in words that name their path."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError
from zipfile import BadZipFile
from zlib import error as ZlibError  # noqa: N812 - named like the others it is caught with

from webapp.errors import SourceError
from webapp.sources.sheet.limits import too_large

# What comes of a file that is no workbook, or a broken or protected one.
_BROKEN = (
    *(BadZipFile, ZlibError, EOFError, ParseError, ExpatError),
    *(LookupError, ValueError, RuntimeError, NotImplementedError),  # LookupError also of an encoding nobody knows
)
_KINDS = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))


@contextmanager
def source_errors(path: Path, what: str) -> Iterator[None]:
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
        message = f"the {what} {path} cannot be read"
        raise SourceError(message, code="bad_file", hint="open it and save it again") from error


def open_file(path: Path, largest: int) -> BufferedReader:
    """A regular file, open for reading, of no more than so many bytes as it is opened.

    What else may stand at a path is not opened: a pipe is silent for ever, a device has no end. It may stand there
    only once we open it, so what was opened is looked at too.

    Raises: SourceError `bad_file`, `too_large`; OSError.
    """
    _check_kind(path, path.stat())
    opened = open(path, "rb", opener=_open)  # noqa: SIM115 - whoever asked closes it
    try:
        state = os.fstat(opened.fileno())
        _check_kind(path, state)
        check_size(path, state.st_size, largest)
    except SourceError:
        opened.close()
        raise
    return opened


def check_size(path: Path, size: int, largest: int) -> None:
    """Raises: SourceError `too_large`."""
    if size > largest:
        raise too_large(f"{path.name} is larger than {largest // 2**20} MB")


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _check_kind(path: Path, state: os.stat_result) -> None:
    if stat.S_ISREG(state.st_mode) or stat.S_ISDIR(state.st_mode):  # to open a folder fails by itself
        return
    kind = next((words for is_kind, words in _KINDS if is_kind(state.st_mode)), "a device")
    raise SourceError(f"{path} is {kind}, not a file", code="bad_file", hint="put a file in its place")
