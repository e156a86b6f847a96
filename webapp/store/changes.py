"""What has changed: the counts, as syncs wrote them down, and what people corrected by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from webapp.model import Metric
from webapp.store.tables import accounts, audit_log, count_changes, projects


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


@dataclass(frozen=True)
class AuditRow:
    """One correction by hand. target: `project:<id>` or `account:<id>`; before, after: only what it changed."""

    id: int
    at: datetime | None
    action: str
    target: str
    before: Any
    after: Any
    note: str | None


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


def project_exists(tx: sa.Connection, project_id: str) -> bool:
    """Whether there is such a project, removed ones too."""
    if "\x00" in project_id:  # PostgreSQL does not even compare with it
        return False
    return tx.execute(sa.select(projects.c.id).where(projects.c.id == project_id)).first() is not None


def changes_of(
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
        # Compact JSON: a quote within a cell's address is escaped there and can not look like a member's name.
        text = sa.type_coerce(count_changes.c.changes, sa.Text)
        statement = statement.where(text.contains(f'"{metric}":[', autoescape=True))
    return [CountChange(*row) for row in tx.execute(statement)]


def audit(
    tx: sa.Connection, action: str, target: str, before: Any, after: Any, now: datetime, note: str | None = None
) -> None:
    """Write down what was changed from what to what, within the transaction that changes it."""
    row = {"at": now, "action": action, "target": target, "before": before, "after": after, "note": note}
    tx.execute(audit_log.insert().values(**row))


def audit_list(
    tx: sa.Connection, *, limit: int, before: int | None = None, target: str | None = None
) -> list[AuditRow]:
    """Corrections, newest first. before: only those with a smaller id."""
    columns = [audit_log.c[name] for name in AuditRow.__dataclass_fields__]
    statement = sa.select(*columns).order_by(audit_log.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(audit_log.c.id < before)
    if target is not None:
        statement = statement.where(audit_log.c.target == target)
    return [AuditRow(*row) for row in tx.execute(statement)]
