"""Files of readings: CSV as sheets are read or with the members of the API, JSON, or a JSON object in each line."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

from webapp.errors import SourceError
from webapp.model import METRICS
from webapp.rules.addresses import address
from webapp.sources.counts import NotACount, count_of
from webapp.sources.encoding import decode_text
from webapp.sources.sheet import Cell
from webapp.sources.sheet.headers import Header, find_header
from webapp.sources.sheet.limits import LARGEST_FILE, too_large
from webapp.sources.sheet.quotes import quote_cell
from webapp.sources.sheet.rows import read_tab
from webapp.sources.sheet.shape import Ruler
from webapp.sources.sheet.table import Table, read_table
from webapp.sources.sheet.texts import clean
from webapp.sources.sheet.vocabulary import Aliases
from webapp.sources.urls import BadProfile, profile_of

LONGEST_LINE = 2**20
Kind = Literal["csv", "json", "lines"]
Parse = Callable[[str], Any]
_SUFFIXES: dict[str, Kind] = {".csv": "csv", ".tsv": "csv", ".json": "json", ".ndjson": "lines", ".jsonl": "lines"}
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LOOK = 4_096  # bytes by which a file is told that has no name
_WHOLE = re.compile(r'\{\s*"(readings|project_id)"\s*:')  # how the object begins that has all readings in it

# Members of a reading that columns are named for in a table that is no sheet: its rows have times and origins of their
# own, and the same account may come again.
_BY_ID: Aliases = {"url": ("account_id",)}
_LONGEST_ID = 20  # digits; the database has 19
_OWN = ("account_id", "observed_at", "origin")


class FileReading(NamedTuple):
    """A reading as it stands in a file, in words of the API. place: `line 17`. wrong: why there is none."""

    place: str
    value: Any
    wrong: str | None = None


def read_readings(file: BinaryIO, name: str, parse: Parse) -> Iterator[FileReading]:
    """The readings of a file, one by one; of lines only one is in memory at a time.

    parse: decodes JSON, and raises ValueError.

    Raises: SourceError `bad_file`, `bad_encoding`, `too_large`, and what a table may be refused for.
    """
    head = file.read(_LOOK)
    match _SUFFIXES.get(Path(name).suffix.lower()) or _guess(head):
        case "lines" if head.startswith(_WIDE):
            whole = _text(_whole(head, file), name).encode("utf-8", "surrogatepass")
            yield from _parsed_lines(_lines(b"", io.BytesIO(whole)), parse)
        case "lines":
            yield from _parsed_lines(_lines(head, file), parse)
        case "json":
            yield from _items(_text(_whole(head, file), name), name, parse)
        case _:
            yield from _rows(_text(_whole(head, file), name), name)


def _guess(head: bytes) -> Kind:
    """By how it begins, where no name tells."""
    text = head.decode("utf-16" if head.startswith(_WIDE) else "utf-8-sig", "ignore").lstrip()
    if text.startswith("[") or _WHOLE.match(text):
        return "json"
    return "lines" if text.startswith("{") else "csv"


def _whole(head: bytes, file: BinaryIO) -> bytes:
    data = head + file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise too_large(f"the file has more than {LARGEST_FILE // 2**20} MB", "send it as a line for each reading")
    return data


def _lines(head: bytes, file: BinaryIO) -> Iterator[tuple[str, bytes]]:
    begun = io.BytesIO(head)
    number = 0
    while True:
        line = begun.readline(LONGEST_LINE)
        if not line.endswith(b"\n"):
            line += file.readline(LONGEST_LINE - len(line))
        if not line:
            return
        number += 1
        if len(line) >= LONGEST_LINE and not line.endswith(b"\n"):
            raise too_large(f"line {number} has more than {LONGEST_LINE:,} bytes", "a line is one reading")
        yield f"line {number}", line.removeprefix(codecs.BOM_UTF8) if number == 1 else line


def _parsed_lines(lines: Iterable[tuple[str, bytes]], parse: Parse) -> Iterator[FileReading]:
    for place, line in lines:
        if not line.strip():
            continue
        try:
            yield FileReading(place, parse(line.decode("utf-8")))
        except UnicodeDecodeError:
            yield FileReading(place, None, "is not in UTF-8")
        except ValueError:
            yield FileReading(place, None, "is no JSON")


def _text(data: bytes, name: str) -> str:
    try:
        return decode_text(data)
    except UnicodeError:
        raise SourceError(f"{name} is not in UTF-8", code="bad_encoding", hint="save it in UTF-8") from None


def _items(text: str, name: str, parse: Parse) -> Iterator[FileReading]:
    try:
        value = parse(text)
    except ValueError as error:
        raise SourceError(f"{name} is no JSON: {error}", code="bad_file", hint="is it whole?") from None
    items = value.get("readings") if isinstance(value, dict) else value
    if not isinstance(items, list):
        raise SourceError(f"{name} has no list of readings", code="bad_file", hint='like [{"profile_url": "...", ...}]')
    if isinstance(value, dict) and (others := sorted(value.keys() - {"readings"})):
        hint = "name the project with --project" if others == ["project_id"] else "nothing of it is read"
        raise SourceError(f"{name} has {', '.join(others)[:100]} beside its readings", code="bad_file", hint=hint)
    for number, item in enumerate(items, 1):
        yield FileReading(f"reading {number}", item)


def _rows(text: str, name: str) -> Iterator[FileReading]:
    table = read_table(text, name, _BY_ID)
    header = find_header(table, _BY_ID, name)
    own = _own(table[header.row - 1])
    yield from _rows_of_api(table, header, own, name) if own else _rows_of_sheet(table, name)


def _own(names: Sequence[Cell]) -> dict[str, int]:
    """Where the members stand that no sheet has."""
    plain = [(clean(cell) or "").casefold() for cell in names]
    return {member: plain.index(member) for member in _OWN if member in plain}


def _rows_of_sheet(table: Table, name: str) -> Iterator[FileReading]:
    """The rows of a table whose columns are named as in a sheet."""
    reading = read_tab(table, name)
    for row in reading.rows.values():
        counts = {metric: count for metric, count in zip(METRICS, row.counts, strict=True) if count is not None}
        if counts:
            yield FileReading(f"row {row.row}", {"profile_url": row.profile.url, **counts})
    for problem in reading.problems:
        place = problem.cell or name
        yield FileReading(place, None, problem.message.removeprefix(f"{place}: "))


def _rows_of_api(table: Table, header: Header, own: dict[str, int], name: str) -> Iterator[FileReading]:
    """The rows of a table, each of which is a reading of its own."""
    ruler = Ruler(table, header)
    for number, row in enumerate(table[header.row :], header.row + 1):
        if not any(map(clean, row)):
            continue
        place = f"row {number}"
        if (words := ruler.fault(number, row)) is not None:
            yield FileReading(place, None, words)
            continue
        try:
            value = _named(row, header, own)
        except BadProfile as error:
            yield FileReading(place, None, f"the profile URL {error}")
            continue
        value |= {member: text for member in _OWN[1:] if (text := clean(_cell(row, own.get(member))))}
        yield from _wrong_counts(row, number, header, name, value)
        yield FileReading(place, value)


def _named(row: Sequence[Cell], header: Header, own: dict[str, int]) -> dict[str, Any]:
    """Raises: BadProfile."""
    if "account_id" in own:
        text = clean(_cell(row, own["account_id"])) or ""
        return {"account_id": int(text) if text.isascii() and text.isdigit() and len(text) < _LONGEST_ID else text}
    columns = header.columns
    place = clean(_cell(row, columns.get("platform"))) or header.platform
    return {"profile_url": profile_of(_cell(row, columns.get("url", columns.get("username"))), place).url}


def _wrong_counts(
    row: Sequence[Cell], number: int, header: Header, name: str, value: dict[str, Any]
) -> Iterator[FileReading]:
    """Puts the counts into the value; what is none is told by its cell, and the others are kept."""
    for metric in METRICS:
        column = header.columns.get(metric)
        cell = _cell(row, column)
        try:
            value[metric] = count_of(cell)
        except NotACount as why:
            assert column is not None  # noqa: S101  a blank cell is no wrong one
            yield FileReading(
                address(name, column, number), None, f"{quote_cell(cell)} is not a count: it {why.message}"
            )


def _cell(row: Sequence[Cell], column: int | None) -> Cell:
    return row[column] if column is not None and column < len(row) else None
