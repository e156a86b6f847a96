"""A project's schedule over HTTP, and the schedule as the command line tells it."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.fakes.calls import call, code_of
from tests.fakes.clock import FakeClock
from tests.fakes.service import ADMIN, Service
from tests.fakes.sheet import FakeSheet
from webapp import cli
from webapp.bootstrap import DEMO_FOLDER

ANN = "https://x.com/ann"


def path_of(service: Service, project: str = "Project A") -> str:
    return f"/api/admin/projects/{service.project(project)['id']}/auto_sync"


def put(service: Service, **settings: Any) -> Any:
    return call(service, "PUT", path_of(service), settings)


@pytest.fixture
def synced(service: Service, sheet: FakeSheet) -> Service:
    """A service with one project, synced at 10:00 on a Monday."""
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    return service


@pytest.fixture
def sqlite_synced(sqlite_service: Service) -> Service:
    sqlite_service.sheet.rows("Project A", [ANN, 1])
    sqlite_service.sync()
    return sqlite_service


def test_without_settings_a_project_is_synced_every_half_hour(synced: Service) -> None:
    shown = synced.get(path_of(synced))

    assert shown == {
        "success": True,
        "project_id": synced.project()["id"],
        "project_name": "Project A",
        "enabled": True,
        "interval_minutes": 30,
        "interval_hours": 0.5,
        "default_interval": True,
        "cron": None,
        "timezone": "UTC",
        "min_interval_minutes": 0,
        "last_sync_at": shown["last_sync_at"],
        "next_sync_at": "2026-03-02T10:30:00.000000Z",
        "due": False,
        "failures": 0,
        "last_error": None,
    }
    assert shown["last_sync_at"].startswith("2026-03-02T10:00:00")


def test_before_its_first_sync_a_project_is_due_at_once(service: Service) -> None:
    service.write("INSERT INTO projects (id, name, status) VALUES ('p', 'Project A', 'active')")

    shown = service.get(path_of(service))

    assert (shown["last_sync_at"], shown["due"]) == (None, True)
    assert shown["next_sync_at"].startswith("2026-03-02T10:00:00")
    assert put(service, interval_hours=24)["due"]


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({"interval_minutes": 45}, {"interval_minutes": 45, "interval_hours": 0.75, "next_sync_at": "02T10:45"}),
        ({"interval_hours": 24}, {"interval_minutes": 1440, "interval_hours": 24, "next_sync_at": "03T10:00"}),
        ({"interval_hours": 2, "interval_minutes": 120}, {"interval_minutes": 120, "next_sync_at": "02T12:00"}),
        ({"interval_minutes": 5}, {"next_sync_at": "02T10:10", "due": True}),
        ({"cron": "30 2 * * *"}, {"cron": "30 2 * * *", "interval_minutes": None, "next_sync_at": "03T02:30"}),
        ({"cron": "30  2 * * *", "timezone": "Asia/Tokyo"}, {"timezone": "Asia/Tokyo", "next_sync_at": "02T17:30"}),
        ({"cron": "0 3 * * *", "interval_minutes": None}, {"cron": "0 3 * * *", "next_sync_at": "03T03:00"}),
        ({"enabled": False}, {"enabled": False, "next_sync_at": None, "due": False}),
        ({"min_interval_minutes": 60}, {"min_interval_minutes": 60, "next_sync_at": "02T10:30"}),
        ({}, {"interval_minutes": 30, "next_sync_at": "02T10:30"}),
    ],
    ids=str,
)
def test_settings_are_kept_and_the_next_sync_follows(
    synced: Service, time: FakeClock, settings: dict[str, Any], shown: dict[str, Any]
) -> None:
    time.forward(minutes=10)

    answer = put(synced, **settings)

    assert answer == synced.get(path_of(synced))
    told = answer | {"next_sync_at": answer["next_sync_at"] and answer["next_sync_at"][8:16]}
    assert {name: told[name] for name in shown} == shown


def test_an_interval_takes_the_place_of_a_cron_expression_and_the_other_way_round(synced: Service) -> None:
    put(synced, cron="30 2 * * *", timezone="Europe/Berlin")
    hourly = put(synced, interval_hours=1)
    nightly = put(synced, cron="30 3 * * *")
    default = put(synced, cron=None, timezone=None)

    assert (hourly["cron"], hourly["interval_minutes"]) == (None, 60)
    assert (nightly["cron"], nightly["interval_minutes"], nightly["timezone"]) == ("30 3 * * *", None, "Europe/Berlin")
    assert (default["cron"], default["interval_minutes"], default["timezone"]) == (None, 30, "UTC")
    assert default["default_interval"]


@pytest.mark.shortcuts
@pytest.mark.parametrize(
    "settings",
    [
        {"interval_minutes": 30},
        {"interval_minutes": None},
        {"enabled": True},
        {"min_interval_minutes": 15},
        {"timezone": "Europe/Berlin"},
        {"enabled": False},
    ],
    ids=str,
)
def test_what_changes_no_schedule_does_not_postpone_the_next_sync(
    synced: Service, time: FakeClock, settings: dict[str, Any]
) -> None:
    time.forward(minutes=29)

    put(synced, **settings)
    put(synced, enabled=True)

    time.forward(minutes=1)
    assert synced.sync(due=True)["success_count"] == 1


@pytest.mark.shortcuts
def test_what_was_off_for_weeks_is_synced_once_when_it_is_on_again(synced: Service, time: FakeClock) -> None:
    put(synced, enabled=False)
    time.forward(days=20, minutes=3)
    assert synced.sync(due=True)["results"] == []

    assert put(synced, enabled=True)["due"]

    assert synced.sync(due=True)["success_count"] == 1
    assert synced.sync(due=True)["results"] == []
    status = synced.get("/api/admin/sync_status")
    assert status["next_due_at"].startswith("2026-03-22T10:30")


def test_a_shorter_interval_is_not_overdue_for_the_time_before_it_was_set(synced: Service, time: FakeClock) -> None:
    put(synced, interval_hours=24)
    time.forward(hours=5)

    put(synced, interval_minutes=5)

    status = synced.get("/api/admin/sync_status")
    assert status["overdue_by_seconds"] == 0
    assert status["stale"] == bool(status["stale_projects"])


def test_a_project_that_is_synced_once_a_day_is_not_stale_after_an_hour(synced: Service, time: FakeClock) -> None:
    put(synced, cron="0 10 * * *")
    project_id = synced.project()["id"]
    said = []
    for hours in (5, 42, 2):
        time.forward(hours=hours)
        one = synced.get("/api/admin/sync_status", project_id=project_id)
        said.append((one["stale"], len(synced.get("/api/admin/sync_status")["stale_projects"])))

    assert said == [(False, 0), (False, 0), (True, 1)]


@pytest.mark.parametrize(
    ("settings", "field", "words"),
    [
        ({"interval_minutes": 0}, "interval_minutes", ">= 1"),
        ({"interval_minutes": 525_601}, "interval_minutes", "<= 525600"),
        ({"interval_minutes": "30"}, "interval_minutes", "int"),
        ({"interval_minutes": 1.5}, "interval_minutes", "int"),
        ({"interval_hours": 0}, "interval_hours", ">= 1"),
        ({"interval_hours": 24, "interval_minutes": 30}, "interval_hours", "differ"),
        ({"interval_minutes": 30, "cron": "0 * * * *"}, "cron", "exclude each other"),
        ({"interval_hours": 2, "cron": "0 * * * *"}, "cron", "exclude each other"),
        ({"cron": "0 0 31 2 *"}, "cron", "wrong day-of-month"),
        ({"cron": "0 0 * 2 *  MON#5 *"}, "cron", "five fields"),
        ({"cron": ""}, "cron", "five fields"),
        ({"cron": "every day"}, "cron", "five fields"),
        ({"cron": 5}, "cron", "str"),
        ({"timezone": "Europe/Berln"}, "timezone", "no time zone"),
        ({"timezone": ""}, "timezone", "no time zone"),
        ({"min_interval_minutes": -1}, "min_interval_minutes", ">= 0"),
        ({"enabled": None}, "enabled", "bool"),
        ({"enabled": 1}, "enabled", "bool"),
        ({"interval": 5}, None, "unknown field"),
    ],
    ids=str,
)
def test_settings_that_can_not_be_are_refused_by_name_and_change_nothing(
    sqlite_synced: Service, settings: dict[str, Any], field: str | None, words: str
) -> None:
    before = sqlite_synced.tables()
    answer = sqlite_synced.client.put(path_of(sqlite_synced), json=settings, headers=ADMIN)

    body: Any = answer.json
    assert (answer.status_code, body["code"], body.get("field")) == (422, "invalid_parameter", field), body
    assert words in body["detail"]
    assert sqlite_synced.tables() == before


def test_a_wrong_name_gets_a_hint(sqlite_synced: Service) -> None:
    answer: Any = sqlite_synced.client.put(
        path_of(sqlite_synced), json={"timezone": "europe/berlin"}, headers=ADMIN
    ).json

    assert answer["hint"] == "did you mean Europe/Berlin?"


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("project", ["nobody", "removed"])
def test_a_project_that_is_not_there_has_no_schedule(synced: Service, method: str, project: str) -> None:
    if project == "removed":
        project = synced.project()["id"]
        call(synced, "DELETE", f"/api/admin/projects/{project}")

    found = code_of(synced, method, f"/api/admin/projects/{project}/auto_sync", {} if method == "PUT" else None)

    assert found[:2] == (404, "project_not_found")


def test_a_change_is_written_into_the_log_and_the_audit_log(synced: Service, caplog: pytest.LogCaptureFixture) -> None:
    revision = synced.project()["revision"]
    with caplog.at_level(logging.INFO, "smart_sync"):
        put(synced, interval_hours=2, min_interval_minutes=10)
        put(synced, interval_hours=2)

    said = [record for record in caplog.records if "schedule changed" in record.getMessage()]
    audited = synced.get("/api/admin/audit", target=f"project:{synced.project()['id']}")["audit"]
    assert (len(said), len(audited), synced.project()["revision"]) == (1, 1, revision + 1)
    assert (audited[0]["action"], audited[0]["before"], audited[0]["after"]) == (
        "project.auto_sync",
        {"interval_minutes": None, "min_interval_minutes": 0},
        {"interval_minutes": 120, "min_interval_minutes": 10},
    )


@pytest.mark.parametrize("status", ["paused", "finished"])
def test_a_project_that_is_not_active_has_no_next_sync(synced: Service, status: str) -> None:
    synced.write(f"UPDATE projects SET status = '{status}'")

    shown = synced.get(path_of(synced))

    assert (shown["enabled"], shown["next_sync_at"], shown["due"]) == (True, None, False)
    assert synced.get("/api/admin/sync_status")["next_due_at"] is None


# The command line


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Types a command in a folder of its own, over the demo's sheet."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("SMART_SYNC_", "DATABASE_URL", "GOOGLE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SMART_SYNC_SHEET", str(DEMO_FOLDER))
    monkeypatch.setenv("SMART_SYNC_PLATFORMS", "none")
    monkeypatch.setenv("SMART_SYNC_DATA_DIR", str(tmp_path))
    log = logging.getLogger("smart_sync")
    monkeypatch.setattr(log, "handlers", log.handlers[:])
    monkeypatch.setattr(log, "propagate", log.propagate)
    return lambda *words: CliRunner().invoke(cli.main, words, catch_exceptions=False)


def test_a_tick_syncs_what_is_due_and_then_nothing(run: Callable[..., Result]) -> None:
    first, second = run("tick"), run("tick", "--json")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "succeeded: 3 projects done" in first.stdout
    assert json.loads(second.stdout)["total_projects"] == 0


def test_a_tick_that_fails_exits_as_a_sync_does(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMART_SYNC_SHEET", "/nowhere/sheet.xlsx")

    assert run("tick").exit_code == run("sync").exit_code == 2


def test_the_schedule_is_listed_in_words(run: Callable[..., Result]) -> None:
    assert run("schedule", "list").stdout == "last tick: none yet; let a cron run `tick`\n"
    run("tick")

    listed = run("schedule", "list").stdout.splitlines()

    assert listed[0] == "last tick: just now"
    assert sorted(line[:31] for line in listed[1:]) == [
        "Beauty Lab   every 30 minutes, ",
        "Street Food  every 30 minutes, ",
        "Игры         every 30 minutes, ",
    ]
    assert all(line.endswith(" minutes; last success just now") for line in listed[1:])
    told = json.loads(run("schedule", "list", "--json").stdout)
    assert (told["overdue_by_seconds"], len(told["projects"]), told["projects"][0]["schedule"]) == (
        0,
        3,
        "every 30 minutes",
    )


def test_a_simulation_tells_who_would_be_synced_when_and_writes_nothing(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    run("tick")
    before = (tmp_path / "smart_sync.db").read_bytes()

    lines = run("schedule", "test", "--hours", "3").stdout.splitlines()
    rarely = run("schedule", "test", "--hours", "24", "--every", "720").stdout.splitlines()

    assert len(lines) in (6, 7)
    assert all(" UTC  Beauty Lab, Street Food, Игры" in line for line in lines[:-1])
    assert lines[-1].endswith("at most 2 in one")
    assert rarely[-1].startswith("1 runs in 24 hours")
    assert (tmp_path / "smart_sync.db").read_bytes() == before


def test_what_goes_wrong_is_listed_with_its_words(sqlite_synced: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    service = sqlite_synced
    service.sheet.delete("Project A")
    service.sync(502)
    service.write("UPDATE projects SET synced_at = '2020-01-01', next_sync_at = '2020-01-01'")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{service.db.storage()}")
    monkeypatch.setattr(logging.getLogger("smart_sync"), "handlers", [])

    listed = CliRunner().invoke(cli.main, ["schedule", "list"], catch_exceptions=False).stdout.splitlines()

    assert listed[1].startswith("overdue: the first turn was ")
    assert "next at the next tick; last success " in listed[2]
    assert "1 failure since: the tab 'Project A' has gone" in listed[2]
