"""Damage that was met is remembered for as long as it is there; a newer schema and a crowded server are named."""

from __future__ import annotations

import random
import sqlite3
import stat
import time
from collections.abc import Hashable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from tests.damage import KINDS
from tests.fakes.service import ADMIN, Service
from tests.postgres_server import Server
from webapp.errors import StoreError
from webapp.store import days
from webapp.store.backends.postgres import Postgres
from webapp.store.backends.sqlite import Sqlite
from webapp.store.db import Database, open_database
from webapp.store.migrate import migrate
from webapp.store.soundness import LOOK_EVERY_S, Soundness
from webapp.store.tables import audit_log, projects
from webapp.store.types import UnreadableValue


@dataclass
class File:
    """What is looked at, and the clock that is looked by."""

    damaged: str | None = None
    written: int = 0
    looks: int = 0
    now: float = 0.0
    soundness: Soundness = field(init=False)

    def __post_init__(self) -> None:
        self.soundness = Soundness(self, lambda: self.now)

    def damage(self, *, quick: bool = False) -> str | None:
        assert not quick
        self.looks += 1
        return self.damaged

    def version(self) -> Hashable:
        return self.written


class TestWhatIsKnownOfDamage:
    def test_nothing_is_looked_at_while_nothing_is_odd(self) -> None:
        file = File()

        assert file.soundness.allows_writing()
        assert file.looks == 0

    def test_nobody_writes_once_it_was_met_and_nobody_looks_while_nothing_has_changed(self) -> None:
        file = File("page 7 is never used")
        file.soundness.note_damage()

        assert [file.soundness.allows_writing() for _ in range(3)] == [False] * 3
        assert file.soundness.is_damage()
        assert file.looks == 0

    def test_what_was_put_in_its_place_is_looked_at_once(self) -> None:
        file = File("page 7 is never used")
        file.soundness.note_damage()
        file.written = 1
        assert [file.soundness.allows_writing() for _ in range(2)] == [False] * 2
        assert file.looks == 1

        file.written, file.damaged = 2, None
        assert [file.soundness.allows_writing() for _ in range(2)] == [True] * 2
        assert file.looks == 2

    def test_an_odd_error_makes_somebody_look_but_not_all_the_time(self) -> None:
        file = File()
        assert [file.soundness.is_damage() for _ in range(5)] == [False] * 5
        assert file.looks == 1

        file.damaged, file.now = "page 7 is never used", LOOK_EVERY_S
        assert file.soundness.is_damage()
        assert not file.soundness.allows_writing()


def path_of(db: Database) -> Path:
    return Path(db.storage())


def test_a_fault_of_ours_stays_one_where_the_file_is_sound(db: Database) -> None:
    with pytest.raises(KeyError), db.read():
        raise KeyError("ours")

    assert db.explain(KeyError("ours")) is None
    assert db.explain(RuntimeError("not of this kind")) is None
    busy = StoreError("busy", code="database_busy")
    assert db.explain(busy) is busy


def test_a_file_that_is_restored_over_the_damaged_one_is_written_again(sqlite_db: Database) -> None:
    path = path_of(sqlite_db)
    sqlite_db.close()
    good = path.read_bytes()
    KINDS["noise"](path, random.Random(2))
    with pytest.raises(StoreError), sqlite_db.read() as tx:
        for table in sa.inspect(tx).get_table_names():
            tx.exec_driver_sql(f'SELECT * FROM "{table}"').all()
        raise ValueError("what comes of it")
    with pytest.raises(StoreError, match="is damaged"), sqlite_db.write():
        pass

    sqlite_db.close()
    path.write_bytes(good)

    with sqlite_db.write() as tx:
        tx.execute(projects.insert().values(id="p", name="Project A"))


def test_rows_that_refer_to_nothing_are_damage(sqlite_db: Database) -> None:
    path = path_of(sqlite_db)
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("INSERT INTO accounts (project_id, profile_url, url_key) VALUES ('gone', 'x', 'x')")
    assert Sqlite(str(path), busy_timeout_s=1).damage() == "rows refer to rows that are not there"
    assert sqlite_db.damage() is None  # a quick look does not compare them

    with pytest.raises(StoreError, match="is damaged"), sqlite_db.read():
        raise AssertionError("an account without its project")


def test_a_file_that_is_not_there_is_not_damaged(tmp_path: Path) -> None:
    assert Sqlite(str(tmp_path / "none.db"), busy_timeout_s=1).damage() is None


def test_an_error_in_a_file_that_is_gone_says_so(sqlite_db: Database) -> None:
    with pytest.raises(StoreError) as caught, sqlite_db.read() as tx:
        path_of(sqlite_db).unlink()
        tx.exec_driver_sql("SELECT oddity FROM projects")

    assert caught.value.code == "database_replaced"


def test_a_wrong_statement_is_a_fault_of_ours(sqlite_db: Database) -> None:
    with pytest.raises(sa.exc.OperationalError, match="no such column"), sqlite_db.read() as tx:
        tx.exec_driver_sql("SELECT oddity FROM projects")
    with sqlite_db.write() as tx:
        tx.exec_driver_sql("DROP TABLE alembic_version")

    with pytest.raises(sa.exc.OperationalError, match="no such column"), sqlite_db.read() as tx:
        tx.exec_driver_sql("SELECT oddity FROM projects")


def test_a_text_that_is_no_text_is_damage(sqlite_db: Database) -> None:
    with sqlite_db.write() as tx:
        tx.exec_driver_sql("INSERT INTO projects (id, name) VALUES ('p', CAST(x'ff' AS TEXT))")

    with pytest.raises(StoreError, match="is damaged"), sqlite_db.read() as tx:
        tx.execute(sa.select(projects.c.name)).all()


def test_a_text_that_is_no_json_is_named(db: Database) -> None:
    with db.write() as tx:
        tx.exec_driver_sql("INSERT INTO audit_log (action, target, before) VALUES ('a', 'b', '{')")

    with pytest.raises(UnreadableValue) as caught, db.read() as tx:
        tx.execute(sa.select(audit_log.c.before)).all()

    assert (caught.value.code, "JSON" in caught.value.message) == ("database_corrupt", True)


def test_sums_of_a_day_that_are_no_json_are_named(db: Database) -> None:
    day = date(2026, 3, 1)
    with db.write() as tx:
        tx.execute(projects.insert().values(id="p", name="Project A"))
        tx.exec_driver_sql("INSERT INTO project_days (project_id, day, sums) VALUES ('p', '2026-03-01', '[[1')")

    with pytest.raises(UnreadableValue) as caught, db.read() as tx:
        days.sums_at(tx, ["p"], day)

    assert (caught.value.code, "JSON" in caught.value.message) == ("database_corrupt", True)


@pytest.mark.parametrize("sql", ["SELECT 'soon' AS at", "SELECT '2026-13-01' AS at"])
def test_a_text_that_is_no_time_or_day_is_named(sqlite_db: Database, sql: str) -> None:
    for column in (sa.Column("at", audit_log.c.at.type), sa.Column("at", projects.c.start_date.type)):
        with pytest.raises(UnreadableValue), sqlite_db.read() as tx:
            tx.execute(sa.text(sql).columns(column)).all()


def test_what_is_made_is_for_its_user_alone(new_sqlite_url: str) -> None:
    db = open_database(new_sqlite_url)
    migrate(db)
    with db.write() as tx:
        tx.execute(projects.insert().values(id="p", name="Project A"))

    path = path_of(db)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    db.close()

    assert modes == dict.fromkeys([f"{path.name}{end}" for end in ("", "-wal", "-shm", ".migrate-lock")], 0o600)


class TestANewerSchema:
    """Another process, of a later version, migrates the database that this one is at work on."""

    @pytest.fixture
    def project(self, service: Service) -> str:
        service.sheet.rows("Project A", ["x.com/ann", 1000])
        service.sync()
        return str(service.project()["id"])

    @pytest.mark.own_database
    def test_is_named_where_it_gets_in_the_way_and_is_not_written(self, service: Service, project: str) -> None:
        service.write("ALTER TABLE accounts RENAME COLUMN username TO handle")
        with service.db._writer.begin() as tx:
            tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

        accounts = f"/api/projects/{project}/accounts"
        answers = [
            service.client.get(accounts, headers=ADMIN),
            service.trigger(),
            service.client.get(accounts, headers=ADMIN),
        ]
        assert [answer.status_code for answer in answers] == [503] * 3
        said = [answer.json for answer in answers if answer.json is not None]
        assert [(body["code"], "9999" in body["detail"]) for body in said] == [("schema_newer", True)] * 3

        with service.db._writer.begin() as tx:
            tx.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
            tx.exec_driver_sql("ALTER TABLE accounts RENAME COLUMN handle TO username")
        assert service.sync()["success"]

    @pytest.mark.own_database
    def test_is_noticed_before_anything_is_written(self, service: Service, project: str) -> None:
        with service.db._writer.begin() as tx:
            tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

        answer = service.sync(503)

        assert answer["code"] == "schema_newer"


def connections_used_up(db: Database) -> str:
    with pytest.raises(StoreError) as caught, db.read():
        pass
    assert caught.value.hint
    return caught.value.code


def user_once_there_is_room(db: Database) -> str:
    """A session counts for a moment longer than its connection, and than the server lists it."""
    deadline = time.monotonic() + 10
    while True:
        try:
            with db.read() as tx:
                return str(tx.execute(sa.text("SELECT current_user")).scalar())
        except StoreError as error:
            if error.code != "connections_used_up" or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


@pytest.mark.postgres
def test_a_server_without_a_free_connection_says_so(postgres: Server, postgres_url: str) -> None:
    postgres.execute("CREATE ROLE few LOGIN CONNECTION LIMIT 1")
    url = postgres_url.replace("postgres@", "few@")
    db = open_database(url)
    try:
        with psycopg.connect(url):
            assert connections_used_up(db) == "connections_used_up"
        assert user_once_there_is_room(db) == "few"
    finally:
        db.close()
        postgres.execute("DROP ROLE few")


@pytest.mark.postgres
@pytest.mark.parametrize(
    "words",
    [
        "FATAL:  sorry, too many clients already",
        "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
        'FATAL:  too many connections for database "smart_sync"',
        "FATAL:  no more connections allowed (max_client_conn)",
    ],
)
def test_however_a_server_says_it(postgres_url: str, words: str) -> None:
    backend = Postgres(sa.make_url(postgres_url))

    assert backend.code_of(psycopg.OperationalError(words), writing=False) == "connections_used_up"
    assert backend.code_of(psycopg.OperationalError("timeout expired"), writing=False) == "database_unreachable"
