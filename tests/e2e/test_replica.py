"""A database that is copied away while it is served, and comes back when its disk has forgotten it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.google import Google
from tests.e2e.harness import CLI, Service, environment, run, serving, until

GUNICORN = ("-m", "gunicorn", "-c", "python:webapp.server", "webapp.wsgi:app")


@pytest.fixture
def replica(tmp_path: Path) -> dict[str, str]:
    return {"LITESTREAM_REPLICA_URL": f"file://{tmp_path}/elsewhere"}


def dump(service: Service) -> list[str]:
    """All rows but those of Litestream's own tables."""
    with closing(sqlite3.connect(f"{service.database.as_uri()}?mode=ro", uri=True)) as there:
        return sorted(line for line in there.iterdump() if "_litestream_" not in line)


def state(service: Service) -> Any:
    return service.get("/api/admin/sync_status").json["storage"]["replica"]


def test_every_row_comes_back_when_the_data_folder_is_gone(
    tmp_path: Path, sheet: Google, replica: dict[str, str]
) -> None:
    sheet.tab("Project A", 3, 1_000)
    with serving(tmp_path, sheet, env=replica) as service:
        assert service.sync().json["success"]
        assert state(service)["state"] == "ok"
        assert service.sync(force=True).json["success"]
        service.signal(signal.SIGTERM)
        assert service.exit() == 0
        before = dump(service)
    shutil.rmtree(tmp_path / "data")

    with serving(tmp_path, sheet, env=replica, program=GUNICORN) as service:
        assert "smart_sync.db was gone and is restored from file://" in service.log
        assert service.followers() == {"Project A": {1_000}}
        service.signal(signal.SIGTERM)
        assert service.exit() == 0
        assert dump(service) == before
        assert service.sound()
        assert "history was lost" not in service.log


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL], ids=["ended", "killed"])
def test_every_row_comes_back_when_the_data_folder_is_deleted_under_a_running_server(
    tmp_path: Path, sheet: Google, replica: dict[str, str], end: signal.Signals
) -> None:
    sheet.tab("Project A", 3, 1_000)
    with serving(tmp_path, sheet, env=replica) as service:
        assert service.sync().json["success"]
        time.sleep(2)  # until it is copied
        before = dump(service)
        shutil.rmtree(tmp_path / "data")
        assert service.sync().status == 503
        time.sleep(2)  # in which the folder is looked at
        if end == signal.SIGTERM:
            service.signal(end)
            service.exit()
        else:
            service.kill()
        until(lambda: not _processes(str(service.database)))
    for _ in range(2):
        with serving(tmp_path, sheet, env=replica) as service:
            assert dump(service) == before
            assert service.sound()
            service.signal(signal.SIGTERM)
            assert service.exit() == 0
        shutil.rmtree(tmp_path / "data")


def test_a_server_that_is_killed_has_copied_all_but_the_last_second(
    tmp_path: Path, sheet: Google, replica: dict[str, str]
) -> None:
    sheet.tab("Project A", 3, 1_000)
    with serving(tmp_path, sheet, env=replica) as service:
        assert service.sync().json["success"]
        time.sleep(2)
        service.kill()
        until(lambda: not _processes(str(service.database)))  # nobody is left who copies
    shutil.rmtree(tmp_path / "data")
    with serving(tmp_path, sheet, env=replica) as service:
        assert service.followers() == {"Project A": {1_000}}


def test_a_copy_that_fails_is_told_and_stops_nobody(tmp_path: Path, sheet: Google) -> None:
    sheet.tab("Project A", 3, 1_000)
    (tmp_path / "elsewhere").write_text("no folder")
    env = {"LITESTREAM_REPLICA_URL": f"file://{tmp_path}/elsewhere/copy"}
    (tmp_path / "data").mkdir()
    run(tmp_path, "-m", "webapp.cli", "db", "upgrade", env=environment(tmp_path))
    with serving(tmp_path, sheet, env=env) as service:
        failing = until(lambda: found if (found := state(service))["state"] == "failing" else None)
        assert "not a directory" in failing["message"]
        assert service.sync().json["success"]
        lines = [line for line in service.log.splitlines() if "is not copied to file://" in line]
        assert [json.loads(line)["level"] for line in lines] == ["ERROR"]
        asked = run(tmp_path, "-m", "webapp.cli", "doctor", env=environment(tmp_path, sheet, env=env))
        assert "FAIL  replica: file://" in asked.stdout
        service.signal(signal.SIGTERM)
        assert service.exit() == 0


def test_litestream_is_begun_again_when_it_dies(tmp_path: Path, sheet: Google, replica: dict[str, str]) -> None:
    sheet.tab("Project A", 3, 1_000)
    with serving(tmp_path, sheet, env=replica) as service:
        (first,) = until(lambda: _processes(str(service.database)))
        os.kill(first, signal.SIGKILL)
        until(lambda: {*_processes(str(service.database))} - {first})
        assert "Litestream ended; it is begun again" in service.log
        assert service.sync().json["success"]
        service.signal(signal.SIGINT)
        service.exit()
    shutil.rmtree(tmp_path / "data")
    with serving(tmp_path, sheet, env=replica) as service:
        assert service.followers() == {"Project A": {1_000}}


def test_of_two_servers_on_one_file_one_copies(tmp_path: Path, sheet: Google, replica: dict[str, str]) -> None:
    sheet.tab("Project A", 3, 1_000)
    with serving(tmp_path, sheet, env=replica) as first:
        until(lambda: _processes(str(first.database)))
        with serving(tmp_path, sheet, env=replica) as second:
            time.sleep(2)
            (one,) = _processes(str(first.database))
            first.signal(signal.SIGTERM)
            assert first.exit() == 0
            until(lambda: {*_processes(str(first.database))} - {one})
            assert second.sync().json["success"]
            assert state(second)["state"] == "ok"
            second.signal(signal.SIGTERM)
            assert second.exit() == 0
    shutil.rmtree(tmp_path / "data")
    with serving(tmp_path, sheet, env=replica) as service:
        assert service.followers() == {"Project A": {1_000}}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (lambda folder: f"file://{folder}/file/copy", "The database is gone, and its copy at file://"),
        (lambda _: "bogus://somewhere", "cannot be read: Error: unknown replica type in config"),
    ],
)
def test_a_copy_that_can_not_be_read_is_not_taken_for_none(
    tmp_path: Path, url: Callable[[Path], str], words: str
) -> None:
    (tmp_path / "file").touch()
    env = environment(tmp_path, env={"LITESTREAM_REPLICA_URL": url(tmp_path)})

    ended = run(tmp_path, *CLI, env=env)

    assert ended.returncode != 0
    assert words in ended.stdout
    assert "begin anew: take LITESTREAM_REPLICA_URL out of the settings" in ended.stdout
    assert not (tmp_path / "data" / "smart_sync.db").exists()


def test_a_service_without_litestream_says_how_to_get_it(tmp_path: Path, replica: dict[str, str]) -> None:
    start = (
        "import sys\nfrom webapp.store import replicas\nreplicas.litestream_path = lambda: None\n"
        "sys.argv[1:] = ['serve']\nfrom webapp.cli import main\nmain()"
    )

    ended = run(tmp_path, "-c", start, env=environment(tmp_path, env=replica))

    assert ended.returncode != 0
    assert "Litestream is not installed (pip install 'smart-sync[backup]')" in ended.stdout


def _processes(word: str) -> list[int]:
    """Those of Litestream that have a word on their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if words[0].endswith("litestream") and word in words:
            found.append(int(folder.name))
    return found
