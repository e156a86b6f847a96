"""Many rows with one statement, as fast as the driver: compiled once per dialect, run with plain tuples.

The values of the tuples are driver values: `dialect.native` turns a time, a day or a flag into one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.compiler import SQLCompiler

from webapp.store.backends.dialect import insert_for

Insert = Callable[[sa.Table], Any]

BATCH = 10_000
FETCH = 2_000


@lru_cache(maxsize=8)
def _positional(name: str) -> sa.Dialect:
    """A dialect that only compiles, with parameters by position: what `executemany` takes tuples for."""
    if name == "sqlite":
        return sqlite.dialect(paramstyle="qmark")
    from sqlalchemy.dialects.postgresql import psycopg  # noqa: PLC0415  SQLite needs no PostgreSQL driver

    make: Callable[..., sa.Dialect] = psycopg.dialect
    return make(paramstyle="format")


class Bulk:
    """One statement whose parameters are `bindparam`s, run for many tuples in the order of `parameters`.

    build: makes the statement, given the dialect's own `insert`.
    """

    def __init__(self, build: Callable[[Insert], sa.UpdateBase], parameters: Sequence[str]) -> None:
        self._build = build
        self._parameters = tuple(parameters)
        self._compiled: dict[str, tuple[str, tuple[int, ...]]] = {}

    def run(self, tx: sa.Connection, rows: Iterable[tuple[Any, ...]]) -> int:
        """How many rows of the table the statement touched, over all tuples."""
        sql, order = self._sql(tx)
        ready = list(rows) if order == tuple(range(len(order))) else [tuple(r[i] for i in order) for r in rows]
        touched = 0
        for start in range(0, len(ready), BATCH):
            part = ready[start : start + BATCH]
            touched += tx.exec_driver_sql(sql, part if len(part) > 1 else part[0]).rowcount
        return touched

    def _sql(self, tx: sa.Connection) -> tuple[str, tuple[int, ...]]:
        name = tx.dialect.name
        if name not in self._compiled:
            statement = self._build(partial(insert_for, tx))
            if isinstance(statement, sa.Insert):  # else a RETURNING is added for keys that are expressions: rowcount 0
                statement = statement.inline()
            compiled = statement.compile(dialect=_positional(name))
            assert isinstance(compiled, SQLCompiler)  # noqa: S101  narrows the type
            places = {parameter: place for place, parameter in enumerate(self._parameters)}
            self._compiled[name] = str(compiled), tuple(places[key] for key in compiled.positiontup or ())
        return self._compiled[name]


class Stream:
    """A select whose rows come as bare driver tuples, a few thousand in memory at a time."""

    def __init__(self, statement: sa.Select[Any]) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {}

    def rows(self, tx: sa.Connection, values: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
        sql, order, constants = self._sql(tx)
        given = constants | dict(values)
        result = tx.exec_driver_sql(sql, tuple(given[key] for key in order))
        cursor = result.cursor
        assert cursor is not None  # noqa: S101  a select always has one
        try:
            while rows := cursor.fetchmany(FETCH):
                yield from rows
        finally:
            result.close()

    def _sql(self, tx: sa.Connection) -> tuple[str, tuple[str, ...], dict[str, Any]]:
        name = tx.dialect.name
        if name not in self._compiled:
            compiled = self._statement.compile(dialect=_positional(name))
            assert isinstance(compiled, SQLCompiler)  # noqa: S101  narrows the type
            order = tuple(compiled.positiontup or ())
            self._compiled[name] = str(compiled), order, dict(compiled.construct_params(_check=False))
        return self._compiled[name]
