"""When a project is synced by itself: every so many minutes, or by a cron expression on the clock of its zone."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Response
from msgspec import UNSET

from webapp import actions, web
from webapp.api.http.asking import refusal
from webapp.api.http.desk import desk
from webapp.api.http.problems import json_answer
from webapp.api.http.routes import NoQuery, Route
from webapp.api.shapes.schedule import AutoSync, AutoSyncUpdate
from webapp.clock import Clock, iso
from webapp.config import Settings
from webapp.store import schedule
from webapp.store.db import Database
from webapp.store.heads import head_of
from webapp.store.projects import Project, present_project


def get_auto_sync(_: NoQuery, project_id: str) -> Response:
    """When a project is synced by itself."""
    with web.get(Database).read() as tx:
        body = _auto_sync(tx, present_project(head_of(tx, project_id)))
    return json_answer(body, headers={"Cache-Control": "no-store"})


def put_auto_sync(_: NoQuery, asked: AutoSyncUpdate, project_id: str) -> Response:
    """Change when a project is synced by itself. Only another schedule moves the next sync."""
    project = actions.schedule.set_schedule(desk(), project_id, _settings(asked))
    with web.get(Database).read() as tx:
        body = _auto_sync(tx, project)
    return json_answer(body, headers={"Cache-Control": "no-store"})


def _settings(asked: AutoSyncUpdate) -> dict[str, Any]:
    """What the body names, in minutes.

    Raises: HttpProblem 422.
    """
    values = {name: getattr(asked, name) for name in asked.__struct_fields__ if getattr(asked, name) is not UNSET}
    if "interval_hours" in values:
        hours = values.pop("interval_hours")
        minutes = None if hours is None else hours * 60
        if minutes is not None and values.get("interval_minutes") not in (None, minutes):
            raise refusal("interval_hours", "interval_minutes and interval_hours differ; send one of them")
        values["interval_minutes"] = minutes or values.get("interval_minutes")
    return values


def _auto_sync(tx: sa.Connection, project: Project) -> AutoSync:
    now, default = web.get(Clock).now(), web.get(Settings).interval_minutes
    minutes = None if project.cron is not None else project.interval_minutes or default
    return AutoSync(
        success=True,
        project_id=project.id,
        project_name=project.name,
        enabled=project.auto_sync,
        interval_minutes=minutes,
        interval_hours=None if minutes is None else minutes / 60,
        default_interval=project.cron is None and project.interval_minutes is None,
        cron=project.cron,
        timezone=project.timezone or "UTC",
        min_interval_minutes=project.min_interval_minutes,
        last_sync_at=iso(project.synced_at),
        next_sync_at=iso(project.turn(now)),
        due=schedule.project_due(tx, project.id, now, default),
        failures=project.failures,
        last_error=project.last_error,
    )


PATH = "/api/admin/projects/<project_id>/auto_sync"
ROUTES = (
    Route(
        "get_auto_sync",
        "schedule",
        "GET",
        PATH,
        get_auto_sync,
        "admin",
        answers={200: AutoSync},
        problems=["project_not_found"],
    ),
    Route(
        "put_auto_sync",
        "schedule",
        "PUT",
        PATH,
        put_auto_sync,
        "admin",
        body=AutoSyncUpdate,
        answers={200: AutoSync},
        problems=["project_not_found"],
    ),
)
