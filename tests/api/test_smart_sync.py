"""The trigger as callers see it: what it answers, with which status, and how small it stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.service import ADMIN, TIMES, Service
from tests.fakes.sheet import FakeSheet
from webapp.errors import SourceError
from webapp.store import runs
from webapp.sync.trigger import Trigger

ANN = "https://x.com/ann"
BEN = "https://x.com/ben"
GUIDE = ["success", "total_projects", "success_count", "error_count", "results", "timestamp"]
GUIDE_RESULT = [
    "success", "project_id", "project_name", "total_accounts", "updated_count", "snapshot_count", "timestamp",
]  # fmt: skip
SUMMARY = {
    "success", "run_id", "state", "total_projects", "success_count", "error_count", "skipped_count", "remaining",
    "complete", "degraded", "degraded_reason", "dry_run", "duration_seconds", "api_calls", "error_code", "error",
    "timestamp", "added_count", "removed_count",
}  # fmt: skip
RUN_TABLES = ("sync_runs", "sync_run_projects")


def test_the_answer_has_the_guides_fields_with_the_guides_values(service: Service, sheet: FakeSheet) -> None:
    for name in "ABCDE":
        sheet.rows(f"Project {name}", *((f"https://x.com/{name}{n}", n) for n in range(10)))

    body = service.sync()

    assert {key: body[key] for key in GUIDE[:4]} == {
        "success": True, "total_projects": 5, "success_count": 5, "error_count": 0,
    }  # fmt: skip
    first = body["results"][0]
    assert first["project_id"] == service.project("Project A")["id"]
    assert [first[key] for key in GUIDE_RESULT if key not in ("project_id", "timestamp")] == [
        True, "Project A", 10, 10, 10,
    ]  # fmt: skip
    assert body["timestamp"].startswith("2026-03-02T10:00:00.")
    assert body["timestamp"].endswith("Z")
    assert set(body) == SUMMARY | {"results", "warnings"}


def test_with_a_project_id_the_answer_is_that_one_result(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 2])
    service.sync()
    sheet.put("Project A!B2", 5)
    sheet.put("Project B!B2", 5)

    body = service.sync(project_id=service.project("Project A")["id"])

    assert "results" not in body
    assert [body[key] for key in GUIDE_RESULT if key not in ("project_id", "timestamp")] == [
        True, "Project A", 1, 1, 0,
    ]  # fmt: skip
    assert (body["total_projects"], body["run_id"] != "", body["complete"]) == (1, True, True)
    assert (service.followers(ANN), service.followers(BEN)) == (5, 2)


def test_a_failed_project_alone_is_502_with_its_error(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 1])
    service.sync()
    project_id = service.project("Project A")["id"]
    sheet.delete("Project A")

    body = service.sync(status=502, project_id=project_id)

    assert (body["success"], body["error_code"], body["project_name"]) == (False, "tab_missing", "Project A")


@pytest.mark.shortcuts
@pytest.mark.parametrize(("strict", "status"), [(False, 200), (True, 502)])
def test_a_partial_failure_is_200_unless_strict(service: Service, sheet: FakeSheet, strict: bool, status: int) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 1])
    service.sync()
    sheet.broken("Project A", SourceError("no", code="bad_range"))

    body = service.sync(status=status, strict=strict)

    assert (body["success"], body["state"], body["success_count"], body["error_count"]) == (False, "partial", 1, 1)


def test_strict_is_200_when_nothing_failed(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])

    assert service.sync(strict=True)["success"] is True


def test_when_every_project_failed_the_answer_is_502(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 1])
    service.sync()
    for title in ("Project A", "Project B"):
        sheet.broken(title, SourceError("no", code="bad_range"))

    body = service.sync(status=502)

    assert (body["state"], body["error_count"], len(body["results"])) == ("failed", 2, 2)


def test_a_summary_is_under_a_kilobyte_whatever_happened(sqlite_service: Service) -> None:
    sheet = sqlite_service.sheet
    for number in range(40):
        sheet.rows(f"Project {number}", [ANN, "#REF!"])
    sqlite_service.sync()
    sheet.offline(SourceError("Ж" * 500, code="forbidden"))

    answer = sqlite_service.trigger(summary=True)

    assert answer.status_code == 502
    assert len(answer.data) < 1024
    assert set(json.loads(answer.data)) == SUMMARY
    assert json.loads(answer.data)["error_count"] == 40


@pytest.mark.long
def test_a_body_stays_under_64_kilobytes_with_300_projects_full_of_problems(sqlite_service: Service) -> None:
    for number in range(300):
        rows = [[f"https://x.com/user{n}", "#REF!"] for n in range(25)] if number < 40 else [[ANN, number]]
        sqlite_service.sheet.rows(f"Project {number}", *rows)

    answer = sqlite_service.trigger()

    body = json.loads(answer.data)
    assert len(answer.data) < 64 * 1024
    assert (body["total_projects"], body["success_count"], body["truncated"]) == (300, 300, True)
    assert 0 < len(body["results"]) < 300
    assert body["results"][0]["problem_count"] == 25
    run = sqlite_service.get(f"/api/admin/runs/{body['run_id']}")
    assert len(run["results"]) == 300


def test_a_preview_of_many_changes_stays_small_too(sqlite_service: Service) -> None:
    sqlite_service.sheet.rows("Project A", *((f"https://x.com/user{n}", n) for n in range(2000)))

    answer = sqlite_service.trigger(dry_run=True)

    body = json.loads(answer.data)
    assert len(answer.data) < 64 * 1024
    assert (body["truncated"], body["change_count"], len(body["changes"])) == (True, 2000, 100)


# Dry runs


def test_a_dry_run_writes_nothing_and_counts_what_the_run_then_does(
    service: Service, sheet: FakeSheet, time: FakeClock
) -> None:
    sheet.rows("Project A", [ANN, 1000], [BEN, 5], ["https://x.com/cid", 7])
    service.sync()
    sheet.rows("Project A", [ANN, 900], ["https://x.com/cid", 7], ["https://x.com/dee", 3])
    service.reading(ANN, followers=950, likes=4)
    before = service.tables(without=RUN_TABLES)

    preview = service.sync(dry_run=True)

    assert service.tables(without=RUN_TABLES) == before
    real = service.sync()
    counted = ("total_accounts", "updated_count", "skips", "problems", "success", "degraded")
    assert [{k: r[k] for k in counted} for r in preview["results"]] == [
        {k: r[k] for k in counted} for r in real["results"]
    ]
    assert (preview["dry_run"], real["dry_run"]) == (True, False)


def test_a_dry_run_lists_each_change_with_its_winner_and_cell(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1000], [BEN, 5], ["https://x.com/cid", 7])
    service.sync()
    sheet.rows("Project A", [ANN, 1200], ["https://x.com/cid", 7], ["https://x.com/dee", 3])
    service.reading("https://x.com/cid", followers=9)

    body = service.sync(dry_run=True)

    told = {(c["kind"], c["profile_url"]): (c["old"], c["new"], c["winner"], c["cell"]) for c in body["changes"]}
    assert told == {
        ("change", ANN): (1000, 1200, "sheet", "Project A!B2"),
        ("change", "https://x.com/cid"): (7, 9, "parsed", None),
        ("remove", BEN): (None, None, None, None),
        ("add", "https://x.com/dee"): (None, None, None, "Project A!4"),
    }
    assert body["change_count"] == 4


def test_a_dry_run_of_a_new_spreadsheet_shows_the_projects_it_would_make(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1], [BEN, 2])

    body = service.sync(dry_run=True)

    assert service.rows("SELECT * FROM projects") == []
    assert [(r["project_name"], r["total_accounts"], r["updated_count"]) for r in body["results"]] == [
        ("Project A", 2, 2)
    ]
    assert [c["kind"] for c in body["changes"]] == ["add", "add"]


def test_a_dry_run_of_one_project_answers_that_one_result(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    sheet.put("Project A!B2", 5)

    body = service.sync(dry_run=True, project_id=service.project()["id"])

    assert (body["project_name"], body["updated_count"], body["change_count"]) == ("Project A", 1, 1)


def test_a_dry_run_of_an_outage_says_so(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    before = service.tables(without=RUN_TABLES)
    sheet.offline(SourceError("not shared", code="forbidden"))

    body = service.sync(status=502, dry_run=True)

    assert body["results"][0]["error_code"] == "forbidden"
    assert service.tables(without=RUN_TABLES) == before


def test_a_dry_run_can_not_go_on_in_the_background(sqlite_service: Service) -> None:
    answer = sqlite_service.trigger(dry_run=True, run_async=True)

    assert (answer.status_code, answer.json["code"]) == (422, "invalid_parameter")  # type: ignore[index]


# Later


@pytest.mark.parametrize(
    ("parameters", "headers"),
    [({"run_async": True}, {}), ({}, {"Prefer": "respond-async"}), ({}, {"Prefer": "wait=5, Respond-Async"})],
    ids=["async", "prefer", "prefer among others"],
)
def test_an_asynchronous_trigger_is_202_and_its_run_ends_without_the_caller(
    service: Service, sheet: FakeSheet, parameters: dict[str, Any], headers: dict[str, str]
) -> None:
    sheet.rows("Project A", [ANN, 1])

    answer = service.trigger(headers, **parameters)

    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/admin/runs/{answer.json['run_id']}"  # type: ignore[index]
    assert int(answer.headers["Retry-After"]) > 0
    service.settle()
    run = service.get(answer.headers["Location"])
    assert (run["state"], run["success_count"], run["complete"], service.followers(ANN)) == ("succeeded", 1, True, 1)


def test_a_preference_for_later_is_left_unheeded_by_a_dry_run(sqlite_service: Service) -> None:
    sqlite_service.sheet.rows("Project A", [ANN, 1])

    answer = sqlite_service.trigger({"Prefer": "respond-async"}, dry_run=True)

    assert (answer.status_code, answer.json["state"]) == (200, "succeeded")  # type: ignore[index]


def test_a_bug_in_the_background_is_a_failed_run(service: Service, sheet: FakeSheet) -> None:
    sheet.on_book = lambda: 1 // 0

    answer = service.trigger(run_async=True)
    service.settle()

    run = service.get(answer.headers["Location"])
    assert (run["state"], run["success"], run["error_code"]) == ("failed", False, "internal_error")


def test_a_run_that_ends_at_once_is_answered_as_one_that_goes_on(
    sqlite_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_service.parts.background, "submit", lambda work, _: work())

    answer = sqlite_service.trigger(run_async=True)

    assert (answer.status_code, answer.json["state"]) == (202, "running")  # type: ignore[index]
    assert sqlite_service.get(answer.headers["Location"])["state"] == "succeeded"


def test_no_run_begins_while_the_service_shuts_down(sqlite_service: Service) -> None:
    sqlite_service.parts.background.stop.request(10)

    answer = sqlite_service.trigger()

    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    assert (answer.json["code"], answer.headers["Retry-After"]) == ("shutting_down", "15")  # type: ignore[index]
    assert sqlite_service.rows("SELECT * FROM sync_runs") == []


# The same trigger again


def test_the_same_idempotency_key_answers_with_the_same_run(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    first = service.trigger({"Idempotency-Key": "tick-1"})
    sheet.put("Project A!B2", 5)

    again = service.trigger({"Idempotency-Key": '"tick-1"'})

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json is not None
    assert again.json == first.json | {"replayed": True}
    assert service.followers(ANN) == 1
    assert len(service.rows("SELECT id FROM sync_runs")) == 1


def test_a_replayed_failure_is_still_a_failure(service: Service, sheet: FakeSheet) -> None:
    sheet.offline(SourceError("not shared", code="forbidden"))
    service.trigger({"Idempotency-Key": "k"})
    sheet.online()

    assert service.trigger({"Idempotency-Key": "k"}).status_code == 502


def test_a_key_with_other_parameters_is_422(service: Service, sheet: FakeSheet) -> None:
    service.trigger({"Idempotency-Key": "k"})

    answer = service.trigger({"Idempotency-Key": "k"}, force=True)

    assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_reused")  # type: ignore[index]


def test_a_key_that_only_changes_how_the_answer_looks_is_the_same_trigger(service: Service, sheet: FakeSheet) -> None:
    first = service.trigger({"Idempotency-Key": "k"})

    again = service.trigger({"Idempotency-Key": "k"}, summary=True, run_async=True)

    assert (again.status_code, again.json["run_id"]) == (200, first.json["run_id"])  # type: ignore[index]


def test_every_key_that_joined_a_run_stands_for_it(service: Service, sheet: FakeSheet) -> None:
    live = service.engine.start(Trigger()).run
    keys = ["a", "b", "c"]

    joined = [service.trigger({"Idempotency-Key": key}).json for key in keys]
    service.write("UPDATE sync_runs SET state = 'succeeded', finished_at = started_at")
    again = [service.trigger({"Idempotency-Key": key}).json for key in keys]

    assert {answer["run_id"] for answer in (*joined, *again)} == {live.id}  # type: ignore[index]
    assert service.one("SELECT count(*) FROM sync_runs") == 1
    assert service.trigger({"Idempotency-Key": "b"}, force=True).json["code"] == "idempotency_key_reused"  # type: ignore[index]


def overlook_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a trigger find its key only at its second try, as when another takes it meanwhile."""
    find, looks = runs.by_key, iter("12")
    monkeypatch.setattr(runs, "by_key", lambda *asked: None if next(looks, None) else find(*asked))


def test_a_key_that_is_taken_meanwhile_answers_with_its_run(
    service: Service, sheet: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = service.trigger({"Idempotency-Key": "k"}).json
    overlook_key(monkeypatch)

    again = service.trigger({"Idempotency-Key": "k"}).json

    assert (again["replayed"], again["run_id"]) == (True, first["run_id"])  # type: ignore[index]
    assert service.one("SELECT count(*) FROM sync_runs") == 1


def test_a_key_that_another_run_takes_meanwhile_joins_no_run(
    service: Service, sheet: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.engine.start(Trigger())
    taken = service.trigger({"Idempotency-Key": "k"}, force=True).json["run_id"]  # type: ignore[index]
    overlook_key(monkeypatch)

    answer = service.trigger({"Idempotency-Key": "k"})

    assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_reused")  # type: ignore[index]
    assert service.rows("SELECT run_id FROM run_keys") == [{"run_id": taken}]


def test_keys_of_long_ago_are_not_kept(service: Service, sheet: FakeSheet, time: FakeClock) -> None:
    service.trigger({"Idempotency-Key": "k"})
    time.forward(hours=25)
    service.trigger({"Idempotency-Key": "another"})

    assert service.one("SELECT count(*) FROM run_keys") == 1


def test_a_key_joins_the_run_that_answers_for_it(service: Service, sheet: FakeSheet) -> None:
    live = service.engine.start(Trigger()).run

    joined = service.trigger({"Idempotency-Key": "k"})
    again = service.trigger({"Idempotency-Key": "k"})

    assert (joined.status_code, again.status_code) == (202, 202)
    assert joined.json["run_id"] == again.json["run_id"] == live.id  # type: ignore[index]


def test_a_key_is_forgotten_after_a_day(service: Service, sheet: FakeSheet, time: FakeClock) -> None:
    first = service.trigger({"Idempotency-Key": "nightly"})
    time.forward(hours=25)

    second = service.trigger({"Idempotency-Key": "nightly"}, force=True)

    assert second.status_code == 200
    assert second.json["run_id"] != first.json["run_id"]  # type: ignore[index]


def test_a_key_survives_a_restart(sqlite_url: str) -> None:
    before = Service(sqlite_url)
    first = before.trigger({"Idempotency-Key": "k"})
    before.close()

    after = Service(sqlite_url)
    again = after.trigger({"Idempotency-Key": "k"})
    after.close()

    assert again.json["run_id"] == first.json["run_id"]  # type: ignore[index]


@pytest.mark.parametrize(
    "key", ["", '""', "x" * 256, "ключ", "a\tb"], ids=["empty", "quotes", "long", "cyrillic", "tab"]
)
def test_a_key_that_is_none_is_422(sqlite_service: Service, key: str) -> None:
    answer = sqlite_service.client.post("/api/admin/smart_sync", headers=[*ADMIN.items(), ("Idempotency-Key", key)])

    assert (answer.status_code, answer.json["field"]) == (422, "Idempotency-Key")  # type: ignore[index]
    assert sqlite_service.rows("SELECT * FROM sync_runs") == []


# Which databases cannot


def test_a_database_that_has_gone_is_503_and_is_not_made_again(sqlite_service: Service) -> None:
    sqlite_service.sheet.rows("Project A", [ANN, 1])
    sqlite_service.sync()
    path = Path(sqlite_service.db.storage())
    path.unlink()

    answer = sqlite_service.trigger()

    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    assert int(answer.headers["Retry-After"]) > 0
    assert not path.exists()


@pytest.mark.shortcuts
def test_two_syncs_of_a_day_add_up_to_one(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1], [BEN, 2])
    service.sync()
    before = service.tables(without=TIMES)

    assert service.sync()["results"][0]["snapshot_count"] == 0
    assert service.tables(without=TIMES) == before


def test_a_trigger_with_a_slash_at_its_end_is_one(service: Service) -> None:
    service.sheet.rows("Project A", ["x.com/ada", 1, 2, 3, 4, 5])

    answer = service.client.post("/api/admin/smart_sync/", query_string={"summary": "true"}, headers=ADMIN)

    assert (answer.status_code, answer.get_json()["success_count"]) == (200, 1)
    assert service.one("SELECT count(*) FROM sync_runs") == 1
