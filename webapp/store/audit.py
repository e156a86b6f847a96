"""What people changed by hand, with what stood there before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from webapp.store.statement import Ready
from webapp.store.tables import audit_log


@dataclass(frozen=True)
class AuditEntry:
    """One change by hand. target: `project:<id>`, `account:<id>` or `tab:<gid>`; before, after: only what it changed.

    door: `http`, `page` or `cli`.
    """

    id: int
    at: datetime | None
    action: str
    target: str
    before: Any
    after: Any
    note: str | None
    door: str | None


def add(
    tx: sa.Connection,
    action: str,
    target: str,
    before: Any,
    after: Any,
    *,
    now: datetime,
    door: str,
    note: str | None = None,
) -> None:
    """Write down what was changed from what to what, within the transaction that changes it."""
    row = {"at": now, "action": action, "target": target, "before": before, "after": after}
    tx.execute(audit_log.insert().values(**row, note=note, door=door))


def latest(tx: sa.Connection, *, limit: int, before: int | None = None, target: str | None = None) -> list[AuditEntry]:
    """Corrections, newest first. before: only those with a smaller id."""
    columns = [audit_log.c[name] for name in AuditEntry.__dataclass_fields__]
    statement = sa.select(*columns).order_by(audit_log.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(audit_log.c.id < before)
    if target is not None:
        statement = statement.where(audit_log.c.target == target)
    return [AuditEntry(*row) for row in tx.execute(statement)]


def _old() -> sa.Select[Any]:
    """Of the oldest rows, the parameter `most` at most, those from before the parameter `before`."""
    most = sa.bindparam("most", type_=sa.Integer)
    oldest = sa.select(audit_log.c.id, audit_log.c.at).order_by(audit_log.c.id).limit(most).subquery()
    return sa.select(oldest.c.id).where(oldest.c.at < sa.bindparam("before"))


_forget = Ready(lambda _: audit_log.delete().where(audit_log.c.id.in_(_old())))


def forget(tx: sa.Connection, before: datetime, most: int) -> int:
    """Remove the oldest corrections as far as they are from before a moment; how many."""
    return _forget.run(tx, before=before, most=most)
