"""Databases that are locked, full, read-only or gone under a running server."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.google import Google, google
from tests.e2e.harness import Answer, Service, environment, locked, run, serving, until

# Stands in for a disk with so many pages left as a file says.
SMALL_DISK = """
import pathlib
from webapp.store.backends import sqlite

def begin(connection, real=sqlite._begin):
    limit = pathlib.Path("pages")
    pages = int(limit.read_text()) if limit.exists() else 2**30
    sqlite._file_of(connection).execute(f"PRAGMA max_page_count={pages}")
    real(connection)

sqlite._begin = begin
"""
# Root may write anywhere; without this one right it may write what it could if it were nobody special.
WITHOUT_RIGHTS = """
import ctypes, os, sys

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
if os.geteuid() == 0:
    assert ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0) == 0
os.execv(sys.executable, [sys.executable, "-m", "webapp.cli", "serve"])
"""
START = "import sys; sys.argv[1:] = ['serve']; from webapp.cli import main; main()"


def refused(answer: Answer, code: str) -> bool:
    return (answer.status, answer.json["code"]) == (503, code) and answer.headers["Retry-After"].isdigit()


@pytest.fixture
def book() -> Iterator[Google]:
    with google() as opened:
        opened.tab("Project A", 20, 100)
        yield opened


def test_a_short_lock_is_waited_for_and_a_long_one_is_refused_and_heals(book: Google, tmp_path: Path) -> None:
    with serving(tmp_path, book, workers=2) as service:
        assert service.sync().status == 200

        with locked(service.database):
            waiting = service.sync_later()
            assert service.get("/api/admin/sync_status").status == 200
            assert not waiting.done()
        assert waiting.result().status == 200

        with book.gate() as gate:
            under_way = service.sync_later()
            gate.wait()
            with locked(service.database):
                gate.open()
                answer = service.sync(force=True)
                read = service.get("/api/admin/sync_status")
        assert refused(answer, "database_busy")
        assert read.status == 200
        assert under_way.result().status in {200, 503}
        assert until(lambda: service.sync().status == 200)
        assert "running" not in service.states().values()
        assert service.sound()


def test_a_full_disk_undoes_the_project_and_heals_with_space(book: Google, tmp_path: Path) -> None:
    book.tab("Project A", 2, 100)
    with serving(tmp_path, book, program=("-c", SMALL_DISK + START)) as service:
        assert service.sync().status == 200
        (used,) = service.rows("PRAGMA page_count")
        book.tab("Project A", 2_000, 200)
        (tmp_path / "pages").write_text(str(used + 8))

        full = service.sync()
        read = service.get("/api/admin/sync_status")
        numbers = service.followers()
        (tmp_path / "pages").unlink()
        after = service.sync()

        assert (full.status, full.json["error_code"]) == (503, "disk_full")
        assert full.headers["Retry-After"].isdigit()
        assert read.status == 200
        assert numbers == {"Project A": {100}}
        assert after.status == 200
        assert service.followers() == {"Project A": {200}}
        assert set(service.states().values()) == {"succeeded", "failed"}
        assert service.sound()


def test_a_file_that_may_not_grow_is_no_end_of_the_server(book: Google, tmp_path: Path) -> None:
    limited = ("-c", f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, -1)); {START}")
    with serving(tmp_path, book, program=limited) as service:
        assert service.sync().status == 200
        book.tab("Project A", 10_000, 200)

        full = service.sync()

        assert (full.status, full.json["error_code"]) == (503, "database_unavailable")
        assert service.get("/ready", token=None).status == 200
        assert service.followers() == {"Project A": {100}}
        book.tab("Project A", 20, 300)
        assert until(lambda: service.sync(force=True).status == 200)
        assert service.sound()


def copied(service: Service) -> Path:
    """A backup of the running server's database."""
    copy = service.folder / "copy.db"
    with closing(sqlite3.connect(service.database)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    return copy


def test_a_database_deleted_under_a_running_server_is_not_made_anew(book: Google, tmp_path: Path) -> None:
    with serving(tmp_path, book, workers=2) as service:
        assert service.sync().status == 200
        copy = copied(service)
        service.database.unlink()

        answers = [service.sync() for _ in range(6)]
        os.kill(service.workers[-1], signal.SIGKILL)
        until(lambda: len(service.workers) == 3)
        answers += [service.get("/api/admin/sync_status") for _ in range(6)]

        assert {answer.status for answer in answers} == {503}
        assert {answer.json["code"] for answer in answers} == {"database_replaced", "database_missing"}
        assert service.get("/health", token=None).status == 200
        assert not service.database.exists()
        copy.rename(service.database)
        assert until(lambda: service.sync().status == 200)
        assert service.followers() == {"Project A": {100}}
        assert service.sound()


def test_a_backup_put_in_place_under_a_running_server_is_used_as_it_is(book: Google, tmp_path: Path) -> None:
    with serving(tmp_path, book, workers=2) as service:
        assert service.sync().status == 200
        copy = copied(service)
        book.tab("Project A", 200, 300)  # much of this is only in the log beside the file
        assert service.sync().status == 200
        copy.replace(service.database)

        answers = [service.get("/api/admin/sync_status") for _ in range(8)]

        assert {answer.json.get("code") for answer in answers if answer.status == 503} <= {"database_replaced"}
        assert until(lambda: service.get("/api/admin/sync_status").status == 200)
        assert service.followers() == {"Project A": {100}}
        assert until(lambda: service.sync().status == 200)
        assert service.followers() == {"Project A": {300}}
        assert service.sound()


def test_a_folder_that_can_not_be_written_is_named_at_the_start(book: Google, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(0o555)

    ended = run(tmp_path, "-c", WITHOUT_RIGHTS, env=environment(tmp_path, book))

    assert ended.returncode == 1
    assert "Traceback" not in ended.stdout
    (line,) = [line for line in ended.stdout.splitlines() if line.startswith("Error: ")]
    assert str(data) in line
    assert f"user {os.geteuid()}" in line


def test_a_database_that_can_only_be_read_is_read_and_heals_with_the_right_to_write(
    book: Google, tmp_path: Path
) -> None:
    with serving(tmp_path, book) as service:
        assert service.sync().status == 200
    before = service.database.read_bytes()
    service.database.chmod(0o444)

    with serving(tmp_path, book, program=("-c", WITHOUT_RIGHTS)) as service:
        read = service.get("/api/admin/sync_status")
        answer = service.sync()
        after = service.database.read_bytes()
        service.database.chmod(0o644)

        assert read.status == 200
        assert refused(answer, "read_only")
        assert after == before
        assert [service.sync().status for _ in range(6)] == [200] * 6
