"""Triggers that meet, runs that die, holders that wake up late: one writer at a time, one run for each trigger."""

from __future__ import annotations

import time as real_time
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from tests.fakes.clock import FakeClock
from tests.fakes.gate import Gate
from tests.fakes.service import TIMES, Service
from tests.fakes.sheet import FakeSheet
from tests.sync.meeting import begun, states
from webapp.clock import Budget
from webapp.errors import StoreError, TransientSourceError
from webapp.sources.sheet import Tab
from webapp.store import leases, runs, snapshots, tables
from webapp.store.runs import NewRun
from webapp.sync.engine import Engine
from webapp.sync.trigger import Trigger

pytestmark = pytest.mark.shortcuts

ANN = "https://x.com/ann"
BEN = "https://x.com/ben"
TERMINAL = {"succeeded", "partial", "failed", "cancelled", "abandoned"}


@pytest.fixture
def two(sheet: FakeSheet) -> FakeSheet:
    """A spreadsheet of two projects."""
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 1])
    return sheet


def seem_dead(service: Service) -> None:
    """Make everything that is held look as if its holder had stopped long ago."""
    service.write("UPDATE sync_runs SET heartbeat = heartbeat - 3600000")
    service.write("UPDATE leases SET expires_at = 1 WHERE holder IS NOT NULL")


# Readings that meet


def test_a_reading_that_comes_while_its_project_is_written_is_of_the_next_sync(
    service: Service, two: FakeSheet, time: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL a transaction sees what others have written meanwhile."""
    two.rows("Project A", [ANN])
    service.sync()
    service.reading(ANN, followers=1000)
    service.sync()
    time.forward(days=1)
    account = service.account(ANN)["id"]
    take = snapshots.take

    def read_meanwhile(tx: sa.Connection, *what: Any, **how: Any) -> Any:
        values = {"followers": 1200, "observed_at": time.now}
        mine = tables.observations.c.account_id == account
        tx.execute(tables.observations.update().where(mine).values(**values))
        return take(tx, *what, **how)

    with monkeypatch.context() as patch:
        patch.setattr(snapshots, "take", read_meanwhile)
        service.sync()
    first = service.history(ANN)
    service.sync()

    assert first == [("2026-03-02", 1000)]
    assert service.history(ANN) == [("2026-03-02", 1000), ("2026-03-03", 1200)]
    assert service.followers(ANN) == 1200


# Triggers that meet


def test_of_equal_triggers_at_once_one_runs_and_answers_for_all(
    service: Service, two: FakeSheet, pool: ThreadPoolExecutor
) -> None:
    gate = two.on_book = Gate()
    first = begun(service, pool, gate)
    others = [answer.result() for answer in [pool.submit(service.trigger) for _ in range(7)]]
    gate.open()

    done = first.result()

    assert (done.status_code, done.json["success_count"]) == (200, 2)  # type: ignore[index]
    for other in others:
        assert other.status_code == 202
        assert other.json["coalesced"] is True  # type: ignore[index]
        assert other.json["run_id"] == done.json["run_id"]  # type: ignore[index]
        assert other.headers["Location"] == f"/api/admin/runs/{done.json['run_id']}"  # type: ignore[index]
    assert states(service) == ["succeeded"]


def test_an_edit_made_after_its_tab_was_read_is_in_the_database_when_the_run_ends(
    service: Service, two: FakeSheet, pool: ThreadPoolExecutor
) -> None:
    service.sync()
    gate = Gate()
    two.on_read = gate
    first = begun(service, pool, gate)
    two.put("Project A!B2", 77)

    answer = service.trigger()
    gate.open()

    assert (answer.status_code, first.result().status_code) == (202, 200)
    assert service.followers(ANN) == 77
    assert len(two.reads) == 3
    assert states(service) == ["succeeded", "succeeded"]


def test_one_more_pass_adds_up_what_the_run_did_to_each_project(
    service: Service, two: FakeSheet, pool: ThreadPoolExecutor
) -> None:
    gate = Gate()
    two.on_read = gate
    first = begun(service, pool, gate)
    service.trigger()
    two.put("Project A!B2", 77)
    gate.open()

    body = first.result().json

    assert body is not None
    assert (body["total_projects"], body["success_count"]) == (2, 2)
    assert [(r["updated_count"], r["snapshot_count"]) for r in body["results"]] == [(2, 1), (1, 1)]


def test_what_one_pass_left_out_is_said_once(service: Service, two: FakeSheet, pool: ThreadPoolExecutor) -> None:
    service.sync()
    service.write("UPDATE projects SET status = 'paused' WHERE name = 'Project B'")
    gate = Gate()
    two.on_read = gate
    first = begun(service, pool, gate)
    service.trigger()
    gate.open()

    body = first.result().json

    assert body is not None
    assert [r["skipped"] for r in body["results"]] == ["paused", None]
    assert (body["total_projects"], len(two.reads)) == (2, 3)


def test_a_pass_that_somebody_asked_for_is_left_to_the_next_run_when_the_budget_is_used_up(
    service: Service, two: FakeSheet, pool: ThreadPoolExecutor
) -> None:
    service.sync()
    gate = Gate()
    two.on_read = gate
    first = begun(service, pool, gate, budget=50)
    assert service.trigger(budget=50).status_code == 202
    service.time.forward(minutes=1)
    gate.open()

    body = first.result().json

    assert body is not None
    assert (body["complete"], body["remaining"], body["state"]) == (False, 1, "partial")


def test_one_more_pass_with_nothing_left_to_do_ends(service: Service, two: FakeSheet, pool: ThreadPoolExecutor) -> None:
    service.sync()
    service.time.forward(hours=1)
    gate = two.on_book = Gate()
    first = begun(service, pool, gate, due=True)

    assert service.trigger(due=True).json["coalesced"] is True  # type: ignore[index]
    gate.open()

    assert first.result(20).json["success_count"] == 2  # type: ignore[index]
    assert len(two.reads) == 2


def test_a_second_pass_that_works_is_what_the_run_says(
    service: Service, two: FakeSheet, pool: ThreadPoolExecutor
) -> None:
    service.sync()
    two.offline(TransientSourceError("the Sheets API answered 503", code="upstream_error"))
    gate = two.on_book = Gate()
    first = begun(service, pool, gate)
    service.trigger()
    two.on_book = two.online
    gate.open()

    body = first.result().json

    assert body is not None
    assert (body["success"], body["degraded"], body["warnings"]) == (True, False, [])


def test_a_trigger_that_meets_a_run_at_its_end_gets_a_run_of_its_own(
    service: Service, two: FakeSheet, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.sync()
    gate = two.on_book = Gate()
    first = begun(service, pool, gate)
    two.on_book = int
    add = runs.add

    def just_before_it_ends(tx: sa.Connection, run: NewRun, key: str | None, *, queued: bool) -> bool:
        added = add(tx, run, key, queued=queued)
        if not added:  # SQLite lets nobody else write now, so there it ends in our own transaction
            ends(service, tx, first, gate)
        return added

    monkeypatch.setattr(runs, "add", just_before_it_ends)
    answer = service.trigger()

    assert (answer.status_code, first.result().status_code) == (200, 200)
    assert answer.json["run_id"] != first.result().json["run_id"]  # type: ignore[index]
    assert states(service) == ["succeeded"] * 3


def test_two_triggers_that_meet_again_and_again_are_told_to_come_later(
    service: Service, two: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.sync()
    begun_before = states(service)
    monkeypatch.setattr(runs, "add", lambda *_, **__: False)

    answer = service.trigger()

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "15")
    assert answer.json is not None
    assert answer.json["code"] == "database_busy"
    assert states(service) == begun_before


def test_a_trigger_before_the_reading_began_needs_no_second_pass(service: Service, two: FakeSheet) -> None:
    trigger = Trigger()
    service.sync()
    started = service.engine.start(trigger)
    two.put("Project A!B2", 77)

    answer = service.trigger()
    list(service.engine.run(started.run, trigger, Budget()))

    assert (answer.status_code, answer.json["run_id"]) == (202, started.run.id)  # type: ignore[index]
    assert (service.followers(ANN), len(two.reads)) == (77, 2)


@pytest.mark.parametrize("parameters", [{"force": True}, {"due": True}, {"budget": 50}], ids=str)
def test_triggers_that_want_different_things_are_different_runs(
    service: Service, two: FakeSheet, pool: ThreadPoolExecutor, parameters: dict[str, Any]
) -> None:
    service.sync()
    service.time.forward(hours=1)
    gate = two.on_book = Gate()
    first = begun(service, pool, gate)

    other = service.sync(**parameters)
    gate.open()

    assert [r["skipped"] for r in other["results"]] == ["already_running", "already_running"]
    assert (other["success"], other["skipped_count"], other["total_projects"], other["state"]) == (
        True, 2, 2, "succeeded",
    )  # fmt: skip
    assert first.result().json["success_count"] == 2  # type: ignore[index]


def test_what_is_free_is_synced_while_another_project_is_being_synced(
    service: Service, two: FakeSheet, pool: ThreadPoolExecutor
) -> None:
    service.sync()
    gate = two.on_book = Gate()
    first = begun(service, pool, gate, project_id=service.project("Project A")["id"])
    two.on_book = int
    two.put("Project B!B2", 9)

    answer = service.sync()
    gate.open()

    assert {r["project_name"]: r["skipped"] for r in answer["results"]} == {
        "Project A": "already_running",
        "Project B": None,
    }
    assert service.followers(BEN) == 9
    assert first.result().status_code == 200


def test_a_project_that_is_being_synced_is_skipped_and_says_so_in_status(
    service: Service, two: FakeSheet, pool: ThreadPoolExecutor
) -> None:
    service.sync()
    project_id = service.project("Project A")["id"]
    gate = two.on_book = Gate()
    first = begun(service, pool, gate)

    assert service.get("/api/admin/sync_status", project_id=project_id)["isSyncing"] is True
    (running,) = service.get("/api/admin/sync_status")["running"]
    answer = service.sync(project_id=project_id)
    gate.open()
    first.result()

    assert (answer["success"], answer["skipped"], answer["project_id"]) == (True, "already_running", project_id)
    assert running["state"] == "running"
    assert service.get("/api/admin/sync_status", project_id=project_id)["isSyncing"] is False


def test_a_dry_run_asks_nobody_and_stops_nobody(service: Service, two: FakeSheet, pool: ThreadPoolExecutor) -> None:
    service.sync()
    gate = two.on_book = Gate()
    first = begun(service, pool, gate)
    two.on_book = int

    answer = service.sync(dry_run=True)
    gate.open()

    assert [r["skipped"] for r in answer["results"]] == [None, None]
    assert first.result().status_code == 200


def test_what_a_dry_run_leaves_out_is_said_and_not_recorded(service: Service, two: FakeSheet) -> None:
    service.sync()
    service.write("UPDATE projects SET status = 'paused' WHERE name = 'Project B'")
    recorded = service.rows("SELECT * FROM sync_run_projects")

    answer = service.sync(dry_run=True)

    assert [result["skipped"] for result in answer["results"]] == ["paused", None]
    assert service.rows("SELECT * FROM sync_run_projects") == recorded


def test_two_runs_that_find_the_same_new_tab_make_one_project(
    service: Service, two: FakeSheet, pool: ThreadPoolExecutor
) -> None:
    both = Barrier(2, timeout=20)
    two.on_book = both.wait
    first, second = pool.submit(service.trigger), pool.submit(service.trigger, force=True)

    assert {first.result().status_code, second.result().status_code} == {200}
    assert service.one("SELECT count(*) FROM projects") == 2
    assert service.one("SELECT count(*) FROM accounts") == 2
    assert service.one("SELECT count(*) FROM account_snapshots") == 2


def test_a_tab_that_another_run_made_a_project_meanwhile_is_left_to_it(service: Service, two: FakeSheet) -> None:
    others = []

    def overtake(_: Tab) -> None:
        two.on_read = lambda _: None
        others.append(service.sync(force=True))

    two.on_read = overtake

    late = service.sync()

    assert [(result["project_name"], result["skipped"]) for result in others[0]["results"]] == [
        ("Project A", None),
        ("Project B", None),
    ]
    assert (late["state"], late["total_projects"], late["results"]) == ("succeeded", 0, [])
    assert service.one("SELECT count(*) FROM projects") == 2
    assert (service.followers(ANN), service.followers(BEN)) == (1, 1)


# Runs that die


def test_a_dead_run_is_closed_and_its_projects_are_taken_over(service: Service, two: FakeSheet) -> None:
    service.sync()
    dead = service.engine.start(Trigger()).run
    take_all(service, dead)
    seem_dead(service)
    two.put("Project A!B2", 9)

    answer = service.sync()

    assert (answer["success_count"], answer["skipped_count"], service.followers(ANN)) == (2, 0, 9)
    assert answer["run_id"] != dead.id
    assert states(service) == ["succeeded", "abandoned", "succeeded"]


def test_a_live_run_is_left_alone_however_old_it_is(service: Service, two: FakeSheet, time: FakeClock) -> None:
    service.sync()
    live = service.engine.start(Trigger()).run
    take_all(service, live)
    time.forward(days=2)

    answer = service.sync(force=True)

    assert answer["skipped_count"] == 2
    assert states(service) == ["succeeded", "running", "succeeded"]


def test_a_run_that_died_while_the_clock_was_ahead_is_dead(service: Service, two: FakeSheet) -> None:
    service.sync()
    dead = service.engine.start(Trigger()).run
    take_all(service, dead)
    service.write("UPDATE sync_runs SET heartbeat = heartbeat + 86400000")
    service.write("UPDATE leases SET expires_at = expires_at + 86400000 WHERE holder IS NOT NULL")
    status = service.get("/api/admin/sync_status")
    project = service.get("/api/admin/sync_status", project_id=service.one("SELECT min(id) FROM projects"))
    two.put("Project A!B2", 9)

    answer = service.sync()

    assert (answer["success"], answer["success_count"], service.followers(ANN)) == (True, 2, 9)
    assert states(service) == ["succeeded", "abandoned", "succeeded"]
    assert status["running"] == []
    assert project["isSyncing"] is False


def test_a_key_of_a_run_that_died_is_answered_with_its_end(service: Service, two: FakeSheet) -> None:
    dead = service.engine.start(Trigger(idempotency_key="k")).run
    joined = service.trigger({"Idempotency-Key": "k"})
    seem_dead(service)

    answer = service.trigger({"Idempotency-Key": "k"})

    assert (joined.status_code, joined.json["state"]) == (202, "running")  # type: ignore[index]
    assert (answer.status_code, answer.json["state"], answer.json["success"]) == (503, "abandoned", False)  # type: ignore[index]
    assert states(service) == ["abandoned"]
    assert service.one("SELECT id FROM sync_runs") == dead.id


def test_a_key_of_a_clock_that_was_ahead_stands_for_nothing(service: Service, two: FakeSheet, time: FakeClock) -> None:
    time.forward(days=400)
    service.trigger({"Idempotency-Key": "k"})
    time.forward(days=-400)
    two.put("Project A!B2", 9)

    assert service.trigger({"Idempotency-Key": "k"}).status_code == 200
    assert service.followers(ANN) == 9


def test_a_lease_set_impossibly_far_ahead_is_not_believed(service: Service, two: FakeSheet) -> None:
    service.sync()
    service.write("UPDATE leases SET holder = 'a clock that jumped', expires_at = 9000000000000")

    assert service.sync()["success_count"] == 2


def test_a_lease_that_was_deleted_is_made_again(service: Service, two: FakeSheet) -> None:
    service.sync()
    service.write("DELETE FROM leases")

    assert service.sync()["success_count"] == 2


def test_a_run_that_takes_longer_than_its_lease_keeps_it(
    service: Service, two: FakeSheet, pool: ThreadPoolExecutor
) -> None:
    service.sync()
    service.options(lease_ms=300)
    gate = two.on_book = Gate()
    first = begun(service, pool, gate)
    real_time.sleep(0.7)

    other = service.sync(force=True)
    gate.open()

    assert other["skipped_count"] == 2
    assert first.result().json["success_count"] == 2  # type: ignore[index]


def test_a_holder_that_wakes_up_too_late_writes_nothing(
    service: Service, two: FakeSheet, pool: ThreadPoolExecutor
) -> None:
    service.sync()
    two.put("Project A!B2", 50)
    gate = Gate()
    two.on_read = gate
    late = begun(service, pool, gate)
    seem_dead(service)
    two.on_read = lambda _: None
    two.put("Project A!B2", 60)
    service.sync(force=True)
    before = service.tables(without=("leases",))
    gate.open()

    answer = late.result()

    assert (answer.status_code, answer.json["state"], answer.json["success"]) == (503, "abandoned", False)  # type: ignore[index]
    assert service.followers(ANN) == 60
    assert service.tables(without=("leases",)) == before


def test_a_run_that_was_taken_for_dead_writes_nothing_although_nobody_took_its_projects(
    service: Service, two: FakeSheet, pool: ThreadPoolExecutor
) -> None:
    service.sync()
    two.put("Project A!B2", 50)
    gate = Gate()
    two.on_read = gate
    late = begun(service, pool, gate)
    service.write("UPDATE sync_runs SET heartbeat = heartbeat - 3600000")
    two.on_read = lambda _: None
    service.engine.start(Trigger(caller="cli", dry_run=True))
    gate.open()

    assert late.result().status_code == 503
    assert service.followers(ANN) == 1
    assert service.rows("SELECT * FROM leases WHERE holder IS NOT NULL") == []


def test_a_run_that_was_closed_by_another_hand_passes_no_fence(
    service: Service, two: FakeSheet, pool: ThreadPoolExecutor
) -> None:
    service.sync()
    two.put("Project A!B2", 50)
    gate = Gate()
    two.on_read = gate
    late = begun(service, pool, gate)
    service.write("UPDATE sync_runs SET state = 'abandoned' WHERE state = 'running'")
    gate.open()

    assert late.result().status_code == 503
    assert service.followers(ANN) == 1
    assert service.rows("SELECT * FROM leases WHERE holder IS NOT NULL") == []


def test_a_run_that_lost_only_its_lease_says_so_of_the_project(
    service: Service, two: FakeSheet, pool: ThreadPoolExecutor
) -> None:
    service.sync()
    gate = Gate()
    two.on_read = gate
    late = begun(service, pool, gate)
    service.write("UPDATE leases SET fence = fence + 1 WHERE name LIKE :name", name=f"%{service.project()['id']}")
    gate.open()

    body = late.result().json

    assert body is not None
    assert (body["success"], body["state"], body["error_count"]) == (False, "partial", 1)
    assert [r["error_code"] for r in body["results"]] == ["lost_lease", None]


def test_a_fence_at_the_end_of_53_bits_still_grows(service: Service, two: FakeSheet) -> None:
    service.sync()
    service.write("UPDATE leases SET fence = 9007199254740993")

    assert service.sync()["success_count"] == 2
    assert service.rows("SELECT DISTINCT fence FROM leases") == [{"fence": 9007199254740994}]


# How runs end


def test_a_run_that_has_ended_never_changes(service: Service, two: FakeSheet) -> None:
    run_id = service.sync()["run_id"]
    before = service.table("sync_runs")

    with service.db.write() as tx:
        assert not runs.beat(tx, run_id, {"phase": "read"})
        assert not runs.begin_pass(tx, run_id, service.time.now)
        assert not runs.ask_again(tx, run_id)
        assert not runs.close(tx, run_id, "failed", {})
        assert list(runs.close_dead(tx, service.time.now, -10_000)) == []

    assert service.table("sync_runs") == before


def test_a_caller_that_goes_away_leaves_a_cancelled_run_and_no_lease(service: Service, two: FakeSheet) -> None:
    two.apart = True
    trigger = Trigger(caller="cli")
    outcomes = service.engine.run(service.engine.start(trigger).run, trigger, Budget())
    next(outcomes)

    outcomes.close()  # type: ignore[attr-defined]

    assert states(service) == ["cancelled"]
    assert service.rows("SELECT * FROM leases WHERE holder IS NOT NULL") == []
    assert service.one("SELECT count(*) FROM accounts") == 1


def test_a_database_that_gives_out_in_the_middle_is_503_with_the_run(
    service: Service, two: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.sync()
    before = service.tables(without=TIMES)
    two.put("Project A!B2", 9)
    two.put("Project B!B2", 9)
    breaks(monkeypatch, "snapshots.take", StoreError("The database is busy", code="database_busy"))

    answer = service.trigger()

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "15")
    assert answer.json is not None
    assert (answer.json["state"], answer.json["error_code"], answer.json["success"]) == (
        "failed", "database_busy", False,
    )  # fmt: skip
    assert service.tables(without=TIMES) == before
    assert service.rows("SELECT * FROM leases WHERE holder IS NOT NULL") == []


def test_a_run_whose_end_cannot_be_written_is_closed_by_the_next_one(
    service: Service, two: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.sync()
    breaks(monkeypatch, "runs.close", StoreError("The database is full", code="database_full"))
    answer = service.trigger()
    monkeypatch.undo()
    seem_dead(service)

    assert (answer.status_code, states(service)) == (503, ["succeeded", "running"])
    assert service.sync()["success_count"] == 2
    assert states(service) == ["succeeded", "abandoned", "succeeded"]


def test_a_bug_in_the_middle_of_a_write_undoes_its_project_only(
    service: Service, two: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.sync()
    before = service.tables(without=TIMES)
    two.put("Project A!B2", 9)
    breaks(monkeypatch, "snapshots.take", ZeroDivisionError())

    answer = service.sync(status=502)

    assert [r["error_code"] for r in answer["results"]] == ["internal_error", "internal_error"]
    assert service.tables(without=TIMES) == before
    assert service.rows("SELECT * FROM leases WHERE holder IS NOT NULL") == []


def test_a_bug_in_a_source_is_a_failed_run_and_no_bare_500(service: Service, two: FakeSheet) -> None:
    service.sync()
    two.on_book = lambda: 1 // 0

    answer = service.sync(status=502)

    assert (answer["success"], answer["state"], answer["error_code"]) == (False, "failed", "internal_error")
    assert "ZeroDivisionError" in answer["error"]
    assert service.rows("SELECT * FROM leases WHERE holder IS NOT NULL") == []


def test_a_shutdown_ends_a_run_between_projects_as_cancelled(service: Service, two: FakeSheet) -> None:
    service.sync()
    two.on_read = lambda _: service.parts.background.stop.request(0)
    two.put("Project A!B2", 9)

    answer = service.sync(status=503)

    assert (answer["state"], answer["remaining"], answer["complete"]) == ("cancelled", 1, False)
    assert service.followers(ANN) == 9
    assert service.rows("SELECT * FROM leases WHERE holder IS NOT NULL") == []


def test_a_sheet_that_answers_too_late_for_a_shutdown_is_not_blamed(service: Service, two: FakeSheet) -> None:
    service.sync()
    before = service.table("spreadsheets")
    two.offline(TransientSourceError("the Sheets API did not answer", code="timeout"))
    two.on_book = lambda: service.parts.background.stop.request(0)

    answer = service.sync(status=503)

    assert (answer["state"], answer["remaining"], answer["error_code"]) == ("cancelled", 2, "shutting_down")
    assert service.table("spreadsheets") == before


def test_a_tab_that_comes_too_late_for_a_shutdown_is_left_to_the_next_run(service: Service, two: FakeSheet) -> None:
    service.sync()
    two.put("Project A!B2", 9)

    def late(tab: Tab) -> None:
        if tab.title == "Project B":
            service.parts.background.stop.request(0)
            raise TransientSourceError("the Sheets API did not answer", code="timeout")

    two.on_read = late

    answer = service.sync(status=503)

    assert (answer["state"], answer["remaining"], service.followers(ANN)) == ("cancelled", 1, 9)


def test_every_trigger_has_one_run_and_every_run_one_end(
    service: Service, two: FakeSheet, pool: ThreadPoolExecutor
) -> None:
    asked: list[dict[str, Any]] = [{}, {"force": True}, {"due": True}, {"budget": 9}, {"dry_run": True}] * 3
    answers = [answer.result() for answer in [pool.submit(service.trigger, **each) for each in asked]]

    assert {answer.status_code for answer in answers} <= {200, 202}
    told = {answer.json["run_id"] for answer in answers}  # type: ignore[index]
    assert told == {row["id"] for row in service.rows("SELECT id FROM sync_runs")}
    assert set(states(service)) <= TERMINAL
    assert service.one("SELECT count(*) FROM accounts") == 2
    assert service.one("SELECT count(*) FROM account_snapshots") == 2
    assert service.rows("SELECT * FROM leases WHERE holder IS NOT NULL") == []


def test_a_second_engine_on_the_same_database_shares_the_leases(
    service: Service, two: FakeSheet, pool: ThreadPoolExecutor
) -> None:
    service.sync()
    gate = two.on_book = Gate()
    first = begun(service, pool, gate)
    two.on_book = int
    elsewhere = Engine(service.db, [two], service.engine.options, service.parts.clock)
    trigger = Trigger(force=True)

    outcomes = list(elsewhere.run(elsewhere.start(trigger).run, trigger, Budget()))
    gate.open()

    assert [outcome.result.skipped for outcome in outcomes] == ["already_running", "already_running"]
    assert first.result().status_code == 200


def ends(service: Service, tx: sa.Connection, run: Future[TestResponse], gate: Gate) -> None:
    """Let the run that waits at the gate end, before whoever is in the transaction goes on."""
    gate.open()
    if tx.dialect.name == "postgresql":
        run.result(20)
    else:
        tx.execute(sa.text("UPDATE sync_runs SET state = 'succeeded' WHERE state = 'running'"))


def take_all(service: Service, run: runs.Run) -> None:
    names = [f"project:{row['id']}" for row in service.rows("SELECT id FROM projects")]
    with service.db.write() as tx:
        assert len(leases.take(tx, names, run.id, 60_000)) == len(names)


def breaks(monkeypatch: pytest.MonkeyPatch, name: str, error: Exception) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(f"webapp.store.{name}", broken)
