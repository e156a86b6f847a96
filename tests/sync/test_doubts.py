"""Slips leave no trace in history, real jumps are not lost, and the day's values are its first credible ones."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dashboard.conftest import OURS
from tests.fakes.clock import FakeClock
from tests.fakes.service import ADMIN, TOKEN, Service
from tests.fakes.sheet import FakeSheet
from webapp.store import spans
from webapp.sync import draft

ANN = "x.com/ann"
ROW = "SELECT * FROM account_snapshots WHERE day = '2026-03-03'"
pytestmark = pytest.mark.shortcuts


def days(service: Service, metric: str = "views") -> list[tuple[str, int | None]]:
    """(day, value) of Ann's snapshots."""
    account = service.account(ANN)["id"]
    rows = service.rows(
        f"SELECT day, {metric} AS value FROM account_snapshots WHERE account_id = {account} ORDER BY day"
    )
    return [(str(row["day"])[5:], row["value"]) for row in rows]


def problems(service: Service) -> list[str]:
    return [one["code"] for one in service.sync()["results"][0]["problems"]]


def bars(service: Service) -> list[tuple[str, int | None, int | None]]:
    """(day, views, delta) of the project."""
    history = service.get(f"/api/projects/{service.project()['id']}/analytics", start_date="2026-03-01")["history"]
    return [(one["date"][5:], one["views"], one["delta"]) for one in history]


class Cell:
    """One account whose row somebody edits."""

    def __init__(self, service: Service, sheet: FakeSheet, time: FakeClock) -> None:
        self.service, self.sheet, self.time = service, sheet, time

    def put(self, views: Any, likes: Any = None) -> Any:
        self.sheet.rows("Project A", [ANN, None, likes, None, None, views])
        return self.service.sync()["results"][0]

    def grown(self, *views: int) -> None:
        """One day after the other; the last one is today's."""
        for place, value in enumerate(views):
            if place:
                self.time.forward(days=1)
            self.put(value)


@pytest.fixture
def cell(service: Service, sheet: FakeSheet, time: FakeClock) -> Cell:
    return Cell(service, sheet, time)


def test_one_lost_like_in_the_evening_leaves_the_day_as_it_was(cell: Cell, service: Service, time: FakeClock) -> None:
    cell.put(100_000, 50)
    time.forward(days=1)
    cell.put(110_000, 51)
    before = service.rows(ROW)
    time.forward(hours=12, minutes=10)
    cell.put(119_000, 50)
    time.forward(hours=11, minutes=50)
    cell.put(120_000, 50)

    assert bars(service) == [("03-02", 100_000, 100_000), ("03-03", 110_000, 10_000), ("03-04", 120_000, 10_000)]
    assert service.rows(ROW) == before


def test_a_slip_of_ten_minutes_leaves_no_trace_on_the_first_day(cell: Cell, service: Service, time: FakeClock) -> None:
    for views in (12_000, 120, 12_000):
        cell.put(views)
        assert days(service) == [("03-02", views)]
        time.forward(minutes=5)


def test_zeros_for_a_minute_leave_no_trace(cell: Cell, service: Service, time: FakeClock) -> None:
    cell.put(12, 40)
    cell.put(0, 0)
    cell.put(12, 40)

    assert (days(service), days(service, "likes")) == ([("03-02", 12)], [("03-02", 40)])


def test_a_metric_that_is_blank_in_the_morning_is_filled_in_later(cell: Cell, service: Service) -> None:
    cell.put(None, 40)
    cell.put(7_000, 41)

    assert (days(service), days(service, "likes")) == ([("03-02", 7_000)], [("03-02", 40)])


def test_a_slip_that_is_corrected_two_days_later_is_on_no_day(cell: Cell, service: Service, time: FakeClock) -> None:
    cell.grown(1_000, 1_010, 1_020, 1_030)
    time.forward(days=1)
    assert cell.put(10_000_000)["problems"][0]["code"] == "implausible_value"
    assert service.account(ANN)["views"] == 10_000_000  # a person typed it
    time.forward(days=1)
    service.sync()
    time.forward(days=1)
    cell.put(1_050)

    assert bars(service)[-4:] == [
        ("03-05", 1_030, 10),
        ("03-06", 1_030, 0),
        ("03-07", 1_030, 0),
        ("03-08", 1_050, 20),
    ]
    assert problems(service) == []


def test_a_jump_that_stays_for_two_days_is_on_each_of_its_days(cell: Cell, service: Service, time: FakeClock) -> None:
    cell.grown(1_000, 1_010, 1_020, 1_030)
    time.forward(days=1)
    cell.put(1_000_000)
    time.forward(days=1)
    cell.put(1_100_000)
    assert days(service)[-1][0] == "03-05"
    time.forward(days=1)
    assert "implausible_value" not in [one["code"] for one in cell.put(1_200_000)["problems"]]

    assert days(service)[-3:] == [("03-06", 1_000_000), ("03-07", 1_100_000), ("03-08", 1_200_000)]
    assert [delta for _, _, delta in bars(service)][-3:] == [998_970, 100_000, 100_000]


def test_a_reading_that_agrees_confirms_at_once(cell: Cell, service: Service, time: FakeClock) -> None:
    cell.grown(1_000, 1_010, 1_020, 1_030)
    time.forward(days=1)
    cell.put(1_000_000)
    time.forward(hours=1)
    service.reading(ANN, views=990_000)

    assert "implausible_value" not in problems(service)
    assert days(service)[-1] == ("03-06", 1_000_000)


def test_the_day_takes_what_a_credible_reading_says_while_the_sheet_is_in_doubt(
    cell: Cell, service: Service, time: FakeClock
) -> None:
    cell.grown(1_000, 1_010, 1_020, 1_030)
    time.forward(days=1)
    service.reading(ANN, views=1_045)
    cell.put(1_000_000)

    assert (service.account(ANN)["views"], days(service)[-1]) == (1_000_000, ("03-06", 1_045))


def test_a_doubt_that_begins_after_the_first_sync_of_a_day_leaves_that_day_alone(
    cell: Cell, service: Service, time: FakeClock
) -> None:
    cell.grown(1_000, 1_010, 1_020, 1_030)
    cell.put(1_000_000)
    time.forward(days=1)
    cell.put(1_010_000)
    time.forward(days=1)
    cell.put(1_020_000)

    assert days(service)[-3:] == [("03-05", 1_030), ("03-06", 1_010_000), ("03-07", 1_020_000)]


def test_what_only_time_confirmed_and_falls_back_was_a_slip_after_all(
    cell: Cell, service: Service, time: FakeClock
) -> None:
    cell.grown(1_000, 1_010, 1_020, 1_030)
    time.forward(days=1)
    cell.put(10_000_000)
    for _ in range(4):
        time.forward(days=1)
        service.sync()
    assert days(service)[-1] == ("03-10", 10_000_000)
    time.forward(days=1)
    cell.put(1_100)

    assert days(service)[-2:] == [("03-05", 1_030), ("03-11", 1_100)]
    assert [delta for _, _, delta in bars(service)][-6:] == [0, 0, 0, 0, 0, 70]
    (entry,) = service.get("/api/admin/audit", target=f"account:{service.account(ANN)['id']}")["audit"]
    assert entry["action"] == "doubt.withdraw"
    assert entry["before"]["views"]["2026-03-06"] == 10_000_000


def test_a_slip_after_the_first_sync_of_a_day_is_withdrawn_from_the_days_that_follow(
    cell: Cell, service: Service, time: FakeClock
) -> None:
    cell.grown(1_000, 1_010, 1_020, 1_030)
    cell.put(10_000_000)
    time.forward(days=3)
    cell.put(10_000_000)
    assert days(service)[-1] == ("03-08", 10_000_000)
    time.forward(days=1)
    cell.put(1_100)

    assert days(service)[-2:] == [("03-05", 1_030), ("03-09", 1_100)]


def test_a_slip_that_follows_one_that_time_confirmed_does_not_keep_it_in_history(
    cell: Cell, service: Service, time: FakeClock
) -> None:
    cell.grown(1_000, 1_010, 1_020, 1_030)
    time.forward(days=1)
    for views in (10_000_000, 10_000_000, 10_000_000, 0, 7):
        cell.put(views)
        time.forward(days=1)
    assert days(service)[-1] == ("03-08", 10_000_000)
    cell.put(1_100)

    assert days(service)[-2:] == [("03-05", 1_030), ("03-11", 1_100)]
    assert service.one("SELECT count(*) FROM doubts") == 0


def test_slips_on_slips_that_time_confirmed_are_withdrawn_one_by_one_or_all_at_once(
    cell: Cell, service: Service, time: FakeClock
) -> None:
    cell.grown(1_000, 1_010, 1_020, 1_030)
    time.forward(days=1)
    for views in (100_000, 100_000, 100_000, 10_000_000, 10_000_000, 10_000_000):
        cell.put(views)
        time.forward(days=1)
    assert [views for _, views in days(service)[-4:]] == [100_000, 10_000_000, 10_000_000, 10_000_000]

    cell.put(101_000)
    assert days(service)[-2:] == [("03-08", 100_000), ("03-12", 101_000)]
    time.forward(days=1)
    cell.put(1_100)
    assert days(service)[-2:] == [("03-05", 1_030), ("03-13", 1_100)]


def test_a_corrected_slip_between_leaves_what_time_confirmed_in_question(
    cell: Cell, service: Service, time: FakeClock
) -> None:
    cell.grown(1_000, 1_010, 1_020, 1_030)
    time.forward(days=1)
    for views in (100_000, 100_000, 100_000, 10_000_000, 100_100):
        cell.put(views)
        time.forward(days=1)
    cell.put(1_100)

    assert days(service)[-2:] == [("03-05", 1_030), ("03-11", 1_100)]


def test_a_value_in_doubt_says_nothing_of_a_moment_before_it(cell: Cell, service: Service, time: FakeClock) -> None:
    cell.grown(1_000, 1_010, 1_020, 1_030)
    time.forward(days=1, hours=6)
    cell.put(1_001_030)
    account = f"/api/accounts/{service.account(ANN)['id']}"
    project = f"/api/projects/{service.project()['id']}"

    assert service.get(account)["growth_24h"]["views"] == 1_000_000
    assert service.get(project)["growth_24h"]["views"] == 1_000_000
    assert service.get(f"{project}/analytics")["growth_24h"]["views"] == 1_000_000


def test_what_time_confirmed_is_remembered_no_longer_than_it_may_be_a_slip(
    cell: Cell, service: Service, time: FakeClock
) -> None:
    cell.grown(1_000, 1_010, 1_020, 1_030)
    time.forward(days=1)
    for _ in range(3):
        cell.put(1_000_000)
        time.forward(days=1)
    time.forward(days=12)
    service.sync()
    assert service.one("SELECT count(*) FROM doubts WHERE state = 'timed'") == 2
    time.forward(days=1)
    service.sync()

    assert service.one("SELECT count(*) FROM doubts") == 0


def test_a_late_reading_fills_its_own_day(cell: Cell, service: Service, time: FakeClock) -> None:
    cell.put(None, 40)
    seen = time.now
    time.forward(days=1)
    service.reading(ANN, views=700, at=seen)
    service.sync()

    assert days(service) == [("03-02", 700), ("03-03", None)]


@pytest.mark.parametrize("between", ["an empty cell", "no row"])
def test_a_slip_in_a_cell_that_was_empty_is_doubted_all_the_same(
    cell: Cell, service: Service, sheet: FakeSheet, time: FakeClock, between: str
) -> None:
    cell.grown(1_000, 1_010, 1_020, 1_030)
    if between == "no row":
        sheet.rows("Project A", ["x.com/bob", None, None, None, None, 1])
        service.sync()
    else:
        cell.put(None, 40)
    time.forward(days=1)
    assert cell.put(10_000_000)["problems"][0]["code"] == "implausible_value"
    time.forward(days=1)
    assert cell.put(1_050)["problems"] == []

    assert days(service)[-2:] == [("03-05", 1_030), ("03-07", 1_050)]


def test_a_merged_account_goes_on_with_the_larger_value_undoubted(
    service: Service, sheet: FakeSheet, time: FakeClock
) -> None:
    def put(ann: int, bob: int) -> Any:
        sheet.rows("Project A", [ANN, None, None, None, None, ann], ["x.com/bob", None, None, None, None, bob])
        return service.sync()["results"][0]

    for more in range(4):
        put(50_000 + more, 300 + more)
        time.forward(days=1)
    bob = service.account("x.com/bob")["id"]
    merged = service.post(f"/api/admin/accounts/{service.account(ANN)['id']}/merge", {"into": bob})
    assert merged.status_code == 200, merged.text

    assert [one["code"] for one in put(50_010, 310)["problems"]] == ["duplicate_row"]
    sql = f"SELECT views FROM account_snapshots WHERE account_id = {bob} ORDER BY day"
    assert [row["views"] for row in service.rows(sql)] == [50_000, 50_001, 50_002, 50_003, 50_010]


def test_a_late_reading_does_not_bring_the_number_of_today_to_its_own_day(
    cell: Cell, service: Service, time: FakeClock
) -> None:
    cell.put(None, 40)
    seen = time.now
    time.forward(days=1)
    service.reading(ANN, views=700, at=seen)
    cell.put(5_000)

    assert days(service) == [("03-02", 700), ("03-03", 5_000)]


def test_a_late_reading_does_not_bring_a_slip_into_history(cell: Cell, service: Service, time: FakeClock) -> None:
    cell.grown(1_000, 1_010, 1_020, 1_030)
    time.forward(days=1)
    seen = time.now
    time.forward(days=1)
    cell.put(10_000_000)
    service.reading(ANN, views=1_040, at=seen)
    service.sync()
    time.forward(hours=1)
    cell.put(1_050)

    assert days(service)[-2:] == [("03-06", 1_040), ("03-07", 1_050)]


def test_a_late_reading_stands_beside_what_the_sheet_said_then(cell: Cell, service: Service, time: FakeClock) -> None:
    cell.put(1_000)
    time.forward(days=1)
    seen = time.now
    time.forward(days=1)
    service.reading(ANN, views=700, at=seen)
    cell.put(1_100)

    assert days(service) == [("03-02", 1_000), ("03-03", 1_000), ("03-04", 1_100)]


def test_latest_follows_the_day_and_keeps_its_growth(cell: Cell, service: Service, time: FakeClock) -> None:
    service.options(latest_snapshot=True)
    cell.put(1_000)
    time.forward(hours=8)
    cell.put(1_080)

    assert days(service) == [("03-02", 1_080)]


def accept(service: Service, status: int = 200) -> Any:
    answer = service.post(f"/api/admin/accounts/{service.account(ANN)['id']}/doubts/views/accept")
    assert answer.status_code == status, answer.text
    return answer.json


def test_a_person_accepts_a_jump_at_once(cell: Cell, service: Service, time: FakeClock) -> None:
    cell.grown(1_000, 1_010, 1_020, 1_030)
    time.forward(days=1)
    cell.put(1_000_000)
    time.forward(days=1)
    cell.put(1_000_100)
    (listed,) = service.get("/api/admin/doubts")["doubts"]
    explained = service.get(f"/api/accounts/{listed['account_id']}/explain")["views"]["doubt"]
    assert (explained["value"], explained["last_credible"], explained["since"][:10]) == (1_000_100, 1_030, "2026-03-06")
    assert {name: listed[name] for name in explained} == explained

    accept(service)

    assert bars(service)[-2:] == [("03-06", 1_000_000, 998_970), ("03-07", 1_000_100, 100)]
    assert (service.get("/api/admin/doubts")["doubts"], problems(service)) == ([], [])
    (entry,) = service.get("/api/admin/audit", target=f"account:{listed['account_id']}")["audit"]
    assert (entry["action"], entry["before"]["value"]) == ("doubt.accept", 1_000_100)
    assert accept(service, 404)["code"] == "doubt_not_found"


def test_a_jump_is_accepted_where_it_is_seen(cell: Cell, service: Service, time: FakeClock) -> None:
    cell.grown(1_000, 1_010, 1_020, 1_030)
    time.forward(days=1)
    cell.put(1_000_000)
    account, project = service.account(ANN)["id"], service.project()["id"]
    path = f"/accounts/{account}/doubts/views/accept"
    browser = service.client
    browser.post("/sign-in", data={"token": TOKEN}, headers=OURS)

    for page in (f"/accounts/{account}", f"/projects/{project}"):
        assert f'action="{path}"' in browser.get(page).text
    answer = browser.post(path, headers=OURS)

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/accounts/{account}#views")
    assert "In doubt" not in browser.get(f"/accounts/{account}").text
    assert bars(service)[-1] == ("03-06", 1_000_000, 998_970)
    assert browser.post(path, headers=OURS).status_code == 404
    assert browser.post(f"/accounts/{account}/doubts/shares/accept", headers=OURS).status_code == 404


def test_a_pin_rules_over_a_doubt_which_goes_on_when_it_has_gone(cell: Cell, service: Service, time: FakeClock) -> None:
    cell.grown(1_000, 1_010, 1_020, 1_030)
    time.forward(days=1)
    cell.put(10_000_000)
    path = f"/api/admin/accounts/{service.account(ANN)['id']}/pins/views"
    assert service.client.put(path, json={"value": 1_040}, headers=ADMIN).status_code == 200
    assert cell.put(10_000_000)["problems"] == []
    assert days(service)[-1] == ("03-06", 1_040)
    time.forward(days=1)
    assert service.client.delete(path, headers=ADMIN).status_code == 200
    assert cell.put(10_000_000)["problems"][0]["code"] == "implausible_value"
    time.forward(hours=1)
    cell.put(1_050)

    assert days(service)[-2:] == [("03-06", 1_040), ("03-07", 1_050)]


def test_what_a_reading_said_of_a_day_outlives_a_slip_that_time_confirmed(
    cell: Cell, service: Service, time: FakeClock
) -> None:
    cell.grown(1_000, 1_010, 1_020, 1_030)
    time.forward(days=1)
    service.reading(ANN, views=1_045)
    for _ in range(4):
        cell.put(10_000_000)
        time.forward(days=1)
    assert days(service)[-4:] == [
        ("03-06", 1_045), ("03-07", 10_000_000), ("03-08", 10_000_000), ("03-09", 10_000_000),
    ]  # fmt: skip
    cell.put(1_100)

    assert days(service)[-2:] == [("03-06", 1_045), ("03-10", 1_100)]


def test_time_confirms_nothing_that_nobody_can_read(cell: Cell, service: Service, time: FakeClock) -> None:
    cell.grown(1_000, 1_010, 1_020, 1_030)
    time.forward(days=1)
    cell.put(10_000_000)
    for _ in range(3):
        time.forward(days=1)
        found = cell.put("#REF!")

    assert "implausible_value" in [one["code"] for one in found["problems"]]
    assert days(service)[-1] == ("03-05", 1_030)


def test_a_late_reading_of_an_account_that_is_off_makes_no_snapshot(
    cell: Cell, service: Service, sheet: FakeSheet, time: FakeClock
) -> None:
    cell.grown(1_000, 1_010)
    time.forward(days=1)
    sheet.rows("Project A", [ANN, None, None, None, None, 1_020, "BAN"])
    service.sync()
    seen = time.now
    time.forward(days=1)
    service.reading(ANN, views=1_045, at=seen)
    service.sync()

    assert days(service) == [("03-02", 1_000), ("03-03", 1_010)]


@pytest.mark.parametrize("latest", [False, True])
def test_the_day_of_a_doubt_gets_its_first_value_or_its_latest(
    cell: Cell, service: Service, time: FakeClock, latest: bool
) -> None:
    cell.grown(1_000, 1_010, 1_020, 1_030)
    service.options(latest_snapshot=latest)
    time.forward(days=1)
    cell.put(1_000_000)
    time.forward(hours=1)
    cell.put(1_100_000)
    accept(service)

    assert days(service)[-1] == ("03-06", 1_100_000 if latest else 1_000_000)


def test_an_account_whose_row_has_gone_takes_its_doubts_along(
    cell: Cell, service: Service, sheet: FakeSheet, time: FakeClock
) -> None:
    cell.grown(1_000, 1_010, 1_020, 1_030)
    time.forward(days=1)
    cell.put(10_000_000)
    assert service.one("SELECT count(*) FROM doubts") == 1

    sheet.rows("Project A", ["x.com/bob", None, None, None, None, 5])
    service.sync()

    assert service.one("SELECT count(*) FROM doubts") == 0
    assert days(service)[-1] == ("03-05", 1_030)


def test_one_odd_value_asks_for_the_history_of_one_account_and_many_for_that_of_all(
    service: Service, sheet: FakeSheet, time: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project may have a hundred thousand accounts, of which one has an odd value."""
    people = [f"https://x.com/{name}" for name in ("ann", "ben", "cid", "dan")]
    for views in (50_000, 51_000, 52_000, 53_000):
        sheet.rows("Project A", *([one, None, None, None, None, views] for one in people))
        service.sync()
        time.forward(days=1)
    asked: list[str] = []
    by_account = spans.by_account

    def note(tx: Any, where: str, of: Any) -> Any:
        asked.append(where)
        return by_account(tx, where, of)

    monkeypatch.setattr(spans, "by_account", note)
    monkeypatch.setattr(draft, "FEW", 1)
    sheet.put("Project A!F2", 1)

    assert problems(service) == ["implausible_value"]
    assert asked == ["account"]

    asked.clear()
    sheet.rows("Project A", *([one, None, None, None, None, 2] for one in people))

    assert problems(service) == ["implausible_value"] * 4
    assert asked == ["account", "project"]
