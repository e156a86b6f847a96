"""Numbers and times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from webapp.rules import words

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(seconds=60), "1 min"),
        (timedelta(hours=3, minutes=59), "3 h"),
        (timedelta(days=2), "2 d"),
        (timedelta(days=30), "1 month"),
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
        (timedelta(hours=23), "in 23 hours"),
        (timedelta(days=400), "in 1 year"),
    ],
    ids=str,
)
def test_how_far_ahead_a_moment_is(length: timedelta, text: str) -> None:
    assert words.ahead(NOW + length, NOW, spelled=True) == text


def test_what_comes_within_the_minute_is_said_in_words() -> None:
    assert words.ahead(NOW + timedelta(seconds=30), NOW, spelled=True) == "in less than a minute"
    assert words.ahead(NOW, NOW) == "due now"


@pytest.mark.parametrize(
    ("moment", "text"),
    [(None, "never"), (NOW, "just now"), (NOW + timedelta(hours=1), "just now"), (NOW - timedelta(hours=5), "5 h ago")],
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
    [(None, "–"), (0, "0"), (-9_999, "−9,999"), (18_450_200, "18.4M"), (-1_999, "−1,999"), (2**63, "9,223,372T")],
)
def test_a_number_is_shortened_towards_zero(value: int | None, text: str) -> None:
    assert words.compact(value) == text
