"""Whose turn it is: the projects that are synced by themselves, and when."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from webapp.rules.due import TOLERANCE
from webapp.store.projects import LIVE, WAITING, Project, by_id, changes, listed, wanted
from webapp.store.spreadsheets import asked_lately
from webapp.store.tables import PROJECT_THERE, projects

PLANNED = LIVE & projects.c.auto_sync  # synced by itself


def _is_due(now: datetime, interval_minutes: int) -> list[sa.ColumnElement[bool]]:
    """Of a project that is active, synced by itself, and whose time has come, or comes in a moment, one of these is true.

    Never synced is due. A plan that cannot be right is not waited for: one made while the clock was ahead, or from a
    longer default interval than `interval_minutes`.
    """
    turn, until = projects.c.next_sync_at, now + TOLERANCE
    default = projects.c.interval_minutes.is_(None) & projects.c.cron.is_(None)
    longer = default & (turn > until + timedelta(minutes=interval_minutes))
    reasons = (turn.is_(None), turn <= until, projects.c.checked_at > until, longer)
    return [PLANNED & reason for reason in reasons]


def due(tx: sa.Connection, now: datetime, interval_minutes: int) -> list[Project]:
    """The projects that are due, longest-waiting first."""
    return listed(tx, sa.or_(*_is_due(now, interval_minutes)), order_by=WAITING)


def due_ids(tx: sa.Connection, now: datetime, interval_minutes: int) -> set[str]:
    """Which projects these are, without what is known of them."""
    return set(tx.execute(sa.select(projects.c.id).where(sa.or_(*_is_due(now, interval_minutes)))).scalars())


def projects_to_sync(
    tx: sa.Connection,
    now: datetime,
    interval_minutes: int,
    *,
    project_id: str | None = None,
    due_only: bool = False,
    all_: bool = False,
) -> list[Project]:
    """The projects that a trigger asks for, longest-waiting first: one, whatever its status, those due, or everybody."""
    if project_id is not None:
        project = by_id(tx, project_id)
        return [project] if project is not None and project.removed_at is None else []
    return due(tx, now, interval_minutes) if due_only else wanted(tx, all_=all_)


def anything_due(tx: sa.Connection, now: datetime, interval_minutes: int, sheets: Collection[str]) -> bool:
    """Whether a tick has anything to do: a project to sync, or a spreadsheet to look through. One statement."""
    asked = asked_lately(now, interval_minutes, sheets).subquery()
    # One EXISTS for each reason: SQLite looks each up in an index, and would read the whole table for one OR.
    statement = sa.select(
        sa.or_(*(sa.exists().where(reason) for reason in _is_due(now, interval_minutes))),
        sa.select(sa.func.count()).select_from(asked).scalar_subquery(),
    )
    somebody, known = tx.execute(statement).one()
    return bool(somebody) or known < len(sheets)


def project_due(tx: sa.Connection, project_id: str, now: datetime, interval_minutes: int) -> bool:
    """Whether the next tick syncs this project."""
    mine = sa.exists().where(projects.c.id == project_id, sa.or_(*_is_due(now, interval_minutes)))
    return bool(tx.execute(sa.select(mine)).scalar())


_TURN = sa.func.coalesce(projects.c.next_sync_at, projects.c.created_at, type_=projects.c.next_sync_at.type)


def earliest_turn(tx: sa.Connection) -> datetime | None:
    """When the first project is to be synced by itself, past or not; None: none is."""
    return tx.execute(sa.select(sa.func.min(_TURN, type_=projects.c.next_sync_at.type)).where(PLANNED)).scalar()


def scheduled(tx: sa.Connection) -> list[Project]:
    """The projects that are not finished or removed, in the order of their turns."""
    return listed(tx, PROJECT_THERE, projects.c.status != "finished", order_by=(_TURN, projects.c.name, projects.c.id))


def change(
    tx: sa.Connection, project: Project, values: Mapping[str, Any], plan: Mapping[str, Any], now: datetime
) -> bool:
    """Give a locked project other settings; whether they are other ones. plan: what follows from them."""
    after = changes(project, values)
    if not after:
        return False
    row = {**after, **plan, "updated_at": now, "revision": project.revision + 1}
    tx.execute(projects.update().where(projects.c.id == project.id).values(**row))
    return True
