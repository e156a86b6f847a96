"""History: what many accounts, or one, amounted to on each day. Pure.

A day's value of an account is its snapshot; a metric that has none of the day carries its last one forward. An account
counts on a day when it counts at the day's end. `Days` is the plain rule; `project_days` in the store holds the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby, zip_longest
from operator import itemgetter
from typing import Any, NamedTuple

from webapp.model import METRICS, UNKNOWN, Values, larger
from webapp.rules.growth import Movement, Sums, counting, difference

ONE = timedelta(days=1)


def days_between(start: date, end: date) -> Iterator[date]:
    """Every day, both ends included."""
    return (start + timedelta(days=n) for n in range((end - start).days + 1))


def end_of(day: date) -> datetime:
    """The moment at which a UTC day is over."""
    return datetime.combine(day + ONE, time(), UTC)


class Span(NamedTuple):
    """A time in which an account counts. until: the first moment it does not; None: it still does.

    metrics: bit i is set when METRICS[i] counts. The spans of one account do not overlap.
    """

    account_id: int
    since: datetime
    until: datetime | None
    metrics: int

    def covers(self, moment: datetime) -> bool:
        return self.since <= moment and (self.until is None or moment < self.until)

    def covers_day(self, day: date) -> bool:
        """Whether the account counts on a day: at its end."""
        end = end_of(day)
        return self.since < end and (self.until is None or self.until >= end)


# account id -> the day of its last snapshot, and its values carried up to there, whether they count or not
Standing = Mapping[int, tuple[date, Values]]


class ProjectDay(NamedTuple):
    """One day of many accounts, measured against the day before.

    accounts: that count for any metric. carried: those of them of which any metric that counts has no value of the day.
    """

    day: date
    sums: Sums

    @property
    def movement(self) -> Movement:
        return self.sums.movement

    @property
    def accounts(self) -> int:
        return self.sums.accounts

    @property
    def carried(self) -> int:
        return self.sums.carried

    @property
    def total(self) -> Values:
        return self.sums.known_total

    @property
    def is_observed(self) -> bool:
        """Whether anything is known to be of the day: an account without a blank, or what grew."""
        return self.carried < self.accounts or any(self.movement.growth)


class AccountDay(NamedTuple):
    """One day of one account. start: where it stood at the end of the day before; None where it did not count.

    carried: bits of the metrics that have no value of this day.
    """

    day: date
    start: Values
    end: Values
    carried: int

    @property
    def growth(self) -> Values:
        return difference(self.end, self.start)


class DayGap(NamedTuple):
    """A day on which `missing` of so many accounts have no snapshot."""

    day: date
    accounts: int
    missing: set[int]


def history(
    start: date, end: date, before: Standing, cells: Iterable[Sequence[Any]], spans: Iterable[Span]
) -> list[ProjectDay]:
    """The days from the first one on which anybody counts, or did the day before.

    before: where accounts stood at the end of the day before `start`. cells: (day, account id, *counts) of the
    snapshots from `start` to `end`, by day.
    """
    return project_days(day_sums(start, end, before, cells, spans))


def project_days(sums: Mapping[date, Sums]) -> list[ProjectDay]:
    """The days from the first one on which anybody counts, or did the day before."""
    days = [ProjectDay(day, one) for day, one in sorted(sums.items())]
    first = next((place for place, one in enumerate(days) if one.accounts or any(one.sums.then)), len(days))
    return days[first:]


def day_sums(
    start: date, end: date, before: Standing, cells: Iterable[Sequence[Any]], spans: Iterable[Span]
) -> dict[date, Sums]:
    """The sums of every day."""
    days = _Days(start - ONE, before, spans)
    return {day: days.step(day, rows) for day, rows in _each_day(start, end, cells)}


class _Days:
    """From day to day: the values of every account that counts, and their sums; only what changes is touched."""

    def __init__(self, day: date, before: Standing, spans: Iterable[Span]) -> None:
        self.carried = {account_id: values for account_id, (_, values) in before.items()}
        self.spans: dict[int, list[Span]] = {}
        self.turns: dict[date, set[int]] = {}  # the first day on which a span of an account has another effect
        for span in spans:
            self.spans.setdefault(span.account_id, []).append(span)
            for moment in (span.since, span.until):
                if moment is not None:
                    self.turns.setdefault(moment.astimezone(UTC).date(), set()).add(span.account_id)
        self.values: dict[int, Values] = {}
        self.sums = [0] * len(METRICS)
        self.known = [0] * len(METRICS)  # accounts that count
        for account_id in self.spans:
            self._put(account_id, self._value(account_id, day))

    def step(self, day: date, rows: Mapping[int, Values]) -> Sums:
        """One day later. rows: the snapshots of the day."""
        for account_id, fresh in rows.items():
            old = self.carried.get(account_id, UNKNOWN)
            self.carried[account_id] = tuple(o if f is None else f for f, o in zip(fresh, old, strict=True))
        before, then = list(self.sums), list(self.known)
        joined, left, gone = ([0] * len(METRICS) for _ in range(3))
        for account_id in rows.keys() | self.turns.get(day, set()):
            old, now = self.values.get(account_id, UNKNOWN), self._value(account_id, day)
            for place, (o, n) in enumerate(zip(old, now, strict=True)):
                joined[place] += n if o is None and n is not None else 0
                left[place] -= o if n is None and o is not None else 0
                gone[place] += n is None and o is not None
            self._put(account_id, now)
        moved = zip(self.sums, before, joined, left, strict=True)
        return Sums(
            tuple(self.sums),
            tuple(after - earlier - j - le for after, earlier, j, le in moved),
            tuple(joined),
            tuple(left),
            tuple(self.known),
            tuple(t - g for t, g in zip(then, gone, strict=True)),
            tuple(then),
            len(self.values),
            self._carried(rows),
        )

    def _value(self, account_id: int, day: date) -> Values:
        mask = next((span.metrics for span in self.spans.get(account_id, ()) if span.covers_day(day)), 0)
        return counting(self.carried.get(account_id, UNKNOWN), mask)

    def _put(self, account_id: int, now: Values) -> None:
        then = self.values.pop(account_id, UNKNOWN)
        if now != UNKNOWN:
            self.values[account_id] = now
        for place, (t, n) in enumerate(zip(then, now, strict=True)):
            self.sums[place] += (n or 0) - (t or 0)
            self.known[place] += (n is not None) - (t is not None)

    def _carried(self, rows: Mapping[int, Values]) -> int:
        whole = sum(
            all(fresh[i] is not None for i, value in enumerate(self.values[account_id]) if value is not None)
            for account_id, fresh in rows.items()
            if account_id in self.values
        )
        return len(self.values) - whole


def days_of(
    start: date, end: date, before: Standing, cells: Iterable[Sequence[Any]], spans: Sequence[Span]
) -> list[AccountDay]:
    """The days of one account on which it counts, from the first on."""
    found = {cell[0]: tuple(cell[2:]) for cell in cells}
    carried = next((values for _, values in before.values()), UNKNOWN)
    stood = counting(carried, _mask(spans, start - ONE))
    days: list[AccountDay] = []
    for day in days_between(start, end):
        fresh = found.get(day, UNKNOWN)
        carried = tuple(c if f is None else f for f, c in zip(fresh, carried, strict=True))
        now = counting(carried, _mask(spans, day))
        if now != UNKNOWN:
            missing = sum(1 << i for i, value in enumerate(now) if value is not None and fresh[i] is None)
            days.append(AccountDay(day, stood, now, missing))
        stood = now
    return days


def _mask(spans: Iterable[Span], day: date) -> int:
    return next((span.metrics for span in spans if span.covers_day(day)), 0)


def gaps(
    start: date, end: date, before: Standing, cells: Iterable[Sequence[Any]], spans: Iterable[Span]
) -> list[DayGap]:
    """The days on which an account that counts has no snapshot although it had one before."""
    mine: dict[int, list[Span]] = {}
    for span in spans:
        mine.setdefault(span.account_id, []).append(span)
    known = set(before)
    found = []
    for day, rows in _each_day(start, end, cells):
        known |= rows.keys()
        there = {i for i in known if _mask(mine.get(i, ()), day)} | rows.keys()
        missing = there - rows.keys()
        if missing:
            found.append(DayGap(day, len(there), missing))
    return found


def _each_day(start: date, end: date, cells: Iterable[Sequence[Any]]) -> Iterator[tuple[date, Mapping[int, Values]]]:
    """Every day with its snapshots; only one day is in memory at a time."""
    groups = ((day, {row[1]: tuple(row[2:]) for row in rows}) for day, rows in groupby(cells, key=itemgetter(0)))
    upcoming = next(groups, None)
    for day in days_between(start, end):
        if upcoming is not None and upcoming[0] == day:
            yield upcoming
            upcoming = next(groups, None)
        else:
            yield day, {}


# Two accounts that are one


def union(mine: Iterable[Span], theirs: Iterable[Span], account_id: int) -> list[Span]:
    """When an account counts that is two: whenever, and for whatever, one of them does."""
    both = [*mine, *theirs]
    turns = sorted({moment for span in both for moment in (span.since, span.until) if moment is not None})
    found: list[Span] = []
    for since, until in zip_longest(turns, turns[1:]):
        bits = 0
        for span in both:
            bits |= span.metrics if span.covers(since) else 0
        if found and found[-1].until == since and found[-1].metrics == bits:
            found[-1] = found[-1]._replace(until=until)
        elif bits:
            found.append(Span(account_id, since, until, bits))
    return found


class Past(NamedTuple):
    """The snapshots of one account, and when it counted."""

    days: Mapping[date, Values]
    spans: Sequence[Span]

    def stood(self, day: date) -> Values:
        """What it counted for on a day, each metric carried."""
        stood = UNKNOWN
        for one in sorted(self.days):
            if one <= day:
                stood = tuple(map(_newer, self.days[one], stood))
        return counting(stood, _mask(self.spans, day))


def larger_days(
    mine: Mapping[date, Values], theirs: Mapping[date, Values], my_spans: Sequence[Span], their_spans: Sequence[Span]
) -> dict[date, Values]:
    """The snapshots of an account that is two: of each day and metric that one of them has, the larger value.

    What one has not of a day it carries, as long as it counts.
    """
    stood, met = [UNKNOWN, UNKNOWN], {}
    for day in sorted({*mine, *theirs}):
        fresh = (mine.get(day, UNKNOWN), theirs.get(day, UNKNOWN))
        stood = [tuple(map(_newer, f, s)) for f, s in zip(fresh, stood, strict=True)]
        there = [counting(s, _mask(spans, day)) for s, spans in zip(stood, (my_spans, their_spans), strict=True)]
        values = [tuple(map(_newer, f, t)) for f, t in zip(fresh, there, strict=True)]
        seen = [f is not None or g is not None for f, g in zip(*fresh, strict=True)]
        met[day] = tuple(larger(a, b) if s else None for a, b, s in zip(*values, seen, strict=True))
    return met


def _newer(fresh: int | None, old: int | None) -> int | None:
    return old if fresh is None else fresh
