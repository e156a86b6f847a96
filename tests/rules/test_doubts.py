"""Whether history believes what a person typed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.rules.doubts import BELIEVED, Doubt, Judgement, Timed, agrees, implausible, judge

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
GOOD, SLIP = 12_000, 120
OPEN = Doubt(SLIP, GOOD, NOW - HOUR)
KNOWN = st.none() | st.integers(0, 10**9)


def judged(
    typed: int | None,
    before: int | None = GOOD,
    *,
    doubt: Doubt | None = None,
    timed: Timed | None = None,
    reading: int | None = None,
) -> Judgement:
    return judge(typed, before, doubt=doubt, timed=[timed] if timed else [], reading=reading, now=NOW)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (1_000, 5_000, True),
        (1_000, 4_999, False),
        (5_000, 1_000, True),
        (5_000, 1_001, False),
        (10, 1_010, False),  # not far apart
        (10, 1_011, True),
        (10, 0, True),
        (9, 0, False),
        (0, 1_001, True),
        (0, 1_000, False),
        (None, 10**9, False),
        (10**9, None, False),
    ],
)
def test_five_times_and_more_than_a_thousand_apart_or_nothing_left(
    before: int | None, after: int | None, expected: bool
) -> None:
    assert implausible(before, after) is expected


def test_two_values_agree_up_to_twice_each_other() -> None:
    assert agrees(100, 200)
    assert agrees(200, 100)
    assert not agrees(100, 201)
    assert not agrees(201, 100)
    assert not agrees(None, 1)


def test_a_plausible_value_is_believed_and_a_slip_is_not() -> None:
    assert judged(13_000) == BELIEVED
    assert judged(SLIP) == Judgement(believed=False, doubt=Doubt(SLIP, GOOD, NOW))


def test_a_reading_that_agrees_takes_the_doubt_away() -> None:
    assert judged(SLIP, reading=200) == BELIEVED
    assert judged(SLIP, SLIP, doubt=OPEN, reading=200).outcome == "confirmed"
    assert judged(SLIP, SLIP, doubt=OPEN, reading=GOOD).outcome is None


@pytest.mark.parametrize("corrected", [None, GOOD, 12_400, 3_000])
def test_whatever_is_plausible_against_the_last_credible_value_corrects_it(corrected: int | None) -> None:
    assert judged(corrected, SLIP, doubt=OPEN) == Judgement(believed=True, outcome="corrected")


def test_a_second_slip_begins_a_doubt_of_its_own() -> None:
    found = judged(900_000, SLIP, doubt=OPEN)

    assert found == Judgement(believed=False, outcome="restarted", doubt=Doubt(900_000, GOOD, NOW))


def test_two_days_confirm_what_stays_though_it_moves() -> None:
    doubt = Doubt(119_000_000, 10_000_000, NOW - 47 * HOUR)

    assert judged(120_000_000, 119_000_000, doubt=doubt).doubt == doubt._replace(typed=120_000_000)
    older = doubt._replace(since=NOW - 48 * HOUR)
    assert judged(120_000_000, 119_000_000, doubt=older) == Judgement(believed=True, outcome="timed")


@pytest.mark.parametrize(("days", "outcome"), [(13, "withdrawn"), (14, None)])
def test_what_time_alone_confirmed_may_turn_out_to_be_a_slip(days: int, outcome: str | None) -> None:
    found = judged(12_100, 10_000_000, timed=Timed(GOOD, NOW - timedelta(days=days)))

    assert (found.outcome, found.believed) == (outcome, outcome is not None)


@given(KNOWN, KNOWN, KNOWN, st.none() | st.builds(Doubt, st.integers(0, 10**9), st.integers(0, 10**9), st.just(NOW)))
def test_a_value_is_believed_or_in_doubt(
    typed: int | None, before: int | None, reading: int | None, doubt: Doubt | None
) -> None:
    found = judge(typed, before, doubt=doubt, timed=[], reading=reading, now=NOW)

    assert found.believed is (found.doubt is None)
    assert found.believed or typed is not None
    assert agrees(typed, reading) is agrees(reading, typed)
    if doubt is not None and typed == doubt.credible:
        assert found.outcome == "corrected"
