"""What changes rows. Every function works on a set and belongs to a transaction of its caller.

Times given are aware UTC; counts are (followers, likes, comments, videos, views) with None for not observed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, Literal

import sqlalchemy as sa

from webapp.model import METRICS, Values
from webapp.store.backends.dialect import counted, insert_into, new_ids
from webapp.store.statement import Bulk
from webapp.store.tables import (
    accepted_readings,
    account_snapshots,
    accounts,
    count_changes,
    held_observations,
    observations,
)
from webapp.store.types import UtcDateTime, native

Rows = Sequence[tuple[Any, ...]]


def _upsert(table: sa.Table, key: Sequence[str]) -> Bulk:
    names = [column.name for column in table.c]

    def build(insert: Any) -> sa.UpdateBase:
        statement = insert(table).values({c.name: sa.bindparam(c.name, type_=c.type) for c in table.c})
        changed = {name: statement.excluded[name] for name in names if name not in key}
        return statement.on_conflict_do_update(index_elements=list(key), set_=changed)  # type: ignore[no-any-return]

    return Bulk(build, names)


def _by_id(id_column: sa.Column[Any], statement: sa.UpdateBase) -> sa.UpdateBase:
    return statement.where(id_column == sa.bindparam("key", type_=id_column.type))  # type: ignore[attr-defined,no-any-return]


def _set(table: sa.Table, names: Iterable[str]) -> dict[str, sa.BindParameter[Any]]:
    return {name: sa.bindparam(f"new_{name}", type_=table.c[name].type) for name in names}


def _update(id_column: sa.Column[Any], names: Sequence[str], *where: sa.ColumnElement[bool]) -> Bulk:
    """UPDATE ... SET names WHERE id; tuples are (*values, id)."""
    table = id_column.table
    assert isinstance(table, sa.Table)  # noqa: S101  narrows the type

    def build(insert: Any) -> sa.UpdateBase:
        del insert
        return _by_id(id_column, table.update().values(_set(table, names)).where(*where))

    return Bulk(build, [*(f"new_{name}" for name in names), "key"])


def _insert(table: sa.Table, names: Sequence[str]) -> Bulk:
    def build(insert: Any) -> sa.UpdateBase:
        return insert(table).values({name: sa.bindparam(name, type_=table.c[name].type) for name in names})  # type: ignore[no-any-return]

    return Bulk(build, names)


_NEW = (
    "id", "project_id", "platform", "username", "profile_url", "url_key", "topic", "owner", "status", "mode",
    *METRICS, "changed_at", "added_at",
)  # fmt: skip
_DESCRIBED = ("platform", "username", "profile_url", "topic", "owner", "status", "mode")
_HELD = ("account_id", "metric", "value", "last_good", "observed_at", "origin", "held_at", "agreeing", "state")
_HELD_AGAIN = ("value", "last_good", "observed_at", "origin", "held_at", "agreeing", "state", "decided_at")

_add_accounts = _insert(accounts, _NEW)
_describe = _update(accounts.c.id, _DESCRIBED)
_write_counts = _update(accounts.c.id, (*METRICS, "changed_at"))
_put_observation = _upsert(observations, ("account_id", "source"))
_put_accepted = _upsert(accepted_readings, ("account_id",))
_hold = _insert(held_observations, _HELD)
_hold_again = _update(held_observations.c.id, _HELD_AGAIN)


def add_accounts(tx: sa.Connection, project_id: str, rows: Rows, now: datetime) -> Sequence[int]:
    """New accounts of the sheet: (platform, username, typed, url_key, topic, owner, status, mode, *counts).

    Their ids, in the same order.
    """
    if not rows:
        return []
    ids = new_ids(tx, accounts, len(rows))
    stamp = native(tx, accounts.c.added_at.type, now)
    _add_accounts.run(tx, [(i, project_id, *row, stamp, stamp) for i, row in zip(ids, rows, strict=True)])
    return ids


def describe_accounts(tx: sa.Connection, rows: Rows) -> int:
    """(platform, username, profile_url, topic, owner, status, mode, account id)"""
    return _describe.run(tx, rows) if rows else 0


def write_counts(tx: sa.Connection, rows: Sequence[tuple[int, Values]], now: datetime) -> int:
    """Current counts that changed; how many rows the database changed."""
    stamp = native(tx, accounts.c.changed_at.type, now)
    return _write_counts.run(tx, [(*counts, stamp, account) for account, counts in rows]) if rows else 0


def put_sheet(tx: sa.Connection, rows: Rows) -> int:
    """What the sheet says: (account id, "sheet", *counts, driver time since when, origin, note)."""
    return _put_observation.run(tx, rows) if rows else 0


def drop_sheet(tx: sa.Connection, ids: Sequence[int]) -> None:
    """The sheet says nothing of these accounts any more."""
    for part in _parts(ids):
        tx.execute(observations.delete().where(observations.c.account_id.in_(part), observations.c.source == "sheet"))


def put_accepted(tx: sa.Connection, rows: Sequence[tuple[int, Values]]) -> None:
    """The readings that the merge believed."""
    if rows:
        _put_accepted.run(tx, [(account, *counts) for account, counts in rows])


def drop_accepted(tx: sa.Connection, ids: Sequence[int]) -> None:
    for part in _parts(ids):
        tx.execute(accepted_readings.delete().where(accepted_readings.c.account_id.in_(part)))


def put_held(tx: sa.Connection, opened: Rows, changed: Rows) -> None:
    """opened: (account id, metric, value, last good, observed at, origin, held at, agreeing, state);
    changed: (value, last good, observed at, origin, held at, agreeing, state, decided at, id). Aware times."""
    times = {index for index, name in enumerate(_HELD) if name.endswith("_at")}
    if opened:
        _hold.run(tx, [_native_times(tx, row, times) for row in opened])
    times = {index for index, name in enumerate(_HELD_AGAIN) if name.endswith("_at")}
    if changed:
        _hold_again.run(tx, [_native_times(tx, row, times) for row in changed])


def _native_times(tx: sa.Connection, row: tuple[Any, ...], times: set[int]) -> tuple[Any, ...]:
    kind = UtcDateTime()
    return tuple(native(tx, kind, value) if place in times else value for place, value in enumerate(row))


def remove_accounts(tx: sa.Connection, ids: Sequence[int], now: datetime, by: Literal["sheet", "api"]) -> None:
    """Out of the project from now on; their history stays."""
    for part in _parts(ids):
        tx.execute(accounts.update().where(accounts.c.id.in_(part)).values(removed_at=now, removed_by=by))


def return_accounts(tx: sa.Connection, ids: Sequence[int]) -> None:
    for part in _parts(ids):
        tx.execute(accounts.update().where(accounts.c.id.in_(part)).values(removed_at=None, removed_by=None))


def correct_snapshots(tx: sa.Connection, day: date, rows: Sequence[tuple[int, Values]]) -> int:
    """Give the day's existing snapshots these counts; how many were there."""
    if not rows:
        return 0
    stamp = native(tx, account_snapshots.c.day.type, day)
    return _correct_snapshots.run(tx, [(*counts, account, stamp) for account, counts in rows])


def _build_correction(insert: Any) -> sa.UpdateBase:
    del insert
    of_day = account_snapshots.c.day == sa.bindparam("of_day", type_=account_snapshots.c.day.type)
    return _by_id(
        account_snapshots.c.account_id,
        account_snapshots.update().values(_set(account_snapshots, METRICS)).where(of_day),
    )


_TOLD = ("project_id", "account_id", "run_id", "changed_at", "changes")
_tell = _insert(count_changes, _TOLD)


def tell_changes(
    tx: sa.Connection, project_id: str, run_id: str, rows: Sequence[tuple[int, Mapping[str, Any]]], now: datetime
) -> None:
    """Keep which counts changed: (account id, {metric: [old, new, winner, cell]})."""
    if rows:
        stamp = native(tx, count_changes.c.changed_at.type, now)
        kind = count_changes.c.changes.type
        _tell.run(tx, [(project_id, account, run_id, stamp, native(tx, kind, told)) for account, told in rows])


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


def _parts(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[i : i + 5_000] for i in range(0, len(ids), 5_000))
