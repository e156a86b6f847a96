"""When a project is synced by itself: every so many minutes, or by a cron expression on the clock of its zone."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa
from flask import Response
from msgspec import UNSET, UnsetType

from webapp import web
from webapp.api.http.problems import Problem, json_answer
from webapp.api.http.routes import NoQuery, Route
from webapp.api.shapes.answers import Number, says
from webapp.clock import Clock, iso
from webapp.errors import NotFound
from webapp.rules.due import TOLERANCE, checked_cron, checked_zone, longest_pause, rescheduled, schedule_of
from webapp.store import projects, schedule
from webapp.store.db import Database
from webapp.store.projects import Project
from webapp.sync.engine import Engine

log = logging.getLogger("smart_sync")

LONGEST = 525_600  # minutes: a year

Minutes = Annotated[int, msgspec.Meta(ge=1, le=LONGEST)]
Hours = Annotated[int, msgspec.Meta(ge=1, le=LONGEST // 60)]
Pause = Annotated[int, msgspec.Meta(ge=0, le=LONGEST)]
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
        body = _shown(tx, _existing(tx, project_id))
    return json_answer(body, headers={"Cache-Control": "no-store"})


def put_auto_sync(_: NoQuery, asked: AutoSyncBody, project_id: str) -> Response:
    """Change when a project is synced by itself. Only another schedule moves the next sync."""
    now = web.get(Clock).now()
    values = _values(asked, now)
    with web.get(Database).write() as tx:
        before = _existing(tx, project_id, lock=True)
        if schedule.change(tx, before, values, _plan(before, values, now), now):
            words = {name: str(value) for name, value in values.items()}
            log.info("[SmartSync] schedule changed", extra={"project": before.name, "project_id": project_id} | words)
        body = _shown(tx, _existing(tx, project_id))
    return json_answer(body, headers={"Cache-Control": "no-store"})


def _existing(tx: sa.Connection, project_id: str, *, lock: bool = False) -> Project:
    """The project, if it was not removed.

    Raises: NotFound.
    """
    project = (projects.locked if lock else projects.by_id)(tx, project_id)
    if project is None or project.removed_at is not None:
        raise NotFound(f"there is no project {project_id[:100]!r}", code="project_not_found")
    return project


def _values(asked: AutoSyncBody, now: datetime) -> dict[str, Any]:
    """The columns that the body names.

    Raises: Problem 422, Invalid.
    """
    given = {name: getattr(asked, name) for name in asked.__struct_fields__ if getattr(asked, name) is not UNSET}
    values: dict[str, Any] = {name: given[name] for name in ("timezone", "min_interval_minutes") if name in given}
    if "enabled" in given:
        values["auto_sync"] = given["enabled"]
    if values.get("timezone") is not None:
        values["timezone"] = checked_zone(values["timezone"])
    return values | _rhythm(given, now)


def _rhythm(given: dict[str, Any], now: datetime) -> dict[str, Any]:
    """An interval takes the place of a cron expression, and the other way round; null goes back to the default."""
    minutes, hours, cron = (given.get(name) for name in ("interval_minutes", "interval_hours", "cron"))
    if hours is not None:
        if minutes not in (None, hours * 60):
            raise _conflict("interval_hours", "interval_minutes and interval_hours differ; send one of them")
        minutes = hours * 60
    if minutes is not None and cron is not None:
        raise _conflict("cron", "an interval and a cron expression exclude each other; send one of them")
    if not given.keys() & {"interval_minutes", "interval_hours", "cron"}:
        return {}
    if cron is None:
        return {"interval_minutes": minutes, "cron": None}
    cron = checked_cron(cron, now)
    return {"interval_minutes": longest_pause(cron), "cron": cron}


def _conflict(field: str, words: str) -> Problem:
    return Problem(422, "invalid_parameter", words, field=field)


def _plan(before: Project, values: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The project's next turn, if the values give it another schedule or begin to follow it."""
    default, after = _default_minutes(), replace(before, **values)
    begins = after.auto_sync and not before.auto_sync
    if not begins and schedule_of(after, default) == schedule_of(before, default):
        return {}
    return rescheduled(schedule_of(after, default), before.synced_at, now)


def _default_minutes() -> int:
    return web.get(Engine).options.interval_minutes


def _shown(tx: sa.Connection, project: Project) -> AutoSync:
    now, default = web.get(Clock).now(), _default_minutes()
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
