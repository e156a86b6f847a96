"""Whoever asks hears the same of how a sync went: answer, log of runs, status, log lines."""

from __future__ import annotations

import json
import logging
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.service import Service
from tests.fakes.sheet import FakeSheet
from webapp.clock import Budget
from webapp.errors import SourceError, TransientSourceError
from webapp.sources.sheet import Cell
from webapp.sync.trigger import Trigger

ANN = "https://x.com/ann"
BEN = "https://x.com/ben"
AWAY = TransientSourceError("the Sheets API answered 503", code="upstream_error")
GONE = SourceError("the tab is garbled", code="bad_response", hint="look at it")


def last_run(service: Service) -> Any:
    """The latest run as its log has it, which is how the status has it too."""
    run = service.get("/api/admin/runs", limit=1)["runs"][0]
    seen = service.get("/api/admin/sync_status")["last_run"]
    assert {key: run[key] for key in seen} == seen
    return run


def ended(caplog: pytest.LogCaptureFixture) -> int:
    """How loud the latest run's end was."""
    return [record.levelno for record in caplog.records if record.message == "[SmartSync] sync ended"][-1]


def many(sheet: FakeSheet, number: int) -> None:
    for n in range(number):
        sheet.rows(f"Project {n:03}", [f"https://x.com/user{n}", n])


@pytest.mark.parametrize("summary", [False, True])
def test_a_strict_answer_names_who_failed_and_why(service: Service, sheet: FakeSheet, summary: bool) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 1])
    service.sync()
    sheet.broken("Project B", GONE)

    answer = service.sync(status=502, strict=True, summary=summary)

    assert (answer["state"], answer["error_code"]) == ("partial", "bad_response")
    assert answer["error"] == "Project B: the tab is garbled (look at it)"
    assert last_run(service)["error"] == answer["error"]


@pytest.mark.long
def test_what_failed_comes_first_and_is_not_cut_from_a_long_answer(sqlite_service: Service) -> None:
    sheet = sqlite_service.sheet
    many(sheet, 200)
    sqlite_service.sync()
    sheet.broken("Project 199", GONE)

    answer = sqlite_service.sync()

    assert answer["truncated"]
    assert (answer["results"][0]["project_name"], answer["results"][0]["success"]) == ("Project 199", False)
    assert sqlite_service.get(f"/api/admin/runs/{answer['run_id']}")["results"][0]["project_name"] == "Project 199"


@pytest.mark.long
def test_every_project_that_is_not_whole_is_listed_however_many_there_are(sqlite_service: Service) -> None:
    sheet = sqlite_service.sheet
    many(sheet, 260)
    sqlite_service.sync()
    for n in range(200):
        sheet.broken(f"Project {n:03}", GONE)

    answer = sqlite_service.trigger()
    summary = sqlite_service.trigger(summary=True)

    body, short = json.loads(answer.data), json.loads(summary.data)
    assert [one["success"] for one in body["results"]] == [False] * 200
    assert body["truncated"]
    assert "Project 000, Project 001, Project 002 and 197 more: the tab is garbled" in short["error"]
    assert len(summary.data) < 1024


def test_a_summary_stays_small_whatever_the_names(sqlite_service: Service) -> None:
    sheet = sqlite_service.sheet
    for n in range(6):
        sheet.rows(f'{n} "\\\t🎬Ж' * 12, [f"https://x.com/user{n}", n])
    sqlite_service.sync()
    for n in range(6):
        sheet.broken(f'{n} "\\\t🎬Ж' * 12, SourceError(f"{n} " + '"\n🎬' * 90, code="bad_response"))

    answer = sqlite_service.trigger(summary=True, strict=True)

    assert len(answer.data) < 1024
    assert json.loads(answer.data)["error"].startswith('0 "')


def test_an_outage_is_put_up_with_until_the_numbers_are_stale(
    service: Service, sheet: FakeSheet, time: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "smart_sync")
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    assert ended(caplog) == logging.INFO
    sheet.offline(AWAY)
    said = []
    for minutes in (10, 50, 15, 2880):
        time.forward(minutes=minutes)
        answer = service.sync()
        run = last_run(service)
        one = answer["results"][0]
        said.append((run["state"], run["success"], run["degraded"], one["success"], one["degraded"], ended(caplog)))

    assert said == [
        ("succeeded", True, True, True, True, logging.WARNING),
        ("succeeded", True, True, True, True, logging.WARNING),
        ("partial", False, True, False, True, logging.ERROR),
        ("partial", False, True, False, True, logging.ERROR),
    ]
    assert answer["error"] == (
        "Project A: the Sheets API answered 503; nothing of the sheet was read since 2 Mar 2026, 10:00 UTC"
    )
    assert service.sync(status=502, strict=True)["state"] == "partial"
    (failing,) = service.get("/api/admin/sync_status")["failing_projects"]
    assert (failing["project_name"], failing["state"]) == ("Project A", "degraded")
    assert failing["degraded_since"].startswith("2026-03-02T10:10")
    sheet.online()
    assert service.sync()["success"]
    assert service.get("/api/admin/sync_status")["failing_projects"] == []


def test_a_short_outage_names_its_reason_in_every_answer(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    sheet.offline(AWAY)

    answer = service.sync(summary=True)

    assert (answer["error"], answer["error_code"]) == (None, None)
    assert answer["degraded_reason"] == "Project A: the Sheets API answered 503"
    assert last_run(service)["degraded_reason"] == answer["degraded_reason"]


def test_a_project_with_a_long_interval_puts_up_with_an_outage_for_longer(
    service: Service, sheet: FakeSheet, time: FakeClock
) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    service.write("UPDATE projects SET interval_minutes = 1440")
    sheet.offline(AWAY)
    said = []
    for hours in (24, 23, 2):
        time.forward(hours=hours)
        said.append(service.sync()["success"])

    assert said == [True, True, False]


def test_a_guard_that_holds_is_no_success_by_any_door(service: Service, sheet: FakeSheet) -> None:
    people: list[list[Cell]] = [[f"https://x.com/user{n}", n] for n in range(12)]
    sheet.rows("Project A", *people)
    sheet.rows("Project B", [BEN, 1])
    service.sync()
    sheet.rows("Project A", *people[:2])

    answer = service.sync(status=502, strict=True)

    first = answer["results"][0]
    assert (first["project_name"], first["success"], first["degraded"]) == ("Project A", False, True)
    assert (answer["state"], answer["error_code"], answer["degraded"]) == ("partial", "sheet_shrank", True)
    assert "10 of 12 accounts have lost their rows" in answer["error"]
    status = service.get("/api/admin/sync_status", project_id=service.project()["id"])
    assert (status["state"], status["last_error"]) == ("degraded", first["error"])
    assert service.sync(force=True)["success"]


def test_one_guarded_project_alone_is_partial_and_no_outright_failure(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    sheet.rows("Project A")

    answer = service.sync()

    assert (answer["success"], answer["state"], answer["error_count"]) == (False, "partial", 1)


def test_projects_that_are_skipped_do_not_make_a_failure_partial(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 1])
    service.sync()
    service.write("UPDATE projects SET status = 'paused' WHERE name = 'Project B'")
    sheet.broken("Project A", GONE)

    assert service.sync(status=502)["state"] == "failed"


def test_a_tab_that_cannot_be_read_is_told_before_it_is_a_project(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 1])
    sheet.broken("Project B", GONE)

    answer = service.sync()

    assert (answer["success"], answer["state"], answer["error_count"]) == (False, "partial", 0)
    assert (answer["error_code"], answer["error"]) == (
        "bad_response",
        "tab 'Project B': the tab is garbled (look at it)",
    )
    assert [one["project_name"] for one in answer["results"]] == ["Project A"]
    service.sync(status=502, strict=True)


def test_a_first_sync_of_nothing_but_a_tab_that_cannot_be_read_is_partial(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.broken("Project A", GONE)

    answer = service.sync()

    assert (answer["success"], answer["state"], answer["results"]) == (False, "partial", [])


def test_a_spreadsheet_that_gives_out_before_it_has_projects_is_told(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.breaks_at("Project A", AWAY)

    answer = service.sync(status=502)

    assert (answer["state"], answer["error_code"], answer["error"]) == ("failed", AWAY.code, AWAY.message)


def test_a_tab_that_cannot_be_read_for_the_moment_is_put_up_with(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 1])
    service.sync()
    sheet.broken("Project B", TransientSourceError("Project B is being written", code="being_written"))

    answer = service.sync()

    assert (answer["success"], answer["state"], answer["degraded"]) == (True, "succeeded", True)
    assert answer["degraded_reason"] == "Project B: Project B is being written"
    assert [(one["project_name"], one["degraded"]) for one in answer["results"]] == [
        ("Project B", True), ("Project A", False),
    ]  # fmt: skip
    assert service.project("Project B")["degraded_since"] is not None


def test_a_spreadsheet_without_projects_that_cannot_be_read_is_told(service: Service, sheet: FakeSheet) -> None:
    other = FakeSheet(key="other")
    service.engine.sheets = (sheet, other)
    sheet.rows("Project A", [ANN, 1])
    other.offline(SourceError("not shared", code="not_shared"))

    answer = service.sync()

    assert (answer["success"], answer["state"], answer["error"]) == (False, "partial", "not shared")


def test_a_used_up_budget_is_no_failure_but_hides_none(service: Service, sheet: FakeSheet, time: FakeClock) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 1])
    service.sync()
    sheet.on_read = lambda _: time.forward(seconds=30)

    whole = service.sync(budget=20)
    sheet.broken("Project B", GONE)
    failed = service.sync(budget=20, status=502)

    assert (whole["success"], whole["state"], whole["remaining"]) == (True, "partial", 1)
    assert (failed["success"], failed["state"], failed["remaining"]) == (False, "failed", 1)


def test_a_run_that_was_stopped_is_told_as_loud_as_a_failure(
    service: Service, sheet: FakeSheet, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "smart_sync")
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 1])
    trigger = Trigger()
    run = service.engine.start(trigger).run
    with closing(service.engine.run(run, trigger, Budget(None, service.time.clock))) as outcomes:  # type: ignore[type-var]
        next(outcomes)

    found = last_run(service)

    assert (found["state"], found["success"], found["error"]) == ("cancelled", False, "the caller went away")
    assert ended(caplog) == logging.ERROR
    assert service.sync()["success"]


# Stale


def test_the_top_of_the_status_is_stale_when_projects_below_are(
    service: Service, sheet: FakeSheet, time: FakeClock
) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    sheet.offline(AWAY)
    for _ in range(4):  # somebody calls, so nothing is overdue
        time.forward(minutes=31)
        service.sync(due=True)

    status = service.get("/api/admin/sync_status")
    mine = service.get("/api/admin/sync_status", project_id=service.project()["id"])

    assert status["overdue_by_seconds"] < 120
    assert (status["stale"], [one["project_name"] for one in status["stale_projects"]]) == (True, ["Project A"])
    assert (mine["stale"], service.get("/api/projects")["projects"][0]["stale"]) == (True, True)


def test_a_finished_project_is_stale_by_no_door(service: Service, sheet: FakeSheet, time: FakeClock) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    service.write("UPDATE projects SET status = 'finished'")
    time.forward(days=3)

    mine = service.get("/api/admin/sync_status", project_id=service.project()["id"])

    assert (mine["stale"], mine["state"]) == (False, "finished")
    assert service.get("/api/projects")["projects"][0]["stale"] is False
    assert service.get("/api/admin/sync_status")["stale"] is False


# Readings


def test_readings_have_a_source_and_an_age_and_grow_stale(service: Service, sheet: FakeSheet, time: FakeClock) -> None:
    sheet.rows("Project A", [ANN, 1], [BEN, 1])
    service.sync()
    assert service.get("/api/admin/sync_status")["readings"] == {
        "state": "none", "since": None, "message": None, "programs": [],
    }  # fmt: skip
    service.reading(ANN, followers=5, origin="youtube")
    time.forward(days=1)
    service.reading(BEN, followers=5, origin="my-parser")

    fresh = service.get("/api/admin/sync_status")["readings"]
    time.forward(days=1, minutes=1)
    service.sync()
    status = service.get("/api/admin/sync_status")
    stale = status["readings"]

    assert (fresh["state"], [one["stale"] for one in fresh["programs"]]) == ("fresh", [False, False])
    assert [(one["origin"], one["accounts"], one["stale"]) for one in stale["programs"]] == [
        ("youtube", 1, True), ("my-parser", 1, False),
    ]  # fmt: skip
    assert stale["programs"][0]["age_seconds"] == 2 * 86_400 + 60
    assert (stale["state"], stale["since"]) == ("stale", stale["programs"][0]["newest_at"])
    assert stale["message"] == "readings of youtube are stale: the newest of 1 accounts came 2 d ago"
    assert (status["stale"], status["stale_projects"]) == (False, [])
    mine = service.get("/api/admin/sync_status", project_id=service.project()["id"])
    assert mine["readings"] == stale


def test_a_program_that_still_reads_some_accounts_is_not_stale_but_the_others_are_counted(
    service: Service, sheet: FakeSheet, time: FakeClock
) -> None:
    sheet.rows("Project A", [ANN, 1], [BEN, 1])
    service.sync()
    service.reading(ANN, followers=5)
    service.reading(BEN, followers=5, at=time.now - timedelta(days=16))

    (program,) = service.get("/api/admin/sync_status")["readings"]["programs"]

    assert (program["accounts"], program["late_accounts"], program["stale"]) == (2, 1, False)
    assert program["oldest_at"] < program["newest_at"]


def test_accounts_that_nobody_reads_by_program_are_not_waited_for(
    service: Service, sheet: FakeSheet, time: FakeClock
) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    service.reading(ANN, followers=5)
    sheet.put("Project A!G2", "OLD")
    service.sync()
    time.forward(days=16)

    assert service.get("/api/admin/sync_status")["readings"]["state"] == "none"


# Whose turn it is


def test_a_bare_call_leaves_out_whoever_has_the_switch_off(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 1])
    service.sync()
    off = service.project("Project B")["id"]
    service.write("UPDATE projects SET auto_sync = false WHERE name = 'Project B'")
    sheet.put("Project B!B2", 9)

    bare = service.sync()
    forced = service.sync(force=True)
    left = service.followers(BEN)
    named = service.sync(project_id=off)
    sheet.put("Project B!B2", 10)
    everybody = service.sync(all=True)

    assert [(one["project_name"], one["skipped"]) for one in bare["results"]] == [
        ("Project B", "auto_sync_off"), ("Project A", None),
    ]  # fmt: skip
    assert (bare["success"], bare["total_projects"], bare["skipped_count"]) == (True, 2, 1)
    assert (forced["skipped_count"], left) == (1, 1)
    assert (named["skipped"], everybody["skipped_count"], service.followers(BEN)) == (None, 0, 10)


@pytest.mark.parametrize("other", [{"due": True}, {"project_id": "x"}])
def test_all_goes_with_nothing_that_picks_projects(sqlite_service: Service, other: dict[str, Any]) -> None:
    answer = sqlite_service.trigger(all=True, **other)

    assert (answer.status_code, json.loads(answer.data)["field"]) == (422, "all")
