"""A database that was there and is not: noticed once, told until somebody has acknowledged it, and never for nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from tests.fakes.clock import FakeClock
from tests.fakes.service import ADMIN, TOKEN, Service
from tests.fakes.sheet import FakeSheet
from webapp import cli
from webapp.app import create_app
from webapp.bootstrap import Parts, bootstrap, traces_of
from webapp.config import Settings
from webapp.errors import StoreError
from webapp.store import lost_history
from webapp.store.db import Database, open_database
from webapp.store.migrate import ensure_migrated
from webapp.store.traces import Trace, Traces
from webapp.sync.engine import Engine

SEEN = datetime(2026, 3, 1, 23, 0, tzinfo=UTC)
OLD = Trace("/var/data/smart_sync.db", date(2026, 1, 5), SEEN)


@contextmanager
def running(settings: Settings, *, day: int = 2) -> Iterator[Process]:
    """A process of the service, from its start to its end, on a day in March."""
    process = Process(settings, day)
    try:
        yield process
    finally:
        process.parts.db.close()


class Process:
    """One process over the settings, with a sheet of one account."""

    def __init__(self, settings: Settings, day: int) -> None:
        time, sheet = FakeClock(datetime(2026, 3, day, 10, 0, tzinfo=UTC)), FakeSheet()
        sheet.rows("Project A", ["x.com/ada", 1, 2, 3, 4, 5])
        parts = bootstrap(settings, clock=time.clock)
        self.parts: Parts = replace(parts, engine=Engine(parts.db, [sheet], parts.engine.options, parts.clock))
        self.client = create_app(self.parts).test_client()

    def sync(self, **how: str) -> Any:
        answer = self.client.post("/api/admin/smart_sync", query_string=how, headers=ADMIN)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    @property
    def storage(self) -> Any:
        answer = self.client.get("/api/admin/sync_status", headers=ADMIN)
        assert answer.get_json()["success"] is True
        return answer.get_json()["storage"]

    def acknowledge(self) -> Any:
        return self.client.post("/api/admin/lost_history/acknowledge", headers=ADMIN).get_json()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """As a server has them whose data folder is a mounted disk."""
    return Settings(data_dir=tmp_path / "disk" / "data", data_dir_set=True, admin_tokens=(TOKEN,))


def lose_the_folder(settings: Settings) -> None:
    shutil.rmtree(settings.data_dir)


def lose_the_file(settings: Settings) -> None:
    for path in settings.data_dir.glob("smart_sync.db*"):
        path.unlink()


def lose_the_file_and_what_is_beside(settings: Settings) -> None:
    lose_the_file(settings)
    for path in settings.data_dir.parent.glob(".*.seen"):
        path.unlink()


LOSSES = pytest.mark.parametrize("lose", [lose_the_folder, lose_the_file, lose_the_file_and_what_is_beside])


@LOSSES
def test_an_empty_database_where_one_with_history_was_is_told_of_until_it_is_acknowledged(
    settings: Settings, lose: Any
) -> None:
    with running(settings) as before:
        before.sync()
        assert (before.storage["lost_history_since"], before.storage["history_since"]) == (None, "2026-03-02")
    lose(settings)

    with running(settings, day=3) as after:
        assert after.sync()["success"] is True
        told = after.storage
        assert told["lost_history_since"].endswith("Z")
        assert "had history from 2026-03-02 on and was last seen on 2026-03-02" in told["lost_history"]
        assert told["history_since"] == "2026-03-03"
    with running(settings, day=4) as again:
        assert again.storage == told
        assert again.acknowledge() == {"success": True, "acknowledged": True}
        assert again.acknowledge() == {"success": True, "acknowledged": False}
        assert (again.storage["lost_history_since"], again.storage["lost_history"]) == (None, None)
        trace = again.client.get("/api/admin/audit?target=storage", headers=ADMIN).get_json()["audit"]
        assert [one["action"] for one in trace] == ["lost_history.acknowledge"]
    with running(settings, day=5) as later:
        assert later.storage["lost_history_since"] is None


def test_a_loss_is_acknowledged_for_good_before_the_next_history_begins(settings: Settings) -> None:
    with running(settings) as before:
        before.sync()
    lose_the_file(settings)

    with running(settings, day=3) as after:
        after.acknowledge()
    with running(settings, day=4) as later:
        assert later.storage["lost_history_since"] is None


def test_a_second_loss_is_another(settings: Settings) -> None:
    for day in (2, 3):
        with running(settings, day=day) as process:
            process.sync()
            process.acknowledge()
        lose_the_file(settings)

    with running(settings, day=4) as after:
        assert "last seen on 2026-03-03" in after.storage["lost_history"]


def test_a_restored_backup_ends_it(settings: Settings, tmp_path: Path) -> None:
    with running(settings) as before:
        before.sync()
    shutil.copy(settings.data_dir / "smart_sync.db", tmp_path / "backup.db")
    lose_the_file(settings)
    with running(settings, day=3) as after:
        assert after.storage["lost_history_since"]
    lose_the_file(settings)
    shutil.copy(tmp_path / "backup.db", settings.data_dir / "smart_sync.db")

    with running(settings, day=3) as restored:
        assert restored.storage["lost_history_since"] is None
        assert restored.storage["history_since"] == "2026-03-02"


def test_a_server_that_was_swapped_for_an_empty_one_is_missed(
    settings: Settings, postgres_url: str, new_postgres_url: str
) -> None:
    settings.data_dir.mkdir(parents=True)
    with running(replace(settings, database_url=postgres_url)) as before:
        before.sync()
        place = before.storage["path"]

    with running(replace(settings, database_url=new_postgres_url), day=3) as after:
        assert after.storage["lost_history_since"]
        assert after.storage["kind"] == "postgresql"
        assert after.storage["lost_history"].startswith(f"{place} had history")
        assert after.acknowledge()["acknowledged"] is True


def test_a_database_url_that_fell_away_is_missed(settings: Settings, tmp_path: Path) -> None:
    settings.data_dir.mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere.db"
    with running(replace(settings, database_url=f"sqlite:///{elsewhere}")) as before:
        before.sync()

    with running(settings, day=3) as after:
        assert str(elsewhere) in after.storage["lost_history"]


# Every door


@pytest.fixture
def lost(settings: Settings) -> dict[str, str]:
    """The environment of a service that has lost its history."""
    with running(settings) as before:
        before.sync()
    lose_the_file(settings)
    return {"SMART_SYNC_DATA_DIR": str(settings.data_dir), "SMART_SYNC_ADMIN_TOKEN": TOKEN}


def typed(env: dict[str, str], *words: str) -> str:
    return CliRunner().invoke(cli.main, words, env=env).output


def test_the_command_line_tells_of_it_and_takes_note(lost: dict[str, str]) -> None:
    of_it = "had history from 2026-03-02 on"
    first = typed(lost, "status")
    assert "history lost: noticed 2" in first
    assert of_it in first
    assert f"warn  history: was lost: {lost['SMART_SYNC_DATA_DIR']}" in typed(lost, "doctor")
    assert json.loads(typed(lost, "status", "--json"))["storage"]["lost_history_since"]

    assert typed(lost, "db", "acknowledge-loss") == "acknowledged\n"

    assert typed(lost, "db", "acknowledge-loss") == "there is nothing to acknowledge\n"
    assert "lost" not in typed(lost, "status") + typed(lost, "doctor")


def test_the_home_page_tells_of_it_until_somebody_knows(lost: dict[str, str], settings: Settings) -> None:
    with running(settings, day=3) as after:
        page, token = after.client, {"token": TOKEN}
        after.sync()
        page.post("/sign-in", data=token, headers={"Sec-Fetch-Site": "same-origin"})
        assert "History was lost" in page.get("/").text

        answer = page.post("/lost_history", headers={"Sec-Fetch-Site": "same-origin"})

        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
        assert "History was lost" not in page.get("/").text
        (row,) = after.client.get("/api/admin/audit?target=storage", headers=ADMIN).get_json()["audit"]
        assert (row["action"], row["door"]) == ("lost_history.acknowledge", "page")


# What is no loss


def test_a_first_start_has_lost_nothing(settings: Settings) -> None:
    with running(settings) as first:
        assert first.storage["lost_history_since"] is None
        assert first.storage["history_since"] is None
        first.sync()
        assert first.storage["lost_history_since"] is None
    with running(settings) as second:
        second.sync()
        assert second.storage["lost_history_since"] is None


def test_a_database_that_never_had_history_leaves_no_trace(settings: Settings) -> None:
    with running(settings) as first:
        first.sync(dry_run="true")
    lose_the_folder(settings)

    with running(settings) as second:
        assert second.storage["lost_history_since"] is None


def test_another_database_with_history_of_its_own_is_a_choice(settings: Settings, tmp_path: Path) -> None:
    other = replace(settings, database_url=f"sqlite:///{tmp_path}/other.db", data_dir_set=False)
    with running(other) as process:
        process.sync()
    with running(settings) as process:
        process.sync()

    with running(replace(other, data_dir_set=True), day=3) as process:
        assert process.storage["lost_history_since"] is None


def test_the_demo_and_a_server_without_a_folder_leave_no_traces(tmp_path: Path) -> None:
    assert traces_of(Settings(demo=True, data_dir=tmp_path, data_dir_set=True)) == ()
    assert traces_of(Settings(database_url="postgresql://host/name", data_dir=tmp_path)) == ()
    assert traces_of(Settings(database_url=f"sqlite:///{tmp_path}/a.db")) == (tmp_path / ".a.db.seen",)


def test_a_folder_that_takes_no_traces_stops_nothing(settings: Settings) -> None:
    for path in traces_of(settings):
        path.mkdir(parents=True)

    with running(settings) as process:
        assert process.sync()["success"] is True
        assert process.storage["lost_history_since"] is None


# Traces


def test_places_that_cannot_be_written_or_read_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "folder.seen").mkdir()
    (tmp_path / "broken.seen").write_text('{"place": 1')
    (tmp_path / "other.seen").write_text('{"place": "x", "seen_at": "soon", "first_day": "2026-01-01"}')
    names = ["none/of.seen", "folder.seen", "broken.seen", "other.seen", "good.seen"]
    traces = Traces([tmp_path / name for name in names])
    assert traces.latest() is None

    traces.leave(OLD)

    assert traces.latest() == OLD
    said = [json.loads((tmp_path / name).read_text()) for name in names[2:]]
    assert [one["place"] for one in said] == [OLD.place] * 3
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])


def test_a_trace_is_left_once_a_day_in_each_process(tmp_path: Path) -> None:
    path = tmp_path / "a.seen"
    first, second = Traces([path]), Traces([path])
    assert (first.is_due(SEEN.date()), Traces().is_due(SEEN.date())) == (True, False)
    first.leave(OLD)
    written = path.stat().st_ino

    second.leave(replace(OLD, seen_at=SEEN.replace(minute=30)))
    assert (first.is_due(SEEN.date()), second.is_due(SEEN.date()), path.stat().st_ino) == (False, False, written)
    second.leave(replace(OLD, seen_at=SEEN.replace(day=2)))

    assert second.is_due(SEEN.date())
    assert path.stat().st_ino != written


# What is found in the database


@pytest.fixture
def db(database_url: str, tmp_path: Path) -> Iterator[Database]:
    """An empty database, with a trace of one that was not."""
    path = tmp_path / "a.seen"
    Traces([path]).leave(OLD)
    database = open_database(database_url, traces=[path])
    yield database
    database.close()


def test_many_workers_that_start_at_once_notice_one_loss(db: Database, database_url: str, tmp_path: Path) -> None:
    others = [open_database(database_url, traces=[tmp_path / "a.seen"]) for _ in range(4)]
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(ensure_migrated, [db, *others]))

    with db.read() as tx:
        found = lost_history.open_loss(tx)
    for other in others:
        other.close()
    assert found is not None
    assert (found.place, found.first_day, found.seen_at) == (OLD.place, OLD.first_day, OLD.seen_at)


def test_a_loss_that_another_worker_has_just_noticed_is_not_noticed_again(
    sqlite_db: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sqlite_db.traces = Traces([tmp_path / "a.seen"])
    sqlite_db.traces.leave(OLD)
    looks = iter([True, False])
    monkeypatch.setattr(lost_history, "_is_news", lambda *_: next(looks))

    lost_history.notice(sqlite_db)

    with sqlite_db.read() as tx:
        assert lost_history.last(tx) is None


def test_who_cannot_write_what_was_noticed_goes_on(
    sqlite_service: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url, traces = f"sqlite:///{sqlite_service.db.storage()}", [tmp_path / "a.seen"]
    Traces(traces).leave(OLD)
    locked_out = open_database(url, busy_timeout_s=0.0, traces=traces)

    with sqlite_service.db.write() as tx:
        ensure_migrated(locked_out)
        assert lost_history.last(tx) is None

    locked_out.close()
    assert "whether history was lost is not known" in caplog.text


def test_a_database_that_cannot_be_read_now_leaves_its_trace_another_time() -> None:
    def refuse() -> Any:
        raise StoreError("busy")

    db: Any = SimpleNamespace(traces=SimpleNamespace(is_due=lambda _: True), read=refuse)

    lost_history.leave_trace(db, datetime(2026, 3, 2, tzinfo=UTC))  # and says nothing
