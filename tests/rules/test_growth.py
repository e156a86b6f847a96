from __future__ import annotations

from datetime import UTC, datetime, timedelta
from operator import itemgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.model import UNKNOWN, Values
from webapp.rules.growth import (
    ALL,
    DAY,
    NO_SUMS,
    Movement,
    Point,
    Sums,
    counting,
    difference,
    joined_sums,
    mask_of,
    movement,
    percent_of,
    progress,
    sums,
    total,
    value_at,
)

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
counts = st.integers(0, 2**63 - 1)


def point(hours: float, views: int | None) -> Point:
    """Views so many hours after noon."""
    return Point(NOON + timedelta(hours=hours), (None, None, None, None, views))


def grown(now: Point, *points: Point) -> int | None:
    """Views grown in the 24 hours before now."""
    return difference(now.counts, value_at(now.at - timedelta(hours=24), [*points, now]))[4]


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        pytest.param([point(-24, 900)], 100, id="a snapshot of that very moment"),
        pytest.param([point(-36, 800), point(-12, 900)], 150, id="half way between two"),
        pytest.param([point(-36, 800)], 133, id="between a snapshot and now: two thirds of 200"),
        pytest.param([point(-264, 0)], 91, id="eleven days ago: a day's share of it, not all"),
        pytest.param([point(-23, 900)], None, id="only a younger snapshot: no baseline"),
        pytest.param([], None, id="no snapshot at all"),
        pytest.param([point(-26, 1_100), point(-22, 1_200)], -150, id="a loss"),
        pytest.param([point(-30, None)], None, id="not observed then"),
        pytest.param([point(-30, 700), point(-20, None)], 240, id="not observed afterwards: between it and now"),
    ],
)
def test_24_hours_are_measured_from_the_value_at_that_moment(points: list[Point], expected: int | None) -> None:
    assert grown(point(0, 1_000), *points) == expected


def test_growth_of_what_is_not_observed_now_is_unknown() -> None:
    assert grown(point(0, None), point(-30, 5)) is None


def test_halves_are_rounded_up_on_either_side_of_zero() -> None:
    up = value_at(NOON, [point(-1, 0), point(1, 1)])
    down = value_at(NOON, [point(-1, 1), point(1, 0)])

    assert (up[4], down[4]) == (1, 1)


rows = st.tuples(st.integers(-90, 90), st.lists(counts | st.none(), min_size=5, max_size=5) | st.tuples(*[counts] * 5))


@given(st.lists(rows, max_size=4), st.integers(0, 4))
def test_each_metric_is_worked_out_as_if_it_were_the_only_one(
    found: list[tuple[int, list[int | None]]], at: int
) -> None:
    points = [
        Point(NOON + timedelta(seconds=second / 2), tuple(row)) for second, row in sorted(found, key=itemgetter(0))
    ]
    alone = [Point(one.at, tuple(value if i == at else None for i, value in enumerate(one.counts))) for one in points]

    assert value_at(NOON, points)[at] == value_at(NOON, alone)[at]


def test_without_points_nothing_is_known() -> None:
    assert value_at(NOON, []) == UNKNOWN


def test_a_day_is_24_hours() -> None:
    assert timedelta(hours=24) == DAY


def test_behind_the_last_point_its_value_stands() -> None:
    assert value_at(NOON, [point(-3, 7)])[4] == 7


@given(counts, counts, st.integers(0, 86_400))
def test_a_value_between_two_points_lies_between_them_exactly(first: int, second: int, seconds: int) -> None:
    found = value_at(NOON + timedelta(seconds=seconds), [point(0, first), point(24, second)])[4]

    assert found is not None
    assert min(first, second) <= found <= max(first, second)
    assert abs(2 * 86_400 * (found - first) - 2 * seconds * (second - first)) <= 86_400


@given(st.lists(st.tuples(*[st.none() | counts] * 5)))
def test_a_total_counts_what_is_known(rows: list[Values]) -> None:
    for column, found in zip(zip(*rows, strict=True), total(rows), strict=False):
        known = [value for value in column if value is not None]
        assert found == (sum(known) if known else None)


def test_nothing_added_up_is_unknown() -> None:
    assert total([]) == UNKNOWN
    assert difference((1, 2, None, 4, 5), (1, None, 3, 5, 3)) == (0, None, None, -1, 2)


def views(*numbers: int | None) -> list[Values]:
    return [(None, None, None, None, number) for number in numbers]


def moved(*pairs: tuple[int | None, int | None]) -> tuple[int | None, ...]:
    """(total, growth, joined, left) of views."""
    found = movement((then, now) for then, now in (views(*pair) for pair in pairs))
    return tuple(side[4] for side in found)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        pytest.param([(100, 130)], (130, 30, 0, 0), id="one grows"),
        pytest.param([(100, 130), (None, 5_000)], (5_130, 30, 5_000, 0), id="a newcomer brings and does not grow"),
        pytest.param([(100, 130), (70, None)], (130, 30, 0, -70), id="one leaves"),
        pytest.param([(70, None)], (None, None, 0, -70), id="the last one leaves"),
        pytest.param([(None, 70)], (70, None, 70, 0), id="the first one comes"),
        pytest.param([(None, None)], (None, None, None, None), id="nobody counts"),
        pytest.param([], (None, None, None, None), id="nobody is there"),
        pytest.param([(0, 0)], (0, 0, 0, 0), id="a real zero"),
    ],
)
def test_a_total_moves_by_growth_and_by_who_comes_and_goes(
    pairs: list[tuple[int | None, int | None]], expected: tuple[int | None, ...]
) -> None:
    assert moved(*pairs) == expected


values = st.tuples(*[st.none() | counts] * 5)


@given(st.lists(st.tuples(values, values)))
def test_the_later_total_is_the_earlier_one_with_growth_joined_and_left(pairs: list[tuple[Values, Values]]) -> None:
    found = movement(pairs)

    before, after = total(pair[0] for pair in pairs), total(pair[1] for pair in pairs)
    assert found.total == after
    for then, now, delta in zip(before, after, found.delta, strict=True):
        assert (now or 0) == (then or 0) + (delta or 0)


@given(st.lists(st.tuples(values, values)), st.lists(st.tuples(values, values)))
def test_parts_add_up_to_the_whole(some: list[tuple[Values, Values]], others: list[tuple[Values, Values]]) -> None:
    whole = movement([*some, *others])

    parts = [movement(some), movement(others)]
    for name in Movement._fields:
        assert getattr(whole, name) == total(getattr(part, name) for part in parts)


@given(values)
def test_what_counts_is_told_by_bits(row: Values) -> None:
    assert counting(row, mask_of(row)) == row
    assert counting(row, 0) == UNKNOWN


def test_there_is_a_bit_for_each_metric() -> None:
    assert mask_of(UNKNOWN) == 0
    assert [mask_of(tuple(0 if place == n else None for place in range(5))) for n in range(5)] == [1, 2, 4, 8, 16]
    assert mask_of((0, 0, 0, 0, 0)) == ALL == 31


# Sums of parts


pairs_of_rows = st.lists(st.tuples(values, values), max_size=5)


def test_sums_say_how_many_count_at_either_moment_and_at_both() -> None:
    stays, comes, goes = views(3, 10), views(None, 5), views(4, None)

    found = sums([(stays[0], stays[1]), (comes[0], comes[1]), (goes[0], goes[1]), *[(UNKNOWN, UNKNOWN)] * 3])

    assert [side[4] for side in found[:7]] == [15, 7, 5, -4, 2, 1, 2]
    assert (found.accounts, found.carried) == (2, 0)


def test_nothing_has_joined_nothing() -> None:
    assert sums([]) == NO_SUMS
    assert all(number == 0 for side in NO_SUMS[:7] for number in side)
    assert (NO_SUMS.accounts, NO_SUMS.carried) == (0, 0)


@given(pairs_of_rows, pairs_of_rows, st.integers(0, 9), st.integers(0, 9))
def test_the_sums_of_a_whole_are_those_of_its_parts(
    some: list[tuple[Values, Values]], others: list[tuple[Values, Values]], one: int, two: int
) -> None:
    mine, theirs = sums(some)._replace(carried=one), sums(others)._replace(carried=two)

    whole = mine.plus(theirs)

    assert whole == sums([*some, *others])._replace(carried=one + two)
    assert whole.minus(theirs) == mine
    assert mine.plus(NO_SUMS) == mine


@given(pairs_of_rows)
def test_without_a_day_before_all_have_joined(pairs: list[tuple[Values, Values]]) -> None:
    found = sums(pairs)._replace(carried=1)

    assert found.from_nothing() == sums([(UNKNOWN, now) for _, now in pairs])._replace(carried=1)


@given(st.lists(values, max_size=5))
def test_accounts_that_nobody_knew_have_all_joined(now: list[Values]) -> None:
    assert joined_sums(now) == sums([(UNKNOWN, mine) for mine in now])


@given(pairs_of_rows)
def test_what_was_before_is_as_if_all_had_just_joined(pairs: list[tuple[Values, Values]]) -> None:
    before = sums([(UNKNOWN, then) for then, _ in pairs])

    assert sums(pairs).before() == before._replace(accounts=0, carried=0)


@given(pairs_of_rows)
def test_a_day_without_news_carries_everybody_and_nothing_grows(pairs: list[tuple[Values, Values]]) -> None:
    found: Sums = sums(pairs)

    assert found.carry() == sums([(now, now) for _, now in pairs])._replace(carried=found.accounts)


# Targets


@pytest.mark.parametrize(
    ("reached", "target", "percent", "said"),
    [
        (None, 100, None, (None, None)),
        (50, None, None, (None, None)),
        (50, 0, None, (None, None)),
        (0, 100, 0.0, (0.0, 0.0)),
        (50, 100, 50.0, (50.0, 50.0)),
        (1, 3, 100 / 3, (33.33, 33.33)),
        (100, 100, 100.0, (100.0, 100.0)),
        (203, 200, 101.5, (101.5, 100.0)),
    ],
)
def test_progress_is_in_percent_of_the_target_and_stops_at_all_of_it(
    reached: int | None, target: int | None, percent: float | None, said: tuple[float | None, float | None]
) -> None:
    assert percent_of(reached, target) == percent
    assert progress(reached, target) == said
