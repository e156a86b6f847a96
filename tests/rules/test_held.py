"""When a reading is believed, and when it is kept aside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from webapp.rules.held import Belief, HeldState, Holding, believe

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=6)
GOOD, ODD = 1_000, 50_000


def held(state: HeldState = "held", *, value: int = ODD, agreeing: int = 0, at: datetime = EARLIER) -> Holding:
    return Holding(value, EARLIER, at, agreeing, state)


def belief(
    reading: int | None, before: Holding | None = None, *, seen_at: datetime = NOW, history: bool = True
) -> Belief:
    return believe(reading, GOOD, before, seen_at=seen_at, history=history, now=NOW)


def test_a_plausible_reading_is_believed() -> None:
    assert belief(1_900) == Belief(1_900)


def test_a_platform_that_says_nothing_leaves_the_last_good_reading() -> None:
    assert belief(None) == Belief(GOOD)


def test_what_is_not_kept_aside_stays_believed_as_long_as_no_input_changes() -> None:
    assert belief(1_900).timeless
    assert belief(None).timeless
    assert not belief(ODD).timeless


def test_a_reading_is_not_its_own_witness() -> None:
    assert belief(ODD, held(), seen_at=EARLIER) == Belief(GOOD, held(), timeless=False)


def test_without_history_everything_is_believed() -> None:
    assert belief(ODD, history=False) == Belief(ODD)


def test_an_implausible_reading_is_kept_aside() -> None:
    assert belief(ODD) == Belief(GOOD, Holding(ODD, NOW, NOW, 0, "held"), anew=True, timeless=False)


def test_another_implausible_one_takes_its_place_and_waits_from_now_on() -> None:
    assert belief(500_000, held()) == Belief(GOOD, Holding(500_000, NOW, NOW, 0, "held"), timeless=False)


@pytest.mark.parametrize("state", ["accepted", "rejected"])
def test_one_that_differs_from_what_was_decided_is_another_one(state: HeldState) -> None:
    assert belief(500_000, held(state)).anew


def test_two_later_readings_that_agree_confirm_it() -> None:
    first = belief(60_000, held())
    second = belief(60_000, held(agreeing=1))

    assert first == Belief(GOOD, Holding(60_000, NOW, EARLIER, 1, "held"), timeless=False)
    assert second == Belief(60_000, Holding(60_000, NOW, EARLIER, 2, "confirmed"))
    too_soon = belief(60_000, held(agreeing=1), seen_at=NOW - timedelta(minutes=1))
    assert too_soon == Belief(GOOD, Holding(60_000, EARLIER, EARLIER, 1, "held"), timeless=False)


def test_a_reading_without_a_time_bears_no_witness() -> None:
    found = belief(ODD, Holding(ODD, None, EARLIER, 0, "held"))

    assert found.holding is not None
    assert (found.value, found.holding.agreeing) == (GOOD, 0)


def test_the_same_reading_once_more_does_not_agree_with_itself() -> None:
    found = belief(ODD, held(agreeing=1), seen_at=EARLIER)

    assert found.holding is not None
    assert (found.value, found.holding.agreeing) == (GOOD, 1)


def test_a_day_confirms_it() -> None:
    found = belief(ODD, held(at=NOW - timedelta(days=1)), seen_at=EARLIER)

    assert found.holding is not None
    assert (found.value, found.holding.state) == (ODD, "confirmed")


def test_what_was_accepted_is_believed_as_long_as_the_platform_says_so() -> None:
    assert belief(ODD, held("accepted")) == Belief(ODD)


def test_what_was_rejected_is_not() -> None:
    assert belief(ODD, held("rejected")) == Belief(GOOD, timeless=False)


@pytest.mark.parametrize("state", ["held", "rejected"])
def test_a_plausible_reading_ends_it(state: HeldState) -> None:
    assert belief(1_900, held(state)) == Belief(1_900, Holding(ODD, NOW, EARLIER, 0, "withdrawn"))


def test_a_plausible_reading_leaves_what_was_accepted() -> None:
    assert belief(1_900, held("accepted")) == Belief(1_900)
