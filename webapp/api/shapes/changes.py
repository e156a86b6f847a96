"""What has changed: the counts in every sync, and what people corrected by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Struct

from webapp.api.shapes.fields import Time, says
from webapp.api.shapes.rows import from_row
from webapp.clock import iso
from webapp.model import Metric
from webapp.store.audit import AuditEntry

if TYPE_CHECKING:
    from webapp.store.changes import CountChange


class MetricChange(Struct):
    """winner: `sheet`, `parsed` or `pin`. cell: where the Sheet's value stands, when it won."""

    old: int | None
    new: int | None
    winner: str | None
    cell: str | None


class AccountChange(Struct):
    """What one run changed of one account."""

    id: int
    account_id: int
    profile_url: str
    platform: str
    username: str | None
    run_id: str | None
    changed_at: Time | None
    metrics: dict[str, MetricChange]


class ChangeList(Struct):
    changes: list[AccountChange]
    next_cursor: int | None


class AuditEntryOut(Struct):
    """One correction. before, after: what it changed, as it was and as it is since; null: it was not there."""

    id: int
    at: Time | None
    action: str
    target: str
    before: Any
    after: Any
    note: str | None
    door: Annotated[
        Literal["http", "page", "cli", "sync"] | None,
        says("which way it came in: a program, a page, a terminal; `sync`: by itself"),
    ]


class AuditList(Struct):
    audit: list[AuditEntryOut]
    next_cursor: int | None


def account_change(row: CountChange, only: Metric | None) -> AccountChange:
    """only: the one metric that is asked for; None: all of them."""
    return AccountChange(
        id=row.id,
        account_id=row.account_id,
        profile_url=row.profile_url,
        platform=row.platform,
        username=row.username,
        run_id=row.run_id,
        changed_at=iso(row.changed_at),
        metrics={name: MetricChange(*values) for name, values in row.changes.items() if only in (None, name)},
    )


def audit_entry_out(row: AuditEntry) -> AuditEntryOut:
    return from_row(AuditEntryOut, row)
