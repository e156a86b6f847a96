"""Spreadsheets that do not answer, answer half, or must not be read; and runs that have little time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.service import ADMIN, TIMES, Service, moment
from tests.fakes.sheet import FakeSheet
from webapp.errors import SourceError, TransientSourceError
from webapp.sources.sheet import Tab
from webapp.sources.sheet.rows import read_tab

pytestmark = pytest.mark.shortcuts

ANN = "https://x.com/ann"
BEN = "https://x.com/ben"
CID = "https://x.com/cid"
AWAY = TransientSourceError("the Sheets API answered 503", code="upstream_error")
FORBIDDEN = SourceError("not shared", code="forbidden", hint="share it with robot@example.com as a viewer")


def three(sheet: FakeSheet) -> None:
    for title, url in (("Project A", ANN), ("Project B", BEN), ("Project C", CID)):
        sheet.rows(title, [url, 1])


def by_name(answer: Any) -> dict[str, Any]:
    return {result["project_name"]: result for result in answer["results"]}


def test_a_sheet_that_is_away_is_degraded_and_no_failure(service: Service, sheet: FakeSheet) -> None:
    three(sheet)
    service.sync()

    sheet.offline(AWAY)
    answer = service.sync()

    assert (answer["success"], answer["degraded"], answer["success_count"]) == (True, True, 3)
    assert all(result["degraded"] and result["success"] for result in answer["results"])
    assert answer["warnings"] == ["Sheets: the Sheets API answered 503; the stored sheet values were used"]
    assert answer["results"][0]["error_code"] == "upstream_error"


def test_a_sheet_we_may_not_read_is_a_failure_with_the_fix_in_words(service: Service, sheet: FakeSheet) -> None:
    three(sheet)
    service.sync()
    sheet.offline(FORBIDDEN)

    service.reading(ANN, followers=50)
    answer = service.sync(status=502)

    assert (answer["success"], answer["degraded"], answer["error_count"]) == (False, False, 3)
    assert "robot@example.com" in answer["results"][0]["error"]
    assert service.followers(ANN) == 50


@pytest.mark.parametrize("error", [AWAY, FORBIDDEN], ids=["for now", "for good"])
def test_with_no_project_stored_yet_an_unreadable_sheet_is_a_failure(
    service: Service, sheet: FakeSheet, error: SourceError
) -> None:
    sheet.offline(error)

    answer = service.sync(status=502)

    assert (answer["success"], answer["results"], answer["state"]) == (False, [], "failed")
    assert answer["error_code"] == error.code


def test_status_says_since_when_the_sheet_is_away(service: Service, sheet: FakeSheet, time: FakeClock) -> None:
    three(sheet)
    service.sync()
    sheet.offline(AWAY)
    time.forward(minutes=30)
    service.sync()
    time.forward(minutes=30)
    service.sync()

    seen = service.get("/api/admin/sync_status")["sheet"]

    assert (seen["state"], seen["since"][:16]) == ("degraded", "2026-03-02T10:30")
    assert moment(service.project()["degraded_since"]).minute == 30
    sheet.online()
    service.sync()
    assert service.get("/api/admin/sync_status")["sheet"]["state"] == "ok"
    assert service.project()["degraded_since"] is None


def test_an_attempt_is_not_a_success(service: Service, sheet: FakeSheet, time: FakeClock) -> None:
    three(sheet)
    service.sync()
    time.forward(hours=1)
    sheet.offline(AWAY)
    service.sync()

    seen = service.get("/api/admin/sync_status", project_id=service.project()["id"])

    assert (seen["synced_at"][:16], seen["checked_at"][:16]) == ("2026-03-02T10:00", "2026-03-02T11:00")


def test_a_sheet_that_gives_out_halfway_keeps_what_was_read(service: Service, sheet: FakeSheet) -> None:
    three(sheet)
    service.sync()
    for title in ("Project A", "Project B", "Project C"):
        sheet.put(f"{title}!B2", 9)
    sheet.breaks_at("Project B", AWAY)

    answer = service.sync()

    assert [(r["project_name"], r["degraded"]) for r in answer["results"]] == [
        ("Project B", True), ("Project C", True), ("Project A", False),
    ]  # fmt: skip
    assert (service.followers(ANN), service.followers(BEN), service.followers(CID)) == (9, 1, 1)
    assert (answer["success"], answer["degraded"]) == (True, True)


def test_without_a_configured_sheet_readings_are_still_merged(service: Service, sheet: FakeSheet) -> None:
    three(sheet)
    service.sync()
    service.engine.sheets = ()

    service.reading(ANN, followers=50)
    answer = service.sync()

    assert answer["success"]
    assert answer["warnings"] == ["Sheets not configured: set SMART_SYNC_SHEET; only stored readings were merged"]
    assert service.followers(ANN) == 50


def test_a_project_of_a_sheet_that_is_not_configured_fails_alone(service: Service, sheet: FakeSheet) -> None:
    other = FakeSheet(key="another")
    service.engine.sheets = (sheet, other)
    sheet.rows("Project A", [ANN, 1])
    other.rows("Project B", [BEN, 2])
    service.sync()

    service.engine.sheets = (sheet,)
    answer = service.sync()

    assert by_name(answer)["Project A"]["success"]
    assert by_name(answer)["Project B"]["error_code"] == "sheet_not_configured"


def test_one_spreadsheet_that_is_away_does_not_touch_the_other(service: Service, sheet: FakeSheet) -> None:
    other = FakeSheet(key="other")
    service.engine.sheets = (sheet, other)
    sheet.rows("Project A", [ANN, 1])
    other.rows("Project B", [BEN, 2])
    service.sync()
    assert service.project("Project B")["spreadsheet"] == "other"

    sheet.offline(FORBIDDEN)
    other.put("Project B!B2", 3)
    answer = service.sync()

    assert [r["success"] for r in answer["results"]] == [False, True]
    assert (answer["success"], answer["state"], service.followers(BEN)) == (False, "partial", 3)


def test_one_project_that_breaks_does_not_touch_the_others(
    service: Service, sheet: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    three(sheet)
    service.sync()
    before = (service.followers(BEN), service.history(BEN))
    for title in ("Project A", "Project B", "Project C"):
        sheet.put(f"{title}!B2", 9)

    def broken(rows: Any, title: str, *more: Any, **rest: Any) -> Any:
        if title == "Project B":
            raise ZeroDivisionError
        return read_tab(rows, title, *more, **rest)

    monkeypatch.setattr("webapp.sync.side.read_tab", broken)
    answer = service.sync()

    result = by_name(answer)["Project B"]
    assert (result["success"], result["error_code"]) == (False, "internal_error")
    assert (answer["success"], answer["state"], answer["error_count"]) == (False, "partial", 1)
    assert (service.followers(ANN), service.followers(CID)) == (9, 9)
    assert (service.followers(BEN), service.history(BEN)) == before
    assert service.sync(status=502, strict=True)["error_count"] == 1


def test_a_project_that_breaks_in_a_preview_is_not_put_off(
    service: Service, sheet: FakeSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    three(sheet)
    service.sync()
    before = service.tables(without=("sync_runs",))
    sheet.put("Project A!B2", 9)

    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr("webapp.sync.side.read_tab", broken)
    answer = service.sync(status=502, dry_run=True, project_id=service.project("Project A")["id"])

    assert (answer["error_count"], answer["error_code"]) == (1, "internal_error")
    assert service.tables(without=("sync_runs",)) == before


# Little time


def test_a_used_up_budget_ends_the_run_and_the_next_goes_on_with_the_longest_waiting(
    service: Service, sheet: FakeSheet, time: FakeClock
) -> None:
    three(sheet)
    service.sync()
    for title in ("Project A", "Project B", "Project C"):
        time.forward(minutes=1)
        sheet.put(f"{title}!B2", 9)
    sheet.on_read = lambda tab: time.forward(seconds=30)

    first = service.sync(budget=20)
    assert (first["success"], first["complete"], first["remaining"], first["state"]) == (True, False, 2, "partial")
    assert (first["total_projects"], [r["project_name"] for r in first["results"]]) == (3, ["Project A"])

    second = service.sync(budget=20)
    assert [r["project_name"] for r in second["results"]] == ["Project B"]
    assert [service.followers(url) for url in (ANN, BEN, CID)] == [9, 9, 1]

    service.sync(budget=20)
    assert service.followers(CID) == 9


def test_a_run_without_time_reads_nothing_and_says_what_is_left(
    service: Service, sheet: FakeSheet, time: FakeClock
) -> None:
    three(sheet)
    service.sync()
    other = FakeSheet(key="other")
    service.engine.sheets = (other, sheet)
    service.write("UPDATE projects SET spreadsheet = 'the-sheet'")
    other.rows("Project Z", ["https://x.com/zed", 1])
    service.sync()

    other.on_book = sheet.on_book = lambda: time.forward(seconds=30)
    reads = len(sheet.reads) + len(other.reads)
    answer = service.sync(budget=10)

    assert (answer["complete"], answer["remaining"]) == (False, 4)
    assert len(sheet.reads) + len(other.reads) == reads
    assert service.rows("SELECT * FROM leases WHERE holder IS NOT NULL") == []


def test_no_lease_stays_behind_whatever_happens(service: Service, sheet: FakeSheet) -> None:
    three(sheet)
    for error in (AWAY, FORBIDDEN):
        service.sync()
        sheet.offline(error)
        service.client.post("/api/admin/smart_sync", headers=ADMIN)
        sheet.online()
        assert service.rows("SELECT * FROM leases WHERE holder IS NOT NULL") == []


def test_due_syncs_only_what_is_due(service: Service, sheet: FakeSheet, time: FakeClock) -> None:
    three(sheet)
    service.sync()
    service.write("UPDATE projects SET interval_minutes = 120 WHERE name = 'Project B'")
    service.write("UPDATE projects SET auto_sync = false WHERE name = 'Project C'")
    assert service.sync(due=True)["results"] == []

    time.forward(minutes=30)
    service.sync(project_id=service.project("Project B")["id"])
    answer = service.sync(due=True)

    assert [r["project_name"] for r in answer["results"]] == ["Project A"]
    time.forward(minutes=119, seconds=45)
    assert sorted(r["project_name"] for r in service.sync(due=True)["results"]) == ["Project A", "Project B"]


def test_a_failed_project_stays_due(service: Service, sheet: FakeSheet, time: FakeClock) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    time.forward(minutes=31)
    sheet.offline(AWAY)

    assert len(service.sync(due=True)["results"]) == 1
    sheet.online()
    assert len(service.sync(due=True)["results"]) == 1
    assert service.sync(due=True)["results"] == []


def test_nothing_due_asks_no_spreadsheet(service: Service, sheet: FakeSheet) -> None:
    three(sheet)
    service.sync()
    calls = sheet.calls

    answer = service.sync(due=True)

    assert (answer["success"], answer["total_projects"], answer["warnings"], sheet.calls) == (True, 0, [], calls)


def test_a_tick_before_any_sync_reads_the_sheet(service: Service, sheet: FakeSheet) -> None:
    three(sheet)

    assert service.sync(due=True)["success_count"] == 3


def test_a_chart_is_never_read(service: Service, sheet: FakeSheet) -> None:
    three(sheet)
    sheet.tab("Chart", chart=True)
    asked: list[Tab] = []
    sheet.on_read = asked.append

    service.sync()

    assert [tab.title for tab in asked] == ["Project A", "Project B", "Project C"]


def test_an_outage_leaves_everything_else_as_it_was(service: Service, sheet: FakeSheet) -> None:
    three(sheet)
    service.sync()
    before = service.tables(without=TIMES)

    sheet.breaks_at("Project A", AWAY)
    service.sync()

    assert service.tables(without=TIMES) == before
