"""Two accounts that are one count as one from the start."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from webapp.model import METRICS, UNKNOWN, Values
from webapp.rules.history import Past, Span, days_of, end_of, larger_days, union

START = date(2026, 3, 1)
DAYS = [date(2026, 3, day) for day in range(1, 9)]
VALUES = st.tuples(*(st.none() | st.integers(0, 50) for _ in METRICS))
PAST = st.dictionaries(st.sampled_from(DAYS), VALUES.filter(lambda counts: counts != UNKNOWN))


@st.composite
def spans_of(draw: st.DrawFn, account_id: int) -> list[Span]:
    hours = draw(st.lists(st.integers(0, 24 * 8), min_size=0, max_size=4, unique=True).map(sorted))
    moments = [datetime(2026, 3, 1 + hour // 24, hour % 24, tzinfo=UTC) for hour in hours if hour < 24 * 8]
    return [
        Span(account_id, since, until, draw(st.integers(1, 31)))
        for since, until in zip(moments, [*moments[1:], None], strict=False)
        if draw(st.booleans())
    ]


def ends(past: dict[date, Values], spans: list[Span]) -> dict[date, Values]:
    cells = [(day, 1, *past[day]) for day in sorted(past)]
    return {one.day: one.end for one in days_of(START, DAYS[-1], {}, cells, spans)}


@given(spans_of(1), spans_of(2))
def test_the_union_counts_whenever_one_of_them_does(mine: list[Span], theirs: list[Span]) -> None:
    both = union(mine, theirs, 1)

    for hour in range(24 * 8):
        moment = datetime(2026, 3, 1 + hour // 24, hour % 24, tzinfo=UTC)
        bits = [sum(span.metrics for span in spans if span.covers(moment)) for spans in (mine, theirs, both)]
        assert bits[2] == bits[0] | bits[1]
    assert all(a.until is None or a.until <= b.since for a, b in pairwise(both)) or len(both) < 2


def test_between_the_spans_of_both_nothing_counts() -> None:
    first, second, third, fourth = (datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2, 3, 4))

    both = union([Span(1, first, second, 3)], [Span(2, third, fourth, 5)], 1)

    assert both == [Span(1, first, second, 3), Span(1, third, fourth, 5)]


def test_spans_that_meet_and_count_the_same_become_one() -> None:
    first, second, third, fourth = (datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2, 3, 4))

    assert union([Span(1, first, second, 3)], [Span(2, second, third, 3)], 1) == [Span(1, first, third, 3)]
    assert union([Span(1, first, second, 3)], [Span(2, third, fourth, 3)], 1) == [
        Span(1, first, second, 3),
        Span(1, third, fourth, 3),
    ]


def test_where_an_account_stood_on_a_day_is_what_it_had_until_then() -> None:
    days: dict[date, Values] = {DAYS[1]: (5, 7, None, None, None), DAYS[3]: (6, None, None, None, None)}
    past = Past(days, [Span(1, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 7, tzinfo=UTC), 3)])

    stood = [past.stood(day)[:2] for day in DAYS]

    assert stood == [(None, None), (5, 7), (5, 7), (6, 7), (6, 7), (6, 7), (None, None), (None, None)]


@given(PAST, PAST, spans_of(1), spans_of(2))
def test_each_day_that_counts_is_the_larger_of_both(
    mine: dict[date, Values], theirs: dict[date, Values], my_spans: list[Span], their_spans: list[Span]
) -> None:
    met = larger_days(mine, theirs, my_spans, their_spans)

    assert met.keys() == mine.keys() | theirs.keys()
    for day, values in met.items():
        for place, value in enumerate(values):
            seen = [past[day][place] for past in (mine, theirs) if day in past and past[day][place] is not None]
            assert (value is None) == (not seen)
            assert value is None or value >= max(seen)  # type: ignore[type-var, operator]
    single = ends(mine, my_spans)
    for day, end in ends(larger_days(mine, {}, my_spans, []), my_spans).items():
        assert end == single[day]


def test_what_one_carries_is_compared_with_what_the_other_has() -> None:
    def followers(count: int) -> Values:
        return (count, None, None, None, None)

    since = datetime(2026, 3, 1, tzinfo=UTC)
    mine, theirs = {DAYS[0]: followers(200)}, {DAYS[1]: followers(100), DAYS[3]: followers(300)}
    mine_counts, theirs_count = [Span(1, since, None, 1)], [Span(2, since, None, 1)]

    assert larger_days(mine, theirs, mine_counts, theirs_count) == {
        DAYS[0]: followers(200),
        DAYS[1]: followers(200),
        DAYS[3]: followers(300),
    }
    gone = [Span(1, since, end_of(DAYS[0]).replace(hour=1), 1)]
    assert larger_days(mine, theirs, gone, theirs_count)[DAYS[1]] == followers(100)
