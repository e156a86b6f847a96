"""What may go wrong with a file, in words that name its path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError
from zipfile import BadZipFile
from zlib import error as ZlibError  # noqa: N812 - named like the others it is caught with

from webapp.errors import SourceError

# What comes of a file that is no workbook, or a broken or protected one.
_BROKEN = (
    *(BadZipFile, ZlibError, EOFError, ParseError, ExpatError),
    *(KeyError, IndexError, ValueError, RuntimeError, NotImplementedError),
)


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
