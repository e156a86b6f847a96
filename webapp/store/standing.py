"""Where accounts stood: the snapshots of a stretch of days, and the last one up to a day.

On SQLite the key is (day, account), so whatever is asked of an account is asked day by day; without the days the
whole table would be read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from webapp.model import METRICS, Values
from webapp.rules.growth import Point
from webapp.rules.history import Standing
from webapp.store.accounts import ACCOUNT_COLUMNS, THERE, Account
from webapp.store.heads import as_of_day
from webapp.store.statement import Query, in_order
from webapp.store.tables import account_snapshots, accounts, projects
from webapp.store.types import Count, Day, as_day, as_moment, bind_day

Scope = Literal["project", "account", "all"]


DAY = Day()


COUNTS = tuple(account_snapshots.c[metric] for metric in METRICS)


class Grown(NamedTuple):
    """An account with those of its snapshots that tell where it stood 24 hours before a moment."""

    account: Account
    points: list[Point]


class Ranged(NamedTuple):
    """An account and where it stood at the ends of two days; None before its first snapshot."""

    account: Account
    first: Values | None
    last: Values | None


def everybody(tx: sa.Connection, scope: Scope, of: str | int | None, *, removed: bool = False) -> Iterator[Account]:
    """Every account, with the removed ones if asked for, in no particular order."""
    return (Account.of(row) for row in _everybody(scope, removed).rows(tx, **_scoped(of)))


@cache
def _everybody(scope: Scope, removed: bool) -> Query:
    statement = sa.select(*ACCOUNT_COLUMNS).where(in_scope(scope))
    return Query(lambda _: statement if removed else statement.where(THERE))


def in_scope(scope: Scope) -> sa.ColumnElement[bool]:
    """Which accounts are meant; the value is called `scope`. All: of the projects that are not removed."""
    if scope == "project":
        return accounts.c.project_id == sa.bindparam("scope", type_=sa.Text())
    if scope == "account":
        return accounts.c.id == sa.bindparam("scope", type_=Count())
    there = sa.select(projects.c.id).where(projects.c.removed_at.is_(None))
    return accounts.c.project_id.in_(there)


def cells(
    tx: sa.Connection, scope: Scope, of: str | int | None, start: date, end: date, *, times: bool = False
) -> Iterator[tuple[Any, ...]]:
    """The snapshots from `start` to `end`: (day, account id, *counts), the days in rising order.

    times: the driver time of each snapshot comes behind the counts.
    """
    values = {"scope": of} if of is not None else {}
    asked = _cells(scope, times=times)
    rows = asked.rows(tx, first_day=bind_day(tx, start), last_day=bind_day(tx, end), **values)
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


def standing_at(tx: sa.Connection, scope: Scope, of: str | int | None, day: date) -> Standing:
    """The last snapshot of each account up to and including a day; an account without one is not in it."""
    values = {"scope": of} if of is not None else {}
    rows = _standing(scope).rows(tx, up_to=bind_day(tx, day), **values)
    return {row[0]: (as_day(row[1]), row[2:]) for row in rows}


@cache
def _standing(scope: Scope) -> Query:
    def build(dialect: str) -> sa.Select[Any]:
        last = last_snapshot(dialect, scope, bound_day("up_to"))
        joined = joined_to(accounts, last, outer=False)
        counts = (last.c[metric] for metric in METRICS)
        return sa.select(accounts.c.id, last.c.day, *counts).select_from(joined).where(in_scope(scope))

    return Query(build)


# Accounts and where they stood


_WIDTH = len(ACCOUNT_COLUMNS)
_STOOD = 1 + len(METRICS)  # a day or a moment, and the counts


def grown(tx: sa.Connection, scope: Scope, of: str | int | None, *, removed: bool = False) -> Iterator[Grown]:
    """Every account with its snapshots around the moment 24 hours before its project's `as_of`.

    That moment lies between a day's snapshots: of the day itself, of the one after it, and the last one before.
    """
    for row in _grown(scope, removed).rows(tx, **_scoped(of)):
        yield Grown(Account.of(row[:_WIDTH]), list(_points(row[_WIDTH:])))


def _points(values: tuple[Any, ...]) -> Iterator[Point]:
    for start in range(0, len(values), _STOOD):
        moment = as_moment(values[start])
        if moment is not None:
            yield Point(moment, values[start + 1 : start + _STOOD])


@cache
def _grown(scope: Scope, removed: bool) -> Query:
    def build(dialect: str) -> sa.Select[Any]:
        placed = accounts.join(projects, projects.c.id == accounts.c.project_id)
        before = last_snapshot(dialect, scope, as_of_day(dialect, 2), of=placed)
        same, following = account_snapshots.alias("same_day"), account_snapshots.alias("next_day")
        joined = joined_to(placed, before)
        for table, days in ((same, 1), (following, 0)):
            here = (table.c.account_id == accounts.c.id) & (table.c.day == as_of_day(dialect, days))
            joined = joined.outerjoin(table, here)
        points = [table.c[name] for table in (before, same, following) for name in ("snapshot_time", *METRICS)]
        statement = sa.select(*ACCOUNT_COLUMNS, *points).select_from(joined).where(in_scope(scope))
        return statement if removed else statement.where(THERE)

    return Query(build)


def ranged(
    tx: sa.Connection, scope: Scope, of: str | int | None, first: date, last: date, *, removed: bool = False
) -> Iterator[Ranged]:
    """Every account with where it stood at the ends of both days."""
    values = {"first": bind_day(tx, first), "last": bind_day(tx, last)}
    for row in _ranged(scope, removed).rows(tx, **values, **_scoped(of)):
        first_stood, last_stood = row[_WIDTH : _WIDTH + _STOOD], row[_WIDTH + _STOOD :]
        yield Ranged(Account.of(row[:_WIDTH]), _counts(first_stood), _counts(last_stood))


def _counts(stood: tuple[Any, ...]) -> Values | None:
    """None without a day."""
    return None if stood[0] is None else stood[1:]


@cache
def _ranged(scope: Scope, removed: bool) -> Query:
    def build(dialect: str) -> sa.Select[Any]:
        first, last = (last_snapshot(dialect, scope, bound_day(name), f"{name}_stood") for name in ("first", "last"))
        joined = joined_to(joined_to(accounts, first), last)
        stood = [table.c[name] for table in (first, last) for name in ("day", *METRICS)]
        statement = sa.select(*ACCOUNT_COLUMNS, *stood).select_from(joined).where(in_scope(scope))
        return statement if removed else statement.where(THERE)

    return Query(build)


def _scoped(of: str | int | None) -> dict[str, Any]:
    return {} if of is None else {"scope": of}


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


def _days(first: sa.ColumnElement[Any], last: sa.ColumnElement[Any]) -> sa.CTE:
    """Every day from first to last, rising (SQLite)."""
    days = sa.select(first.label("day")).cte("days", recursive=True)
    return days.union_all(
        sa.select(sa.func.date(days.c.day, sa.literal_column("'+1 day'"), type_=DAY)).where(days.c.day < last)
    )
