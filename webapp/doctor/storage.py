"""Where the data is, whether it lasts there, and whether the service is used."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from webapp.doctor.case import Case, Diagnosis, failure
from webapp.errors import StoreError
from webapp.rules.retention import last_whole_week
from webapp.store import lost_history, replicas, thinning
from webapp.store.db import Database, open_database
from webapp.store.revision import HEAD_REVISION, is_newer, newer_schema, revision_of
from webapp.store.soundness import RESTORE
from webapp.store.storage import WORDS, durability, whereabouts
from webapp.store.tables import leases

FREE_BYTES = 100 * 2**20


def examine_database(case: Case) -> Iterator[Diagnosis]:
    case.db = open_database(case.settings.database)
    place = case.db.storage()
    damage = case.db.damage()
    if damage is not None:
        yield Diagnosis("FAIL", "database", f"{damage}: {place} is damaged, or is no database", RESTORE)
        return
    try:
        with case.db.read() as tx:
            revision = revision_of(tx)
    except StoreError as error:
        yield _no_tables(place, error)
        return
    if is_newer(revision):
        yield failure("database", newer_schema(place, revision))
    elif revision != HEAD_REVISION:
        words = f"{place} has schema {revision or 'none'}; this version has {HEAD_REVISION}"
        yield Diagnosis("warn", "database", words, "smart-sync db upgrade, or the next start, brings it up to date")
    else:
        case.current = True
        _write_something(case.db)
        yield Diagnosis("ok", "database", f"{place} can be read and written, schema {revision} is current")
        yield from _lost_history(case.db)
        yield from _thinning(case, case.db)


def _lost_history(db: Database) -> Iterator[Diagnosis]:
    with db.read() as tx:
        loss = lost_history.open_loss(tx)
    if loss is not None:
        fix = "restore a backup over it, or, if nothing is to be done, smart-sync db acknowledge-loss"
        yield Diagnosis("warn", "history", f"was lost: {loss.words}", fix)


def _thinning(case: Case, db: Database) -> Iterator[Diagnosis]:
    """What a setting would take away, before anybody has begun with it."""
    if case.settings.weekly_after is None:
        return
    until = last_whole_week(case.clock.now().date(), case.settings.weekly_after)
    with db.read() as tx:
        found = thinning.waiting_projects(tx, until)
    if found is None:
        yield Diagnosis("ok", "history", f"days up to {until} are kept by the week")
    else:
        words = f"days from {found.first} to {until} of {len(found.project_ids)} projects are still kept one by one"
        yield Diagnosis(
            "warn", "history", words, "smart-sync db thin --dry-run says what would go; smart-sync db thin begins"
        )


def _no_tables(place: str, error: StoreError) -> Diagnosis:
    """Nothing is there yet, which is as it should be before the first start, or nothing is there any more."""
    fix = "smart-sync db upgrade, or the first start, makes it; if there was data before, restore a backup instead"
    if error.code == "database_missing":
        path = Path(place)
        folder = _nearest_folder(path)
        if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
            return Diagnosis("warn", "database", f"{path} is not there yet; {folder} can be written", fix)
        words = f"{path} is not there, and this user cannot make it in {folder}"
        return Diagnosis("FAIL", "database", words, "name a folder in SMART_SYNC_DATA_DIR that this user can write")
    if error.code == "schema_missing" and not error.message.endswith("is empty"):
        return Diagnosis("warn", "database", error.message, fix)
    return failure("database", error)


def _write_something(db: Database) -> None:
    """A commit that reaches the disk and leaves no row."""
    with db.write() as tx:
        tx.execute(leases.delete().where(leases.c.name == "doctor"))
        tx.execute(leases.insert().values(name="doctor"))
        tx.execute(leases.delete().where(leases.c.name == "doctor"))


def _nearest_folder(path: Path) -> Path:
    """The folder that is there, on the way to a path that may not be."""
    return next((parent for parent in path.parents if parent.exists()), path)


def examine_disk(case: Case) -> Iterator[Diagnosis]:
    if case.db is None:
        return
    if case.db.dialect != "sqlite":
        if case.current:
            words = f"the data is {whereabouts(case.db)[0]}, whose disks and backups are not this machine's"
            yield Diagnosis("ok", "disk", words)
        if case.settings.replica_url:
            words = "LITESTREAM_REPLICA_URL is for a SQLite file; nothing is copied"
            yield Diagnosis("warn", "replica", words, "take it out of the settings")
        return
    path = Path(case.db.storage())
    folder = _nearest_folder(path)
    yield _durability(path, copied=bool(case.settings.replica_url))
    yield from _replica(case, path)
    free = shutil.disk_usage(folder).free
    if free < FREE_BYTES:
        words = f"{free // 2**20} MB are free on the disk of {folder}"
        yield Diagnosis("warn", "disk", words, "free space or grow the disk; a full one stops all syncs")
    yield _sqlite()


def _replica(case: Case, path: Path) -> Iterator[Diagnosis]:
    """Whether the database is copied away, where that is wanted."""
    found = replicas.read(path, case.settings.replica_url, case.clock.now())
    if found is None:
        return
    words = f"{found.to}: {found.message or 'copied all the time'}"
    if replicas.litestream_path() is None:
        fix = "pip install 'smart-sync[backup]'"
        yield Diagnosis("FAIL", "replica", f"{found.to}: Litestream is not installed", fix)
    elif found.state == "failing":
        yield Diagnosis("FAIL", "replica", words, "see that the address is right, and its keys may write there")
    else:
        yield Diagnosis(
            "ok" if found.state == "ok" else "warn",
            "replica",
            words,
            None if found.state == "ok" else "start the server",
        )


def _durability(path: Path, *, copied: bool) -> Diagnosis:
    """copied: it is restored from elsewhere where it is gone."""
    fix = "mount a disk and set SMART_SYNC_DATA_DIR to a folder on it, or set DATABASE_URL to PostgreSQL"
    kind = durability(path)
    words = f"the data is in {path.parent}, {WORDS[kind]}"
    if kind == "durable":
        return Diagnosis("ok", "disk", words)
    if kind == "ephemeral" and copied:
        return Diagnosis("ok", "disk", f"{words}, and is restored from its copy then")
    return Diagnosis("warn", "disk", words, fix)


def _sqlite() -> Diagnosis:
    version = sqlite3.sqlite_version
    if not has_wal_reset_bug(sqlite3.sqlite_version_info):
        return Diagnosis("ok", "sqlite", f"SQLite {version}")
    return Diagnosis(
        "warn",
        "sqlite",
        f"SQLite {version} can, very rarely, damage a database that two processes write at the same instant",
        "use a Python with SQLite 3.51.3 or later, or PostgreSQL; keep backups",
    )


def has_wal_reset_bug(version: tuple[int, ...]) -> bool:
    """Whether two connections that write at the same instant may, rarely, damage the database.

    https://www.sqlite.org/wal.html: 3.7.0 to 3.51.2, mended in 3.44.6 and 3.50.7 as well.
    """
    if version[:2] == (3, 44):
        return version < (3, 44, 6)
    if version[:2] == (3, 50):
        return version < (3, 50, 7)
    return (3, 7, 0) <= version < (3, 51, 3)
