"""When a target is reached, if it goes on as it did. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from math import ceil

LOOK_BACK = 28  # days that say the pace: four of each weekday
LEAST = 3  # days of which something has to be known
FURTHEST = timedelta(days=3650)  # beyond that nobody can tell


def reached_on(growths: Sequence[tuple[date, int | None]], value: int | None, target: int, today: date) -> date | None:
    """The day on which a number reaches its target at the pace of the last four weeks; None: it does not, or nobody knows.

    growths: of each day, oldest first, without what joined and left; of a day after a gap, of the whole gap. None: not
    known. value: the number now. A target that is reached is reached today.
    """
    if value is None:
        return None
    if value >= target:
        return today
    pace = pace_of(growths, today)
    if pace is None or pace <= 0:
        return None
    days = ceil((target - value) / pace)
    return today + timedelta(days) if days <= FURTHEST.days else None


def pace_of(growths: Sequence[tuple[date, int | None]], today: date) -> float | None:
    """Growth a day over the last four weeks; None where too few days are known. growths: as above."""
    known = [(day, growth) for day, growth in growths if growth is not None]
    recent = [(day, growth) for day, growth in known if today - day <= timedelta(LOOK_BACK)]
    if len(recent) < LEAST:
        return None
    first, last = recent[0][0], recent[-1][0]
    # The first of them may be the growth of a long gap: it counts as the days that it has, or not where nobody knows.
    if len(known) > len(recent):
        since = known[-len(recent) - 1][0]
    elif growths[0][0] < first:
        since, recent = first, recent[1:]
    else:
        since = first - timedelta(1)
    return sum(growth for _, growth in recent) / (last - since).days
