"""The whole database moved by the command line, between SQLite and PostgreSQL."""

from __future__ import annotations

import errno
import gzip
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.tour import ADMIN, BY_ID, CHANGES, NOW, Demo, demo_on, doubt, held
from tests.e2e.harness import environment
from tests.fakes.shell import Shell
from webapp.actions.backups import back_up
from webapp.actions.moves import LONGEST_LINE, export_all, import_all
from webapp.app import create_app
from webapp.bootstrap import bootstrap
from webapp.clock import Clock
from webapp.errors import Invalid
from webapp.store import portable
from webapp.store.db import Database, open_database
from webapp.store.migrate import migrate

ELSEWHERE = {"storage"}  # of a status: where the database is
ANSWERED = {"ETag", "Content-Type", "Last-Modified"}


@pytest.fixture
def demo(sqlite_url: str) -> Iterator[Demo]:
    """The demo after everything that changes something was called once."""
    demo = demo_on(sqlite_url)
    other = demo.values["other_account_id"]
    doubt(demo.parts.db, other, "views", 9_000_000)
    doubt(demo.parts.db, demo.values["account_id"], "likes", 9_000_000)
    held(demo.parts.db, other, 54_300)
    for operation in CHANGES:
        if operation in BY_ID and operation not in ("accept_doubt", "merge_account"):
            demo.call(operation, **demo.sent(operation))
    yield demo
    demo.parts.db.close()


def answers(demo: Demo, client: FlaskClient) -> dict[str, Any]:
    """What every address answers that only reads; of a status without where the database is."""
    found: dict[str, Any] = {}
    for operation, route in BY_ID.items():
        if route.method != "GET":
            continue
        for query in ("", "?format=csv"):
            answer = client.get(demo.path(route.path) + query, headers=ADMIN, buffered=True)
            body: Any = answer.get_data()
            if answer.is_json:
                body = {name: value for name, value in answer.get_json().items() if name not in ELSEWHERE}
            headers = {name: value for name, value in answer.headers.items() if name in ANSWERED}
            if operation == "sync_status":
                headers = {}
            found[operation + query] = (answer.status_code, body, headers)
    return found


def moved(source: Database, url: str) -> Database:
    """The same in another database, which is migrated and empty."""
    file, target = io.BytesIO(), open_database(url)
    export_all(source, file, Clock(now=lambda: NOW))
    file.seek(0)
    import_all(target, io.BufferedReader(file))
    return target


def client_of(demo: Demo, url: str) -> tuple[FlaskClient, Database]:
    """The demo's service over another database."""
    parts = bootstrap(replace(demo.parts.settings, database_url=url), clock=Clock(now=lambda: NOW))
    parts.engine.options = demo.parts.engine.options
    return create_app(parts).test_client(), parts.db


def test_the_demo_moves_to_postgresql_and_back_with_the_same_answers(
    demo: Demo, postgres_url: str, new_sqlite_url: str
) -> None:
    before = answers(demo, demo.client)
    assert {name for name, (status, *_) in before.items() if status != 200 and "?" not in name} == set()
    there = moved(demo.parts.db, postgres_url)
    client, served = client_of(demo, postgres_url)
    on_postgres = answers(demo, client)
    served.close()
    back = open_database(new_sqlite_url)
    migrate(back)
    back.close()
    back = moved(there, new_sqlite_url)
    client, served = client_of(demo, new_sqlite_url)
    again = answers(demo, client)
    served.close()

    for name, answer in before.items():
        assert on_postgres[name] == answer, name
        assert again[name] == answer, name
    for db in (there, back):
        with demo.parts.db.read() as old, db.read() as new:
            assert [*portable.dump(new, NOW)] == [*portable.dump(old, NOW)]
        db.close()


def test_no_token_is_in_an_export_or_a_backup(demo: Demo, tmp_path: Path) -> None:
    shared = demo.call("create_share_link", json={"label": "Client"}).get_json()
    token = next(value for value in shared.values() if isinstance(value, str) and value.startswith("share_"))
    file = io.BytesIO()

    export_all(demo.parts.db, file, Clock(now=lambda: NOW))
    back_up(demo.parts.db, tmp_path / "copy.db")

    for stored in (gzip.decompress(file.getvalue()), (tmp_path / "copy.db").read_bytes()):
        assert b"Client" in stored
        for secret in (token, token.removeprefix("share_"), *demo.parts.tokens.admin):
            assert secret.encode() not in stored


# The command line


def test_an_export_that_fills_the_disk_is_told_in_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    shell.run("sync")
    monkeypatch.setattr("webapp.actions.moves.export_all", fill)

    named, piped = shell.run("export", str(shell.folder / "all.gz")), shell.run("export", "-")

    assert named.stderr.startswith(f"Error: there is no space left in {shell.folder} (")
    assert piped.stderr == "Error: there is no space left on the disk that the output goes to\n"
    assert {named.exit_code, piped.exit_code} == {1}
    assert not list(shell.folder.glob("all.gz*"))


def test_an_export_fills_an_empty_database(shell: Shell) -> None:
    shell.run("sync")
    file, other = shell.folder / "all.gz", f"sqlite:///{shell.folder}/other/there.db"

    made = shell.run("export", str(file))
    read = shell.run("import", str(file), DATABASE_URL=other)

    assert (made.exit_code, read.exit_code) == (0, 0), made.output + read.output
    assert made.stdout == f"{file}: {file.stat().st_size:,} bytes\n"
    assert " rows of " in read.stdout
    assert shell.run("status", DATABASE_URL=other).stdout.startswith("3 of 3 projects active")
    again = shell.run("sync", DATABASE_URL=other)
    assert "ok    Beauty Lab: 8 accounts, 0 updated, 0 snapshots" in again.stdout
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_is_there_is_replaced_by_force_alone(shell: Shell) -> None:
    shell.run("sync")
    file = shell.folder / "all.gz"
    file.write_text("last week's")

    assert f"Error: {file} is there already" in shell.run("export", str(file)).stderr
    assert file.read_text() == "last week's"
    assert shell.run("export", "--force", str(file)).exit_code == 0
    refused = shell.run("import", str(file))
    assert refused.exit_code == 1
    assert "holds projects already (use --force to replace all of it)" in refused.stderr
    assert shell.run("import", "--force", str(file)).exit_code == 0
    assert "ok    Beauty Lab: 8 accounts, 0 updated, 0 snapshots" in shell.run("sync").stdout


@pytest.mark.parametrize("cut", [0, 1, 100, -1])
def test_a_file_that_was_cut_or_changed_is_refused_in_one_line(shell: Shell, cut: int) -> None:
    shell.run("sync")
    file = shell.folder / "all.gz"
    shell.run("export", str(file))
    whole, before = file.read_bytes(), shell.run("status").stdout

    file.write_bytes(whole[:cut])
    short = shell.run("import", "--force", str(file))
    file.write_bytes(whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:])
    changed = shell.run("import", "--force", str(file))

    for done in (short, changed):
        assert done.exit_code == 1
        assert done.stderr.startswith("Error: the export is damaged: ")
        assert done.stderr.count("\n") == 1
    assert shell.run("status").stdout == before


def test_text_that_is_not_packed_is_understood_too(shell: Shell) -> None:
    shell.run("sync")
    file, other = shell.folder / "all.gz", f"sqlite:///{shell.folder}/other.db"
    shell.run("export", str(file))
    plain = shell.folder / "all.ndjson"
    plain.write_bytes(gzip.decompress(file.read_bytes()))

    assert shell.run("import", str(plain), DATABASE_URL=other).exit_code == 0
    head = json.loads(plain.read_text(encoding="utf-8").splitlines()[0])
    assert {one["name"]: one["rows"] for one in head["tables"]}["accounts"] == 21


def test_there_has_to_be_something_to_move(shell: Shell) -> None:
    assert "none.gz: No such file or directory" in shell.run("import", str(shell.folder / "none.gz")).stderr
    nothing = shell.run("export", str(shell.folder / "all.gz"))
    assert nothing.exit_code == 1
    assert sorted(path.name for path in shell.folder.iterdir()) == ["sheet"]


def test_a_line_without_end_fills_no_memory(sqlite_db: Database) -> None:
    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            buffer[:] = b"x" * len(buffer)
            return len(buffer)

    assert LONGEST_LINE == 64 * 2**20
    with pytest.raises(Invalid, match="a line without end"):
        import_all(sqlite_db, io.BufferedReader(Endless()))


@pytest.mark.usefixtures("processes")
def test_it_goes_through_a_pipe(shell: Shell) -> None:
    shell.run("sync")
    env = environment(shell.folder)
    program = [sys.executable, "-m", "webapp.cli"]
    out = subprocess.run([*program, "export", "-"], env=env, capture_output=True, check=True, timeout=60)
    env["DATABASE_URL"] = f"sqlite:///{shell.folder}/other.db"
    words = [*program, "import", "-"]
    read = subprocess.run(words, env=env, input=out.stdout, capture_output=True, check=True, timeout=60)

    assert b" rows of " in read.stdout
