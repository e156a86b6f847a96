"""Growth: a difference between two known moments, or nothing at all. Pure, exact, in whole numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, cast

from webapp.model import METRICS, UNKNOWN, Values

DAY = timedelta(hours=24)
MICROSECOND = timedelta(microseconds=1)


class Point(NamedTuple):
    """What an account's counts were at one moment (aware UTC)."""

    at: datetime
    counts: Values


def difference(now: Values, then: Values) -> Values:
    """Per metric; None where either side is unknown. A loss is negative."""
    return tuple(None if n is None or t is None else n - t for n, t in zip(now, then, strict=True))


def value_at(moment: datetime, before: Point, after: Point) -> Values:
    """The counts at a moment between two points, as if they had changed evenly; halves are rounded up."""
    part = (moment - before.at) // MICROSECOND
    whole = (after.at - before.at) // MICROSECOND
    return tuple(_between(x, y, part, whole) for x, y in zip(before.counts, after.counts, strict=True))


def _between(first: int | None, second: int | None, part: int, whole: int) -> int | None:
    if first is None or second is None or whole <= 0:
        return first
    return first + (2 * (second - first) * part + whole) // (2 * whole)


def grown_since(moment: datetime, now: Point, points: Sequence[Point]) -> Values:
    """What the counts have grown by since a moment.

    points: snapshots of the account in rising order, among them the last one up to the moment and the first one
    after it, if there are such. Without the former there is no baseline and nothing is known.
    """
    before = [point for point in points if point.at <= moment]
    if not before:
        return UNKNOWN
    after = next((point for point in points if moment < point.at < now.at), now)
    return difference(now.counts, value_at(moment, before[-1], after))


def day_growth(counts: Values, points: Sequence[Point], as_of: datetime | None) -> Values:
    """What an account grew by in the 24 hours up to `as_of`, the moment its counts are of.

    points: as `grown_since` has them. as_of None: the account was never synced, and nothing is known.
    """
    return UNKNOWN if as_of is None else grown_since(as_of - DAY, Point(as_of, counts), points)


def percent_of(views: int | None, target: int | None) -> float | None:
    """How much of the target the views are; None without views or a target above 0."""
    return None if views is None or not target else 100 * views / target


def total(rows: Iterable[Values]) -> Values:
    """Metric by metric, the sum of what is known; None when nothing is. Missing is not zero."""
    return tuple(map(_sum, _columns(rows)))


def total_difference(now: Iterable[Values], then: Iterable[Values]) -> Values:
    """The sum of the differences of rows, which both sides list in the same order.

    Column by column, because it goes through every snapshot of a history.
    """
    return tuple(map(_difference, _columns(now), _columns(then)))


def _columns(rows: Iterable[Values]) -> list[list[int | None]]:
    """A list per metric. `zip(*rows)` would make an iterator of every row, ten times as slow for many."""
    listed = list(rows)
    return [[row[place] for row in listed] for place in range(len(METRICS))]


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None] if None in values else _known(values)
    return sum(known) if known else None


def _difference(now: Sequence[int | None], then: Sequence[int | None]) -> int | None:
    if None in now or None in then:
        both = [(n, t) for n, t in zip(now, then, strict=True) if n is not None and t is not None]
        return sum(n - t for n, t in both) if both else None
    return sum(_known(now)) - sum(_known(then)) if now else None


def _known(values: Sequence[int | None]) -> Sequence[int]:
    """The same values, where none is unknown."""
    return cast("Sequence[int]", values)
