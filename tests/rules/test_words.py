"""Numbers and times as people read them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.rules import words

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(seconds=60), "1 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(minutes=60), "1 h"),
        (timedelta(hours=3, minutes=59), "3 h"),
        (timedelta(hours=23, minutes=59), "23 h"),
        (timedelta(hours=24), "1 d"),
        (timedelta(days=2), "2 d"),
        (timedelta(days=29, hours=23), "29 d"),
        (timedelta(days=30), "1 month"),
        (timedelta(days=60), "2 months"),
        (timedelta(days=364), "12 months"),
        (timedelta(days=365), "1 year"),
        (timedelta(days=729), "1 year"),
        (timedelta(days=730), "2 years"),
    ],
    ids=str,
)
def test_a_length_of_time_is_said_in_its_largest_unit(length: timedelta, text: str) -> None:
    assert words.span(length) == text


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(minutes=1), "in 1 minute"),
        (timedelta(minutes=23, seconds=59), "in 23 minutes"),
        (timedelta(hours=1), "in 1 hour"),
        (timedelta(hours=23), "in 23 hours"),
        (timedelta(days=1), "in 1 day"),
        (timedelta(days=2), "in 2 days"),
        (timedelta(days=400), "in 1 year"),
    ],
    ids=str,
)
def test_how_far_ahead_a_moment_is(length: timedelta, text: str) -> None:
    assert words.ahead(NOW + length, NOW, spelled=True) == text


def test_what_comes_within_the_minute_is_said_in_words() -> None:
    assert words.ahead(NOW + timedelta(seconds=30), NOW, spelled=True) == "in less than a minute"
    assert words.ahead(NOW, NOW) == "due now"
    assert words.ahead(NOW + timedelta(minutes=28), NOW) == "in 28 min"


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (None, "never"),
        (NOW, "just now"),
        (NOW + timedelta(hours=1), "just now"),
        (NOW - timedelta(seconds=59), "just now"),
        (NOW - timedelta(minutes=1), "1 min ago"),
        (NOW - timedelta(hours=5), "5 h ago"),
    ],
)
def test_how_long_ago_it_was(moment: datetime | None, text: str) -> None:
    assert words.ago(moment, NOW) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "–"), (0.04, "0.0 s"), (59.94, "59.9 s"), (60, "1 min 0 s"), (119.7, "2 min 0 s")]
)
def test_how_long_a_run_took(seconds: float | None, text: str) -> None:
    assert words.seconds_words(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (-9_999, "−9,999"),
        (9_999, "9,999"),
        (10_000, "10.0K"),
        (-10_999, "−11.0K"),
        (10_949, "10.9K"),
        (99_949, "99.9K"),
        (99_950, "100K"),
        (100_499, "100K"),
        (100_500, "101K"),
        (999_499, "999K"),
        (999_500, "1.00M"),
        (999_999, "1.00M"),
        (1_000_000, "1.00M"),
        (1_004_999, "1.00M"),
        (1_005_000, "1.01M"),
        (9_994_999, "9.99M"),
        (9_995_000, "10.0M"),
        (18_450_200, "18.5M"),
        (433_980_800, "434M"),
        (999_999_999, "1.00B"),
        (10**9, "1.00B"),
        (10**12 - 1, "1.00T"),
        (10**12, "1.00T"),
        (-1_999, "−1,999"),
        (2**63, "9,223,372T"),
    ],
)
def test_a_number_is_shortened_to_the_nearest(value: int | None, text: str) -> None:
    assert words.compact(value) == text


@given(st.integers(10_000, 10**15))
def test_a_short_number_is_off_by_half_of_its_last_digit_at_most(value: int) -> None:
    digits, letter = words.compact(value)[:-1].replace(",", ""), words.compact(value)[-1]
    unit = next(unit for unit, mark in words.STEPS if mark == letter)
    last = unit // 10 ** len(digits.partition(".")[2])

    assert 2 * abs(round(float(digits) * unit) - value) <= last + 2
    assert len(digits.replace(".", "")) == 3 or letter == "T"


@pytest.mark.parametrize(("value", "text"), [(1, "+1"), (20_000, "+20.0K"), (0, "0"), (-1, "−1"), (None, "–")])
def test_a_short_number_says_its_sign_where_it_is_asked_for(value: int | None, text: str) -> None:
    assert words.compact(value, sign=True) == text


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [
        (104_000, 100, "104.0K"),
        (104_000, 1_000, "104K"),
        (250_000, 250_000, "250K"),
        (1_000_000, 250_000, "1.00M"),
        (9_950, 50, "9,950"),
        (0, 50_000, "0"),
        (1_234_000_000, 2_000_000, "1.234B"),
        (3 * 10**12, 10**12, "3T"),
        (-1_500_000, 500_000, "−1.5M"),
    ],
)
def test_a_number_on_an_axis_has_the_digits_that_its_steps_need(value: int, step: int, text: str) -> None:
    assert words.on_axis(value, step) == text
    assert words.on_axis(value, step, sign=True) == (f"+{text}" if value > 0 else text)


@pytest.mark.parametrize(
    ("value", "text"), [(18_450_200, "18,450,200"), (-1_204, "−1,204"), (0, "0"), (None, "not observed")]
)
def test_a_whole_number_is_grouped(value: int | None, text: str) -> None:
    assert words.exact(value) == text
    assert words.grouped(value) == ("–" if value is None else text)


@pytest.mark.parametrize(("value", "text"), [(1_204, "+1,204"), (1, "+1"), (0, "0"), (-20, "−20"), (None, "–")])
def test_a_difference_says_its_sign(value: int | None, text: str) -> None:
    assert words.signed(value) == text


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (1, "every minute"),
        (30, "every 30 minutes"),
        (60, "every hour"),
        (90, "every 90 minutes"),
        (120, "every 2 hours"),
        (1440, "every day"),
        (2880, "every 2 days"),
    ],
)
def test_an_interval_is_said_in_the_largest_unit_that_fits(minutes: int, text: str) -> None:
    assert words.every(minutes) == text


def test_a_moment_is_said_in_utc_and_a_day_by_its_date() -> None:
    berlin = timezone(timedelta(hours=1))

    assert words.utc(NOW.astimezone(berlin)) == "2 Mar 2026, 10:00 UTC"
    assert words.day_words(date(2026, 3, 2)) == "2 Mar 2026"
