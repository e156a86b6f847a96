"""Days: what the accounts of a project amounted to, kept so that a history costs its days and not its accounts.

Whatever changes snapshots or spans calls `keep` for the first day that is touched, in the same transaction. The rows
are what `rules.history` makes of the same snapshots and spans; a test holds both side by side.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cache
from typing import Any, NamedTuple, TypeVar

import msgspec
import sqlalchemy as sa

from webapp.rules.growth import NO_SUMS, Sums
from webapp.rules.history import ONE, ProjectDay, day_sums, days_between
from webapp.rules.history import project_days as project_days_of
from webapp.store import movements, spans
from webapp.store.backends.dialect import insert_into
from webapp.store.ends import DayEnd, Never
from webapp.store.standing import Scope, cells, standing_at
from webapp.store.statement import Query, Ready, bind_ids, in_order, listed, or_update, texts_in, unlisted, values_of
from webapp.store.tables import account_snapshots, account_spans, accounts, project_days, projects
from webapp.store.types import UnreadableValue, as_day, bind_day

T = TypeVar("T")
Numbers = tuple[int, ...]


def keep(tx: sa.Connection, touched: Mapping[str, Collection[date]]) -> None:
    """Sum up these days of projects anew, and every later day that there is: they may carry what has changed."""
    first = {project_id: min(days) for project_id, days in touched.items() if days}
    if not first:
        return
    # Each day with a snapshot has a row, which tells where to look for carried values.
    _put(tx, [(project_id, day, NO_SUMS) for project_id in first for day in touched[project_id]], anew=False)
    alike: dict[tuple[date, bool], list[str]] = {}
    rows = _since.rows(tx, of=bind_ids(tx, first), since=min(first.values()))
    for project_id, day, has_past in rows:
        if day >= first[project_id]:
            alike.setdefault((day, has_past), []).append(project_id)
    for (day, has_past), project_ids in alike.items():
        found = movements.of_projects(tx, project_ids, DayEnd(day - ONE) if has_past else Never(), DayEnd(day))
        _put(tx, [(project_id, day, found.get(project_id, NO_SUMS)) for project_id in project_ids])


def begin(tx: sa.Connection, sums: Mapping[str, Sums], day: date) -> None:
    """The first day of projects, of which it is known what it amounts to."""
    _put(tx, [(project_id, day, of_day) for project_id, of_day in sums.items()])


_EARLIER = project_days.alias("earlier")
# Each day with its project, and whether it is not the first: before that one nobody counted.
_since = Ready(
    lambda _: sa.select(
        project_days.c.project_id,
        project_days.c.day,
        sa.exists().where(_EARLIER.c.project_id == project_days.c.project_id, _EARLIER.c.day < project_days.c.day),
    ).where(
        project_days.c.project_id.op("IN")(texts_in(sa.bindparam("of"))),
        project_days.c.day >= sa.bindparam("since", type_=project_days.c.day.type),
    )
)


def _put(tx: sa.Connection, rows: Sequence[tuple[str, date, Sums]], *, anew: bool = True) -> None:
    """What projects amounted to on days. anew: also where there is a row already."""
    values = [
        {"project_id": project_id, "day": day, "sums": sums[:-2], "accounts": sums.accounts, "carried": sums.carried}
        for project_id, day, sums in rows
    ]
    if values:
        _insert(anew).run_all(tx, values)


@cache
def _insert(anew: bool) -> Ready:
    def build(dialect: str) -> Any:
        names = project_days.c.keys()
        statement = insert_into(dialect, project_days).values(values_of(project_days, names))
        return or_update(statement, names, ("project_id", "day")) if anew else statement.on_conflict_do_nothing()

    return Ready(build)


def with_day(tx: sa.Connection, project_ids: Collection[str], day: date) -> set[str]:
    """Those of the projects that have a row of the day, as all have that have any snapshot of it."""
    return set(_with_day.column(tx, of=bind_ids(tx, project_ids), of_day=day))


_with_day = Ready(
    lambda _: sa.select(project_days.c.project_id).where(
        project_days.c.project_id.op("IN")(texts_in(sa.bindparam("of"))),
        project_days.c.day == sa.bindparam("of_day", type_=project_days.c.day.type),
    )
)


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
            _put(tx, [(project_id, day, moved)])


def _sums_of(tx: sa.Connection, account_ids: Collection[int], start: date, end: date) -> dict[date, Sums]:
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


def keep_within(tx: sa.Connection, project_id: str, start: date, end: date) -> None:
    """Sum up the days from start to end anew, where their snapshots went and what they end with is as it was.

    Days on which nothing is seen any more, and nobody came or went, need no row.
    """
    mine = (project_days.c.project_id == project_id, project_days.c.day.between(start, end))
    tx.execute(project_days.delete().where(*mine))
    seen = {cell[0] for cell in cells(tx, "project", project_id, start, end)}
    days = sorted(seen | {day for day in _turns(tx, project_id) if start <= day <= end})
    _put(tx, [(project_id, day, NO_SUMS) for day in days])  # they tell where to look for values that are carried
    for day in days:
        found = movements.of_projects(tx, [project_id], DayEnd(day - ONE), DayEnd(day))
        _put(tx, [(project_id, day, found.get(project_id, NO_SUMS))])


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
    # They tell where to look for values that are carried.
    _put(tx, [(project_id, day, NO_SUMS) for day in days])
    found = _plainly(tx, "project", project_id, days[0], days[-1]) if days else {}
    _put(tx, [(project_id, day, found[day]) for day in days])
    return Rebuilt(len(days), _differ(before, {day: found[day] for day in days}))


def _differ(before: Mapping[date, Sums], after: Mapping[date, Sums]) -> bool:
    """Whether rows mean something else than others did."""
    every = {*before, *after}
    ends = (min(every), max(every)) if every else (date.max, date.min)
    return _every_day(before, *ends) != _every_day(after, *ends)


def _touched_days(tx: sa.Connection, project_id: str) -> list[date]:
    """The days with a snapshot, and those on which somebody begins or ceases to count."""
    mine = sa.select(accounts.c.id).where(accounts.c.project_id == project_id)
    snapshots = sa.select(account_snapshots.c.day).where(account_snapshots.c.account_id.in_(mine)).distinct()
    return sorted({*tx.execute(snapshots).scalars(), *_turns(tx, project_id)})


def _turns(tx: sa.Connection, project_id: str) -> Iterator[date]:
    """The days on which somebody begins or ceases to count."""
    for span in spans.of_scope(tx, "project", project_id):
        yield from (moment.date() for moment in (span.since, span.until) if moment is not None)


def _plainly(tx: sa.Connection, scope: Scope, of: str | int, start: date, end: date) -> dict[date, Sums]:
    """The plain rule: every snapshot goes by."""
    before = standing_at(tx, scope, of, start - ONE)
    return day_sums(start, end, before, cells(tx, scope, of, start, end), spans.of_scope(tx, scope, of))


# Reading


def of_project(tx: sa.Connection, project_id: str, start: date, end: date) -> list[ProjectDay]:
    """The days from `start` to `end`, from the first one on which anybody counts; one that has no row is carried."""
    return of_projects(tx, [project_id], start, end)[project_id]


def sums_of(tx: sa.Connection, project_id: str, start: date, end: date) -> dict[date, Sums]:
    """The same as sums, of every day from `start` to `end`."""
    return _every_day(_rows(tx, [project_id], start, end).get(project_id, {}), start, end)


def of_projects(tx: sa.Connection, project_ids: Sequence[str], start: date, end: date) -> dict[str, list[ProjectDay]]:
    """The same for several projects at once."""
    found = _rows(tx, project_ids, start, end)
    return {one: project_days_of(_every_day(found.get(one, {}), start, end)) for one in project_ids}


def sums_at(tx: sa.Connection, project_ids: Sequence[str], day: date) -> dict[str, Sums]:
    """{project id: its sums of one day}, for every one of them."""
    found = _rows(tx, project_ids, day, day)
    return {one: _every_day(found.get(one, {}), day, day)[day] for one in project_ids}


class MetricSums(NamedTuple):
    """One metric of many accounts on a day. known: accounts that count for it. grew: projects of which any metric did."""

    total: int
    growth: int
    joined: int
    left: int
    known: int
    accounts: int
    carried: int
    grew: int


NO_METRIC = MetricSums(*[0] * len(MetricSums._fields))


def of_metric(
    tx: sa.Connection, project_ids: Sequence[str], place: int, start: date, end: date
) -> dict[str, list[Numbers]]:
    """{project id: one metric on each day from `start` to `end`}, for every one of them.

    Each day as the parts of a MetricSums: thousands of those would be slow.
    """
    places = {str(day): at for at, day in enumerate(days_between(start, end))}
    before: dict[str, Numbers] = {}
    found: dict[str, list[Numbers | None]] = {one: [None] * len(places) for one in project_ids}
    for project_id, days, texts, *counts in _driver_rows(tx, _by_project(), project_ids, start, end):
        mine, several = found[project_id], _read(_METRICS, f"[{texts}]")
        for day, one, count, carried in zip(days.split(","), several, *map(unlisted, counts), strict=True):
            moved = one.total[place], one.growth[place], one.joined[place], one.left[place]
            numbers = (*moved, one.now[place], count, carried, any(one.growth))
            if (at := places.get(day)) is None:
                before[project_id] = numbers
            else:
                mine[at] = numbers
    return {one: _carry(days, before.get(one, NO_METRIC)) for one, days in found.items()}


def _carry(days: Sequence[Numbers | None], last: Numbers) -> list[Numbers]:
    """As `Sums.carry` has it: days without a row say what the one before says."""
    found = []
    for one in days:
        if one is None:
            total, _, _, _, known, accounts, _, _ = last
            last = (total, 0, 0, 0, known, accounts, accounts, 0)
        else:
            last = one
        found.append(last)
    return found


def _rows(tx: sa.Connection, project_ids: Sequence[str], start: date, end: date) -> dict[str, dict[date, Sums]]:
    """The rows between two days, and before them the last one of each project."""
    found: dict[str, dict[date, Sums]] = {}
    for project_id, day, *sums in _driver_rows(tx, _between(), project_ids, start, end):
        found.setdefault(project_id, {})[as_day(day)] = _sums(*sums)
    return found


def _driver_rows(
    tx: sa.Connection, query: Query, project_ids: Sequence[str], start: date, end: date
) -> Iterator[tuple[Any, ...]]:
    ends = {"first": bind_day(tx, start), "last": bind_day(tx, end)}
    return query.rows(tx, projects=bind_ids(tx, project_ids), **ends)


class _Metrics(msgspec.Struct, array_like=True, gc=False):
    """What the sums of a day say of each metric; the rest is passed over."""

    total: Numbers
    growth: Numbers
    joined: Numbers
    left: Numbers
    now: Numbers


_PARTS = msgspec.json.Decoder(list[Numbers])
_METRICS = msgspec.json.Decoder(list[_Metrics])


def _sums(text: str, accounts: int, carried: int) -> Sums:
    return Sums._make((*_read(_PARTS, text), accounts, carried))


def _read(decoder: msgspec.json.Decoder[T], text: str) -> T:
    try:
        return decoder.decode(text)
    except msgspec.DecodeError:
        raise UnreadableValue("JSON") from None


@cache
def _between() -> Query:
    columns = [project_days.c[name] for name in ("project_id", "day", *_OF_DAY)]
    return Query(lambda _: _select_between(columns))


@cache
def _by_project() -> Query:
    """The days of a project in one row, each column by comma: a row for each day takes twice as long."""

    def build(dialect: str) -> sa.Select[Any]:
        columns = [listed(dialect, project_days.c[name]) for name in ("day", *_OF_DAY)]
        return _select_between([projects.c.id, *columns]).group_by(projects.c.id)

    return Query(build)


_OF_DAY = ("sums", "accounts", "carried")


def _select_between(columns: Sequence[sa.ColumnElement[Any]]) -> sa.Select[Any]:
    """From each project to its days: an OR of two conditions on the day would have every day of all years looked at."""
    first, last = (sa.bindparam(name, type_=project_days.c.day.type) for name in ("first", "last"))
    earlier = project_days.alias("earlier")
    before = sa.select(sa.func.max(earlier.c.day)).where(earlier.c.project_id == projects.c.id, earlier.c.day < first)
    begin = sa.func.coalesce(before.scalar_subquery(), first, type_=project_days.c.day.type)
    mine = projects.c.id.op("IN")(texts_in(sa.bindparam("projects")))
    theirs = (project_days.c.project_id == projects.c.id) & project_days.c.day.between(begin, last)
    return sa.select(*columns).select_from(in_order(projects, project_days, theirs)).where(mine)


def _every_day(known: Mapping[date, Sums], start: date, end: date) -> dict[date, Sums]:
    """The days from start to end: those that have a row, and between them days on which nothing changed."""
    last = known[max(earlier)] if (earlier := [day for day in known if day < start]) else NO_SUMS
    found = {}
    for day in days_between(start, end):
        last = found[day] = known.get(day) or last.carry()
    return found
