"""Two accounts that are one: what the one that goes on takes over, and what is left of the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from webapp.model import METRICS, UNKNOWN, Counts, Values
from webapp.rules.history import Past, larger_days, union
from webapp.store import accounts, changes, merged_doubts, projects, spans
from webapp.store.accounts import Account
from webapp.store.tables import (
    accepted_readings,
    account_aliases,
    account_snapshots,
    held_observations,
    observations,
    pins,
)
from webapp.store.tables import accounts as account_rows
from webapp.store.types import as_moment

_COUNTS = [account_snapshots.c[metric] for metric in METRICS]


@dataclass(frozen=True)
class BothDays:
    """A day that both accounts have a snapshot of: what the account has of it now, and what the other one had."""

    day: date
    kept: Counts
    left_out: Counts


@dataclass(frozen=True)
class Merged:
    """What an account took over from another, which is no more. left: what nobody took over, by table."""

    days_taken: Sequence[date]
    days_kept: Sequence[BothDays]
    observations_taken: Sequence[str]
    pins_taken: Sequence[str]
    aliases_taken: Sequence[str]
    left: Mapping[str, Any]


def merge(tx: sa.Connection, source: Account, target: Account, now: datetime) -> Merged:
    """The target counts as one with the source from the start; the source's row goes, and its url_keys mean the target.

    Of a day and metric the larger value stays; where both have an observation or a pin, the target's. The source's row
    has to go: its url_key would still claim its row of the sheet.
    """
    replaced = _rows_of(tx, account_snapshots, target)
    pasts = _past(tx, target), _past(tx, source)
    met = larger_days(pasts[0].days, pasts[1].days, pasts[0].spans, pasts[1].spans)
    for day, place in merged_doubts.take_over(tx, (target.id, source.id), pasts):
        met[day] = tuple(None if i == place else value for i, value in enumerate(met.get(day, UNKNOWN)))
    days_taken = _take(tx, account_snapshots, account_snapshots.c.day, source, target)
    _write_days(tx, target, met)
    days_kept = _both_days(tx, source, target)
    spans.replace(tx, target.id, union(pasts[0].spans, pasts[1].spans, target.id))
    observed = _take(tx, observations, observations.c.source, source, target)
    if "parsed" in observed:  # what was believed and held of readings belongs to them
        tx.execute(accepted_readings.delete().where(accepted_readings.c.account_id == target.id))
        _move(tx, accepted_readings, source, target)
        _take(tx, held_observations, held_observations.c.metric, source, target)
    pinned = _take(tx, pins, pins.c.metric, source, target)
    names = sorted([*accounts.aliases(tx, source.id), source.url_key])
    changes.move(tx, target.project_id, source.id, target.id)
    _move(tx, account_aliases, source, target)
    left = _left_of(tx, source, target) | _other_than(met, replaced)
    _bury(tx, source, target, now)
    return Merged(days_taken, days_kept, observed, pinned, names, left)


def _move(tx: sa.Connection, table: sa.Table, source: Account, target: Account) -> None:
    tx.execute(table.update().where(table.c.account_id == source.id).values(account_id=target.id))


def _take(tx: sa.Connection, table: sa.Table, key: sa.Column[Any], source: Account, target: Account) -> Sequence[Any]:
    """Move the rows whose key the target has not; their keys, in order."""
    own = table.alias()
    taken = sa.select(own.c[key.name]).where(own.c.account_id == target.id)
    statement = table.update().where(table.c.account_id == source.id, key.not_in(taken)).values(account_id=target.id)
    return sorted(tx.execute(statement.returning(key)).scalars())


def _past(tx: sa.Connection, account: Account) -> Past:
    mine = sa.select(account_snapshots.c.day, *_COUNTS).where(account_snapshots.c.account_id == account.id)
    days = {day: tuple(counts) for day, *counts in tx.execute(mine)}
    return Past(days, [*spans.of_scope(tx, "account", account.id)])


def _write_days(tx: sa.Connection, target: Account, met: Mapping[date, Values]) -> None:
    for day, values in met.items():
        mine = (account_snapshots.c.account_id == target.id) & (account_snapshots.c.day == day)
        if values == UNKNOWN:
            tx.execute(account_snapshots.delete().where(mine))
        else:
            tx.execute(account_snapshots.update().where(mine).values(Counts._make(values)._asdict()))


def _other_than(met: Mapping[date, Values], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The snapshots that the target had with other values than now."""
    changed = [row for row in rows if met[row["day"]] != tuple(row[metric] for metric in METRICS)]
    return {"replaced_snapshots": changed} if changed else {}


def _both_days(tx: sa.Connection, source: Account, target: Account) -> Sequence[BothDays]:
    mine, theirs = account_snapshots.alias(), account_snapshots
    statement = (
        sa.select(theirs.c.day, *(mine.c[metric] for metric in METRICS), *_COUNTS)
        .join(mine, (mine.c.day == theirs.c.day) & (mine.c.account_id == target.id))
        .where(theirs.c.account_id == source.id)
        .order_by(theirs.c.day)
    )
    return [
        BothDays(row[0], Counts(*row[1 : 1 + len(METRICS)]), Counts(*row[1 + len(METRICS) :]))
        for row in tx.execute(statement)
    ]


def _left_of(tx: sa.Connection, source: Account, target: Account) -> dict[str, Any]:
    tables = (account_snapshots, observations, accepted_readings, held_observations, pins)
    left = {table.name: _rows_of(tx, table, source) for table in tables}
    accounts_left = {"account": _values(source), "added_at": as_moment(target.added_at)}
    return accounts_left | {name: rows for name, rows in left.items() if rows}


def _bury(tx: sa.Connection, source: Account, target: Account, now: datetime) -> None:
    """Delete the source, and let its name mean the target."""
    tx.execute(account_rows.delete().where(account_rows.c.id == source.id))
    accounts.add_alias(tx, target.project_id, source.url_key, target.id, "merged", now)
    added = min(filter(None, (as_moment(source.added_at), as_moment(target.added_at))), default=None)
    tx.execute(account_rows.update().where(account_rows.c.id == target.id).values(added_at=added))
    projects.touch(tx, [target.project_id], read=True)


def _values(account: Account) -> dict[str, Any]:
    """The account as the audit log keeps it."""
    row = account._asdict() | account.counts._asdict()
    del row["counts"]
    return row | {name: as_moment(row[name]) for name in ("changed_at", "added_at", "removed_at")}


def _rows_of(tx: sa.Connection, table: sa.Table, account: Account) -> list[dict[str, Any]]:
    return [dict(row) for row in tx.execute(sa.select(table).where(table.c.account_id == account.id)).mappings()]
