"""The few places where SQLite and PostgreSQL need different words for the same thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


def is_sqlite(tx: sa.Connection) -> bool:
    return tx.dialect.name == "sqlite"


def insert_for(tx: sa.Connection, table: sa.Table) -> Any:
    """The dialect's own INSERT, which knows ON CONFLICT; both spell it the same way."""
    return insert_into(tx.dialect.name, table)


def insert_into(dialect: str, table: sa.Table) -> Any:
    """The same by the dialect's name, for statements that are built once and kept: building costs more than running."""
    if dialect == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415  SQLite needs none of it, and a start pays for it

    return postgresql.insert(table)


class now_ms(FunctionElement[int]):  # noqa: N801  a function of SQL
    """The database's own clock in milliseconds; leases compare nothing but this clock."""

    type = sa.BigInteger()
    inherit_cache = True


@compiles(now_ms, "sqlite")
def _now_of_sqlite(*_: Any, **__: Any) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"  # 3.40 has no unixepoch('subsec')


@compiles(now_ms, "postgresql")
def _now_of_postgresql(*_: Any, **__: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"


def new_ids(tx: sa.Connection, table: sa.Table, count: int) -> Sequence[int]:
    """So many fresh values for the table's counted key, in rising order."""
    if is_sqlite(tx):  # nobody else writes between this and our insert: the transaction holds the write lock
        last = _last_of_file(tx, table)
        return range(last + 1, last + 1 + count)
    sequence = sa.select(_sequence(table)).scalar_subquery()  # looked up once and not for each value
    values = sa.select(sa.func.nextval(sequence)).select_from(sa.func.generate_series(1, count))
    return sorted(tx.execute(values).scalars())


def counted(tx: sa.Connection, statement: sa.UpdateBase, values: Mapping[str, Any] | None = None) -> int:
    """Run one statement and answer how many rows it touched."""
    return tx.execute(statement, values, execution_options={"preserve_rowcount": True}).rowcount


class Savepoint:
    """A part of a transaction that can be undone alone; SQLAlchemy's own takes a millisecond to build two words."""

    def __init__(self, tx: sa.Connection) -> None:
        self._tx = tx
        tx.exec_driver_sql("SAVEPOINT part")

    def undo(self) -> None:
        self._tx.exec_driver_sql("ROLLBACK TO SAVEPOINT part")
        self.release()

    def release(self) -> None:
        """It is a part like any other from now on."""
        self._tx.exec_driver_sql("RELEASE SAVEPOINT part")


def last_id(tx: sa.Connection, table: sa.Table) -> int:
    """The last value that the table's counted key has had, also where its row has gone; 0: none."""
    if is_sqlite(tx):
        return _last_of_file(tx, table)
    return tx.execute(sa.select(sa.func.pg_sequence_last_value(_sequence(table)))).scalar() or 0


def _last_of_file(tx: sa.Connection, table: sa.Table) -> int:
    found = tx.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,))
    return found.scalar() or 0


def count_on_from(tx: sa.Connection, table: sa.Table, last: int) -> None:
    """Let the table's counted key go on behind a value at least."""
    last = max(last, last_id(tx, table))
    if not last:
        return
    if is_sqlite(tx):
        values = {"name": table.name, "last": last}
        tx.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), values)
        tx.execute(sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), values)
    else:
        tx.execute(sa.select(sa.func.setval(_sequence(table), last)))


def _sequence(table: sa.Table) -> sa.ColumnElement[Any]:
    return sa.cast(sa.func.pg_get_serial_sequence(table.name, "id"), REGCLASS())


class REGCLASS(sa.types.UserDefinedType[Any]):
    """PostgreSQL's name of a table or sequence."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "REGCLASS"


def write_alone(tx: sa.Connection, tables: Sequence[sa.Table]) -> None:
    """Keep all other writers out of these tables until the transaction ends, however long it takes; readers go on."""
    if not is_sqlite(tx):  # whoever writes to SQLite is alone anyway
        names = ", ".join(table.name for table in tables)
        for statement in (
            f"LOCK TABLE {names} IN EXCLUSIVE MODE",
            "SET LOCAL statement_timeout = 0",
            "SET LOCAL idle_in_transaction_session_timeout = 0",
        ):
            tx.execute(sa.text(statement))
