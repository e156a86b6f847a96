"""A trigger for each spreadsheet, so that several workers share what one trigger asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from webapp.store import schedule, spreadsheets
from webapp.store.projects import Project
from webapp.sync.trigger import Trigger


def key_of(project: Project, keys: Sequence[str]) -> str | None:
    """The configured spreadsheet that a project goes with; the default one, the first, where its own is not configured."""
    default = keys[0] if keys else None
    return project.spreadsheet if project.spreadsheet in keys else default


def by_spreadsheet(
    tx: sa.Connection, trigger: Trigger, keys: Sequence[str], now: datetime, interval_minutes: int
) -> list[Trigger]:
    """What together asks for the same as the trigger; of what is due, only spreadsheets that have something due.

    The trigger itself where there is nothing to share, so that a tick that finds nothing due is recorded once.
    """
    meant = set[str | None](keys)
    if trigger.due:
        meant = {key_of(project, keys) for project in schedule.due(tx, now, interval_minutes)}
        meant |= spreadsheets.due(tx, now, interval_minutes, keys)
    shares = [replace(trigger, spreadsheet=key) for key in keys if key in meant]
    return shares if len(keys) > 1 and shares else [trigger]
