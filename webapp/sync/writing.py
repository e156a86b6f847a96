"""The rows of a plan, written in the transaction of its project."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from webapp.model import NOTHING
from webapp.store import accounts, held, observations
from webapp.store.types import UtcDateTime, native
from webapp.sync.plan import Newcomer, Plan


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
    updated = accounts.write_counts(tx, plan.counts, now) + with_counts
    described = [account for account, _, _ in plan.described]
    counted = [account for account, _ in plan.counts]
    return updated, [*ids, *described, *plan.removed, *plan.returned, *counted]


def _write_sheet(tx: sa.Connection, plan: Plan, new_ids: Any, now: datetime) -> int:
    """What the sheet says; how many new accounts it has counts of."""
    stamp = native(tx, UtcDateTime(), now)
    rows: list[tuple[Any, ...]] = [
        (account_id, "sheet", *account.row.counts, stamp, account.origin, None, 0, 0)
        for account_id, account in zip(new_ids, plan.newcomers, strict=True)
        if account.row.counts != NOTHING
    ]
    with_counts = len(rows)
    rows.extend(
        (account, "sheet", *counts, stamp if since is None else since, origin, note, 0, 0)
        for account, counts, since, origin, note in plan.sheet
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
