"""Snapshots of an app that kept several a day, and zeros where it could not read."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from webapp.model import METRICS, NOTHING, Counts
from webapp.rules.earlier import Seen, collapse, spans_of, stand, strip_zeros
from webapp.rules.history import Span

START = datetime(2025, 3, 1, 10, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def seen(days: float, *counts: int | None) -> Seen:
    """So many days after the start."""
    return Seen(START + days * DAY, Counts(*counts))


def left(*snapshots: Seen) -> dict[date, Counts]:
    return {day: one.counts for day, one in strip_zeros(collapse(snapshots)).days.items()}


def test_of_a_day_the_largest_of_each_metric_is_taken_at_its_first_moment() -> None:
    found = collapse([seen(1, 5, 5), seen(0.2, 9, 1), seen(0, 7, 3), seen(2)])

    assert found == {date(2025, 3, 1): seen(0, 9, 3), date(2025, 3, 2): seen(1, 5, 5)}
    assert [*found] == sorted(found)


def test_a_day_is_one_of_utc() -> None:
    late = Seen(datetime.fromisoformat("2025-03-02T00:30:00+02:00"), Counts(5))

    assert [*collapse([late])] == [date(2025, 3, 1)]


def test_zeros_after_more_are_left_out_and_those_before_are_not() -> None:
    found = strip_zeros(collapse([seen(0, 0, 0, 4), seen(1, 5, 0, 4), seen(2, 0, 0, 5), seen(3, 6, 1, 0)]))

    first, second, third, fourth = found.days.values()
    assert (first.counts, second.counts) == (Counts(0, 0, 4), Counts(5, 0, 4))
    assert (third.counts, fourth.counts) == (Counts(None, 0, 5), Counts(6, 1, None))
    assert (found.zeros, found.zero_days) == (2, 0)


def test_a_day_of_nothing_but_zeros_goes_whole() -> None:
    found = strip_zeros(collapse([seen(0, 0, 0), seen(1, 5, 0), seen(2, 0, 0, None), seen(3, 6, 0)]))

    assert [day.day for day in found.days] == [1, 2, 4]
    assert (found.zeros, found.zero_days) == (2, 1)


def test_what_an_account_stands_at_is_what_was_said_last() -> None:
    days = collapse([seen(0, 5, 6, None, 0), seen(1, 7)])

    assert stand(days, Counts(None, 0, 0, 0, 9), drop_zeros=True) == Counts(7, 6, None, 0, 9)
    assert stand(days, Counts(None, 0, 0, 0, 9), drop_zeros=False) == Counts(7, 0, 0, 0, 9)
    assert stand({}, NOTHING, drop_zeros=True) == NOTHING


def test_an_account_counts_from_the_first_value_of_each_metric_on() -> None:
    days, now = collapse([seen(0, 5), seen(1, 7, 3), seen(2, 7, 4)]), START + 9 * DAY

    found = spans_of(4, days, Counts(7, 4, None, None, 100), now, None)

    assert found == [
        Span(4, START, START + DAY, 0b1),
        Span(4, START + DAY, now, 0b11),
        Span(4, now, None, 0b10011),
    ]
    assert spans_of(4, days, Counts(7, 4), now, START + 5 * DAY)[-1] == Span(4, START + DAY, START + 5 * DAY, 0b11)
    assert spans_of(4, days, NOTHING, now, None) == []
    assert spans_of(4, {}, Counts(1), now, now) == []


counts = st.builds(Counts, *[st.none() | st.integers(0, 3)] * len(METRICS))
many = st.lists(st.builds(Seen, st.integers(0, 100).map(lambda hours: START + hours * HOUR), counts), max_size=20)


@given(many)
def test_whatever_was_there_nothing_falls_to_zero_and_no_larger_value_is_lost(snapshots: list[Seen]) -> None:
    whole, found = collapse(snapshots), strip_zeros(collapse(snapshots))

    assert set(found.days) <= set(whole)
    assert len(whole) - len(found.days) == found.zero_days
    for place in range(len(METRICS)):
        before = 0
        for day, one in whole.items():
            value, kept = one.counts[place], found.days[day].counts[place] if day in found.days else None
            assert kept == value or (kept is None and value == 0)
            assert not (kept == 0 and before)
            before = value or before
    removed = sum(one.counts[i] is not None for one in whole.values() for i in range(len(METRICS))) - sum(
        one.counts[i] is not None for one in found.days.values() for i in range(len(METRICS))
    )
    assert removed == found.zeros


@given(many, counts)
def test_spans_are_in_order_and_say_in_the_end_what_counts(snapshots: list[Seen], said: Counts) -> None:
    days, now = collapse(snapshots), START + 9 * DAY
    final = stand(days, said, drop_zeros=False)

    found = spans_of(1, days, final, now, None)

    assert [span.until for span in found[:-1]] == [span.since for span in found[1:]]
    assert (found[-1].metrics if found else 0) == sum(1 << i for i, value in enumerate(final) if value is not None)
