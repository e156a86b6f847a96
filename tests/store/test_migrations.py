from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from webapp.errors import StoreError
from webapp.store import migrate as migrations
from webapp.store import revision
from webapp.store.backends import sqlite as sqlite_module
from webapp.store.db import Database, open_database
from webapp.store.migrate import current_revision, ensure_migrated, migrate, upgrade
from webapp.store.revision import HEAD_REVISION
from webapp.store.tables import metadata
from webapp.store.types import Count, Day, Flag, Json, Key, UtcDateTime

pytestmark = pytest.mark.own_database

ROOT = Path(__file__).parents[2]

# What a later version may do: a new column, and a rebuild of a table that others refer to.
NEXT_SCRIPT = """
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("projects", sa.Column("colour", sa.Text))
    with op.batch_alter_table("sync_runs", recreate="always", table_kwargs={"sqlite_strict": True}) as batch:
        batch.drop_column("phase")
"""

ADDING_SCRIPT = NEXT_SCRIPT.partition("    with op.batch")[0]

ORPHANING_SCRIPT = """
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("DELETE FROM projects")
"""


@pytest.fixture
def new_db(new_database_url: str) -> Iterator[Database]:
    db = open_database(new_database_url)
    yield db
    db.close()


@pytest.fixture
def new_sqlite_db(new_sqlite_url: str) -> Iterator[Database]:
    db = open_database(new_sqlite_url)
    yield db
    db.close()


def later_version(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    """Go on as a version of the code that has one more script."""
    shutil.copytree(migrations.SCRIPTS, folder / "migrations")
    (folder / "migrations" / "versions" / "0002_later.py").write_text(script)
    monkeypatch.setattr(migrations, "SCRIPTS", folder / "migrations")
    for module in (migrations, revision):
        monkeypatch.setattr(module, "HEAD_REVISION", "0002")


def scripts() -> list[str]:
    """Every revision, oldest first."""
    config = Config()
    config.set_main_option("script_location", str(migrations.SCRIPTS))
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]


VALUES: dict[type[Any], Any] = {
    sa.Text: "text",
    sa.REAL: 0.5,
    sa.LargeBinary: b"bytes",
    Count: 7,
    Key: 7,
    Flag: True,
    Json: ["json"],
    Day: date(2026, 1, 2),
    UtcDateTime: datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
}


def example(column: sa.Column[Any]) -> Any:
    """A value that the column takes: the key of the row it refers to, a word its check knows, or any."""
    for check in column.table.constraints:
        if isinstance(check, sa.CheckConstraint) and str(check.sqltext).startswith(f"{column.name} = '"):
            return str(check.sqltext).split("'")[1]
    for key in column.foreign_keys:
        return example(key.column)
    return VALUES[type(column.type)]


def fill(db: Database, already: Collection[str] = ()) -> dict[str, dict[str, Any]]:
    """Put a full row into every table the database has but those named; gives the rows by table."""
    rows = {}
    with db.write() as tx:
        found = sa.inspect(tx)
        for table in metadata.sorted_tables:
            if table.name in already or not found.has_table(table.name):
                continue
            there = {column["name"] for column in found.get_columns(table.name)}
            rows[table.name] = {column.name: example(column) for column in table.columns if column.name in there}
            tx.execute(sa.insert(table).values(rows[table.name]))
    return rows


def content(db: Database) -> dict[str, dict[str, Any]]:
    with db.read() as tx:
        return {table.name: dict(tx.execute(sa.select(table)).mappings().one()) for table in metadata.sorted_tables}


SQLITE_CATALOGUE = ("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE tbl_name <> 'alembic_version'",)
POSTGRES_CATALOGUE = (
    """SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name <> 'alembic_version'""",
    """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid <> 'alembic_version'::regclass""",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'",
)


COMMA = re.compile(r",\s+(?=CONSTRAINT|\w+ [A-Z])")  # between two columns or constraints


def catalogue(tx: sa.Connection) -> list[tuple[str, ...]]:
    """Everything the database itself says about its tables, apart from Alembic's own.

    SQLite keeps the words a table was made with, and puts an added column behind its constraints: what a table has
    counts here, not the order.
    """
    statements = SQLITE_CATALOGUE if tx.dialect.name == "sqlite" else POSTGRES_CATALOGUE
    rows = [tuple(map(str, row)) for statement in statements for row in tx.execute(sa.text(statement))]
    if tx.dialect.name == "postgresql":
        return sorted(rows)
    return sorted((*row, *_words(sql)) for *row, sql in rows)


def _words(sql: str) -> list[str]:
    """The columns and constraints of a CREATE TABLE in order, and what stands around them; other statements whole."""
    if not sql.startswith("CREATE TABLE"):
        return [sql]
    head, _, rest = sql.partition("(")
    body, _, tail = rest.rpartition(")")
    return [head, *sorted(part.strip() for part in COMMA.split(body)), tail]


def test_the_newest_script_is_the_one_the_code_expects() -> None:
    assert scripts()[-1] == HEAD_REVISION


def test_migrations_make_exactly_the_tables_of_the_code(new_db: Database, request: pytest.FixtureRequest) -> None:
    migrated: Database = request.getfixturevalue("sqlite_db" if new_db.dialect == "sqlite" else "postgres_db")
    with new_db.migrating(create=True) as tx:
        tx.execute(sa.text("CREATE TABLE alembic_version (version_num TEXT)"))
        metadata.create_all(tx)
        wanted = catalogue(tx)

    with migrated.read() as tx:
        assert catalogue(tx) == wanted


def test_alembic_finds_nothing_left_to_do(postgres_db: Database) -> None:
    with postgres_db.read() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True, "compare_server_default": True})

        assert compare_metadata(context, metadata) == []


def test_a_new_database_is_migrated_once(new_db: Database) -> None:
    assert current_revision(new_db) is None

    assert migrate(new_db)

    assert current_revision(new_db) == HEAD_REVISION
    assert not migrate(new_db)


@pytest.mark.usefixtures("processes")
def test_alembic_is_not_loaded_when_there_is_nothing_to_do(database_url: str) -> None:
    script = (
        "import sys; from webapp.store.db import open_database; from webapp.store.migrate import ensure_migrated;"
        f"ensure_migrated(open_database({database_url!r})); print('alembic' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True)

    assert done.stdout.strip() == "False"


def test_a_filled_database_keeps_its_rows_through_every_revision(
    new_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later_version(monkeypatch, tmp_path, ADDING_SCRIPT)
    first, *others = scripts()
    assert others
    with new_db.migrating(create=True) as tx:
        upgrade(tx, first)
    rows = fill(new_db)

    for other in others:
        with new_db.migrating(create=False) as tx:
            upgrade(tx, other)
        rows |= fill(new_db, already=rows)

    assert current_revision(new_db) == revision.HEAD_REVISION
    now = content(new_db)
    assert {name: {column: now[name][column] for column in row} for name, row in rows.items()} == rows
    assert now.keys() == rows.keys()


def test_rebuilding_a_table_leaves_the_rows_that_refer_to_it(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = fill(db)
    later_version(monkeypatch, tmp_path, NEXT_SCRIPT)
    if db.dialect == "postgresql":  # has no need to rebuild, and cannot: others refer to the table
        script = tmp_path / "migrations" / "versions" / "0002_later.py"
        script.write_text(NEXT_SCRIPT.replace('"always"', '"never"'))

    assert migrate(db)

    with db.read() as tx:
        assert tx.execute(sa.text("SELECT name, colour FROM projects")).one() == (rows["projects"]["name"], None)
        for table in metadata.sorted_tables:
            assert tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 1


def test_a_migration_that_breaks_references_changes_nothing(
    sqlite_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = fill(sqlite_db)
    later_version(monkeypatch, tmp_path, ORPHANING_SCRIPT)

    with pytest.raises(StoreError) as caught:
        migrate(sqlite_db)

    assert (caught.value.code, current_revision(sqlite_db)) == ("schema_broken", HEAD_REVISION)
    assert "accounts" in caught.value.message
    assert content(sqlite_db) == rows


def test_a_database_of_a_later_version_is_refused(db: Database) -> None:
    with db.write() as tx:
        tx.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StoreError, match="9999") as caught:
        ensure_migrated(db)

    assert caught.value.code == "schema_newer"
    assert "later version" in caught.value.message


def test_tables_of_another_program_are_left_alone(new_db: Database) -> None:
    with new_db.migrating(create=True) as tx:
        tx.execute(sa.text("CREATE TABLE projects (theirs INTEGER)"))

    with pytest.raises(StoreError, match="projects") as caught:
        migrate(new_db)

    assert caught.value.code == "schema_foreign"
    with new_db.read() as tx:
        assert tx.execute(sa.text("SELECT theirs FROM projects")).all() == []


START = """
import sys
from webapp.store.db import open_database
from webapp.store.migrate import migrate

sys.stdin.readline()
print(migrate(open_database(sys.argv[1])))
"""


@pytest.mark.usefixtures("processes")
def test_of_processes_that_start_together_one_migrates_and_the_others_wait(new_database_url: str) -> None:
    command = [sys.executable, "-c", START, new_database_url]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()

    answers = [process.communicate()[0].strip() for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    assert sorted(answers) == ["False", "False", "False", "True"]


DIE_AT_THE_FIFTH_TABLE = """
import os, signal, sys
from sqlalchemy import Table, event
from webapp.store.db import open_database
from webapp.store.migrate import migrate

made = []

def die(table, connection, **_):
    made.append(table.name)
    if len(made) == 5:
        os.kill(os.getpid(), signal.SIGKILL)

event.listen(Table, "after_create", die)
migrate(open_database(sys.argv[1]))
"""


@pytest.mark.usefixtures("processes")
def test_a_migration_that_was_killed_is_done_by_the_next_one(new_database_url: str, new_db: Database) -> None:
    killed = subprocess.run([sys.executable, "-c", DIE_AT_THE_FIFTH_TABLE, new_database_url], cwd=ROOT, check=False)
    assert killed.returncode == -9
    assert current_revision(new_db) is None

    assert migrate(new_db)

    fill(new_db)
    with new_db.read() as tx:
        assert set(metadata.tables) < set(sa.inspect(tx).get_table_names())


@pytest.mark.usefixtures("processes")
def test_an_upgrade_that_was_killed_leaves_the_old_schema_and_its_rows(
    database_url: str, db: Database, tmp_path: Path
) -> None:
    rows = fill(db)
    shutil.copytree(migrations.SCRIPTS, tmp_path / "migrations")
    dying = ORPHANING_SCRIPT + "    import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    (tmp_path / "migrations" / "versions" / "0002_later.py").write_text(dying)
    script = (
        "import sys, pathlib; from webapp.store import db, migrate; migrate.HEAD_REVISION = '0002';"
        "migrate.SCRIPTS = pathlib.Path(sys.argv[2]); migrate.migrate(db.open_database(sys.argv[1]))"
    )

    command = [sys.executable, "-c", script, database_url, str(tmp_path / "migrations")]
    killed = subprocess.run(command, cwd=ROOT, check=False)

    assert killed.returncode == -9
    assert (current_revision(db), content(db)) == (HEAD_REVISION, rows)


def test_the_folder_of_a_new_database_is_made(new_sqlite_db: Database) -> None:
    ensure_migrated(new_sqlite_db)

    assert Path(new_sqlite_db.storage()).is_file()


def test_an_empty_file_is_a_new_database(new_sqlite_db: Database) -> None:
    path = Path(new_sqlite_db.storage())
    path.parent.mkdir()
    path.touch()

    assert migrate(new_sqlite_db)


def test_an_empty_file_beside_a_log_of_changes_is_a_loss(new_sqlite_db: Database) -> None:
    path = Path(new_sqlite_db.storage())
    path.parent.mkdir()
    path.touch()
    Path(f"{path}-wal").write_bytes(b"changes")

    with pytest.raises(StoreError) as caught:
        migrate(new_sqlite_db)

    assert (caught.value.code, path.stat().st_size) == ("schema_missing", 0)


def test_a_file_lost_in_use_is_not_made_again(sqlite_db: Database) -> None:
    path = Path(sqlite_db.storage())
    ensure_migrated(sqlite_db)
    path.unlink()
    codes = []

    for _ in range(2):
        with pytest.raises(StoreError) as caught, sqlite_db.write():
            pass
        codes.append(caught.value.code)
        ensure_migrated_fails(sqlite_db)

    assert (codes, path.exists()) == (["database_replaced", "database_missing"], False)


def ensure_migrated_fails(db: Database) -> None:
    with pytest.raises(StoreError) as caught:
        ensure_migrated(db)
    assert caught.value.code == "database_missing"


def test_an_older_database_put_in_the_place_of_the_file_is_migrated(
    sqlite_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(sqlite_db.storage())
    backup = shutil.copyfile(path, tmp_path / "backup.db")
    later_version(monkeypatch, tmp_path, NEXT_SCRIPT)
    ensure_migrated(sqlite_db)
    sqlite_db.close()
    backup.replace(path)
    with pytest.raises(StoreError, match="another file"), sqlite_db.read():
        pass

    ensure_migrated(sqlite_db)

    assert current_revision(sqlite_db) == "0002"


def test_who_waited_for_the_migration_of_another_has_nothing_to_do(db: Database) -> None:
    with db.migrating(create=False) as tx:
        assert not upgrade(tx)


@pytest.fixture
def migration_lock(sqlite_db: Database) -> Iterator[int]:
    """The lock that migrators wait for, in somebody else's hand."""
    file = os.open(f"{sqlite_db.storage()}.migrate-lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(file, fcntl.LOCK_EX)
    yield file
    os.close(file)


def test_a_migration_that_does_not_end_is_not_waited_for_for_ever(
    sqlite_db: Database, migration_lock: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_module, "MIGRATION_WAIT_S", 0.05)

    with pytest.raises(StoreError, match="does not end") as caught, sqlite_db.migrating(create=False):
        pass

    assert caught.value.code == "database_busy"


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    db = open_database(f"sqlite:///{tmp_path}/file/smart-sync.db")

    with pytest.raises(StoreError) as caught, db.migrating(create=True):
        pass

    assert str(tmp_path / "file") in caught.value.message
