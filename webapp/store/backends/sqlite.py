"""SQLite as the database of several processes: WAL, writers that queue, and a file that cannot vanish unnoticed."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import stat
from collections.abc import Hashable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, Engine, NullPool, QueuePool, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from webapp.clock import Budget
from webapp.errors import ConfigError, StoreError
from webapp.store.revision import REVISION
from webapp.store.soundness import RESTORE

MIGRATION_WAIT_S = 120.0
CACHE_KB = 16 * 1024  # of pages, as far as a connection comes to use it: a sync of many accounts meets each page often

# By primary result code. What is missing here, such as a refused constraint or a wrong statement, is a bug.
CODES = {
    sqlite3.SQLITE_PERM: "read_only",
    sqlite3.SQLITE_BUSY: "database_busy",
    sqlite3.SQLITE_LOCKED: "database_busy",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_IOERR: "database_unavailable",
    sqlite3.SQLITE_CORRUPT: "database_corrupt",
    sqlite3.SQLITE_FULL: "disk_full",
    sqlite3.SQLITE_CANTOPEN: "database_unavailable",
    sqlite3.SQLITE_PROTOCOL: "database_busy",
    sqlite3.SQLITE_NOTADB: "database_corrupt",
}


class FileConnection(sqlite3.Connection):
    """A connection that knows which file it has open, whatever the path leads to by now.

    writable: whether the file could be written when it was opened; where not, SQLite silently only reads it.
    found: rows that it had changed in all when its transaction began.
    """

    identity: tuple[int, int]
    writable = True
    found = 0


class Sqlite:
    """A database file. Nothing is opened before an engine connects."""

    name = "sqlite"
    # A day number has digits for a twentieth of a millisecond; `unixepoch('subsec')` is younger than 3.40.

    def __init__(self, path: str | None, *, busy_timeout_s: float) -> None:
        if path in {None, "", ":memory:"}:
            raise ConfigError(
                "DATABASE_URL: a database in memory is not shared between workers",
                hint="name a file, such as sqlite:////var/lib/smart-sync/smart-sync.db",
            )
        self.path = Path(str(path)).absolute()
        self.busy_timeout_s = busy_timeout_s
        self._last: tuple[int, int] | None = None  # the file that was opened last; None when it was given up
        self._log: tuple[int, int] | None = None  # its log of changes

    @property
    def place(self) -> str:
        return str(self.path)

    @property
    def user(self) -> str:
        return f"the system user {os.geteuid()}"

    def engine(self, pool_size: int, pool_timeout_s: float) -> Engine:
        engine = create_engine(
            "sqlite://",
            creator=self._connect,
            hide_parameters=True,
            poolclass=QueuePool,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=pool_timeout_s,
            pool_use_lifo=True,
        )
        event.listen(engine, "begin", _begin)
        event.listen(engine, "checkin", _give_up_what_only_reads)
        return engine

    def reader(self, engine: Engine) -> Engine:
        return engine

    def writer(self, engine: Engine) -> Engine:
        return engine.execution_options(write=True)

    def check(self, tx: Connection) -> None:
        """See that the path still leads to the file of this connection, and that nobody emptied it.

        Raises: StoreError `database_replaced` or `schema_missing`.
        """
        self._compare(_file_of(tx))

    def check_unwritten(self, tx: Connection) -> None:
        """See that a reading transaction, which is undone, has changed no row.

        SQLite could refuse to write (`query_only`), but would prepare all statements of a connection anew whenever that
        is turned on or off, which costs as much as running them does.

        Raises: RuntimeError.
        """
        file = _file_of(tx)
        if file.total_changes != file.found:
            raise RuntimeError("rows were written in a read-only transaction")

    def revision(self, tx: Connection) -> str | None:
        """The name of the last script that ran, by the bare driver: each writing transaction asks for it."""
        found = _file_of(tx).execute(REVISION).fetchone()
        return None if found is None else found[0]

    @contextmanager
    def migrating(self, *, create: bool) -> Iterator[Connection]:
        """One writing transaction that other migrators wait for, with foreign keys off.

        create: whether to make the file, and its folder, where there is none; an empty file counts as none.
        """
        with self.migration_lock(create=create):
            self._prepare(create=create)
            if self.path.stat().st_size and self.damage() is not None:
                raise self._damaged()
            engine = create_engine(
                "sqlite://", creator=partial(self._open, foreign_keys=False), hide_parameters=True, poolclass=NullPool
            )
            event.listen(engine, "begin", _begin)
            with self.writer(engine).begin() as tx:
                yield tx

    def code_of(self, error: BaseException | None, *, writing: bool) -> str | None:  # noqa: ARG002  a server tells
        """The code of a driver's error that is a state of the database; None when it is a bug."""
        number = getattr(error, "sqlite_errorcode", None)
        if number == sqlite3.SQLITE_ERROR and str(error).startswith("no such table"):
            return "schema_missing"
        if str(error).startswith("Could not decode to UTF-8"):  # the driver's own words, without a number
            return "database_corrupt"
        if number == sqlite3.SQLITE_CANTOPEN and not os.access(self.path.parent, os.W_OK | os.X_OK):
            return "read_only"
        return None if number is None else CODES.get(number & 0xFF)

    def damage(self, *, quick: bool = False) -> str | None:
        """The first thing that is wrong with the file; None where it is sound, or cannot be looked at now.

        quick: without looking whether indexes and rows say the same.
        """
        looks = ["PRAGMA quick_check(1)"] if quick else ["PRAGMA integrity_check(1)", "PRAGMA foreign_key_check"]
        try:
            with closing(
                sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True, timeout=self.busy_timeout_s)
            ) as file:
                file.text_factory = partial(str, encoding="utf-8", errors="backslashreplace")
                found = [file.execute(look).fetchone() for look in looks]
        except sqlite3.Error as error:
            number = getattr(error, "sqlite_errorcode", None)
            return str(error) if number is None or CODES.get(number & 0xFF) == "database_corrupt" else None
        except UnicodeDecodeError:  # SQLite quotes what it cannot make sense of, and the driver takes it for text
            return "malformed database schema"
        (said,) = found[0]
        if said != "ok":
            return str(said).replace("\n", " ")
        return "rows refer to rows that are not there" if any(found[1:]) else None

    def version(self) -> Hashable:
        """The files that are there and when they were written."""
        return tuple(self._written(ending) for ending in ("", "-wal"))

    def _written(self, ending: str) -> Hashable:
        try:
            found = self._path_beside(ending).stat()
        except OSError:
            return None
        return *_identity(found), found.st_size, found.st_mtime_ns

    def _connect(self) -> FileConnection:
        """A connection to the file that is there; never makes one."""
        file = self._file()
        if file.st_size == 0:
            raise self._emptied()
        if self._last not in {None, _identity(file)}:  # replaced while no connection was open
            raise self._replaced("is another file than before")
        connection = self._open()
        connection.identity = _identity(file)
        try:
            self._compare(connection)
        except StoreError:
            connection.close()
            raise
        self._last, self._log = connection.identity, self._beside("-wal")
        return connection

    def _path_beside(self, ending: str) -> Path:
        """Of the database itself, or of a file that SQLite keeps beside it, also where a link leads to it."""
        return Path(f"{self.path.resolve()}{ending}")

    def _beside(self, ending: str) -> tuple[int, int] | None:
        """Which file SQLite has beside the database; None when there is none."""
        try:
            return _identity(self._path_beside(ending).stat())
        except OSError:
            return None

    def _open(self, *, foreign_keys: bool = True) -> FileConnection:
        writable = _may_write(self.path)
        if writable:
            self._open_up()
        connection = sqlite3.connect(
            self._uri(),
            uri=True,
            timeout=self.busy_timeout_s,
            isolation_level=None,  # the driver must not begin transactions of its own
            check_same_thread=False,
            factory=FileConnection,
        )
        connection.writable = writable
        try:
            self._set_up(connection, foreign_keys=foreign_keys)
        except BaseException:
            connection.close()
            raise
        return connection

    def _open_up(self) -> None:
        """Give the files beside the database its mode once more: they keep that of a time when it could only be read."""
        for ending in ("-wal", "-shm"):
            path = self._path_beside(ending)
            with suppress(OSError):
                if path.exists() and not _may_write(path):
                    path.chmod(stat.S_IMODE(self.path.stat().st_mode))

    def _uri(self) -> str:
        return f"{self.path.as_uri()}?mode=rw"

    def _set_up(self, connection: sqlite3.Connection, *, foreign_keys: bool) -> None:
        (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
        if mode != "wal":
            raise StoreError(
                f"SQLite refused write-ahead logging for {self.path}; readers and writers would block each other",
                code="wal_refused",
                hint="keep the file on a local disk, not on a network share, or use PostgreSQL",
            )
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA foreign_keys={int(foreign_keys)}")
        connection.execute("PRAGMA journal_size_limit=16777216")
        connection.execute(f"PRAGMA cache_size=-{CACHE_KB}")
        connection.execute("PRAGMA temp_store=MEMORY")

    def _compare(self, connection: FileConnection) -> None:
        try:
            now = os.stat(self.path)  # noqa: PTH116  half the cost of asking the path, in every transaction
        except OSError as error:
            raise self._replaced("is no longer there") from error
        if _identity(now) != connection.identity:
            raise self._replaced("is another file than before")
        if now.st_size == 0:
            raise self._emptied()

    def _file(self) -> os.stat_result:
        try:
            return self.path.stat()
        except OSError as error:
            raise self._refused(error) from error

    def _prepare(self, *, create: bool) -> None:
        """See that there is a file to migrate. A lost one is not made again behind the operator's back."""
        try:
            if create:
                self.path.touch(0o600)
            size = self.path.stat().st_size
        except OSError as error:
            raise self._refused(error) from error
        if size == 0 and not (create and self._is_new()):
            raise self._emptied()

    def _is_new(self) -> bool:
        """An empty file is a new one unless a log of changes to it is left."""
        return not self._path_beside("-wal").exists()

    @contextmanager
    def migration_lock(self, *, create: bool) -> Iterator[None]:
        """Held by one process at a time. The lock file stays: who deletes it may delete a waiting process's."""
        budget = Budget(MIGRATION_WAIT_S)
        try:
            if create:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(f"{self.path}.migrate-lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._refused(error) from error
        try:
            while not _locked(file):
                if budget.used_up:
                    raise StoreError(f"Another process is migrating {self.path} and does not end", code="database_busy")
                budget.clock.sleep(0.02)
            yield
        finally:
            os.close(file)

    def _set_log_aside(self) -> None:
        """Keep SQLite from applying the log of a file that is gone to the one in its place, which would destroy it."""
        if self._log is not None and self._log == self._beside("-wal"):
            for ending in ("-shm", "-wal"):  # the log last: until it is gone, somebody tries again
                path = self._path_beside(ending)
                with suppress(OSError):
                    path.rename(f"{path}.of-deleted")
        self._log = None

    def _replaced(self, what: str) -> StoreError:
        self._set_log_aside()
        self._last = None
        return StoreError(
            f"The database file {self.path} {what}; nothing is written to the old one",
            code="database_replaced",
            hint="the next call opens the file that is there then; restore a backup if there is none",
        )

    def _emptied(self) -> StoreError:
        return StoreError(
            f"The database file {self.path} is empty",
            code="schema_missing",
            hint="restore a backup over it, or begin anew: delete it and run smart-sync db upgrade",
        )

    def _damaged(self) -> StoreError:
        """Raised before a migration, which would write to it."""
        return StoreError(
            f"The database file {self.path} is damaged, or is no database", code="database_corrupt", hint=RESTORE
        )

    def _refused(self, error: OSError) -> StoreError:
        code = {errno.ENOENT: "database_missing", errno.ENOSPC: "disk_full"}.get(error.errno or 0, "read_only")
        return StoreError(
            f"The database file {self.path} cannot be used by {self.user}: {error.filename}: {error.strerror}",
            code=code,
            hint="that user must be able to write the file and its folder; smart-sync db upgrade makes a new one",
        )


def _begin(connection: Connection) -> None:
    """Begin as a reader, or as the writer.

    The write lock is taken at once: a transaction that reads first and writes later fails with SQLITE_BUSY_SNAPSHOT
    if another writer got in between, whatever the busy timeout.
    """
    if connection.get_execution_options().get("write", False):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    file = _file_of(connection)
    file.found = file.total_changes
    file.execute("BEGIN")


def _give_up_what_only_reads(connection: FileConnection | None, record: ConnectionPoolEntry) -> None:
    """Keep no connection to a file that could not be written: it would go on refusing when the file can be."""
    if connection is not None and not connection.writable:
        record.invalidate()


def _file_of(connection: Connection) -> FileConnection:
    return cast("FileConnection", connection.connection.dbapi_connection)


def _identity(file: os.stat_result) -> tuple[int, int]:
    return file.st_dev, file.st_ino


def _may_write(path: Path) -> bool:
    return os.access(path, os.W_OK)


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
