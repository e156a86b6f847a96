"""Accounts as readers see them: a page in the order of a number, or all of them with where they stood before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from webapp.clock import utc_day
from webapp.model import METRICS, Metric, Mode, Values
from webapp.rules.growth import Point
from webapp.store.reads.heads import as_of_day
from webapp.store.reads.standing import Scope, bound_day, in_scope, joined_to, last_snapshot
from webapp.store.statement import Query
from webapp.store.tables import account_snapshots, accounts, projects
from webapp.store.types import Count, UtcDateTime, as_moment, bind_day


class Account(NamedTuple):
    """One account with its current counts. Times are driver values."""

    id: int
    project_id: str
    platform: str
    username: str | None
    profile_url: str
    topic: str | None
    owner: str | None
    status: str | None
    mode: Mode
    discovered: Literal["sheet", "api"]
    followers: int | None
    likes: int | None
    comments: int | None
    videos: int | None
    views: int | None
    changed_at: Any
    added_at: Any
    removed_at: Any

    @property
    def counts(self) -> Values:
        return self[10:15]

    @property
    def left(self) -> date | None:
        """Its first day outside the project; None while it is in it."""
        moment = as_moment(self.removed_at)
        return None if moment is None else utc_day(moment)


class Grown(NamedTuple):
    """An account with those of its snapshots that tell where it stood 24 hours before a moment."""

    account: Account
    points: list[Point]


class Ranged(NamedTuple):
    """An account and where it stood at the ends of two days; None before its first snapshot."""

    account: Account
    first: Values | None
    last: Values | None


_COLUMNS = tuple(accounts.c[name] for name in Account._fields)
_WIDTH = len(_COLUMNS)
_IS_THERE = accounts.c.removed_at.is_(None)


def page(
    tx: sa.Connection,
    project_id: str,
    *,
    limit: int,
    metric: Metric | None = None,
    descending: bool = False,
    platform: str | None = None,
    after: tuple[int | None, int] | None = None,
) -> list[Account]:
    """Accounts of a project by a metric, those without it last, and by id among equals; by id alone without a metric.

    after: metric and id of the account that the page follows; without a metric only the id counts.
    """
    behind, values = _page_values(project_id, limit, platform, after, metric)
    asked = _page(metric, descending, platform is not None, behind)
    return [Account._make(row) for row in asked.rows(tx, **values)]


def _page_values(
    project_id: str, limit: int, platform: str | None, after: tuple[int | None, int] | None, metric: Metric | None
) -> tuple[str | None, dict[str, Any]]:
    """Which kind of place the page follows, and the values of its question."""
    values: dict[str, Any] = {"scope": project_id, "limit": limit}
    if platform is not None:
        values["platform"] = platform
    if after is None:
        return None, values
    values["after_id"] = after[1]
    if after[0] is None:
        return "null", values
    return "number", values | ({"after": after[0]} if metric else {})


@cache
def _page(metric: Metric | None, descending: bool, by_platform: bool, behind: str | None) -> Query:
    statement = _page_select(metric, descending, by_platform, behind)
    return Query(lambda _: statement)


def _page_select(metric: Metric | None, descending: bool, by_platform: bool, behind: str | None) -> sa.Select[Any]:
    statement = sa.select(*_COLUMNS).where(in_scope("project"), _IS_THERE)
    if by_platform:
        statement = statement.where(accounts.c.platform == sa.bindparam("platform", type_=sa.Text()))
    if behind is not None:
        statement = statement.where(_behind(metric, descending, behind))
    if metric is not None:
        column = accounts.c[metric]
        statement = statement.order_by(column.is_(None), column.desc() if descending else column)
    return statement.order_by(accounts.c.id).limit(sa.bindparam("limit", type_=Count()))


def json_lines(
    tx: sa.Connection,
    project_id: str,
    *,
    limit: int,
    metric: Metric | None = None,
    descending: bool = False,
    platform: str | None = None,
    after: tuple[int | None, int] | None = None,
) -> list[str]:
    """As `page`, each account as a JSON object that SQLite has written: the fields of `Account`, times in RFC 3339.

    One row instead of a hundred: the driver lets another thread in at every row, and waits for its turn again.
    """
    behind, values = _page_values(project_id, limit, platform, after, metric)
    row = _json_lines(metric, descending, platform is not None, behind).first(tx, **values)
    return row[0].split("\n") if row and row[0] else []


@cache
def _json_lines(metric: Metric | None, descending: bool, by_platform: bool, behind: str | None) -> Query:
    found = _page_select(metric, descending, by_platform, behind).subquery("page")
    members = [part for column in found.c for part in (_literal(column.name), _json_value(column))]
    # JSON has no line break in it but an escaped one.
    lines = sa.func.group_concat(sa.func.json_object(*members), sa.func.char(sa.literal_column("10")))
    return Query(lambda _: sa.select(lines))


def _literal(text: str) -> sa.ColumnElement[str]:
    return sa.literal_column(f"'{text}'")


def _json_value(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Times are kept as `2026-03-02 10:00:00.000000`."""
    if not isinstance(column.type, UtcDateTime):
        return column
    text = sa.type_coerce(column, sa.Text())
    return sa.func.replace(text, _literal(" "), _literal("T")).op("||")(_literal("Z"))


def _behind(metric: Metric | None, descending: bool, behind: str) -> sa.ColumnElement[bool]:
    later = accounts.c.id > sa.bindparam("after_id", type_=Count())
    if metric is None:
        return later
    column = accounts.c[metric]
    if behind == "null":
        return column.is_(None) & later
    value = sa.bindparam("after", type_=Count())
    further = column < value if descending else column > value
    return further | ((column == value) & later) | column.is_(None)


def everybody(tx: sa.Connection, scope: Scope, of: str | int | None, *, removed: bool = False) -> Iterator[Account]:
    """Every account, with the removed ones if asked for, in no particular order."""
    return (Account._make(row) for row in _everybody(scope, removed).rows(tx, **_scoped(of)))


@cache
def _everybody(scope: Scope, removed: bool) -> Query:
    statement = sa.select(*_COLUMNS).where(in_scope(scope))
    return Query(lambda _: statement if removed else statement.where(_IS_THERE))


def account_of(tx: sa.Connection, account_id: int) -> Account | None:
    """The account, removed or not."""
    return next(iter([*everybody(tx, "account", account_id, removed=True)]), None)


def grown(tx: sa.Connection, scope: Scope, of: str | int | None, *, removed: bool = False) -> Iterator[Grown]:
    """Every account with its snapshots around the moment 24 hours before its project's `as_of`.

    That moment lies between a day's snapshots: of the day itself, of the one after it, and the last one before.
    """
    for row in _grown(scope, removed).rows(tx, **_scoped(of)):
        yield Grown(Account._make(row[:_WIDTH]), list(_points(row[_WIDTH:])))


def _points(values: tuple[Any, ...]) -> Iterator[Point]:
    for start in range(0, len(values), 1 + len(METRICS)):
        moment = as_moment(values[start])
        if moment is not None:
            yield Point(moment, values[start + 1 : start + 1 + len(METRICS)])


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
        statement = sa.select(*_COLUMNS, *points).select_from(joined).where(in_scope(scope))
        return statement if removed else statement.where(_IS_THERE)

    return Query(build)


def ranged(
    tx: sa.Connection, scope: Scope, of: str | int | None, first: date, last: date, *, removed: bool = False
) -> Iterator[Ranged]:
    """Every account with where it stood at the ends of both days."""
    values = {"first": bind_day(tx, first), "last": bind_day(tx, last)}
    for row in _ranged(scope, removed).rows(tx, **values, **_scoped(of)):
        stood = [row[_WIDTH + 1 : _WIDTH + 6], row[_WIDTH + 7 : _WIDTH + 12]]
        known = [row[_WIDTH] is not None, row[_WIDTH + 6] is not None]
        yield Ranged(Account._make(row[:_WIDTH]), stood[0] if known[0] else None, stood[1] if known[1] else None)


@cache
def _ranged(scope: Scope, removed: bool) -> Query:
    def build(dialect: str) -> sa.Select[Any]:
        first, last = (last_snapshot(dialect, scope, bound_day(name), f"{name}_stood") for name in ("first", "last"))
        joined = joined_to(joined_to(accounts, first), last)
        stood = [table.c[name] for table in (first, last) for name in ("day", *METRICS)]
        statement = sa.select(*_COLUMNS, *stood).select_from(joined).where(in_scope(scope))
        return statement if removed else statement.where(_IS_THERE)

    return Query(build)


def _scoped(of: str | int | None) -> dict[str, Any]:
    return {} if of is None else {"scope": of}
