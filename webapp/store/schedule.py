"""What the schedule needs to know and to keep: whether anything is due, when somebody last asked, a project's settings.

Every trigger leaves a run in the log, also the tick that finds nothing due: one a minute is 1,440 a day. Such an idle
run is written once, closed already, and forgotten after KEEP_IDLE; runs that read or wrote something stay for longer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from webapp.store import runs
from webapp.store.backends.dialect import insert_for
from webapp.store.changes import audit
from webapp.store.projects import Project, is_due, listed
from webapp.store.runs import NewRun
from webapp.store.tables import IDLE, projects, spreadsheets, sync_runs, ticks

KEEP_IDLE = timedelta(days=2)

_THERE = projects.c.removed_at.is_(None)
_PLANNED = _THERE & (projects.c.status == "active") & projects.c.auto_sync
_TURN = sa.func.coalesce(projects.c.next_sync_at, projects.c.created_at, type_=projects.c.next_sync_at.type)


# What is due


def _asked(until: datetime, interval_minutes: int, sheets: Collection[str]) -> sa.Select[tuple[str]]:
    """Those of the spreadsheets that were asked within the interval before `until`."""
    since = until - timedelta(minutes=interval_minutes)
    lately = (spreadsheets.c.checked_at > since) & (spreadsheets.c.checked_at <= until)
    return sa.select(spreadsheets.c.key).where(spreadsheets.c.key.in_(sheets), lately)


def due_sheets(tx: sa.Connection, until: datetime, interval_minutes: int, sheets: Collection[str]) -> set[str]:
    """Keys of the spreadsheets to look through for new tabs: those not asked for so long, or in a wrong future."""
    return set(sheets) - set(tx.execute(_asked(until, interval_minutes, sheets)).scalars())


def anything_due(tx: sa.Connection, until: datetime, interval_minutes: int, sheets: Collection[str]) -> bool:
    """Whether a tick has anything to do: a project to sync, or a spreadsheet to look through. One statement."""
    asked = _asked(until, interval_minutes, sheets).subquery()
    # One EXISTS for each reason: SQLite looks each up in an index, and would read the whole table for one OR.
    statement = sa.select(
        sa.or_(*(sa.exists().where(reason) for reason in is_due(until, interval_minutes))),
        sa.select(sa.func.count()).select_from(asked).scalar_subquery(),
    )
    somebody, known = tx.execute(statement).one()
    return bool(somebody) or known < len(sheets)


def project_due(tx: sa.Connection, project_id: str, until: datetime, interval_minutes: int) -> bool:
    """Whether the next tick syncs this project."""
    mine = sa.exists().where(projects.c.id == project_id, sa.or_(*is_due(until, interval_minutes)))
    return bool(tx.execute(sa.select(mine)).scalar())


def earliest_turn(tx: sa.Connection) -> datetime | None:
    """When the first project is to be synced by itself, past or not; None: none is."""
    return tx.execute(sa.select(sa.func.min(_TURN, type_=projects.c.next_sync_at.type)).where(_PLANNED)).scalar()


# Ticks


@dataclass(frozen=True)
class Tick:
    """The last time somebody asked for what is due, and the last stretch of time in which nobody did for too long."""

    seen_at: datetime
    caller: str
    gap_from: datetime | None
    gap_until: datetime | None


_TICK = sa.select(*(ticks.c[name] for name in Tick.__dataclass_fields__)).where(ticks.c.id == 1)


def last_tick(tx: sa.Connection) -> Tick | None:
    row = tx.execute(_TICK).first()
    return None if row is None else Tick(*row)


def put_tick(tx: sa.Connection, now: datetime, caller: str, longest: timedelta) -> timedelta | None:
    """Somebody asks for what is due; how long nobody did, where that is more than `longest`."""
    last = last_tick(tx)
    row: dict[str, Any] = {"seen_at": now, "caller": caller}
    gap = now - last.seen_at if last is not None and now - last.seen_at > longest else None
    if last is not None and gap is not None:
        row |= {"gap_from": last.seen_at, "gap_until": now}
    statement = insert_for(tx, ticks).values(id=1, **row)
    tx.execute(statement.on_conflict_do_update(index_elements=["id"], set_=row))
    return gap


def add_idle_run(tx: sa.Connection, run: NewRun, warnings: Sequence[str]) -> bool:
    """Record a run that found nothing to do; False when another has its Idempotency-Key. Old ones are forgotten."""
    old = sync_runs.c.started_at < run.started_at - KEEP_IDLE
    tx.execute(sync_runs.delete().where(sa.text(IDLE), old))
    ended = {"state": "succeeded", "phase": None, "finished_at": run.started_at, "warnings": warnings, "seconds": 0.0}
    return runs.add(tx, run, ended)


# A project's settings


def scheduled(tx: sa.Connection) -> list[Project]:
    """The projects that are not finished or removed, in the order of their turns."""
    return listed(tx, _THERE, projects.c.status != "finished", order_by=(_TURN, projects.c.name, projects.c.id))


def change(
    tx: sa.Connection, project: Project, values: Mapping[str, Any], plan: Mapping[str, Any], now: datetime
) -> bool:
    """Give a locked project other settings; whether they are other ones. plan: what follows from them."""
    after = {name: value for name, value in values.items() if getattr(project, name) != value}
    if not after:
        return False
    before = {name: getattr(project, name) for name in after}
    row = {**after, **plan, "updated_at": now, "revision": project.revision + 1}
    tx.execute(projects.update().where(projects.c.id == project.id).values(**row))
    audit(tx, "project.auto_sync", f"project:{project.id}", before, after, now)
    return True
