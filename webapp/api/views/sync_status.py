"""How the service stands, or one project: the address that every operator knows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
import sqlalchemy as sa
from flask import Response

from webapp import __version__, web
from webapp.api.http.problems import json_answer
from webapp.api.http.routes import Route
from webapp.api.shapes.fields import says
from webapp.api.shapes.runs import run_summary
from webapp.api.shapes.status import (
    ProjectSyncStatus,
    StorageStatus,
    SyncStatus,
    project_sync_status,
    running_run,
    sheet_status,
    stale_project,
    tick_gap,
)
from webapp.clock import Clock, iso
from webapp.config import Settings
from webapp.errors import NotFound
from webapp.rules.due import overdue
from webapp.rules.freshness import is_stale
from webapp.store import leases, projects, runs, schedule, spreadsheets, status, ticks
from webapp.store.db import Database
from webapp.store.storage import storage_of


class StatusQuery(msgspec.Struct):
    project_id: Annotated[
        Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None, says("how this one project stands")
    ] = None


def sync_status(asked: StatusQuery) -> Response:
    """How the service stands: what runs, what is stale, whether the sheet answers and the data is safe."""
    settings, now = web.get(Settings), web.get(Clock).now()
    with web.get(Database).read() as tx:
        body = (
            _service(tx, settings, now)
            if asked.project_id is None
            else _project(tx, asked.project_id, settings.stale_after, now)
        )
    return json_answer(body, headers={"Cache-Control": "no-store"})


def _service(tx: sa.Connection, settings: Settings, now: datetime) -> SyncStatus:
    totals = status.totals(tx, now, settings.stale_after)
    last = runs.latest(tx, limit=1, idle=False)
    tick, turn = ticks.last(tx), schedule.earliest_turn(tx)
    late = overdue(turn, now)
    configured = bool(settings.sheets) or settings.demo
    return SyncStatus(
        success=True,
        total_projects=totals.total,
        active_projects=totals.active,
        cache_enabled=False,
        timestamp=iso(now),
        running=[running_run(run) for run in runs.live_runs(tx, int(settings.lease_s * 1000))],
        last_run=run_summary(last[0]) if last else None,
        last_success_at=iso(totals.last_success_at),
        stale_projects=[stale_project(project) for project in totals.stale],
        held_values=totals.held,
        next_due_at=iso(turn),
        last_tick_at=iso(tick.seen_at) if tick else None,
        last_gap=tick_gap(tick) if tick else None,
        overdue_by_seconds=late,
        # Red is twice the interval: one call may fail without an alarm.
        stale=late > settings.stale_after * 60,
        sheet=sheet_status(spreadsheets.listed(tx), configured=configured),
        storage=StorageStatus(**storage_of(web.get(Database))),
        version=__version__,
    )


def _project(tx: sa.Connection, project_id: str, stale_after: int, now: datetime) -> ProjectSyncStatus:
    project = projects.by_id(tx, project_id)
    if project is None:
        raise NotFound(f"there is no project {project_id!r}", code="project_not_found")
    return project_sync_status(
        project,
        now,
        syncing=leases.is_syncing(tx, project.id),
        stale=is_stale(project.synced_at, stale_after, project.interval_minutes, now),
        accounts=projects.account_total(tx, project.id),
    )


ROUTES = (
    Route(
        "sync_status",
        "sync",
        "GET",
        "/api/admin/sync_status",
        sync_status,
        "admin",
        query=StatusQuery,
        answers={200: (SyncStatus, ProjectSyncStatus)},
        problems=["project_not_found"],
    ),
)
