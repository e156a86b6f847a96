"""Days: what the accounts of a project amounted to, kept so that a history costs its days and not its accounts.

Whatever changes snapshots or spans calls `keep` for the first day that is touched, in the same transaction. The rows
are what `rules.history` makes of the same snapshots and spans; a test holds both side by side.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from webapp.model import METRICS, Metric
from webapp.rules.history import NO_SUMS, ONE, DaySums, ProjectDay, day_sums, days_between, end_of
from webapp.rules.history import project_days as project_days_of
from webapp.store import spans
from webapp.store.backends.dialect import insert_for
from webapp.store.spans import on_account
from webapp.store.standing import (
    Scope,
    bound_day,
    bound_moment,
    carried_values,
    cells,
    has_bit,
    in_scope,
    joined_to,
    last_snapshot,
    standing_at,
)
from webapp.store.statement import Query, chunks
from webapp.store.tables import account_snapshots, account_spans, accounts, project_days
from webapp.store.types import UtcDateTime, bind_day, native

SUMS = DaySums._fields[:-2]


def keep(tx: sa.Connection, project_id: str, touched: Collection[date]) -> None:
    """Sum up these days anew, and every later day that there is: they may carry what has changed."""
    if not touched:
        return
    for day in sorted(touched):  # each day with a snapshot has a row, which tells where to look for carried values
        _put_if_new(tx, project_id, day)
    mine = project_days.c.project_id == project_id
    later = tx.execute(sa.select(project_days.c.day).where(mine, project_days.c.day > min(touched))).scalars()
    for one in sorted({*touched, *later}):
        _keep_day(tx, project_id, one)


def _keep_day(tx: sa.Connection, project_id: str, day: date) -> None:
    _put(tx, project_id, day, _sum_up(tx, project_id, day))


def _put_if_new(tx: sa.Connection, project_id: str, day: date) -> None:
    row = {"project_id": project_id, "day": day, "sums": NO_SUMS[:-2], "accounts": 0, "carried": 0}
    tx.execute(insert_for(tx, project_days).values(row).on_conflict_do_nothing())


def _put(tx: sa.Connection, project_id: str, day: date, found: DaySums) -> None:
    row = {"sums": found[:-2], "accounts": found.accounts, "carried": found.carried}
    statement = insert_for(tx, project_days).values(project_id=project_id, day=day, **row)
    tx.execute(statement.on_conflict_do_update(index_elements=["project_id", "day"], set_=row))


@contextmanager
def adjusting(
    tx: sa.Connection, project_id: str, account_ids: Collection[int], since: date, until: date
) -> Iterator[None]:
    """Whatever happens within changes snapshots and spans of these accounts alone, of days from `since` to `until`.

    The sums are then moved by what these accounts change, so that it does not matter how many others there are.
    """
    last = tx.execute(
        sa.select(sa.func.max(project_days.c.day)).where(project_days.c.project_id == project_id)
    ).scalar()
    until = max(filter(None, (until, last)))
    before = _sums_of(tx, account_ids, since, until)
    yield
    after = _sums_of(tx, account_ids, since, until)
    known = _rows(tx, [project_id], since, until).get(project_id, {})
    observed = {cell[0] for one in account_ids for cell in cells(tx, "account", one, since, until)}
    for day, was in _every_day(known, since, until).items():
        moved = was.minus(before[day]).plus(after[day])
        if moved != was or day in observed - known.keys():  # each day with a snapshot has a row
            _put(tx, project_id, day, moved)


def _sums_of(tx: sa.Connection, account_ids: Collection[int], start: date, end: date) -> dict[date, DaySums]:
    """The plain rule for a few accounts together."""
    found = dict.fromkeys(days_between(start, end), NO_SUMS)
    for account_id in account_ids:
        mine = _plainly(tx, "account", account_id, start, end)
        found = {day: sums.plus(mine[day]) for day, sums in found.items()}
    return found


def first_of(tx: sa.Connection, account_ids: Collection[int]) -> date | None:
    """The first day on which any of these accounts has a snapshot or counts."""
    ids = list(account_ids)
    snapshot = sa.select(sa.func.min(account_snapshots.c.day)).where(account_snapshots.c.account_id.in_(ids))
    span = sa.select(sa.func.min(account_spans.c.since)).where(account_spans.c.account_id.in_(ids))
    since = tx.execute(span).scalar()
    found = (tx.execute(snapshot).scalar(), None if since is None else since.date())
    return min(filter(None, found), default=None)


class Rebuilt(NamedTuple):
    """days: that were summed up. mended: some of them were wrong, so that answers have changed."""

    days: int
    mended: bool


def rebuild(tx: sa.Connection, project_id: str) -> Rebuilt:
    """Sum up every day of a project anew, from its snapshots and spans.

    Days on which nothing was seen and nobody came or went need no row and get none: they say what the day before says.
    """
    before = _rows(tx, [project_id], date.min, date.max).get(project_id, {})
    tx.execute(project_days.delete().where(project_days.c.project_id == project_id))
    days = _touched_days(tx, project_id)
    for day in days:  # they tell where to look for values that are carried
        _put(tx, project_id, day, NO_SUMS)
    found = _plainly(tx, "project", project_id, days[0], days[-1]) if days else {}
    for day in days:
        _put(tx, project_id, day, found[day])
    return Rebuilt(len(days), _differ(before, {day: found[day] for day in days}))


def _differ(before: Mapping[date, DaySums], after: Mapping[date, DaySums]) -> bool:
    """Whether rows mean something else than others did."""
    every = {*before, *after}
    ends = (min(every), max(every)) if every else (date.max, date.min)
    return _every_day(before, *ends) != _every_day(after, *ends)


def _touched_days(tx: sa.Connection, project_id: str) -> list[date]:
    """The days with a snapshot, and those on which somebody begins or ceases to count."""
    mine = sa.select(accounts.c.id).where(accounts.c.project_id == project_id)
    snapshots = sa.select(account_snapshots.c.day).where(account_snapshots.c.account_id.in_(mine)).distinct()
    turns = (
        moment.date()
        for span in spans.of_scope(tx, "project", project_id)
        for moment in (span.since, span.until)
        if moment is not None
    )
    return sorted({*tx.execute(snapshots).scalars(), *turns})


def _plainly(tx: sa.Connection, scope: Scope, of: str | int, start: date, end: date) -> dict[date, DaySums]:
    """The plain rule: every snapshot goes by."""
    before = standing_at(tx, scope, of, start - ONE)
    return day_sums(start, end, before, cells(tx, scope, of, start, end), spans.of_scope(tx, scope, of))


# One day, summed up by the database


def _sum_up(tx: sa.Connection, project_id: str, day: date) -> DaySums:
    when = UtcDateTime()
    row = _sums().first(
        tx,
        scope=project_id,
        day=bind_day(tx, day),
        day_before=bind_day(tx, day - ONE),
        end=native(tx, when, end_of(day)),
        start=native(tx, when, end_of(day - ONE)),
    )
    assert row is not None  # noqa: S101  sums are one row
    numbers = [int(value or 0) for value in row]
    if any(abs(number) > SAFE for number in numbers):
        return _plainly(tx, "project", project_id, day, day)[day]
    width = len(METRICS)
    parts = [tuple(numbers[place : place + width]) for place in range(0, width * len(SUMS), width)]
    return DaySums._make([*parts, *numbers[-2:]])


SAFE = 2**53  # the database adds as floating point, which is exact up to this


@cache
def _sums() -> Query:
    def build(dialect: str) -> sa.Select[Any]:
        of_day = account_snapshots.alias("of_day")
        inner = _values(dialect, of_day)
        sums = [_sum(inner, name, metric) for name in SUMS for metric in METRICS]
        counts = [inner.c[f"now_{metric}"].is_not(None) for metric in METRICS]
        carried = [inner.c[f"now_{metric}"].is_not(None) & inner.c[f"fresh_{metric}"].is_(None) for metric in METRICS]
        return sa.select(
            *sums, sa.func.count(sa.case((sa.or_(*counts), 1))), sa.func.count(sa.case((sa.or_(*carried), 1)))
        ).select_from(inner)

    return Query(build)


def _values(dialect: str, of_day: sa.FromClause) -> sa.Subquery:
    """Per account what it counted for at the end of the day before and counts for now, and what is of the day."""
    end, start = bound_moment("end"), bound_moment("start")
    now = last_snapshot(dialect, "project", bound_day("day"), "now")
    then = last_snapshot(dialect, "project", bound_day("day_before"), "before")
    span_now, span_then = account_spans.alias("span_now"), account_spans.alias("span_before")
    joined = joined_to(joined_to(accounts, now), then)
    joined = joined.outerjoin(span_now, on_account(span_now, end)).outerjoin(span_then, on_account(span_then, start))
    here = (of_day.c.day == bound_day("day")) & (of_day.c.account_id == accounts.c.id)
    columns: list[Any] = []
    pairs = zip(METRICS, carried_values(dialect, now), carried_values(dialect, then), strict=True)
    for place, (metric, value, earlier) in enumerate(pairs):
        columns += [
            sa.case((has_bit(span_now.c.metrics, place), value)).label(f"now_{metric}"),
            sa.case((has_bit(span_then.c.metrics, place), earlier)).label(f"then_{metric}"),
            of_day.c[metric].label(f"fresh_{metric}"),
        ]
    some = span_now.c.account_id.is_not(None) | span_then.c.account_id.is_not(None)
    statement = sa.select(*columns).select_from(joined.outerjoin(of_day, here)).where(in_scope("project"), some)
    return statement.subquery("both")


def _sum(inner: sa.Subquery, name: str, metric: Metric) -> sa.ColumnElement[Any]:
    now, then = inner.c[f"now_{metric}"], inner.c[f"then_{metric}"]
    match name:
        case "total":
            return _added(now)
        case "growth":
            return _added(now - then)
        case "joined":
            return _added(sa.case((then.is_(None), now)))
        case "left":
            return -_added(sa.case((now.is_(None), then)))
        case "now":
            return sa.func.count(now)
        case "both":
            return sa.func.count(now - then)
        case _:
            return sa.func.count(then)


def _added(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The sum, NULL of nothing. As floating point, since SQLite refuses a whole sum that does not fit 64 bits."""
    return sa.func.sum(sa.cast(column, sa.Double()))


# Reading


def of_project(tx: sa.Connection, project_id: str, start: date, end: date) -> list[ProjectDay]:
    """The days from `start` to `end`, from the first one on which anybody counts; one that has no row is carried."""
    return of_projects(tx, [project_id], start, end)[project_id]


def of_projects(tx: sa.Connection, project_ids: Sequence[str], start: date, end: date) -> dict[str, list[ProjectDay]]:
    """The same for several projects at once."""
    found = _rows(tx, project_ids, start, end)
    return {one: project_days_of(_every_day(found.get(one, {}), start, end)) for one in project_ids}


def _rows(tx: sa.Connection, project_ids: Sequence[str], start: date, end: date) -> dict[str, dict[date, DaySums]]:
    """The rows between two days, and before them the last one of each project."""
    days = project_days.alias()
    last = sa.select(sa.func.max(days.c.day)).where(days.c.project_id == project_days.c.project_id, days.c.day < start)
    within = project_days.c.day.between(start, end) | (project_days.c.day == last.scalar_subquery())
    columns = (project_days.c[name] for name in ("project_id", "day", "sums", "accounts", "carried"))
    found: dict[str, dict[date, DaySums]] = {}
    for part in chunks(project_ids):
        statement = sa.select(*columns).where(project_days.c.project_id.in_(part), within)
        for project_id, day, sums, count, carried in tx.execute(statement):
            found.setdefault(project_id, {})[day] = DaySums._make([*map(tuple, sums), count, carried])
    return found


def _every_day(known: Mapping[date, DaySums], start: date, end: date) -> dict[date, DaySums]:
    """The days from start to end: those that have a row, and between them days on which nothing changed."""
    last = known[max(earlier)] if (earlier := [day for day in known if day < start]) else NO_SUMS
    found = {}
    for day in days_between(start, end):
        last = found[day] = known.get(day) or last.carry()
    return found
