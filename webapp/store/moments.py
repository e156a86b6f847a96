"""Moments: what the accounts of projects came to so many days back, in one statement, as far as it is told at once.

Nearly every account has a snapshot before and behind the moment, taken when those of its project were, so that the same
numbers turn its counts into those of the moment. These accounts are added up here, in the order of the snapshots and not
of the accounts, which takes less than half the time. Where they are fewer than half of a project, all of it is added up as
`ends` has it; else whoever is not among them is looked at by `wholes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, reduce
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from webapp.model import METRICS
from webapp.rules.growth import ALL
from webapp.rules.sorting import group_by
from webapp.store import movements
from webapp.store.ends import Asked, each_then, known_bits, of_projects
from webapp.store.heads import as_of_moment
from webapp.store.standing import has_bit
from webapp.store.statement import Query, bind_ids, in_order, listed, texts_in, unlisted
from webapp.store.tables import ACCOUNT_THERE, account_snapshots, account_spans, accounts, project_days, projects
from webapp.store.types import Count

Numbers = tuple[int, ...]
WIDTH = len(METRICS)
DENSE = 2  # ids of a range for each account in it, up to which going through the whole range is the lighter way
TURNED = -1  # in place of one of the moments: who ceased or began to count since each of them


class Stayed(NamedTuple):
    """Accounts that still count for what they did, what they came to then, and who began to count since.

    joining: how many did; joined, joined_counts: what they brought, and how many of them count for it. odd_ids: of
    accounts of which there is more to say.
    """

    then: Numbers
    joining: int = 0
    joined: Numbers = (0,) * WIDTH
    joined_counts: Numbers = (0,) * WIDTH
    odd_ids: Sequence[int] = ()

    @classmethod
    def of(cls, values: Sequence[Any]) -> Stayed:
        """values: as `_added_up` has them."""
        odd_ids, joining, *sums = values
        then, joined, joined_counts = (_numbers(sums[place : place + WIDTH]) for place in range(0, 3 * WIDTH, WIDTH))
        return cls(then, joining, joined, joined_counts, unlisted(odd_ids))


class Moment(NamedTuple):
    """A project at a moment. usual: so many accounts are the only ones that are looked at; None: all are.

    ended_ids: of accounts that counted and have ceased to for something since. begun_ids: that count only since then.
    """

    stayed: Stayed
    usual: int | None
    ended_ids: Sequence[int]
    begun_ids: Sequence[int]


def look_back(tx: sa.Connection, project_ids: Sequence[str], days_back: tuple[int, ...]) -> list[dict[str, Moment]]:
    """Each of so many times 24 hours before `as_of`, of projects that have accounts, removed or not."""
    rows = _look_back(days_back).rows(tx, large=movements.LARGE, scope=bind_ids(tx, project_ids))
    by_place = group_by(rows, itemgetter(0))
    turned = {project: msgspec.json.decode(ids) for _, project, _, ids in by_place.get(TURNED, ())}
    return [
        {
            project: _moment(usual, all_, turned[project][2 * place : 2 * place + 2])
            for _, project, usual, all_ in by_place.get(place, ())
        }
        for place in range(len(days_back))
    ]


def _moment(usual: str | None, all_: str, turned: Iterable[str | None]) -> Moment:
    """turned: the ids of those who ceased and of those who began to count."""
    if usual is None:
        return Moment(Stayed.of(msgspec.json.decode(all_)), None, *map(unlisted, turned))
    members, *then = msgspec.json.decode(usual)
    return Moment(Stayed(_numbers(then)), members, *map(unlisted, turned))


def count_others(
    tx: sa.Connection, days_back: int, project_ids: Sequence[str], begun_ids: Iterable[int]
) -> dict[str, Stayed]:
    """The accounts of projects that count now and are not among the usual ones; and some of other projects."""
    asked = {"large": movements.LARGE, "scope": bind_ids(tx, project_ids)}
    others = {row[0] for row in _others(days_back).rows(tx, **asked)} if project_ids else set[int]()
    others.update(begun_ids)
    rows = _some(days_back).rows(tx, large=movements.LARGE, scope=bind_ids(tx, sorted(others))) if others else ()
    return {project: Stayed.of(values) for project, *values in rows}


def _numbers(values: Iterable[Any]) -> Numbers:
    return tuple(int(value or 0) for value in values)


# Statements


@cache
def _look_back(days_back: tuple[int, ...]) -> Query:
    def build(dialect: str) -> sa.CompoundSelect[Any]:
        return sa.union_all(*(_at(dialect, *one) for one in enumerate(days_back)), _turned(dialect, days_back))

    return Query(build)


def _at(dialect: str, place: int, days_back: int) -> sa.Select[Any]:
    """A row for each project: the place of the moment, its id, and as JSON its usual accounts, or else all."""
    places = _places(dialect, days_back)
    by_range, by_account = (_usual(dialect, places, dense=dense) for dense in (True, False))
    is_dense = places.c.last_id - places.c.first_id < DENSE * places.c.counting
    usual = sa.case((places.c.is_usual, sa.case((is_dense, by_range), else_=by_account)))
    found = _table(sa.select(*places.c, usual.label("usual")), f"found_{days_back}")
    rows = each_then(dialect, found, few=False)
    stayed = sa.select(_packed(dialect, _added_up(dialect, rows))).correlate(found).scalar_subquery()
    columns = (found.c.project, found.c.usual, sa.case((found.c.usual.is_(None), stayed)))
    return sa.select(_number(place), *columns)


def _places(dialect: str, days_back: int) -> sa.CTE:
    """A row for each project that has accounts: what is around the moment, the first and last id, about how many count."""
    ends = of_projects(dialect, Asked("some", days_back, "now", "quick"))
    people, days = accounts.alias("people"), project_days.alias("last_days")
    mine = people.c.project_id == ends.c.project
    first, last = (
        sa.select(end(people.c.id)).where(mine, people.c.removed_at.is_(None)) for end in (sa.func.min, sa.func.max)
    )
    counting = sa.select(days.c.accounts).where(days.c.project_id == ends.c.project).order_by(days.c.day.desc())
    is_around = (ends.c.before_taken < ends.c.later) & (ends.c.after_taken >= ends.c.later)
    is_known = is_around & (ends.c.after_taken <= ends.c.as_of)
    columns = [
        *ends.c,
        (is_known & ends.c.whole.is_not(None)).label("is_usual"),
        (ends.c.whole // _number(2)).label("half"),
        (ends.c.whole - ends.c.part).label("rest"),
        first.correlate(ends).scalar_subquery().label("first_id"),
        last.correlate(ends).scalar_subquery().label("last_id"),
        counting.limit(_number(1)).correlate(ends).scalar_subquery().label("counting"),
    ]
    return _table(sa.select(*columns).where(sa.exists().where(mine)), f"places_{days_back}")


_BEFORE, _AFTER, _SPAN = (
    account_snapshots.alias("before"),
    account_snapshots.alias("after"),
    account_spans.alias("span"),
)


def _usual(dialect: str, places: sa.FromClause, *, dense: bool) -> sa.ScalarSelect[Any]:
    """How many accounts are usual and what they come to, as JSON; NULL where they are less than half of those who count.

    dense: go through a range of snapshots.
    """
    here = _BEFORE.c.account_id == accounts.c.id
    joined = in_order(_BEFORE, accounts, here) if dense else in_order(accounts, _BEFORE, here)
    joined = in_order(joined, _AFTER, _AFTER.c.account_id == accounts.c.id)
    joined = in_order(joined, _SPAN, _SPAN.c.account_id == accounts.c.id)
    mine = [accounts.c.project_id == places.c.project, ACCOUNT_THERE, *_is_usual(places)]
    if dense:
        mine.append(_BEFORE.c.account_id.between(places.c.first_id, places.c.last_id))
    then = [sa.func.sum(_value(_BEFORE.c[metric], _AFTER.c[metric], places)) for metric in METRICS]
    is_most = _number(2) * sa.func.count() >= places.c.counting
    found = sa.select(sa.case((is_most, _packed(dialect, [sa.func.count(), *then])))).select_from(joined)
    return found.where(*mine).correlate(places).scalar_subquery()


@cache
def _others(days_back: int) -> Query:
    """The ids of accounts that count for something now and are not usual."""

    def build(dialect: str) -> sa.Select[Any]:
        places = _places(dialect, days_back)
        joined = in_order(places, accounts, accounts.c.project_id == places.c.project)
        joined = in_order(joined, _SPAN, (_SPAN.c.account_id == accounts.c.id) & _SPAN.c.until.is_(None))
        snapshots = in_order(_BEFORE, _AFTER, _AFTER.c.account_id == _BEFORE.c.account_id)
        usual = sa.exists().select_from(snapshots).where(_BEFORE.c.account_id == accounts.c.id, *_is_usual(places))
        is_other = ~usual.correlate(accounts, places, _SPAN)
        return sa.select(accounts.c.id).select_from(joined).where(ACCOUNT_THERE, is_other)

    return Query(build)


def _is_usual(places: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    """What is so of an account's snapshots and span."""
    return [
        _BEFORE.c.day == places.c.before_day,
        _BEFORE.c.snapshot_time == places.c.before_taken,
        _AFTER.c.day == places.c.after_day,
        _AFTER.c.snapshot_time == places.c.after_taken,
        _SPAN.c.since <= places.c.moment,
        _SPAN.c.until.is_(None),
        _is_plain(_BEFORE, _AFTER, _SPAN.c.metrics),
    ]


def _value(before: sa.ColumnElement[Any], after: sa.ColumnElement[Any], places: sa.FromClause) -> sa.ColumnElement[Any]:
    """As `growth.value_at` does it; nothing is negative, so that rounding towards zero is rounding down."""
    return (before * places.c.rest + after * places.c.part + places.c.half) // places.c.whole


def _is_plain(before: sa.FromClause, after: sa.FromClause, bits: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether what counts has a value on either side, nothing else has one on both, and none is large."""
    both = [_or(before.c[metric], after.c[metric]) for metric in METRICS]
    for_all = (bits == _number(ALL)) & (reduce(_or, both) < sa.bindparam("large", type_=Count()))
    known = known_bits([one.is_not(None) for one in both])
    small = reduce(_or, map(_or_none, both)) < sa.bindparam("large", type_=Count())
    return for_all | ((bits != _number(ALL)) & (bits == known) & small)


def _or(one: sa.ColumnElement[Any], other: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """All bits of both: NULL where either is, and at least the larger one."""
    return one.op("|")(other)


def _or_none(one: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.func.coalesce(one, _number(0))


def _turned(dialect: str, days_back: tuple[int, ...]) -> sa.Select[Any]:
    """A row for each project: of each moment, as JSON, who counted and ceased to since, and who counts only since then."""
    span, first = account_spans.alias("turned"), days_back.index(max(days_back))
    moments = [as_of_moment(dialect, back).label(f"moment_{place}") for place, back in enumerate(days_back)]
    mine = projects.c.id.op("IN")(texts_in(sa.bindparam("scope")))
    ends = _table(sa.select(projects.c.id, *moments).where(mine), "moments")
    joined = in_order(accounts, span, span.c.account_id == accounts.c.id)
    turned: list[sa.ColumnElement[Any]] = []
    for one in moments:
        since, until, moment = span.c.since, span.c.until, ends.c[one.name]
        turned += [(until > moment) & (since <= moment), until.is_(None) & (since > moment)]
    ids = _packed(dialect, [listed(dialect, sa.case((so, accounts.c.id))) for so in turned])
    earliest = ends.c[moments[first].name]
    since_then = (span.c.until > earliest) | (span.c.until.is_(None) & (span.c.since > earliest))
    found = sa.select(ids).select_from(joined).where(accounts.c.project_id == ends.c.id, since_then).correlate(ends)
    return sa.select(_number(TURNED), ends.c.id, sa.cast(sa.null(), sa.Text()), found.scalar_subquery())


def _added_up(dialect: str, rows: sa.FromClause) -> list[sa.ColumnElement[Any]]:
    """The accounts of `ends.each_then` added up, as `Stayed` reads them."""
    simple = rows.c.other_id.is_(None)
    values = [
        sa.case((simple & has_bit(rows.c.then_bits, place), rows.c[f"then_{metric}"]))
        for place, metric in enumerate(METRICS)
    ]
    new = [sa.case((simple, rows.c[f"new_{metric}"])) for metric in METRICS]
    added = [*map(sa.func.sum, values), *map(sa.func.sum, new), *map(sa.func.count, new)]
    return [listed(dialect, rows.c.other_id), sa.func.count(sa.func.coalesce(*new)), *added]


@cache
def _some(days_back: int) -> Query:
    """A row for each project of some accounts: its id, and what `Stayed` reads."""

    def build(dialect: str) -> sa.Select[Any]:
        ends = of_projects(dialect, Asked("few", days_back, "now", "quick"))
        rows = each_then(dialect, ends, few=True)
        return sa.select(rows.c.project, *_added_up(dialect, rows)).group_by(rows.c.project)

    return Query(build)


def _table(rows: sa.Select[Any], name: str) -> sa.CTE:
    """The rows laid down: SQLite would copy what it takes from them for each account that it looks at."""
    return rows.cte(name).prefix_with("MATERIALIZED")


def _packed(dialect: str, columns: Iterable[sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
    """A row in one value, as JSON."""
    if dialect == "postgresql":
        return sa.cast(sa.func.json_build_array(*columns), sa.Text())
    return sa.func.json_array(*columns, type_=sa.Text())


def _number(number: int) -> sa.ColumnElement[Any]:
    return sa.literal_column(str(number), Count())
