"""Readings that can hardly be true, and values that people have fixed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.service import ADMIN, Service
from tests.fakes.sheet import FakeSheet

pytestmark = pytest.mark.shortcuts

ANN = "https://x.com/ann"
BEN = "https://x.com/ben"


@pytest.fixture
def settled(service: Service, sheet: FakeSheet, time: FakeClock) -> Service:
    """An account of four days whose platform says 5,000."""
    sheet.rows("Project A", [ANN])
    service.sync()
    service.reading(ANN, followers=5000)
    service.sync()
    time.forward(days=4)
    return service


def sync(service: Service) -> Any:
    return service.sync()["results"][0]


def held(service: Service, state: str = "held") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = service.get("/api/admin/held", state=state)["held"]
    return rows


def decide(service: Service, decision: str) -> None:
    (row,) = held(service)
    assert service.post(f"/api/admin/held/{row['id']}/{decision}").status_code == 200


def codes(result: Any) -> list[str]:
    return [problem["code"] for problem in result["problems"]]


@pytest.mark.parametrize("value", [25_000, 1_000, 0])
def test_an_implausible_reading_is_held_and_the_last_good_one_stays(settled: Service, value: int) -> None:
    settled.reading(ANN, followers=value)

    result = sync(settled)

    assert (settled.followers(ANN), result["updated_count"], codes(result)) == (5000, 0, ["held"])
    (row,) = held(settled)
    assert (row["metric"], row["value"], row["last_good"], row["origin"], row["profile_url"]) == (
        "followers", value, 5000, "youtube", ANN,
    )  # fmt: skip
    assert settled.get("/api/admin/sync_status")["held_values"] == 1


@pytest.mark.parametrize("value", [24_999, 1_001])
def test_a_reading_short_of_five_times_is_believed(settled: Service, value: int) -> None:
    settled.reading(ANN, followers=value)

    assert (sync(settled)["problems"], settled.followers(ANN)) == ([], value)


def test_a_young_account_may_jump(service: Service, sheet: FakeSheet, time: FakeClock) -> None:
    sheet.rows("Project A", [ANN])
    service.sync()
    service.reading(ANN, followers=10)
    service.sync()
    time.forward(days=2, hours=23)

    service.reading(ANN, followers=90_000)
    service.sync()

    assert service.followers(ANN) == 90_000


def test_the_other_metrics_of_a_held_reading_are_believed(settled: Service) -> None:
    settled.reading(ANN, followers=50_000, likes=7)
    sync(settled)

    assert (settled.followers(ANN), settled.account(ANN)["likes"]) == (5000, 7)


def test_two_later_readings_that_agree_confirm_a_held_one(settled: Service, time: FakeClock) -> None:
    settled.reading(ANN, followers=50_000)
    sync(settled)
    for value, hours in ((51_000, 1), (51_500, 5), (52_000, 1)):  # the second comes too soon after the first to count
        assert settled.followers(ANN) == 5000
        time.forward(hours=hours)
        settled.reading(ANN, followers=value)
        result = sync(settled)

    assert (settled.followers(ANN), result["updated_count"], codes(result)) == (52_000, 1, [])
    assert [row["state"] for row in held(settled, "all")] == ["confirmed"]


def test_syncing_again_confirms_nothing(settled: Service) -> None:
    settled.reading(ANN, followers=50_000)

    for _ in range(4):
        assert codes(sync(settled)) == ["held"]

    assert settled.followers(ANN) == 5000
    assert len(held(settled, "all")) == 1


def test_a_held_reading_is_believed_after_a_day(settled: Service, time: FakeClock) -> None:
    settled.reading(ANN, followers=50_000)
    sync(settled)
    time.forward(hours=23, minutes=59)
    sync(settled)
    assert settled.followers(ANN) == 5000

    time.forward(minutes=1)
    sync(settled)

    assert settled.followers(ANN) == 50_000
    assert held(settled, "confirmed") != []


def test_an_accepted_reading_is_merged_by_the_next_sync(settled: Service) -> None:
    settled.reading(ANN, followers=50_000)
    sync(settled)

    decide(settled, "accept")
    result = sync(settled)

    assert (settled.followers(ANN), result["updated_count"], codes(result)) == (50_000, 1, [])
    assert held(settled) == []


def test_a_rejected_reading_stays_rejected_while_it_is_repeated(settled: Service, time: FakeClock) -> None:
    settled.reading(ANN, followers=50_000)
    sync(settled)
    decide(settled, "reject")

    for value in (50_000, 51_000, 52_000):
        time.forward(days=2)
        settled.reading(ANN, followers=value)
        assert codes(sync(settled)) == []
        assert settled.followers(ANN) == 5000
    assert held(settled) == []


def test_a_rejection_is_over_when_the_platform_no_longer_says_so(settled: Service, time: FakeClock) -> None:
    settled.reading(ANN, followers=50_000)
    sync(settled)
    decide(settled, "reject")
    sync(settled)
    time.forward(days=1)
    settled.reading(ANN, followers=5100)
    sync(settled)
    assert settled.followers(ANN) == 5100

    time.forward(days=80)
    settled.reading(ANN, followers=60_000)

    assert codes(sync(settled)) == ["held"]
    assert [row["state"] for row in held(settled, "all")] == ["held", "withdrawn"]


def test_a_rejected_reading_can_be_accepted_later(settled: Service) -> None:
    settled.reading(ANN, followers=50_000)
    sync(settled)
    decide(settled, "reject")
    (row,) = held(settled, "rejected")

    assert settled.post(f"/api/admin/held/{row['id']}/accept").status_code == 200
    sync(settled)

    assert settled.followers(ANN) == 50_000


def test_a_held_reading_is_withdrawn_when_the_next_one_is_plausible(settled: Service, time: FakeClock) -> None:
    settled.reading(ANN, followers=50_000)
    sync(settled)
    time.forward(hours=1)

    settled.reading(ANN, followers=5200)
    result = sync(settled)

    assert (settled.followers(ANN), codes(result)) == (5200, [])
    assert [row["state"] for row in held(settled, "all")] == ["withdrawn"]


def test_another_implausible_reading_begins_anew(settled: Service, time: FakeClock) -> None:
    settled.reading(ANN, followers=50_000)
    sync(settled)
    time.forward(hours=20)

    settled.reading(ANN, followers=900_000)
    sync(settled)
    time.forward(hours=20)
    sync(settled)

    (row,) = held(settled)
    assert (row["value"], settled.followers(ANN)) == (900_000, 5000)


def test_a_held_reading_does_not_stop_the_sheet(settled: Service, sheet: FakeSheet) -> None:
    settled.reading(ANN, followers=50_000)
    sheet.put("Project A!B2", 6000)

    sync(settled)

    assert settled.followers(ANN) == 6000


@pytest.mark.parametrize("held_id", ["999", str(2**70), "0"])
def test_a_held_reading_that_is_not_there_is_404(sqlite_service: Service, held_id: str) -> None:
    for decision in ("accept", "reject"):
        answer = sqlite_service.post(f"/api/admin/held/{held_id}/{decision}")
        assert (answer.status_code, answer.json["code"]) == (404, "held_not_found")  # type: ignore[index]


def test_a_decision_is_made_once(settled: Service) -> None:
    settled.reading(ANN, followers=50_000)
    sync(settled)
    (row,) = held(settled)

    statuses = [settled.post(f"/api/admin/held/{row['id']}/{what}").status_code for what in ("accept", "reject")]

    assert statuses == [200, 404]


# What people typed


def test_an_implausible_cell_is_taken_and_flagged_for_two_days(
    service: Service, sheet: FakeSheet, time: FakeClock
) -> None:
    sheet.rows("Project A", [ANN, 1000])
    service.sync()
    time.forward(days=4)

    sheet.put("Project A!B2", 10_000_000)
    for _ in range(2):
        result = sync(service)
        assert (service.followers(ANN), codes(result)) == (10_000_000, ["implausible_value"])
        assert result["problems"][0]["cell"] == "Project A!B2"

    time.forward(hours=49)
    assert codes(sync(service)) == []


def test_a_lower_edit_that_the_larger_reading_hides_is_listed(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1000])
    service.sync()
    service.reading(ANN, followers=990)
    service.sync()

    sheet.put("Project A!B2", 900)
    for _ in range(2):
        result = sync(service)
        assert (service.followers(ANN), codes(result)) == (990, ["lower_edit_ignored"])
    assert "900 was typed, but the platform says 990" in result["problems"][0]["message"]

    sheet.put("Project A!B2", 1010)
    assert codes(sync(service)) == []


def test_a_lower_edit_that_is_heeded_is_not_listed(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1000])
    service.sync()

    sheet.put("Project A!B2", 900)

    assert (codes(sync(service)), service.followers(ANN)) == ([], 900)


def test_a_lower_edit_below_a_pin_is_not_listed(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1000])
    service.sync()
    service.reading(ANN, followers=990)
    sheet.put("Project A!B2", 900)
    assert pin(service, ANN, "followers", {"value": 950}).status_code == 200

    assert (codes(sync(service)), service.followers(ANN)) == ([], 950)

    assert unpin(service, ANN, "followers") == 200
    assert (codes(sync(service)), service.followers(ANN)) == (["lower_edit_ignored"], 990)


# Pins


def pin(service: Service, url: str, metric: str, body: dict[str, Any]) -> Any:
    path = f"/api/admin/accounts/{service.account(url)['id']}/pins/{metric}"
    return service.client.put(path, json=body, headers=ADMIN)


def unpin(service: Service, url: str, metric: str) -> int:
    path = f"/api/admin/accounts/{service.account(url)['id']}/pins/{metric}"
    return service.client.delete(path, headers=ADMIN).status_code


def test_a_pinned_value_stands_against_both_sides(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1000, 50])
    service.sync()

    assert pin(service, ANN, "followers", {"value": 700, "note": "bought followers"}).status_code == 200
    service.reading(ANN, followers=2000, likes=60)
    result = sync(service)

    assert (service.followers(ANN), service.account(ANN)["likes"], result["updated_count"]) == (700, 60, 1)
    (row,) = service.get("/api/admin/pins")["pins"]
    assert (row["metric"], row["value"], row["note"], row["profile_url"]) == ("followers", 700, "bought followers", ANN)


def test_pins_are_listed_by_project(service: Service, sheet: FakeSheet) -> None:
    for title in ("Project A", "Project B"):
        sheet.rows(title, [f"x.com/{title[-1]}", 1000])
    service.sync()
    for url in ("x.com/A", "x.com/B"):
        assert pin(service, url, "followers", {"value": 700}).status_code == 200

    mine = service.get("/api/admin/pins", project_id=service.project("Project B")["id"])["pins"]

    assert [row["account_id"] for row in mine] == [service.account("x.com/B")["id"]]
    assert len(service.get("/api/admin/pins")["pins"]) == 2


def test_a_pin_ends_at_its_time(service: Service, sheet: FakeSheet, time: FakeClock) -> None:
    sheet.rows("Project A", [ANN, 1000])
    service.sync()
    until = (time.now + timedelta(days=1)).isoformat()

    pin(service, ANN, "followers", {"value": 700, "until": until})
    service.sync()
    assert service.followers(ANN) == 700

    time.forward(days=1)
    service.sync()
    assert service.followers(ANN) == 1000


def test_a_pin_that_is_removed_lets_the_merge_decide_again(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1000])
    service.sync()
    pin(service, ANN, "followers", {"value": 700})
    service.sync()

    assert [unpin(service, ANN, "followers"), unpin(service, ANN, "followers")] == [200, 404]
    service.sync()

    assert service.followers(ANN) == 1000


def test_a_pin_is_replaced_by_a_later_one(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1000])
    service.sync()
    pin(service, ANN, "views", {"value": 1})

    pin(service, ANN, "views", {"value": 2})
    service.sync()

    assert service.account(ANN)["views"] == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"value": -1},
        {"value": 2**63},
        {"value": 1.5},
        {"value": "1"},
        {"value": None},
        {"value": 1, "until": "2020-01-01T00:00:00Z"},
        {"value": 1, "until": "2030-01-01T00:00:00"},
        {"value": 1, "until": "9999-12-31T23:59:59-23:59"},
        {"value": 1, "until": "soon"},
        {"value": 1, "note": "a\x00b"},
        {"value": 1, "note": "\udfff"},
        {"value": 1, "note": "x" * 501},
        {"value": 1, "note": "two\nlines"},
        {"value": 1, "note": " "},
        {"value": 1, "forever": True},
    ],
    ids=repr,
)
def test_a_pin_that_can_not_be_is_422(sqlite_service: Service, body: dict[str, Any]) -> None:
    sqlite_service.sheet.rows("Project A", [ANN, 1000])
    sqlite_service.sync()

    answer = pin(sqlite_service, ANN, "followers", body)

    assert (answer.status_code, answer.json["code"]) == (422, "invalid_parameter"), answer.text
    assert sqlite_service.get("/api/admin/pins")["pins"] == []


def test_a_pin_of_no_metric_or_nobody_is_refused(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1000])
    service.sync()

    assert pin(service, ANN, "subscribers", {"value": 1}).status_code == 422
    for nobody in ("999", str(2**64)):
        answer = service.client.put(f"/api/admin/accounts/{nobody}/pins/views", json={"value": 1}, headers=ADMIN)
        assert (answer.status_code, answer.json["code"]) == (404, "account_not_found")  # type: ignore[index]
