"""Old history by the week: what a week ends with stays, and so do the totals of its last day.

A project is thinned week by week, each in a transaction; `weekly_until` says how far. Nothing begins by itself: a
project that has older history waits for somebody to begin it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from webapp.errors import StoreError
from webapp.rules.retention import find_superfluous, last_whole_week, week_of
from webapp.store import days, spans
from webapp.store import projects as project_rows
from webapp.store.db import Database
from webapp.store.standing import cells
from webapp.store.statement import Bulk
from webapp.store.tables import account_snapshots, project_days, projects
from webapp.store.types import Count, Day, bind_day

log = logging.getLogger("smart_sync")

STEPS = 200  # weeks of projects that one call thins at most


class Step(NamedTuple):
    """One week of a project. snapshots: that went. done: there is no older week left."""

    snapshots: int
    done: bool


def step(tx: sa.Connection, project_id: str, until: date, now: datetime) -> Step:
    """Thin the oldest week that is left. until: a Sunday."""
    project = project_rows.lock(tx, project_id)
    day = _first_day(tx, project_id, project.weekly_until, until)
    if day is None:
        _mark(tx, project_id, until)
        return Step(0, done=True)
    monday, sunday = week_of(day)
    began: dict[int, date] = {}
    for span in spans.of_scope(tx, "project", project_id):  # those of an account in their order
        began.setdefault(span.account_id, span.since.date())
    gone = find_superfluous(cells(tx, "project", project_id, monday, sunday), began)
    if gone:
        bound = {day: bind_day(tx, day) for day in {day for day, _ in gone}}
        _delete.run(tx, [(bound[day], account_id) for day, account_id in gone])
        days.keep_within(tx, project_id, monday, sunday)
    _mark(tx, project_id, sunday, {"revision": projects.c.revision + 1, "updated_at": now} if gone else None)
    return Step(len(gone), done=False)


def _first_day(tx: sa.Connection, project_id: str, after: date | None, until: date) -> date | None:
    mine = (project_days.c.project_id == project_id, project_days.c.day <= until)
    statement = sa.select(sa.func.min(project_days.c.day, type_=Day())).where(*mine)
    found: date | None = tx.execute(
        statement if after is None else statement.where(project_days.c.day > after)
    ).scalar()
    return found


def _mark(tx: sa.Connection, project_id: str, day: date, values: dict[str, Any] | None = None) -> None:
    tx.execute(projects.update().where(projects.c.id == project_id).values(weekly_until=day, **(values or {})))


def _build_delete(_: Any) -> sa.UpdateBase:
    mine = account_snapshots.c.account_id == sa.bindparam("account", type_=Count())
    return account_snapshots.delete().where(account_snapshots.c.day == sa.bindparam("of_day", type_=Day()), mine)


_delete = Bulk(_build_delete, ("of_day", "account"))


class Waiting(NamedTuple):
    """What is not thinned yet: projects, and the first of their days."""

    project_ids: Sequence[str]
    first: date


def waiting_projects(tx: sa.Connection, until: date) -> Waiting | None:
    """The projects that nobody has begun to thin although they have days up to one; None: there is none."""
    found = tx.execute(
        sa.select(projects.c.id, sa.func.min(project_days.c.day, type_=Day()))
        .join(project_days, project_days.c.project_id == projects.c.id)
        .where(projects.c.weekly_until.is_(None), project_days.c.day <= until)
        .group_by(projects.c.id)
        .order_by(projects.c.id)
    ).all()
    return Waiting([row[0] for row in found], min(row[1] for row in found)) if found else None


def go_on(db: Database, now: datetime, months: int | None, enough: Callable[[], bool] = lambda: False) -> int:
    """Thin what has become old enough of projects that somebody has begun to thin; how many snapshots went.

    months: from which on; None: never. A database that cannot do it is no failure.
    """
    if months is None:
        return 0
    until, gone = last_whole_week(now.date(), months), 0
    try:
        with db.read() as tx:
            due = _due(tx, until)
        for _ in range(STEPS):
            if not due or enough():
                break
            with db.write() as tx:
                taken = step(tx, due[-1], until, now)
            gone += taken.snapshots
            if taken.done:
                due.pop()
    except StoreError as error:
        log.warning("[SmartSync] old days were not thinned: %s", error, extra={"code": error.code})
    return gone


def _due(tx: sa.Connection, until: date) -> list[str]:
    """Projects of which a week has become old enough; also those that have none so old, which lose nothing by that."""
    old = sa.select(project_days.c.day).where(project_days.c.project_id == projects.c.id, project_days.c.day <= until)
    begun = projects.c.weekly_until < until
    young = projects.c.weekly_until.is_(None) & ~sa.exists(old)
    return list(tx.execute(sa.select(projects.c.id).where(begun | young).order_by(projects.c.id)).scalars())
