"""A damaged database file is told as such at every door, and is not written any more."""

from __future__ import annotations

import logging
import os
import random
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.damage import KINDS, copy_database, fill
from tests.fakes.service import ADMIN, TOKEN, Service
from webapp import api, cli, server
from webapp.config import every_setting
from webapp.errors import StoreError
from webapp.store.db import open_database
from webapp.store.migrate import migrate

CASES = [pytest.param(kind, seed, marks=[pytest.mark.long] if seed else []) for kind in KINDS for seed in range(10)]
FORCED = "/api/admin/smart_sync?force=true"


class Filled(NamedTuple):
    """A filled database. hot: a copy of it while it was in use, with its log. ids: of things that are in it."""

    cold: Path
    hot: Path
    service: Service
    ids: dict[str, Any]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    folder = tmp_path_factory.mktemp("filled")
    cold = folder / "cold.db"
    db = open_database(f"sqlite:///{cold}")
    migrate(db)
    db.close()
    service = Service(f"sqlite:///{cold}")
    fill(service)
    ids = {
        "project_id": service.project()["id"],
        "account_id": service.account("x.com/A2")["id"],
        "run_id": service.rows("SELECT id FROM sync_runs ORDER BY started_at")[0]["id"],
        "day": "2026-03-03",
    }
    hot = copy_database(cold, folder / "hot.db")
    service.close()
    return Filled(cold, hot, service, ids)


@pytest.fixture
def open_damaged(filled: Filled, tmp_path: Path) -> Iterator[Callable[[str, int], Service]]:
    """Damages a copy in one way and serves it."""
    opened: list[Service] = []

    def damaged(kind: str, seed: int) -> Service:
        path = damage(filled, kind, seed, tmp_path)
        service = Service(f"sqlite:///{path}")
        service.engine.sheets = (filled.service.sheet,)
        service.time.now = filled.service.time.now
        opened.append(service)
        return service

    yield damaged
    for service in opened:
        service.close()


def damage(filled: Filled, kind: str, seed: int, folder: Path) -> Path:
    path = copy_database(filled.hot if kind == "log" else filled.cold, folder / "smart_sync.db")
    KINDS[kind](path, random.Random(f"{kind} {seed}"))
    return path


def doors(ids: dict[str, Any]) -> list[str]:
    """The addresses of everything that is read, streams aside."""
    found = [route.path for route in api.ROUTES if route.method == "GET" and not route.path.endswith("/events")]
    pages = ["/", "/projects/<project_id>", "/accounts/<account_id>", "/runs", "/runs/<run_id>"]
    return [re.sub(r"<(?:\w+:)?(\w+)>", lambda name: str(ids.get(name[1], "x")), path) for path in found + pages]


def changes(client: FlaskClient, filled: Filled) -> list[TestResponse]:
    """What a sync, a program and a person write."""
    reading = {"profile_url": "x.com/A1", "origin": "youtube", "followers": 7}
    reading["observed_at"] = filled.service.time.now.isoformat()
    project = f"/api/admin/projects/{filled.ids['project_id']}"
    return [
        client.post(FORCED, headers=ADMIN),
        client.post("/api/admin/readings", headers=ADMIN, json={"readings": [reading]}),
        client.patch(project, headers=ADMIN, json={"target_views": 9}),
    ]


def check(answer: TestResponse, seen: list[str]) -> None:
    """Either nothing of the damage was met, or it is named."""
    if answer.request.path in ("/docs", "/openapi.json"):
        return
    assert answer.status_code in (200, 404, 503), answer.text
    assert "internal_error" not in answer.text
    assert "Traceback" not in answer.text
    if answer.status_code == 503:
        assert "damaged" in answer.text or "should be" in answer.text, answer.text
        assert "restore a backup" in answer.text
        assert answer.headers["Retry-After"]
        seen.append("database_corrupt")
        if answer.content_type == "application/problem+json":
            assert answer.json is not None
            assert answer.json["code"] == "database_corrupt"


@pytest.mark.parametrize(("kind", "seed"), CASES)
def test_whatever_the_damage_no_door_answers_anything_else(
    filled: Filled, open_damaged: Callable[[str, int], Service], kind: str, seed: int
) -> None:
    service = open_damaged(kind, seed)
    client, seen = service.client, list[str]()
    client.post("/sign-in", data={"token": TOKEN}, headers={"Origin": "http://localhost"})
    for path in doors(filled.ids):
        check(client.get(path, headers=ADMIN if path.startswith("/api") else {}), seen)
    for answer in changes(client, filled):
        check(answer, seen)
    if not seen:
        return

    file = Path(service.db.storage())
    before = written(file)  # what was committed before the damage was met may still stand in the log
    for answer in changes(client, filled):
        assert answer.status_code == 503, answer.text
    assert written(file) == before


def written(file: Path) -> list[bytes]:
    """The database and its log."""
    log = file.with_name(f"{file.name}-wal")
    return [one.read_bytes() if one.exists() else b"" for one in (file, log)]


@pytest.mark.parametrize(("kind", "seed"), [case for case in CASES if case.values[1] in (0, 3)])
def test_whatever_the_damage_commands_and_starts_end_in_words(
    filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, seed: int
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(logging.getLogger("smart_sync"), "handlers", [])
    path = damage(filled, kind, seed, tmp_path)
    env: dict[str, str | None] = dict.fromkeys(os.environ.keys() & {setting.name for setting in every_setting()}, None)
    env |= {"DATABASE_URL": f"sqlite:///{path}", "SMART_SYNC_SHEET": str(tmp_path), "SMART_SYNC_DATA_DIR": "data"}
    broken = open_database(f"sqlite:///{path}").damage() is not None

    for words in ("doctor", "status", "runs", "schedule list", "projects list", "db upgrade", "sync --force", "tick"):
        done = CliRunner().invoke(cli.main, words.split(), env=env)

        assert done.exception is None or isinstance(done.exception, SystemExit), (words, done.exc_info)
        assert "Traceback" not in done.output, words
        assert done.exit_code in (0, 1, 2)
        if words == "doctor" and broken:
            assert (done.exit_code, "is damaged" in done.output) == (1, True)
            assert "-wal and -shm" in done.output


@pytest.mark.parametrize("seed", range(3))
def test_a_server_does_not_start_on_a_schema_that_makes_no_sense(filled: Filled, tmp_path: Path, seed: int) -> None:
    path = damage(filled, "schema", seed, tmp_path)
    service = Service(f"sqlite:///{path}")

    class Arbiter:
        class app:  # noqa: N801  as gunicorn has it
            @staticmethod
            def wsgi() -> Any:
                return service.app

    said = ""
    try:
        server.on_starting(Arbiter)
    except RuntimeError as error:
        said = str(error)
    service.close()
    assert not said or ("is damaged" in said and "-wal and -shm" in said)


def test_a_damaged_file_is_not_migrated(filled: Filled, tmp_path: Path) -> None:
    path = copy_database(filled.cold, tmp_path / "smart_sync.db")
    db = open_database(f"sqlite:///{path}")
    with db.write() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    db.close()
    KINDS["noise"](path, random.Random(1))
    before = path.read_bytes()

    with pytest.raises(StoreError) as caught:
        migrate(db)

    assert (caught.value.code, path.read_bytes()) == ("database_corrupt", before)


def test_what_damage_makes_of_our_own_code_is_no_bug_of_a_sync(sqlite_service: Service) -> None:
    service, sheet = sqlite_service, sqlite_service.sheet
    sheet.rows("Project A", ["x.com/ann", 1000])
    service.sync()

    def stumble() -> None:
        """Over a row that the damage has left without what it belongs to."""
        with closing(sqlite3.connect(service.db.storage())) as other, other:
            other.execute("INSERT INTO accounts (project_id, profile_url, url_key) VALUES ('gone', 'x', 'x')")
        raise KeyError("gone")

    sheet.on_book = stumble

    answer = service.sync(503)

    assert (answer["code"], "restore a backup" in answer["hint"]) == ("database_corrupt", True)
    assert service.rows("SELECT state FROM sync_runs ORDER BY started_at DESC")[0]["state"] == "running"
