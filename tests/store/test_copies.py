"""Whole copies of a database file, and such a copy in the place of the database."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path

import pytest

from webapp.errors import StoreError
from webapp.store import copies
from webapp.store.db import Database


@pytest.fixture
def file(sqlite_db: Database) -> Path:
    """A database that is open, with one project."""
    with sqlite_db.write() as tx:
        tx.exec_driver_sql("INSERT INTO projects (id, name) VALUES ('p', 'Project A')")
    return Path(sqlite_db.storage())


def names(file: Path, sql: str = "SELECT name FROM projects") -> list[str]:
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as there:
        return [name for (name,) in there.execute(sql)]


def refusal(error: pytest.ExceptionInfo[StoreError]) -> tuple[str, str]:
    return error.value.code, error.value.message


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_copy_is_the_database_of_one_moment_in_one_file(sqlite_db: Database, file: Path, tmp_path: Path) -> None:
    target, told = tmp_path / "copy.db", []
    target.touch()

    def write_meanwhile(done: int, total: int) -> None:
        told.append((done, total))
        with sqlite_db.write() as tx:
            tx.exec_driver_sql(f"INSERT INTO projects (id, name) VALUES ('{len(told)}', 'later')")

    copies.PAGES, before = 10, copies.PAGES
    try:
        copies.copy(file, target, write_meanwhile)
    finally:
        copies.PAGES = before

    assert names(target) == ["Project A"]
    assert len(names(file)) > 3
    assert told[-1][0] == told[-1][1] > told[0][0]
    assert names(target, "PRAGMA journal_mode") == ["delete"]
    copies.check(target)


def test_what_stands_in_the_log_alone_is_copied_too(file: Path, tmp_path: Path) -> None:
    assert Path(f"{file}-wal").stat().st_size > 0
    target = tmp_path / "copy.db"
    target.touch()

    copies.copy(file, target)

    assert names(target) == ["Project A"]


def test_no_file_and_no_database_are_not_copied(tmp_path: Path) -> None:
    target, text = tmp_path / "copy.db", tmp_path / "text"
    target.touch()
    text.write_bytes(b"no database at all" * 100)

    with pytest.raises(StoreError, match="there is no file") as missing:
        copies.copy(tmp_path / "none", target)
    with pytest.raises(StoreError, match="cannot be copied: file is not a database") as wrong:
        copies.copy(text, target)

    assert (missing.value.code, wrong.value.code) == ("database_missing", "database_corrupt")


def test_a_disk_that_is_full_is_told(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    target = tmp_path / "copy.db"
    target.touch()
    monkeypatch.setattr(os, "fsync", fail)

    with pytest.raises(StoreError, match=f"no space left in {tmp_path}") as full:
        copies.copy(file, target)
    assert full.value.code == "disk_full"


def test_a_disk_that_the_copy_fills_is_the_one_that_is_named(file: Path, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.symlink_to("/dev/full")

    with pytest.raises(StoreError, match=f"no space left in {tmp_path}") as caught:
        copies.copy(file, full)
    assert caught.value.code == "disk_full"


def test_what_a_killed_process_left_beside_goes_a_day_later(tmp_path: Path) -> None:
    target = tmp_path / "copy[1].db"
    for name, age in (("partial-1", 90_000), ("partial-2", 3_600), ("other-1", 90_000)):
        Path(f"{target}.{name}").touch()
        os.utime(f"{target}.{name}", (time.time() - age,) * 2)

    with copies.place_beside(target, "partial"):
        pass

    assert files(tmp_path) == ["copy[1].db.other-1", "copy[1].db.partial-2"]


def test_what_stands_beside_goes_in_the_end(tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    with copies.place_beside(target, "partial") as path:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        Path(f"{path}-wal").touch()

    assert files(tmp_path) == []
    with pytest.raises(StoreError, match="No such file") as refused, copies.place_beside(tmp_path / "no" / "b", "new"):
        pass
    assert refused.value.code == "read_only"


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "schema_newer"),
        ("DROP TABLE alembic_version", "schema_missing"),
        ("DELETE FROM alembic_version", "schema_missing"),
        ("INSERT INTO accounts (project_id, profile_url, url_key) VALUES ('none', 'u', 'u')", "database_corrupt"),
    ],
)
def test_a_file_is_looked_through(file: Path, damage: str, code: str) -> None:
    copies.check(file)
    with closing(sqlite3.connect(file)) as hand:
        hand.execute(damage)
        hand.commit()

    with pytest.raises(StoreError) as refused:
        copies.check(file)
    assert refused.value.code == code


def test_what_can_be_lost_is_known(file: Path, tmp_path: Path) -> None:
    empty, other, text, bare = (tmp_path / name for name in ("empty", "other", "text", "bare"))
    empty.touch()
    with closing(sqlite3.connect(bare)) as hand:
        hand.execute("PRAGMA user_version = 1")
    text.write_bytes(b"no database at all" * 100)
    with closing(sqlite3.connect(other)) as hand:
        hand.execute("CREATE TABLE others (x)")

    assert [copies.holds_projects(one) for one in (tmp_path / "none", empty, bare)] == [False, False, False]
    assert [copies.holds_projects(one) for one in (file, text, other)] == [True, True, True]
    with closing(sqlite3.connect(file)) as hand:
        hand.execute("DELETE FROM projects")
        hand.commit()
    assert not copies.holds_projects(file)


def test_a_copy_takes_the_place_of_a_database_with_its_log_and_its_owner(
    sqlite_db: Database, file: Path, tmp_path: Path
) -> None:
    new = tmp_path / "new.db"
    new.touch(0o600)
    copies.copy(file, new)
    with sqlite_db.write() as tx:
        tx.exec_driver_sql("UPDATE projects SET name = 'later'")
    file.chmod(0o640)
    Path(f"{file}-wal").rename(tmp_path / "log")
    sqlite_db.close()
    (tmp_path / "log").rename(f"{file}-wal")  # of a process that was killed

    copies.put_in_place(new, file)

    assert names(file) == ["Project A"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert not Path(f"{file}-wal").exists()
    assert not new.exists()


def test_a_copy_comes_where_nothing_was(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "chown", refuse)  # not everybody is root
    new, target = tmp_path / "new.db", tmp_path / "data" / "there.db"
    new.touch()
    copies.copy(file, new)

    copies.put_in_place(new, target)

    assert names(target) == ["Project A"]


def test_a_database_that_is_back_is_left_alone(file: Path, tmp_path: Path) -> None:
    new, target = tmp_path / "new.db", tmp_path / "target.db"
    new.touch()
    copies.copy(file, new)

    with pytest.raises(copies.Taken):
        copies.put_in_place(new, file, only_if_gone=True)
    target.touch()  # as a start leaves it that was killed
    copies.put_in_place(new, target, only_if_gone=True)

    assert names(file) == names(target) == ["Project A"]


def test_a_database_in_use_is_left_alone(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise BlockingIOError

    new = tmp_path / "new.db"
    new.write_bytes(b"new")
    monkeypatch.setattr(fcntl, "lockf", refuse)  # locks of one process do not keep it out itself

    with pytest.raises(StoreError, match="is in use by another process") as refused:
        copies.put_in_place(new, file)

    assert refusal(refused)[0] == "database_in_use"
    assert names(file) == ["Project A"]


def test_what_the_disk_refuses_is_told(file: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written: No such file"):
        copies.put_in_place(tmp_path / "none", file)
    with pytest.raises(StoreError, match="cannot be written: No such file"):
        copies.keep_as(tmp_path / "none", tmp_path / "kept", overwrite=True)
    assert names(file) == ["Project A"]


def test_a_name_that_is_taken_is_kept(tmp_path: Path) -> None:
    new, there = tmp_path / "new", tmp_path / "there"
    new.write_text("new")
    there.write_text("there")

    with pytest.raises(StoreError, match="is there already"):
        copies.keep_as(new, there, overwrite=False)
    assert there.read_text() == "there"
    copies.keep_as(new, tmp_path / "free", overwrite=False)
    copies.keep_as(new, there, overwrite=True)

    assert (tmp_path / "free").read_text() == there.read_text() == "new"
