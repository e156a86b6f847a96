"""A select that is compiled once per dialect and answered with bare driver tuples.

Building and compiling a select costs more than running it, so a question is made once and asked often.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import Join

from webapp.clock import as_utc, iso
from webapp.store.backends.dialect import native
from webapp.store.types import Day

FETCH = 2_000
WHOLE = len("2026-03-02 10:00:00.000000")

Build = Callable[[str], sa.Select[Any]]


def _positional(dialect: str) -> sa.Dialect:
    """A dialect that only compiles, with parameters by position: the driver takes them as a tuple."""
    if dialect == "sqlite":
        return sqlite.dialect(paramstyle="qmark")
    from sqlalchemy.dialects.postgresql import psycopg  # noqa: PLC0415  SQLite needs no PostgreSQL driver

    make: Callable[..., sa.Dialect] = psycopg.dialect
    return make(paramstyle="format")


class Ask:
    """One question.

    build: makes the select for a dialect, `sqlite` or `postgresql`. Values are its `bindparam`s, as driver values.
    """

    def __init__(self, build: Build) -> None:
        self._build = build
        self._compiled: dict[str, tuple[str, SQLCompiler]] = {}

    def rows(self, tx: sa.Connection, **values: Any) -> Iterator[tuple[Any, ...]]:
        """The rows as the driver gives them, a few thousand in memory at a time."""
        result = self._run(tx, values)
        cursor = result.cursor
        assert cursor is not None  # noqa: S101  a select always has one
        try:
            while rows := cursor.fetchmany(FETCH):
                yield from rows
        finally:
            result.close()

    def all(self, tx: sa.Connection, **values: Any) -> list[tuple[Any, ...]]:
        return list(self.rows(tx, **values))

    def first(self, tx: sa.Connection, **values: Any) -> tuple[Any, ...] | None:
        return next(iter(self.all(tx, **values)), None)

    def _run(self, tx: sa.Connection, values: dict[str, Any]) -> sa.CursorResult[Any]:
        sql, compiled = self._sql(tx.dialect.name)
        parameters = compiled.construct_params(values)
        return tx.exec_driver_sql(sql, tuple(parameters[key] for key in compiled.positiontup or ()))

    def _sql(self, dialect: str) -> tuple[str, SQLCompiler]:
        if dialect not in self._compiled:
            compiled = self._build(dialect).compile(dialect=_positional(dialect))
            assert isinstance(compiled, SQLCompiler)  # noqa: S101  narrows the type
            self._compiled[dialect] = str(compiled), compiled
        return self._compiled[dialect]


class InOrder(Join):
    """A join whose left side is the outer loop."""

    inherit_cache = True


def in_order(left: sa.FromClause, right: sa.FromClause, on: sa.ColumnElement[bool]) -> sa.FromClause:
    """Join so that SQLite loops over `left` outside and `right` inside; rows then come in the order of `left`."""
    return InOrder(left, right, on)


@compiles(InOrder, "sqlite")
def _cross_join(join: InOrder, compiler: SQLCompiler, **options: Any) -> str:
    """SQLite reorders every join but this one."""
    options["asfrom"] = True
    left = compiler.process(join.left, **options)
    right = compiler.process(join.right, **options)
    assert join.onclause is not None  # noqa: S101  narrows the type
    options["asfrom"] = False
    return f"{left} CROSS JOIN {right} ON {compiler.process(join.onclause, **options)}"


def bind_day(tx: sa.Connection, day: date) -> Any:
    """A day as a value of a question."""
    return native(tx, Day(), day)


def as_day(value: Any) -> date:
    """A driver's day."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def as_moment(value: Any) -> datetime | None:
    """A driver's time, aware UTC; None stays None."""
    if value is None:
        return None
    return _parsed(value) if isinstance(value, str) else as_utc(value)


@lru_cache(maxsize=4_096)
def _parsed(text: str) -> datetime:
    """All snapshots of a run have the same time."""
    return as_utc(datetime.fromisoformat(text))


def as_text(value: Any) -> str | None:
    """A driver's time as RFC 3339 text; None stays None."""
    if isinstance(value, str) and len(value) == WHOLE and value[10] == " ":
        return f"{value[:10]}T{value[11:]}Z"
    return iso(as_moment(value))


def day_after(day: date) -> date:
    return day + timedelta(days=1)


def day_before(day: date) -> date:
    return day - timedelta(days=1)
