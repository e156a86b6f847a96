"""Statements that are compiled once per dialect and run with plain tuples, as fast as the driver.

Building and compiling a statement costs more than running it, so one is made once and used often. Values go in and come
out as driver values: `types.native` turns a time, a day or a flag into one, `types.as_moment` and `as_day` turn it back.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from itertools import chain, islice
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import Join

from webapp.store.backends.dialect import insert_for, insert_into

Insert = Callable[[sa.Table], Any]
Build = Callable[[str], Any]

BATCH = 10_000
AT_ONCE = (100, 10, 1)  # rows of one INSERT on SQLite; a statement for each takes half as long again
MANY = 20  # tuples from which on one statement for all is the lighter one
FETCH = 2_000
CHUNK = 5_000  # SQLite takes 32,766 parameters a statement

T = TypeVar("T")


@lru_cache(maxsize=8)
def positional(name: str) -> sa.Dialect:
    """A dialect that only compiles, with parameters by position: what the driver takes a tuple for."""
    if name == "sqlite":
        return sqlite.dialect(paramstyle="qmark")
    from sqlalchemy.dialects.postgresql import psycopg  # noqa: PLC0415  SQLite needs no PostgreSQL driver

    make: Callable[..., sa.Dialect] = psycopg.dialect
    return make(paramstyle="format")


class Together(NamedTuple):
    """How PostgreSQL does in one statement what SQLite does row by row: an eighth of the CPU.

    build: makes the statement, given a table whose columns are the parameters. types: theirs, in their order. key: the
    parameters that tell the rows of the table apart; where two tuples mean the same row, each is done by itself.
    """

    build: Callable[[sa.FromClause], sa.UpdateBase]
    types: Sequence[sa.types.TypeEngine[Any]]
    key: Sequence[str]


class Bulk:
    """One statement whose parameters are `bindparam`s, run for many tuples in the order of `parameters`.

    build: makes the statement, given the dialect's own `insert`. together: does it for all tuples at once, where it can.
    """

    def __init__(
        self, build: Callable[[Insert], sa.UpdateBase], parameters: Sequence[str], together: Together | None = None
    ) -> None:
        self._build = build
        self._parameters = tuple(parameters)
        self._together = together
        self._compiled: dict[str, tuple[str, tuple[int, ...]]] = {}

    def run(self, tx: sa.Connection, rows: Iterable[tuple[Any, ...]]) -> int:
        """How many rows of the table the statement touched, over all tuples."""
        if tx.dialect.name == "postgresql" and self._together is not None:
            rows = list(rows)
            if len(rows) >= MANY and self._are_apart(rows, self._together.key):
                return self._run_together(tx, rows, self._together)
        sql, order = self._sql(tx)
        ready = iter(rows) if order == tuple(range(len(order))) else (tuple(r[i] for i in order) for r in rows)
        row = f"({', '.join('?' * len(order))})"
        sizes = AT_ONCE if f"VALUES {row}" in sql else (1,)
        touched = 0
        while part := [*islice(ready, BATCH)]:
            for size in sizes:
                whole, part = _whole(part, size)
                if whole:
                    together = [tuple(chain(*each)) for each in chunks(whole, size)] if size > 1 else whole
                    touched += _execute(tx, sql.replace(row, ", ".join([row] * size)), together)
        return touched

    def _are_apart(self, rows: Sequence[tuple[Any, ...]], key: Sequence[str]) -> bool:
        """Whether no two tuples mean the same row: one statement touches a row once."""
        if not key:
            return True
        places = [self._parameters.index(name) for name in key]
        return len({tuple(row[place] for place in places) for row in rows}) == len(rows)

    def _run_together(self, tx: sa.Connection, rows: Sequence[tuple[Any, ...]], together: Together) -> int:
        if "together" not in self._compiled:
            statement = together.build(_given(self._parameters, together.types))
            self._compiled["together"] = self._compile(statement, "postgresql")
        sql, order = self._compiled["together"]
        touched = 0
        for part in chunks(rows, BATCH):
            columns = [list(column) for column in zip(*part, strict=True)]
            touched += tx.exec_driver_sql(sql, tuple(columns[place] for place in order)).rowcount
        return touched

    def _sql(self, tx: sa.Connection) -> tuple[str, tuple[int, ...]]:
        name = tx.dialect.name
        if name not in self._compiled:
            statement = self._build(partial(insert_for, tx))
            if isinstance(statement, sa.Insert):  # else a RETURNING is added for keys that are expressions: rowcount 0
                statement = statement.inline()
            self._compiled[name] = self._compile(statement, name)
        return self._compiled[name]

    def _compile(self, statement: sa.UpdateBase, dialect: str) -> tuple[str, tuple[int, ...]]:
        """SQL, and which of the parameters it takes one after the other."""
        compiled = _compile(statement, positional(dialect))
        return compiled.sql, tuple(self._parameters.index(one.name) for one in compiled.parameters)


def _whole(rows: list[T], size: int) -> tuple[list[T], list[T]]:
    """As many rows as make up whole groups of this size, and the rest."""
    end = len(rows) // size * size
    return rows[:end], rows[end:]


def _execute(tx: sa.Connection, sql: str, tuples: Sequence[tuple[Any, ...]]) -> int:
    """How many rows were touched."""
    return tx.exec_driver_sql(sql, [*tuples] if len(tuples) > 1 else tuples[0]).rowcount


def _given(names: Sequence[str], types: Sequence[sa.types.TypeEngine[Any]]) -> sa.FromClause:
    """A table of the parameters, each of which is a list with a value for every row."""
    from sqlalchemy.dialects.postgresql import ARRAY  # noqa: PLC0415  SQLite needs none of it

    pairs = [*zip(names, types, strict=True)]
    lists = (sa.cast(sa.bindparam(name), ARRAY(type_)) for name, type_ in pairs)
    columns = (sa.column(name, type_) for name, type_ in pairs)
    return sa.func.unnest(*lists).table_valued(*columns).render_derived(name="given")


def chunks(items: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """The items, so many at a time: a statement takes only so many parameters."""
    return (items[start : start + size] for start in range(0, len(items), size))


class Query:
    """A select whose rows come as bare driver tuples.

    build: makes the select for a dialect, `sqlite` or `postgresql`. Values are its `bindparam`s, as driver values.
    """

    def __init__(self, build: Build) -> None:
        self._build = build
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, tx: sa.Connection, **values: Any) -> Iterator[tuple[Any, ...]]:
        """The rows as the driver gives them, a few thousand in memory at a time.

        Raises: errors of SQLAlchemy, or of SQLite itself.
        """
        sql, parameters = self.text(tx.dialect.name, **values)
        cursor = _cursor_of_file(tx, sql, parameters) if tx.dialect.name == "sqlite" else _cursor(tx, sql, parameters)
        try:
            while rows := cursor.fetchmany(FETCH):
                yield from rows
        finally:
            with suppress(sqlite3.ProgrammingError):  # who gave up half-way may have closed the connection before
                cursor.close()

    def first(self, tx: sa.Connection, **values: Any) -> tuple[Any, ...] | None:
        """The first row, or None; read to the end, so that the connection is free again."""
        return next(iter([*self.rows(tx, **values)]), None)

    def text(self, dialect: str, **values: Any) -> tuple[str, tuple[Any, ...]]:
        """What the driver is given: SQL, and its parameters in their order."""
        compiled = self._of(dialect)
        return compiled.sql, tuple([values[one.name] if one.is_asked else one.value for one in compiled.parameters])

    def _of(self, dialect: str) -> _Compiled:
        if dialect not in self._compiled:
            self._compiled[dialect] = _compile(self._build(dialect), positional(dialect))
        return self._compiled[dialect]


class Ready(Query):
    """Any statement, with the types of its columns: values go in and rows come out as Python has them."""

    def rows(self, tx: sa.Connection, **values: Any) -> Iterator[tuple[Any, ...]]:
        convert = self._of(tx.dialect.name).convert
        for row in super().rows(tx, **values):
            yield tuple([cell if read is None else read(cell) for read, cell in zip(convert, row, strict=True)])

    def column(self, tx: sa.Connection, **values: Any) -> list[Any]:
        """The values of the only column."""
        return [cell for (cell,) in self.rows(tx, **values)]

    def run(self, tx: sa.Connection, **values: Any) -> int:
        """How many rows it touched."""
        return self.run_all(tx, [values])

    def run_all(self, tx: sa.Connection, each: Sequence[Mapping[str, Any]]) -> int:
        """The same for each of the values."""
        tuples = [self.text(tx.dialect.name, **values) for values in each]
        return _execute(tx, tuples[0][0], [parameters for _, parameters in tuples]) if tuples else 0

    def text(self, dialect: str, **values: Any) -> tuple[str, tuple[Any, ...]]:
        compiled = self._of(dialect)
        return compiled.sql, tuple(
            [one.write(values[one.name]) if one.is_asked else one.value for one in compiled.parameters]
        )


def delete_some(table: sa.Table, where: sa.ColumnElement[bool]) -> Ready:
    """DELETE of rows that fit, of not more than the parameter `most`."""
    some = sa.select(*table.primary_key).where(where).limit(sa.bindparam("most", type_=sa.Integer))
    return Ready(lambda _: table.delete().where(where, sa.tuple_(*table.primary_key).in_(some)))


class _Parameter(NamedTuple):
    """is_asked: whether whoever runs the statement gives it. value: what the statement itself has, as a driver value.

    write: makes a driver value.
    """

    name: str
    is_asked: bool
    value: Any
    write: Callable[[Any], Any]


class _Compiled(NamedTuple):
    """parameters: in the order in which the driver takes them. convert: what makes the cells of each column Python's."""

    sql: str
    parameters: Sequence[_Parameter]
    convert: Sequence[Callable[[Any], Any] | None]


def _compile(statement: Any, dialect: sa.Dialect) -> _Compiled:
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)  # noqa: S101  narrows the type
    if compiled.post_compile_params:
        raise ValueError(f"a list of values would be written out each time: {compiled}")
    parameters = [_parameter(compiled.binds[key], dialect) for key in compiled.positiontup or ()]
    return _Compiled(
        str(compiled), parameters, [_reader(column.type, dialect) for column in statement.exported_columns]
    )


def _reader(type_: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Callable[[Any], Any] | None:
    """What makes a driver value Python's: for types of our own, the others are the same."""
    own = isinstance(type_, sa.types.TypeDecorator)
    return type_.dialect_impl(dialect).result_processor(dialect, None) if own else None


def _parameter(bound: sa.BindParameter[Any], dialect: sa.Dialect) -> _Parameter:
    write = bound.type.dialect_impl(dialect).bind_processor(dialect) or _as_it_is
    return _Parameter(bound.key, bound.required, None if bound.required else write(bound.effective_value), write)


def _as_it_is(value: Any) -> Any:
    return value


def _cursor_of_file(tx: sa.Connection, sql: str, parameters: tuple[Any, ...]) -> Any:
    """SQLAlchemy would look at every column of the answer, which takes longer than SQLite does for a few rows."""
    cursor = tx.connection.cursor()
    for hear in tx.dispatch.before_cursor_execute:
        sql, parameters = hear(tx, cursor, sql, parameters, None, False)
    cursor.execute(sql, parameters)
    return cursor


def _cursor(tx: sa.Connection, sql: str, parameters: tuple[Any, ...]) -> Any:
    return tx.exec_driver_sql(sql, parameters).cursor


def upsert(table: sa.Table, key: Sequence[str], without: Collection[str] = ()) -> Bulk:
    """INSERT of all columns but some, or UPDATE of all but the key where the key is there; tuples have these columns."""
    names = [column.name for column in table.c if column.name not in without]

    def build(insert: Any) -> sa.UpdateBase:
        return or_update(insert(table).values(values_of(table, names)), names, key)

    def build_together(given: sa.FromClause) -> sa.UpdateBase:
        return or_update(_insert_given(table, names, given), names, key)

    return Bulk(build, names, Together(build_together, [table.c[name].type for name in names], key))


def _insert_given(table: sa.Table, names: Sequence[str], given: sa.FromClause) -> Any:
    return insert_into("postgresql", table).from_select(list(names), sa.select(*(given.c[name] for name in names)))


def by_id(id_column: sa.Column[Any], statement: sa.UpdateBase) -> sa.UpdateBase:
    """The statement for the row whose id is the parameter `key`."""
    return statement.where(id_column == sa.bindparam("key", type_=id_column.type))  # type: ignore[attr-defined,no-any-return]


def or_update(statement: Any, names: Iterable[str], key: Collection[str]) -> sa.UpdateBase:
    """The INSERT of columns, or UPDATE of all of them but the key where the key is there."""
    changed = {name: statement.excluded[name] for name in names if name not in key}
    return statement.on_conflict_do_update(index_elements=list(key), set_=changed)  # type: ignore[no-any-return]


def values_of(table: sa.Table, names: Iterable[str]) -> dict[str, sa.BindParameter[Any]]:
    """What an INSERT takes: {name: the parameter `name`}."""
    return {name: sa.bindparam(name, type_=table.c[name].type) for name in names}


def new_values(table: sa.Table, names: Iterable[str]) -> dict[str, sa.BindParameter[Any]]:
    """What an UPDATE sets: {name: the parameter `new_name`}."""
    return {name: sa.bindparam(f"new_{name}", type_=table.c[name].type) for name in names}


def update(id_column: sa.Column[Any], names: Sequence[str], *where: sa.ColumnElement[bool]) -> Bulk:
    """UPDATE ... SET names WHERE id; tuples are (*values, id)."""
    table = id_column.table
    assert isinstance(table, sa.Table)  # noqa: S101  narrows the type

    def build(insert: Any) -> sa.UpdateBase:
        del insert
        return by_id(id_column, table.update().values(new_values(table, names)).where(*where))

    def build_together(given: sa.FromClause) -> sa.UpdateBase:
        values = {name: given.c[f"new_{name}"] for name in names}
        return table.update().values(values).where(id_column == given.c.key, *where)

    types = [*(table.c[name].type for name in names), id_column.type]
    return Bulk(build, [*(f"new_{name}" for name in names), "key"], Together(build_together, types, ["key"]))


def insert(table: sa.Table, names: Sequence[str]) -> Bulk:
    """INSERT of these columns."""

    def build(insert: Any) -> sa.UpdateBase:
        return insert(table).values(values_of(table, names))  # type: ignore[no-any-return]

    together = Together(partial(_insert_given, table, names), [table.c[name].type for name in names], ())
    return Bulk(build, names, together)


class InOrder(Join):
    """A join whose left side is the outer loop."""

    inherit_cache = True


def in_order(left: sa.FromClause, right: sa.FromClause, on: sa.ColumnElement[bool]) -> sa.FromClause:
    """Join so that SQLite loops over `left` outside and `right` inside; rows then come in the order of `left`."""
    return InOrder(left, right, on)


def is_one_of(column: sa.ColumnElement[str], words: Iterable[str]) -> sa.ColumnElement[bool]:
    """The words of our own are written out, not bound: SQLite then finds the rows in an index that only they are in."""
    return column.in_([sa.literal_column(f"'{word}'") for word in words])


def if_any(rows: sa.FromClause, condition: sa.ColumnElement[bool]) -> sa.FromClause:
    """The rows, none of which is looked at where the condition, which is not of a row, is not true."""
    return in_order(sa.select(sa.literal_column("1")).where(condition).subquery(), rows, sa.true())


@compiles(InOrder, "sqlite")
def _cross_join(join: InOrder, compiler: SQLCompiler, **options: Any) -> str:
    """SQLite reorders every join but this one."""
    options["asfrom"] = True
    left = compiler.process(join.left, **options)
    right = compiler.process(join.right, **options)
    assert join.onclause is not None  # noqa: S101  narrows the type
    options["asfrom"] = False
    return f"{left} CROSS JOIN {right} ON {compiler.process(join.onclause, **options)}"


def listed(dialect: str, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The numbers of a group that are not NULL, by comma; NULL for none. A row for each takes ten times as long."""
    together = sa.func.string_agg if dialect == "postgresql" else sa.func.group_concat
    return together(sa.cast(column, sa.Text()), sa.literal_column("','"))


def unlisted(text: str | None) -> list[int]:
    """The numbers of `listed`."""
    return [*map(int, text.split(","))] if text else []


class ids_in(FunctionElement[Any]):  # noqa: N801  a function of SQL
    """A select of the numbers in one parameter, made by `bind_ids`: as many as one likes."""

    inherit_cache = True
    array = "bigint[]"


class texts_in(ids_in):  # noqa: N801
    """The same of texts."""

    inherit_cache = True
    array = "text[]"


def bind_ids(tx: sa.Connection, ids: Collection[int] | Collection[str]) -> Any:
    return [*ids] if tx.dialect.name == "postgresql" else json.dumps([*ids])


@compiles(ids_in, "sqlite")
def _each_of_json(element: ids_in, compiler: SQLCompiler, **options: Any) -> str:
    ids = compiler.process(element.clauses, **options)
    return f"(SELECT value FROM json_each({ids}))"  # noqa: S608  a parameter


@compiles(ids_in, "postgresql")
def _each_of_array(element: ids_in, compiler: SQLCompiler, **options: Any) -> str:
    ids = compiler.process(element.clauses, **options)
    return f"(SELECT unnest({ids}::{element.array}))"
