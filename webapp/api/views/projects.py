"""Projects with their totals and their freshness: a home page is one request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from flask import Response

from webapp import web
from webapp.api.http.answering import answer_by_bytes, remember
from webapp.api.http.asking import FieldsQuery
from webapp.api.http.routes import Answer, NoQuery, Route, as_csv
from webapp.api.http.tables import json_content, lines_content
from webapp.api.shapes.counts import GroupGrowth, growth_since
from webapp.api.shapes.projects import ProjectList, ProjectOut
from webapp.api.shapes.rows import from_row
from webapp.clock import Clock, iso
from webapp.config import Settings
from webapp.model import UNKNOWN, Counts, Values
from webapp.rules.freshness import is_project_stale
from webapp.rules.growth import progress
from webapp.rules.sorting import group_by
from webapp.store.db import Database
from webapp.store.heads import all_heads, head_of
from webapp.store.movements import Cohort, DaysBack, Present, between, together
from webapp.store.projects import Project
from webapp.store.standing import Scope


class ProjectSums(msgspec.Struct, array_like=True):
    """A project's accounts together. day, week: how they came there in the 24 hours and the 7 days up to `as_of`."""

    profiles: int
    counts: Values
    day: GroupGrowth | None
    week: GroupGrowth | None


NOBODY = ProjectSums(0, UNKNOWN, None, None)


def list_projects(asked: FieldsQuery) -> Response:
    """All projects with totals, progress, growth and freshness, by name.

    Removed projects are left out. The tag covers the bytes, because freshness changes with time.
    """
    with web.get(Database).read() as tx:
        projects = all_heads(tx)
        sums = remember(_state(projects), lambda: _sums(tx, projects, "all", None))
    rows = _projects_out(projects, sums)
    return answer_by_bytes(lines_content(ProjectList(rows), "projects", ProjectOut, asked, file="projects"))


def get_project(_: NoQuery, project_id: str) -> Response:
    """One project with totals, progress, growth and freshness."""
    with web.get(Database).read() as tx:
        project = head_of(tx, project_id)
        sums = remember(_state([project]), lambda: _sums(tx, [project], "project", project.id))
    return answer_by_bytes(json_content(_projects_out([project], sums)[0]))


def _state(projects: Sequence[Project]) -> tuple[Any, ...]:
    """What the sums depend on."""
    return "sums", *((project.id, project.revision, project.changed_at, project.as_of) for project in projects)


def _sums(tx: sa.Connection, projects: Sequence[Project], scope: Scope, of: str | None) -> bytes:
    """{project id: what its accounts come to}"""
    day, week = (
        group_by(between(tx, scope, of, DaysBack(days), Present(), apart=False), lambda one: one.project_id)
        for days in (1, 7)
    )
    return msgspec.json.encode(
        {project.id: _sum(project, day[project.id], week[project.id]) for project in projects if project.id in day}
    )


def _sum(project: Project, day: Sequence[Cohort], week: Sequence[Cohort]) -> ProjectSums:
    moved = together(day).movement
    return ProjectSums(
        sum(one.profiles for one in day),
        moved.total,
        growth_since(project, 1, moved),
        growth_since(project, 7, together(week).movement),
    )


_sums_decoder = msgspec.json.Decoder(dict[str, ProjectSums])


def _projects_out(projects: Sequence[Project], kept: bytes) -> list[ProjectOut]:
    sums = _sums_decoder.decode(kept)
    now, stale_after = web.get(Clock).now(), web.get(Settings).stale_after
    return [_project_out(project, sums.get(project.id, NOBODY), now, stale_after) for project in projects]


def _project_out(project: Project, sums: ProjectSums, now: datetime, stale_after: int) -> ProjectOut:
    percent, capped = progress(Counts._make(sums.counts).views, project.target_views)
    return from_row(
        ProjectOut,
        project,
        total_profiles=sums.profiles,
        totals=sums.counts,
        progress_percent=percent,
        progress_capped=capped,
        growth_24h=sums.day,
        growth_7d=sums.week,
        next_sync_at=iso(project.turn(now)),
        stale=is_project_stale(project, stale_after, now),
    )


TAGGED = {304: Answer(words="nothing has changed since", headers=("ETag",))}

LIST = Route(
    "list_projects",
    "projects",
    "GET",
    "/api/projects",
    list_projects,
    "read",
    query=FieldsQuery,
    answers={200: Answer(ProjectList, headers=("ETag",)), **TAGGED},
)

ROUTES = (
    LIST,
    as_csv(LIST, "export_projects"),
    Route(
        "get_project",
        "projects",
        "GET",
        "/api/projects/<project_id>",
        get_project,
        "read",
        answers={200: Answer(ProjectOut, headers=("ETag",)), **TAGGED},
        problems=("project_not_found",),
    ),
)
