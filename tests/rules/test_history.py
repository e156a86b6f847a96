from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.read.world import day
from webapp.model import UNKNOWN, Values
from webapp.rules.history import Members, ProjectDay, Standing, days_of, gaps, history

Rows = list[tuple[Any, ...]]
NOBODY: Standing = {}


def views(number: int | None) -> Values:
    return None, None, None, None, number


def past(**accounts: dict[str, int | None]) -> Rows:
    """`past(a1={"03-01": 100})`: views of account 1, by day."""
    rows: Rows = [
        (day(text), int(name[1:]), *views(value)) for name, days in accounts.items() for text, value in days.items()
    ]
    return sorted(rows, key=lambda row: row[:2])


def told(days: Iterable[ProjectDay]) -> list[tuple[str, int | None, int | None, int | None, int]]:
    """(day, views, delta, growth of views, carried accounts)"""
    return [(str(one.day)[5:], one.counts[4], one.delta[4], one.growth[4], one.carried) for one in days]


def series(rows: Rows, start: str = "03-01", end: str = "03-04", members: Members | None = None) -> list[ProjectDay]:
    return history(day(start), day(end), NOBODY, rows, members or Members()).days


def test_the_first_day_has_no_delta() -> None:
    days = series(past(a1={"03-03": 100, "03-04": 130}))

    assert told(days) == [("03-03", 100, None, None, 0), ("03-04", 130, 30, 30, 0)]


def test_a_missed_day_of_one_account_is_carried_and_the_total_does_not_fall() -> None:
    days = series(
        past(a1={"03-01": 9_000, "03-02": 9_100, "03-03": 9_200}, a2={"03-01": 1_000, "03-03": 1_050}), end="03-03"
    )

    assert told(days) == [
        ("03-01", 10_000, None, None, 0),
        ("03-02", 10_100, 100, 100, 1),
        ("03-03", 10_250, 150, 150, 0),
    ]


def test_a_gap_of_ten_days_is_no_growth_of_one_day() -> None:
    days = series(past(a1={"03-01": 1_000, "03-12": 2_000, "03-13": 2_010}), end="03-13")

    assert [one.counts[4] for one in days] == [1_000] * 11 + [2_000, 2_010]
    assert [one.delta[4] for one in days[1:11]] == [None] * 10
    assert [one.carried for one in days[1:11]] == [1] * 10
    assert [one.since for one in days[1:11]] == [None] * 10
    assert (days[11].delta[4], days[11].since) == (1_000, day("03-01"))
    assert (days[12].delta[4], days[12].since) == (10, day("03-12"))


def test_a_fall_is_negative() -> None:
    assert told(series(past(a1={"03-01": 500, "03-02": 380}), end="03-02"))[1] == ("03-02", 380, -120, -120, 0)


def test_an_account_that_joins_brings_its_views_and_no_growth() -> None:
    days = series(past(a1={"03-01": 100, "03-02": 110}, a2={"03-02": 5_000}), end="03-02")

    assert told(days)[1] == ("03-02", 5_110, 5_010, 10, 0)


def test_a_removed_account_leaves_the_past_as_it_was() -> None:
    rows = past(a1={"03-01": 100, "03-02": 110, "03-03": 120, "03-04": 130}, a2={"03-01": 50, "03-02": 60, "03-03": 70})
    with_both = series(rows)

    days = series(rows, members=Members(left={2: day("03-03")}))

    assert told(days)[:2] == told(with_both)[:2]
    assert told(days)[2:] == [("03-03", 120, -50, 10, 0), ("03-04", 130, 10, 10, 0)]
    assert [one.accounts for one in days] == [2, 2, 1, 1]


def test_days_on_which_all_have_left_stand_empty() -> None:
    days = series(past(a1={"03-01": 100}), members=Members(left={1: day("03-02")}), end="03-02")

    assert told(days) == [("03-01", 100, None, None, 0), ("03-02", None, None, None, 0)]


def test_where_accounts_stood_before_the_first_day_is_the_baseline() -> None:
    before = {1: (day("02-20"), views(70)), 2: (day("02-28"), views(5))}

    days = history(day("03-01"), day("03-02"), before, past(a1={"03-02": 100}), Members()).days

    assert told(days) == [("03-01", 75, None, None, 2), ("03-02", 105, 30, 30, 1)]
    assert days[1].since == day("02-28")


def test_an_account_that_left_before_the_first_day_is_no_baseline() -> None:
    before = {1: (day("02-20"), views(70)), 2: (day("02-28"), views(5))}

    found = history(day("03-01"), day("03-01"), before, past(a2={"03-01": 6}), Members(left={1: day("02-25")}))

    assert told(found.days) == [("03-01", 6, 1, 1, 0)]


def test_an_account_that_gets_no_snapshots_is_not_called_carried() -> None:
    days = series(
        past(a1={"03-01": 5}, a2={"03-01": 1, "03-02": 2}), members=Members(unwatched=frozenset({1})), end="03-02"
    )

    assert told(days)[1] == ("03-02", 7, 1, 1, 0)


def test_an_unobserved_metric_is_unknown_and_never_zero() -> None:
    days = series(past(a1={"03-01": None, "03-02": None}), end="03-02")

    assert told(days) == [("03-01", None, None, None, 0), ("03-02", None, None, None, 0)]


def test_growth_over_the_days_is_of_those_who_were_there_on_both_ends() -> None:
    rows = past(a1={"03-01": 100, "03-04": 150}, a2={"03-02": 900, "03-04": 1_000}, a3={"03-01": 10, "03-02": 20})

    found = history(day("03-01"), day("03-04"), NOBODY, rows, Members(left={3: day("03-04")}))

    assert found.growth == views(50)


def test_numbers_beyond_64_bits_are_added_exactly() -> None:
    most = 2**63 - 1

    assert series(past(a1={"03-01": most}, a2={"03-01": most}, a3={"03-01": most}))[0].counts[4] == 3 * most


@st.composite
def pasts(draw: st.DrawFn) -> tuple[Rows, Members]:
    numbers = st.none() | st.integers(0, 10**6)
    accounts = draw(st.dictionaries(st.integers(1, 5), st.dictionaries(st.integers(0, 9), numbers), max_size=5))
    left = draw(st.dictionaries(st.integers(1, 5), st.integers(0, 12), max_size=3))
    start = day("03-01")
    rows: Rows = [
        (start + timedelta(days=n), account, *views(value))
        for account, days in accounts.items()
        for n, value in days.items()
    ]
    rows.sort(key=lambda row: row[:2])
    return rows, Members({account: start + timedelta(days=n) for account, n in left.items()})


@given(pasts(), st.integers(0, 9))
def test_every_day_is_the_sum_of_each_members_last_snapshot(laid: tuple[Rows, Members], cut: int) -> None:
    rows, members = laid
    start, end = day("03-01") + timedelta(days=cut), day("03-12")
    standing: Standing = {row[1]: (row[0], row[2:]) for row in rows if row[0] < start}

    days = history(start, end, standing, [row for row in rows if row[0] >= start], members).days

    for one in days:
        last = {row[1]: row[6] for row in rows if row[0] <= one.day and members.there(row[1], row[0])}
        there = [value for account, value in last.items() if members.there(account, one.day)]
        known = [value for value in there if value is not None]
        assert one.accounts == len(there)
        assert one.counts[4] == (sum(known) if known else None)


@given(pasts(), st.integers(1, 9))
def test_a_later_start_tells_the_same_days(laid: tuple[Rows, Members], cut: int) -> None:
    rows, members = laid
    first, later, end = day("03-01"), day("03-01") + timedelta(days=cut), day("03-12")
    standing: Standing = {row[1]: (row[0], row[2:]) for row in rows if row[0] < later}

    whole = history(first, end, NOBODY, rows, members).days
    part = history(later, end, standing, [row for row in rows if row[0] >= later], members).days

    shown = {one.day: (one.counts, one.accounts, one.carried) for one in part if one.accounts}
    assert shown == {
        one.day: (one.counts, one.accounts, one.carried) for one in whole if one.day >= later and one.accounts
    }


# One account


def test_each_day_of_an_account_says_where_it_began_and_ended() -> None:
    days = days_of(day("03-01"), day("03-05"), NOBODY, past(a1={"03-02": 100, "03-04": 90, "03-05": 95}), Members())

    assert [(str(one.day)[5:], one.start[4], one.end[4], one.growth[4], one.carried) for one in days] == [
        ("03-02", None, 100, None, False),
        ("03-03", 100, 100, None, True),
        ("03-04", 100, 90, -10, False),
        ("03-05", 90, 95, 5, False),
    ]
    assert [one.since for one in days] == [None, None, day("03-02"), day("03-04")]


def test_the_days_of_a_removed_account_end_before_it_left() -> None:
    days = days_of(day("03-01"), day("03-09"), NOBODY, past(a1={"03-01": 1}), Members(left={1: day("03-03")}))

    assert [str(one.day)[5:] for one in days] == ["03-01", "03-02"]


def test_an_account_without_snapshots_has_no_days() -> None:
    assert days_of(day("03-01"), day("03-09"), NOBODY, [], Members()) == []


# Gaps


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        pytest.param(Members(), {"03-02": {1}, "03-03": {1, 2}}, id="all"),
        pytest.param(Members(left={1: day("03-03")}), {"03-02": {1}, "03-03": {2}}, id="one left"),
        pytest.param(Members(unwatched=frozenset({2})), {"03-02": {1}, "03-03": {1}}, id="one is off"),
    ],
)
def test_gaps_are_days_without_a_snapshot_after_the_first(members: Members, expected: dict[str, set[int]]) -> None:
    rows = past(a1={"03-01": 1, "03-04": 2}, a2={"03-01": 1, "03-02": 1, "03-04": 1}, a3={"03-04": 9})

    found = gaps(day("03-01"), day("03-04"), NOBODY, rows, members)

    assert {str(one.day)[5:]: one.missing for one in found} == expected


def test_an_account_with_snapshots_before_the_first_day_is_missed_from_it() -> None:
    found = gaps(day("03-01"), day("03-01"), {1: (day("02-01"), UNKNOWN)}, [], Members())

    assert found == [(day("03-01"), 1, {1})]
