"""Growth: how a sum came from one moment to a later one. Pure, exact, in whole numbers.

An account counts for a metric from its first value on, while it belongs to its project, is not off and its metric has
not been cleared. Between two moments `growth` is what the accounts grew by that count at both, `joined` what those
brought that began to count, `left` what those took, as a negative number, that ceased to. So always

    total(b) = total(a) + growth + joined + left

Everything that shows growth, for days, for hours or for a day's bar, takes it from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from webapp.model import METRICS, UNKNOWN, Values

DAY = timedelta(hours=24)
MICROSECOND = timedelta(microseconds=1)


class Point(NamedTuple):
    """What an account's counts were at one moment (aware UTC)."""

    at: datetime
    counts: Values


class Movement(NamedTuple):
    """A sum at the later of two moments, and how it came there; per metric.

    total: None where nobody counts. growth: None where nobody counts at both. joined, left: None where nobody counts at
    either.
    """

    total: Values = UNKNOWN
    growth: Values = UNKNOWN
    joined: Values = UNKNOWN
    left: Values = UNKNOWN

    @property
    def delta(self) -> Values:
        """Total less the total before: growth, joined and left together."""
        return tuple(map(_sum, zip(self.growth, self.joined, self.left, strict=True)))


ALL = (1 << len(METRICS)) - 1  # a bit for each metric


def counting(values: Values, mask: int) -> Values:
    """The values of the metrics that count: bit i of the mask stands for METRICS[i]."""
    if mask == ALL:
        return tuple(values)
    if not mask:
        return UNKNOWN
    return tuple(value if mask >> place & 1 else None for place, value in enumerate(values))


def mask_of(values: Values) -> int:
    """The bits of the metrics that have a value."""
    return sum(1 << place for place, value in enumerate(values) if value is not None)


def difference(now: Values, then: Values) -> Values:
    """Per metric; None where either side is unknown. A loss is negative."""
    return tuple(None if n is None or t is None else n - t for n, t in zip(now, then, strict=True))


def percent_of(views: int | None, target: int | None) -> float | None:
    """How much of the target the views are; None without views or a target above 0."""
    return None if views is None or not target else 100 * views / target


def progress(views: int | None, target: int | None) -> tuple[float | None, float | None]:
    """Percent of the target to two decimals, and the same capped at 100; None as for `percent_of`."""
    percent = percent_of(views, target)
    if percent is None:
        return None, None
    percent = round(percent, 2)
    return percent, min(percent, 100.0)


def total(rows: Iterable[Values]) -> Values:
    """Metric by metric, the sum of what is known; None when nothing is. Missing is not zero."""
    listed = list(rows)
    return tuple(_sum([row[place] for row in listed]) for place in range(len(METRICS)))


def movement(pairs: Iterable[tuple[Values, Values]]) -> Movement:
    """What accounts amount to, and how that came about.

    pairs: of each account the counts at the earlier and at the later moment, None where a metric does not count.
    """
    listed = list(pairs)
    sums = [_Sum() for _ in METRICS]
    for place, one in enumerate(sums):  # column by column: a sum is looked up once
        add = one.add
        for before, after in listed:
            add(before[place], after[place])
    return Movement(*(tuple(getattr(one, name) for one in sums) for name in Movement._fields))


class _Sum:
    """One metric of a movement, growing."""

    __slots__ = ("growth", "joined", "left", "total")

    def __init__(self) -> None:
        self.total: int | None = None
        self.growth: int | None = None
        self.joined: int | None = None
        self.left: int | None = None

    def add(self, then: int | None, now: int | None) -> None:
        if then is None and now is None:
            return
        if self.joined is None or self.left is None:
            self.joined = self.left = 0
        if now is not None:
            self.total = (self.total or 0) + now
        if then is None:
            self.joined += now or 0
        elif now is None:
            self.left -= then
        else:
            self.growth = (self.growth or 0) + now - then


def value_at(moment: datetime, points: Sequence[Point]) -> Values:
    """An account's counts at a moment, as if each metric had changed evenly between the points around it.

    points: in rising order; a metric that is None at a point was not observed there. Halves are rounded up. Before
    the first point of a metric it is None; behind the last one the last value stands.
    """
    return tuple(_value_at(moment, [(p.at, p.counts[place]) for p in points]) for place in range(len(METRICS)))


def _value_at(moment: datetime, points: Iterable[tuple[datetime, int | None]]) -> int | None:
    before: tuple[datetime, int] | None = None
    for at, value in points:
        if value is None:
            continue
        if at > moment:
            return None if before is None else _between(before, (at, value), moment)
        before = at, value
    return None if before is None else before[1]


def _between(before: tuple[datetime, int], after: tuple[datetime, int], moment: datetime) -> int:
    part, whole = (moment - before[0]) // MICROSECOND, (after[0] - before[0]) // MICROSECOND
    return before[1] + (2 * (after[1] - before[1]) * part + whole) // (2 * whole)


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
