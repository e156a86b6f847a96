"""The rows of a plan, written in the transaction of its project."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from webapp.model import NOTHING, Metric
from webapp.rules.doubts import implausible
from webapp.rules.growth import ALL
from webapp.store import accounts, audit, doubts, held, observations, snapshots
from webapp.store.doubts import DoubtedDay
from webapp.store.types import UtcDateTime, native
from webapp.sync.plan import DayValue, Newcomer, Plan


def write_plan(tx: sa.Connection, project_id: str, plan: Plan, now: datetime) -> tuple[int, list[int]]:
    """Everything a plan changes; how many accounts have other counts than before, and who may count otherwise now."""
    ids = accounts.add_accounts(tx, project_id, [_new(account) for account in plan.newcomers], now)
    with_counts = _write_sheet(tx, plan, ids, now)
    accounts.describe_accounts(tx, [(*_description(row, mode), account) for account, row, mode in plan.described])
    accounts.remove_accounts(tx, plan.removed, now, "sheet")
    accounts.return_accounts(tx, plan.returned)
    observations.put_accepted(tx, plan.accepted)
    observations.drop_accepted(tx, plan.forgotten)
    _write_held(tx, plan, now)
    doubts.drop(tx, plan.undoubted)
    doubts.keep_timed(tx, plan.timed, now)
    updated = accounts.write_counts(tx, plan.counts, now) + with_counts
    described = [account for account, _, _ in plan.described]
    counted = [account for account, _ in plan.counts]
    return updated, [*ids, *described, *plan.removed, *plan.returned, *counted]


def write_days(tx: sa.Connection, plan: Plan, day: date, now: datetime, at: datetime) -> set[date]:
    """What a plan changes of snapshots, before those of the day are taken; the days that are touched.

    day: of the run. at: a moment within it.
    """
    touched = [*plan.restored, *_withdrawn(tx, plan, day, now, at)]
    touched += [DayValue(account, day, metric, value, at) for account, metric, value in _there(tx, plan.replaced, day)]
    snapshots.set_values(tx, touched)
    late = snapshots.fill_values(tx, plan.late)
    seen = {(one.account_id, one.metric) for one in _snapshots_before(tx, plan.doubted, day)}
    doubts.put(tx, [one._replace(value=None) if (one.account_id, one.metric) in seen else one for one in plan.doubted])
    return {one[1] for one in (*touched, *late)}


def _there(tx: sa.Connection, changed: Sequence[tuple[int, Metric, int | None]], day: date) -> Iterator[Any]:
    """Those of which the day has a snapshot."""
    known = snapshots.of_day(tx, {account for account, _, _ in changed}, day)
    return (one for one in changed if one[0] in known)


def _snapshots_before(tx: sa.Connection, doubted: Sequence[DoubtedDay], day: date) -> Iterator[DoubtedDay]:
    """Doubted metrics that the day's snapshot has already: they stay as they are, whatever comes of the doubt."""
    new = [one for one in doubted if one.day == day and one.value is not None]
    known = snapshots.of_day(tx, {one.account_id for one in new}, day)
    return (one for one in new if one.account_id in known and known[one.account_id][one.place] is not None)


def _withdrawn(tx: sa.Connection, plan: Plan, day: date, now: datetime, at: datetime) -> list[DayValue]:
    """The days that lose a metric; the audit log keeps what they said."""
    found: list[DayValue] = []
    for account, metric, since, credible in plan.withdrawn:
        past = snapshots.on_days(tx, account, since, day)
        had = {one: counts._asdict()[metric] for one, counts in past.items()}
        known = {one: value for one, value in had.items() if implausible(credible, value)}
        audit.add(tx, "doubt.withdraw", f"account:{account}", {metric: known}, {metric: None}, now=now, door="sync")
        found.extend(DayValue(account, one, metric, None, at) for one in known)
    return found


def _write_sheet(tx: sa.Connection, plan: Plan, new_ids: Any, now: datetime) -> int:
    """What the sheet says; how many new accounts it has counts of."""
    stamp = native(tx, UtcDateTime(), now)
    rows: list[tuple[Any, ...]] = [
        (account_id, "sheet", *account.row.counts, stamp, account.origin, None, account.row.unread & ALL, 0)
        for account_id, account in zip(new_ids, plan.newcomers, strict=True)
        if account.row.counts != NOTHING
    ]
    with_counts = len(rows)
    rows.extend(
        (account, "sheet", *counts, stamp if since is None else since, *rest)
        for account, counts, since, *rest in plan.sheet
    )
    observations.put_sheet(tx, rows)
    observations.drop_sheet(tx, plan.silent)
    return with_counts


def _new(account: Newcomer) -> tuple[Any, ...]:
    row, profile = account.row, account.row.profile
    return (
        profile.platform,
        profile.username,
        row.typed,
        profile.url_key,
        row.topic,
        row.owner,
        row.status,
        account.mode,
        *row.counts,
    )


def _description(row: Any, mode: str) -> tuple[Any, ...]:
    return (row.profile.platform, row.profile.username, row.typed, row.topic, row.owner, row.status, mode)


def _write_held(tx: sa.Connection, plan: Plan, now: datetime) -> None:
    opened: list[tuple[Any, ...]] = []
    changed: list[tuple[Any, ...]] = []
    for one in plan.held:
        value, observed_at, held_at, agreeing, state = one.holding
        rest = (value, one.last_good, observed_at, one.origin, held_at, agreeing, state)
        if one.id is None:
            opened.append((one.account_id, one.metric, *rest))
        else:
            changed.append((*rest, None if state == "held" else now, one.id))
    held.put(tx, opened, changed)
