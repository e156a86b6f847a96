"""How the service stands: all projects together, what runs, who asks, what the spreadsheets say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from webapp.rules.freshness import is_project_stale
from webapp.store import account_reads, held, lost_history, platforms, runs, schedule, spreadsheets, ticks
from webapp.store.account_reads import UnreadAccounts
from webapp.store.db import Database
from webapp.store.platforms import PlatformState
from webapp.store.projects import DEFAULT_LIMIT, LIVE, Project, listed
from webapp.store.reading_ages import ReadingAge, reading_ages
from webapp.store.runs import Run
from webapp.store.spreadsheets import Spreadsheet
from webapp.store.storage import storage_of
from webapp.store.tables import PROJECT_THERE, projects
from webapp.store.ticks import Tick


class StatusTotals(NamedTuple):
    """All projects that are not removed.

    stale: the active ones whose last success is too long ago. failing: the active ones that were not whole when they
    were last synced. At most DEFAULT_LIMIT of each.
    """

    total: int
    active: int
    last_success_at: datetime | None
    stale: Sequence[Project]
    failing: Sequence[Project]
    held: int


def totals(tx: sa.Connection, now: datetime, stale_after_minutes: int) -> StatusTotals:
    sums = tx.execute(
        sa.select(
            sa.func.count(),
            sa.func.count(sa.case((LIVE, 1))),
            sa.func.max(projects.c.synced_at, type_=projects.c.synced_at.type),
        ).where(PROJECT_THERE)
    ).one()
    total, active_count, last_success_at = sums
    return StatusTotals(
        total,
        active_count,
        last_success_at,
        stale_projects(tx, now, stale_after_minutes)[:DEFAULT_LIMIT],
        failing_projects(tx)[:DEFAULT_LIMIT],
        sum(held.counts(tx).values()),
    )


def stale_projects(tx: sa.Connection, now: datetime, stale_after_minutes: int) -> list[Project]:
    """The active projects whose numbers are too old to trust, the oldest first."""
    limit = now - timedelta(minutes=stale_after_minutes)
    late = projects.c.synced_at.is_(None) | (projects.c.synced_at < limit)
    found = listed(tx, LIVE, late, order_by=(projects.c.synced_at.is_not(None), projects.c.synced_at, projects.c.id))
    # One that is synced once a day by its own schedule may be older than the others.
    return [project for project in found if is_project_stale(project, stale_after_minutes, now)]


def failing_projects(tx: sa.Connection) -> list[Project]:
    """The active projects that were not whole when they were last synced, the longest so first."""
    wrong = (projects.c.failures > 0) | projects.c.degraded_since.is_not(None)
    return listed(tx, LIVE, wrong, order_by=(projects.c.degraded_since, projects.c.name, projects.c.id))


class ServiceStatus(NamedTuple):
    """running: oldest first. last_run: the latest that had something to do. storage: as `storage_of` says, and since
    when there is history, and when some was lost.

    next_turn: when the first project is to be synced by itself, past or not; None: none is.
    """

    totals: StatusTotals
    running: Sequence[Run]
    last_run: Run | None
    tick: Tick | None
    next_turn: datetime | None
    spreadsheets: Sequence[Spreadsheet]
    storage: Mapping[str, Any]
    readings: Sequence[ReadingAge]
    platforms: Sequence[PlatformState]
    unread: Sequence[UnreadAccounts]


def service_status(
    db: Database, now: datetime, *, stale_after_minutes: int, readings_stale_after: int, lease_ms: int
) -> ServiceStatus:
    """Raises: StoreError."""
    with db.read() as tx:
        last = runs.latest(tx, limit=1, idle=False)
        return ServiceStatus(
            totals(tx, now, stale_after_minutes),
            runs.live_runs(tx, lease_ms),
            last[0] if last else None,
            ticks.last(tx),
            schedule.earliest_turn(tx),
            spreadsheets.listed(tx),
            storage_of(db) | _history(tx),
            reading_ages(tx, now, readings_stale_after),
            platforms.listed(tx),
            account_reads.unread(tx),
        )


def _history(tx: sa.Connection) -> dict[str, Any]:
    """Since when there is history; what was lost of it and nobody has acknowledged."""
    loss = lost_history.open_loss(tx)
    return {
        "history_since": lost_history.first_day(tx),
        "lost_history_since": loss.noticed_at if loss else None,
        "lost_history": loss.words if loss else None,
    }
