"""Backups of a database file: made while the service runs, and put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from webapp.errors import Conflict, StoreError
from webapp.store import copies
from webapp.store.copies import Advance
from webapp.store.db import Database, open_database
from webapp.store.migrate import migrate


def back_up(db: Database, file: Path, *, overwrite: bool = False, advance: Advance = lambda *_: None) -> int:
    """A whole, sound copy of the database in a file; its bytes. Writers and readers go on meanwhile.

    overwrite: whether a file that is there may be replaced.

    Raises: StoreError; then nothing is left behind.
    """
    source = _path_of(db, "pg_dump --format=custom --file=FILE DATABASE_URL, or smart-sync export FILE")
    if file.exists() and not overwrite:  # known before the work; looked at again after it
        raise copies.name_conflict(file)
    if file.resolve() == source:
        raise copies.Taken(f"{file} is the database itself", hint="choose another name")
    with copies.place_beside(file, "partial") as copy:
        copies.copy(source, copy, advance)
        with _saying(f"{source} is not worth a backup"):
            copies.check(copy, quick=True)
        copies.keep_as(copy, file, overwrite=overwrite)
        return file.stat().st_size


def has_something_to_lose(db: Database) -> bool:
    """Whether restoring would overwrite anything.

    Raises: StoreError.
    """
    return copies.holds_projects(_restorable(db))


def restore(db: Database, file: Path, *, overwrite: bool = False, advance: Advance = lambda *_: None) -> None:
    """Put a backup in the place of the database. It is looked through, and brought up to date, beside it first.

    overwrite: whether a database that holds anything may be replaced.

    Raises: Conflict; StoreError, also for a database that is in use. Then all is as it was.
    """
    target = _restorable(db)
    if copies.holds_projects(target) and not overwrite:
        raise Conflict(f"{target} holds something already", code="not_empty", hint="use --force to replace it")
    target.parent.mkdir(parents=True, exist_ok=True)
    with copies.place_beside(target, "restoring") as copy, _saying(f"{file} cannot be restored"):
        copies.copy(file, copy, advance)
        copies.check(copy)
        _bring_up_to_date(copy)
        copies.put_in_place(copy, target)


@contextmanager
def _saying(what: str) -> Iterator[None]:
    """Words that go before those of whatever is raised."""
    try:
        yield
    except StoreError as error:
        raise StoreError(f"{what}: {error.message}", code=error.code, hint=error.hint) from error


def _bring_up_to_date(copy: Path) -> None:
    db = open_database(f"sqlite:///{copy.absolute()}")
    try:
        migrate(db, create=False)
    finally:
        db.close()


def _restorable(db: Database) -> Path:
    return _path_of(db, "pg_restore for what pg_dump made, or smart-sync import FILE")


def _path_of(db: Database, instead: str) -> Path:
    if db.dialect != "sqlite":
        words = f"{db.storage()} is a database on a server, which is copied by its own tools"
        raise StoreError(words, code="not_a_file", hint=instead)
    return Path(db.storage()).resolve()
