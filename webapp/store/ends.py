"""Ends: of each account what it counts for at two moments, and its values there as far as they are easily known, as SQL.

Nearly every account has a snapshot on the days that its project has one. `look` says whether only those days are
looked at, or for each account the days on which it has a snapshot itself, which takes several times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from operator import ge, le
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from webapp.model import METRICS
from webapp.rules.growth import ALL
from webapp.store.heads import as_of_day, as_of_moment
from webapp.store.spans import at_moment, on_account
from webapp.store.standing import DAY, bound_day, bound_moment, has_bit, in_doubt
from webapp.store.statement import ids_in, in_order, texts_in
from webapp.store.tables import (
    ACCOUNT_THERE,
    PROJECT_THERE,
    account_snapshots,
    account_spans,
    accounts,
    project_days,
    projects,
)
from webapp.store.types import Count

SHIFT = 1 << 33  # added before a division and taken off behind it, since the database rounds towards zero and not down
LONG = 1 << 27  # seconds between two snapshots from here on are odd
SOME = 5  # accounts by which the usual time of a day is told
ALIKE = ("project_id", "platform", "topic", "owner")


class Present(NamedTuple):
    """The current counts."""


class Never(NamedTuple):
    """A moment before anybody counted."""


class DaysBack(NamedTuple):
    """So many times 24 hours before `as_of` of the project."""

    days: int


class DayEnd(NamedTuple):
    """The end of a day."""

    day: date


End = Present | DaysBack | DayEnd | Never
Kind = Literal["now", "day", "never"] | int  # of an end; a number: so many days back
Scope = Literal["project", "some", "all", "few"]
Look = Literal["quick", "thorough"]


class Asked(NamedTuple):
    """Of which accounts, at which ends, how thoroughly."""

    scope: Scope
    then: Kind
    now: Kind
    look: Look


def each(dialect: str, asked: Asked, by: Sequence[str] = ()) -> sa.Subquery:
    """A row for each account: `there`, `counted`, `now_fresh`; for each of `sides` its bits and values; `odd_id`: its id
    where a value for which it counts is not known, or is too large to be added up blindly.

    by: what else is to be told of it, of what accounts may be alike in.
    now_fresh: 1 where its values were observed on the very day at the end of which they are looked at.
    """
    ends = of_projects(dialect, asked)
    columns: list[Any] = [accounts.c.id, *(accounts.c[name] for name in by), _one_if(_counted()).label("counted")]
    columns.append(_one_if(ACCOUNT_THERE).label("there"))
    joined = _placed(ends, asked.scope)
    for side, kind in sides(asked).items():
        joined, more = _AT[kind if isinstance(kind, str) else "back"](dialect, side, ends, joined, asked.look)
        columns += more
    found = sa.select(*columns).select_from(joined)
    if asked.scope == "few":
        found = found.where(_few())
    rows = in_turn(dialect, found)
    known = {side: _looked_up(rows, side) for side, kind in sides(asked).items() if not isinstance(kind, int)}
    if isinstance(asked.then, int):
        known = {"then": _interpolated(rows)} | known
    odd = sa.or_(*(rows.c[f"{side}_bits"].op("&")(one.unknown) != _number(0) for side, one in known.items()))
    passed = _columns(rows, ("id", *by, "there", "counted", "now_fresh", *(f"{side}_bits" for side in known)))
    values = (value for one in known.values() for value in one.values)
    return in_turn(dialect, sa.select(*passed, *values, sa.case((odd, rows.c.id)).label("odd_id")))


def sides(asked: Asked) -> dict[str, Kind]:
    """`then` and `now`, without the one on which nobody counts."""
    return ({} if asked.then == "never" else {"then": asked.then}) | {"now": asked.now}


def each_then(dialect: str, ends: sa.FromClause, *, few: bool) -> sa.Subquery:
    """A row for each account with its bits and values so many days back; `new_` values of who did not count then at all.

    ends: rows of `of_projects`; without `few` the accounts are those of the row that is looked at outside.
    other_id: its id where there is more to say of it: it has ceased to count for something, or a value is odd.
    """
    span = account_spans.alias("then_span")
    people = _placed(ends, "few") if few else accounts
    placed, around = _around(dialect, ends, people.outerjoin(span, at_moment(span, ends.c.moment)), "quick")
    new = ~_is_there(span) & _counted()
    columns = [accounts.c.id, ends.c.project, span.c.until, _bits_of(span).label("then_bits"), *around]
    columns += [sa.case((new, accounts.c[metric])).label(f"new_{metric}") for metric in METRICS]
    found = sa.select(*columns).select_from(placed)
    found = found.where(_few()) if few else found.where(accounts.c.project_id == ends.c.project).correlate(ends)
    rows = in_turn(dialect, found)
    then = _interpolated(rows)
    large = (rows.c[name] >= sa.bindparam("large", type_=Count()) for name in _NEW)
    lacks = rows.c.then_bits.op("&")(then.unknown) != _number(0)
    other = sa.case((sa.or_(rows.c.until.is_not(None), lacks, *large), rows.c.id)).label("other_id")
    shown = [*_columns(rows, ("project", "then_bits")), *then.values, *_columns(rows, _NEW)]
    return in_turn(dialect, sa.select(*shown, other))


def in_turn(dialect: str, statement: sa.Select[Any]) -> sa.Subquery:
    """A table of its own, whose expressions are worked out once a row; the limit keeps the database from copying them."""
    if dialect == "sqlite":
        return statement.limit(_number(-1)).subquery()
    return statement.offset(_number(0)).subquery()


def _few() -> sa.ColumnElement[bool]:
    return accounts.c.id.op("IN")(ids_in(sa.bindparam("scope")))


def _placed(ends: sa.FromClause, scope: Scope) -> sa.FromClause:
    here = accounts.c.project_id == ends.c.project
    return in_order(accounts, ends, here) if scope == "few" else in_order(ends, accounts, here)


# Projects


def of_projects(dialect: str, asked: Asked) -> sa.Subquery:
    """A row for each project: the moments and days of both ends."""
    columns: list[Any] = [projects.c.id.label("project")]
    for side, kind in sides(asked).items():
        if kind == "day":
            columns.append(_near("max", _DAYS.c.day <= bound_day(f"{side}_day")).label(f"{side}_day"))
        elif isinstance(kind, int):
            columns += _back(dialect, kind)
    found = in_turn(dialect, sa.select(*columns).where(_meant(asked.scope)))
    return _with_usual(dialect, found) if isinstance(asked.then, int) else found


def _meant(scope: Scope) -> sa.ColumnElement[bool]:
    if scope == "all":
        return PROJECT_THERE
    if scope == "some":
        return projects.c.id.op("IN")(texts_in(sa.bindparam("scope")))
    if scope == "few":
        few = sa.select(accounts.c.project_id).where(_few())
        return projects.c.id.in_(few)
    return projects.c.id == sa.bindparam("scope", type_=sa.Text())


def _back(dialect: str, days: int) -> list[sa.ColumnElement[Any]]:
    day, moment = as_of_day(dialect, days), as_of_moment(dialect, days)
    return [
        moment.label("moment"),
        _next_second(dialect, moment).label("later"),
        _seconds(dialect, moment).label("at"),
        as_of_moment(dialect, 0).label("as_of"),
        _seconds(dialect, as_of_moment(dialect, 0)).label("last_at"),
        day.label("same_day"),
        _near("max", _DAYS.c.day == day).label("day_there"),
        _near("max", _DAYS.c.day < day).label("day_before"),
        _near("min", _DAYS.c.day > day).label("day_after"),
    ]


def _with_usual(dialect: str, ends: sa.Subquery) -> sa.Subquery:
    """The same with what follows from the usual times of snapshots: nearly all of a day are taken at the same moment."""
    ends = in_turn(dialect, sa.select(*ends.c, _taken_on(ends.c.day_there, ends).label("taken")))
    days = (
        sa.case((ends.c.taken < ends.c.later, ends.c.same_day), else_=ends.c.day_before).label("before_day"),
        sa.case((ends.c.taken >= ends.c.later, ends.c.same_day), else_=ends.c.day_after).label("after_day"),
    )
    ends = in_turn(dialect, sa.select(*ends.c, *days))
    taken = (_taken_on(ends.c[f"{side}_day"], ends).label(f"{side}_taken") for side in ("before", "after"))
    ends = in_turn(dialect, sa.select(*ends.c, *taken))
    before, after = _seconds(dialect, ends.c.before_taken), _seconds(dialect, ends.c.after_taken)
    usual = (_part(ends.c.at, before).label("part"), _whole(after - before).label("whole"))
    return in_turn(dialect, sa.select(*ends.c, *usual))


def _taken_on(day: sa.ColumnElement[Any], ends: sa.FromClause) -> sa.ScalarSelect[Any]:
    """When most of the snapshots of some accounts were taken on a day; those of the others were mostly taken then too."""
    people, snapshots = accounts.alias("some_accounts"), account_snapshots.alias("some_snapshots")
    here = (snapshots.c.day == day) & (snapshots.c.account_id == people.c.id)
    some = sa.select(snapshots.c.snapshot_time).select_from(in_order(people, snapshots, here))
    some = some.where(people.c.project_id == ends.c.project, day.is_not(None))  # else each account is looked at
    times = some.limit(_number(SOME)).correlate(ends).subquery("some_times").c.snapshot_time
    found = sa.select(times).group_by(times).order_by(sa.func.count().desc(), times).limit(_number(1))
    return found.correlate(ends).scalar_subquery()


_DAYS = project_days.alias("days")


def _near(which: Literal["min", "max"], where: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
    """The first or last day of the project that fits: only on such days there are snapshots."""
    day = getattr(sa.func, which)(_DAYS.c.day, type_=DAY)
    return sa.select(day).where(_DAYS.c.project_id == projects.c.id, where).correlate(projects).scalar_subquery()


# Accounts: what each kind of end adds to the tables and columns

Added = tuple[sa.FromClause, list[Any]]


def _at_now(_: str, side: str, __: sa.FromClause, joined: sa.FromClause, ___: Look) -> Added:
    bits = sa.case((_counted(), known_bits([accounts.c[metric].is_not(None) for metric in METRICS])), else_=_number(0))
    return joined, [bits.label(f"{side}_bits"), _number(1).label(f"{side}_fresh"), *_small_values(accounts, side)]


def _at_day(dialect: str, side: str, ends: sa.FromClause, joined: sa.FromClause, look: Look) -> Added:
    span = account_spans.alias(f"{side}_span")
    joined = joined.outerjoin(span, on_account(span, bound_moment(f"{side}_end")))
    last = ends.c[f"{side}_day"]
    day = last if look == "quick" else _own_day(dialect, ends, le, last)
    snapshot = account_snapshots.alias(f"{side}_snapshot")
    joined = joined.outerjoin(snapshot, _is_of(snapshot, day))
    fresh = _one_if(snapshot.c.day == bound_day(f"{side}_day"))
    return joined, [_bits_of(span).label(f"{side}_bits"), fresh.label(f"{side}_fresh"), *_small_values(snapshot, side)]


def _at_back(dialect: str, side: str, ends: sa.FromClause, joined: sa.FromClause, look: Look) -> Added:
    span = account_spans.alias(f"{side}_span")
    joined, columns = _around(dialect, ends, joined.outerjoin(span, at_moment(span, ends.c.moment)), look)
    return joined, [_bits_of(span).label(f"{side}_bits"), *columns]


_AT = {"now": _at_now, "day": _at_day, "back": _at_back}


def _around(dialect: str, ends: sa.FromClause, joined: sa.FromClause, look: Look) -> Added:
    """The snapshots before and after the moment; behind all of them is what is believed now."""
    before, after = account_snapshots.alias("before"), account_snapshots.alias("after")
    before_day: sa.ColumnElement[Any] = ends.c.before_day
    after_day: sa.ColumnElement[Any] = ends.c.after_day
    if look == "thorough":
        before_day = _own_day(dialect, ends, le, ends.c.same_day, _is_before)
        after_day = _own_day(dialect, ends, ge, ends.c.same_day, _is_after)
    joined = joined.outerjoin(before, _is_of(before, before_day) & _is_before(before, ends))
    joined = joined.outerjoin(after, _is_of(after, after_day) & _is_after(after, ends))
    none: sa.ColumnElement[bool] = after.c.account_id.is_(None)
    if look == "quick":  # else this account's next one has to be looked for
        none = none & ends.c.after_day.is_(None)
    before_at = _seconds(dialect, before.c.snapshot_time)
    after_at = sa.case((none, ends.c.last_at), else_=_seconds(dialect, after.c.snapshot_time))
    usual = (before.c.snapshot_time == ends.c.before_taken) & (after.c.snapshot_time == ends.c.after_taken)
    return joined, [
        sa.case((usual, ends.c.part), else_=_part(ends.c.at, before_at)).label("part"),
        sa.case((usual, ends.c.whole), else_=_whole(after_at - before_at)).label("whole"),
        *(before.c[metric].label(f"before_{metric}") for metric in METRICS),
        *(
            sa.func.coalesce(after.c[metric], sa.case((none, _believed(place)))).label(f"after_{metric}")
            for place, metric in enumerate(METRICS)
        ),
    ]


def _is_before(snapshot: sa.FromClause, ends: sa.FromClause) -> sa.ColumnElement[bool]:
    return snapshot.c.snapshot_time < ends.c.later


def _is_after(snapshot: sa.FromClause, ends: sa.FromClause) -> sa.ColumnElement[bool]:
    return (snapshot.c.snapshot_time >= ends.c.later) & (snapshot.c.snapshot_time <= ends.c.as_of)


def _believed(place: int) -> sa.ColumnElement[Any]:
    """The current count of a metric, if it counts and is not in doubt."""
    doubted = has_bit(sa.func.coalesce(in_doubt(), _number(0)), place)
    return sa.case((_counted() & ~doubted, accounts.c[METRICS[place]]))


def _is_of(snapshot: sa.FromClause, day: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return (snapshot.c.day == day) & (snapshot.c.account_id == accounts.c.id)


def _is_there(span: sa.FromClause) -> sa.ColumnElement[bool]:
    return span.c.account_id.is_not(None)


def _bits_of(span: sa.FromClause) -> sa.ColumnElement[Any]:
    return sa.func.coalesce(span.c.metrics, _number(0))


def _own_day(
    dialect: str,
    ends: sa.FromClause,
    compare: Callable[[Any, Any], sa.ColumnElement[bool]],
    day: sa.ColumnElement[Any],
    fits: Callable[[sa.FromClause, sa.FromClause], sa.ColumnElement[bool]] | None = None,
) -> sa.ColumnElement[Any]:
    """The nearest day before or after one on which the account has a snapshot; on SQLite by the days of its project."""
    snapshots, days = account_snapshots.alias("own"), project_days.alias("own_days")
    mine = snapshots.c.account_id == accounts.c.id
    if fits is not None:
        mine &= fits(snapshots, ends)
    if dialect == "postgresql":
        found, own = sa.select(snapshots.c.day).where(mine), snapshots.c.day
    else:
        own = days.c.day
        joined = in_order(days, snapshots, (snapshots.c.day == own) & mine)
        found = sa.select(own).select_from(joined).where(days.c.project_id == ends.c.project)
    found = found.where(compare(own, day)).order_by(own if compare is ge else own.desc())
    return found.limit(_number(1)).correlate(accounts, ends).scalar_subquery()


def _small_values(table: sa.FromClause, name: str) -> list[sa.ColumnElement[Any]]:
    return [_small(table.c[metric], then=table.c[metric]).label(f"{name}_{metric}") for metric in METRICS]


def _small(*values: sa.ColumnElement[Any], then: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """NULL where one of the values is too large."""
    return sa.case((_is_small(*values), then))


def _is_small(*values: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return sa.and_(*(value < sa.bindparam("large", type_=Count()) for value in values))


def _counted() -> sa.ColumnElement[bool]:
    return ACCOUNT_THERE & (accounts.c.mode != sa.literal_column("'off'"))


# Between two snapshots


class _Values(NamedTuple):
    """Of one side: a value of each metric, and the bits of those that are not known."""

    values: list[sa.ColumnElement[Any]]
    unknown: sa.ColumnElement[Any]


def _looked_up(rows: sa.FromClause, side: str) -> _Values:
    values = _columns(rows, [f"{side}_{metric}" for metric in METRICS])
    return _Values(values, _unknown([value.is_not(None) for value in values]))


def _interpolated(rows: sa.FromClause) -> _Values:
    """As `growth.value_at` does it."""
    values: list[sa.ColumnElement[Any]] = []
    known: list[sa.ColumnElement[bool]] = []
    shifted = rows.c.whole // _number(2) * _number(1 + 2 * SHIFT)
    for metric in METRICS:
        before, after = rows.c[f"before_{metric}"], rows.c[f"after_{metric}"]
        value = before - _number(SHIFT) + ((after - before) * rows.c.part + shifted) // rows.c.whole
        values.append(_small(before, after, then=value).label(f"then_{metric}"))
        known.append(_is_small(before, after))
    return _Values(values, sa.case((rows.c.whole.is_(None), _number(ALL)), else_=_unknown(known)))


def _part(at: sa.ColumnElement[Any], before_at: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return _number(2) * (at - before_at)


def _whole(long: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Twice the seconds between two snapshots, of one at least; NULL where they are odd."""
    return sa.case((long >= _number(LONG), sa.null()), (long < _number(1), _number(2)), else_=_number(2) * long)


_NEW = tuple(f"new_{metric}" for metric in METRICS)


def _columns(rows: sa.FromClause, names: Sequence[str]) -> list[Any]:
    return [rows.c[name] for name in names]


def _unknown(known: Sequence[sa.ColumnElement[bool]]) -> sa.ColumnElement[Any]:
    """The bits of the metrics of which that is not so."""
    return _number(ALL) - known_bits(known)


def _next_second(dialect: str, moment: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The first moment that, in whole seconds, is behind one."""
    if dialect == "postgresql":
        return sa.func.date_trunc("second", moment) + sa.literal_column("INTERVAL '1 second'", sa.Interval())
    form = sa.literal_column("'%Y-%m-%d %H:%M:%S'", sa.Text())
    later = sa.literal_column("'+1 second'", sa.Text())
    return sa.func.strftime(form, sa.func.substr(moment, 1, 19), later, type_=sa.Text())


def _seconds(dialect: str, moment: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Whole seconds since 1970."""
    if dialect == "postgresql":
        return sa.cast(sa.func.floor(sa.extract("epoch", moment)), Count())
    whole = sa.func.substr(moment, 1, 19)  # else SQLite, which counts milliseconds, makes .9996 the next second
    return sa.cast(sa.func.strftime(sa.literal_column("'%s'"), whole), sa.Integer())


def known_bits(which: Sequence[sa.ColumnElement[bool]]) -> sa.ColumnElement[Any]:
    found = _number(0)
    for place, so in enumerate(which):
        found = found + sa.case((so, _number(1 << place)), else_=_number(0))
    return found


def _one_if(so: sa.ColumnElement[bool]) -> sa.ColumnElement[Any]:
    return sa.case((so, _number(1)), else_=_number(0))


def _number(number: int) -> sa.ColumnElement[Any]:
    return sa.literal_column(str(number), Count())
