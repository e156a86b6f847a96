"""Wholes: how projects came, each as a whole, from an earlier end to a later one.

The result is that of `movements`, for less: nearly all accounts count for the same at both ends, so it is enough to know
what they amounted to at either. The sums of a day are kept, those of the present are asked for once, and who came, went
or is odd is looked at apart. As always total = total before + growth + joined + left, which leaves the growth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from operator import add, sub
from typing import Any, NamedTuple

import sqlalchemy as sa

from webapp.model import METRICS
from webapp.rules.growth import NO_SUMS, Numbers, Sums
from webapp.rules.history import end_of
from webapp.rules.sorting import group_by
from webapp.store import movements, standing
from webapp.store.ends import ALIKE, DayEnd, DaysBack, End, Present
from webapp.store.moments import Moment, Stayed, count_others, look_back
from webapp.store.movements import WHOLE, Cohort, between
from webapp.store.statement import Query, bind_ids, in_order, listed, texts_in, unlisted
from webapp.store.tables import ACCOUNT_THERE, account_spans, accounts
from webapp.store.types import WHEN, Count, UtcDateTime, as_moment, native

Sides = Mapping[str, Sums]  # {project: what its accounts come to}
NONE: Numbers = (0,) * len(METRICS)
WIDTH = len(METRICS)


# The present


def present(tx: sa.Connection, project_ids: Sequence[str], *, by: tuple[str, ...] = ALIKE) -> list[Cohort]:
    """The accounts that are there and not off, with their current counts, as if all had just joined."""
    found: dict[tuple[Any, ...], Cohort] = {}
    odd: list[int] = []
    alone = project_ids[0] if len(project_ids) == 1 else None
    asked = {"projects": bind_ids(tx, project_ids)} if alone is None else {"project": alone}
    for profiles, counting, odd_ids, *values in _present(by, alone is not None).rows(
        tx, large=movements.LARGE, **asked
    ):
        numbers, rest = tuple(int(value or 0) for value in values[: 2 * WIDTH]), values[2 * WIDTH :]
        key = tuple(alone if name == "project_id" and alone is not None else rest.pop(0) for name in by)
        if profiles:  # without anybody there is a row all the same where nothing is told apart
            found[key] = Cohort.of(by, key, profiles, _joined(numbers[:WIDTH], numbers[WIDTH:], counting))
        odd += unlisted(odd_ids)
    for one in standing.everybody(tx, "few", odd) if odd else ():
        key = tuple(getattr(one, name) for name in by)
        large = tuple(value if value is not None and value >= movements.LARGE else 0 for value in one.counts)
        found[key] = found[key]._replace(sums=found[key].sums.plus(_joined(large, NONE, 0)))
    return [*found.values()]


def by_project(cohorts: Iterable[Cohort]) -> dict[str, Sums]:
    """Cohorts that projects are told apart by, those of each together."""
    grouped = group_by(cohorts, lambda one: one.project_id)
    return {project: movements.together(mine) for project, mine in grouped.items()}


def _joined(total: Numbers, counts: Numbers, counting: int) -> Sums:
    return Sums(total, NONE, total, NONE, counts, NONE, NONE, counting, 0)


@cache
def _present(by: tuple[str, ...], alone: bool) -> Query:
    """Of each cohort: profiles, who counts, ids of accounts with a large count, what the others come to, who counts for
    each metric, and what it is alike in; alone: but the project, as all accounts are of one and need not be sorted by it.
    """
    there = ACCOUNT_THERE & (accounts.c.mode != sa.literal_column("'off'"))
    several = accounts.c.project_id.op("IN")(texts_in(sa.bindparam("projects")))
    mine = accounts.c.project_id == sa.bindparam("project") if alone else several
    keys = [accounts.c[name] for name in by if not alone or name != "project_id"]
    values = [accounts.c[metric] for metric in METRICS]
    large = sa.bindparam("large", type_=Count())

    def build(dialect: str) -> sa.Select[Any]:
        any_large = sa.or_(*(value >= large for value in values))
        odd_ids = listed(dialect, sa.case((any_large, accounts.c.id)))
        added = [sa.func.sum(sa.case((value < large, value))) for value in values]
        numbers = [
            sa.func.count(),
            sa.func.count(sa.func.coalesce(*values)),
            odd_ids,
            *added,
            *map(sa.func.count, values),
        ]
        return sa.select(*numbers, *keys).where(mine, there).group_by(*keys)

    return Query(build)


# From a moment


def since_moments(
    tx: sa.Connection, project_ids: Sequence[str], days_back: tuple[int, ...], now: Sides
) -> list[dict[str, Sums]]:
    """From each of so many times 24 hours before `as_of`, of projects that have accounts, removed or not.

    now: the sums of the present.
    """
    moments = look_back(tx, project_ids, days_back)
    return [_since_moment(tx, then, back, now) for back, then in zip(days_back, moments, strict=True)]


def _since_moment(tx: sa.Connection, then: Mapping[str, Moment], back: int, now: Sides) -> dict[str, Sums]:
    told = {one: moment.usual + len(moment.begun_ids) for one, moment in then.items() if moment.usual is not None}
    lacking = [one for one, number in told.items() if number != now.get(one, NO_SUMS).accounts]
    begun = (account_id for one in told for account_id in then[one].begun_ids)
    more = count_others(tx, back, lacking, begun)
    parts = {one: [moment.stayed, *filter(None, [more.get(one)])] for one, moment in then.items()}
    odd = {account_id for moment in then.values() for account_id in moment.ended_ids}
    odd.update(account_id for mine in parts.values() for part in mine for account_id in part.odd_ids)
    moved = _others(tx, sorted(odd), DaysBack(back), Present())
    return {one: _since(now.get(one, NO_SUMS), mine, moved.get(one)) for one, mine in parts.items()}


def _since(now: Sums, parts: Iterable[Stayed], odd: Sums | None) -> Sums:
    then, others = NONE, odd
    for one in parts:
        then = tuple(map(add, then, one.then))
        if one.joining:
            joined = _joined(one.joined, one.joined_counts, one.joining)
            others = joined if others is None else others.plus(joined)
    return _together(now, then, others)


# From the end of a day


class Crossing(NamedTuple):
    """When accounts of a project began to count for something, and when they ceased; aware UTC. ids: by comma."""

    project_id: str
    ids: str
    since: datetime | None
    until: datetime | None

    def lies_between(self, first: datetime, last: datetime | None) -> bool:
        """Whether either did, from the end of one day to that of another, or to now."""
        return _is_between(self.since, first, last) or _is_between(self.until, first, last)


def _is_between(moment: datetime | None, first: datetime, last: datetime | None) -> bool:
    return moment is not None and moment >= first and (last is None or moment < last)


def crossings(tx: sa.Connection, project_ids: Sequence[str], day: date) -> list[Crossing]:
    """Who began or ceased to count for something since the end of a day."""
    since = native(tx, WHEN, end_of(day))
    rows = _crossings().rows(tx, projects=bind_ids(tx, project_ids), since=since)
    return [Crossing(row[0], row[1], as_moment(row[2]), as_moment(row[3])) for row in rows]


@cache
def _crossings() -> Query:
    mine = accounts.c.project_id.op("IN")(texts_in(sa.bindparam("projects")))
    moment = sa.bindparam("since", type_=UtcDateTime())
    turned = (account_spans.c.since >= moment) | (account_spans.c.until >= moment)
    joined = in_order(accounts, account_spans, account_spans.c.account_id == accounts.c.id)
    alike = (account_spans.c.since, account_spans.c.until)  # mostly they came together

    def build(dialect: str) -> sa.Select[Any]:
        columns = (accounts.c.project_id, listed(dialect, accounts.c.id), *alike)
        return sa.select(*columns).select_from(joined).where(mine, turned).group_by(accounts.c.project_id, *alike)

    return Query(build)


def since_day(
    tx: sa.Connection, then: DayEnd, end: Present | DayEnd, before: Sides, now: Sides, crossed: Iterable[Crossing]
) -> dict[str, Sums]:
    """From the end of a day to the present, or the end of a later day, of the projects in `before`.

    before, now: the sums of both ends. crossed: who did since that day, or since an earlier one.
    """
    first, last = end_of(then.day), end_of(end.day) if isinstance(end, DayEnd) else None
    nobody = {one for one, was in before.items() if not any(was.now)}  # then whoever is there has joined
    some = (one for one in crossed if one.project_id not in nobody)
    moved = _others(
        tx, sorted({i for one in some if one.lies_between(first, last) for i in unlisted(one.ids)}), then, end
    )
    found = {one: now.get(one, NO_SUMS).from_nothing() for one in nobody}
    unclear = []
    for one in before.keys() - nobody:
        mine, others = now.get(one, NO_SUMS), moved.get(one)
        stayed = before[one] if others is None else before[one].minus(others.before())
        found[one] = _together(mine, stayed.total, others)
        # Of some that count all the while nothing was observed at first.
        if stayed.now != (mine if others is None else mine.minus(others)).now:
            unclear.append(one)
    carried = {one: sums.carried for one, sums in now.items()} if isinstance(end, DayEnd) else {}
    found = {one: sums._replace(carried=carried.get(one, 0)) for one, sums in found.items()}
    if unclear:
        found |= by_project(between(tx, "some", unclear, then, end, by=WHOLE))
    return found


def _together(now: Sums, stayed: Numbers, others: Sums | None) -> Sums:
    """now: everybody at the later end. stayed: what those had at the earlier one that count for the same at both.

    others: all but those; None: there are none, as is the rule.
    """
    rest = now if others is None else now.minus(others)
    grown = tuple(map(sub, rest.total, stayed))
    whole = Sums(rest.total, grown, NONE, NONE, rest.now, rest.now, rest.now, rest.accounts, 0)
    return whole if others is None else others.plus(whole)


def _others(tx: sa.Connection, ids: Sequence[int], then: End, now: Present | DayEnd) -> dict[str, Sums]:
    return by_project(between(tx, "few", ids, then, now, by=WHOLE)) if ids else {}
