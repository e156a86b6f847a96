"""An account that was off or away returns: what its row says then is judged by what it stood at last."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.service import ADMIN, Service
from tests.fakes.sheet import FakeSheet

ANN = "x.com/ann"
SLIP = 10_000_000
pytestmark = pytest.mark.shortcuts


class Row:
    """Ann's row, which somebody edits, switches off and takes away."""

    def __init__(self, service: Service, sheet: FakeSheet, time: FakeClock) -> None:
        self.service, self.sheet, self.time = service, sheet, time
        for views in (1_000, 1_010, 1_020, 1_030):  # the last one on 2026-03-05
            self.put(views)
            time.forward(days=1)

    def put(self, views: Any, status: str | None = None) -> Any:
        self.sheet.rows("Project A", [ANN, None, None, None, None, views, status], ["x.com/bob", 1])
        return self.service.sync()["results"][0]

    def go(self) -> None:
        self.sheet.rows("Project A", ["x.com/bob", 1])
        self.service.sync()

    def days(self) -> list[tuple[str, int | None]]:
        account = self.service.account(ANN)["id"]
        sql = f"SELECT day, views FROM account_snapshots WHERE account_id = {account} ORDER BY day"
        return [(str(row["day"])[5:], row["views"]) for row in self.service.rows(sql)]

    def doubts(self) -> int:
        return int(self.service.one("SELECT count(*) FROM doubts"))


@pytest.fixture
def row(service: Service, sheet: FakeSheet, time: FakeClock) -> Row:
    return Row(service, sheet, time)


def codes(result: Any) -> list[str]:
    return [one["code"] for one in result["problems"]]


def set_mode(service: Service, mode: str | None) -> None:
    path = f"/api/admin/accounts/{service.account(ANN)['id']}"
    answer = service.client.patch(path, json={"mode": mode}, headers=ADMIN)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("days_off", [1, 5, 30])
@pytest.mark.parametrize("switched", ["by status", "over the API"])
def test_a_slip_that_is_typed_while_an_account_is_off_is_in_doubt_when_it_is_back(
    row: Row, service: Service, time: FakeClock, switched: str, days_off: int
) -> None:
    status = "BAN" if switched == "by status" else None
    if switched == "over the API":
        set_mode(service, "off")
    row.put(1_040, status)
    row.put(SLIP, status)
    for _ in range(days_off):
        time.forward(days=1)
        row.put(SLIP, status)
    assert row.doubts() == 1
    if switched == "over the API":
        set_mode(service, "auto")
    assert codes(row.put(SLIP)) == ["implausible_value"]
    time.forward(days=1)
    assert codes(row.put(1_050)) == []

    assert [views for _, views in row.days()] == [1_000, 1_010, 1_020, 1_030, 1_050]
    assert row.doubts() == 0


def test_the_time_that_confirms_a_value_passes_only_while_its_account_counts(
    row: Row, service: Service, time: FakeClock
) -> None:
    row.put(SLIP, "BAN")
    for _ in range(10):
        time.forward(days=1)
        row.put(SLIP, "BAN")
    row.put(SLIP)
    time.forward(days=1)
    assert codes(row.put(SLIP)) == ["implausible_value"]
    time.forward(days=1)
    assert codes(row.put(SLIP)) == []

    assert row.days()[-4:] == [("03-05", 1_030), ("03-16", SLIP), ("03-17", SLIP), ("03-18", SLIP)]


def test_a_slip_before_an_account_is_off_waits_with_it(row: Row, time: FakeClock) -> None:
    row.put(SLIP)
    for _ in range(10):
        time.forward(days=1)
        row.put(SLIP, "BAN")
    assert codes(row.put(SLIP)) == ["implausible_value"]
    time.forward(hours=1)
    row.put(1_050)

    assert row.days()[-2:] == [("03-05", 1_030), ("03-16", 1_050)]


def test_who_leaves_takes_nothing_of_others_along(row: Row, service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, None, None, None, None, SLIP], ["x.com/bob", 900_000])
    service.sync()
    assert row.doubts() == 2

    sheet.rows("Project A", ["x.com/bob", 900_000])

    assert codes(service.sync()["results"][0]) == ["implausible_value"]
    assert service.rows("SELECT account_id FROM doubts") == [{"account_id": service.account("x.com/bob")["id"]}]


def test_what_grows_step_by_step_while_an_account_is_off_is_in_no_doubt(row: Row, time: FakeClock) -> None:
    for views in (3_000, 12_000, 50_000):
        time.forward(days=1)
        row.put(views, "BAN")

    assert codes(row.put(51_000)) == []
    assert row.days()[-1] == ("03-09", 51_000)


def test_a_slip_that_is_corrected_while_an_account_is_off_is_forgotten(row: Row, time: FakeClock) -> None:
    row.put(SLIP, "BAN")
    time.forward(days=1)
    assert codes(row.put(1_040, "BAN")) == []

    assert row.doubts() == 0
    assert codes(row.put(1_050)) == []
    assert row.days()[-1] == ("03-07", 1_050)


def test_who_is_off_for_an_hour_gets_the_day_once_it_is_believed(row: Row, service: Service, time: FakeClock) -> None:
    row.put(SLIP, "BAN")
    time.forward(hours=1)
    row.put(SLIP)
    row.put(SLIP)
    account = service.account(ANN)["id"]
    assert service.post(f"/api/admin/accounts/{account}/doubts/views/accept").status_code == 200

    assert row.days()[-2:] == [("03-05", 1_030), ("03-06", SLIP)]


def test_no_day_is_kept_aside_while_nothing_is_seen(row: Row, service: Service, time: FakeClock) -> None:
    row.put(SLIP)
    for views, status in ((SLIP, "BAN"), (SLIP + 5, "BAN"), ("#REF!", None)):
        time.forward(days=1)
        row.put(views, status)

    assert service.rows("SELECT typed, value FROM doubts") == [{"typed": SLIP + 5, "value": SLIP}]


def test_a_first_day_typo_that_is_mended_while_the_account_is_off_leaves_its_day_alone(
    service: Service, sheet: FakeSheet
) -> None:
    for views, status in ((12_000, None), (120_000, "BAN")):
        sheet.rows("Project A", [ANN, None, None, None, None, views, status])
        service.sync()

    assert service.one("SELECT views FROM account_snapshots") == 12_000


@pytest.mark.parametrize("away", ["no row", "an empty cell"])
def test_a_slip_on_the_day_of_a_return_is_in_doubt_however_long_the_gap_was(
    row: Row, time: FakeClock, away: str
) -> None:
    for _ in range(40):
        if away == "no row":
            row.go()
        else:
            row.put(None)
        time.forward(days=1)

    assert codes(row.put(SLIP)) == ["implausible_value"]
    time.forward(days=1)
    assert codes(row.put(1_200)) == []
    assert row.days()[-2:] == [("03-05", 1_030), ("04-16", 1_200)]


@pytest.mark.parametrize("leaves", ["goes", "is off"])
def test_who_leaves_with_a_slip_takes_what_it_stood_at(
    row: Row, service: Service, time: FakeClock, leaves: str
) -> None:
    row.put(SLIP)
    time.forward(hours=30)
    if leaves == "goes":
        row.go()
    else:
        row.put(SLIP, "BAN")

    growth = service.get(f"/api/projects/{service.project()['id']}")["growth_7d"]
    assert growth["left"]["views"] in (0, None)
    growth = service.get(f"/api/projects/{service.project()['id']}")["growth_24h"]
    assert growth["left"]["views"] == -1_030


def test_who_returns_with_much_more_gets_it_on_every_day_once_it_has_stood(row: Row, time: FakeClock) -> None:
    row.go()
    time.forward(days=40)
    for views in (80_000, 80_100, 80_200):
        result = row.put(views)
        time.forward(days=1)

    assert codes(result) == []
    assert [views for _, views in row.days()[-4:]] == [1_030, 80_000, 80_100, 80_200]
