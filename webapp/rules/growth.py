"""Growth: how a sum came from one moment to a later one. Pure, exact, in whole numbers.

An account counts for a metric from its first value on, while it belongs to its project, is not off and its metric has
not been cleared. Between two moments `growth` is what the accounts grew by that count at both, `joined` what those
brought that began to count, `left` what those took, as a negative number, that ceased to. So always

    total(b) = total(a) + growth + joined + left

Everything that shows growth, for days, for hours or for a day's bar, takes it from here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from operator import add, sub
from typing import NamedTuple

from webapp.model import METRICS, UNKNOWN, Values

DAY = timedelta(hours=24)
SECOND = timedelta(seconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Numbers = tuple[int, ...]  # one for each metric


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


BITS = tuple(1 << place for place in range(len(METRICS)))


def mask_of(values: Values) -> int:
    """The bits of the metrics that have a value."""
    if None not in values:
        return ALL
    mask = 0
    for bit, value in zip(BITS, values, strict=True):
        if value is not None:
            mask |= bit
    return mask


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


class Sums(NamedTuple):
    """A movement as sums that can be added to those of others: the sums of a whole are those of its parts.

    total, growth, joined, left: as in a Movement, 0 where there is nothing. now, both, then: accounts that count at the
    later moment, at both, and at the earlier one. accounts: that count for any metric at the later one. carried: those
    of them of which any metric that counts has no value of the day; 0 between moments.
    """

    total: Numbers
    growth: Numbers
    joined: Numbers
    left: Numbers
    now: Numbers
    both: Numbers
    then: Numbers
    accounts: int
    carried: int

    @property
    def movement(self) -> Movement:
        some = [a + b for a, b in zip(self.now, self.then, strict=True)]
        return Movement(
            self.known_total,
            _known(self.growth, self.both),
            _known(self.joined, some),
            _known(self.left, some),
        )

    @property
    def known_total(self) -> Values:
        """The total; None where nobody counts."""
        return _known(self.total, self.now)

    def plus(self, other: Sums) -> Sums:
        return self._combine(other, add)

    def minus(self, other: Sums) -> Sums:
        return self._combine(other, sub)

    def _combine(self, other: Sums, by: Callable[[int, int], int]) -> Sums:
        parts = [tuple(map(by, mine, theirs)) for mine, theirs in zip(self[:-2], other[:-2], strict=True)]
        return Sums._make([*parts, by(self.accounts, other.accounts), by(self.carried, other.carried)])

    def from_nothing(self) -> Sums:
        """The same, if nobody had counted before: all have joined."""
        none = (0,) * len(METRICS)
        return Sums(self.total, none, self.total, none, self.now, none, none, self.accounts, self.carried)

    def before(self) -> Sums:
        """The sums at the earlier moment, as if all had just joined."""
        none = (0,) * len(METRICS)
        parts = zip(self.total, self.growth, self.joined, self.left, strict=True)
        total = tuple(total - growth - joined - left for total, growth, joined, left in parts)
        return Sums(total, none, total, none, self.then, none, none, 0, 0)

    def carry(self) -> Sums:
        """The next day, if nothing is observed and nobody comes or goes."""
        none = (0,) * len(METRICS)
        return Sums(self.total, none, none, none, self.now, self.now, self.now, self.accounts, self.accounts)


NO_SUMS = Sums._make([*[(0,) * len(METRICS)] * 7, 0, 0])


def _known(values: Sequence[int], counts: Sequence[int]) -> Values:
    return tuple(value if count else None for value, count in zip(values, counts, strict=True))


def movement(pairs: Iterable[tuple[Values, Values]]) -> Movement:
    """What accounts amount to, and how that came about.

    pairs: of each account the counts at the earlier and at the later moment, None where a metric does not count.
    """
    return sums(pairs).movement


def sums(pairs: Iterable[tuple[Values, Values]]) -> Sums:
    """The same as sums."""
    listed = list(pairs)
    columns = [_sums([(then[place], now[place]) for then, now in listed]) for place in range(len(METRICS))]
    return Sums._make([*zip(*columns, strict=True), sum(now != UNKNOWN for _, now in listed), 0])


def joined_sums(counts: Sequence[Values]) -> Sums:
    """The sums of accounts of which none counted before. counts: of each, None where a metric does not count."""
    members = Counter(map(mask_of, counts))
    totals = tuple(sum(filter(None, column)) for column in zip(*counts, strict=True)) or NO_SUMS.total
    known = tuple(sum(number for mask, number in members.items() if mask & bit) for bit in BITS)
    return NO_SUMS._replace(total=totals, joined=totals, now=known, accounts=len(counts) - members[0])


def _sums(pairs: Sequence[tuple[int | None, int | None]]) -> Numbers:
    """One metric: total, growth, joined, left, now, both, then."""
    both = [(then, now) for then, now in pairs if then is not None and now is not None]
    joined = [now for then, now in pairs if then is None and now is not None]
    left = [then for then, now in pairs if now is None and then is not None]
    before, after = sum(then for then, _ in both), sum(now for _, now in both)
    counts = (len(both) + len(joined), len(both), len(both) + len(left))
    return (after + sum(joined), after - before, sum(joined), -sum(left), *counts)


def value_at(moment: datetime, points: Sequence[Point]) -> Values:
    """An account's counts at a moment, as if each metric had changed evenly between the points around it.

    points: in rising order; a metric that is None at a point was not observed there. Parts of a second do not matter,
    halves are rounded up. Before the first point of a metric it is None; behind the last one the last value stands.
    """
    second = _seconds(moment)
    times = [_seconds(point.at) for point in points]
    behind = bisect_right(times, second)  # the first point behind the moment
    if not behind:
        return UNKNOWN
    around = points[behind - 1 : behind + 1]
    if any(None in point.counts for point in around):  # some metric lies between other points than these
        columns = zip(*(point.counts for point in points), strict=True)
        return tuple(_value_at(second, zip(times, values, strict=True)) for values in columns)
    if behind == len(points):
        return tuple(points[-1].counts)
    part, whole = second - times[behind - 1], times[behind] - times[behind - 1]
    return tuple(_between(was, now, part, whole) for was, now in zip(*(point.counts for point in around), strict=True))


def _seconds(moment: datetime) -> int:
    return (moment - EPOCH) // SECOND


def _value_at(moment: int, points: Iterable[tuple[int, int | None]]) -> int | None:
    before: tuple[int, int] | None = None
    for at, value in points:
        if value is None:
            continue
        if at > moment:
            return None if before is None else _between(before[1], value, moment - before[0], at - before[0])
        before = at, value
    return None if before is None else before[1]


def _between(was: int, now: int, part: int, whole: int) -> int:
    """part: of the whole time from one to the other."""
    return was + (2 * (now - was) * part + whole) // (2 * whole)


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
