"""Two accounts that become one while a value of one of them is in doubt: the doubt goes on as theirs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.service import Service
from tests.fakes.sheet import FakeSheet

ANN, BOB = "x.com/ann", "x.com/bob"
SLIP = 10_000_000


class Two:
    """Two rows, and what history says of them."""

    def __init__(self, service: Service, sheet: FakeSheet, time: FakeClock) -> None:
        self.service, self.sheet, self.time = service, sheet, time
        for more in range(4):  # from 2026-03-02 to 2026-03-05
            self.put(50_000 + more, 300 + more)
            time.forward(days=1)

    def put(self, ann: Any, bob: Any) -> Any:
        self.sheet.rows("Project A", [ANN, None, None, None, None, ann], [BOB, None, None, None, None, bob])
        result = self.service.sync()["results"][0]
        return [one["code"] for one in result["problems"] if one["code"] != "duplicate_row"]

    def merge(self, source: str, target: str) -> None:
        into = self.service.account(target)["id"]
        answer = self.service.post(f"/api/admin/accounts/{self.service.account(source)['id']}/merge", {"into": into})
        assert answer.status_code == 200, answer.text

    def days(self) -> list[tuple[str, int | None]]:
        """Of all there is."""
        rows = self.service.rows("SELECT day, views FROM account_snapshots ORDER BY day")
        return [(str(row["day"])[5:], row["views"]) for row in rows]

    def doubts(self) -> list[tuple[int, int]]:
        """(what is typed, what was credible)."""
        found = self.service.get("/api/admin/doubts")["doubts"]
        return [(one["value"], one["last_credible"]) for one in found]


@pytest.fixture
def two(service: Service, sheet: FakeSheet, time: FakeClock) -> Two:
    return Two(service, sheet, time)


@pytest.mark.parametrize("look_between", [False, True])
@pytest.mark.parametrize("into", [ANN, BOB])
@pytest.mark.parametrize("slips", [(SLIP, 310), (50_010, SLIP), (SLIP, 2 * SLIP), (0, 310), (5, 0)])
def test_the_correction_of_a_slip_is_believed_at_once(
    two: Two, time: FakeClock, slips: tuple[int, int], into: str, look_between: bool
) -> None:
    assert "implausible_value" in two.put(*slips)
    two.merge(BOB if into == ANN else ANN, into)
    if look_between:
        time.forward(days=1)
        assert two.put(*slips) == ["implausible_value"]
        assert two.doubts() == [(max(slips), 50_010 if slips[0] == 50_010 else 50_003)]
    time.forward(days=1)
    assert two.put(50_100, 310) == []

    assert [views for _, views in two.days()] == [50_000, 50_001, 50_002, 50_003, 50_100]
    assert two.doubts() == []


@pytest.mark.parametrize("into", [ANN, BOB])
def test_what_is_credible_of_the_day_of_a_doubt_stays(two: Two, service: Service, time: FakeClock, into: str) -> None:
    service.reading(ANN, views=50_020)
    two.put(SLIP, 310)
    time.forward(days=1)
    two.put(50_030, 320)
    two.put(SLIP, 320)
    two.merge(BOB if into == ANN else ANN, into)
    two.put(50_100, 310)

    assert two.days()[-2:] == [("03-06", 50_020), ("03-07", 50_030)]


def test_a_jump_that_stays_gets_the_days_since_it_was_seen_first(two: Two, time: FakeClock) -> None:
    two.put(1_000_000, 310)
    time.forward(days=1)
    two.put(1_000_100, 320)
    two.merge(ANN, BOB)
    time.forward(days=1)
    assert two.put(1_000_200, 330) == []

    assert two.days()[-3:] == [("03-06", 1_000_000), ("03-07", 1_000_100), ("03-08", 1_000_200)]


def test_a_jump_of_both_is_the_larger_one_of_each_day(two: Two, service: Service, time: FakeClock) -> None:
    two.put(1_000_000, 310)
    time.forward(days=1)
    two.put(1_000_100, 2_000_000)
    two.merge(ANN, BOB)
    account = service.account(BOB)["id"]
    assert service.post(f"/api/admin/accounts/{account}/doubts/views/accept").status_code == 200

    assert two.days()[-2:] == [("03-06", 1_000_000), ("03-07", 2_000_000)]


def test_who_is_one_with_a_larger_account_is_in_doubt_no_more(two: Two, time: FakeClock) -> None:
    two.put(50_100, 30_000_000)
    time.forward(hours=1)
    two.put(29_000_000, 30_000_000)
    assert len(two.doubts()) == 2
    time.forward(days=2)
    assert two.put(0, 30_000_000) == ["implausible_value"]
    two.merge(ANN, BOB)

    assert two.put(0, 30_000_000) == []
    assert two.doubts() == []


@pytest.mark.parametrize("into", [ANN, BOB])
def test_what_only_time_has_confirmed_may_still_fall_back(two: Two, time: FakeClock, into: str) -> None:
    for _ in range(3):
        two.put(SLIP, 310)
        time.forward(days=1)
    two.merge(BOB if into == ANN else ANN, into)
    assert two.put(50_100, 310) == []

    assert two.days()[-2:] == [("03-05", 50_003), ("03-09", 50_100)]
