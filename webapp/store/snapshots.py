"""Snapshots: the counts of one account on one UTC day."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from webapp.errors import NotFound
from webapp.model import METRICS, Counts, Metric, Values
from webapp.rules.sorting import group_by
from webapp.store import projects
from webapp.store.accounts import Account
from webapp.store.backends.dialect import insert_for, insert_into
from webapp.store.standing import has_bit
from webapp.store.statement import Ready, bind_ids, chunks, ids_in, insert, texts_in
from webapp.store.tables import ACCOUNT_THERE, accepted_readings, account_snapshots, accounts, observations
from webapp.store.types import bind_day, native

ONE = timedelta(days=1)
_COUNTS = [account_snapshots.c[metric] for metric in METRICS]


# Single ones


def _snapshot(tx: sa.Connection, account: Account, day: date) -> Counts:
    where = (account_snapshots.c.account_id == account.id, account_snapshots.c.day == day)
    row = tx.execute(sa.select(*_COUNTS).where(*where)).first()
    if row is None:
        raise NotFound(f"account {account.id} has no snapshot of {day}", code="snapshot_not_found")
    return Counts(*row)


def correct(tx: sa.Connection, account: Account, day: date, values: Mapping[str, int | None]) -> tuple[Counts, Counts]:
    """Other counts for one day; what is not among the values stays. The counts before and after.

    Raises: NotFound.
    """
    before = _snapshot(tx, account, day)
    after = before._replace(**values)
    if after != before:
        mine = (account_snapshots.c.account_id == account.id) & (account_snapshots.c.day == day)
        tx.execute(account_snapshots.update().where(mine).values(**values))
        # A day that lacks a count again gets it from a merge alone.
        projects.touch(tx, [account.project_id], merge=None in values.values())
    return before, after


def remove(tx: sa.Connection, account: Account, day: date) -> Counts:
    """Forget one day; its counts.

    Raises: NotFound.
    """
    before = _snapshot(tx, account, day)
    mine = (account_snapshots.c.account_id == account.id) & (account_snapshots.c.day == day)
    tx.execute(account_snapshots.delete().where(mine))
    projects.touch(tx, [account.project_id])
    return before


# Those of a day


class Wanted(NamedTuple):
    """A project whose snapshots of a day are to be taken.

    sheet_read: its tab was read in this run. fill: look for metrics that snapshots of the day lack; without, only
    accounts that have none of the day get one. only: nothing has changed but these accounts; None: look at all.
    """

    project_id: str
    sheet_read: bool
    fill: bool = True
    only: Collection[int] | None = None


class Taken(NamedTuple):
    """created: snapshots that were made. filled: those that got metrics they had not had, or other counts."""

    created: int = 0
    filled: int = 0


def take(
    tx: sa.Connection, wanted: Sequence[Wanted], day: date, at: datetime, *, latest: bool = False
) -> dict[str, Taken]:
    """The day's snapshots of projects: per metric the first credible value, of every account that counts.

    A value is credible when its cell was read in this run and is not in doubt, or a reading of this day says it that
    is not held. latest: what is there follows the credible values. at: the moment of the observation, within the day.
    """
    start = datetime.combine(day, time(), UTC)
    values = {"of_day": day, "at": at, "day_starts": start, "day_ends": start + ONE}
    found = dict.fromkeys((one.project_id for one in wanted), Taken())
    for (sheet_read, fill, few), alike in group_by(wanted, _kind).items():
        ids = [one.project_id for one in alike]
        scope: Collection[Any] = [id_ for one in alike for id_ in one.only or ()] if few else ids
        asked = sheet_read, few, tx.dialect.name, len(ids) > 1
        mine = values | {"scope": bind_ids(tx, scope)}
        filled: Mapping[str, int] = {}
        if fill or latest:
            filled = _count(tx, _follow(*asked) if latest else _fill(*asked), mine, ids)
        made = _count(tx, _add(*asked), mine, ids)
        found |= {one: Taken(made.get(one, 0), filled.get(one, 0)) for one in ids}
    return found


def add_new(tx: sa.Connection, found: Iterable[tuple[int, Values]], day: date, at: datetime) -> None:
    """The day's snapshots of accounts that have just come in: (account id, counts)."""
    of_day, stamp = bind_day(tx, day), native(tx, account_snapshots.c.snapshot_time.type, at)
    _add_new.run(tx, ((of_day, account_id, stamp, *counts) for account_id, counts in found))


_add_new = insert(account_snapshots, ("day", "account_id", "snapshot_time", *METRICS))


def _kind(wanted: Wanted) -> tuple[bool, bool, bool]:
    return wanted.sheet_read, wanted.fill, wanted.only is not None


def _count(
    tx: sa.Connection, statement: Ready, values: Mapping[str, Any], project_ids: Sequence[str]
) -> dict[str, int]:
    """{project id: rows that the statement touched}. Of several projects it answers with the account of each."""
    if len(project_ids) == 1:
        return {project_ids[0]: statement.run(tx, **values)}
    return dict(_by_project.rows(tx, of=bind_ids(tx, statement.column(tx, **values))))


_COUNTED: list[Any] = [accounts.c.project_id, sa.func.count()]
_by_project = Ready(
    lambda _: (
        sa.select(*_COUNTED).where(accounts.c.id.op("IN")(ids_in(sa.bindparam("of")))).group_by(accounts.c.project_id)
    )
)


@cache
def _add(sheet_read: bool, few: bool, dialect: str, several: bool) -> Ready:
    rows, made = _candidates(sheet_read, few)
    # Asked first by an outer join, so that on a day that is done nothing else of an account is even looked at.
    rows = rows.where(made.c.account_id.is_(None))
    found = rows.subquery("found")
    some = sa.or_(*(found.c[metric].is_not(None) for metric in METRICS))
    return _telling(_insert(dialect, sa.select(found).where(some)).on_conflict_do_nothing(), several)


@cache
def _fill(sheet_read: bool, few: bool, dialect: str, several: bool) -> Ready:
    rows, made = _candidates(sheet_read, few, with_made=True)
    holes = sa.or_(*(made.c[metric].is_(None) for metric in METRICS))
    found = rows.where(made.c.account_id.is_not(None), holes).subquery("found")
    lacking = sa.or_(*(found.c[f"made_{m}"].is_(None) & found.c[m].is_not(None) for m in METRICS))
    statement = _insert(dialect, sa.select(*(found.c[name] for name in _NAMES)).where(lacking))
    new = statement.excluded
    values = {metric: sa.func.coalesce(account_snapshots.c[metric], new[metric]) for metric in METRICS}
    return _telling(statement.on_conflict_do_update(index_elements=["day", "account_id"], set_=values), several)


@cache
def _follow(sheet_read: bool, few: bool, dialect: str, several: bool) -> Ready:
    rows, made = _candidates(sheet_read, few, with_made=True)
    found = rows.where(made.c.account_id.is_not(None)).subquery("found")
    other = sa.or_(*(found.c[m].is_not(None) & found.c[m].is_distinct_from(found.c[f"made_{m}"]) for m in METRICS))
    statement = _insert(dialect, sa.select(*(found.c[name] for name in _NAMES)).where(other))
    new = statement.excluded
    values: dict[str, Any] = {metric: sa.func.coalesce(new[metric], account_snapshots.c[metric]) for metric in METRICS}
    values |= {"snapshot_time": new.snapshot_time}
    return _telling(statement.on_conflict_do_update(index_elements=["day", "account_id"], set_=values), several)


def _telling(statement: Any, several: bool) -> Ready:
    """Let it answer with the account of each row where there are several projects."""
    return Ready(lambda _: statement.returning(account_snapshots.c.account_id) if several else statement)


def lacking(tx: sa.Connection, wanted: Sequence[Wanted], day: date) -> set[str]:
    """Those of the projects of which any account that counts has no value of the day where it has one now.

    Of a project with `only` some accounts, all others are known to have one.
    """
    found: set[str] = set()
    whole = [one.project_id for one in wanted if one.only is None]
    some = [account for one in wanted for account in one.only or ()]
    for scope, statement in ((whole, _lacking), (some, _lacking_of_some)):
        if scope:
            found.update(statement.column(tx, of=bind_ids(tx, scope), of_day=day))
    return found


_made = account_snapshots.alias("made")
_COUNTED_NOW = (ACCOUNT_THERE, accounts.c.mode != sa.literal_column("'off'"))
_ANY_LACKING = (
    sa.select(accounts.c.project_id)
    .distinct()
    .select_from(
        accounts.outerjoin(
            _made,
            (_made.c.day == sa.bindparam("of_day", type_=_made.c.day.type)) & (_made.c.account_id == accounts.c.id),
        )
    )
    .where(*_COUNTED_NOW)
    .where(sa.or_(*(accounts.c[metric].is_not(None) & _made.c[metric].is_(None) for metric in METRICS)))
)
_lacking = Ready(lambda _: _ANY_LACKING.where(accounts.c.project_id.op("IN")(texts_in(sa.bindparam("of")))))
_lacking_of_some = Ready(lambda _: _ANY_LACKING.where(accounts.c.id.op("IN")(ids_in(sa.bindparam("of")))))


_NAMES = ("day", "account_id", "snapshot_time", *METRICS)


def _insert(dialect: str, rows: sa.Select[Any]) -> Any:
    if dialect == "sqlite":  # else it takes the ON of ON CONFLICT for one of a join
        rows = rows.where(sa.true())
    return insert_into(dialect, account_snapshots).from_select(list(_NAMES), rows)


def _candidates(sheet_read: bool, few: bool, *, with_made: bool = False) -> tuple[sa.Select[Any], sa.FromClause]:
    """What the day's snapshot of each account may show, and the one that there is. few: `scope` has their ids."""
    made, sheet, parsed = account_snapshots.alias("made"), observations.alias("sheet"), observations.alias("parsed")
    accepted = accepted_readings.alias("accepted")
    day = sa.bindparam("of_day", type_=account_snapshots.c.day.type)
    joined = accounts.outerjoin(made, (made.c.day == day) & (made.c.account_id == accounts.c.id))
    for side, source in ((sheet, "'sheet'"), (parsed, "'parsed'")):
        mine = (side.c.account_id == accounts.c.id) & (side.c.source == sa.literal_column(source))
        joined = joined.outerjoin(side, mine)
    joined = joined.outerjoin(accepted, accepted.c.account_id == accounts.c.id)
    at = sa.bindparam("at", type_=account_snapshots.c.snapshot_time.type)
    columns: list[Any] = [day.label("day"), accounts.c.id.label("account_id"), at.label("snapshot_time")]
    columns += [_credible(sheet, parsed, accepted, place, sheet_read).label(m) for place, m in enumerate(METRICS)]
    if with_made:
        columns += [made.c[metric].label(f"made_{metric}") for metric in METRICS]
    scope: sa.BindParameter[Any] = sa.bindparam("scope")
    own = accounts.c.id.op("IN")(ids_in(scope)) if few else accounts.c.project_id.op("IN")(texts_in(scope))
    return sa.select(*columns).select_from(joined).where(own, *_COUNTED_NOW), made


def _credible(
    sheet: sa.FromClause, parsed: sa.FromClause, accepted: sa.FromClause, place: int, sheet_read: bool
) -> sa.ColumnElement[Any]:
    """One metric: the current count where a source confirms it, the reading alone where the sheet is in doubt."""
    metric = METRICS[place]
    when = observations.c.observed_at.type
    starts, ends = sa.bindparam("day_starts", type_=when), sa.bindparam("day_ends", type_=when)
    of_today = (parsed.c.observed_at >= starts) & (parsed.c.observed_at < ends)
    # As the merge has it: not one that is held, nor one that somebody has written since on PostgreSQL.
    believed = parsed.c[metric] == accepted.c[metric]
    read = believed & of_today & ~has_bit(parsed.c.unread, place)
    doubted = has_bit(sa.func.coalesce(sheet.c.doubted, 0), place)
    confirmed: sa.ColumnElement[bool] = read
    if sheet_read:
        confirmed = read | (sheet.c[metric].is_not(None) & ~has_bit(sheet.c.unread, place))
    return sa.case((doubted, sa.case((read, parsed.c[metric]))), (confirmed, accounts.c[metric]))


DayMetric = tuple[int, date, Metric, int | None, datetime]


def set_values(tx: sa.Connection, rows: Sequence[DayMetric]) -> None:
    """Give days other values: (account id, day, metric, value, snapshot time for a day that has no snapshot yet)."""
    for account_id, day, metric, value, at in rows:
        statement = insert_for(tx, account_snapshots).values(
            day=day, account_id=account_id, snapshot_time=at, **{metric: value}
        )
        tx.execute(statement.on_conflict_do_update(index_elements=["day", "account_id"], set_={metric: value}))
    days = {day for _, day, _, value, _ in rows if value is None}
    for day in days:  # a snapshot of nothing is none
        nothing = sa.and_(*(account_snapshots.c[metric].is_(None) for metric in METRICS))
        tx.execute(account_snapshots.delete().where(account_snapshots.c.day == day, nothing))


def fill_values(tx: sa.Connection, rows: Sequence[DayMetric]) -> list[DayMetric]:
    """The same where a day has no value of the metric yet; those that were written."""
    found: list[DayMetric] = []
    for one in rows:
        known = of_day(tx, [one[0]], one[1]).get(one[0])
        if known is None or known._asdict()[one[2]] is None:
            found.append(one)
    set_values(tx, found)
    return found


def on_days(tx: sa.Connection, account_id: int, start: date, end: date) -> dict[date, Counts]:
    """The snapshots of one account from one day to another."""
    days = account_snapshots.c.day.in_([start + timedelta(days=n) for n in range((end - start).days + 1)])
    statement = sa.select(account_snapshots.c.day, *_COUNTS).where(days, account_snapshots.c.account_id == account_id)
    return {day: Counts(*counts) for day, *counts in tx.execute(statement)}


def of_day(tx: sa.Connection, account_ids: Collection[int], day: date) -> dict[int, Counts]:
    """The snapshots that some accounts have of a day."""
    found: dict[int, Counts] = {}
    for part in chunks(sorted(account_ids)):
        mine = (account_snapshots.c.day == day, account_snapshots.c.account_id.in_(part))
        rows = tx.execute(sa.select(account_snapshots.c.account_id, *_COUNTS).where(*mine))
        found |= {account_id: Counts(*counts) for account_id, *counts in rows}
    return found


def fill_days(tx: sa.Connection, account_id: int, found: Mapping[date, tuple[datetime, Counts]]) -> int:
    """Give an account what it lacks: whole days, and metrics of days that it has; how many days that was.

    found: {day: (the moment of the observation, counts)}.
    """
    if not found:
        return 0
    known = on_days(tx, account_id, min(found), max(found))
    new = [
        {"day": day, "account_id": account_id, "snapshot_time": at, **counts._asdict()}
        for day, (at, counts) in found.items()
        if day not in known
    ]
    if new:
        tx.execute(account_snapshots.insert(), new)
    return len(new) + sum(_fill_day(tx, account_id, day, known[day], found[day][1]) for day in found if day in known)


def _fill_day(tx: sa.Connection, account_id: int, day: date, known: Counts, found: Counts) -> bool:
    values = {
        m: value for m, old, value in zip(METRICS, known, found, strict=True) if old is None and value is not None
    }
    if values:
        mine = (account_snapshots.c.account_id == account_id) & (account_snapshots.c.day == day)
        tx.execute(account_snapshots.update().where(mine).values(**values))
    return bool(values)
