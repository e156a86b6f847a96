"""All projects together: what they come to, how that came about, and how much of it the time before had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import reduce
from typing import NamedTuple

import sqlalchemy as sa

from webapp.dashboard.charts import ChartDay, from_first_known
from webapp.dashboard.tiles import SPARK_DAYS
from webapp.model import METRICS
from webapp.rules.growth import NO_SUMS, Movement, Sums
from webapp.rules.history import ONE
from webapp.rules.words import compact, day_words
from webapp.store import days as kept_days
from webapp.store.days import MetricSums, Numbers
from webapp.store.ends import DayEnd, Present
from webapp.store.wholes import Crossing, crossings, since_day

VIEWS = METRICS.index("views")


class Course(NamedTuple):
    """One metric of a project from day to day. views: of the latest days. since: what came after the last day, up to now.

    recent: from the first of the days to the last; earlier: over as many days before. is_old: anybody counted at the
    beginning of those.
    """

    days: Sequence[Numbers]
    views: Sequence[int | None]
    since: Sums
    recent: Sums
    earlier: Sums
    is_old: bool


def find_courses(tx: sa.Connection, now: Mapping[str, Sums], place: int, count: int, today: date) -> dict[str, Course]:
    """{project id: its course over so many days, today the last}. now: what the projects come to at present."""
    ids, start = [*now], today - (count - 1) * ONE
    first = start - (count - 1) * ONE
    days = kept_days.of_metric(tx, ids, place, start, today)
    views = days
    if place != VIEWS or count < SPARK_DAYS:
        views = kept_days.of_metric(tx, ids, VIEWS, today - (SPARK_DAYS - 1) * ONE, today)
    at_first, at_start, at_end = (kept_days.sums_at(tx, ids, day) for day in (first, start, today))
    crossed = crossings(tx, ids, first)
    since = since_day(tx, DayEnd(today), Present(), at_end, now, crossed)
    recent = since_day(tx, DayEnd(start), DayEnd(today), at_start, at_end, crossed)
    earlier = since_day(tx, DayEnd(first), DayEnd(start), at_first, at_start, crossed)
    return {
        one: Course(
            days[one],
            _spark(views[one][-SPARK_DAYS:]),
            since[one],
            recent[one],
            earlier[one],
            bool(at_first[one].now[place]),
        )
        for one in ids
    }


def _spark(days: Sequence[Numbers]) -> list[int | None]:
    """What a metric came to, from the first day on which anybody counts; None where nobody counts for it."""
    listed = [*map(MetricSums._make, days)]
    first = next((at for at, day in enumerate(listed) if day.accounts), len(listed))
    return [day.total if day.known else None for day in listed[first:]]


class Compared(NamedTuple):
    """What one metric of all projects grew by, from the end of one day to that of another. earlier: None, not known."""

    start: date
    end: date
    growth: int | None
    joined: int
    left: int
    earlier: int | None

    @property
    def words(self) -> str:
        """`+12.3M from 29 Oct to 27 Nov, 14 % more than in the 29 days before (+10.8M)`.

        What was lost is compared as a loss, and not at all with what was gained.
        """
        days = [day_words(day) for day in (self.start, self.end)]
        if self.start.year == self.end.year:
            days = [day.rsplit(" ", 1)[0] for day in days]
        words = f"{compact(self.growth, sign=True)} from {days[0]} to {days[1]}"
        if self.growth is None or not self.earlier:
            return words
        before, was = f"in the {(self.end - self.start).days} days before", compact(self.earlier, sign=True)
        if (self.growth < 0) != (self.earlier < 0):
            return f"{words}, against {was} {before}"
        percent = round(100 * (self.growth - self.earlier) / self.earlier)
        more, less = ("larger", "smaller") if self.growth < 0 else ("more", "less")
        than = "as much as" if percent == 0 else f"{abs(percent):,} % {more if percent > 0 else less} than"
        loss = "a loss " if self.growth < 0 and percent else ""
        return f"{words}, {loss}{than} {before} ({was})"


def compare(courses: Sequence[Course], place: int, today: date) -> Compared | None:
    """None without projects."""
    if not courses:
        return None
    recent, earlier = (
        reduce(Sums.plus, sums).movement for sums in ([one.recent for one in courses], [one.earlier for one in courses])
    )
    start = today - timedelta(days=len(courses[0].days) - 1)
    was = earlier.growth[place] if any(one.is_old for one in courses) else None
    joined, left = recent.joined[place] or 0, recent.left[place] or 0
    return Compared(start, today, recent.growth[place], joined, left, was)


def comparison_start(start: date, end: date) -> date:
    """The first day that matters where the days between two are compared with as many before."""
    return start - (end - start)


def compare_project(
    tx: sa.Connection,
    project_id: str,
    start: date,
    end: date,
    place: int,
    sums: Mapping[date, Sums],
    crossed: Sequence[Crossing],
) -> Compared | None:
    """What one metric of a project grew by between two days, and over as many days before; None of a single day.

    sums: of each day since `comparison_start`, and maybe of others. crossed: who did since then, or since before.
    """
    if start >= end:
        return None
    first = comparison_start(start, end)

    def moved(since: date, until: date) -> Movement:
        then, now = ({project_id: sums.get(day, NO_SUMS)} for day in (since, until))
        return since_day(tx, DayEnd(since), DayEnd(until), then, now, crossed)[project_id].movement

    recent = moved(start, end)
    was = moved(first, start).growth[place] if sums.get(first, NO_SUMS).now[place] else None
    return Compared(start, end, recent.growth[place], recent.joined[place] or 0, recent.left[place] or 0, was)


def points_of(courses: Sequence[Course], place: int, today: date) -> list[ChartDay]:
    """The days of all projects together, and behind them the present."""
    if not courses:
        return []
    count = len(courses[0].days)
    points = [_point(today - timedelta(days=count - 1 - n), [one.days[n] for one in courses]) for n in range(count)]
    now = reduce(Sums.plus, (one.since for one in courses)).movement
    total, growth, joined, left = (part[place] for part in now)
    if total is not None:
        points.append(ChartDay(today, total, growth, joined, left, now=True))
    return from_first_known(points)


def _point(day: date, parts: Sequence[Numbers]) -> ChartDay:
    total = MetricSums(*map(sum, zip(*parts, strict=True)))
    if not total.known and not total.left:
        return ChartDay(day, None, gap=True)
    value = total.total if total.known else None
    gap = total.accounts > 0 and total.carried == total.accounts and not total.grew  # what grew was observed
    moved = (total.growth, total.joined, total.left)
    return ChartDay(day, value, *moved, carried=total.carried, accounts=total.accounts, gap=gap)
