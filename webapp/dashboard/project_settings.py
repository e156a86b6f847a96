"""What people change of a project: its name, status, target, policy, dates, and when it is synced by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any, get_args

from flask import Response, request

from webapp import web
from webapp.actions.projects import change_project, remove_project
from webapp.actions.schedule import set_schedule
from webapp.clock import Clock
from webapp.config import Settings
from webapp.dashboard.desk import desk
from webapp.dashboard.fields import count_of, day_in, text_in
from webapp.dashboard.rendering import page, redirect_to
from webapp.errors import Invalid
from webapp.model import Policy
from webapp.rules.due import schedule_of as schedule_of_project
from webapp.rules.due import slot_after
from webapp.rules.words import grouped
from webapp.store.db import Database
from webapp.store.heads import head_of
from webapp.store.projects import Project, Status

STATUSES: tuple[Status, ...] = get_args(Status)
POLICIES: tuple[Policy, ...] = get_args(Policy)
TURNS = 3  # that are shown of a schedule


def project_settings(project_id: str) -> Response:
    """All that can be changed of a project, with what it is now."""
    settings, now = web.get(Settings), web.get(Clock).now()
    with web.get(Database).read() as tx:
        project = head_of(tx, project_id)
    turns: list[datetime] = []
    turn = project.turn(now)
    schedule = schedule_of_project(project, settings.interval_minutes)
    while turn is not None and len(turns) < TURNS:
        turns.append(turn)
        turn = slot_after(schedule, project.anchor_at or turn, max(turn, now))
    return page(
        "project_settings.html",
        project=project,
        shown=_shown(project),
        statuses=STATUSES,
        policies=POLICIES,
        turns=turns,
        default_interval=settings.interval_minutes,
    )


def _shown(project: Project) -> dict[str, str]:
    """The fields of its form, as they are served."""
    target = project.target_views
    return {
        "name": project.name,
        "status": project.status,
        "merge_policy": project.merge_policy,
        "target_views": "" if target is None else grouped(target),
        "start_date": str(project.start_date or ""),
        "end_date": str(project.end_date or ""),
    }


def change_settings(project_id: str) -> Response:
    """Change what is typed; an empty name is the tab's again, an empty target or date is none.

    What was left as it was served stays: somebody else may have changed it since.
    """
    values: dict[str, Any] = {
        "name": text_in("name"),
        "status": _one_of("status", STATUSES),
        "merge_policy": _one_of("merge_policy", POLICIES),
        "target_views": None if (target := text_in("target_views")) is None else count_of(target),
        "start_date": day_in("start_date"),
        "end_date": day_in("end_date"),
    }
    values = {field: value for field, value in values.items() if text_in(field) != _was(field)}
    with web.get(Database).read() as tx:
        before = head_of(tx, project_id)
    if values.get("name") == before.name:
        del values["name"]
    change_project(desk(), project_id, values)
    return redirect_to(f"/projects/{project_id}/settings")


def _was(field: str) -> str | bool | None:
    """What the form was served with; False where it does not say so."""
    return text_in(f"was_{field}") if f"was_{field}" in request.form else False


def change_schedule(project_id: str) -> Response:
    """Sync it by itself or not; every so many minutes, or by a cron expression on the clock of its zone."""
    minutes, cron, zone = text_in("interval_minutes"), text_in("cron"), text_in("timezone")
    rhythm: dict[str, Any] = {"cron": cron} if cron else {"interval_minutes": count_of(minutes) if minutes else None}
    set_schedule(desk(), project_id, {"enabled": text_in("enabled") is not None, "timezone": zone} | rhythm)
    return redirect_to(f"/projects/{project_id}/settings")


def remove_one(project_id: str) -> Response:
    """Stop syncing a project and take it off all lists, once its name was typed."""
    with web.get(Database).read() as tx:
        project = head_of(tx, project_id)
    if text_in("name") != project.name:
        raise Invalid(
            "type the project's name as it stands there, to remove it", field="name", code="invalid_parameter"
        )
    remove_project(desk(), project_id)
    return redirect_to("/")


def _one_of(field: str, allowed: tuple[str, ...]) -> str:
    found = text_in(field)
    if found not in allowed:
        raise Invalid(f"{field}: choose one of {', '.join(allowed)}", field=field, code="invalid_parameter")
    return found
