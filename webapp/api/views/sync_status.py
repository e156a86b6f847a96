"""How the service stands, or one project: the address that every operator knows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
import sqlalchemy as sa
from flask import Response

from webapp import actions, store, web
from webapp.api.http.desk import desk
from webapp.api.http.problems import json_answer
from webapp.api.http.routes import Answer, NoQuery, Route
from webapp.api.shapes.fields import Identifier, says
from webapp.api.shapes.status import (
    LossAcknowledged,
    ProjectSyncStatus,
    SyncStatus,
    project_sync_status,
    status_of_service,
    sync_status_of,
)
from webapp.clock import Clock
from webapp.config import Settings
from webapp.store import accounts, leases, projects
from webapp.store.db import Database

FIGURES = "text/plain; version=0.0.4; charset=utf-8"


class StatusQuery(msgspec.Struct):
    project_id: Annotated[Identifier | None, says("how this one project stands")] = None


def sync_status(asked: StatusQuery) -> Response:
    """How the service stands: what runs, what is stale, whether the sheet answers and the data is safe."""
    settings, now, db = web.get(Settings), web.get(Clock).now(), web.get(Database)
    body: SyncStatus | ProjectSyncStatus
    if asked.project_id is None:
        body = sync_status_of(status_of_service(db, settings, now), settings, now)
    else:
        with db.read() as tx:
            body = _project(tx, asked.project_id, settings, now)
    return json_answer(body, headers={"Cache-Control": "no-store"})


def _project(tx: sa.Connection, project_id: str, settings: Settings, now: datetime) -> ProjectSyncStatus:
    project = projects.get(tx, project_id)
    return project_sync_status(
        project,
        settings,
        now,
        syncing=leases.is_syncing(tx, project.id, settings.lease_ms),
        accounts=accounts.total_of(tx, project.id),
        ages=store.reading_ages.reading_ages(tx, now, settings.readings_stale_after, project.id),
        unread=store.account_reads.unread(tx, project.id),
    )


def acknowledge_lost_history(_: NoQuery) -> Response:
    """Say that you know of the history that was lost, so that the status need not tell any more.

    The status tells it as `storage.lost_history_since`. Acknowledging it again changes nothing.
    """
    return json_answer(LossAcknowledged(success=True, acknowledged=actions.storage.acknowledge_lost_history(desk())))


def get_metrics(_: NoQuery) -> Response:
    """How the service stands in figures, as text that Prometheus reads. Moments are seconds since 1970 in UTC.

    It takes a token that may read: `authorization` with `credentials_file` in Prometheus' own settings.
    """
    from webapp.api.metrics import metrics_text  # noqa: PLC0415  most never ask

    body = metrics_text(web.get(Database), web.get(Settings), web.get(Clock).now())
    return Response(body, content_type=FIGURES, headers={"Cache-Control": "no-store"})


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
    Route(
        "acknowledge_lost_history",
        "sync",
        "POST",
        "/api/admin/lost_history/acknowledge",
        acknowledge_lost_history,
        "admin",
        answers={200: LossAcknowledged},
    ),
    Route(
        "get_metrics",
        "service",
        "GET",
        "/metrics",
        get_metrics,
        "read",
        answers={200: Answer(words="the figures", media=["text/plain"])},
    ),
)
