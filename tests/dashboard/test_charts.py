"""What charts draw, and what they do not."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.dashboard.charts import Added, ChartDay, add_up, by_week, draw_bars, draw_line, from_first_known, mark_left

FIRST = date(2026, 3, 1)
ROOM = 9  # characters left of a chart on a phone: 62 pixels


def points(*values: int | None, carried: int = 0, accounts: int = 0) -> list[ChartDay]:
    """A day for each value; None: a gap."""
    last: int | None = None
    found = []
    for place, value in enumerate(values):
        growth = None if last is None else (value or last) - last
        last = value or last
        day = FIRST + timedelta(days=place)
        found.append(ChartDay(day, last, growth, carried=carried, accounts=accounts, gap=value is None))
    return found


def test_a_day_without_a_snapshot_is_dotted_from_its_neighbours_on() -> None:
    drawn = draw_line(points(1_000, None, 1_200))

    assert drawn is not None
    assert drawn.path == "M0 200M1000 0"
    assert drawn.gaps == "M0 200l500 0 500-200"
    assert drawn.ys == [200.0, None, 0.0]


def test_a_path_leads_back_to_every_point() -> None:
    values = [3, 17, 17, 16, 5, 105, 104, 90, 91, 250, 249, 248, 0, 1, 0]
    drawn = draw_line(points(*values))
    assert drawn is not None
    assert drawn.path.count("M") == 1

    (x, y), *steps = ([float(n) for n in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", part)] for part in drawn.path.split("l"))
    ends = [(round(x, 1), round(y, 1))]
    for dx, dy in zip(steps[0][::2], steps[0][1::2], strict=True):
        x, y = x + dx, y + dy
        ends.append((round(x, 1), round(y, 1)))

    assert [end for _, end in ends] == drawn.ys
    assert [end for end, _ in ends] == [round(1000 * place / 14, 1) for place in range(15)]


def test_two_gaps_are_two_dotted_lines_and_a_gap_at_the_end_has_one_neighbour() -> None:
    drawn = draw_line(points(1_000, None, 1_200, 1_300, None))

    assert drawn is not None
    assert drawn.gaps.count("M") == 2


def test_days_before_anything_was_known_are_not_dotted() -> None:
    drawn = draw_line([ChartDay(FIRST, None, gap=True), *points(5, 6)])

    assert drawn is not None
    assert drawn.gaps == ""


def test_an_area_stands_on_zero_and_a_line_may_not() -> None:
    low, high = draw_line(points(10, 900)), draw_line(points(900, 1_000))

    assert low is not None
    assert high is not None
    assert (low.grid[0].words, bool(low.area)) == ("0", True)
    assert (high.grid[0].words, high.area) == ("900", "")


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (104_000, 104_290, ["104.0K", "104.1K", "104.2K", "104.3K"]),
        (6_297_000, 6_308_600, ["6.295M", "6.300M", "6.305M", "6.310M"]),
        (1_234_000_000, 1_239_800_000, ["1.234B", "1.236B", "1.238B", "1.240B"]),
        (41_200_000, 41_200_900, ["41.2000M", "41.2005M", "41.2010M"]),
        (1_234_000_000, 1_234_000_040, ["1.23400B", "1.23401B"]),
        (999_400, 1_000_000, ["999.4K", "999.6K", "999.8K", "1.0000M"]),
        (11, 13, ["11", "12", "13"]),
        (100, 109, ["100", "105", "110"]),
        (7, 7, ["6", "7", "8"]),
    ],
)
def test_marks_of_a_line_have_the_digits_that_tell_them_apart(low: int, high: int, words: list[str]) -> None:
    drawn = draw_line(points(low, high))

    assert drawn is not None
    assert [mark.words for mark in drawn.grid] == words


@given(st.lists(st.integers(1, 10**14), min_size=2, max_size=2))
def test_no_two_marks_say_the_same_and_all_have_room(values: list[int]) -> None:
    line, bars = draw_line(points(*values)), draw_bars(points(*values))

    for drawn in (line, bars):
        assert drawn is not None
        words = [mark.words for mark in drawn.grid]
        assert len(set(words)) == len(words) > 1
        assert max(map(len, words)) <= ROOM


@pytest.mark.parametrize("days", [1, 3])
def test_nobody_can_have_fewer_than_none(days: int) -> None:
    drawn = draw_line([ChartDay(FIRST + timedelta(days=place), 0) for place in range(days)])

    assert drawn is not None
    assert [(mark.at, mark.words) for mark in drawn.grid] == [(200, "0"), (0, "1")]
    assert set(drawn.ys) == {200}


def test_one_of_forty_accounts_that_missed_a_day_makes_no_ring() -> None:
    few, many = (draw_line(points(10, 20, accounts=40, carried=carried)) for carried in (1, 4))

    assert few is not None
    assert many is not None
    assert (few.dots, len(many.dots)) == ([], 2)


def test_growth_after_a_gap_is_spread_over_its_days() -> None:
    drawn = draw_bars(points(100, 110, None, 130, 120))

    assert drawn is not None
    assert (drawn.up.count("M"), drawn.spread.count("M"), drawn.down.count("M")) == (1, 2, 1)
    tops = {part.partition("V")[2].partition("H")[0] for part in drawn.spread.split("M")[1:]}
    assert len(tops) == 1
    assert [mark.at for mark in drawn.days] == [10.0, 30.0, 50.0, 70.0, 90.0]


def test_growth_that_never_came_is_not_spread() -> None:
    drawn = draw_bars([*points(100, 110), ChartDay(FIRST, None, gap=True), ChartDay(FIRST, 5, joined=5)])

    assert drawn is not None
    assert drawn.spread == ""
    assert draw_bars([ChartDay(FIRST, None, gap=True)]) is None


def test_days_are_added_up_with_who_came_and_went() -> None:
    days = [ChartDay(FIRST, 10, 4, 6, -2), ChartDay(FIRST, 15, 5, 0, 0)]

    assert add_up(days) == Added(start=2, growth=9, joined=6, left=-2, end=15)
    assert add_up([]) == Added(0, 0, 0, 0, 0)


def test_an_account_that_ceases_to_count_leaves_with_what_it_had() -> None:
    days = mark_left([ChartDay(FIRST, 10, joined=10), ChartDay(FIRST, None, gap=True), ChartDay(FIRST, None, gap=True)])

    assert [day.left for day in days] == [None, -10, None]


def test_a_chart_begins_where_anything_is_known() -> None:
    nothing = [ChartDay(FIRST, None, gap=True)]

    assert [day.value for day in from_first_known([*nothing, *points(5)])] == [5]
    assert from_first_known(nothing) == nothing


def test_weeks_end_with_the_last_day_and_add_up_as_their_days_do() -> None:
    days = points(*range(100, 110), None, 112, *[None] * 8)
    now = ChartDay(FIRST + timedelta(days=len(days)), 130, 18, now=True)

    weeks = by_week([*days, now])

    assert [(one.day.day, one.value, one.growth, one.gap, one.now) for one in weeks] == [
        (6, 105, 5, False, False),
        (13, 112, 7, False, False),
        (20, 112, 0, True, False),
        (21, 130, 18, False, True),
    ]
    assert add_up(weeks) == add_up([*days, now])


def test_days_of_more_than_a_year_are_named_with_their_years() -> None:
    long, short = draw_line(points(*range(400))), draw_line(points(*range(300)))

    assert long is not None
    assert short is not None
    assert [mark.words for mark in long.days] == ["Mar 2026", "Jun 2026", "Sep 2026", "Dec 2026", "Apr 2027"]
    assert [mark.words for mark in short.days][::4] == ["1 Mar", "25 Dec"]
