"""Units of a quota: granted as the day goes on, on the platform's own clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from webapp.rules.quotas import day_ends, pause_minutes, quota_day, units_by

PACIFIC = "America/Los_Angeles"
MIDNIGHT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def test_the_day_is_the_platforms_own() -> None:
    assert quota_day(MIDNIGHT - timedelta(seconds=1), PACIFIC) == date(2026, 3, 1)
    assert quota_day(MIDNIGHT, PACIFIC) == date(2026, 3, 2)
    assert day_ends(date(2026, 3, 1), PACIFIC) == MIDNIGHT


def test_a_day_of_23_hours_ends_an_hour_earlier() -> None:
    assert day_ends(date(2026, 3, 8), PACIFIC) - day_ends(date(2026, 3, 7), PACIFIC) == timedelta(hours=23)


def test_an_hours_worth_is_granted_ahead() -> None:
    assert units_by(MIDNIGHT, 10_000, PACIFIC) == 417
    assert units_by(MIDNIGHT + timedelta(hours=12), 10_000, PACIFIC) == 5_417
    assert units_by(MIDNIGHT + timedelta(hours=23, minutes=30), 10_000, PACIFIC) == 10_000
    assert units_by(MIDNIGHT, 1, PACIFIC) == 1


@given(st.integers(0, 86_399), st.integers(0, 86_399), st.integers(1, 10**9))
def test_more_are_granted_the_later_it_is_and_never_more_than_a_days(a: int, b: int, units: int) -> None:
    early, late = sorted((a, b))

    first, second = (units_by(MIDNIGHT + timedelta(seconds=s), units, PACIFIC) for s in (early, late))

    assert 1 <= first <= second <= units


def test_a_platform_that_stays_away_is_asked_less_and_less_often() -> None:
    assert [pause_minutes(failures) for failures in (1, 2, 12, 100)] == [5, 10, 60, 60]
