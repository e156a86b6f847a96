"""What may go of old history so that each week's end stays as it was. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from webapp.rules.growth import mask_of

WEEK = timedelta(days=7)


def week_of(day: date) -> tuple[date, date]:
    """Its Monday and its Sunday."""
    monday = day - timedelta(days=day.weekday())
    return monday, monday + WEEK - timedelta(days=1)


def last_whole_week(today: date, months: int) -> date:
    """The Sunday of the last week that was over so many months ago; the first Sunday there is where months go further."""
    place = today.year * 12 + today.month - 1 - months
    if place < 12:  # noqa: PLR2004  before the year 1
        return week_of(date.min)[1]
    first = date(place // 12, place % 12 + 1, 1)
    monday, _ = week_of(first + timedelta(days=min(today.day, 28) - 1))
    return max(monday, date.min + WEEK) - timedelta(days=1)


def find_superfluous(cells: Iterable[Sequence[Any]], began: Mapping[int, date]) -> list[tuple[date, int]]:
    """The (day, account) of the snapshots of one week without which the week ends as it does.

    cells: (day, account id, *counts), the days in rising order. began: when accounts first counted; that day stays, and
    so does all of one that never did.
    """
    found: list[tuple[date, int]] = []
    later: dict[int, int] = {}  # bits of the metrics that a later day of the week says
    for day, account_id, *counts in reversed([*cells]):
        said, known = mask_of(tuple(counts)), later.get(account_id, 0)
        if not said & ~known and account_id in began and began[account_id] < day:
            found.append((day, account_id))
        later[account_id] = known | said
    return found
