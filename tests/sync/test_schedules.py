"""Ticks through the whole service: who is synced when, what a tick costs that finds nothing, what becomes of failures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa

from tests.fakes.calls import call
from tests.fakes.clock import FakeClock
from tests.fakes.service import Service, moment
from tests.fakes.sheet import FakeSheet
from webapp.errors import SourceError, TransientSourceError
from webapp.sources.sheet import Cell, Tab
from webapp.sources.sheet.rows import read_tab
from webapp.sync import side

pytestmark = pytest.mark.shortcuts

ANN = "https://x.com/ann"
AWAY = TransientSourceError("the sheet does not answer")
FORBIDDEN = SourceError("the sheet is not shared", code="forbidden")
MINUTE = timedelta(minutes=1)


def tabs(sheet: FakeSheet, *titles: str) -> None:
    for title in titles:
        sheet.rows(title, [ANN, 1])


def schedule(service: Service, project: str = "Project A", **settings: Any) -> Any:
    path = f"/api/admin/projects/{service.project(project)['id']}/auto_sync"
    return call(service, "PUT", path, settings)


def tick(service: Service) -> list[str]:
    """The projects that a tick syncs or tries to, in their order."""
    answer: Any = service.trigger(due=True).json
    return [result["project_name"] for result in answer["results"]]


def turn(service: Service, project: str = "Project A") -> datetime:
    return moment(service.project(project)["next_sync_at"])


def second(value: Any) -> datetime:
    """A time to the second: the fake clock moves a little whenever somebody looks."""
    return moment(value).replace(microsecond=0)


@contextmanager
def statements(service: Service) -> Iterator[list[str]]:
    """What is said to the database meanwhile."""
    said: list[str] = []

    def hear(_: Any, __: Any, statement: str, *___: Any) -> None:
        said.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", hear)


# A tick that finds nothing


def test_a_tick_with_nothing_due_is_one_closed_run_and_touches_nothing_else(service: Service, sheet: FakeSheet) -> None:
    tabs(sheet, "Project A", "Project B")
    service.sync()
    before = service.tables(without=["sync_runs", "ticks"])
    calls = sheet.calls

    answer = service.sync(due=True)

    assert (answer["success"], answer["complete"], answer["total_projects"]) == (True, True, 0)
    assert (answer["state"], answer["results"], answer["warnings"]) == ("succeeded", [], [])
    assert service.get(f"/api/admin/runs/{answer['run_id']}")["state"] == "succeeded"
    assert service.one("SELECT count(*) FROM sync_runs") == 2
    assert (service.tables(without=["sync_runs", "ticks"]), sheet.calls) == (before, calls)


def test_a_tick_with_nothing_due_costs_the_same_however_many_projects_there_are(service: Service) -> None:
    said = []
    for number in (3, 60):
        tabs(service.sheet, *(f"Project {i}" for i in range(number)))
        service.sync()
        service.sync(due=True)
        with statements(service) as heard:
            service.sync(due=True)
        said.append(heard)

    assert len(said[0]) == len(said[1]) <= 14
    questions = [one for one in said[0] if "projects" in one and "sync_run_projects" not in one]
    assert len(questions) == 1


def test_a_tick_looks_what_is_due_up_in_an_index(sqlite_service: Service) -> None:
    sqlite_service.sync()
    with sqlite_service.db.read() as tx:
        text = "next_sync_at <= '2026'", "next_sync_at IS NULL", "checked_at > '2026'"
        for where in text:
            plan = tx.execute(sa.text(f"EXPLAIN QUERY PLAN SELECT 1 FROM projects WHERE {where}")).all()
            assert "USING" in plan[0][3], (where, plan)


def test_ticks_with_nothing_due_are_forgotten_after_two_days_and_other_runs_are_not(
    service: Service, time: FakeClock
) -> None:
    tabs(service.sheet, "Project A")
    synced = service.sync()["run_id"]
    idle = service.sync(due=True)["run_id"]
    schedule(service, interval_hours=96)
    service.options(interval_minutes=96 * 60)

    time.forward(hours=47)
    service.sync(due=True)
    kept = {row["id"] for row in service.rows("SELECT id FROM sync_runs")}
    time.forward(hours=2)
    service.sync(due=True)

    assert {synced, idle} <= kept
    assert {row["id"] for row in service.rows("SELECT id FROM sync_runs")} >= {synced}
    assert idle not in {row["id"] for row in service.rows("SELECT id FROM sync_runs")}


def test_the_last_run_shown_is_one_that_did_something(service: Service) -> None:
    tabs(service.sheet, "Project A")
    synced = service.sync()["run_id"]
    service.sync(due=True)

    assert service.get("/api/admin/sync_status")["last_run"]["run_id"] == synced


def test_the_same_key_on_a_tick_with_nothing_due_is_the_same_run(service: Service) -> None:
    tabs(service.sheet, "Project A")
    service.sync()
    answers: list[Any] = [service.trigger({"Idempotency-Key": "ten o'clock"}, due=True).json for _ in range(2)]

    assert answers[0]["run_id"] == answers[1]["run_id"]
    assert answers[1]["replayed"]


def test_a_tick_without_a_sheet_says_so(sqlite_url: str) -> None:
    service = Service(sqlite_url, sheets=[])

    answer = service.sync(due=True)

    assert (answer["success"], answer["warnings"][0][:21]) == (True, "Sheets not configured")
    service.close()


# Slots


def test_slots_stay_where_they_are_however_ticks_come(service: Service, time: FakeClock) -> None:
    tabs(service.sheet, "Project A")
    start = time.now
    service.sync()
    turns = []
    for minutes in (29.97, 20, 37, 61, 15):
        time.forward(minutes=minutes)
        tick(service)
        turns.append((turn(service) - start) // MINUTE)

    assert turns == [60, 60, 90, 150, 180]  # ticks at 29:58, 49:58, 86:58, 147:58 and 162:58


def test_a_slow_run_does_not_push_the_slots_on(service: Service, time: FakeClock) -> None:
    tabs(service.sheet, "Project A")
    start = time.now
    service.sheet.on_read = lambda _: time.forward(minutes=4)

    service.sync()

    assert turn(service) == start + 30 * MINUTE


def test_a_hundred_missed_ticks_are_one_catch_up_and_a_visible_gap(service: Service, time: FakeClock) -> None:
    tabs(service.sheet, "Project A", "Project B")
    assert tick(service) == ["Project A", "Project B"]
    left = second(time.now)

    time.forward(minutes=100 * 30 + 7)
    synced = [tick(service) for _ in range(3)]

    assert sorted(map(len, synced)) == [0, 0, 2]
    gap = service.get("/api/admin/sync_status")["last_gap"]
    assert (second(gap["from"]), second(gap["until"]), gap["seconds"]) == (left, second(time.now), 3007 * 60)


def test_a_caller_every_half_hour_leaves_no_gap(service: Service, time: FakeClock) -> None:
    for _ in range(4):
        service.sync(due=True)
        time.forward(minutes=30)

    assert service.get("/api/admin/sync_status")["last_gap"] is None


def test_a_manual_sync_does_not_move_the_slots(service: Service, time: FakeClock) -> None:
    tabs(service.sheet, "Project A")
    service.sync()
    before = turn(service)
    time.forward(minutes=17)

    service.sync()

    assert turn(service) == before


def test_what_is_switched_off_or_paused_waits_for_nobody(service: Service, time: FakeClock) -> None:
    tabs(service.sheet, "Project A", "Project B", "Project C")
    service.sync()
    schedule(service, "Project A", enabled=False)
    service.write("UPDATE projects SET status = 'paused' WHERE name = 'Project B'")
    time.forward(hours=2)

    assert tick(service) == ["Project C"]
    results = {result["project_name"]: result["skipped"] for result in service.sync()["results"]}
    assert results == {"Project A": "auto_sync_off", "Project B": "paused", "Project C": None}
    results = {result["project_name"]: result["skipped"] for result in service.sync(all=True)["results"]}
    assert results == {"Project A": None, "Project B": "paused", "Project C": None}


# Wrong clocks


def test_a_clock_that_was_a_year_ahead_costs_no_more_than_the_next_tick(service: Service, time: FakeClock) -> None:
    tabs(service.sheet, "Project A", "Project B")
    service.sync()
    schedule(service, "Project B", cron="30 2 * * *")
    time.forward(days=365)
    assert len(tick(service)) == 2

    time.forward(days=-365)

    assert sorted(tick(service)) == ["Project A", "Project B"]
    assert tick(service) == []
    assert turn(service) <= time.now + 31 * MINUTE
    assert turn(service, "Project B") <= time.now + timedelta(days=1)


def test_a_clock_that_was_behind_costs_nothing(service: Service, time: FakeClock) -> None:
    tabs(service.sheet, "Project A")
    time.forward(days=-500)
    service.sync()
    time.forward(days=500)

    assert tick(service) == ["Project A"]
    assert tick(service) == []


def test_a_shorter_default_interval_holds_from_the_next_tick_on(service: Service, time: FakeClock) -> None:
    service.options(interval_minutes=1440)
    tabs(service.sheet, "Project A")
    service.sync()
    service.options(interval_minutes=30)

    time.forward(minutes=31)

    assert tick(service) == ["Project A"]
    assert turn(service) <= time.now + 30 * MINUTE


# Failures


@pytest.mark.parametrize("error", [AWAY, FORBIDDEN], ids=["away", "forbidden"])
def test_a_failure_is_tried_again_soon_then_later_and_remembered(
    service: Service, time: FakeClock, error: SourceError
) -> None:
    tabs(service.sheet, "Project A")
    service.sync()
    time.forward(minutes=30)
    service.sheet.offline(error)
    tried = []
    for minute in range(45):
        if tick(service):
            tried.append(minute)
        time.forward(minutes=1)

    assert tried == [0, 1, 3, 7, 15, 30]
    status = service.get("/api/admin/sync_status", project_id=service.project()["id"])
    assert (status["failures"], status["last_error"]) == (6, str(error))

    service.sheet.online()
    time.forward(minutes=16)
    assert tick(service) == ["Project A"]
    status = service.get("/api/admin/sync_status", project_id=service.project()["id"])
    assert (status["failures"], status["last_error"]) == (0, None)
    assert turn(service).minute in (0, 30)


def test_a_tab_that_shrank_is_not_asked_for_at_every_tick(service: Service, time: FakeClock) -> None:
    people: list[list[Cell]] = [[f"https://x.com/user{n}", n] for n in range(20)]
    service.sheet.rows("Project A", *people)
    service.sync()
    service.sheet.rows("Project A", [ANN, 1])
    time.forward(minutes=30)

    tried = 0
    for _ in range(30):
        tried += len(tick(service))
        time.forward(minutes=1)

    assert tried == 5
    assert "20" in service.project()["last_error"]


def test_a_project_that_crashes_is_put_off_and_the_others_go_on(
    sqlite_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = sqlite_service
    tabs(service.sheet, "Project A", "Project B")
    service.sync()

    def crash(rows: Any, title: str, *more: Any, **rest: Any) -> Any:
        if title == "Project A":
            raise ZeroDivisionError
        return read_tab(rows, title, *more, **rest)

    monkeypatch.setattr(side, "read_tab", crash)
    synced: list[str] = []
    for _ in range(30):
        service.time.forward(minutes=1)
        service.sheet.put("Project A!B2", service.time.now.minute)
        synced += tick(service)

    assert (synced.count("Project A"), synced.count("Project B")) == (1, 1)
    for _ in range(5):
        service.time.forward(minutes=1)
        synced += tick(service)
    assert synced.count("Project A") == 3
    assert "ZeroDivisionError" in service.project("Project A")["last_error"]


# New tabs


def test_a_new_tab_is_found_by_a_tick_although_no_project_is_due(service: Service, time: FakeClock) -> None:
    tabs(service.sheet, "Project A")
    service.sync()
    schedule(service, interval_hours=24)
    tabs(service.sheet, "Project B")

    time.forward(minutes=15)
    assert tick(service) == []
    time.forward(minutes=15)
    assert tick(service) == ["Project B"]
    time.forward(minutes=5)
    calls = service.sheet.calls
    assert (tick(service), service.sheet.calls) == ([], calls)


def test_a_sheet_that_is_away_while_nothing_is_due_is_no_failure(service: Service, time: FakeClock) -> None:
    tabs(service.sheet, "Project A")
    service.sync()
    schedule(service, interval_hours=24)
    service.sheet.offline(AWAY)
    time.forward(minutes=30)

    answer = service.sync(due=True)

    assert (answer["success"], answer["degraded"], answer["results"]) == (True, True, [])
    assert service.sync(due=True)["degraded"] is False  # asked again after the interval, not at every tick


def test_a_sheet_that_nobody_may_read_is_a_failure_although_nothing_is_due(service: Service, time: FakeClock) -> None:
    tabs(service.sheet, "Project A")
    service.sync()
    schedule(service, interval_hours=24)
    service.sheet.offline(FORBIDDEN)
    time.forward(minutes=30)

    assert service.sync(502, due=True)["error_code"] == "forbidden"


def test_a_spreadsheet_that_is_new_in_the_settings_is_read_at_the_next_tick(sqlite_url: str) -> None:
    first, second = FakeSheet(), FakeSheet(key="another")
    tabs(first, "Project A")
    tabs(second, "Project B")
    service = Service(sqlite_url, sheets=[first])
    assert tick(service) == ["Project A"]
    service.close()

    service = Service(sqlite_url, sheets=[first, second])

    assert tick(service) == ["Project B"]
    service.close()


# Fresh


def test_a_trigger_that_comes_too_early_leaves_a_project_alone(service: Service, time: FakeClock) -> None:
    tabs(service.sheet, "Project A")
    service.sync()
    schedule(service, min_interval_minutes=60)
    service.sheet.put("Project A!B2", 5)
    time.forward(minutes=12)
    calls = service.sheet.calls

    answer = service.sync()

    assert answer["results"][0]["skipped"] == "fresh (12 of 60 min)"
    assert (answer["success"], answer["skipped_count"], answer["success_count"]) == (True, 1, 0)
    assert (service.sheet.calls, service.followers(ANN)) == (calls, 1)
    assert service.sync(project_id=service.project()["id"])["skipped"] == "fresh (12 of 60 min)"


@pytest.mark.parametrize("how", [{"force": True}, {"due": True}, {}], ids=["force", "due", "later"])
def test_force_the_schedule_and_time_end_freshness(service: Service, time: FakeClock, how: dict[str, bool]) -> None:
    tabs(service.sheet, "Project A")
    service.sync()
    schedule(service, min_interval_minutes=60, interval_minutes=10)
    service.sheet.put("Project A!B2", 5)
    time.forward(minutes=12 if how else 60)

    assert service.sync(**how)["success_count"] == 1
    assert service.followers(ANN) == 5


def test_one_fresh_project_does_not_keep_the_others_of_its_sheet_waiting(service: Service, time: FakeClock) -> None:
    tabs(service.sheet, "Project A", "Project B")
    service.sync()
    schedule(service, "Project A", min_interval_minutes=60)
    time.forward(minutes=5)

    answer = service.sync()

    assert (answer["success_count"], answer["skipped_count"]) == (1, 1)
    assert service.sheet.reads[-1] == ["Project B"]


def test_a_failed_sync_is_not_fresh(service: Service, time: FakeClock) -> None:
    tabs(service.sheet, "Project A")
    service.sync()
    schedule(service, min_interval_minutes=60)
    time.forward(minutes=61)
    service.sheet.offline(AWAY)
    service.sync()
    service.sheet.online()

    assert service.sync()["success_count"] == 1


# Many and slow


@pytest.mark.long
def test_two_hundred_slow_projects_all_get_their_turn_before_anybody_gets_a_second(sqlite_service: Service) -> None:
    service = sqlite_service
    titles = [f"Project {number}" for number in range(200)]
    tabs(service.sheet, *titles)
    service.sync()
    service.time.forward(minutes=31)

    def slow(_: Tab) -> None:
        service.time.forward(seconds=1)

    service.sheet.on_read = slow
    synced: list[str] = []
    while len(set(synced)) < len(titles):
        answer = service.sync(due=True, budget=5)
        done = [result["project_name"] for result in answer["results"]]
        assert 0 < len(done) <= 6
        assert answer["complete"] is (answer["remaining"] == 0)
        synced += done

    assert sorted(synced) == sorted(titles)


def test_who_waits_longest_comes_first(service: Service, time: FakeClock) -> None:
    tabs(service.sheet, "Project A", "Project B", "Project C")
    service.sync()
    for name in "BC":
        time.forward(minutes=1)
        service.sync(project_id=service.project(f"Project {name}")["id"])
    time.forward(minutes=1)
    service.sync(project_id=service.project("Project A")["id"])
    time.forward(minutes=30)

    assert tick(service) == ["Project B", "Project C", "Project A"]


# A night through the whole service


def test_in_the_night_that_has_no_half_past_two_everybody_is_synced_once_for_every_slot(
    sqlite_service: Service,
) -> None:
    service, time = sqlite_service, sqlite_service.time
    time.now = datetime(2026, 3, 28, 23, 40, tzinfo=UTC)
    tabs(service.sheet, "Half-hourly", "Nightly", "Weekly", "Sevens")
    service.sync()
    schedule(service, "Nightly", cron="30 2 * * *", timezone="Europe/Berlin")
    schedule(service, "Weekly", cron="0 3 * * SUN", timezone="Europe/Berlin")
    schedule(service, "Sevens", interval_minutes=7)
    synced: dict[str, list[datetime]] = {}
    for number in range(120):
        time.forward(minutes=1)
        if 60 <= number < 80:  # nobody comes
            continue
        for _ in range(1 + number % 2):
            for name in tick(service):
                synced.setdefault(name, []).append(second(time.now))

    start = datetime(2026, 3, 28, 23, 40, tzinfo=UTC)
    back = start + 81 * MINUTE  # the first tick after the twenty minutes without any
    assert synced["Half-hourly"] == [
        start + 30 * MINUTE,
        start + 60 * MINUTE,
        start + 90 * MINUTE,
        start + 120 * MINUTE,
    ]
    # 03:00 in Berlin, which follows upon 01:59, is 01:00 in UTC: in the twenty minutes.
    assert (synced["Nightly"], synced["Weekly"]) == ([back], [back])
    sevens = [start + 7 * n * MINUTE for n in range(1, 9)] + [back]
    assert synced["Sevens"] == sevens + [start + 7 * n * MINUTE for n in range(12, 18)]


# Ticks seen


def test_every_tick_is_seen_whatever_comes_of_it(service: Service, time: FakeClock) -> None:
    tabs(service.sheet, "Project A")

    def seen() -> datetime | None:
        at = service.get("/api/admin/sync_status")["last_tick_at"]
        return None if at is None else second(at)

    service.sync()
    service.sync(due=True, dry_run=True)
    service.sync(due=True, project_id=service.project()["id"])
    assert seen() is None

    for minutes, key in ((1, None), (30, None), (1, "a"), (1, "a")):
        time.forward(minutes=minutes)
        service.trigger({"Idempotency-Key": key} if key else None, due=True)
        assert seen() == second(time.now)


def test_a_tick_during_a_run_of_its_kind_joins_it_and_is_seen(service: Service, time: FakeClock) -> None:
    tabs(service.sheet, "Project A")
    answers: list[Any] = []

    def meanwhile() -> None:
        if not answers:
            time.forward(seconds=40)
            answers.append(service.sync(202, due=True))

    service.sheet.on_book = meanwhile

    run = service.sync(due=True)

    assert (answers[0]["run_id"], answers[0]["coalesced"]) == (run["run_id"], True)
    assert second(service.get("/api/admin/sync_status")["last_tick_at"]) == second(time.now)


def test_status_turns_red_when_numbers_are_stale_and_green_again(service: Service, time: FakeClock) -> None:
    tabs(service.sheet, "Project A")
    service.sync(due=True)
    said = []
    for minutes in (0, 29, 2, 28, 3):
        time.forward(minutes=minutes)
        status = service.get("/api/admin/sync_status")
        said.append((status["overdue_by_seconds"] // 60, status["stale"]))
        assert status["stale"] == bool(status["stale_projects"])
    tick(service)
    status = service.get("/api/admin/sync_status")

    assert said == [(0, False), (0, False), (1, False), (29, False), (32, True)]
    assert (status["overdue_by_seconds"], status["stale"]) == (0, False)


def test_ticks_in_a_row_are_in_the_log_in_their_order(service: Service, time: FakeClock) -> None:
    tabs(service.sheet, "Project A")
    for _ in range(5):
        service.sync(due=True)
        time.forward(minutes=1)

    runs = service.get("/api/admin/runs")["runs"]
    assert [run["state"] for run in runs] == ["succeeded"] * 5
    started = [second(run["started_at"]) for run in reversed(runs)]
    assert {later - earlier for earlier, later in pairwise(started)} == {MINUTE}
