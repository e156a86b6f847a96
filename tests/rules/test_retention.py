"""Which snapshots of an old week may go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.rules.retention import find_superfluous, last_whole_week, week_of

MONDAY = date(2025, 3, 3)
DAYS = [MONDAY + timedelta(days=n) for n in range(7)]
LONG_AGO = dict.fromkeys(range(4), date(2024, 1, 1))


def gone(*cells: tuple[Any, ...], began: Mapping[int, date] = LONG_AGO) -> list[tuple[int, int]]:
    """(number of the day, account)."""
    found = find_superfluous([(DAYS[day], *rest, *[None] * (6 - len(rest))) for day, *rest in cells], began)
    return sorted((DAYS.index(day), account) for day, account in found)


def test_of_each_account_the_last_day_stays() -> None:
    assert gone((0, 1, 5), (1, 1, 6), (1, 2, 9), (4, 1, 7), (6, 2, 9)) == [(0, 1), (1, 1), (1, 2)]


def test_a_day_stays_that_has_the_last_value_of_a_metric() -> None:
    assert gone((0, 1, 5, 1), (1, 1, 6, 2), (2, 1, 7, None), (3, 1, 8, None)) == [(0, 1), (2, 1)]


def test_the_day_stays_on_which_an_account_began_to_count() -> None:
    assert gone((0, 1, 5), (1, 1, 6), (2, 1, 7), began={1: DAYS[1]}) == []
    assert gone((0, 1, 5), (1, 1, 6), (2, 1, 7), (3, 1, 8), began={1: DAYS[1]}) == [(2, 1)]
    assert gone((0, 1, 5), (1, 1, 6), began={}) == []


@pytest.mark.parametrize(
    ("today", "months", "sunday"),
    [
        (date(2025, 6, 16), 3, date(2025, 3, 9)),
        (date(2025, 6, 15), 3, date(2025, 3, 9)),
        (date(2025, 6, 17), 3, date(2025, 3, 16)),
        (date(2025, 3, 31), 1, date(2025, 2, 23)),
        (date(2025, 1, 1), 13, date(2023, 11, 26)),
        (date(2025, 1, 1), 100_000, date(1, 1, 7)),
        (date(2, 1, 3), 12, date(1, 1, 7)),
    ],
)
def test_a_week_is_old_once_all_of_it_is(today: date, months: int, sunday: date) -> None:
    assert last_whole_week(today, months) == sunday
    assert sunday.isoweekday() == 7


cells = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 3), *[st.none() | st.integers(0, 5)] * 5),
    unique_by=lambda cell: cell[:2],
).map(sorted)


@given(cells)
def test_whatever_was_seen_the_week_ends_with_the_same(found: list[tuple[Any, ...]]) -> None:
    dropped = gone(*found)

    def end(rows: list[tuple[Any, ...]]) -> dict[tuple[int, int], int]:
        return {(one[1], place): value for one in rows for place, value in enumerate(one[2:]) if value is not None}

    assert end([one for one in found if (one[0], one[1]) not in dropped]) == end(found)
    assert len(dropped) <= len(found) - len({one[1] for one in found if any(value is not None for value in one[2:])})


def test_a_week_is_one_of_mondays() -> None:
    assert {week_of(day) for day in DAYS} == {(MONDAY, DAYS[-1])}
