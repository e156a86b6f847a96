"""Projects by hand: make, change, remove, restore."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
import sqlalchemy as sa
from flask import Response

from webapp import web
from webapp.api.http.problems import Problem, json_answer
from webapp.api.http.routes import NoQuery, Route
from webapp.api.views.editing import BIGGEST, Moment, edit, given, invalid, line, shown
from webapp.clock import Clock
from webapp.errors import ConfigError, NotFound
from webapp.model import Policy
from webapp.sources.sheet.open import open_sheet
from webapp.store import editing, queries
from webapp.store.editing import ProjectRow
from webapp.sync.discovery import same_title
from webapp.sync.engine import Engine

LONGEST_NAME = 200
LONGEST_TITLE = 200
LONGEST_ADDRESS = 2048

Status = Literal["active", "paused", "finished"]
Target = Annotated[int, msgspec.Meta(ge=0, le=BIGGEST)]
Minutes = Annotated[int, msgspec.Meta(ge=1, le=525_600)]
Gid = Annotated[int, msgspec.Meta(ge=0, le=BIGGEST)]


class NewProject(msgspec.Struct, forbid_unknown_fields=True):
    """A project. Its tab is `worksheet_id`, or the one that is called `worksheet_title`, or else like the project.

    spreadsheet: address or id of a configured one; the first by default.
    """

    name: str
    spreadsheet: str | None = None
    worksheet_id: str | Gid | None = None
    worksheet_title: str | None = None
    target_views: Target | None = None
    merge_policy: Policy = "max"
    status: Status = "active"
    start_date: date | None = None
    end_date: date | None = None
    interval_minutes: Minutes | None = None
    auto_sync: bool = True


class ProjectChange(msgspec.Struct, forbid_unknown_fields=True):
    """What shall be different; what is left out stays. `name` null: called like its tab again."""

    name: str | msgspec.UnsetType | None = msgspec.UNSET
    status: Status | msgspec.UnsetType = msgspec.UNSET
    merge_policy: Policy | msgspec.UnsetType = msgspec.UNSET
    target_views: Target | msgspec.UnsetType | None = msgspec.UNSET
    start_date: date | msgspec.UnsetType | None = msgspec.UNSET
    end_date: date | msgspec.UnsetType | None = msgspec.UNSET


class ProjectShown(msgspec.Struct):
    """A project as it is now. `name_set`: a renamed tab does not rename it."""

    id: str
    name: str
    name_set: bool
    status: Status
    spreadsheet: str | None
    worksheet_id: str | None
    worksheet_title: str | None
    merge_policy: Policy
    auto_sync: bool
    interval_minutes: int | None
    target_views: int | None
    start_date: date | None
    end_date: date | None
    revision: int
    created_at: Moment | None
    updated_at: Moment | None
    removed_at: Moment | None


class ProjectAnswer(msgspec.Struct):
    success: bool
    project: ProjectShown


def create_project(_: NoQuery, asked: NewProject) -> Response:
    """Make a project. The next sync reads its tab; without one it lives on readings alone."""
    values = {name: getattr(asked, name) for name in asked.__struct_fields__}
    values["name"] = line("name", asked.name, LONGEST_NAME)
    values["spreadsheet"] = _spreadsheet(asked.spreadsheet)
    if asked.worksheet_id is not None:
        values["worksheet_id"] = line("worksheet_id", str(asked.worksheet_id), LONGEST_TITLE)
    if asked.worksheet_title is not None:
        values["worksheet_title"] = line("worksheet_title", asked.worksheet_title, LONGEST_TITLE)
    _check_dates(asked.start_date, asked.end_date)
    with edit() as tx:
        _refuse_taken_name(tx, values["name"])
        _refuse_taken_tab(tx, values["spreadsheet"], values["worksheet_id"])
        project = editing.add_project(tx, values, web.get(Clock).now())
        if project is None:
            raise Problem(409, "already_exists", "another project has just taken this tab")
    return _answer(project, 201)


def update_project(_: NoQuery, asked: ProjectChange, project_id: str) -> Response:
    """Rename a project, pause or finish it, change its policy, target or dates. The Sheet is not touched."""
    values = given(asked)
    with edit() as tx:
        project = _present(editing.locked_project(tx, project_id))
        if "name" in values:
            values |= _renamed(tx, project, values["name"])
        _check_dates(values.get("start_date", project.start_date), values.get("end_date", project.end_date))
        project = editing.change_project(tx, project, values, web.get(Clock).now())
    return _answer(project)


def delete_project(_: NoQuery, project_id: str) -> Response:
    """Stop syncing a project and forget its tab. Its history stays, and so does everything in the Sheet."""
    with edit() as tx:
        project = editing.remove_project(tx, editing.locked_project(tx, project_id), web.get(Clock).now())
    return _answer(project)


def restore_project(_: NoQuery, project_id: str) -> Response:
    """Bring a removed project back, with its tab and its history."""
    with edit() as tx:
        project = editing.locked_project(tx, project_id)
        if project.removed_at is not None:
            _refuse_taken_name(tx, project.name, but=project.id)
        project = editing.restore_project(tx, project, web.get(Clock).now())
    return _answer(project)


def _answer(project: ProjectRow, status: int = 200) -> Response:
    return json_answer(ProjectAnswer(success=True, project=ProjectShown(**shown(project))), status)


def _present(project: ProjectRow) -> ProjectRow:
    if project.removed_at is not None:
        raise NotFound(f"{project.name} was removed", code="project_not_found", hint="restore it first")
    return project


def _renamed(tx: sa.Connection, project: ProjectRow, name: str | None) -> dict[str, Any]:
    """The name set by hand, or handed back to the tab."""
    if name is None:
        return {"name": project.worksheet_title or project.name, "name_set": False}
    name = line("name", name, LONGEST_NAME)
    _refuse_taken_name(tx, name, but=project.id)
    return {"name": name, "name_set": True}


def _check_dates(start: date | None, end: date | None) -> None:
    if start is not None and end is not None and end < start:
        raise invalid("end_date", f"is before start_date, {start}")


def _refuse_taken_name(tx: sa.Connection, name: str, but: str | None = None) -> None:
    """People, and the command line, tell projects apart by their names."""
    for other in queries.project_names(tx):
        if other["removed_at"] is None and other["id"] != but and same_title(other["name"]) == same_title(name):
            raise Problem(
                409, "already_exists", f"a project is called {other['name']!r} already", project_id=other["id"]
            )


def _refuse_taken_tab(tx: sa.Connection, spreadsheet: str | None, worksheet_id: str | None) -> None:
    if worksheet_id is None:
        return
    other = editing.project_of_tab(tx, spreadsheet, worksheet_id)
    if other is not None:
        hint = "restore that project" if other.removed_at is not None else "a tab belongs to one project"
        words = f"the tab is that of the project {other.name!r}"
        raise Problem(409, "already_exists", words, project_id=other.id, hint=hint)


def _spreadsheet(text: str | None) -> str | None:
    """What a project stores of its spreadsheet: None for the default one.

    Raises: Problem 422 for one that is not configured: no sync could ever read it.
    """
    if text is None:
        return None
    key = line("spreadsheet", text, LONGEST_ADDRESS)
    if "://" in key:
        try:
            key = open_sheet(key, credentials=None, api_base=None, clock=web.get(Clock)).key
        except ConfigError:
            raise invalid("spreadsheet", "is no address of a spreadsheet") from None
    keys = [sheet.key for sheet in web.get(Engine).sheets]
    if key not in keys:
        raise invalid("spreadsheet", "is not configured", hint="add it to SMART_SYNC_SHEET")
    return None if key == keys[0] else key


ROUTES = (
    Route(
        "create_project",
        "POST",
        "/api/admin/projects",
        create_project,
        "admin",
        body=NewProject,
        answers={201: ProjectAnswer},
        problems=("already_exists",),
    ),
    Route(
        "update_project",
        "PATCH",
        "/api/admin/projects/<project_id>",
        update_project,
        "admin",
        body=ProjectChange,
        answers={200: ProjectAnswer},
        problems=("project_not_found", "already_exists"),
    ),
    Route(
        "delete_project",
        "DELETE",
        "/api/admin/projects/<project_id>",
        delete_project,
        "admin",
        answers={200: ProjectAnswer},
        problems=("project_not_found",),
    ),
    Route(
        "restore_project",
        "POST",
        "/api/admin/projects/<project_id>/restore",
        restore_project,
        "admin",
        answers={200: ProjectAnswer},
        problems=("project_not_found", "already_exists"),
    ),
)
