from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.model import UNKNOWN, Values
from webapp.rules.growth import Point, difference, grown_since, total, value_at

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
counts = st.integers(0, 2**63 - 1)


def point(hours: float, views: int | None) -> Point:
    """Views so many hours after noon."""
    return Point(NOON + timedelta(hours=hours), (None, None, None, None, views))


def grown(now: Point, *points: Point) -> int | None:
    return grown_since(now.at - timedelta(hours=24), now, points)[4]


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
        pytest.param([point(-30, 700), point(-20, None)], 300, id="not observed afterwards: where it stood"),
    ],
)
def test_24_hours_are_measured_from_the_value_at_that_moment(points: list[Point], expected: int | None) -> None:
    assert grown(point(0, 1_000), *points) == expected


def test_growth_of_what_is_not_observed_now_is_unknown() -> None:
    assert grown(point(0, None), point(-30, 5)) is None


def test_halves_are_rounded_up_on_either_side_of_zero() -> None:
    up = value_at(NOON, point(-1, 0), point(1, 1))
    down = value_at(NOON, point(-1, 1), point(1, 0))

    assert (up[4], down[4]) == (1, 1)


def test_a_snapshot_that_is_younger_than_now_is_not_looked_at() -> None:
    assert grown(point(0, 100), point(-48, 0), point(1, 9_999)) == 50


@given(counts, counts, st.integers(0, 86_400))
def test_a_value_between_two_points_lies_between_them_exactly(first: int, second: int, seconds: int) -> None:
    found = value_at(NOON + timedelta(seconds=seconds), point(0, first), point(24, second))[4]

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
