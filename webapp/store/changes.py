"""Which counts changed in which run, from what to what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from webapp.model import Metric
from webapp.store.statement import Query, insert
from webapp.store.tables import accounts, count_changes
from webapp.store.types import Count, native


@dataclass(frozen=True)
class CountChange:
    """The counts of one account that one run changed. changes: {metric: [old, new, winner, cell]}."""

    id: int
    account_id: int
    profile_url: str
    platform: str
    username: str | None
    run_id: str | None
    changed_at: datetime | None
    changes: Mapping[str, list[Any]]


_COLUMNS = (
    count_changes.c.id,
    count_changes.c.account_id,
    accounts.c.profile_url,
    accounts.c.platform,
    accounts.c.username,
    count_changes.c.run_id,
    count_changes.c.changed_at,
    count_changes.c.changes,
)


def of_project(
    tx: sa.Connection,
    project_id: str,
    *,
    limit: int,
    before: int | None = None,
    account_id: int | None = None,
    metric: Metric | None = None,
) -> list[CountChange]:
    """Changed counts of a project, newest first. before: only those with a smaller id."""
    statement = (
        sa.select(*_COLUMNS)
        .join(accounts, accounts.c.id == count_changes.c.account_id)
        .where(count_changes.c.project_id == project_id)
        .order_by(count_changes.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(count_changes.c.id < before)
    if account_id is not None:
        statement = statement.where(count_changes.c.account_id == account_id)
    if metric is not None:
        # Compact JSON: a quote within a cell's address is escaped there and cannot look like a member's name.
        text = sa.type_coerce(count_changes.c.changes, sa.Text)
        statement = statement.where(text.contains(f'"{metric}":[', autoescape=True))
    return [CountChange(*row) for row in tx.execute(statement)]


_NEW = ("project_id", "account_id", "run_id", "changed_at", "changes")
_add = insert(count_changes, _NEW)


def add(
    tx: sa.Connection, project_id: str, run_id: str, rows: Sequence[tuple[int, Mapping[str, Any]]], now: datetime
) -> None:
    """Keep which counts changed: (account id, {metric: [old, new, winner, cell]})."""
    if rows:
        stamp = native(tx, count_changes.c.changed_at.type, now)
        kind = count_changes.c.changes.type
        _add.run(tx, [(project_id, account, run_id, stamp, native(tx, kind, told)) for account, told in rows])


LATEST = 200  # of the latest are looked through for when a value became what it is


_latest = Query(
    lambda _: (
        sa.select(count_changes.c.changed_at, count_changes.c.changes)
        .where(count_changes.c.account_id == sa.bindparam("account_id", type_=Count()))
        .order_by(count_changes.c.id.desc())
        .limit(sa.literal(LATEST))
    )
)


def of_account(tx: sa.Connection, account_id: int) -> list[tuple[Any, str]]:
    """(driver time, JSON of {metric: [old, new, winner, cell]}) of the latest changed counts, newest first."""
    return [(row[0], row[1]) for row in _latest.rows(tx, account_id=account_id)]
