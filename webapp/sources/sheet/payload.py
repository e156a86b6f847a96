"""The cells of one tab as the bytes they came in: hashed at once, decoded only when somebody asks."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable
from hashlib import sha256

import msgspec

from webapp.errors import SourceError
from webapp.sources.encoding import decode_text
from webapp.sources.sheet import Cell, Grid, Tab

_GRID = msgspec.json.Decoder(list[list[Cell]])
# What msgspec raises for bytes that are no JSON, or not of the promised shape.
GARBLED = (msgspec.DecodeError, UnicodeError, RecursionError)
_DELIMITERS = ",;\t"
_SAMPLE_ROWS = 20


class Payload:
    """`Cells` over bytes."""

    def __init__(
        self, tab: Tab, data: bytes, decode: Callable[[bytes], Grid], *, error: SourceError | None = None
    ) -> None:
        self.tab = tab
        self.digest = sha256(data).digest()
        self.size = len(data)
        self.error = error
        self._data = data
        self._decode = decode

    def of(self, tab: Tab) -> Payload:
        """The same cells under what the caller knows of the tab."""
        return Payload(tab, self._data, self._decode, error=self.error)

    def rows(self) -> Grid:
        """Rows from row 1, decoded on each call. Raises: the tab's own `error`; SourceError `bad_response`."""
        if self.error is not None:
            raise self.error
        try:
            return self._decode(self._data)
        except (*GARBLED, csv.Error) as error:
            raise SourceError(f"{self.tab.title}: what came is no table of cells", code="bad_response") from error


def error_payload(tab: Tab, error: SourceError) -> Payload:
    """A tab that could not be read, among others that could."""
    return Payload(tab, b"", _nothing, error=error)


def _nothing(_: bytes) -> Grid:
    return []


def json_payload(tab: Tab, data: bytes) -> Payload:
    """A JSON list of rows of plain values; no bytes at all is an empty tab."""
    return Payload(tab, data, _GRID.decode if data else _nothing)


def csv_payload(tab: Tab, data: bytes) -> Payload:
    """CSV in UTF-8, or in UTF-16 with a byte order mark. All cells are text. Another encoding is the tab's `error`."""
    try:
        decode_text(data)
    except UnicodeError:
        message = f"{tab.title}: the CSV is not in UTF-8"
        return error_payload(tab, SourceError(message, code="bad_encoding", hint='save it as "CSV UTF-8"'))
    return Payload(tab, data, _csv_rows)


def _csv_rows(data: bytes) -> Grid:
    text = decode_text(data)
    delimiter = max(_DELIMITERS, key=lambda each: _fit(text, each))
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def _fit(text: str, delimiter: str) -> tuple[int, int]:
    """How well a delimiter explains the first rows: how many agree on a width above one, and that width."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    widths = Counter(len(row) for row, _ in zip(reader, range(_SAMPLE_ROWS), strict=False))
    return max(((count, width) for width, count in widths.items() if width > 1), default=(0, 0))
