"""The database, whichever it is: two ways in, and its errors in our own words."""

from __future__ import annotations

import os
import re
import sqlite3
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from sqlalchemy import URL, Connection, Engine, Pool, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from webapp.clock import Clock
from webapp.errors import ConfigError, StoreError
from webapp.store.backends.sqlite import Sqlite
from webapp.store.revision import is_newer, newer_schema
from webapp.store.soundness import RESTORE, SUSPICIOUS, Examined, Soundness
from webapp.store.traces import Traces

POOL_TIMEOUT_S = 5.0

# What is the matter, and what to do.
WORDS = {
    "database_busy": (
        "is busy: somebody else holds it, or too many ask at once",
        "try again in a few seconds; if it stays so, end the program that holds the lock",
    ),
    "database_corrupt": (
        "is damaged, or is no database",
        RESTORE,
    ),
    "connections_used_up": (
        "has no connection free: others hold all of them",
        "try again in a few seconds; if it stays so, raise max_connections of the server, or lower WEB_CONCURRENCY",
    ),
    "database_absent": (
        "is not there on its server",
        "make it by CREATE DATABASE, or mend the name behind the host in DATABASE_URL",
    ),
    "database_login": (
        "does not let in {user}",
        "check user and password in DATABASE_URL, and that the role may log in there",
    ),
    "database_option": (
        "has no schema that search_path names",
        "make one, or mend search_path in DATABASE_URL, of the role or of the database",
    ),
    "database_unavailable": (
        "cannot be read or opened",
        "check the disk and the rights of its folder; a network share does not do",
    ),
    "database_unreachable": (
        "does not answer, or refuses the connection",
        "check that the server runs, that the database exists, and host, port, user and password in DATABASE_URL",
    ),
    "disk_full": ("has no space left", "free space or grow the disk; the change was undone as a whole"),
    "read_only": ("cannot be written by {user}", "give it the right to write there (a file: its folder too)"),
    "schema_missing": (
        "has no tables of Smart Sync",
        "run smart-sync db upgrade; if there was data before, restore a backup instead",
    ),
}


class Backend(Examined, Protocol):
    """What differs between SQLite and PostgreSQL."""

    @property
    def name(self) -> str: ...
    @property
    def place(self) -> str: ...
    @property
    def user(self) -> str: ...

    def engine(self, pool_size: int, pool_timeout_s: float) -> Engine: ...
    def reader(self, engine: Engine) -> Engine: ...
    def writer(self, engine: Engine) -> Engine: ...
    def check(self, tx: Connection) -> None: ...
    def check_unwritten(self, tx: Connection) -> None: ...
    def revision(self, tx: Connection) -> str | None: ...
    def migrating(self, *, create: bool) -> AbstractContextManager[Connection]: ...
    def code_of(self, error: BaseException | None, *, writing: bool) -> str | None: ...


class Database:
    """One database and its pool of connections; threads share it, and it survives a fork of the process.

    generation: counts how often the connections were given up because the database was not what it had been;
    what somebody knew of it before is then worth another look.
    migrated: the generation that was last seen to have the current schema; None before the first look.
    pruned_at: when this process last removed all that was old; None: there may be some.
    traces: the files that tell of it when it is gone.
    """

    def __init__(self, backend: Backend, pool_size: int, traces: Traces) -> None:
        self.traces = traces
        self.generation = 0
        self.migrated: int | None = None
        self.pruned_at: datetime | None = None
        self._backend = backend
        self._engine = backend.engine(pool_size, POOL_TIMEOUT_S)
        self._reader = backend.reader(self._engine)
        self._writer = backend.writer(self._engine)
        self._soundness = Soundness(backend, Clock().monotonic)
        self._opened = False  # whether there may be connections
        self._inherited: list[Pool] = []
        after_fork(weakref.WeakMethod(self._leave_to_the_parent))

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._backend.name

    def storage(self) -> str:
        """Where the data is, for people: a path, or host and database; never a password."""
        return self._backend.place

    def damage(self) -> str | None:
        """What a quick look through the whole file finds wrong with it; None where nothing is, and of a server."""
        return self._backend.damage(quick=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the database and never waits for a writer; at its end it is undone.

        Raises: StoreError.
        """
        with self._own_words(writing=False), self._reader.connect() as tx:
            tx.begin()
            self._backend.check(tx)
            yield tx
            self._backend.check_unwritten(tx)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock of SQLite from the start; committed at the end unless it raises.

        Raises: StoreError; what was written is then undone. Nothing is begun where damage was met before.
        """
        with self._own_words(writing=True), self._sound_writer().begin() as tx:
            self._backend.check(tx)
            if self.migrated is not None:
                self._check_schema(tx)
            yield tx
            self._backend.check(tx)  # a file deleted meanwhile would take the commit with it

    @contextmanager
    def migrating(self, *, create: bool) -> Iterator[Connection]:
        """A writing transaction that no other process's migration overlaps; waits for its turn.

        create: whether a SQLite file that is not there may be made.

        Raises: StoreError.
        """
        with self._own_words(writing=True), self._backend.migrating(create=create) as tx:
            yield tx

    def open(self) -> None:
        """Have a connection from now on.

        Raises: StoreError.
        """
        with self._own_words(writing=False), self._engine.connect():
            pass  # and back into the pool with it

    def close(self) -> None:
        """Close all connections. The database can still be used; it opens new ones."""
        self._engine.dispose()
        self._opened = False

    def explain(self, error: BaseException) -> StoreError | None:
        """The state of the database that an error comes of; None for an error of another kind."""
        if isinstance(error, StoreError):
            return error
        return self._state_behind(error, writing=True) if isinstance(error, SUSPICIOUS) else None

    def blame(self, error: BaseException) -> None:
        """Do nothing about an error that is no state of the database.

        Raises: StoreError for one that is.
        """
        state = self.explain(error)
        if state is not None:
            raise state from (None if state is error else error)

    @contextmanager
    def _own_words(self, *, writing: bool) -> Iterator[None]:
        self._opened = True
        try:
            yield
        except StoreError as error:
            self._look_again_after(error.code)
            raise
        except SUSPICIOUS as error:
            state = self._state_behind(error, writing=writing)
            if state is None:
                raise
            self._look_again_after(state.code)
            raise state from error

    def _state_behind(self, error: BaseException, *, writing: bool) -> StoreError | None:
        if isinstance(error, PoolTimeoutError):
            return self._refusal("database_busy")
        # Rows that are fetched past SQLAlchemy raise the driver's own errors.
        code = self._backend.code_of(getattr(error, "orig", None) or error, writing=writing)
        if code not in {None, "schema_missing"}:
            return self._refusal(code)
        if self._soundness.is_damage():
            return self._refusal("database_corrupt")
        newer = self._newer_schema() if isinstance(error, DBAPIError | sqlite3.Error) else None
        return newer or (self._refusal(code) if code else None)

    def _newer_schema(self) -> StoreError | None:
        """What to say where another process has migrated the database meanwhile, to what this code does not know."""
        try:
            with self._reader.begin() as tx:
                self._backend.check(tx)
                self._check_schema(tx)
        except StoreError as error:
            return error
        except SUSPICIOUS:
            return None
        return None

    def _check_schema(self, tx: Connection) -> None:
        revision = self._backend.revision(tx)
        if is_newer(revision):
            raise newer_schema(self.storage(), revision)

    def _sound_writer(self) -> Engine:
        if not self._soundness.allows_writing():
            raise self._refusal("database_corrupt")
        return self._writer

    def _refusal(self, code: str) -> StoreError:
        what, hint = WORDS[code]
        return StoreError(
            f"The database {self._backend.place} {what.format(user=self._backend.user)}", code=code, hint=hint
        )

    def _look_again_after(self, code: str) -> None:
        """Give up connections to a file that is not the one to use, or not to be used so, so that a mended one is found."""
        if code == "database_corrupt":
            self._soundness.note_damage()
        if code in {"database_replaced", "database_corrupt", "schema_missing", "schema_newer", "read_only"}:
            self.generation += 1
            self._engine.dispose()

    def _leave_to_the_parent(self) -> None:
        """In a forked child: use none of the parent's connections and close none, which would end them there too.

        Where there are none, nothing is done: another pool would be made in memory that the parent shares with it.
        """
        if not self._opened:
            return
        self._inherited.append(self._engine.pool)
        self._engine.dispose(close=False)


def open_database(
    url: str, *, pool_size: int = 8, busy_timeout_s: float = 5.0, traces: Sequence[Path] = ()
) -> Database:
    """The database at a URL of SQLite or PostgreSQL; it is not touched before its first use.

    pool_size: connections at most; as many as threads use it at once.
    busy_timeout_s: how long a writer waits for another (SQLite).
    traces: files that tell of it when it is gone.

    Raises: ConfigError.
    """
    parsed = normalise_url(url)
    if parsed.get_backend_name() == "sqlite":
        return Database(Sqlite(parsed.database, busy_timeout_s=busy_timeout_s), pool_size, Traces(traces))
    try:
        from webapp.store.backends.postgres import Postgres  # noqa: PLC0415  an extra: SQLite needs no psycopg
    except ImportError as error:
        raise ConfigError(
            "DATABASE_URL: the driver of PostgreSQL is not installed", hint="pip install 'smart-sync[postgres]'"
        ) from error
    return Database(Postgres(parsed), pool_size, Traces(traces))


def normalise_url(url: str) -> URL:
    """The URL with our driver in it: hosting panels say `postgres://`, people `postgresql://` or name a driver of theirs.

    Raises: ConfigError, which does not repeat the URL: there may be a password in it.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError("DATABASE_URL: not a URL", hint=EXAMPLES) from error
    except (TypeError, ValueError):  # whose words repeat what stands there
        raise _no_port() from None
    kind = parsed.get_backend_name()
    if kind in {"postgres", "postgresql"}:
        _check_server(url, parsed)
        host = parsed.host or ""
        if host[:3].upper() == "%2F":  # a folder of sockets, as libpq has it
            parsed = parsed.set(host=unquote(host))
        return parsed.set(drivername="postgresql+psycopg")
    if kind == "sqlite":
        _check_file(url, parsed)
        return parsed.set(drivername="sqlite")
    raise ConfigError("DATABASE_URL: neither SQLite nor PostgreSQL as we know them", hint=EXAMPLES)


def _check_file(url: str, parsed: URL) -> None:
    """What stands between the second and the third slash would be left out, and another file be used than was meant."""
    if parsed.host or parsed.username or "?" in url:
        raise ConfigError(
            "DATABASE_URL: SQLite has neither a host nor options",
            hint="write three slashes before a path from here, as in sqlite:///data/x.db, four before a whole one, as in "
            "sqlite:////data/x.db; in a path write ? as %3F",
        )


def _check_server(url: str, parsed: URL) -> None:
    """What is understood in another way than it was meant tells a part of the password as a host or an option."""
    before, *behind = url.split("@")
    told = (behind and _OPTIONS.search(before)) or "%40" in (parsed.host or "")
    if len(behind) > (parsed.username is not None) or told:
        raise ConfigError("DATABASE_URL: it cannot be told where the password ends", hint=ESCAPES)
    if not url.isprintable():
        raise ConfigError("DATABASE_URL: there is a sign in it that cannot be seen", hint="copy or type it again")
    if parsed.port is not None and not 1 <= parsed.port <= LAST_PORT:
        raise _no_port()


def _no_port() -> ConfigError:
    return ConfigError(
        f"DATABASE_URL: what stands where the port belongs is no number from 1 to {LAST_PORT}",
        hint="write postgresql://user:password@host:5432/name, an IPv6 address in [], several hosts as "
        f"user:password@/name?host=one:5432&host=two:5432; {ESCAPES}",
    )


LAST_PORT = 65_535
_OPTIONS = re.compile(r"\?.*=", re.DOTALL)
ESCAPES = "in user and password write @ as %40, : as %3A, / as %2F and ? as %3F"
EXAMPLES = "like sqlite:////var/lib/smart-sync/smart-sync.db or postgresql://user:password@host:5432/name"


def after_fork(act: weakref.WeakMethod[Callable[[], None]]) -> None:
    """Call a method in every child that this process forks from now on, as long as its object lives."""

    def run() -> None:
        method = act()
        if method is not None:
            method()

    os.register_at_fork(after_in_child=run)
