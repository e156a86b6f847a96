"""When a project is synced by itself: every so many minutes, or by a cron expression on the clock of its zone."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import sqlalchemy as sa
from flask import Response
from msgspec import UNSET, UnsetType

from webapp import web
from webapp.actions.schedule import set_schedule
from webapp.api.http.asking import no_project, refused
from webapp.api.http.desk import desk
from webapp.api.http.problems import json_answer
from webapp.api.http.routes import NoQuery, Route
from webapp.api.shapes.answers import Number, says
from webapp.clock import Clock, iso
from webapp.config import Settings
from webapp.rules.due import LONGEST_INTERVAL, TOLERANCE
from webapp.store import projects, schedule
from webapp.store.db import Database
from webapp.store.projects import Project

Minutes = Annotated[int, msgspec.Meta(ge=1, le=LONGEST_INTERVAL)]
Hours = Annotated[int, msgspec.Meta(ge=1, le=LONGEST_INTERVAL // 60)]
Pause = Annotated[int, msgspec.Meta(ge=0, le=LONGEST_INTERVAL)]
Short = Annotated[str, msgspec.Meta(max_length=200)]
Moment = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]


class AutoSyncBody(msgspec.Struct, forbid_unknown_fields=True):
    """What shall be different; what is left out stays. Of the interval and the cron expression one rules."""

    enabled: bool | UnsetType = UNSET
    interval_minutes: Annotated[Minutes | UnsetType | None, says("null: the default of all projects")] = UNSET
    interval_hours: Annotated[Hours | UnsetType | None, says("the same in hours")] = UNSET
    cron: Annotated[Short | UnsetType | None, says("five fields; null: by interval again")] = UNSET
    timezone: Annotated[Short | UnsetType | None, says("of `cron`, such as Europe/Berlin; null: UTC")] = UNSET
    min_interval_minutes: Annotated[
        Pause | UnsetType, says("minutes after a success in which only `due` and `force` sync again; 0: none")
    ] = UNSET


class AutoSync(msgspec.Struct):
    """How a project is synced by itself, and how that goes."""

    success: bool
    project_id: str
    project_name: str
    enabled: bool
    interval_minutes: Annotated[int | None, says("null: it goes by `cron`")]
    interval_hours: Annotated[float | None, says("the same in hours")]
    default_interval: Annotated[bool, says("the interval is the default of all projects")]
    cron: str | None
    timezone: str
    min_interval_minutes: Number
    last_sync_at: Annotated[Moment | None, says("the last success")]
    next_sync_at: Annotated[Moment | None, says("past: it is due; null: it is not synced by itself now")]
    due: bool
    failures: Annotated[int, msgspec.Meta(ge=0, description="attempts since the last success")]
    last_error: Annotated[str | None, says("of the last attempt; null: it succeeded")]


def get_auto_sync(_: NoQuery, project_id: str) -> Response:
    """When a project is synced by itself."""
    with web.get(Database).read() as tx:
        project = projects.by_id(tx, project_id)
        if project is None or project.removed_at is not None:
            raise no_project(project_id)
        body = _shown(tx, project)
    return json_answer(body, headers={"Cache-Control": "no-store"})


def put_auto_sync(_: NoQuery, asked: AutoSyncBody, project_id: str) -> Response:
    """Change when a project is synced by itself. Only another schedule moves the next sync."""
    project = set_schedule(desk(), project_id, _values(asked))
    with web.get(Database).read() as tx:
        body = _shown(tx, project)
    return json_answer(body, headers={"Cache-Control": "no-store"})


def _values(asked: AutoSyncBody) -> dict[str, Any]:
    """What the body names, in minutes.

    Raises: Problem 422.
    """
    values = {name: getattr(asked, name) for name in asked.__struct_fields__ if getattr(asked, name) is not UNSET}
    if "interval_hours" in values:
        hours = values.pop("interval_hours")
        minutes = None if hours is None else hours * 60
        if minutes is not None and values.get("interval_minutes") not in (None, minutes):
            raise refused("interval_hours", "interval_minutes and interval_hours differ; send one of them")
        values["interval_minutes"] = minutes or values.get("interval_minutes")
    return values


def _shown(tx: sa.Connection, project: Project) -> AutoSync:
    now, default = web.get(Clock).now(), web.get(Settings).interval_minutes
    minutes = None if project.cron is not None else project.interval_minutes or default
    synced = project.auto_sync and project.status == "active"
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
        next_sync_at=iso(project.next_sync_at or project.created_at or now) if synced else None,
        due=schedule.project_due(tx, project.id, now + TOLERANCE, default),
        failures=project.failures,
        last_error=project.last_error,
    )


PATH = "/api/admin/projects/<project_id>/auto_sync"
ROUTES = (
    Route(
        "get_auto_sync", "GET", PATH, get_auto_sync, "admin", answers={200: AutoSync}, problems=["project_not_found"]
    ),
    Route(
        "put_auto_sync",
        "PUT",
        PATH,
        put_auto_sync,
        "admin",
        body=AutoSyncBody,
        answers={200: AutoSync},
        problems=["project_not_found"],
    ),
)
