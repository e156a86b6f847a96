"""When a project is synced by itself."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from webapp.actions.desk import Desk
from webapp.errors import Invalid
from webapp.rules.due import check_cron, check_interval, check_zone, longest_pause, reschedule, schedule_of
from webapp.store import projects, schedule
from webapp.store.projects import Project, present_project

log = logging.getLogger("smart_sync")


def set_schedule(desk: Desk, project_id: str, values: Mapping[str, Any]) -> Project:
    """Change when a project is synced by itself. Only another schedule moves the next sync.

    values: what shall be different of `enabled`, `interval_minutes` (None: the default of all projects), `cron` (None:
    by interval again), `timezone` (None: UTC) and `min_interval_minutes`. Of the interval and the expression one rules.

    Raises: NotFound; Invalid.
    """
    changes = _columns(values, desk.clock.now())
    with desk.edit() as edit:
        before = present_project(projects.lock(edit.tx, project_id))
        plan = _plan(before, changes, desk.settings.interval_minutes, edit.now)
        if not schedule.change(edit.tx, before, changes, plan, edit.now):
            return before
        after = projects.lock(edit.tx, project_id)
        edit.audit_project("project.auto_sync", before, after)
    words = {name: str(value) for name, value in changes.items()}
    log.info("[SmartSync] schedule changed", extra={"project": after.name, "project_id": project_id} | words)
    return after


def _columns(values: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The columns of the project that the values name.

    Raises: Invalid.
    """
    changes: dict[str, Any] = {name: values[name] for name in ("timezone", "min_interval_minutes") if name in values}
    if "enabled" in values:
        changes["auto_sync"] = values["enabled"]
    if changes.get("timezone") is not None:
        changes["timezone"] = check_zone(changes["timezone"])
    return changes | _rhythm(values, now)


def _rhythm(values: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """An interval takes the place of a cron expression, and the other way round; None goes back to the default."""
    minutes, cron = values.get("interval_minutes"), values.get("cron")
    if minutes is not None and cron is not None:
        words = "an interval and a cron expression exclude each other; send one of them"
        raise Invalid(words, field="cron", code="invalid_parameter")
    if not values.keys() & {"interval_minutes", "cron"}:
        return {}
    if cron is None:
        return {"interval_minutes": None if minutes is None else check_interval(minutes), "cron": None}
    cron = check_cron(cron, now)
    return {"interval_minutes": longest_pause(cron), "cron": cron}


def _plan(before: Project, changes: Mapping[str, Any], default_minutes: int, now: datetime) -> dict[str, Any]:
    """The project's next turn, if the changes give it another schedule or begin to follow it."""
    after = replace(before, **changes)
    begins = after.auto_sync and not before.auto_sync
    if not begins and schedule_of(after, default_minutes) == schedule_of(before, default_minutes):
        return {}
    return reschedule(schedule_of(after, default_minutes), before.synced_at, now)
