"""When a target is reached, if it goes on as it did."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.rules.forecast import FURTHEST, reached_on

TODAY = date(2026, 3, 2)


def days(*growths: int | None) -> list[tuple[date, int | None]]:
    """Of the days up to today."""
    return [
        (TODAY - timedelta(back), growth) for back, growth in zip(range(len(growths) - 1, -1, -1), growths, strict=True)
    ]


def test_a_steady_pace_reaches_it_in_so_many_days() -> None:
    assert reached_on(days(*[10] * 10), 900, 1000, TODAY) == TODAY + timedelta(10)
    assert reached_on(days(*[10] * 10), 901, 1000, TODAY) == TODAY + timedelta(10)


def test_a_gap_counts_as_the_days_that_it_has() -> None:
    with_gap = days(10, None, None, None, 40, 10)

    assert reached_on(with_gap, 900, 1000, TODAY) == TODAY + timedelta(10)


@pytest.mark.parametrize("before", [(), (10,), (10,) * 30])
def test_a_gap_that_begins_before_the_last_four_weeks_makes_nothing_faster(before: tuple[int, ...]) -> None:
    growths = days(*before, *[None] * 25, 260, *[10] * 5)

    assert reached_on(growths, 900, 1000, TODAY) == TODAY + timedelta(10)


def test_only_the_last_four_weeks_say_the_pace() -> None:
    assert reached_on(days(*[1000] * 100, *[10] * 29), 900, 1000, TODAY) == TODAY + timedelta(10)


def test_the_largest_target_there_is_is_told_as_out_of_reach() -> None:
    assert reached_on(days(*[1] * 28), 0, 2**63 - 1, TODAY) is None


def test_what_is_reached_is_reached() -> None:
    assert reached_on([], 1000, 1000, TODAY) == TODAY


@pytest.mark.parametrize(
    ("growths", "value"),
    [
        ([], 5),
        ([10, 10], 5),
        ([0] * 9, 5),
        ([-3] * 9, 5),
        ([None] * 9, 5),
        ([10] * 9, None),
        ([1, 0, 0, 0, 0, 0, 0], 5),
    ],
)
def test_where_nobody_can_tell_nothing_is_said(growths: list[int | None], value: int | None) -> None:
    target = 1_000_000 if growths[:1] == [1] else 1000

    assert reached_on(days(*growths), value, target, TODAY) is None


@given(st.lists(st.none() | st.integers(-100, 10_000), max_size=60), st.integers(0, 10**6), st.integers(1, 10**7))
def test_it_never_lies_in_the_past_nor_beyond_what_can_be_told(
    growths: list[int | None], value: int, target: int
) -> None:
    found = reached_on(days(*growths), value, target, TODAY)

    assert found is None or TODAY <= found <= TODAY + FURTHEST


@given(st.integers(1, 1000), st.integers(0, 10**5), st.integers(1, 10**5))
def test_the_pace_reaches_the_target_on_that_day_and_not_the_day_before(pace: int, value: int, left: int) -> None:
    found = reached_on(days(*[pace] * 28), value, value + left, TODAY)

    assert found is None or (found - TODAY).days == -(-left // pace)
