"""Questions the database answers: one statement each, lists with a limit and a stable order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from webapp.model import lease_of
from webapp.rules.freshness import is_stale
from webapp.store.backends.dialect import now_ms
from webapp.store.tables import accounts, held_observations, leases, pins, projects

DEFAULT_LIMIT = 100


class StatusTotals(NamedTuple):
    """All projects that are not removed; `stale` names the active ones whose last success is too long ago.

    At most DEFAULT_LIMIT of these.
    """

    total: int
    active: int
    last_success_at: datetime | None
    next_due_at: datetime | None
    stale: Sequence[Mapping[str, Any]]
    held: int


def status_totals(tx: sa.Connection, now: datetime, stale_after_minutes: int) -> StatusTotals:
    there = projects.c.removed_at.is_(None)
    active = there & (projects.c.status == "active")
    totals = tx.execute(
        sa.select(
            sa.func.count(),
            sa.func.count(sa.case((active, 1))),
            sa.func.max(projects.c.synced_at, type_=projects.c.synced_at.type),
            sa.func.min(
                sa.case((active & projects.c.auto_sync, projects.c.next_sync_at)), type_=projects.c.synced_at.type
            ),
        ).where(there)
    ).one()
    limit = now - timedelta(minutes=stale_after_minutes)
    late = projects.c.synced_at.is_(None) | (projects.c.synced_at < limit)
    columns = ("id", "name", "synced_at", "degraded_since", "interval_minutes")
    found = tx.execute(
        sa.select(*(projects.c[name] for name in columns))
        .where(active, late)
        .order_by(projects.c.synced_at.is_not(None), projects.c.synced_at, projects.c.id)
    ).mappings()
    # A project that is synced once a day by its own schedule may be older than the others.
    stale = [row for row in found if is_stale(row["synced_at"], stale_after_minutes, row["interval_minutes"], now)]
    held = sa.select(sa.func.count()).where(held_observations.c.state == "held")
    total, active_count, last_success_at, next_due_at = totals
    return StatusTotals(
        total,
        active_count,
        last_success_at,
        next_due_at,
        [dict(row) for row in stale[:DEFAULT_LIMIT]],
        int(tx.execute(held).scalar_one()),
    )


def is_syncing(tx: sa.Connection, project_id: str) -> bool:
    """Whether somebody holds the project's lease now."""
    lease = sa.select(sa.literal(1)).where(leases.c.name == lease_of(project_id), leases.c.expires_at > now_ms(tx))
    return tx.execute(lease).first() is not None


def project_names(tx: sa.Connection) -> list[Mapping[str, Any]]:
    """All projects for a list on the command line, removed ones last."""
    columns = [projects.c[name] for name in ("id", "name", "status", "worksheet_id", "worksheet_title", "removed_at")]
    statement = sa.select(*columns).order_by(projects.c.removed_at.is_not(None), projects.c.name, projects.c.id)
    return [dict(row) for row in tx.execute(statement).mappings()]


def held_list(
    tx: sa.Connection, *, state: str | None = "held", project_id: str | None = None, limit: int = DEFAULT_LIMIT
) -> list[Mapping[str, Any]]:
    """Readings that were kept aside, newest first, with their account and project."""
    statement = (
        sa.select(
            held_observations,
            accounts.c.profile_url,
            accounts.c.platform,
            accounts.c.username,
            accounts.c.project_id,
            projects.c.name.label("project_name"),
        )
        .join(accounts, accounts.c.id == held_observations.c.account_id)
        .join(projects, projects.c.id == accounts.c.project_id)
        .order_by(held_observations.c.id.desc())
        .limit(limit)
    )
    if state is not None:
        statement = statement.where(held_observations.c.state == state)
    if project_id is not None:
        statement = statement.where(accounts.c.project_id == project_id)
    return [dict(row) for row in tx.execute(statement).mappings()]


def pin_list(
    tx: sa.Connection, *, project_id: str | None = None, limit: int = DEFAULT_LIMIT
) -> list[Mapping[str, Any]]:
    """Values that people have fixed, by project and account."""
    statement = (
        sa.select(pins, accounts.c.profile_url, accounts.c.project_id, projects.c.name.label("project_name"))
        .join(accounts, accounts.c.id == pins.c.account_id)
        .join(projects, projects.c.id == accounts.c.project_id)
        .order_by(projects.c.name, pins.c.account_id, pins.c.metric)
        .limit(limit)
    )
    if project_id is not None:
        statement = statement.where(accounts.c.project_id == project_id)
    return [dict(row) for row in tx.execute(statement).mappings()]
