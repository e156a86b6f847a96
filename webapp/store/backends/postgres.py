"""PostgreSQL through psycopg: every wait has an end, every session is in UTC."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, text

from webapp.store.revision import revision_of
from webapp.store.tables import metadata

CONNECT_TIMEOUT_S = 5
OPTIONS = "-c timezone=UTC -c lock_timeout=5000 -c statement_timeout=60000 -c idle_in_transaction_session_timeout=60000"
MIGRATION_LOCK = 7_630_291_846  # any number that no other program takes for its advisory lock
MIGRATION_WAIT_MS = 120_000

# By SQLSTATE, or its first two characters. What is missing here is a bug.
CODES = {
    "08": "database_unreachable",
    "25006": "read_only",  # a standby server
    "25P03": "database_busy",  # idle too long within a transaction
    "40001": "database_busy",
    "40P01": "database_busy",
    "42501": "read_only",  # the role lacks a right
    "42P01": "schema_missing",
    "53100": "disk_full",
    "53300": "connections_used_up",
    "55P03": "database_busy",  # lock_timeout
    "57014": "database_busy",  # statement_timeout
    "57P": "database_unreachable",  # shutting down, starting up, terminated
    "58030": "database_unavailable",  # the server cannot read its own disk
    "58P01": "database_unavailable",  # a file of the server is gone
    "XX001": "database_corrupt",
    "XX002": "database_corrupt",
}


# The tables name the conditions of their partial indexes for SQLite alone: to name them for PostgreSQL loads its
# dialect, which would be 24 ms of CPU and 2 MB at each start of a service that never uses it.
for _table in metadata.tables.values():
    for _index in _table.indexes:
        _index.dialect_options["postgresql"]["where"] = _index.dialect_options["sqlite"]["where"]


class Postgres:
    """A database on a server. Nothing connects before an engine does."""

    name = "postgresql"
    # now() is when the transaction began; leases need the time it is.
    now_ms = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"

    def __init__(self, url: URL) -> None:
        self.url = url

    @property
    def place(self) -> str:
        host = self.url.host or self.url.query.get("host", "the local socket")
        port = f":{self.url.port}" if self.url.port else ""
        return f"{host}{port}/{self.url.database or ''}"

    @property
    def user(self) -> str:
        return f"the role {self.url.username or 'by default'}"

    def engine(self, pool_size: int, pool_timeout_s: float) -> Engine:
        own = self.url.query.get("options", "")
        return create_engine(
            self.url,
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT_S,
                "application_name": "smart-sync",
                "options": f"{OPTIONS} {own}".strip(),
                "prepare_threshold": None,  # statements prepared by name do not survive a transaction pooler
            },
            hide_parameters=True,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=pool_timeout_s,
            pool_use_lifo=True,
            pool_pre_ping=True,
        )

    def reader(self, engine: Engine) -> Engine:
        """Repeatable: two selects of one answer see the same moment."""
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def writer(self, engine: Engine) -> Engine:
        return engine

    def damage(self, *, quick: bool = False) -> None:
        """A server looks after its files by itself."""

    def version(self) -> None:
        """Nobody writes to its files but the server."""

    def check(self, tx: Connection) -> None:
        """Nothing to compare: a server does not lose its files unnoticed."""

    def revision(self, tx: Connection) -> str | None:
        """The name of the last script that ran."""
        return revision_of(tx)

    @contextmanager
    def migrating(self, *, create: bool) -> Iterator[Connection]:  # noqa: ARG002  the database itself is the operator's to make
        """One transaction that other migrators wait for."""
        engine = self.engine(1, 0)
        try:
            with engine.begin() as tx:
                tx.execute(text(f"SET LOCAL lock_timeout = {MIGRATION_WAIT_MS}"))
                tx.execute(text("SET LOCAL statement_timeout = 0"))
                tx.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
                # Waiting longer for a table would make everybody queue behind the migration.
                tx.execute(text("SET LOCAL lock_timeout TO DEFAULT"))
                yield tx
        finally:
            engine.dispose()

    def code_of(self, error: BaseException | None, *, writing: bool) -> str | None:
        """The code of a driver's error that is a state of the database; None when it is a bug."""
        if not isinstance(error, psycopg.Error):
            return None
        state = error.sqlstate
        if state is None:  # no connection, or none any more; psycopg then gives words only
            return _code_of_words(str(error)) if isinstance(error, psycopg.OperationalError) else None
        if state == "25006" and not writing:
            return None  # a statement that writes in a reading transaction
        return CODES.get(state) or CODES.get(state[:3]) or CODES.get(state[:2])


# Of a server, of a role or database with a limit of its own, and of PgBouncer.
USED_UP = ("too many clients", "remaining connection slots", "too many connections for", "no more connections allowed")


def _code_of_words(words: str) -> str:
    return "connections_used_up" if any(one in words for one in USED_UP) else "database_unreachable"
