"""Projects by hand: make, change, remove, restore."""

from __future__ import annotations

import msgspec
from flask import Response

from webapp import actions
from webapp.api.http.desk import desk
from webapp.api.http.problems import json_answer
from webapp.api.http.routes import NoQuery, Route
from webapp.api.shapes.editing import ProjectAnswer, ProjectCreate, ProjectUpdate, project_answer
from webapp.api.views.editing import named_members


def create_project(_: NoQuery, asked: ProjectCreate) -> Response:
    """Make a project. The next sync reads its tab; without one it lives on readings alone."""
    return json_answer(project_answer(actions.projects.create_project(desk(), msgspec.structs.asdict(asked))), 201)


def update_project(_: NoQuery, asked: ProjectUpdate, project_id: str) -> Response:
    """Rename a project, give it another tab, pause or finish it, change its policy, target or dates.

    The Sheet is not touched. After another tab, the next sync reads it.
    """
    return json_answer(project_answer(actions.projects.change_project(desk(), project_id, named_members(asked))))


def delete_project(_: NoQuery, project_id: str) -> Response:
    """Stop syncing a project and forget its tab. Its history stays, and so does everything in the Sheet."""
    return json_answer(project_answer(actions.projects.remove_project(desk(), project_id)))


def restore_project(_: NoQuery, project_id: str) -> Response:
    """Bring a removed project back, with its tab and its history."""
    return json_answer(project_answer(actions.projects.restore_project(desk(), project_id)))


ROUTES = (
    Route(
        "create_project",
        "projects",
        "POST",
        "/api/admin/projects",
        create_project,
        "admin",
        body=ProjectCreate,
        answers={201: ProjectAnswer},
        problems=("already_exists",),
    ),
    Route(
        "update_project",
        "projects",
        "PATCH",
        "/api/admin/projects/<project_id>",
        update_project,
        "admin",
        body=ProjectUpdate,
        answers={200: ProjectAnswer},
        problems=("project_not_found", "already_exists"),
    ),
    Route(
        "delete_project",
        "projects",
        "DELETE",
        "/api/admin/projects/<project_id>",
        delete_project,
        "admin",
        answers={200: ProjectAnswer},
        problems=("project_not_found",),
    ),
    Route(
        "restore_project",
        "projects",
        "POST",
        "/api/admin/projects/<project_id>/restore",
        restore_project,
        "admin",
        answers={200: ProjectAnswer},
        problems=("project_not_found", "already_exists"),
    ),
)
