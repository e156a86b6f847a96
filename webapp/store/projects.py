"""Projects: one worksheet each; whose they are, how they are synced, what was last read of them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from itertools import starmap
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from webapp.errors import Invalid, NotFound
from webapp.model import Metric, Policy
from webapp.store import spreadsheets
from webapp.store.backends.dialect import counted, insert_for, insert_into
from webapp.store.statement import Ready, bind_ids, chunks, new_values, texts_in, values_of
from webapp.store.tables import PROJECT_THERE, projects, sync_run_projects

DEFAULT_LIMIT = 100

Status = Literal["active", "paused", "finished"]
TOUCHED = ("checked_at", "changed_at", "updated_at", "created_at")  # one of these moves with whatever is written


@dataclass(frozen=True)
class Project:
    """One row of `projects`. Times are aware UTC; None: never. spreadsheet None: the default one.

    name_set: a renamed tab does not rename it. settled: the stored counts are the merge of the stored observations.
    rows_seen: the `sheet_seen` for which `tab_rows` holds. weekly_until: up to which day only what each week ends with
    is kept.
    """

    id: str
    name: str
    name_set: bool = False
    status: Status = "active"
    spreadsheet: str | None = None
    worksheet_id: str | None = None
    worksheet_title: str | None = None
    sheet_seen: str | None = None
    rows_seen: str | None = None
    sheet_bytes: int | None = None
    sheet_columns: Mapping[Metric, str] | None = None
    sheet_report: Mapping[str, Any] | None = None
    settled: bool = False
    merge_policy: Policy = "max"
    auto_sync: bool = True
    interval_minutes: int | None = None
    cron: str | None = None
    timezone: str | None = None
    min_interval_minutes: int = 0
    next_sync_at: datetime | None = None
    anchor_at: datetime | None = None
    failures: int = 0
    last_error: str | None = None
    checked_at: datetime | None = None
    synced_at: datetime | None = None
    changed_at: datetime | None = None
    as_of: datetime | None = None
    degraded_since: datetime | None = None
    snapshot_day: date | None = None
    weekly_until: date | None = None
    revision: int = 0
    target_views: int | None = None
    start_date: date | None = None
    end_date: date | None = None
    removed_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def knows_rows(self) -> bool:
        """Whether what is remembered of the rows of its tab still holds."""
        return self.rows_seen is not None and self.rows_seen == self.sheet_seen

    @property
    def problems(self) -> Sequence[Mapping[str, Any]]:
        """What its last sync found to mend."""
        report = (self.sheet_report or {}).get("final") or {}
        found: Sequence[Mapping[str, Any]] = report.get("problems", ())
        return found

    @property
    def tab_title(self) -> str:
        """What its tab is called, as far as anybody knows."""
        return self.worksheet_title or self.name

    def turn(self, now: datetime) -> datetime | None:
        """When it is to be synced by itself: past, its time has come; None: it is not synced by itself now."""
        if self.removed_at is not None or self.status != "active" or not self.auto_sync:
            return None
        return self.next_sync_at or self.created_at or now

    @property
    def touched_at(self) -> datetime | None:
        """The last time anything of the project was written."""
        return max(filter(None, (getattr(self, name) for name in TOUCHED)), default=None)


_COLUMNS = [projects.c[name] for name in Project.__dataclass_fields__]
_SELECT = sa.select(*_COLUMNS)
_by_id = Ready(lambda _: _SELECT.where(projects.c.id == sa.bindparam("project_id")))
_locked = Ready(  # in one order, so that nobody waits in a circle
    lambda _: (
        _SELECT.where(projects.c.id.op("IN")(texts_in(sa.bindparam("project_ids"))))
        .order_by(projects.c.id)
        .with_for_update()
    )
)
LIVE = (projects.c.status == "active") & PROJECT_THERE
WAITING = (projects.c.checked_at.is_not(None), projects.c.checked_at, projects.c.created_at, projects.c.id)


# Single projects


def by_id(tx: sa.Connection, project_id: str) -> Project | None:
    """The project, removed or not."""
    if "\x00" in project_id:  # PostgreSQL does not even compare with it
        return None
    row = _by_id.first(tx, project_id=project_id)
    return None if row is None else Project(*row)


def lock_all(tx: sa.Connection, project_ids: Collection[str]) -> dict[str, Project]:
    """{id: project}, and on PostgreSQL their row locks: whoever writes a project's numbers begins here."""
    rows = _locked.rows(tx, project_ids=bind_ids(tx, sorted(project_ids)))
    return {project.id: project for project in starmap(Project, rows)}


def missing(which: str, hint: str | None = None) -> NotFound:
    return NotFound(f"there is no project {which[:100]!r}", code="project_not_found", hint=hint)


def get(tx: sa.Connection, project_id: str) -> Project:
    """The project, removed or not.

    Raises: NotFound.
    """
    project = by_id(tx, project_id)
    if project is None:
        raise missing(project_id)
    return project


def present_project(project: Project) -> Project:
    """The project, if it was not removed.

    Raises: NotFound.
    """
    if project.removed_at is not None:
        words = f"{project.name} is ignored, because it was removed"
        raise NotFound(words, code="project_not_found", hint="restore it first")
    return project


def lock(tx: sa.Connection, project_id: str) -> Project:
    """The project, removed or not, and its lock: whoever changes a project begins here.

    Raises: NotFound.
    """
    project = None if "\x00" in project_id else lock_all(tx, [project_id]).get(project_id)
    if project is None:
        raise missing(project_id)
    return project


def of_tab(tx: sa.Connection, spreadsheet: str | None, worksheet_id: str) -> Project | None:
    """The project that a tab belongs to, removed or not."""
    row = _of_tab.first(tx, spreadsheet=spreadsheet or "", worksheet_id=worksheet_id)
    return None if row is None else Project(*row)


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


# Lists


def active(tx: sa.Connection) -> list[Project]:
    """All projects that are active, longest-waiting first."""
    return listed(tx, LIVE, order_by=WAITING)


def wanted(tx: sa.Connection, *, all_: bool = False) -> list[Project]:
    """Those of them that nobody has taken out of a sync of everything, or all of them; longest-waiting first."""
    return [*starmap(Project, _wanted(all_).rows(tx))]


@cache
def _wanted(all_: bool) -> Ready:
    return Ready(lambda _: _SELECT.where(LIVE if all_ else LIVE & projects.c.auto_sync).order_by(*WAITING))


def left_out(tx: sa.Connection, *, all_: bool = False) -> list[Project]:
    """The projects that a sync of everything leaves out: paused, or with their switch off unless `all_` are meant."""
    return [*starmap(Project, _left_out(all_).rows(tx))]


@cache
def _left_out(all_: bool) -> Ready:
    paused = (projects.c.status == "paused") & PROJECT_THERE
    meant = paused if all_ else paused | (LIVE & ~projects.c.auto_sync)
    return Ready(lambda _: _SELECT.where(meant).order_by(*WAITING))


def still_failing(tx: sa.Connection) -> list[tuple[str, str]]:
    """(name, why) of the projects that are synced by themselves and were not when they last came to it, by name."""
    results = sync_run_projects
    last = (
        sa.select(results.c.success)
        .where(results.c.project_id == projects.c.id, results.c.skipped.is_(None))
        .order_by(results.c.finished_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = sa.select(projects.c.name, projects.c.last_error).where(
        LIVE, projects.c.auto_sync, projects.c.failures > 0, ~last
    )
    return [(row[0], row[1] or "see the log") for row in tx.execute(statement.order_by(projects.c.name))]


def listed(tx: sa.Connection, *where: sa.ColumnElement[bool], order_by: Sequence[Any]) -> list[Project]:
    """The projects of which all that is true, in that order."""
    return [Project(*row) for row in tx.execute(_SELECT.where(*where).order_by(*order_by))]


def bound_tabs(tx: sa.Connection, spreadsheet: str | None) -> dict[str, Project]:
    """{worksheet id: project} of one spreadsheet, whatever the projects' status: these tabs are taken."""
    rows = _bound.rows(tx, spreadsheet=spreadsheet or "")
    return {str(project.worksheet_id): project for project in starmap(Project, rows)}


# As `uq_projects_tab` has it, which finds them.
_SAME = sa.func.coalesce(projects.c.spreadsheet, sa.literal_column("''")) == sa.bindparam("spreadsheet")
_bound = Ready(lambda _: _SELECT.where(_SAME, projects.c.worksheet_id.is_not(None)))
_of_tab = Ready(lambda _: _SELECT.where(_SAME, projects.c.worksheet_id == sa.bindparam("worksheet_id")))
_unbound = Ready(lambda _: _SELECT.where(_SAME, projects.c.worksheet_id.is_(None), PROJECT_THERE))


def unbound(tx: sa.Connection, spreadsheet: str | None) -> list[Project]:
    """Projects made over the API that have no tab yet and may take one of this spreadsheet by name."""
    return [*starmap(Project, _unbound.rows(tx, spreadsheet=spreadsheet or ""))]


def all_listed(tx: sa.Connection) -> list[Project]:
    """All projects for a list, removed ones last."""
    return listed(tx, order_by=(projects.c.removed_at.is_not(None), projects.c.name, projects.c.id))


def names(tx: sa.Connection) -> dict[str, str]:
    """{project id: its name}, of removed ones too."""
    return {row[0]: row[1] for row in tx.execute(sa.select(projects.c.id, projects.c.name))}


# Changes


class NewProject(NamedTuple):
    """A tab that becomes a project."""

    name: str
    worksheet_id: str
    title: str


def create(tx: sa.Connection, tabs: Sequence[NewProject], now: datetime, *, spreadsheet: str | None) -> list[Project]:
    """Projects for tabs of a spreadsheet, the first one made first, without those that another run has just made."""
    ids = [str(uuid.uuid4()) for _ in tabs]
    rows = [
        {
            "id": id_,
            "name": tab.name,
            "spreadsheet": spreadsheet,
            "worksheet_id": tab.worksheet_id,
            "worksheet_title": tab.title,
            "created_at": now + timedelta(microseconds=place),
            "updated_at": now,
        }
        for place, (id_, tab) in enumerate(zip(ids, tabs, strict=True))
    ]
    _create.run_all(tx, rows)
    found = lock_all(tx, ids)
    return [found[id_] for id_ in ids if id_ in found]


def _build_create(dialect: str) -> Any:
    names = ("id", "name", "spreadsheet", "worksheet_id", "worksheet_title", "created_at", "updated_at")
    return insert_into(dialect, projects).values(values_of(projects, names)).on_conflict_do_nothing()


_create = Ready(_build_create)


def bind(tx: sa.Connection, project_id: str, worksheet_id: str, title: str, now: datetime) -> None:
    """Give a project its tab."""
    update(tx, project_id, {"worksheet_id": worksheet_id, "worksheet_title": title, "updated_at": now})


def update(tx: sa.Connection, project_id: str, values: Mapping[str, Any]) -> None:
    update_all(tx, {project_id: values})


def update_all(tx: sa.Connection, changed: Mapping[str, Mapping[str, Any]]) -> None:
    """New values: {project id: {column: value}}. One statement for all projects with values of the same columns."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for project_id, values in changed.items():
        row = {f"new_{name}": value for name, value in values.items()}
        alike.setdefault(tuple(sorted(values)), []).append(row | {"of_project": project_id})
    for names, rows in alike.items():
        _update(names).run_all(tx, rows)


@lru_cache(maxsize=64)
def _update(names: tuple[str, ...]) -> Ready:
    mine = projects.c.id == sa.bindparam("of_project")
    return Ready(lambda _: projects.update().where(mine).values(new_values(projects, names)))


def touch(tx: sa.Connection, project_ids: Collection[str], *, merge: bool = False, read: bool = False) -> None:
    """What a read answers has changed. merge: the next sync merges again; read: it reads an unchanged tab again too."""
    values: dict[str, Any] = {"revision": projects.c.revision + 1, "snapshot_day": None, "rows_seen": None}
    if merge or read:
        values["settled"] = False
    if read:
        values["sheet_seen"] = None
    for part in chunks(sorted(project_ids)):
        tx.execute(projects.update().where(projects.c.id.in_(part)).values(values))


def read_otherwise(tx: sa.Connection, project_ids: Collection[str]) -> None:
    """What explains their numbers reads otherwise."""
    for project_id in lock_all(tx, project_ids) if project_ids else ():
        tx.execute(projects.update().where(projects.c.id == project_id).values(revision=projects.c.revision + 1))


def changes(row: object, values: Mapping[str, Any]) -> dict[str, Any]:
    """Of the values those that a row does not have yet."""
    return {name: value for name, value in values.items() if getattr(row, name) != value}


def add(tx: sa.Connection, values: Mapping[str, Any], now: datetime) -> Project | None:
    """A new project, with its name set by hand; None when another has just taken its tab."""
    row = {"id": str(uuid.uuid4()), "name_set": True, **values, "created_at": now, "updated_at": now}
    if not counted(tx, insert_for(tx, projects).values(row).on_conflict_do_nothing()):
        return None
    added = lock(tx, row["id"])
    _take_tab_back(tx, added)
    return added


def _take_tab_back(tx: sa.Connection, project: Project) -> None:
    if project.worksheet_id is not None:
        spreadsheets.stop_ignoring(tx, project.worksheet_id, project.spreadsheet)


def change(tx: sa.Connection, project: Project, values: Mapping[str, Any], now: datetime) -> Project:
    after = changes(project, values)
    if not after:
        return project
    tx.execute(projects.update().where(projects.c.id == project.id).values(**after, updated_at=now))
    touch(tx, [project.id], merge="merge_policy" in after)
    return lock(tx, project.id)


def remove(tx: sa.Connection, project: Project, now: datetime) -> Project:
    """No longer synced, and not found again in its tab; everything that is stored of it stays."""
    if project.removed_at is not None:
        return project
    if project.worksheet_id is not None:
        spreadsheets.ignore(tx, project.spreadsheet, project.worksheet_id, project.worksheet_title, now)
    return change(tx, project, {"removed_at": now}, now)


def restore(tx: sa.Connection, project: Project, now: datetime) -> Project:
    """As if it had never been removed."""
    _take_tab_back(tx, project)
    return change(tx, project, {"removed_at": None}, now)
