from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from traceback import format_exception
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import errors as pg

from tests.postgres_server import Server, unprivileged_user
from webapp.errors import ConfigError, StoreError
from webapp.store import db as db_module
from webapp.store.backends import sqlite as sqlite_module
from webapp.store.backends.dialect import now_ms
from webapp.store.backends.postgres import Postgres
from webapp.store.db import Database, normalise_url, open_database
from webapp.store.migrate import migrate
from webapp.store.statement import Query, insert, update, upsert
from webapp.store.tables import leases, projects

ROOT = Path(__file__).parents[2]
MANY = 2_000


def add(tx: sa.Connection, project: str = "a", **values: Any) -> None:
    tx.execute(sa.insert(projects).values(id=project, name=f"Project {project}", **values))


def names(db: Database) -> list[str]:
    with db.read() as tx:
        return list(tx.execute(sa.select(projects.c.id).order_by(projects.c.id)).scalars())


def path_of(db: Database) -> Path:
    return Path(db.storage())


def code_of_writing(db: Database) -> str:
    with pytest.raises(StoreError) as caught, db.write() as tx:
        add(tx)
    return caught.value.code


def code_of_reading(db: Database) -> str:
    with pytest.raises(StoreError) as caught:
        names(db)
    return caught.value.code


def codes(db: Database) -> tuple[str, str]:
    return code_of_reading(db), code_of_writing(db)


def run(script: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def impatient_db(database_url: str) -> Iterator[Database]:
    """A database that waits a tenth of a second for a lock."""
    options = "&options=-c lock_timeout=100" if database_url.startswith("postgresql") else ""
    db = open_database(database_url + options, busy_timeout_s=0.1)
    yield db
    db.close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


class TestTransactions:
    def test_what_was_written_is_there_afterwards(self, db: Database) -> None:
        with db.write() as tx:
            add(tx, "a")

        assert names(db) == ["a"]

    def test_an_exception_undoes_everything(self, db: Database) -> None:
        with pytest.raises(ZeroDivisionError), db.write() as tx:
            add(tx, "a")
            raise ZeroDivisionError

        assert names(db) == []

    def test_a_reading_transaction_can_not_write(self, db: Database) -> None:
        with pytest.raises((sa.exc.DBAPIError, RuntimeError), match=r"read-?only"), db.read() as tx:
            add(tx, "a")

        with db.write() as tx:
            add(tx, "b")
        assert names(db) == ["b"]

    def test_not_even_a_table_comes_of_a_reading_transaction(self, sqlite_db: Database) -> None:
        with sqlite_db.read() as tx:
            tx.exec_driver_sql("CREATE TABLE odd (id INTEGER)")

        with sqlite_db.read() as tx:
            assert not sa.inspect(tx).has_table("odd")

    def test_writing_before_does_not_count_as_written_by_a_reader(self, sqlite_db: Database) -> None:
        with sqlite_db.write() as tx:
            add(tx, "a")

        assert names(sqlite_db) == ["a"]  # by the same connection

    def test_reading_and_writing_in_turn_prepares_no_statement_anew(self, sqlite_db: Database) -> None:
        prepared: list[int] = []

        def note(action: int, *_: Any) -> int:
            prepared.append(action)
            return sqlite3.SQLITE_OK

        with sqlite_db.read() as tx:
            file: Any = tx.connection.dbapi_connection
        file.set_authorizer(note)
        for turn in ("a", "b", "c"):
            with sqlite_db.write() as tx:
                add(tx, turn)
            names(sqlite_db)
            if turn == "a":  # each for the first time
                assert sqlite3.SQLITE_INSERT in prepared
                prepared.clear()

        assert set(prepared) <= {sqlite3.SQLITE_TRANSACTION}  # of COMMIT and ROLLBACK, which the driver keeps none of

    def test_two_selects_of_one_answer_see_the_same_moment(self, db: Database) -> None:
        count = sa.select(sa.func.count()).select_from(projects)
        with db.read() as answer:
            before = answer.execute(count).scalar_one()
            with db.write() as tx:
                add(tx, "a")
            after = answer.execute(count).scalar_one()

        assert (before, after, names(db)) == (0, 0, ["a"])

    def test_a_reader_does_not_wait_for_a_writer(self, impatient_db: Database) -> None:
        with impatient_db.write() as tx:
            for number in range(MANY):  # more than the page cache of a writer holds back
                add(tx, str(number), worksheet_title="x" * 2_000)

            assert names(impatient_db) == []

    @pytest.mark.usefixtures("processes")
    def test_no_update_is_lost_between_processes(self, db: Database, database_url: str) -> None:
        script = """
import sys, sqlalchemy as sa
from webapp.store.db import open_database
from webapp.store.tables import leases
db = open_database(sys.argv[1], busy_timeout_s=60)
sys.stdin.readline()
for _ in range(50):
    with db.write() as tx:
        lock = sa.select(leases.c.fence).with_for_update()
        fence = tx.execute(lock).scalar_one()
        tx.execute(sa.update(leases).values(fence=fence + 1))
"""
        with db.write() as tx:
            tx.execute(sa.insert(leases).values(name="sync"))
        processes = [run(script, database_url) for _ in range(4)]
        for process in processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in processes:
            process.communicate()

        assert [process.returncode for process in processes] == [0, 0, 0, 0]
        with db.read() as tx:
            assert tx.execute(sa.select(leases.c.fence)).scalar_one() == 200

    def test_a_writer_waits_for_another_one(self, db: Database) -> None:
        def write() -> None:
            with db.write() as tx:
                tx.execute(sa.update(projects).values(revision=projects.c.revision + 1))

        with db.write() as tx:
            add(tx)
        second = threading.Thread(target=write)
        with db.write() as tx:
            tx.execute(sa.update(projects).values(revision=projects.c.revision + 1))
            second.start()
        second.join()

        with db.read() as tx:
            assert tx.execute(sa.select(projects.c.revision)).scalar_one() == 2

    def test_the_lock_is_free_after_a_transaction_that_failed(self, impatient_db: Database) -> None:
        for _ in range(3):
            with pytest.raises(ZeroDivisionError), impatient_db.write():
                raise ZeroDivisionError

        with impatient_db.write() as tx:
            add(tx)
        assert names(impatient_db) == ["a"]

    def test_the_clock_of_the_database_gives_milliseconds(self, db: Database) -> None:
        before = int(time.time() * 1000) - 1
        with db.read() as tx:
            now = tx.execute(sa.select(now_ms())).scalar_one()

        assert before <= now <= time.time() * 1000 + 1

    def test_the_clock_goes_on_within_a_transaction(self, db: Database) -> None:
        with db.read() as tx:
            first = tx.execute(sa.select(now_ms())).scalar_one()
            while tx.execute(sa.select(now_ms())).scalar_one() == first:
                pass

    def test_the_clock_can_be_compared_in_a_statement(self, db: Database) -> None:
        with db.write() as tx:
            tx.execute(sa.insert(leases).values(name="sync", expires_at=now_ms() + 60_000))
            live = sa.select(leases.c.name).where(leases.c.expires_at > now_ms())

            assert tx.execute(live).scalar_one() == "sync"


class TestBugsStayLoud:
    def test_a_refused_constraint(self, db: Database) -> None:
        with pytest.raises(sa.exc.IntegrityError), db.write() as tx:
            add(tx, status="secret-status")

    def test_a_reference_to_nothing(self, db: Database) -> None:
        with pytest.raises(sa.exc.IntegrityError), db.write() as tx:
            tx.execute(sa.text("INSERT INTO accounts (project_id, profile_url, url_key) VALUES ('none', 'url', 'key')"))

    def test_a_column_that_does_not_exist(self, db: Database) -> None:
        with pytest.raises(sa.exc.DBAPIError, match="nonsense"), db.read() as tx:
            tx.execute(sa.text("SELECT nonsense FROM projects"))

    def test_a_number_beyond_64_bits(self, db: Database) -> None:
        with pytest.raises((OverflowError, sa.exc.DataError)), db.write() as tx:
            add(tx, target_views=2**63)

    def test_no_value_is_repeated_in_an_error(self, db: Database) -> None:
        with pytest.raises(sa.exc.IntegrityError) as caught, db.write() as tx:
            add(tx, status="active", interval_minutes=-1, worksheet_title="secret-title")

        said = str(caught.value).split("DETAIL")[0]  # PostgreSQL itself repeats the row there
        assert "secret-title" not in said


class TestBusy:
    def test_a_lock_held_too_long(self, impatient_db: Database, db: Database) -> None:
        with db.write() as holder:
            add(holder)
            if db.dialect == "postgresql":
                holder.execute(sa.text("LOCK TABLE projects IN SHARE ROW EXCLUSIVE MODE"))

            assert code_of_writing(impatient_db) == "database_busy"
            assert names(impatient_db) == []

        with impatient_db.write() as tx:
            add(tx, "b")
        assert names(db) == ["a", "b"]

    def test_a_lock_that_keeps_even_readers_out(self, sqlite_url: str) -> None:
        db = open_database(sqlite_url, busy_timeout_s=0.01)
        with closing(sqlite3.connect(path_of(db), isolation_level=None)) as other:
            other.execute("PRAGMA journal_mode=DELETE")
            other.execute("BEGIN EXCLUSIVE")

            assert codes(db) == ("database_busy", "database_busy")

        assert names(db) == []
        db.close()

    def test_more_threads_than_connections(self, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(db_module, "POOL_TIMEOUT_S", 0.01)
        db = open_database(database_url, pool_size=1)

        with db.read():
            assert codes(db) == ("database_busy", "database_busy")

        assert names(db) == []
        db.close()


class TestSqliteFile:
    def test_files_beside_that_cannot_be_written_get_the_mode_of_the_database(
        self, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The superuser may write whatever the mode is, so this asks for the mode itself."""
        path = Path(sqlite_url.removeprefix("sqlite:///"))
        monkeypatch.setattr(sqlite_module, "_may_write", lambda file: bool(file.stat().st_mode & 0o200))
        path.chmod(0o444)
        with closing(sqlite3.connect(path)) as kept:
            kept.execute("SELECT id FROM projects").fetchall()
            beside = Path(f"{path}-shm")
            assert beside.stat().st_mode & 0o777 == 0o444

            path.chmod(0o644)
            db = open_database(sqlite_url)
            assert names(db) == []
            assert beside.stat().st_mode & 0o777 == 0o644
            db.close()

    def test_no_connection_to_a_file_that_only_reads_is_kept(
        self, sqlite_db: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looked: list[Path] = []

        def may_write(path: Path) -> bool:
            looked.append(path)
            return False

        monkeypatch.setattr(sqlite_module, "_may_write", may_write)
        names(sqlite_db)
        names(sqlite_db)
        assert looked == [path_of(sqlite_db)] * 2  # each time a file is opened

        monkeypatch.undo()
        with sqlite_db.write() as tx:
            add(tx)

        assert names(sqlite_db) == ["a"]

    def test_opening_touches_nothing(self, tmp_path: Path) -> None:
        db = open_database(f"sqlite:///{tmp_path}/folder/file.db")

        assert (list(tmp_path.iterdir()), db.storage()) == ([], f"{tmp_path}/folder/file.db")

    def test_a_path_may_have_any_characters(self, tmp_path: Path) -> None:
        folder = tmp_path / "a ?#é&=;"
        db = open_database(f"sqlite:///{folder}/x.db".replace("?", "%3F"))
        migrate(db)

        assert (folder / "x.db").is_file()
        db.close()

    def test_every_connection_is_set_up(self, sqlite_db: Database) -> None:
        wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000, "mmap_size": 0}
        wanted["temp_store"] = 2  # what may have to be undone takes no file

        with sqlite_db.read(), sqlite_db.read() as tx:
            found = {name: tx.execute(sa.text(f"PRAGMA {name}")).scalar_one() for name in wanted}
            limit = tx.execute(sa.text("PRAGMA journal_size_limit")).scalar_one()

        assert (found, limit) == (wanted, 16 * 1024 * 1024)

    def test_a_file_that_is_not_there_is_not_made(self, tmp_path: Path) -> None:
        db = open_database(f"sqlite:///{tmp_path}/none.db")

        assert codes(db) == ("database_missing", "database_missing")
        assert list(tmp_path.iterdir()) == []

    def test_a_full_disk_undoes_the_whole_change(self, sqlite_db: Database) -> None:
        with sqlite_db.write() as tx:
            add(tx, "before")
            pages = tx.execute(sa.text("PRAGMA page_count")).scalar_one()
            tx.execute(sa.text(f"PRAGMA max_page_count = {pages + 2}"))

        with pytest.raises(StoreError) as caught, sqlite_db.write() as tx:
            for number in range(MANY):
                add(tx, str(number))

        assert (caught.value.code, names(sqlite_db)) == ("disk_full", ["before"])
        assert caught.value.hint
        assert "free space" in caught.value.hint

    def test_after_a_full_disk_was_freed_writing_works(self, sqlite_db: Database) -> None:
        with sqlite_db.write() as tx:
            pages = tx.execute(sa.text("PRAGMA page_count")).scalar_one()
            tx.execute(sa.text(f"PRAGMA max_page_count = {pages}"))
        with pytest.raises(StoreError, match="no space"), sqlite_db.write() as tx:
            for number in range(MANY):
                add(tx, str(number))

        with sqlite_db.write() as tx:
            tx.execute(sa.text("PRAGMA max_page_count = 100000"))
            add(tx)

        assert names(sqlite_db) == ["a"]

    @pytest.mark.parametrize(
        "garbage",
        [b"\0" * 100, b"not a database " * 10, os.urandom(4096), b"SQLite format 3\0" + b"\xff" * 84, b"x"],
        ids=["zeros", "text", "noise", "header", "byte"],
    )
    def test_garbage_over_the_header_is_noticed_and_left_alone(self, sqlite_db: Database, garbage: bytes) -> None:
        path = path_of(sqlite_db)
        path.write_bytes(garbage + path.read_bytes()[len(garbage) :])
        damaged = path.read_bytes()

        assert codes(sqlite_db) == ("database_corrupt", "database_corrupt")
        assert path.read_bytes() == damaged

    def test_a_file_of_another_kind_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.txt"
        path.write_text("my notes\n" * 1_000)

        with pytest.raises(StoreError) as caught:
            migrate(open_database(f"sqlite:///{path}"))

        assert (caught.value.code, path.read_text()) == ("database_corrupt", "my notes\n" * 1_000)

    def test_a_damaged_page_is_noticed_when_it_is_read(self, sqlite_db: Database) -> None:
        path = path_of(sqlite_db)
        content = bytearray(path.read_bytes())
        with sqlite_db.read() as tx:
            roots = (
                tx.execute(sa.text("SELECT rootpage FROM sqlite_master WHERE tbl_name = 'projects'")).scalars().all()
            )
        sqlite_db.close()
        for root in roots:
            content[(root - 1) * 4096 : root * 4096] = b"\x77" * 4096
        path.write_bytes(content)

        assert codes(sqlite_db) == ("database_corrupt", "database_corrupt")

    def test_a_file_cut_in_half_is_damaged(self, sqlite_db: Database) -> None:
        path = path_of(sqlite_db)
        os.truncate(path, path.stat().st_size // 2)

        assert codes(sqlite_db) == ("database_corrupt", "database_corrupt")

    @pytest.mark.parametrize("in_use", [True, False])
    def test_an_emptied_file_has_lost_its_tables_and_stays_empty(self, sqlite_db: Database, in_use: bool) -> None:
        path = path_of(sqlite_db)
        if in_use:
            assert names(sqlite_db) == []
        os.truncate(path, 0)

        assert codes(sqlite_db) == ("schema_missing", "schema_missing")
        assert path.stat().st_size == 0

    @pytest.mark.own_database
    def test_tables_that_are_not_there(self, db: Database) -> None:
        with db.write() as tx:
            tx.execute(sa.text("DROP TABLE leases"))

        with pytest.raises(StoreError) as caught, db.read() as tx:
            tx.execute(sa.select(leases))

        assert caught.value.code == "schema_missing"

    @pytest.mark.parametrize("first", [code_of_reading, code_of_writing])
    def test_a_deleted_file_is_noticed_and_not_made_again(self, sqlite_db: Database, first: Any) -> None:
        path = path_of(sqlite_db)
        assert names(sqlite_db) == []
        path.unlink()

        assert (first(sqlite_db), *codes(sqlite_db)) == ("database_replaced", "database_missing", "database_missing")
        assert not path.exists()

    def test_a_file_deleted_while_a_change_is_written_takes_no_change(self, sqlite_db: Database) -> None:
        path = path_of(sqlite_db)
        kept = path.with_name("kept.db")

        with pytest.raises(StoreError) as caught, sqlite_db.write() as tx:
            add(tx)
            path.rename(kept)

        assert caught.value.code == "database_replaced"
        kept.rename(path)
        assert names(sqlite_db) == []

    @pytest.mark.parametrize("first", [code_of_reading, code_of_writing])
    def test_a_restored_backup_is_used_after_one_refusal(self, sqlite_db: Database, tmp_path: Path, first: Any) -> None:
        backup = tmp_path / "backup.db"
        with sqlite_db.write() as tx:
            add(tx, "backed up")
        with closing(sqlite3.connect(path_of(sqlite_db), isolation_level=None)) as other:
            other.execute("VACUUM INTO ?", (str(backup),))
        with sqlite_db.write() as tx:
            add(tx, "later")
        for suffix in ("-wal", "-shm"):
            Path(f"{path_of(sqlite_db)}{suffix}").unlink()
        backup.rename(path_of(sqlite_db))

        assert first(sqlite_db) == "database_replaced"

        with sqlite_db.write() as tx:
            add(tx, "new")
        assert names(sqlite_db) == ["backed up", "new"]

    def test_a_file_that_can_not_be_opened_in_a_folder_of_others_is_a_matter_of_rights(self, tmp_path: Path) -> None:
        error = sqlite3.OperationalError()
        error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN

        def code(path: Path) -> str | None:
            return sqlite_module.Sqlite(str(path), busy_timeout_s=1).code_of(error, writing=True)

        assert code(tmp_path / "no-folder" / "smart-sync.db") == "read_only"
        assert code(tmp_path / "smart-sync.db") == sqlite_module.CODES[sqlite3.SQLITE_CANTOPEN]

    def test_a_file_replaced_while_it_is_opened_is_refused_and_closed(
        self, sqlite_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        open_file = sqlite_module.Sqlite._open
        opened: list[sqlite3.Connection] = []
        copy = shutil.copyfile(path_of(sqlite_db), tmp_path / "copy.db")

        def replace_and_open(self: sqlite_module.Sqlite) -> Any:
            opened.append(open_file(self))
            copy.rename(self.path)
            return opened[-1]

        monkeypatch.setattr(sqlite_module.Sqlite, "_open", replace_and_open)

        assert code_of_reading(sqlite_db) == "database_replaced"
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            opened[-1].execute("SELECT 1")

    def test_a_damaged_file_restored_in_place_is_used_again(self, sqlite_db: Database) -> None:
        path = path_of(sqlite_db)
        good = path.read_bytes()
        os.truncate(path, len(good) // 2)
        assert code_of_reading(sqlite_db) == "database_corrupt"

        path.write_bytes(good)

        assert names(sqlite_db) == []

    def test_a_disk_that_can_not_do_write_ahead_logging_is_refused(
        self, new_sqlite_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        uri = sqlite_module.Sqlite._uri
        # Dot files as locks, for disks that share no memory: what SQLite has for network shares.
        monkeypatch.setattr(sqlite_module.Sqlite, "_uri", lambda self: f"{uri(self)}&vfs=unix-dotfile")

        with pytest.raises(StoreError) as caught:
            migrate(open_database(new_sqlite_url))

        assert caught.value.code == "wal_refused"
        assert caught.value.hint
        assert "local disk" in caught.value.hint


AS_ANOTHER_USER = """
import json, os, sys
import sqlalchemy as sa
from webapp.errors import StoreError
from webapp.store.db import open_database
from webapp.store.migrate import migrate
from webapp.store.tables import projects

def attempt(action):
    try:
        action()
    except StoreError as error:
        return [error.code, str(error)]
    return ["ok", ""]

def read(db):
    with db.read() as tx:
        tx.execute(sa.select(projects.c.id)).all()

def write(db):
    with db.write() as tx:
        tx.execute(sa.insert(projects).values(id="a", name="A"))

url, user, group = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
warm = open_database(sys.argv[4])  # everything is imported before the rights are given up
migrate(warm)
read(warm)
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)
db = open_database(url)
steps = {"migrate": lambda: migrate(db), "read": lambda: read(db), "write": lambda: write(db)}
if os.path.exists(db.storage()) and os.stat(db.storage()).st_uid == os.geteuid():
    steps |= {
        "read again": lambda: read(db),
        "change the mode": lambda: os.chmod(db.storage(), 0o644),
        "write again": lambda: write(db),
    }
print(json.dumps({name: attempt(step) for name, step in steps.items()} | {"uid": os.geteuid()}))
"""


@pytest.mark.usefixtures("processes")
class TestRights:
    """Somebody who may not write; root may always, so these become somebody else."""

    @staticmethod
    def attempts(path: Path, tmp_path: Path) -> dict[str, Any]:
        user = unprivileged_user()
        ids = (str(user.pw_uid), str(user.pw_gid)) if user else ("0", "0")
        process = run(AS_ANOTHER_USER, f"sqlite:///{path}", *ids, f"sqlite:///{tmp_path}/warm.db")
        answer: dict[str, Any] = json.loads(process.communicate()[0])
        return answer

    @staticmethod
    def database(folder: Path) -> Path:
        path = folder / "smart-sync.db"
        db = open_database(f"sqlite:///{path}")
        migrate(db)
        db.close()
        path.chmod(0o444)
        return path

    def test_a_read_only_file(self, open_folder: Path, tmp_path: Path) -> None:
        path = self.database(open_folder)
        open_folder.chmod(0o777)

        answer = self.attempts(path, tmp_path)

        assert (answer["migrate"][0], answer["read"][0], answer["write"][0]) == ("ok", "ok", "read_only")
        assert Path(f"{path}-shm").exists()

        path.chmod(0o666)

        assert self.attempts(path, tmp_path)["write"] == ["ok", ""]

    def test_a_file_that_was_read_only_is_written_from_the_next_call_on(
        self, open_folder: Path, tmp_path: Path
    ) -> None:
        path = self.database(open_folder)
        open_folder.chmod(0o777)
        if user := unprivileged_user():
            os.chown(path, user.pw_uid, user.pw_gid)

        answer = self.attempts(path, tmp_path)

        assert (answer["read again"][0], answer["write again"]) == ("ok", ["ok", ""])

    def test_a_read_only_folder(self, open_folder: Path, tmp_path: Path) -> None:
        path = self.database(open_folder)
        open_folder.chmod(0o555)

        answer = self.attempts(path, tmp_path)

        assert answer["write"][0] == "read_only"
        assert str(path) in answer["write"][1]
        assert f"user {answer['uid']}" in answer["write"][1]

    def test_a_folder_that_can_not_be_made(self, open_folder: Path, tmp_path: Path) -> None:
        path = open_folder / "closed" / "new" / "smart-sync.db"
        path.parent.parent.mkdir(0o555)

        answer = self.attempts(path, tmp_path)

        assert answer["migrate"][0] == "read_only"
        assert str(path) in answer["migrate"][1]
        assert f"user {answer['uid']}" in answer["migrate"][1]

    def test_a_folder_in_which_no_file_can_be_made(self, open_folder: Path, tmp_path: Path) -> None:
        path = open_folder / "closed" / "smart-sync.db"
        path.parent.mkdir(0o555)

        answer = self.attempts(path, tmp_path)

        assert answer["migrate"][0] == "read_only"
        assert not path.exists()

    def test_a_folder_that_can_not_be_entered(self, open_folder: Path, tmp_path: Path) -> None:
        path = self.database(open_folder)
        open_folder.chmod(0o700 if unprivileged_user() else 0o000)

        answer = self.attempts(path, tmp_path)
        open_folder.chmod(0o700)

        assert [answer[step][0] for step in ("migrate", "read", "write")] == ["read_only"] * 3


class TestPostgres:
    def test_sessions_are_in_utc_and_every_wait_has_an_end(self, postgres_db: Database) -> None:
        wanted = {
            "timezone": "UTC",
            "lock_timeout": "5s",
            "statement_timeout": "1min",
            "idle_in_transaction_session_timeout": "1min",
        }

        with postgres_db.write() as tx:
            found = {name: tx.execute(sa.text(f"SHOW {name}")).scalar_one() for name in wanted}

        assert found == wanted

    def test_statements_are_planned_for_disks_that_do_not_turn_and_not_compiled_unless_told_so(
        self, postgres_url: str
    ) -> None:
        names = ("jit", "random_page_cost")
        found = {}

        for options in ("", "&options=-c%20random_page_cost%3D4%20-c%20jit%3Don"):
            db = open_database(postgres_url + options)
            with db.read() as tx:
                found[options] = [tx.execute(sa.text(f"SHOW {name}")).scalar_one() for name in names]
            db.close()

        assert [*found.values()] == [["off", "1.1"], ["on", "4"]]

    @pytest.mark.own_database
    def test_a_connection_that_ended_while_idle_is_replaced_unnoticed(
        self, postgres_db: Database, postgres: Server
    ) -> None:
        assert names(postgres_db) == []
        end_sessions(postgres, postgres_db)

        assert names(postgres_db) == []

    @pytest.mark.own_database
    def test_a_connection_that_ends_within_a_change_undoes_it(self, postgres_db: Database, postgres: Server) -> None:
        with pytest.raises(StoreError) as caught, postgres_db.write() as tx:
            add(tx, "lost")
            end_sessions(postgres, postgres_db)
            add(tx, "never")

        assert (caught.value.code, names(postgres_db)) == ("database_unreachable", [])

    @pytest.mark.own_database
    def test_a_change_whose_commit_finds_no_server_is_not_taken_for_done(
        self, postgres_db: Database, postgres: Server
    ) -> None:
        with pytest.raises(StoreError) as caught, postgres_db.write() as tx:
            add(tx, "lost")
            end_sessions(postgres, postgres_db)

        assert (caught.value.code, names(postgres_db)) == ("database_unreachable", [])

    @pytest.mark.parametrize(
        ("url", "code"),
        [
            ("postgresql://user:secret-word@127.0.0.1:1/db", "database_unreachable"),
            ("postgresql://user:secret-word@no-such-host.invalid/db", "database_unreachable"),
            ("postgresql://user:secret-word@/db?host=/no/such/folder", "database_unreachable"),
        ],
        ids=["port", "host", "socket"],
    )
    def test_a_server_that_is_not_there(self, url: str, code: str) -> None:
        db = open_database(url)

        with pytest.raises(StoreError) as caught:
            migrate(db)

        assert caught.value.code == code
        assert "secret-word" not in f"{caught.value} {db.storage()}"

    def test_a_server_that_is_not_there_is_not_opened_in_the_drivers_words(self) -> None:
        db = open_database("postgresql://user:secret-word@127.0.0.1:1/db")

        with pytest.raises(StoreError) as caught:
            db.open()

        assert caught.value.code == "database_unreachable"

    def test_a_database_that_is_not_there(self, postgres: Server) -> None:
        db = open_database(postgres.url("no_such_database"))

        with pytest.raises(StoreError, match="no_such_database") as caught:
            migrate(db)

        assert caught.value.code == "database_absent"
        assert "CREATE DATABASE" in str(caught.value)

    def test_a_role_that_is_not_there(self, postgres: Server) -> None:
        with pytest.raises(StoreError, match="does not let in the role nobody") as caught:
            migrate(open_database(postgres.url("postgres").replace("//postgres@", "//nobody:secret-word@")))

        assert caught.value.code == "database_login"
        assert "secret-word" not in str(caught.value)

    @pytest.mark.parametrize(
        ("words", "code"),
        [
            ('FATAL:  password authentication failed for user "ann"', "database_login"),
            ("fe_sendauth: no password supplied", "database_login"),
            ('FATAL:  no pg_hba.conf entry for host "1.2.3.4", user "ann"', "database_login"),
            ('FATAL:  role "ann" is not permitted to log in', "database_login"),
            ("FATAL:  no such user: ann", "database_login"),
            ("FATAL:  no such database: sync", "database_absent"),
        ],
    )
    def test_why_a_server_refuses_is_told(self, words: str, code: str) -> None:
        error = psycopg.OperationalError(f"connection failed: {words}")

        assert Postgres(normalise_url("postgresql://host/db")).code_of(error, writing=False) == code
        assert code in db_module.WORDS

    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (pg.LockNotAvailable, "database_busy"),
            (pg.DeadlockDetected, "database_busy"),
            (pg.SerializationFailure, "database_busy"),
            (pg.QueryCanceled, "database_busy"),
            (pg.IdleInTransactionSessionTimeout, "database_busy"),
            (pg.DiskFull, "disk_full"),
            (pg.ReadOnlySqlTransaction, "read_only"),
            (pg.InsufficientPrivilege, "read_only"),
            (pg.DataCorrupted, "database_corrupt"),
            (pg.IndexCorrupted, "database_corrupt"),
            (pg.UndefinedTable, "schema_missing"),
            (pg.InvalidSchemaName, "database_option"),
            (pg.AdminShutdown, "database_unreachable"),
            (pg.CannotConnectNow, "database_unreachable"),
            (psycopg.OperationalError, "database_unreachable"),
            (pg.UniqueViolation, None),
            (pg.UndefinedColumn, None),
            (pg.NumericValueOutOfRange, None),
            (psycopg.InterfaceError, None),
        ],
    )
    def test_every_state_of_the_server_has_our_code(self, error: type[psycopg.Error], code: str | None) -> None:
        backend = Postgres(normalise_url("postgresql://host/db"))

        assert backend.code_of(None, writing=True) is None
        assert backend.code_of(error(), writing=True) == code
        assert code is None or code in db_module.WORDS


def end_sessions(server: Server, db: Database) -> None:
    name = db.storage().rpartition("/")[2]
    server.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'")


FORK = """
import os, sys
import sqlalchemy as sa
from webapp.store.db import open_database
from webapp.store.tables import projects

def add(name):
    with db.write() as tx:
        tx.execute(sa.insert(projects).values(id=name, name=name))

db = open_database(sys.argv[1])
add("before")
with db.read() as tx:
    child = os.fork()
    if child == 0:
        add("child")
        db.close()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    tx.execute(sa.select(projects)).all()
add("after")
sys.exit(status)
"""


class TestProcesses:
    @pytest.mark.usefixtures("processes")
    def test_a_forked_child_and_its_parent_both_go_on(self, db: Database, database_url: str) -> None:
        process = run(FORK, database_url)
        process.communicate()

        assert (process.returncode, names(db)) == (0, ["after", "before", "child"])

    def test_a_forked_child_leaves_what_was_open_to_its_parent(self, db: Database) -> None:
        with db.read() as tx:
            db._leave_to_the_parent()

            with db.write() as other:
                add(other, "child")
            assert tx.execute(sa.select(sa.func.count()).select_from(projects)).scalar_one() in {0, 1}
        db._inherited.pop().dispose()

    def test_what_is_opened_stays_open(self, db: Database) -> None:
        db.close()

        db.open()

        assert isinstance(db._engine.pool, sa.QueuePool)
        assert (db._engine.pool.checkedin(), db._engine.pool.checkedout()) == (1, 0)

    def test_a_forked_child_has_nothing_to_leave_where_nothing_was_open(self, db: Database) -> None:
        with db.read():
            pass
        db.close()
        pool = db._engine.pool

        db._leave_to_the_parent()

        assert (db._engine.pool, db._inherited) == (pool, [])

    def test_only_what_still_lives_is_called_in_a_child(self, monkeypatch: pytest.MonkeyPatch) -> None:
        calls: list[str] = []
        in_children: list[Any] = []
        monkeypatch.setattr(os, "register_at_fork", lambda **calls: in_children.extend(calls.values()))

        class Owner:
            def act(self) -> None:
                calls.append("act")

        owner = Owner()
        db_module.after_fork(weakref.WeakMethod(owner.act))
        in_children[0]()
        del owner
        in_children[0]()

        assert calls == ["act"]

    def test_threads_share_a_database(self, db: Database) -> None:
        def write(number: int) -> None:
            with db.write() as tx:
                add(tx, f"{number:02}")
            assert f"{number:02}" in names(db)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert names(db) == [f"{number:02}" for number in range(16)]

    def test_a_closed_database_opens_again(self, db: Database) -> None:
        db.close()

        assert names(db) == []


class TestUrl:
    @pytest.mark.parametrize(
        ("url", "driver", "place"),
        [
            ("postgres://user:word@host:5433/name", "postgresql+psycopg", "host:5433/name"),
            ("postgresql://user@host/name", "postgresql+psycopg", "host/name"),
            ("postgresql+psycopg://host/name?sslmode=require", "postgresql+psycopg", "host/name"),
            ("sqlite:////var/lib/x.db", "sqlite", "/var/lib/x.db"),
            ("postgresql://user:a/b:c?d@host/name", "postgresql+psycopg", "host/name"),
            ("postgresql://user:word@[::1]:5432/name", "postgresql+psycopg", "::1:5432/name"),
            ("postgresql://user:word@/name?host=one:1&host=two:2", "postgresql+psycopg", "one:1,two:2/name"),
            ("postgresql://user:word@/name", "postgresql+psycopg", "the local socket/name"),
            ("postgresql+psycopg2://user:word@host/name", "postgresql+psycopg", "host/name"),
            ("postgres+asyncpg://host/name", "postgresql+psycopg", "host/name"),
            ("postgresql://%2Fvar%2frun:5433/name", "postgresql+psycopg", "/var/run:5433/name"),
            ("postgresql://a:b@one:1/name?host=two&port=2&dbname=other", "postgresql+psycopg", "two:2/other"),
            ("sqlite+pysqlite:////var/lib/x.db", "sqlite", "/var/lib/x.db"),
        ],
    )
    def test_a_url_is_understood(self, url: str, driver: str, place: str) -> None:
        assert normalise_url(url).drivername == driver
        assert open_database(url).storage() == place

    @pytest.mark.parametrize(
        "url",
        [
            "mysql://root:secret-word@host/name",
            "secret-word",
            "",
            "sqlite:///x.db?mode=ro",
            "sqlite:///data/what?.db",
            "sqlite://data/x.db",
            "sqlite://root:secret-word@/x.db",
            "postgresql://root:secret-word@host/x\n",
            "postgresql://root:secret-word@host/x\u200b",
        ],
    )
    def test_any_other_is_refused_without_repeating_it(self, url: str) -> None:
        with pytest.raises(ConfigError, match="DATABASE_URL") as caught:
            open_database(url)

        assert "secret-word" not in str(caught.value)

    def test_slashes_of_a_file_are_explained(self) -> None:
        with pytest.raises(ConfigError, match="three slashes before a path from here"):
            open_database("sqlite://data/x.db")

    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
    def test_memory_is_no_place_for_what_workers_share(self, url: str) -> None:
        with pytest.raises(ConfigError, match="memory"):
            open_database(url)

    def test_a_relative_path_stays_where_it_was_when_the_folder_changes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        db = open_database("sqlite:///data/x.db")
        monkeypatch.chdir("/")

        assert db.storage() == f"{tmp_path}/data/x.db"

    def test_postgresql_without_its_driver_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(sys.modules, "webapp.store.backends.postgres")
        monkeypatch.setitem(sys.modules, "psycopg", None)

        with pytest.raises(ConfigError, match="not installed") as caught:
            open_database("postgresql://host/name")

        assert caught.value.hint == "pip install 'smart-sync[postgres]'"


def test_rows_that_nobody_wants_any_more_disturb_nobody_when_their_connection_has_gone() -> None:
    numbers = Query(lambda _: sa.select(sa.func.json_each("[1,2,3]").table_valued("value").c.value))
    connection = sa.create_engine("sqlite://").connect()
    rows = numbers.rows(connection)
    assert next(rows) == (1,)
    connection.detach()
    connection.close()

    rows.close()  # type: ignore[attr-defined]


def test_tuples_that_mean_one_row_are_done_one_after_the_other(db: Database) -> None:
    put = upsert(leases, ("name",))
    rows = [(f"lease {number % 30}", "somebody", number, 0) for number in range(60)]

    with db.write() as tx:
        assert put.run(tx, rows) == 60
        assert put.run(tx, rows[30:]) == 30
        stored = tx.execute(sa.select(leases.c.fence).order_by(leases.c.fence)).scalars().all()

    assert stored == list(range(30, 60))


def test_many_tuples_are_inserted_and_changed_as_if_one_by_one(db: Database) -> None:
    add, change = insert(leases, ("name", "holder", "fence", "expires_at")), update(leases.c.name, ("fence",))

    with db.write() as tx:
        for half in (range(30), range(30, 60)):
            assert add.run(tx, [(f"lease {number}", "somebody", number, 0) for number in half]) == 30
            assert change.run(tx, [(number + 100, f"lease {number}") for number in half]) == 30
        stored = tx.execute(sa.select(leases.c.fence).order_by(leases.c.fence)).scalars().all()

    assert stored == list(range(100, 160))


def test_an_option_of_another_program_is_named() -> None:
    with pytest.raises(ConfigError, match="no option 'pgbouncer', 'schema'") as caught:
        open_database("postgresql://user:secret-word@host/name?pgbouncer=true&schema=public&sslmode=require")

    assert "secret-word" not in str(caught.value)


@pytest.mark.parametrize("name", ["password", "sslpassword"])
def test_what_stands_behind_a_password_is_no_name_of_an_option(name: str) -> None:
    with pytest.raises(ConfigError, match="there is an option that PostgreSQL does not have") as caught:
        open_database(f"postgresql://user@host/name?{name}=p&hidden=1")

    assert "hidden" not in str(caught.value)
    assert "%26" in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:p@hidden@host/name",
        "postgresql://user:p@hidden/word@host:1/name",
        "postgresql://user:p@hidden?x=1@host:1/name",
        "postgresql://user:p@hidden?word@host:1/name",
        "postgresql://user/hidden@host/name",
        "postgresql://host/name?user=ann&password=p@hidden",
        "postgresql://host?user=ann&password=p@hidden",
        "postgresql://host:1/name?user=ann&password=p@hidden",
        "postgresql://user%3Ahidden%40host/name",
    ],
)
def test_a_password_of_which_nobody_knows_where_it_ends_is_not_printed(url: str) -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL: it cannot be told where the password ends") as caught:
        open_database(url)

    assert "hidden" not in "".join(format_exception(caught.value))
    assert "%40" in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:hidden",
        "postgresql://user:hidden%40host:1/name",
        "postgresql://user:p@s:hidden@host:1/name",
        "postgresql://user:p@host:hidden/name",
        "postgresql://user:p@host:/name",
        "postgresql://user:p@host:$PORT/name",
        "postgresql://user:p@host:1:2/name",
        "postgresql://user:p@::1:5432/name",
        "postgresql://user:p@one:5432,two:5432/name",
        "postgresql://user:p@host:0/name",
        "postgresql://user:p@host:65536/name",
    ],
)
def test_a_port_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL: what stands where the port belongs is no number") as caught:
        open_database(url)

    assert "hidden" not in "".join(format_exception(caught.value)), "Python's words repeat what stands there"
    assert all(words in str(caught.value) for words in ("%40", "%3A", "%2F", "[]", "?host=one:5432&host=two:5432"))


@pytest.mark.parametrize("query", ["host=one:1&host=two:hidden", "host=one:1&port=hidden", "host=::1:1&host=::2:2"])
def test_hosts_and_ports_that_do_not_go_together_are_refused_without_repeating_them(query: str) -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL: its hosts and ports") as caught:
        open_database(f"postgresql://user@/name?{query}")

    assert "hidden" not in "".join(format_exception(caught.value))


@pytest.mark.parametrize(
    "words", ["unsupported startup parameter: options", 'unrecognized configuration parameter "a"']
)
def test_settings_that_a_pooler_refuses_come_with_each_transaction(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    connect, refused = psycopg.connect, []

    def refuse(*arguments: Any, **parameters: Any) -> Any:
        if "options" in parameters:
            refused.append(parameters["options"])
            raise psycopg.OperationalError(f"connection failed: ERROR:  {words}")
        return connect(*arguments, **parameters)

    monkeypatch.setattr(psycopg, "connect", refuse)
    db = open_database(postgres_url)
    said = []
    with db.read() as one, db.write() as other:
        said += [tx.execute(sa.text("SHOW lock_timeout")).scalar() for tx in (one, other)]
    db.close()

    assert (said, len(refused)) == (["5s", "5s"], 1)


@pytest.mark.postgres
def test_any_other_refusal_is_told(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise psycopg.OperationalError("connection failed: no route to host")

    monkeypatch.setattr(psycopg, "connect", refuse)
    db = open_database(postgres_url)

    with pytest.raises(StoreError) as caught, db.read():
        pass

    db.close()
    assert caught.value.code == "database_unreachable"


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("sslmode=bogus", "does not accept the option sslmode as it is set"),
        ("ssl_min_protocol_version=hidden", "does not accept the option ssl_min_protocol_version as it is set"),
        ("options=-c%20statement_timeout%3Dhidden", "does not accept the option statement_timeout as it is set"),
        ("options=-c%20bogus%3Dhidden", "does not accept the option bogus as it is set"),
        ("options=search_path%3Dhidden", "does not accept the option search_path as it is set"),
        ("connect_timeout=hidden", "does not accept the option connect_timeout as it is set"),
    ],
)
def test_an_option_that_the_server_cannot_take_is_named(postgres_url: str, option: str, words: str) -> None:
    db = open_database(f"{postgres_url}&{option}")

    with pytest.raises(StoreError, match=words) as caught, db.read():
        pass

    db.close()
    assert caught.value.code == "database_option"
    assert "hidden" not in str(caught.value)


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("server does not support SSL, but SSL was required", "speaks no TLS, which sslmode asks for"),
        (
            'invalid integer value "hidden" for connection option "keepalives"',
            "does not accept the option keepalives as it is set",
        ),
    ],
)
def test_an_option_for_which_there_is_no_connection_is_named(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, said: str, words: str
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise psycopg.OperationalError(f"connection is bad: {said}")

    monkeypatch.setattr(psycopg, "connect", refuse)
    db = open_database(postgres_url)

    with pytest.raises(StoreError, match=words) as caught, db.read():
        pass

    db.close()
    assert caught.value.code == "database_option"
    assert "hidden" not in str(caught.value)


def test_a_search_path_without_a_schema_is_named(new_postgres_url: str) -> None:
    db = open_database(f"{new_postgres_url}&options=-c%20search_path%3Dnone")

    with pytest.raises(StoreError, match="has no schema that search_path names") as caught:
        migrate(db)

    db.close()
    assert caught.value.code == "database_option"


def test_what_the_address_says_goes_before_what_we_would_say(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, given = psycopg.connect, []

    def note(*arguments: Any, **parameters: Any) -> Any:
        given.append(parameters)
        return connect(*arguments, **parameters)

    monkeypatch.setattr(psycopg, "connect", note)
    options = "options=-c%20jit%3Don&options=-cwork_mem=5MB&connect_timeout=31&application_name=ours&keepalives_idle=7"
    db = open_database(f"{postgres_url}&{options}")
    with db.read() as tx:
        said = [tx.execute(sa.text(f"SHOW {name}")).scalar() for name in ("jit", "work_mem", "application_name")]
    db.close()

    assert said == ["on", "5MB", "ours"]
    assert [int(given[0][name]) for name in ("connect_timeout", "keepalives_idle", "keepalives_count")] == [31, 7, 3]


@pytest.mark.postgres
@pytest.mark.parametrize("refusal", [None, "unsupported startup parameter: lock_timeout"])
def test_options_that_are_no_settings_are_for_whoever_stands_before_the_server(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, refusal: str | None
) -> None:
    connect, given = psycopg.connect, []

    def proxy(*arguments: Any, options: str, **parameters: Any) -> Any:
        given.append(options)
        if refusal and "-c" in options:
            raise psycopg.OperationalError(refusal)
        return connect(*arguments, **parameters)

    monkeypatch.setattr(psycopg, "connect", proxy)
    db = open_database(f"{postgres_url}&options=endpoint%3Da--b%20-cwork_mem=5MB")
    with db.read():
        pass
    db.close()

    assert given[0].startswith("endpoint=a--b -c timezone=UTC ")
    assert given[1:] == (["endpoint=a--b"] if refusal else [])


@pytest.mark.postgres
def test_settings_that_cannot_be_sent_are_a_bug(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = Postgres(normalise_url(postgres_url))
    monkeypatch.setattr(backend, "_pooled", True)
    monkeypatch.setattr(backend, "_settings", {"timezone": "\0"})
    engine = backend.engine(1, 1)

    with pytest.raises(sa.exc.DataError), engine.begin():
        pass

    engine.dispose()
