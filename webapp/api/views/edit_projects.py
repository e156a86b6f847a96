"""Projects by hand: make, change, remove, restore."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec
from flask import Response

from webapp.actions import projects
from webapp.api.http.desk import desk
from webapp.api.http.problems import json_answer
from webapp.api.http.routes import NoQuery, Route
from webapp.api.views.editing import Moment, given, shown
from webapp.model import LARGEST, Policy
from webapp.store.projects import Project

Status = Literal["active", "paused", "finished"]
Target = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]
Minutes = Annotated[int, msgspec.Meta(ge=1, le=525_600)]
Gid = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]


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
    return _answer(projects.create_project(desk(), msgspec.structs.asdict(asked)), 201)


def update_project(_: NoQuery, asked: ProjectChange, project_id: str) -> Response:
    """Rename a project, pause or finish it, change its policy, target or dates. The Sheet is not touched."""
    return _answer(projects.change_project(desk(), project_id, given(asked)))


def delete_project(_: NoQuery, project_id: str) -> Response:
    """Stop syncing a project and forget its tab. Its history stays, and so does everything in the Sheet."""
    return _answer(projects.remove_project(desk(), project_id))


def restore_project(_: NoQuery, project_id: str) -> Response:
    """Bring a removed project back, with its tab and its history."""
    return _answer(projects.restore_project(desk(), project_id))


def _answer(project: Project, status: int = 200) -> Response:
    return json_answer(
        ProjectAnswer(success=True, project=ProjectShown(**shown(project, ProjectShown.__struct_fields__))), status
    )


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
