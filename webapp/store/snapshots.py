"""Snapshots: the counts of one account on one UTC day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from webapp.errors import NotFound
from webapp.model import METRICS, Counts, Values
from webapp.store import projects
from webapp.store.accounts import Account
from webapp.store.backends.dialect import counted, insert_into
from webapp.store.statement import Bulk, by_id, new_values
from webapp.store.tables import account_snapshots, accounts, observations
from webapp.store.types import native

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
        projects.touch(tx, [account.project_id])
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


def correct_snapshots(tx: sa.Connection, day: date, rows: Sequence[tuple[int, Values]]) -> int:
    """Give the day's existing snapshots these counts; how many were there."""
    if not rows:
        return 0
    stamp = native(tx, account_snapshots.c.day.type, day)
    return _correct_snapshots.run(tx, [(*counts, account, stamp) for account, counts in rows])


def _build_correction(insert: Any) -> sa.UpdateBase:
    del insert
    of_day = account_snapshots.c.day == sa.bindparam("of_day", type_=account_snapshots.c.day.type)
    return by_id(
        account_snapshots.c.account_id,
        account_snapshots.update().values(new_values(account_snapshots, METRICS)).where(of_day),
    )


_correct_snapshots = Bulk(_build_correction, [*(f"new_{metric}" for metric in METRICS), "key", "of_day"])


def add_snapshots(tx: sa.Connection, project_id: str, day: date, now: datetime, *, sheet_read: bool) -> int:
    """The day's snapshot of every account that was observed that day and has none yet; how many were made.

    sheet_read: the tab was read in this run, which confirms everything it says; otherwise only readings of the day
    count as observed. Accounts that are removed or off get none.
    """
    start = datetime.combine(day, time(), UTC)
    values = {
        "of_project": project_id,
        "of_day": day,
        "at": now,
        "day_starts": start,
        "day_ends": start + timedelta(days=1),
    }
    return counted(tx, _add_snapshots(tx.dialect.name, sheet_read), values)


@cache
def _add_snapshots(dialect: str, sheet_read: bool) -> Any:
    when = observations.c.observed_at.type
    parsed = sa.exists().where(
        observations.c.account_id == accounts.c.id,
        observations.c.source == sa.literal_column("'parsed'"),
        observations.c.observed_at >= sa.bindparam("day_starts", type_=when),
        observations.c.observed_at < sa.bindparam("day_ends", type_=when),
    )
    sheet = sa.exists().where(
        observations.c.account_id == accounts.c.id, observations.c.source == sa.literal_column("'sheet'")
    )
    counts = [accounts.c[metric] for metric in METRICS]
    day = sa.bindparam("of_day", type_=account_snapshots.c.day.type)
    # Asked first by an outer join, so that on a day that is done no account's own row is even looked at.
    made = account_snapshots.alias("made")
    rows = sa.select(
        day,
        accounts.c.id,
        sa.bindparam("at", type_=account_snapshots.c.snapshot_time.type),
        *counts,
    )
    rows = rows.outerjoin_from(accounts, made, (made.c.day == day) & (made.c.account_id == accounts.c.id)).where(
        made.c.account_id.is_(None),
        accounts.c.project_id == sa.bindparam("of_project"),
        accounts.c.removed_at.is_(None),
        accounts.c.mode != sa.literal_column("'off'"),
        sa.or_(*(count.is_not(None) for count in counts)),
        sheet | parsed if sheet_read else parsed,
    )
    statement = insert_into(dialect, account_snapshots)
    return statement.from_select(["day", "account_id", "snapshot_time", *METRICS], rows).on_conflict_do_nothing()
