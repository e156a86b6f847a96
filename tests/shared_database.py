"""One PostgreSQL database for all tests of a process: emptied after each of them, which takes 15 ms where making one takes 60."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import LiteralString

import psycopg
from psycopg import sql

from tests.postgres_server import Server
from webapp.store.tables import metadata

PATIENCE_S = 2.0  # for connections that were closed a moment ago
SESSIONS = "SELECT query FROM pg_stat_activity WHERE datname = %s"
# How many columns, defaults and constraints there are, when the last one was made, and the revision. To empty a table
# changes none of it.
SCHEMA = """
SELECT (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_attribute),
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_attrdef),
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_constraint),
    (SELECT version_num FROM alembic_version)
"""

numbers = count()


class Leak(AssertionError):
    """A test has left something behind that the next one would have met."""


class SharedDatabase:
    """A migrated database that is lent to one test after the other.

    Each gets it empty and under another name. A name can be changed only while nobody is connected, and what still
    runs of an earlier test finds no database under the name it knows: nothing reaches the next test.
    """

    def __init__(self, server: Server, template: str) -> None:
        """template: a database nobody is connected to, of which this one is a copy."""
        self._server = server
        self._template = template
        self._name: str | None = None
        self._connection = server.connect()
        with psycopg.connect(server.url(template)) as connection:
            self._schema = connection.execute(SCHEMA).fetchall()

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def lend(self) -> Iterator[str]:
        """The URL of the database for as long as the test lasts.

        Raises: Leak when the test left a connection open or changed the schema; the next one gets a new database.
        """
        name = self._take()
        self._name = None
        yield self._server.url(name)
        self._wait_for_silence(name)
        self._empty(name)
        self._name = name

    def _take(self) -> str:
        name = f"test_{next(numbers)}"
        if self._name is None:
            self._execute("CREATE DATABASE {} TEMPLATE {}", name, self._template)
        else:
            self._wait_for_silence(self._name)
            self._execute("ALTER DATABASE {} RENAME TO {}", self._name, name)
        return name

    def _wait_for_silence(self, name: str) -> None:
        """Until nobody is connected.

        Raises: Leak when somebody stays.
        """
        ends = time.monotonic() + PATIENCE_S
        while left := self._connection.execute(SESSIONS, [name]).fetchall():
            if time.monotonic() > ends:
                self._execute("DROP DATABASE {} WITH (FORCE)", name)
                raise Leak(f"connections were left open, whose last statements are {[query for (query,) in left]}")
            time.sleep(0.001)

    def _execute(self, statement: LiteralString, *names: str) -> None:
        self._connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _empty(self, name: str) -> None:
        """No rows, all numbers from 1 again.

        Raises: Leak when the tables are no longer those of the template.
        """
        with psycopg.connect(self._server.url(name), autocommit=True) as connection:
            if connection.execute(SCHEMA).fetchall() != self._schema:
                raise Leak("the schema was changed: mark the test `own_database`")
            tables = sql.SQL(", ").join(sql.Identifier(table) for table in metadata.tables)
            connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(tables))
