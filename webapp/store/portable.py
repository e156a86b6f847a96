"""All that is stored as lines of text, which either kind of database takes in again.

The first line is a `Head`; then comes each table, as a line with its name and a line with a JSON array for each row;
the last line is an `End`. Times are RFC 3339 in UTC, days ISO 8601, what is stored as JSON is JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from itertools import islice
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

import msgspec
import sqlalchemy as sa

from webapp import __version__
from webapp.clock import iso
from webapp.errors import Invalid
from webapp.model import LARGEST
from webapp.store.backends.dialect import count_on_from, last_id, write_alone
from webapp.store.revision import HEAD_REVISION, is_newer, newer_schema
from webapp.store.statement import Bulk, insert
from webapp.store.tables import accounts, metadata, projects
from webapp.store.types import Count, Day, Flag, Json, Key, UtcDateTime

T = TypeVar("T")
Advance = Callable[[int, int], object]  # takes the rows that are done and all there are

AT_ONCE = 2_000
# What only means something where it is: who is at work, and what a sync remembers of rows to spare itself the reading.
LEFT_OUT = {"google_calls", "leases", "tab_rows"}


class BadExport(Invalid):
    """A file that is no whole export, or none for this database."""

    code = "bad_export"


class TableHead(msgspec.Struct):
    """A table of the file. last_id: the last id that was counted up, also where its row has gone; null: none is."""

    name: str
    columns: list[str]
    rows: int
    last_id: int | None = None


class Head(msgspec.Struct):
    """What the file is. schema: of the database that it was made from."""

    format: Literal["smart-sync export"]
    version: Literal[1]
    schema: str
    made_by: str
    made_at: str
    tables: list[TableHead]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)


class Name(msgspec.Struct, forbid_unknown_fields=True):
    table: str


class End(msgspec.Struct, forbid_unknown_fields=True):
    """sha256: of all lines before, line ends included."""

    rows: int
    sha256: str


def exported_tables() -> list[sa.Table]:
    """The tables that an export has, parents first."""
    return [table for table in metadata.sorted_tables if table.name not in LEFT_OUT]


def holds_anything(tx: sa.Connection) -> bool:
    """Whether there is anything that somebody would miss."""
    found = (tx.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() for table in (projects, accounts))
    return any(row is not None for row in found)


# Out


def dump(tx: sa.Connection, now: datetime, advance: Advance = lambda *_: None) -> Iterator[bytes]:
    """The lines of all that is stored, a few thousand rows in memory at a time."""
    tables = exported_tables()
    heads = [_head_of(tx, table) for table in tables]
    head = Head("smart-sync export", 1, HEAD_REVISION, __version__, iso(now), heads)
    encode, digest, done = msgspec.json.Encoder().encode, sha256(), 0
    for piece in _pieces(tx, head, tables):
        lines = b"".join(encode(one) + b"\n" for one in piece)
        digest.update(lines)
        yield lines
        done += len(piece) if isinstance(piece[0], tuple) else 0
        advance(done, head.rows)
    yield encode(End(head.rows, digest.hexdigest())) + b"\n"


def _head_of(tx: sa.Connection, table: sa.Table) -> TableHead:
    rows = tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
    last = last_id(tx, table) if _counts_up(table) else None
    return TableHead(str(table.name), [str(column.name) for column in table.c], rows, last)


def _counts_up(table: sa.Table) -> bool:
    return any(isinstance(column.type, Key) for column in table.primary_key)


def _pieces(tx: sa.Connection, head: Head, tables: Sequence[sa.Table]) -> Iterator[Sequence[Any]]:
    yield [head]
    for table in tables:
        yield [Name(str(table.name))]
        statement = sa.select(table).order_by(*table.primary_key)
        result = tx.execute(statement, execution_options={"yield_per": AT_ONCE})
        for rows in result.partitions():
            yield [tuple(row) for row in rows]


# In


def load(tx: sa.Connection, lines: Iterable[bytes], advance: Advance = lambda *_: None) -> Head:
    """Put what the lines say in the place of all that is stored; what the file was.

    The transaction is to be undone by whoever called where this raises: rows are written before the end was seen.

    Raises: BadExport for lines that are no whole export, or that this database cannot take; StoreError for one of another
        schema.
    """
    file = _File(lines)
    head = file.next(Head, "this is no export of Smart Sync")
    tables = _known(head)
    write_alone(tx, exported_tables())
    for table in reversed([*metadata.sorted_tables]):
        tx.execute(table.delete())
    done = 0
    for one, table in zip(head.tables, tables, strict=True):
        if file.next(Name, f"the table {one.name} is missing").table != one.name:
            raise _broken(f"line {file.number} begins another table than {one.name}")
        form = _Form.of(tx, table, one.columns)
        left = one.rows
        while left:
            rows = file.rows(min(left, AT_ONCE), form)
            _put(tx, form, rows, file.number)
            left -= len(rows)
            done += len(rows)
            advance(done, head.rows)
        if one.last_id is not None:
            count_on_from(tx, table, one.last_id)
    file.finish(done)
    return head


def _known(head: Head) -> list[sa.Table]:
    """The tables that the file has rows for.

    Raises: StoreError; BadExport.
    """
    if is_newer(head.schema):
        raise newer_schema("the export", head.schema)
    if head.schema != HEAD_REVISION:
        words = f"the export has schema {head.schema}, and this version has {HEAD_REVISION}"
        raise BadExport(words, hint="import it with the version that made it, then upgrade that database")
    known = {table.name: table for table in exported_tables()}
    for one in head.tables:
        strange = [one.name] if one.name not in known else sorted({*one.columns} - {*known[one.name].c.keys()})
        if strange:
            raise BadExport(f"the export has {one.name}: {strange[0]}, which this version does not know")
    return [known[one.name] for one in head.tables]


class _Form(NamedTuple):
    """What a row of a table looks like, and what makes it one of the driver."""

    table: str
    decode: Callable[[bytes], tuple[Any, ...]]
    native: Sequence[tuple[int, Callable[[Any], Any]]]
    bulk: Bulk

    @classmethod
    def of(cls, tx: sa.Connection, table: sa.Table, columns: Sequence[str]) -> _Form:
        mine = [table.c[name] for name in columns]
        row: Any = tuple[tuple(map(_type_of, mine))] if mine else tuple[()]  # type: ignore[misc]
        processes = (
            (place, c.type.dialect_impl(tx.dialect).bind_processor(tx.dialect)) for place, c in enumerate(mine)
        )
        native = [(place, process) for place, process in processes if process is not None]
        return cls(table.name, msgspec.json.Decoder(row).decode, native, insert(table, columns))

    def as_driver(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(row)
        for place, process in self.native:
            values[place] = process(values[place])
        return tuple(values)


_TYPES: Mapping[type[Any], Any] = {
    UtcDateTime: Annotated[datetime, msgspec.Meta(tz=True)],
    Day: date,
    Flag: bool,
    Count: Annotated[int, msgspec.Meta(ge=-LARGEST - 1, le=LARGEST)],
    Json: Any,
    sa.Text: str,
    sa.REAL: float,
    sa.LargeBinary: bytes,
}


def _type_of(column: sa.Column[Any]) -> Any:
    found = next(meant for kind, meant in _TYPES.items() if isinstance(column.type, kind))
    return found | None if column.nullable and found is not Any else found


class _File:
    """The lines of a file, counted and added up as they go by."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = iter(lines)
        self._digest = sha256()
        self.number = 0

    def next(self, kind: type[T], missing: str) -> T:
        """The next line, as what it has to be."""
        line = self._line()
        try:
            return msgspec.json.decode(line, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise _broken(f"{missing}: line {self.number} is something else") from None

    def rows(self, count: int, form: _Form) -> list[tuple[Any, ...]]:
        lines = list(islice(self._lines, count))
        if len(lines) < count:
            raise _cut()
        self._digest.update(b"".join(lines))
        rows = []
        for line in lines:
            self.number += 1
            try:
                rows.append(form.as_driver(form.decode(line)))
            except (msgspec.DecodeError, UnicodeDecodeError, OverflowError) as error:
                raise _broken(f"line {self.number} is no row of {form.table}: {error}") from None
        return rows

    def finish(self, rows: int) -> None:
        digest = self._digest.hexdigest()
        end = self.next(End, "the end is missing")
        if (end.rows, end.sha256) != (rows, digest):
            raise _broken("what is in it is not what was written")
        if next(self._lines, None) is not None:
            raise _broken("it goes on behind its end")

    def _line(self) -> bytes:
        line = next(self._lines, None)
        if line is None:
            raise _cut()
        self.number += 1
        self._digest.update(line)
        return line


def _put(tx: sa.Connection, form: _Form, rows: Sequence[tuple[Any, ...]], last: int) -> None:
    try:
        form.bulk.run(tx, rows)
    except (sa.exc.IntegrityError, sa.exc.DataError) as error:
        words = str(error.orig).splitlines()[0]
        raise _broken(
            f"lines {last - len(rows) + 1} to {last}: the database refuses a row of {form.table}: {words}"
        ) from error


def _broken(words: str) -> BadExport:
    return BadExport(f"the export is damaged: {words}", hint="nothing was changed; use another copy")


def _cut() -> BadExport:
    return _broken("it ends too early")
