"""Movements: what many accounts came to between two moments, added up by the database, group by group.

The result is what `rules.growth` makes of the accounts one by one. Most accounts have a snapshot where one is needed,
and the database adds those up at once. The odd ones, whose value has to be looked for further back or is too large to
be added up blindly, are looked at one by one, as `store.standing` finds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from webapp.model import METRICS, UNKNOWN, Values
from webapp.rules.growth import ALL, NO_SUMS, Sums, mask_of, sums
from webapp.rules.history import end_of
from webapp.rules.sorting import group_by
from webapp.store import standing
from webapp.store.accounts import Account
from webapp.store.heads import as_of_day, as_of_moment
from webapp.store.spans import at_moment, on_account
from webapp.store.standing import DAY, bound_day, bound_moment, has_bit, in_doubt
from webapp.store.statement import Query, bind_ids, chunks, in_order, texts_in
from webapp.store.tables import (
    ACCOUNT_THERE,
    PROJECT_THERE,
    account_snapshots,
    account_spans,
    accounts,
    project_days,
    projects,
)
from webapp.store.types import Count, UtcDateTime, bind_day, native

LARGE = 1 << 33  # counts from here on are odd; below, no product and no sum needs more than 64 bits
SHIFT = 1 << 33  # added before a division and taken off behind it, since the database rounds towards zero and not down
LONG = 1 << 27  # seconds: the same for the time between two snapshots
FEW = 1_000
ALIKE = ("project_id", "platform", "topic", "owner")
NOT_APART = ("", None, None)
WIDTH = len(METRICS)


class Cohort(NamedTuple):
    """Accounts of one project, removed or not, that are alike. profiles: those that are present and not off."""

    project_id: str
    platform: str
    topic: str | None
    owner: str | None
    profiles: int
    sums: Sums


class Present(NamedTuple):
    """The current counts."""


class DaysBack(NamedTuple):
    """So many times 24 hours before `as_of` of the project."""

    days: int


class DayEnd(NamedTuple):
    """The end of a day."""

    day: date


End = Present | DaysBack | DayEnd
Kind = Literal["now", "day"] | int  # of an end; a number: so many days back
Scope = Literal["project", "some", "all"]
SIDES = ("then", "now")


def between(
    tx: sa.Connection,
    scope: Scope,
    of: str | Sequence[str] | None,
    then: End,
    now: Present | DayEnd,
    *,
    apart: bool = True,
) -> list[Cohort]:
    """How the sums of all accounts came from one end to the other.

    scope: `project`, `some` (of which `of` has the ids) or `all`. apart: tell cohorts apart, else all accounts of a
    project are one of no platform.
    """
    found = _Cohorts(apart)
    asked = scope, _kind(then), _kind(now), apart
    values: dict[str, Any] = {"large": LARGE}
    if of is not None:
        values["scope"] = of if isinstance(of, str) else bind_ids(tx, of)
    for side, end in zip(SIDES, (then, now), strict=True):
        values |= _bound(tx, side, end)
    odd = False
    for row in _grouped(*asked).rows(tx, **values):
        found.add_row(row)
        odd = odd or _is_odd(row)
    if odd:
        ids = [row[0] for row in _odd(*asked).rows(tx, **values)]
        for part in chunks(ids, FEW):
            found.add_accounts(tx, part, then, now)
    return found.listed()


def of_project(tx: sa.Connection, project_id: str, then: End, now: Present | DayEnd) -> Sums:
    """How the sums of a project's accounts came from one end to the other."""
    return together(between(tx, "project", project_id, then, now, apart=False))


def together(groups: Iterable[Cohort]) -> Sums:
    """All groups together."""
    found = NO_SUMS
    for group in groups:
        found = found.plus(group.sums)
    return found


class _Cohorts:
    """Groups as they grow."""

    def __init__(self, apart: bool) -> None:
        self._apart = apart
        self._found: dict[tuple[Any, ...], tuple[int, Sums]] = {}

    def add_row(self, row: tuple[Any, ...]) -> None:
        """What the database added up; of odd accounts only that they are there."""
        key, (profiles, members, fresh) = row[: len(ALIKE)], row[len(ALIKE) : len(ALIKE) + 3]
        self._add(key, profiles, NO_SUMS if _is_odd(row) else _sums_of(row, members, fresh=bool(fresh)))

    def add_accounts(self, tx: sa.Connection, ids: Sequence[int], then: End, now: Present | DayEnd) -> None:
        """Odd accounts, one by one."""
        before, after = (_values_at(tx, ids, end) for end in (then, now))
        stale = _stale(tx, after, now) if isinstance(now, DayEnd) else set()
        people = standing.everybody(tx, "few", ids, removed=True)
        for key, members in group_by(people, self._key).items():
            pairs = [(before.get(one.id, UNKNOWN), after.get(one.id, UNKNOWN)) for one in members]
            self._add(key, 0, sums(pairs)._replace(carried=sum(one.id in stale for one in members)))

    def _key(self, account: Account) -> tuple[Any, ...]:
        return tuple(getattr(account, name) for name in ALIKE) if self._apart else (account.project_id, *NOT_APART)

    def _add(self, key: tuple[Any, ...], profiles: int, more: Sums) -> None:
        count, known = self._found.get(key, (0, NO_SUMS))
        self._found[key] = count + profiles, known.plus(more)

    def listed(self) -> list[Cohort]:
        return [Cohort._make([*key, *known]) for key, known in self._found.items()]


def _is_odd(row: tuple[Any, ...]) -> bool:
    then_bits, then_known, now_bits, now_known = row[len(ALIKE) + 3 : len(ALIKE) + 7]
    return bool(then_bits & ~then_known or now_bits & ~now_known)


def _sums_of(row: tuple[Any, ...], members: int, *, fresh: bool) -> Sums:
    """Of accounts that count for the same metrics: joined, left and grown is decided by the metric, not the account."""
    then_bits, _, now_bits, _ = row[len(ALIKE) + 3 : len(ALIKE) + 7]
    numbers = [int(value or 0) for value in row[len(ALIKE) + 7 :]]
    columns = zip(range(WIDTH), numbers[:WIDTH], numbers[WIDTH:], strict=True)
    parts = [_of_metric(members, then_bits >> i & 1, now_bits >> i & 1, then, now) for i, then, now in columns]
    counting = members if now_bits else 0
    return Sums._make([*zip(*parts, strict=True), counting, 0 if fresh else counting])


def _of_metric(members: int, counted: int, counts: int, then: int, now: int) -> tuple[int, ...]:
    """total, growth, joined, left, now, both, then."""
    both = counted & counts
    return (
        now * counts,
        (now - then) * both,
        now * (counts - both),
        -then * (counted - both),
        members * counts,
        members * both,
        members * counted,
    )


# One by one


def _values_at(tx: sa.Connection, ids: Sequence[int], end: End) -> dict[int, Values]:
    match end:
        case DayEnd(day):
            return {one.account.id: one.last for one in standing.ranged(tx, "few", ids, day, day)}
        case DaysBack(days):
            as_of = {row[0]: row[1] for row in tx.execute(sa.select(projects.c.id, projects.c.as_of))}
            return {one.account.id: one.then for one in standing.recent(tx, "few", ids, days, as_of)}
        case _:
            return {one.id: one.contribution for one in standing.everybody(tx, "few", ids, removed=True)}


def _stale(tx: sa.Connection, values: Mapping[int, Values], end: DayEnd) -> set[int]:
    """The accounts of which any metric that counts has no value of the day."""
    fresh = {row[1]: mask_of(row[2:]) for row in standing.cells(tx, "few", [*values], end.day, end.day)}
    return {account_id for account_id, value in values.items() if mask_of(value) & ~fresh.get(account_id, 0)}


# All at once


def _kind(end: End) -> Kind:
    match end:
        case DaysBack(days):
            return days
        case DayEnd():
            return "day"
        case _:
            return "now"


def _bound(tx: sa.Connection, side: str, end: End) -> dict[str, Any]:
    if not isinstance(end, DayEnd):
        return {}
    return {f"{side}_day": bind_day(tx, end.day), f"{side}_end": native(tx, UtcDateTime(), end_of(end.day))}


@cache
def _grouped(scope: Scope, then: Kind, now: Kind, apart: bool) -> Query:
    def build(dialect: str) -> sa.Select[Any]:
        each = _each(dialect, scope, then, now, apart)
        alike: list[Any] = [each.c[name] for name in ALIKE]
        bits = [each.c.fresh, *_bits(each)]
        keys = alike if apart else alike[:1]
        alike = alike if apart else [alike[0], *(sa.func.min(one) for one in alike[1:])]
        added = [sa.func.sum(each.c[f"{side}_{metric}"]) for side in SIDES for metric in METRICS]
        found = sa.select(*alike, sa.func.sum(each.c.counted), sa.func.count(), *bits, *added)
        return found.group_by(*keys, *bits)

    return Query(build)


@cache
def _odd(scope: Scope, then: Kind, now: Kind, apart: bool) -> Query:
    def build(dialect: str) -> sa.Select[Any]:
        each = _each(dialect, scope, then, now, apart)
        then_bits, then_known, now_bits, now_known = _bits(each)
        unknown = (then_bits.op("&")(ALL - then_known), now_bits.op("&")(ALL - now_known))
        return sa.select(each.c.id).where(sa.or_(*(bits != _number(0) for bits in unknown)))

    return Query(build)


def _bits(each: sa.FromClause) -> list[sa.ColumnElement[Any]]:
    """Of either end: for which metrics an account counts, and of which the value is known."""
    known = [_mask([each.c[f"{side}_{metric}"] for metric in METRICS]) for side in SIDES]
    return [each.c.then_bits, known[0], each.c.now_bits, known[1]]


def _each(dialect: str, scope: Scope, then: Kind, now: Kind, apart: bool) -> sa.Subquery:
    """A row for each account: what it counts for at either end, and its values there as far as they are easily known."""
    ends = _of_projects(dialect, scope, then, now)
    joined = in_order(ends, accounts, accounts.c.project_id == ends.c.project)
    counted = sa.case((_counted(), _number(1)), else_=_number(0)).label("counted")
    alike = [accounts.c[name] for name in ALIKE] if apart else [accounts.c.project_id, *_not_apart()]
    columns: list[Any] = [accounts.c.id, *alike, counted, ends.c.fresh]
    for side, kind in zip(SIDES, (then, now), strict=True):
        joined, more = _AT[kind if isinstance(kind, str) else "back"](dialect, side, ends, joined)
        columns += more
    each = _in_turn(dialect, sa.select(*columns).select_from(joined))
    return _interpolated(dialect, _in_turn(dialect, _around(each))) if isinstance(then, int) else each


def _not_apart() -> list[Any]:
    return [
        sa.literal_column(text, sa.Text()).label(name)
        for text, name in zip(("''", "NULL", "NULL"), ALIKE[1:], strict=True)
    ]


def _in_turn(dialect: str, statement: sa.Select[Any]) -> sa.Subquery:
    """A table of its own, whose expressions are worked out once a row; the limit keeps SQLite from copying them."""
    return (statement.limit(_number(-1)) if dialect == "sqlite" else statement).subquery()


# Projects


def _of_projects(dialect: str, scope: Scope, then: Kind, now: Kind) -> sa.Subquery:
    """A row for each project: the moments and days of both ends."""
    fresh = sa.case((_near("max", _DAYS.c.day == bound_day("now_day")).is_not(None), _number(1)), else_=_number(0))
    columns: list[Any] = [projects.c.id.label("project"), (fresh if now == "day" else _number(1)).label("fresh")]
    for side, kind in zip(SIDES, (then, now), strict=True):
        if kind == "day":
            columns.append(_near("max", _DAYS.c.day <= bound_day(f"{side}_day")).label(f"{side}_day"))
        elif kind != "now":
            columns += _back(dialect, kind)
    return _in_turn(dialect, sa.select(*columns).where(_meant(scope)))


def _meant(scope: Scope) -> sa.ColumnElement[bool]:
    if scope == "all":
        return PROJECT_THERE
    if scope == "some":
        return projects.c.id.op("IN")(texts_in(sa.bindparam("scope")))
    return projects.c.id == sa.bindparam("scope", type_=sa.Text())


def _back(dialect: str, days: int) -> list[sa.ColumnElement[Any]]:
    day = as_of_day(dialect, days)
    return [
        as_of_moment(dialect, days).label("moment"),
        _seconds(dialect, as_of_moment(dialect, days)).label("at"),
        as_of_moment(dialect, 0).label("as_of"),
        _seconds(dialect, as_of_moment(dialect, 0)).label("last_at"),
        day.label("same_day"),
        _near("max", _DAYS.c.day < day).label("day_before"),
        _near("min", _DAYS.c.day > day).label("day_after"),
    ]


_DAYS = project_days.alias("days")


def _near(which: Literal["min", "max"], where: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
    """The first or last day of the project that fits: only on such days there are snapshots."""
    day = getattr(sa.func, which)(_DAYS.c.day, type_=DAY)
    return sa.select(day).where(_DAYS.c.project_id == projects.c.id, where).correlate(projects).scalar_subquery()


# Accounts: what each kind of end adds to the tables and columns

Added = tuple[sa.FromClause, list[Any]]


def _at_now(_: str, side: str, __: sa.FromClause, joined: sa.FromClause) -> Added:
    bits = sa.case((_counted(), _mask([accounts.c[metric] for metric in METRICS])), else_=_number(0))
    return joined, [bits.label(f"{side}_bits"), *_small_values(accounts, side)]


def _at_day(_: str, side: str, ends: sa.FromClause, joined: sa.FromClause) -> Added:
    span = account_spans.alias(f"{side}_span")
    joined = joined.outerjoin(span, on_account(span, bound_moment(f"{side}_end")))
    joined, snapshot = _with_snapshot(joined, ends.c[f"{side}_day"], f"{side}_snapshot")
    return joined, [sa.func.coalesce(span.c.metrics, 0).label(f"{side}_bits"), *_small_values(snapshot, side)]


def _at_back(dialect: str, side: str, ends: sa.FromClause, joined: sa.FromClause) -> Added:
    """The snapshots around: of the same day, and of the days before and after; behind all of them is what is believed now."""
    span = account_spans.alias(f"{side}_span")
    joined = joined.outerjoin(span, at_moment(span, ends.c.moment))
    columns: list[Any] = [
        sa.func.coalesce(span.c.metrics, 0).label(f"{side}_bits"),
        ends.c.at,
        ends.c.last_at,
        ends.c.day_after,
        sa.func.coalesce(in_doubt(), _number(0)).label("doubted"),
    ]
    columns += _values(accounts, "last")
    for name in ("same_day", "day_before", "day_after"):
        joined, snapshot = _with_snapshot(joined, ends.c[name], name, ends.c.as_of)
        columns += [_seconds(dialect, snapshot.c.snapshot_time).label(f"{name}_at"), *_values(snapshot, name)]
    return joined, columns


_AT = {"now": _at_now, "day": _at_day, "back": _at_back}


def _with_snapshot(
    joined: sa.FromClause, day: sa.ColumnElement[Any], name: str, up_to: sa.ColumnElement[Any] | None = None
) -> tuple[sa.FromClause, sa.FromClause]:
    snapshot = account_snapshots.alias(name)
    here = (snapshot.c.day == day) & (snapshot.c.account_id == accounts.c.id)
    return joined.outerjoin(snapshot, here if up_to is None else here & (snapshot.c.snapshot_time <= up_to)), snapshot


def _values(table: sa.FromClause, name: str) -> list[sa.ColumnElement[Any]]:
    return [table.c[metric].label(f"{name}_{metric}") for metric in METRICS]


def _small_values(table: sa.FromClause, name: str) -> list[sa.ColumnElement[Any]]:
    return [_small(table.c[metric], then=table.c[metric]).label(f"{name}_{metric}") for metric in METRICS]


def _small(*values: sa.ColumnElement[Any], then: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """NULL where one of the values is too large."""
    return sa.case((sa.and_(*(value < sa.bindparam("large", type_=Count()) for value in values)), then))


def _counted() -> sa.ColumnElement[bool]:
    return ACCOUNT_THERE & (accounts.c.mode != sa.literal_column("'off'"))


# Between two snapshots


def _around(each: sa.FromClause) -> sa.Select[Any]:
    """What is before and what is behind the moment."""
    late = each.c.same_day_at > each.c.at  # NULL without a snapshot of the day
    early, following = each.c.same_day_at <= each.c.at, each.c.day_after_at.is_not(None)
    none = each.c.day_after.is_(None)  # else this account's next one has to be looked for
    before = sa.case((early, each.c.same_day_at), else_=each.c.day_before_at)
    after = sa.case((late, each.c.same_day_at), (following, each.c.day_after_at), (none, each.c.last_at))
    whole = sa.case((after - before < _number(1), _number(1)), (after - before < _number(LONG), after - before))
    columns: list[Any] = [*_passed(each), (each.c.at - before).label("part"), whole.label("whole")]
    for place, metric in enumerate(METRICS):
        same = each.c[f"same_day_{metric}"]
        believed = (each.c.counted == _number(1)) & ~has_bit(each.c.doubted, place)
        last = sa.case((believed, each.c[f"last_{metric}"]))
        columns += [
            sa.case((early, same), else_=each.c[f"day_before_{metric}"]).label(f"before_{metric}"),
            sa.case((late, same), (following, each.c[f"day_after_{metric}"]), (none, last)).label(f"after_{metric}"),
        ]
    return sa.select(*columns)


def _interpolated(dialect: str, each: sa.FromClause) -> sa.Subquery:
    """As `growth.value_at` does it."""
    shift = _number(SHIFT)
    whole = _number(2) * each.c.whole
    columns = _passed(each)
    for metric in METRICS:
        before, after = each.c[f"before_{metric}"], each.c[f"after_{metric}"]
        scaled = _number(2) * (after - before) * each.c.part + each.c.whole + shift * whole
        columns.append(_small(before, after, then=before - shift + scaled // whole).label(f"then_{metric}"))
    return _in_turn(dialect, sa.select(*columns))


def _passed(each: sa.FromClause) -> list[sa.ColumnElement[Any]]:
    names = ("id", *ALIKE, "counted", "fresh", "then_bits", "now_bits", *(f"now_{metric}" for metric in METRICS))
    return [each.c[name] for name in names]


def _seconds(dialect: str, moment: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Whole seconds since 1970."""
    if dialect == "postgresql":
        return sa.cast(sa.func.floor(sa.extract("epoch", moment)), Count())
    return sa.cast(sa.func.strftime(sa.literal_column("'%s'"), moment), sa.Integer())


def _mask(values: Sequence[sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
    found = _number(0)
    for place, value in enumerate(values):
        found = found + sa.case((value.is_not(None), _number(1 << place)), else_=_number(0))
    return found


def _number(number: int) -> sa.ColumnElement[Any]:
    return sa.literal_column(str(number), Count())
