"""Backups, made and put back by the command line."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from tests.e2e.harness import environment, serving
from tests.fakes.shell import Shell
from webapp.actions.backups import back_up
from webapp.cli.root import confirm_by_name
from webapp.clock import iso
from webapp.errors import StoreError
from webapp.store import replicas
from webapp.store.db import Database, open_database


@pytest.fixture
def database(shell: Shell) -> Path:
    """What a sync of the demo has made."""
    assert shell.run("sync").exit_code == 0
    return shell.folder / "data" / "smart_sync.db"


def ask(file: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as there:
        return there.execute(sql).fetchall()


def change(file: Path, sql: str) -> None:
    with closing(sqlite3.connect(file)) as there:
        there.execute(sql)
        there.commit()


def dump(file: Path) -> list[str]:
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as there:
        return list(there.iterdump())


def files(folder: Path) -> list[str]:
    """But for traces of history, and for what readers leave beside a database."""
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith((".seen", "-shm", "-wal")))


def test_a_backup_is_restored_to_the_last_row(shell: Shell, database: Path) -> None:
    copy, before = shell.folder / "copy.db", dump(database)

    made = shell.run("backup", str(copy))
    change(database, "DELETE FROM account_snapshots")
    shutil.rmtree(database.parent)
    put = shell.run("restore", str(copy))

    assert (made.exit_code, put.exit_code) == (0, 0), made.output + put.output
    assert made.stdout.startswith(f"{copy}: ")
    assert put.stdout == f"{database} is what {copy} holds\n"
    assert dump(database) == before
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert files(database.parent) == ["smart_sync.db", "smart_sync.db.migrate-lock"]
    assert "3 projects" in shell.run("status").stdout


def test_a_file_that_is_there_is_replaced_by_force_alone(shell: Shell, database: Path) -> None:
    copy = shell.folder / "copy.db"
    copy.write_text("last week's")

    refused = shell.run("backup", str(copy))
    assert refused.exit_code == 1
    assert f"Error: {copy} is there already (choose another name, or use --force)\n" == refused.stderr
    assert copy.read_text() == "last week's"
    assert shell.run("backup", "--force", str(copy)).exit_code == 0
    assert dump(copy) == dump(database)
    assert "is the database itself" in shell.run("backup", "--force", str(database)).stderr


def test_a_backup_that_can_not_be_made_leaves_nothing(shell: Shell) -> None:
    copy = shell.folder / "copy.db"

    assert "there is no file" in shell.run("backup", str(copy)).stderr
    (shell.folder / "data").mkdir()
    (shell.folder / "data" / "smart_sync.db").write_bytes(b"no database at all" * 100)
    assert "cannot be copied: file is not a database" in shell.run("backup", str(copy)).stderr
    assert "No such file or directory" in shell.run("backup", str(shell.folder / "no" / "copy.db")).stderr
    assert files(shell.folder) == ["data", "sheet"]


def test_a_database_that_holds_projects_is_replaced_by_force_alone(shell: Shell, database: Path) -> None:
    copy = shell.folder / "copy.db"
    shell.run("backup", str(copy))
    change(database, "UPDATE projects SET name = 'later' WHERE name = 'Street Food'")
    before = dump(database)

    refused = shell.run("restore", str(copy))

    assert refused.exit_code == 1
    assert f"Error: {database} holds something already (use --force to replace it)\n" == refused.stderr
    assert dump(database) == before
    assert shell.run("restore", "--force", str(copy)).exit_code == 0
    assert dump(database) == dump(copy)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("DROP TABLE alembic_version", "it is no database of Smart Sync"),
        ("UPDATE alembic_version SET version_num = '9999'", "it has schema 9999, made by a later version"),
        ("INSERT INTO pins (account_id, metric, value) VALUES (99, 'views', 1)", "it is damaged, or is no database"),
    ],
)
def test_what_is_no_sound_backup_changes_nothing(shell: Shell, database: Path, damage: str, words: str) -> None:
    copy, before = shell.folder / "copy.db", dump(database)
    shell.run("backup", str(copy))
    change(copy, damage)

    refused = shell.run("restore", "--force", str(copy))

    assert refused.exit_code == 1
    assert f"Error: {copy} cannot be restored: {words}" in refused.stderr
    assert dump(database) == before
    assert files(database.parent) == ["smart_sync.db", "smart_sync.db.migrate-lock"]


def test_half_a_backup_changes_nothing(shell: Shell, database: Path) -> None:
    copy, before = shell.folder / "copy.db", dump(database)
    shell.run("backup", str(copy))
    os.truncate(copy, copy.stat().st_size // 2)

    assert f"Error: {copy} cannot be restored: " in shell.run("restore", "--force", str(copy)).stderr
    assert dump(database) == before


def test_a_damaged_database_is_replaced(shell: Shell, database: Path) -> None:
    copy = shell.folder / "copy.db"
    shell.run("backup", str(copy))
    database.write_bytes(b"no database at all" * 1000)

    assert "holds something already" in shell.run("restore", str(copy)).stderr
    assert shell.run("restore", "--force", str(copy)).exit_code == 0
    assert dump(database) == dump(copy)


def test_a_server_is_copied_by_its_own_tools(shell: Shell, postgres_db: Database, postgres_url: str) -> None:
    with pytest.raises(StoreError, match="copied by its own tools") as refused:
        back_up(postgres_db, shell.folder / "copy.db")
    assert "pg_dump" in str(refused.value)
    words = shell.run("restore", str(shell.folder / "copy.db"), DATABASE_URL=postgres_url).stderr
    assert "pg_restore" in words


def test_the_name_is_typed_at_a_terminal(
    shell: Shell, database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = shell.folder / "copy.db"
    shell.run("backup", str(copy))
    change(database, "UPDATE projects SET name = 'later' WHERE name = 'Street Food'")
    monkeypatch.setattr(sys, "stdin", type("Terminal", (), {"isatty": lambda _: True})())
    typed = iter(["yes", "smart_sync.db"])
    monkeypatch.setattr(click, "prompt", lambda *_, **__: next(typed))
    db = open_database(shell.url)

    with pytest.raises(click.ClickException, match="nothing was changed"):
        confirm_by_name(db)
    assert confirm_by_name(db)
    assert f"{database} holds something, and all of it will be replaced." in capsys.readouterr().out


def test_the_status_says_how_the_copying_goes(shell: Shell, database: Path) -> None:
    env, now = {"LITESTREAM_REPLICA_URL": "s3://bucket/copy"}, datetime.now(UTC)

    assert "copied to" not in shell.run("status").stdout
    assert shell.run("status", **env).stdout.endswith(f"copied to s3://bucket/copy: stopped: {replicas.STOPPED}\n")
    replicas.write(database, "failing", now, "no such bucket", now)
    said = f"copied to s3://bucket/copy: failing since {iso(now)}: no such bucket\n"
    assert shell.run("status", **env).stdout.endswith(said)


@pytest.mark.usefixtures("processes")
def test_a_server_goes_on_during_a_backup_and_keeps_its_database_from_a_restore(tmp_path: Path) -> None:
    env = environment(tmp_path, env={"SMART_SYNC_SHEET": str(Path("webapp/demo").resolve())})

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, "-m", "webapp.cli", *words]
        return subprocess.run(program, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False)

    with serving(tmp_path, env={"SMART_SYNC_SHEET": env["SMART_SYNC_SHEET"]}) as service:
        assert service.sync().status == 200
        made = command("backup", "copy.db")
        held = command("restore", "--force", "copy.db")
        assert service.sync(force=True).status == 200
        service.signal(15)
        assert service.exit() == 0

    assert made.returncode == 0, made.stderr
    assert f"Error: copy.db cannot be restored: {service.database} is in use by another process" in held.stderr
    with serving(tmp_path, env={"SMART_SYNC_SHEET": env["SMART_SYNC_SHEET"]}) as service:
        service.kill()  # its log is left beside the file
        assert command("restore", "--force", "copy.db").returncode == 0
    with serving(tmp_path) as service:
        assert len(service.states()) == 1
        assert service.sound()
