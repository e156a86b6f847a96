"""Projects as a sync sees them: whose turn it is, which tab they are bound to, what was last read of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from webapp.errors import Invalid, NotFound
from webapp.model import Metric, Policy
from webapp.store.backends.dialect import counted, insert_for
from webapp.store.tables import accounts, ignored_tabs, projects, spreadsheets


@dataclass(frozen=True)
class Project:
    """One row of `projects`, with what a sync needs of it. Times are aware UTC; None: never."""

    id: str
    name: str
    name_set: bool
    status: Literal["active", "paused", "finished"]
    spreadsheet: str | None
    worksheet_id: str | None
    worksheet_title: str | None
    sheet_seen: str | None
    sheet_bytes: int | None
    sheet_columns: Mapping[Metric, str] | None
    sheet_report: Mapping[str, Any] | None
    settled: bool
    merge_policy: Policy
    auto_sync: bool
    interval_minutes: int | None
    next_sync_at: datetime | None
    checked_at: datetime | None
    synced_at: datetime | None
    changed_at: datetime | None
    degraded_since: datetime | None
    revision: int
    removed_at: datetime | None
    created_at: datetime | None = None
    cron: str | None = None
    timezone: str | None = None
    min_interval_minutes: int = 0
    anchor_at: datetime | None = None
    failures: int = 0
    last_error: str | None = None


_COLUMNS = [projects.c[name] for name in Project.__dataclass_fields__]
_SELECT = sa.select(*_COLUMNS)
_BY_ID = _SELECT.where(projects.c.id == sa.bindparam("project_id"))
_LOCKED = _BY_ID.with_for_update()
_LIVE = (projects.c.status == "active") & projects.c.removed_at.is_(None)
_WAITING = (projects.c.checked_at.is_not(None), projects.c.checked_at, projects.c.created_at, projects.c.id)


def by_id(tx: sa.Connection, project_id: str) -> Project | None:
    """The project, removed or not."""
    row = tx.execute(_BY_ID, {"project_id": project_id}).first()
    return None if row is None else Project(*row)


def locked(tx: sa.Connection, project_id: str) -> Project | None:
    """The project, and on PostgreSQL its row lock: whoever writes a project's numbers begins here."""
    row = tx.execute(_LOCKED, {"project_id": project_id}).first()
    return None if row is None else Project(*row)


def active(tx: sa.Connection) -> list[Project]:
    """All projects that are synced, longest-waiting first."""
    return listed(tx, _LIVE, order_by=_WAITING)


def paused(tx: sa.Connection) -> list[Project]:
    """The projects that are left out of a sync of everything until somebody wakes them."""
    return listed(tx, projects.c.status == "paused", projects.c.removed_at.is_(None), order_by=_WAITING)


def is_due(until: datetime, interval_minutes: int) -> list[sa.ColumnElement[bool]]:
    """Of a project that is active, synced by itself, and whose time has come by `until`, one of these is true.

    Never synced is due. A plan that can not be right is not waited for: one made while the clock was ahead, or from a
    longer default interval than `interval_minutes`.
    """
    turn = projects.c.next_sync_at
    default = projects.c.interval_minutes.is_(None) & projects.c.cron.is_(None)
    longer = default & (turn > until + timedelta(minutes=interval_minutes))
    reasons = (turn.is_(None), turn <= until, projects.c.checked_at > until, longer)
    return [_LIVE & projects.c.auto_sync & reason for reason in reasons]


def due(tx: sa.Connection, until: datetime, interval_minutes: int) -> list[Project]:
    """The projects that are due, longest-waiting first."""
    return listed(tx, sa.or_(*is_due(until, interval_minutes)), order_by=_WAITING)


def listed(tx: sa.Connection, *where: sa.ColumnElement[bool], order_by: Sequence[Any]) -> list[Project]:
    """The projects of which all that is true, in that order."""
    return [Project(*row) for row in tx.execute(_SELECT.where(*where).order_by(*order_by))]


def bound_tabs(tx: sa.Connection, spreadsheet: str | None) -> dict[str, Project]:
    """{worksheet id: project} of one spreadsheet, whatever the projects' status: these tabs are taken."""
    same = projects.c.spreadsheet.is_(None) if spreadsheet is None else projects.c.spreadsheet == spreadsheet
    rows = tx.execute(_SELECT.where(same, projects.c.worksheet_id.is_not(None)))
    return {str(project.worksheet_id): project for project in (Project(*row) for row in rows)}


def unbound(tx: sa.Connection, spreadsheet: str | None) -> list[Project]:
    """Projects made over the API that have no tab yet and may take one of this spreadsheet by name."""
    same = projects.c.spreadsheet.is_(None) if spreadsheet is None else projects.c.spreadsheet == spreadsheet
    where = (same, projects.c.worksheet_id.is_(None), projects.c.removed_at.is_(None))
    return [Project(*row) for row in tx.execute(_SELECT.where(*where))]


def create(
    tx: sa.Connection, name: str, now: datetime, *, spreadsheet: str | None, worksheet_id: str, title: str
) -> str | None:
    """A project for a tab; its id, or None when another run has just made it."""
    project_id = str(uuid.uuid4())
    row = {
        "id": project_id,
        "name": name,
        "spreadsheet": spreadsheet,
        "worksheet_id": worksheet_id,
        "worksheet_title": title,
        "created_at": now,
        "updated_at": now,
    }
    made = counted(tx, insert_for(tx, projects).values(row).on_conflict_do_nothing())
    return project_id if made else None


def bind(tx: sa.Connection, project_id: str, worksheet_id: str, title: str, now: datetime) -> None:
    """Give a project its tab."""
    update(tx, project_id, {"worksheet_id": worksheet_id, "worksheet_title": title, "updated_at": now})


def update(tx: sa.Connection, project_id: str, values: Mapping[str, Any]) -> None:
    tx.execute(projects.update().where(projects.c.id == project_id).values(**values))


def account_total(tx: sa.Connection, project_id: str) -> int:
    """Accounts that are in the project now."""
    statement = sa.select(sa.func.count()).where(accounts.c.project_id == project_id, accounts.c.removed_at.is_(None))
    return int(tx.execute(statement).scalar_one())


def ignored(tx: sa.Connection, spreadsheet: str | None) -> set[str]:
    """Worksheet ids of the tabs that are not to become projects."""
    statement = sa.select(ignored_tabs.c.worksheet_id).where(ignored_tabs.c.spreadsheet == (spreadsheet or ""))
    return set(tx.execute(statement).scalars())


def ignored_list(tx: sa.Connection) -> list[Mapping[str, Any]]:
    """The ignored tabs with their titles."""
    return [dict(row) for row in tx.execute(sa.select(ignored_tabs).order_by(ignored_tabs.c.title)).mappings()]


def ignore(tx: sa.Connection, which: str, now: datetime) -> str:
    """Leave a tab alone for good: by project id or name, or by gid. Its project, if any, is removed; history stays.

    Answers its name.

    Raises: NotFound; Invalid when several projects have the name.
    """
    project = find(tx, which)
    if project is None:
        if not which.isdigit():
            raise NotFound(
                f"there is no project {which!r}", hint="`smart-sync projects list` shows ids, names and gids"
            )
        _remember_ignored(tx, "", which, None, now)
        return f"the tab with gid {which}"
    if project.worksheet_id is not None:
        _remember_ignored(tx, project.spreadsheet or "", project.worksheet_id, project.worksheet_title, now)
    update(tx, project.id, {"removed_at": now, "updated_at": now, "revision": project.revision + 1})
    return project.name


def _remember_ignored(tx: sa.Connection, spreadsheet: str, gid: str, title: str | None, now: datetime) -> None:
    row = {"spreadsheet": spreadsheet, "worksheet_id": gid, "title": title, "ignored_at": now}
    tx.execute(insert_for(tx, ignored_tabs).values(row).on_conflict_do_nothing())


def restore(tx: sa.Connection, which: str) -> str:
    """Take an ignored tab, and its project, back. Answers its name.

    Raises: NotFound; Invalid when several projects have the name.
    """
    project = find(tx, which, removed=True)
    same = ignored_tabs.c.worksheet_id == (project.worksheet_id if project else which)
    if project is not None:
        same &= ignored_tabs.c.spreadsheet == (project.spreadsheet or "")
    gone = counted(tx, ignored_tabs.delete().where(same))
    if project is not None and (gone or project.removed_at is not None):
        update(tx, project.id, {"removed_at": None, "revision": project.revision + 1})
        return project.name
    if not gone:
        raise NotFound(f"nothing called {which!r} is ignored", hint="`smart-sync projects list` shows what is")
    return f"the tab with gid {which}"


def find(tx: sa.Connection, which: str, *, removed: bool = False) -> Project | None:
    """The project with this id, gid or name; where several have it, the one that is removed or not, as asked for.

    Raises: Invalid when that still leaves several.
    """
    for column in (projects.c.id, projects.c.worksheet_id, projects.c.name):
        found = [Project(*row) for row in tx.execute(_SELECT.where(column == which))]
        wanted = [project for project in found if (project.removed_at is not None) == removed] or found
        if len(wanted) > 1:
            raise Invalid(f"{len(wanted)} projects are called {which!r}", hint="name it by its id")
        if wanted:
            return wanted[0]
    return None


@dataclass(frozen=True)
class SpreadsheetState:
    """What a spreadsheet last said. `since`: when it came into this state; `checked_at`: when it was last asked."""

    key: str
    title: str | None
    locale: str | None
    state: Literal["ok", "degraded", "failed"]
    since: datetime | None
    code: str | None
    message: str | None
    checked_at: datetime | None


def spreadsheet_states(tx: sa.Connection) -> list[SpreadsheetState]:
    columns = [spreadsheets.c[name] for name in SpreadsheetState.__dataclass_fields__]
    return [SpreadsheetState(*row) for row in tx.execute(sa.select(*columns).order_by(spreadsheets.c.key))]


def put_spreadsheet(tx: sa.Connection, seen: SpreadsheetState) -> None:
    """Keep what a spreadsheet said; `since` stays while its state does, title and locale while it says none."""
    statement = insert_for(tx, spreadsheets).values(**seen.__dict__)
    new = statement.excluded
    kept = sa.case((spreadsheets.c.state == new.state, spreadsheets.c.since), else_=new.since)
    statement = statement.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "title": sa.func.coalesce(new.title, spreadsheets.c.title),
            "locale": sa.func.coalesce(new.locale, spreadsheets.c.locale),
            "state": new.state,
            "since": kept,
            "code": new.code,
            "message": new.message,
            "checked_at": new.checked_at,
        },
    )
    tx.execute(statement)
