"""Movements: what many accounts came to between two moments, added up by the database, group by group.

The result is what `rules.growth` makes of the accounts one by one. Most accounts have a snapshot on the days that their
project has one, and the database adds those up at once. For the others it looks up on which days they have one. What
is odd even then, because a value has to be looked for further back or is too large to be added up blindly, is looked
at one by one, as `store.standing` finds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple

import sqlalchemy as sa

from webapp.model import METRICS, UNKNOWN, Metric, Values
from webapp.rules.growth import NO_SUMS, Sums, difference, mask_of, sums
from webapp.rules.history import end_of
from webapp.rules.sorting import group_by
from webapp.store import standing
from webapp.store.ends import ALIKE, Asked, DayEnd, DaysBack, End, Kind, Never, Present, Scope, each, sides
from webapp.store.standing import has_bit
from webapp.store.statement import Query, bind_ids, chunks, listed, unlisted
from webapp.store.tables import projects
from webapp.store.types import WHEN, bind_day, native

LARGE = 1 << 33  # counts from here on are odd; below, no product and no sum needs more than 64 bits
FEW = 1_000
WHOLE = ("project_id",)
NOT_APART: Mapping[str, Any] = {"project_id": "", "platform": "", "topic": None, "owner": None}
WIDTH = len(METRICS)
NOBODY = (0,) * 2 * (WIDTH + 1)

Of = str | Sequence[str] | Sequence[int] | None


class Cohort(NamedTuple):
    """Accounts, removed or not, that are alike in what they are told apart by; of the rest nothing is said.

    profiles: those that are present and not off.
    """

    project_id: str
    platform: str
    topic: str | None
    owner: str | None
    profiles: int
    sums: Sums

    @classmethod
    def of(cls, by: Sequence[str], key: Sequence[Any], profiles: int, added: Sums) -> Cohort:
        """by, key: what it is told apart by, and what it is there."""
        return cls(**{**NOT_APART, **dict(zip(by, key, strict=True))}, profiles=profiles, sums=added)


def between(
    tx: sa.Connection,
    scope: Scope,
    of: Of,
    then: End,
    now: Present | DayEnd,
    *,
    by: tuple[str, ...] = ALIKE,
) -> list[Cohort]:
    """How the sums of all accounts came from one end to the other.

    scope: `project`, `some` (of which `of` has the ids), `all`, or `few` (accounts, of which `of` has the ids). by: what
    cohorts are told apart by.
    """
    found = _Cohorts(by)
    asked = Asked(scope, _kind(then), _kind(now), "quick")
    ends = {**_bound(tx, "then", then), **_bound(tx, "now", now)}
    odd = found.add_rows(_rows(tx, asked, by, of, ends), known=False)
    if odd:
        asked = asked._replace(scope="few", look="thorough")
        odd = found.add_rows(_rows(tx, asked, by, odd, ends), known=True)
    for part in chunks(odd, FEW):
        found.add_accounts(tx, part, then, now)
    return found.listed()


class _Grown(NamedTuple):
    """{account id: what a metric grew by}, None where it does not count at both ends; and the ids of odd accounts."""

    known: dict[int, int | None]
    odd: list[int]


def grown(
    tx: sa.Connection, project_id: str, then: End, now: Present | DayEnd, metric: Metric
) -> dict[int, int | None]:
    """{account id: what a metric grew by}, of the accounts that are there; None where it does not count at both ends."""
    ends = {**_bound(tx, "then", then), **_bound(tx, "now", now)}
    asked = Asked("project", _kind(then), _kind(now), "quick")
    found, odd = _grown_rows(tx, asked, metric, project_id, ends)
    if odd:
        more, odd = _grown_rows(tx, asked._replace(scope="few", look="thorough"), metric, odd, ends)
        found |= more
    place = METRICS.index(metric)
    for part in chunks(odd, FEW):
        before, after = (_values_at(tx, part, end) for end in (then, now))
        for one in part:
            found[one] = difference(after.get(one, UNKNOWN), before.get(one, UNKNOWN))[place]
    return found


def _grown_rows(tx: sa.Connection, asked: Asked, metric: Metric, of: Of, ends: Mapping[str, Any]) -> _Grown:
    found = _Grown({}, [])
    for account_id, growth, is_odd in _grown(asked, metric).rows(tx, large=LARGE, **ends, **_scoped(tx, of)):
        if is_odd:
            found.odd.append(account_id)
        else:
            found.known[account_id] = growth
    return found


@cache
def _grown(asked: Asked, metric: Metric) -> Query:
    def build(dialect: str) -> sa.Select[Any]:
        rows = each(dialect, asked)
        place = METRICS.index(metric)
        both = has_bit(rows.c.then_bits, place) & has_bit(rows.c.now_bits, place)
        growth = sa.case((both, rows.c[f"now_{metric}"] - rows.c[f"then_{metric}"]))
        is_odd = rows.c.odd_id.is_not(None)
        return sa.select(rows.c.id, growth, is_odd).where(rows.c.there == sa.literal_column("1"))

    return Query(build)


def of_projects(tx: sa.Connection, project_ids: Sequence[str], then: End, now: Present | DayEnd) -> dict[str, Sums]:
    """{project id: the same}; projects without accounts are not there."""
    groups = group_by(between(tx, "some", project_ids, then, now, by=WHOLE), attrgetter("project_id"))
    return {project_id: together(mine) for project_id, mine in groups.items()}


def together(groups: Iterable[Cohort]) -> Sums:
    """All groups together."""
    found = NO_SUMS
    for group in groups:
        found = found.plus(group.sums)
    return found


class _Row(NamedTuple):
    """Accounts that are alike, count for the same metrics at either end, and are all odd or none."""

    profiles: int
    members: int
    odd_ids: str | None
    fresh: int


class _Cohorts:
    """Groups as they grow."""

    def __init__(self, by: tuple[str, ...]) -> None:
        self._by = by
        self._found: dict[tuple[Any, ...], tuple[int, Sums]] = {}

    def add_rows(self, rows: Iterable[tuple[Any, ...]], *, known: bool) -> list[int]:
        """What the database added up; the ids of odd accounts. known: that they are there was said before."""
        width, odd = len(self._by), list[int]()
        for values in rows:
            key, row, ends = values[:width], _Row._make(values[width : width + 4]), values[width + 4 :]
            self._add(key, 0 if known else row.profiles, NO_SUMS if row.odd_ids else _sums_of(row, ends))
            if row.odd_ids:
                odd += unlisted(row.odd_ids)
        return odd

    def add_accounts(self, tx: sa.Connection, ids: Sequence[int], then: End, now: Present | DayEnd) -> None:
        """Odd accounts, one by one."""
        before, after = (_values_at(tx, ids, end) for end in (then, now))
        stale = _stale(tx, after, now) if isinstance(now, DayEnd) else set()
        people = standing.everybody(tx, "few", ids, removed=True)
        for key, members in group_by(people, lambda one: tuple(getattr(one, name) for name in self._by)).items():
            pairs = [(before.get(one.id, UNKNOWN), after.get(one.id, UNKNOWN)) for one in members]
            self._add(key, 0, sums(pairs)._replace(carried=sum(one.id in stale for one in members)))

    def _add(self, key: tuple[Any, ...], profiles: int, more: Sums) -> None:
        before = self._found.get(key)
        self._found[key] = (profiles, more) if before is None else (before[0] + profiles, before[1].plus(more))

    def listed(self) -> list[Cohort]:
        return [Cohort.of(self._by, key, *known) for key, known in self._found.items()]


def _sums_of(row: _Row, ends: Sequence[Any]) -> Sums:
    """Of accounts that count for the same metrics: joined, left and grown is decided by the metric, not the account.

    ends: of either side the bits of these metrics and what each adds up to; without the first, nobody counted there.
    """
    numbers = [int(number or 0) for number in (*NOBODY[len(ends) :], *ends)]
    (then_bits, *then), (now_bits, *now) = numbers[: WIDTH + 1], numbers[WIDTH + 1 :]
    columns = enumerate(zip(then, now, strict=True))
    parts = [_of_metric(row.members, then_bits >> i & 1, now_bits >> i & 1, *values) for i, values in columns]
    counting = row.members if now_bits else 0
    return Sums._make([*zip(*parts, strict=True), counting, 0 if row.fresh else counting])


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
        case Never():
            return {}
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
        case Never():
            return "never"
        case _:
            return "now"


def _bound(tx: sa.Connection, side: str, end: End) -> dict[str, Any]:
    if not isinstance(end, DayEnd):
        return {}
    return {f"{side}_day": bind_day(tx, end.day), f"{side}_end": native(tx, WHEN, end_of(end.day))}


def _rows(
    tx: sa.Connection, asked: Asked, by: tuple[str, ...], of: Of, ends: Mapping[str, Any]
) -> Iterator[tuple[Any, ...]]:
    return _grouped(asked, by).rows(tx, large=LARGE, **ends, **_scoped(tx, of))


def _scoped(tx: sa.Connection, of: Of) -> dict[str, Any]:
    if of is None:
        return {}
    return {"scope": of if isinstance(of, str) else bind_ids(tx, of)}


@cache
def _grouped(asked: Asked, by: tuple[str, ...]) -> Query:
    def build(dialect: str) -> sa.Select[Any]:
        rows = each(dialect, asked, by)
        keys = [rows.c[name] for name in by]
        bits = {side: rows.c[f"{side}_bits"] for side in sides(asked)}
        of_all = [sa.func.sum(rows.c.counted), sa.func.count(), listed(dialect, rows.c.odd_id), rows.c.now_fresh]
        ends = [[mine, *(sa.func.sum(rows.c[f"{side}_{metric}"]) for metric in METRICS)] for side, mine in bits.items()]
        found = sa.select(*keys, *of_all, *chain.from_iterable(ends))
        return found.group_by(*keys, *bits.values(), rows.c.now_fresh, rows.c.odd_id.is_(None))

    return Query(build)
