"""What a soak asks a database behind the service's back, and what it can do to it."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from random import Random
from typing import Any, ClassVar, Protocol, Self

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tests.soak.proxy import Proxy

__all__ = ["PostgresStore", "SqliteStore", "Store", "open_store"]


class Store(Protocol):
    """url: what the service is told. troubles: what can happen to this kind of database."""

    url: str
    troubles: ClassVar[tuple[str, ...]]

    def rows(self, sql: str) -> list[tuple[Any, ...]]: ...
    def unsound(self) -> list[str]:
        """What is wrong with the file itself."""

    def turn(self, seconds: float) -> None:
        """Set the clock of the database so far ahead; that of the service's own processes is another."""

    @contextmanager
    def trouble(self, name: str, dice: Random) -> Iterator[None]: ...


@contextmanager
def open_store(url: str, folder: Path) -> Iterator[Store]:
    """The database of this URL, which the soak fills; `sqlite` for a file in the folder."""
    if url == "sqlite":
        yield SqliteStore(folder / "soak.db", folder / "pages")
        return
    with PostgresStore(url) as store:
        yield store


class SqliteStore:
    troubles: ClassVar[tuple[str, ...]] = ("locked", "full disk")

    def __init__(self, path: Path, pages: Path) -> None:
        self.url = f"sqlite:///{path}"
        self._path = path
        self._pages = pages

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
            return connection.execute(sql).fetchall()

    def unsound(self) -> list[str]:
        found = self.rows("PRAGMA integrity_check") + self.rows("PRAGMA foreign_key_check")
        return [f"the file: {row}" for row in found if row != ("ok",)]

    def turn(self, seconds: float) -> None:
        """It has the clock of whoever opens it."""

    @contextmanager
    def trouble(self, name: str, dice: Random) -> Iterator[None]:
        if name == "locked":
            with self._locked():
                yield
            return
        used = self.rows("PRAGMA page_count")[0][0]
        self._pages.write_text(str(used + dice.randrange(4)))
        yield
        self._pages.unlink()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """The write lock, unless somebody else keeps it for long: a process that stands still."""
        with closing(sqlite3.connect(self._path, isolation_level=None, timeout=1)) as connection:
            with suppress(sqlite3.OperationalError):
                connection.execute("BEGIN IMMEDIATE")
            yield


class PostgresStore:
    troubles: ClassVar[tuple[str, ...]] = ("cut", "away", "silent", "killed sessions", "locked")

    def __init__(self, url: str) -> None:
        self._direct = url
        self._words: dict[str, Any] = dict(conninfo_to_dict(url))
        self._proxy = Proxy(self._connect)
        name, user = self._words["dbname"], self._words.get("user", "postgres")
        password = f":{self._words['password']}" if "password" in self._words else ""
        self.url = f"postgresql://{user}{password}@127.0.0.1:{self._proxy.port}/{name}"

    def __enter__(self) -> Self:
        self._proxy.__enter__()
        self._execute(_TURNED)
        self._execute(f'ALTER DATABASE "{self._words["dbname"]}" SET search_path = public, pg_catalog')
        return self

    def __exit__(self, *_: object) -> None:
        self._proxy.__exit__()

    def _connect(self) -> socket.socket:
        host, port = self._words.get("host", "127.0.0.1"), int(self._words.get("port", 5432))
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(f"{host}/.s.PGSQL.{port}")
        return connection

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._direct, autocommit=True) as connection:
            connection.execute("SET lock_timeout = 2000")
            return connection.execute(sql.encode()).fetchall()

    def _execute(self, sql: str) -> None:
        with psycopg.connect(self._direct, autocommit=True) as connection:
            connection.execute(sql.encode())

    def unsound(self) -> list[str]:
        """A server answers for its own files."""
        return []

    def turn(self, seconds: float) -> None:
        self._execute(f"UPDATE public.soak_clock SET ahead = {float(seconds)}")

    @contextmanager
    def trouble(self, name: str, dice: Random) -> Iterator[None]:
        if name == "cut":
            self._proxy.cut()
        elif name == "killed sessions":
            self.rows(_KILL)
        self._proxy.refusing, self._proxy.holding = name == "away", name == "silent"
        if name == "away":
            self._proxy.cut()
        with self._locked() if name == "locked" else nullcontext():
            yield
        self._proxy.refusing = self._proxy.holding = False
        if name == "silent" and dice.random() < 0.5:  # else what was held comes late
            self._proxy.cut()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with psycopg.connect(self._direct) as connection:
            connection.execute("SET lock_timeout = 1000")
            with suppress(psycopg.errors.LockNotAvailable):
                connection.execute("LOCK TABLE leases, sync_runs")
            yield
            connection.rollback()


# Found before the server's own function of this name, because the search path names its schema last.
_TURNED = """
CREATE TABLE IF NOT EXISTS public.soak_clock AS SELECT 0::float8 AS ahead;
CREATE OR REPLACE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
$$ SELECT pg_catalog.clock_timestamp() + (SELECT ahead FROM public.soak_clock) * interval '1 second' $$
"""
_KILL = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'smart-sync'
"""
