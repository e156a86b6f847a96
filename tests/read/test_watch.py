from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.copied import replace_by_copy
from tests.read.world import World
from webapp.store.db import Database
from webapp.store.watch import INHERITED, Watch


@pytest.fixture
def watch(sqlite_db: Database) -> Iterator[Watch]:
    watch = Watch(sqlite_db)
    yield watch
    watch.close()


def write(path: str) -> None:
    """Another process commits something."""
    script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()"
    sql = "INSERT INTO leases (name) VALUES (hex(randomblob(8)))"
    subprocess.run([sys.executable, "-c", script, path, sql], check=True)


def test_nothing_written_is_the_same_version(watch: Watch, sqlite_db: Database) -> None:
    first = watch.version()
    with sqlite_db.read() as tx:
        tx.exec_driver_sql("SELECT * FROM projects").all()

    assert first is not None
    assert watch.version() == first


@pytest.mark.usefixtures("processes")
def test_every_commit_is_another_version(watch: Watch, sqlite_db: Database) -> None:
    seen = {watch.version()}
    for number in range(3):
        with sqlite_db.write() as tx:
            tx.exec_driver_sql(f"INSERT INTO leases (name) VALUES ('l{number}')")
        seen.add(watch.version())
    write(sqlite_db.storage())
    seen.add(watch.version())

    assert len(seen) == 5


def test_what_is_not_committed_is_no_other_version(watch: Watch, sqlite_db: Database) -> None:
    before = watch.version()

    with sqlite_db.write() as tx:
        tx.exec_driver_sql("INSERT INTO leases (name) VALUES ('l')")
        during = watch.version()

    assert (during == before, watch.version() == before) == (True, False)


def test_another_file_in_the_same_place_is_another_version(watch: Watch, sqlite_db: Database, tmp_path: Path) -> None:
    before = watch.version()
    replace_by_copy(Path(sqlite_db.storage()), tmp_path)

    after = watch.version()

    assert after is not None
    assert after != before


def test_a_file_that_is_not_there_has_no_version(watch: Watch, sqlite_db: Database) -> None:
    Path(sqlite_db.storage()).unlink()

    assert watch.version() is None


def test_a_server_s_database_has_no_version(postgres_db: Database) -> None:
    assert Watch(postgres_db).version() is None


@pytest.mark.usefixtures("processes")
def test_a_child_process_looks_through_its_own_connection(watch: Watch, sqlite_db: Database) -> None:
    ours = watch.version()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with os.fdopen(writing, "w") as out:
            out.write(repr(watch.version()))
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as told:
        theirs = told.read()

    assert theirs.startswith(f"({child}, ")
    assert watch.version() == ours


def test_a_child_closes_nothing_of_its_parent(
    watch: Watch, sqlite_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert watch.version() is not None
    parents = watch._connection
    assert parents is not None
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: -1)
        assert str(watch.version()).startswith("(-1, ")
        watch.close()

    assert parents.execute("SELECT 1").fetchone() == (1,)
    INHERITED.remove(parents)
    parents.close()


@pytest.mark.usefixtures("processes")
def test_kept_answers_end_with_the_write_of_another_process(sqlite_world: World) -> None:
    project = sqlite_world.project()
    sqlite_world.account(project, "ann", views=1)
    path = f"/api/projects/{project}/accounts"
    sqlite_world.json(path)
    script = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]);"
        "c.execute('UPDATE accounts SET views = 2'); c.execute('UPDATE projects SET revision = revision + 1'); c.commit()"
    )
    subprocess.run([sys.executable, "-c", script, sqlite_world.service.db.storage()], check=True)

    assert sqlite_world.json(path)["accounts"][0]["views"] == 2


def test_a_question_is_answered_by_the_file_of_that_version_alone(watch: Watch, sqlite_db: Database) -> None:
    version = watch.version()
    assert version is not None
    sql = "SELECT COUNT(*) FROM projects WHERE name <> ?"

    assert watch.ask(sql, ("x",), version) == [(0,)]
    assert watch.ask(sql, ("x",), (version[0], version[1], version[2] + 1, 0)) is None
    watch.close()
    assert watch.ask(sql, ("x",), version) is None


def test_a_question_that_cannot_be_answered_has_no_answer(watch: Watch) -> None:
    version = watch.version()
    assert version is not None

    assert watch.ask("SELECT * FROM nothing_of_ours", (), version) is None
