"""Whole copies of a database file: made while others write, and put in its place, each there as a whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from glob import escape
from pathlib import Path

from webapp.errors import StoreError
from webapp.store.backends.sqlite import CODES, Sqlite
from webapp.store.revision import REVISION, is_newer, newer_schema

Advance = Callable[[int, int], object]  # takes the pages that are done and all there are

NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
ABANDONED_S = 86_400
PAGES = 2_000  # 8 MB: of a step
BUSY_S = 5.0
LOCKS, LOCKS_SIZE = 0x40000000, 512  # the bytes of a file by which SQLite's processes tell each other that they use it
BESIDE = ("-wal", "-shm", "-journal", ".migrate-lock")


class Taken(StoreError):
    """There is a file of that name."""

    code = "file_exists"


class InUse(StoreError):
    """A process has the database open."""

    code = "database_in_use"


@contextmanager
def place_beside(target: Path, ending: str) -> Iterator[Path]:
    """An empty file for this user alone, in the folder of the target; whatever is left of it is removed at the end.

    What a process left that was killed meanwhile is removed by one that comes a day later: it may be as large as all.

    Raises: StoreError.
    """
    for left in target.parent.glob(f"{escape(target.name)}.{ending}-*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > ABANDONED_S:
                left.unlink()
    path = target.with_name(f"{target.name}.{ending}-{os.getpid()}")
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    except OSError as error:
        raise refusal(target, error) from error
    try:
        yield path
    finally:
        for name in ("", *BESIDE):
            Path(f"{path}{name}").unlink(missing_ok=True)


def copy(source: Path, target: Path, advance: Advance = lambda *_: None) -> None:
    """All of a database, as it is at one moment, into an empty file; writers go on meanwhile. Only reads the source.

    Raises: StoreError for a source that is damaged or no database, or where there is no room.
    """
    if not source.is_file():
        raise StoreError(f"there is no file {source}", code="database_missing")
    whole = source
    try:
        with closing(_connect(source)) as old, closing(sqlite3.connect(target)) as new:
            old.execute("BEGIN")
            old.execute("SELECT count(*) FROM sqlite_master").fetchone()  # what is written later is not looked at
            old.backup(new, pages=PAGES, progress=lambda _, left, all_: advance(all_ - left, all_))
            whole = target
            new.execute("PRAGMA journal_mode=DELETE")  # all of it in one file
            _sync(target)
    except sqlite3.Error as error:
        code = CODES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "database_unavailable")
        if code == "disk_full":
            raise _no_room(target) from error
        raise StoreError(f"{whole} cannot be copied: {error}", code=code) from error
    except OSError as error:
        raise refusal(target, error) from error


def check(file: Path, *, quick: bool = False) -> None:
    """See that a file is a sound database of Smart Sync, of this version or an older one.

    quick: without comparing one thing with another.

    Raises: StoreError.
    """
    damage = Sqlite(str(file), busy_timeout_s=BUSY_S).damage(quick=quick)
    if damage is not None:
        raise StoreError(f"it is damaged, or is no database: {damage}", code="database_corrupt")
    with closing(_connect(file)) as copied:
        try:
            found = copied.execute(REVISION).fetchone()
        except sqlite3.OperationalError:
            found = None
    if found is None:
        raise StoreError("it is no database of Smart Sync", code="schema_missing")
    if is_newer(found[0]):
        raise newer_schema("it", found[0])


def holds_projects(file: Path) -> bool:
    """Whether there is anything to lose: projects, what another program has made, or what cannot be told.

    Whatever the log of an ended process holds is applied on the way.
    """
    if not is_there(file):
        return False
    try:
        with closing(_connect(file, "rw")) as there:
            names = {name for (name,) in there.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not {"projects", "alembic_version"} <= names:
                return bool(names)
            return there.execute("SELECT 1 FROM projects").fetchone() is not None
    except sqlite3.Error:
        return True


def put_in_place(new: Path, target: Path, *, only_if_gone: bool = False) -> None:
    """Let a whole file take the place of a database that nobody uses; crashes leave the one or the other.

    only_if_gone: leave one alone that is there by now, because somebody else has put it there meanwhile.

    Raises: InUse; Taken; StoreError.
    """
    try:
        with Sqlite(str(target), busy_timeout_s=BUSY_S).migration_lock(create=True), _alone(target):
            if only_if_gone and is_there(target):
                raise name_conflict(target)
            _give_to_owner(new, target)
            _sync(new)
            for name in BESIDE[:3]:  # of the old one: applied to the new one, they would destroy it
                Path(f"{target.resolve()}{name}").unlink(missing_ok=True)
            new.replace(target.resolve())
            _sync(target.resolve().parent)
    except OSError as error:
        raise refusal(target, error) from error


def is_there(database: Path) -> bool:
    """Whether there is a file with anything in it."""
    return database.exists() and database.stat().st_size > 0


def keep_as(new: Path, target: Path, *, overwrite: bool) -> None:
    """Give a whole file its name; one that is there is replaced only where that is wanted.

    Raises: StoreError.
    """
    try:
        _sync(new)
        if overwrite:
            new.replace(target)
        else:
            os.link(new, target)
        _sync(target.parent)
    except FileExistsError:
        raise name_conflict(target) from None
    except OSError as error:
        raise refusal(target, error) from error


def name_conflict(target: Path) -> Taken:
    return Taken(f"{target} is there already", hint="choose another name, or use --force")


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """The locks of all who use the file, so that nobody does meanwhile. Works on a damaged file too.

    The locks are the process's: whoever of this process has it open would lose its own.
    """
    if not target.exists():
        yield
        return
    file = os.open(target, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, LOCKS_SIZE, LOCKS)
        yield
    except BlockingIOError:
        raise InUse(f"{target} is in use by another process", hint="stop the service first") from None
    finally:
        os.close(file)


def _give_to_owner(new: Path, target: Path) -> None:
    """Whoever could use the old file can use the new one, also where root restores what a service is to serve."""
    there = target.exists()
    owner = (target if there else target.parent).stat()
    if there:
        new.chmod(stat.S_IMODE(owner.st_mode))
    with suppress(PermissionError):
        os.chown(new, owner.st_uid, owner.st_gid)


def _connect(file: Path, mode: str = "ro") -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode={mode}", uri=True, timeout=BUSY_S, isolation_level=None)


def _sync(path: Path) -> None:
    """See that a file, or the names in a folder, are on the disk."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def refusal(target: Path, error: OSError) -> StoreError:
    """What to say of a file that cannot be written."""
    if error.errno in NO_ROOM:
        return _no_room(target)
    return StoreError(f"{target} cannot be written: {error.strerror}", code="read_only")


def _no_room(target: Path) -> StoreError:
    words = f"there is no space left in {target.absolute().parent}"
    return StoreError(words, code="disk_full", hint="free space there; nothing was changed")
