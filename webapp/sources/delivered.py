"""Files of readings: CSV as sheets are read, JSON, or a JSON object in each line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

from webapp.errors import SourceError
from webapp.model import METRICS
from webapp.sources.encoding import decode_text
from webapp.sources.sheet.limits import LARGEST_FILE, too_large
from webapp.sources.sheet.rows import read_tab
from webapp.sources.sheet.table import read_table

LONGEST_LINE = 2**20
Kind = Literal["csv", "json", "lines"]
_SUFFIXES: dict[str, Kind] = {".csv": "csv", ".tsv": "csv", ".json": "json", ".ndjson": "lines", ".jsonl": "lines"}


class Delivered(NamedTuple):
    """A reading as it stands in a file, in words of the API. place: `line 17`. wrong: why there is none."""

    place: str
    value: Any
    wrong: str | None = None


def read_readings(file: BinaryIO, name: str) -> Iterator[Delivered]:
    """The readings of a file, one by one; of lines only one is in memory at a time.

    Raises: SourceError `bad_file`, `bad_encoding`, `too_large`, and what a table may be refused for.
    """
    first = file.read(1)
    match _SUFFIXES.get(Path(name).suffix.lower()) or _guess(first):
        case "lines":
            yield from _lines(first, file)
        case "json":
            yield from _items(_text(first + _whole(file), name), name)
        case _:
            yield from _rows(first + _whole(file), name)


def _guess(first: bytes) -> Kind:
    """By the first sign, where no name tells."""
    return {b"[": "json", b"{": "lines"}.get(first, "csv")  # type: ignore[return-value]


def _whole(file: BinaryIO) -> bytes:
    data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise too_large(f"the file has more than {LARGEST_FILE // 2**20} MB", "send it as a line for each reading")
    return data


def _lines(first: bytes, file: BinaryIO) -> Iterator[Delivered]:
    number, begun = 0, first
    while line := begun + file.readline(LONGEST_LINE):
        number, begun = number + 1, b""
        place = f"line {number}"
        if len(line) >= LONGEST_LINE and not line.endswith(b"\n"):
            raise too_large(f"{place} has more than {LONGEST_LINE:,} bytes", "a line is one reading")
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError:
            yield Delivered(place, None, "is not in UTF-8")
            continue
        if text:
            yield _parsed(place, text)


def _parsed(place: str, text: str) -> Delivered:
    try:
        return Delivered(place, json.loads(text))
    except (ValueError, RecursionError):
        return Delivered(place, None, "is no JSON")


def _text(data: bytes, name: str) -> str:
    try:
        return decode_text(data)
    except UnicodeError:
        raise SourceError(f"{name} is not in UTF-8", code="bad_encoding", hint="save it in UTF-8") from None


def _items(text: str, name: str) -> Iterator[Delivered]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        words = str(error) if isinstance(error, json.JSONDecodeError) else "it is nested too deep"
        raise SourceError(f"{name} is no JSON: {words}", code="bad_file", hint="is it whole?") from None
    items = value.get("readings") if isinstance(value, dict) else value
    if not isinstance(items, list):
        raise SourceError(f"{name} has no list of readings", code="bad_file", hint='like [{"profile_url": "...", ...}]')
    for number, item in enumerate(items, 1):
        yield Delivered(f"reading {number}", item)


def _rows(data: bytes, name: str) -> Iterator[Delivered]:
    """The rows of a table whose columns are named as in a sheet."""
    reading = read_tab(read_table(_text(data, name), name), name)
    for row in reading.rows.values():
        counts = {metric: count for metric, count in zip(METRICS, row.counts, strict=True) if count is not None}
        if counts:
            yield Delivered(f"row {row.row}", {"profile_url": row.profile.url, **counts})
    for problem in reading.problems:
        yield Delivered(problem.cell or name, None, problem.message)
