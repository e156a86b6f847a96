"""The log of runs, to read and to poll; and how the service says it stands."""

from __future__ import annotations

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.service import ADMIN, Service
from tests.fakes.sheet import FakeSheet
from webapp.clock import Budget
from webapp.errors import SourceError
from webapp.sync.trigger import Trigger

ANN = "https://x.com/ann"


@pytest.mark.shortcuts
def test_runs_are_listed_newest_first_a_page_at_a_time(service: Service, sheet: FakeSheet, time: FakeClock) -> None:
    sheet.rows("Project A", [ANN, 1])
    ids = []
    for _ in range(5):
        ids.append(service.sync()["run_id"])
        time.forward(minutes=1)

    first = service.get("/api/admin/runs", limit=2)
    second = service.get("/api/admin/runs", limit=2, before=first["next_before"])
    third = service.get("/api/admin/runs", limit=2, before=second["next_before"])

    assert [run["run_id"] for page in (first, second, third) for run in page["runs"]] == ids[::-1]
    assert third["next_before"] is None


@pytest.mark.shortcuts
def test_the_runs_of_one_project_are_listed(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [ANN, 1])
    both = service.sync()["run_id"]
    only_b = service.sync(project_id=service.project("Project B")["id"])["run_id"]

    def listed(name: str) -> list[str]:
        runs = service.get("/api/admin/runs", project_id=service.project(name)["id"])["runs"]
        return [run["run_id"] for run in runs]

    assert (listed("Project A"), listed("Project B")) == ([both], [only_b, both])


def test_a_run_says_all_there_is_to_say(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, "#REF!"])
    sheet.rows("Notes", ["x"], header=None)
    answer = service.sync(force=True, budget=60)

    run = service.get(f"/api/admin/runs/{answer['run_id']}")

    assert run.items() >= {key: answer[key] for key in answer if key not in ("results", "warnings")}.items()
    assert (run["results"], run["warnings"]) == (answer["results"], answer["warnings"])
    assert (run["caller"], run["day"], run["phase"], run["done"], run["total"]) == ("http", "2026-03-02", None, 1, 1)
    assert run["params"] == {
        "project_id": None,
        "due": False,
        "force": True,
        "dry_run": False,
        "budget": 60.0,
        "all": False,
    }
    assert run["finished_at"] >= run["read_at"] >= run["started_at"]


def test_a_poller_gets_304_until_the_run_changes(service: Service, sheet: FakeSheet) -> None:
    trigger = Trigger()
    run = service.engine.start(trigger).run
    path = f"/api/admin/runs/{run.id}"
    tag = service.client.get(path, headers=ADMIN).headers["ETag"]
    again = service.client.get(path, headers=ADMIN | {"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")

    list(service.engine.run(run, trigger, Budget()))
    after = service.client.get(path, headers=ADMIN | {"If-None-Match": tag})

    assert (after.status_code, after.json["state"]) == (200, "succeeded")  # type: ignore[index]


def test_an_abandoned_run_is_told_as_one(service: Service, sheet: FakeSheet) -> None:
    run = service.engine.start(Trigger()).run
    service.write("UPDATE sync_runs SET heartbeat = 0")
    service.sync()

    told = service.get(f"/api/admin/runs/{run.id}")

    assert (told["state"], told["success"], told["error_code"]) == ("abandoned", False, "abandoned")


def test_a_run_whose_process_died_is_no_success_before_anybody_comes(service: Service, sheet: FakeSheet) -> None:
    run = service.engine.start(Trigger()).run
    path = f"/api/admin/runs/{run.id}"
    assert service.get(path)["success"]
    service.write("UPDATE sync_runs SET heartbeat = heartbeat - 61000")

    last, listed = service.get("/api/admin/sync_status")["last_run"], service.get("/api/admin/runs")["runs"][0]

    for told in (service.get(path), last, listed):
        assert (told["state"], told["success"], told["error_code"]) == ("running", False, "stalled")
        assert "no sign of progress for 61 s" in told["error"]


@pytest.mark.parametrize("run_id", ["nothing", "%00", "%ED%A0%80", "..%2f..%2fetc", "' OR 1=1 --", "x" * 3000])
def test_a_run_that_is_not_there_is_404(service: Service, run_id: str) -> None:
    answer = service.client.get(f"/api/admin/runs/{run_id}", headers=ADMIN)

    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=-1", "limit=abc", "limit=1e9", "limit=201", "limit=null", "limit=", "limit=1&limit=2",
        "limit=5.0", "limit=1e1",
        "before=yesterday", "before=2026-02-30T00:00:00Z", "before=2026-01-01T00:00:00", "before=2026-01-01",
        "before=0000-01-01T00:00:00Z", "before=10000-01-01T00:00:00Z", "before=0001-01-01T00:00:00%2B23:59",
        "before=null", "project_id=", "project_id=%00", "sort=started_at;drop",
    ],
)  # fmt: skip
def test_a_bad_question_is_422(service: Service, query: str) -> None:
    answer = service.client.get(f"/api/admin/runs?{query}", headers=ADMIN)

    assert (answer.status_code, answer.content_type) == (422, "application/problem+json"), answer.text


# Status


def test_status_has_the_guides_fields_and_says_how_things_stand(service: Service, sheet: FakeSheet) -> None:
    for name in "ABCDE":
        sheet.rows(f"Project {name}", [ANN, 1])
    run_id = service.sync()["run_id"]
    service.write("UPDATE projects SET status = 'paused' WHERE name = 'Project E'")

    body = service.get("/api/admin/sync_status")

    assert {key: body[key] for key in ("success", "total_projects", "active_projects", "cache_enabled")} == {
        "success": True, "total_projects": 5, "active_projects": 4, "cache_enabled": False,
    }  # fmt: skip
    assert body["timestamp"].endswith("Z")
    assert (body["running"], body["last_run"]["run_id"], body["stale_projects"]) == ([], run_id, [])
    assert (body["sheet"]["state"], body["last_success_at"][:16], body["next_due_at"][:16]) == (
        "ok", "2026-03-02T10:00", "2026-03-02T10:30",
    )  # fmt: skip


def test_status_names_the_projects_that_are_too_old_to_trust(
    service: Service, sheet: FakeSheet, time: FakeClock
) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    time.forward(minutes=61)

    (late,) = service.get("/api/admin/sync_status")["stale_projects"]

    assert (late["project_name"], late["synced_at"][:16]) == ("Project A", "2026-03-02T10:00")


@pytest.mark.shortcuts
def test_status_of_one_project(service: Service, sheet: FakeSheet, time: FakeClock) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    time.forward(minutes=5)
    service.sync()
    project_id = service.project()["id"]

    body = service.get("/api/admin/sync_status", project_id=project_id)

    assert (body["project_id"], body["isSyncing"], body["total_accounts"], body["stale"]) == (
        project_id, False, 1, False,
    )  # fmt: skip
    assert [body[key][11:16] for key in ("checked_at", "synced_at", "changed_at", "next_sync_at")] == [
        "10:05", "10:05", "10:00", "10:30",
    ]  # fmt: skip


def test_status_without_a_sheet_says_what_to_set(sqlite_url: str) -> None:
    bare = Service(sqlite_url, sheets=[])

    seen = bare.get("/api/admin/sync_status")["sheet"]
    bare.close()

    assert (seen["state"], seen["message"]) == ("not_configured", "set SMART_SYNC_SHEET")


def test_status_of_a_failed_sheet_says_the_fix(service: Service, sheet: FakeSheet) -> None:
    sheet.offline(SourceError("not shared", code="forbidden", hint="share it with robot@example.com"))
    service.sync(status=502)

    seen = service.get("/api/admin/sync_status")["sheet"]

    assert (seen["state"], "robot@example.com" in seen["message"]) == ("failed", True)


def test_reading_the_status_changes_nothing(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    before, calls = service.tables(), sheet.calls

    for path in ("/api/admin/sync_status", "/api/admin/runs", "/api/admin/held", "/api/admin/pins"):
        service.get(path)

    assert (service.tables(), sheet.calls) == (before, calls)
