"""Where accounts stood: the snapshots of a stretch of days, and the last one up to a day.

On SQLite the key is (day, account), so whatever is asked of an account is asked day by day; without the days the
whole table would be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from webapp.model import METRICS, UNKNOWN, Metric, Values
from webapp.rules.growth import ALL, Point, counting, value_at
from webapp.rules.growth import DAY as HOURS_24
from webapp.rules.history import Standing, end_of
from webapp.store.accounts import ACCOUNT_COLUMNS, Account
from webapp.store.heads import as_of_day, as_of_moment
from webapp.store.spans import at_moment, on_account
from webapp.store.statement import Query, bind_ids, ids_in, in_order
from webapp.store.tables import (
    ACCOUNT_THERE,
    PROJECT_THERE,
    account_snapshots,
    account_spans,
    accounts,
    doubts,
    project_days,
    projects,
)
from webapp.store.types import WHEN, Count, Day, UtcDateTime, as_day, as_moment, bind_day, native

Scope = Literal["project", "account", "few", "all"]
Of = str | int | Sequence[int] | None


DAY = Day()


COUNTS = tuple(account_snapshots.c[metric] for metric in METRICS)


class Recent(NamedTuple):
    """An account with what it counts for now, and counted for at an earlier moment; None for what does not count."""

    account: Account
    then: Values
    now: Values


class Ranged(NamedTuple):
    """An account and what it counts for at the ends of two days; None for metrics that do not count there."""

    account: Account
    first: Values
    last: Values


def everybody(tx: sa.Connection, scope: Scope, of: Of, *, removed: bool = False) -> Iterator[Account]:
    """Every account, with the removed ones if asked for, in no particular order."""
    return (Account.of(row) for row in _everybody(scope, removed).rows(tx, **_scoped(tx, of)))


@cache
def _everybody(scope: Scope, removed: bool) -> Query:
    statement = sa.select(*ACCOUNT_COLUMNS).where(in_scope(scope))
    return Query(lambda _: statement if removed else statement.where(ACCOUNT_THERE))


def in_scope(scope: Scope) -> sa.ColumnElement[bool]:
    """Which accounts are meant; the value is called `scope`. All: of the projects that are not removed."""
    if scope == "few":
        return accounts.c.id.op("IN")(ids_in(sa.bindparam("scope")))
    if scope == "project":
        return accounts.c.project_id == sa.bindparam("scope", type_=sa.Text())
    if scope == "account":
        return accounts.c.id == sa.bindparam("scope", type_=Count())
    there = sa.select(projects.c.id).where(PROJECT_THERE)
    return accounts.c.project_id.in_(there)


def cells(
    tx: sa.Connection, scope: Scope, of: Of, start: date, end: date, *, times: bool = False
) -> Iterator[tuple[Any, ...]]:
    """The snapshots from `start` to `end`: (day, account id, *counts), the days in rising order.

    times: the driver time of each snapshot comes behind the counts.
    """
    asked = _cells(scope, times=times)
    rows = asked.rows(tx, first_day=bind_day(tx, start), last_day=bind_day(tx, end), **_scoped(tx, of))
    for text, of_day in groupby(rows, key=itemgetter(0)):
        day = as_day(text)
        yield from ((day, *row[1:]) for row in of_day)


@cache
def _cells(scope: Scope, *, times: bool) -> Query:
    snapshots = account_snapshots
    shown = [snapshots.c.day, snapshots.c.account_id, *COUNTS, *([snapshots.c.snapshot_time] if times else [])]

    def build(dialect: str) -> sa.Select[Any]:
        first, last = bound_day("first_day"), bound_day("last_day")
        mine = sa.select(accounts.c.id).where(in_scope(scope))
        if dialect == "postgresql":
            within = snapshots.c.day.between(first, last)
            return sa.select(*shown).where(snapshots.c.account_id.in_(mine), within).order_by(snapshots.c.day)
        days = _days(first, last)
        # In the order of the table, which the limit keeps SQLite from leaving out: neighbours share a page.
        people = mine.order_by(accounts.c.id).limit(sa.literal_column("-1")).subquery("people")
        here = (snapshots.c.day == days.c.day) & (snapshots.c.account_id == people.c.id)
        joined = in_order(in_order(days, people, sa.true()), snapshots, here)
        return sa.select(*shown).select_from(joined)

    return Query(build)


def standing_at(tx: sa.Connection, scope: Scope, of: Of, day: date) -> Standing:
    """Where each account stood at the end of a day: the day of its last snapshot, and its values carried up to there.

    An account without a snapshot is not in it.
    """
    rows = _standing(scope).rows(tx, up_to=bind_day(tx, day), **_scoped(tx, of))
    return {row[0]: (as_day(row[1]), row[2:]) for row in rows}


@cache
def _standing(scope: Scope) -> Query:
    def build(dialect: str) -> sa.Select[Any]:
        last = last_snapshot(dialect, scope, bound_day("up_to"))
        joined = joined_to(accounts, last, outer=False)
        values = carried_values(dialect, last)
        return sa.select(accounts.c.id, last.c.day, *values).select_from(joined).where(in_scope(scope))

    return Query(build)


# Accounts and where they stood


_WIDTH = len(ACCOUNT_COLUMNS)
_STOOD = 1 + len(METRICS)  # a day or a moment, and the counts


def recent(
    tx: sa.Connection, scope: Scope, of: Of, days_back: int, as_of: Mapping[str, datetime | None]
) -> Iterator[Recent]:
    """Every account, removed or not, now and so many times 24 hours before `as_of` of its project.

    as_of: {project id: the moment the current counts are of}; None: never, and then nothing counts.
    The value of a moment lies between the snapshots around it, or the current counts that count and are not in doubt.
    """
    for row in _recent(scope, days_back).rows(tx, **_scoped(tx, of)):
        account, moment = Account.of(row[:_WIDTH]), as_of[row[1]]
        now = account.contribution
        if moment is None or not row[_WIDTH]:
            yield Recent(account, UNKNOWN, now)
            continue
        believed = counting(now, ALL & ~int(row[_WIDTH + 1] or 0))
        points = [*_points(row[_WIDTH + 2 :]), Point(moment, believed)]
        then = value_at(moment - days_back * HOURS_24, [point for point in points if point.at <= moment])
        yield Recent(account, counting(then, row[_WIDTH]), now)


def _points(values: tuple[Any, ...]) -> list[Point]:
    """values: of each of three snapshots the counts, and when each of them was observed."""
    found: dict[Any, list[int | None]] = {}
    for place in range(0, len(values), 2 * len(METRICS)):
        behind = place + len(METRICS)
        counts, times = values[place:behind], values[behind : behind + len(METRICS)]
        if times.count(times[0]) == len(METRICS) and times[0] not in found:  # mostly all are of one snapshot
            if times[0] is not None:
                found[times[0]] = [*counts]
            continue
        for metric, (count, time) in enumerate(zip(counts, times, strict=True)):
            if count is not None:
                found.setdefault(time, [None] * len(METRICS))[metric] = count
    points = [Point(moment, tuple(counts)) for time, counts in found.items() if (moment := as_moment(time))]
    return sorted(points, key=itemgetter(0))


@cache
def _recent(scope: Scope, days_back: int) -> Query:
    """The moment lies on its day before or after that day's snapshot, so three are asked for.

    A metric that the first or the last of them lacks is looked for before and behind: it is not observed there.
    """

    def build(dialect: str) -> sa.Select[Any]:
        placed = accounts.join(projects, projects.c.id == accounts.c.project_id)
        day = as_of_day(dialect, days_back)
        before = last_snapshot(dialect, scope, as_of_day(dialect, days_back + 1), "before", of=placed)
        same, span = account_snapshots.alias("same_day"), account_spans.alias("span_then")
        after = next_snapshot(dialect, scope, as_of_day(dialect, days_back - 1), "after", of=placed)
        on_same = (same.c.account_id == accounts.c.id) & (same.c.day == day)
        joined = joined_to(joined_to(placed, before).outerjoin(same, on_same), after)
        joined = joined.outerjoin(span, at_moment(span, as_of_moment(dialect, days_back)))
        points = [*_nearest(dialect, before), *_nearest(dialect, before, times=True)]
        points += [*(same.c[metric] for metric in METRICS), *[same.c.snapshot_time] * len(METRICS)]
        points += [*_nearest(dialect, after, later=True), *_nearest(dialect, after, later=True, times=True)]
        return (
            sa.select(*ACCOUNT_COLUMNS, span.c.metrics, in_doubt(), *points).select_from(joined).where(in_scope(scope))
        )

    return Query(build)


def in_doubt() -> sa.ColumnElement[Any]:
    """The bits of the metrics of an account that are in doubt; NULL, without a look at it, where nothing is at all."""
    is_open = doubts.c.state == sa.literal_column("'open'")
    bits = sa.case({metric: 1 << place for place, metric in enumerate(METRICS)}, value=doubts.c.metric)
    mine = sa.select(sa.func.sum(bits.distinct())).where(doubts.c.account_id == accounts.c.id, is_open)
    return sa.case((sa.exists().where(is_open), mine.correlate(accounts).scalar_subquery()))


def ranged(tx: sa.Connection, scope: Scope, of: Of, first: date, last: date) -> Iterator[Ranged]:
    """Every account, removed or not, with what it counts for at the ends of both days."""
    values = {"first": bind_day(tx, first), "last": bind_day(tx, last)}
    ends = {"first_end": _moment(tx, end_of(first)), "last_end": _moment(tx, end_of(last))}
    for row in _ranged(scope).rows(tx, **values, **ends, **_scoped(tx, of)):
        first_stood, last_stood = row[_WIDTH : _WIDTH + _STOOD], row[_WIDTH + _STOOD :]
        yield Ranged(Account.of(row[:_WIDTH]), _counting(first_stood), _counting(last_stood))


def _counting(stood: tuple[Any, ...]) -> Values:
    return counting(stood[1:], stood[0] or 0)


@cache
def _ranged(scope: Scope) -> Query:
    def build(dialect: str) -> sa.Select[Any]:
        joined: sa.FromClause = accounts
        stood: list[Any] = []
        for name in ("first", "last"):
            end = bound_moment(f"{name}_end")
            snapshot = last_snapshot(dialect, scope, bound_day(name), f"{name}_stood")
            span = account_spans.alias(f"{name}_span")
            joined = joined_to(joined, snapshot).outerjoin(span, on_account(span, end))
            stood += [span.c.metrics, *carried_values(dialect, snapshot)]
        return sa.select(*ACCOUNT_COLUMNS, *stood).select_from(joined).where(in_scope(scope))

    return Query(build)


def _scoped(tx: sa.Connection, of: Of) -> dict[str, Any]:
    if of is None:
        return {}
    return {"scope": of if isinstance(of, str | int) else bind_ids(tx, of)}


# Values that are carried forward


def carried_values(dialect: str, snapshot: sa.FromClause) -> list[sa.ColumnElement[Any]]:
    """Per metric the value of a snapshot, or else that of the last one before which has it; NULL where none has.

    Metrics for which an account never counts are not looked for.
    """
    return _nearest(dialect, snapshot)


def _nearest(
    dialect: str, snapshot: sa.FromClause, *, later: bool = False, times: bool = False
) -> list[sa.ColumnElement[Any]]:
    """The same; later: or else of the first one behind which has it. times: when it was observed."""
    found: list[sa.ColumnElement[Any]] = []
    for place, metric in enumerate(METRICS):
        known, name = snapshot.c[metric].is_not(None), "snapshot_time" if times else metric
        spans = account_spans.alias()
        ever = sa.exists().where(spans.c.account_id == accounts.c.id, has_bit(spans.c.metrics, place))
        beyond = _beyond(dialect, snapshot, metric, name, later=later)
        found.append(sa.case((known, snapshot.c[name]), (ever.correlate(accounts), beyond)))
    return found


def _beyond(dialect: str, snapshot: sa.FromClause, metric: Metric, name: str, *, later: bool) -> sa.ColumnElement[Any]:
    """A column of the last snapshot before one, or the first behind, that has a metric.

    On SQLite day by day, by the days that the project has.
    """
    other, days = account_snapshots.alias(), project_days.alias()
    day = other.c.day if dialect == "postgresql" else days.c.day
    found = sa.select(other.c[name]).limit(sa.literal_column("1")).where(other.c[metric].is_not(None))
    found = found.where(day > snapshot.c.day if later else day < snapshot.c.day)
    found = found.order_by(day if later else day.desc())
    if dialect == "postgresql":
        found = found.where(other.c.account_id == accounts.c.id)
    else:
        here = (other.c.day == days.c.day) & (other.c.account_id == accounts.c.id)
        found = found.select_from(in_order(days, other, here)).where(days.c.project_id == accounts.c.project_id)
    return found.correlate(accounts, snapshot).scalar_subquery()


def has_bit(bits: sa.ColumnElement[Any], place: int) -> sa.ColumnElement[bool]:
    """Whether the bit of METRICS[place] is set."""
    return bits.op("&")(sa.literal_column(str(1 << place))) != sa.literal_column("0")


# The last snapshot up to a day


def last_snapshot(
    dialect: str, scope: Scope, up_to: sa.ColumnElement[Any], name: str = "last", of: sa.FromClause = accounts
) -> sa.FromClause:
    """The last snapshot of each account up to a day, as a table for `joined_to`.

    up_to: the day, a value or an expression over `of`, which holds the accounts.
    """
    if dialect == "postgresql":
        return _last_by_index(up_to, name)
    return _last_by_days(scope, up_to, name, of)


def next_snapshot(
    dialect: str, scope: Scope, from_day: sa.ColumnElement[Any], name: str, of: sa.FromClause = accounts
) -> sa.FromClause:
    """The first snapshot of each account from a day on, as a table for `joined_to`."""
    if dialect == "postgresql":
        mine = (account_snapshots.c.account_id == accounts.c.id) & (account_snapshots.c.day >= from_day)
        following = sa.select(account_snapshots).where(mine).order_by(account_snapshots.c.day)
        return following.limit(sa.literal_column("1")).lateral(name)
    begin = sa.select(accounts.c.id, from_day.label("day")).select_from(of).where(in_scope(scope))
    look = begin.cte(f"{name}_look", recursive=True)
    there = account_snapshots.alias()
    found = sa.exists().where(there.c.day == look.c.day, there.c.account_id == look.c.id)
    look = look.union_all(sa.select(look.c.id, _day_after(look.c.day)).where(look.c.day.is_not(None), ~found))
    here = (account_snapshots.c.day == look.c.day) & (account_snapshots.c.account_id == look.c.id)
    return sa.select(account_snapshots).select_from(in_order(look, account_snapshots, here)).subquery(name)


def _day_after(day: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The next day on which anybody has a snapshot; NULL behind the last."""
    there = account_snapshots.alias()
    return sa.select(sa.func.min(there.c.day)).where(there.c.day > day).scalar_subquery()


def joined_to(left: sa.FromClause, last: sa.FromClause, *, outer: bool = True) -> sa.FromClause:
    """What holds the accounts, with the last snapshot of each; outer: with the accounts that have none."""
    on = sa.true() if isinstance(last, sa.Lateral) else last.c.account_id == accounts.c.id
    return left.join(last, on, isouter=outer)


def _last_by_index(up_to: sa.ColumnElement[Any], name: str) -> sa.FromClause:
    mine = (account_snapshots.c.account_id == accounts.c.id) & (account_snapshots.c.day <= up_to)
    latest = sa.select(account_snapshots).where(mine).order_by(account_snapshots.c.day.desc())
    return latest.limit(sa.literal_column("1")).lateral(name)


def _last_by_days(scope: Scope, up_to: sa.ColumnElement[Any], name: str, of: sa.FromClause) -> sa.FromClause:
    """Back from day to day, only with the accounts that were not found yet."""
    begin = sa.select(accounts.c.id, up_to.label("day")).select_from(of).where(in_scope(scope))
    look = begin.cte(f"{name}_look", recursive=True)
    there = account_snapshots.alias()
    found = sa.exists().where(there.c.day == look.c.day, there.c.account_id == look.c.id)
    look = look.union_all(
        sa.select(look.c.id, _day_before(look.c.day)).where(look.c.day > _first_day(scope, name), ~found)
    )
    here = (account_snapshots.c.day == look.c.day) & (account_snapshots.c.account_id == look.c.id)
    return sa.select(account_snapshots).select_from(in_order(look, account_snapshots, here)).subquery(name)


def _day_before(day: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The last day before this one on which anybody has a snapshot; NULL before the first."""
    there = account_snapshots.alias()
    return sa.select(sa.func.max(there.c.day)).where(there.c.day < day).scalar_subquery()


def _first_day(scope: Scope, name: str) -> sa.ColumnElement[Any]:
    """No account of the scope has a snapshot before this day.

    A young project in an old database would otherwise be looked for through all the years before it: the first days
    are passed over as long as nobody with an id in the project's range has a snapshot.
    """
    low, high = (sa.select(bound(accounts.c.id)).where(in_scope(scope)).scalar_subquery() for bound in BOUNDS)
    there = account_snapshots.alias()

    def anybody(day: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        ours = account_snapshots.alias()
        return sa.exists().where(ours.c.day == day, ours.c.account_id.between(low, high))

    first = sa.select(sa.func.min(there.c.day)).scalar_subquery()
    up = sa.select(first.label("day")).cte(f"{name}_first", recursive=True)
    after = account_snapshots.alias()
    following = sa.select(sa.func.min(after.c.day)).where(after.c.day > up.c.day).scalar_subquery()
    up = up.union_all(sa.select(following).where(up.c.day.is_not(None), ~anybody(up.c.day)))
    return sa.select(sa.func.max(up.c.day)).scalar_subquery()


BOUNDS = (sa.func.min, sa.func.max)


def bound_day(name: str) -> sa.ColumnElement[Any]:
    """A day that is given with the question."""
    return sa.bindparam(name, type_=DAY)


def bound_moment(name: str) -> sa.ColumnElement[Any]:
    """A moment that is given with the question."""
    return sa.bindparam(name, type_=UtcDateTime())


def _moment(tx: sa.Connection, moment: datetime) -> Any:
    return native(tx, WHEN, moment)


def _days(first: sa.ColumnElement[Any], last: sa.ColumnElement[Any]) -> sa.CTE:
    """Every day from first to last, rising (SQLite)."""
    days = sa.select(first.label("day")).cte("days", recursive=True)
    return days.union_all(
        sa.select(sa.func.date(days.c.day, sa.literal_column("'+1 day'"), type_=DAY)).where(days.c.day < last)
    )
