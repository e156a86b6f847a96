from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.model import UNKNOWN, Values
from webapp.rules.growth import counting, movement
from webapp.rules.history import ProjectDay, Span, Standing, days_between, days_of, end_of, gaps, history

Rows = list[tuple[Any, ...]]
NOBODY: Standing = {}
VIEWS = 1 << 4


def day(text: str) -> date:
    """`03-01`: of the year of these tests."""
    return date.fromisoformat(f"2026-{text}")


def views(number: int | None) -> Values:
    return None, None, None, None, number


def past(**accounts: dict[str, int | None]) -> Rows:
    """`past(a1={"03-01": 100})`: views of account 1, by day."""
    rows: Rows = [
        (day(text), int(name[1:]), *views(value)) for name, days in accounts.items() for text, value in days.items()
    ]
    return sorted(rows, key=lambda row: row[:2])


def noon(text: str) -> datetime:
    return datetime.combine(day(text), time(12), UTC)


def span(account: int, since: str, until: str | None = None, metrics: int = VIEWS) -> Span:
    """From noon of a day to noon of another."""
    return Span(account, noon(since), None if until is None else noon(until), metrics)


def spans_of(rows: Rows) -> list[Span]:
    """Each account counts from its first snapshot on."""
    first: dict[int, date] = {}
    for row in rows:
        first.setdefault(row[1], row[0])
    return [Span(account, datetime.combine(since, time(12), UTC), None, VIEWS) for account, since in first.items()]


Told = tuple[str | int | None, ...]


def told(days: Iterable[ProjectDay]) -> list[Told]:
    """(day, views, growth, joined, left, carried accounts)"""
    return [(str(one.day)[5:], *(side[4] for side in one.movement), one.carried) for one in days]


def series(
    rows: Rows, start: str = "03-01", end: str = "03-04", spans: Sequence[Span] | None = None
) -> list[ProjectDay]:
    return history(day(start), day(end), NOBODY, rows, spans_of(rows) if spans is None else spans)


def test_on_the_first_day_everything_has_joined() -> None:
    days = series(past(a1={"03-03": 100, "03-04": 130}))

    assert told(days) == [("03-03", 100, None, 100, 0, 0), ("03-04", 130, 30, 0, 0, 0)]


def test_a_missed_day_of_one_account_is_carried_and_the_total_does_not_fall() -> None:
    days = series(
        past(a1={"03-01": 9_000, "03-02": 9_100, "03-03": 9_200}, a2={"03-01": 1_000, "03-03": 1_050}), end="03-03"
    )

    assert told(days) == [
        ("03-01", 10_000, None, 10_000, 0, 0),
        ("03-02", 10_100, 100, 0, 0, 1),
        ("03-03", 10_250, 150, 0, 0, 0),
    ]


def test_a_gap_of_ten_days_is_carried_and_its_growth_comes_with_the_next_snapshot() -> None:
    days = series(past(a1={"03-01": 1_000, "03-12": 2_000, "03-13": 2_010}), end="03-13")

    assert [one.total[4] for one in days] == [1_000] * 11 + [2_000, 2_010]
    assert [one.movement.growth[4] for one in days[1:]] == [0] * 10 + [1_000, 10]
    assert [one.carried for one in days] == [0] + [1] * 10 + [0, 0]


def test_a_fall_is_negative() -> None:
    assert told(series(past(a1={"03-01": 500, "03-02": 380}), end="03-02"))[1] == ("03-02", 380, -120, 0, 0, 0)


def test_an_account_that_joins_brings_its_views_and_no_growth() -> None:
    days = series(past(a1={"03-01": 100, "03-02": 110}, a2={"03-02": 5_000}), end="03-02")

    assert told(days)[1] == ("03-02", 5_110, 10, 5_000, 0, 0)


def test_an_account_that_leaves_takes_its_views_and_leaves_the_past_as_it_was() -> None:
    rows = past(a1={"03-01": 100, "03-02": 110, "03-03": 120, "03-04": 130}, a2={"03-01": 50, "03-02": 60, "03-03": 70})
    with_both = series(rows)

    days = series(rows, spans=[span(1, "03-01"), span(2, "03-01", "03-03")])

    assert told(days)[:2] == told(with_both)[:2]
    assert told(days)[2:] == [("03-03", 120, 10, 0, -60, 0), ("03-04", 130, 10, 0, 0, 0)]
    assert [one.accounts for one in days] == [2, 2, 1, 1]


def test_an_account_that_comes_back_brings_what_it_has_then() -> None:
    rows = past(a1={"03-01": 100, "03-02": 100, "03-03": 100, "03-04": 100}, a2={"03-01": 50, "03-04": 80})

    days = series(rows, spans=[span(1, "03-01"), span(2, "03-01", "03-02"), span(2, "03-04")])

    assert told(days)[1:] == [
        ("03-02", 100, 0, 0, -50, 0),
        ("03-03", 100, 0, 0, 0, 0),
        ("03-04", 180, 0, 80, 0, 0),
    ]


def test_a_metric_that_is_cleared_is_taken_out_and_the_others_go_on() -> None:
    rows: Rows = [(day("03-01"), 1, 9, None, None, None, 100), (day("03-02"), 1, 10, None, None, None, None)]
    both, followers = VIEWS | 1, 1

    days = series(rows, end="03-02", spans=[span(1, "03-01", "03-02", both), span(1, "03-02", None, followers)])

    assert told(days)[1] == ("03-02", None, None, 0, -100, 0)
    assert (days[1].total[0], days[1].movement.growth[0], days[1].accounts) == (10, 1, 1)


def test_a_metric_that_was_not_read_is_carried() -> None:
    rows: Rows = [(day("03-01"), 1, 9, None, None, None, 100), (day("03-02"), 1, 10, None, None, None, None)]

    days = series(rows, end="03-02", spans=[span(1, "03-01", None, VIEWS | 1)])

    assert told(days)[1] == ("03-02", 100, 0, 0, 0, 1)


def test_where_accounts_stood_before_the_first_day_is_the_baseline() -> None:
    before = {1: (day("02-20"), views(70)), 2: (day("02-28"), views(5))}
    spans = [span(1, "02-20"), span(2, "02-28")]

    days = history(day("03-01"), day("03-02"), before, past(a1={"03-02": 100}), spans)

    assert told(days) == [("03-01", 75, 0, 0, 0, 2), ("03-02", 105, 30, 0, 0, 1)]


def test_an_account_that_left_before_the_first_day_is_no_baseline() -> None:
    before = {1: (day("02-20"), views(70)), 2: (day("02-28"), views(5))}
    spans = [span(1, "02-20", "02-25"), span(2, "02-28")]

    assert told(history(day("03-01"), day("03-01"), before, past(a2={"03-01": 6}), spans)) == [("03-01", 6, 1, 0, 0, 0)]


def test_the_last_to_leave_on_the_first_day_is_told() -> None:
    before = {1: (day("02-20"), views(70))}
    spans = [span(1, "02-20", "03-01")]

    assert told(history(day("03-01"), day("03-02"), before, [], spans))[:1] == [("03-01", None, None, 0, -70, 0)]
    assert history(day("03-02"), day("03-03"), before, [], spans) == []


def test_numbers_beyond_64_bits_are_added_exactly() -> None:
    most = 2**63 - 1

    assert series(past(a1={"03-01": most}, a2={"03-01": most}, a3={"03-01": most}))[0].total[4] == 3 * most


@pytest.mark.parametrize("until", ["before", "at", "after"])
def test_who_leaves_at_midnight_counted_on_the_day_that_ended(until: str) -> None:
    moment = end_of(day("03-01")) + {"before": -1, "at": 0, "after": 1}[until] * timedelta(microseconds=1)
    one = Span(1, noon("03-01"), moment, VIEWS)

    assert one.covers_day(day("03-01")) == (until != "before")
    assert not one.covers_day(day("03-02"))


def test_who_comes_at_midnight_counts_from_the_day_that_begins() -> None:
    one = Span(1, end_of(day("03-01")), None, VIEWS)

    assert not one.covers_day(day("03-01"))
    assert one.covers_day(day("03-02"))


# Any history


@st.composite
def pasts(draw: st.DrawFn) -> tuple[Rows, list[Span]]:
    """Twelve days of up to five accounts whose snapshots have gaps, and who come and go for any metrics."""
    numbers = st.none() | st.integers(0, 10**6)
    start = day("03-01")
    rows: Rows = []
    spans: list[Span] = []
    for account in range(1, draw(st.integers(1, 5)) + 1):
        for n, values in draw(st.dictionaries(st.integers(0, 11), st.tuples(*[numbers] * 5))).items():
            rows.append((start + timedelta(days=n), account, *values))
        turns = sorted(draw(st.sets(st.integers(0, 12 * 24 - 1), max_size=6)))
        for place in range(0, len(turns), 2):
            since, until = (
                datetime.combine(start, time(), UTC) + timedelta(hours=h) for h in [*turns, 288][place : place + 2]
            )
            last = place + 1 >= len(turns)
            spans.append(Span(account, since, None if last else until, draw(st.integers(1, 31))))
    return sorted(rows, key=lambda row: row[:2]), spans


def value_on(rows: Rows, spans: list[Span], account: int, on: date) -> Values:
    """What an account counts for on a day, by looking at everything."""
    mine = [row for row in rows if row[1] == account and row[0] <= on]
    carried = [next((row[2 + i] for row in reversed(mine) if row[2 + i] is not None), None) for i in range(5)]
    bits = next((one.metrics for one in spans if one.account_id == account and one.covers_day(on)), 0)
    return counting(tuple(carried), bits)


@given(pasts(), st.integers(0, 11))
def test_every_day_is_what_all_accounts_count_for(laid: tuple[Rows, list[Span]], cut: int) -> None:
    rows, spans = laid
    start, end = day("03-01") + timedelta(days=cut), day("03-12")
    standing = standing_before(rows, start)

    days = {one.day: one for one in history(start, end, standing, [row for row in rows if row[0] >= start], spans)}

    for on in days_between(start, end):
        pairs = [
            (value_on(rows, spans, account, on - timedelta(days=1)), value_on(rows, spans, account, on))
            for account in range(1, 6)
        ]
        counting_now = [account for account, pair in enumerate(pairs, 1) if pair[1] != UNKNOWN]
        if on in days:
            assert days[on].movement == movement(pairs)
            assert days[on].accounts == len(counting_now)
        else:
            assert not counting_now


def standing_before(rows: Rows, start: date) -> Standing:
    found: dict[int, tuple[date, Values]] = {}
    for row in rows:
        if row[0] < start:
            old = found.get(row[1], (row[0], UNKNOWN))[1]
            found[row[1]] = row[0], tuple(o if n is None else n for n, o in zip(row[2:], old, strict=True))
    return found


@given(pasts(), st.integers(1, 11))
def test_a_later_start_tells_the_same_days(laid: tuple[Rows, list[Span]], cut: int) -> None:
    rows, spans = laid
    later, end = day("03-01") + timedelta(days=cut), day("03-12")

    whole = history(day("03-01"), end, NOBODY, rows, spans)
    part = history(later, end, standing_before(rows, later), [row for row in rows if row[0] >= later], spans)

    shown = {one.day: one for one in part if one.accounts}
    assert shown == {one.day: one for one in whole if one.day >= later and one.accounts}


@given(pasts())
def test_the_days_of_one_account_are_those_of_a_project_of_one(laid: tuple[Rows, list[Span]]) -> None:
    rows = [row for row in laid[0] if row[1] == 1]
    spans = [one for one in laid[1] if one.account_id == 1]

    alone = days_of(day("03-01"), day("03-12"), NOBODY, rows, spans)

    together = [one for one in history(day("03-01"), day("03-12"), NOBODY, rows, spans) if one.accounts]
    assert [(one.day, one.end, one.growth) for one in alone] == [
        (one.day, one.total, one.movement.growth) for one in together
    ]
    assert [one.carried > 0 for one in alone] == [one.carried > 0 for one in together]


# One account


def test_each_day_of_an_account_says_where_it_began_and_ended() -> None:
    rows = past(a1={"03-02": 100, "03-04": 90, "03-05": 95})

    days = days_of(day("03-01"), day("03-05"), NOBODY, rows, spans_of(rows))

    assert [(str(one.day)[5:], one.start[4], one.end[4], one.growth[4], one.carried) for one in days] == [
        ("03-02", None, 100, None, 0),
        ("03-03", 100, 100, 0, VIEWS),
        ("03-04", 100, 90, -10, 0),
        ("03-05", 90, 95, 5, 0),
    ]


def test_the_days_of_a_removed_account_end_before_it_left() -> None:
    days = days_of(day("03-01"), day("03-09"), NOBODY, past(a1={"03-01": 1}), [span(1, "03-01", "03-03")])

    assert [str(one.day)[5:] for one in days] == ["03-01", "03-02"]


@pytest.mark.parametrize(("since", "start"), [("02-20", 70), ("03-01", None)], ids=["before", "from this day on"])
def test_the_first_day_begins_where_the_account_counted_the_day_before(since: str, start: int | None) -> None:
    before = {1: (day("02-20"), views(70))}

    days = days_of(day("03-01"), day("03-02"), before, past(a1={"03-02": 80}), [span(1, since)])

    assert [(one.start[4], one.end[4]) for one in days] == [(start, 70), (70, 80)]


def test_an_account_without_snapshots_has_no_days() -> None:
    assert days_of(day("03-01"), day("03-09"), NOBODY, [], []) == []


# Gaps


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param([], {"03-02": {1}, "03-03": {1, 2}}, id="all"),
        pytest.param([span(1, "03-01", "03-03")], {"03-02": {1}, "03-03": {2}}, id="one left"),
        pytest.param([span(2, "03-01", "03-01")], {"03-02": {1}, "03-03": {1}}, id="one is off"),
    ],
)
def test_gaps_are_days_without_a_snapshot_after_the_first(changed: list[Span], expected: dict[str, set[int]]) -> None:
    rows = past(a1={"03-01": 1, "03-04": 2}, a2={"03-01": 1, "03-02": 1, "03-04": 1}, a3={"03-04": 9})
    others = {one.account_id for one in changed}
    spans = [*changed, *(one for one in spans_of(rows) if one.account_id not in others)]

    found = gaps(day("03-01"), day("03-04"), NOBODY, rows, spans)

    assert {str(one.day)[5:]: one.missing for one in found} == expected


def test_an_account_with_snapshots_before_the_first_day_is_missed_from_it() -> None:
    found = gaps(day("03-01"), day("03-01"), {1: (day("02-01"), UNKNOWN)}, [], [span(1, "02-01")])

    assert found == [(day("03-01"), 1, {1})]
