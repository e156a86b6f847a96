"""Projects with their totals and their freshness: a home page is one request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from flask import Response

from webapp import web
from webapp.api.http.answering import answer_by_bytes
from webapp.api.http.asking import FieldsQuery
from webapp.api.http.routes import Answer, NoQuery, Route, as_csv
from webapp.api.http.tables import json_content, lines_content
from webapp.api.shapes.counts import GroupGrowth, growth_since
from webapp.api.shapes.projects import ProjectList, ProjectOut
from webapp.api.shapes.rows import from_row
from webapp.clock import Clock, iso
from webapp.config import Settings
from webapp.model import Counts, Values
from webapp.rules.freshness import is_project_stale
from webapp.rules.growth import NO_SUMS, Sums, progress
from webapp.store.by_project import ByProject
from webapp.store.db import Database
from webapp.store.heads import all_heads, head_of
from webapp.store.movements import WHOLE, Cohort
from webapp.store.projects import Project
from webapp.store.wholes import by_project, present, since_moments


class ProjectSums(NamedTuple):
    """A project's accounts together. day, week: how they came there in the 24 hours and the 7 days up to `as_of`."""

    profiles: int
    counts: Values
    day: GroupGrowth | None
    week: GroupGrowth | None


class ProjectsMemory(ByProject[ProjectSums]):
    """The sums of each project, as of its last change."""


def list_projects(asked: FieldsQuery) -> Response:
    """All projects with totals, progress, growth and freshness, by name.

    Removed projects are left out. The tag covers the bytes, because freshness changes with time.
    """
    with web.get(Database).read() as tx:
        rows = _projects_out(tx, all_heads(tx))
    return answer_by_bytes(lines_content(ProjectList(rows), "projects", ProjectOut, asked, file="projects"))


def get_project(_: NoQuery, project_id: str) -> Response:
    """One project with totals, progress, growth and freshness."""
    with web.get(Database).read() as tx:
        (row,) = _projects_out(tx, [head_of(tx, project_id)])
    return answer_by_bytes(json_content(row))


def _sums(tx: sa.Connection, projects: Sequence[Project]) -> dict[str, ProjectSums]:
    """{project id: what its accounts come to}"""
    ids = [one.id for one in projects]
    there = {one.project_id: one for one in present(tx, ids, by=WHOLE)}
    day, week = since_moments(tx, ids, (1, 7), by_project(there.values()))
    return {
        one.id: _sum(one, there.get(one.id), *(side.get(one.id, NO_SUMS) for side in (day, week))) for one in projects
    }


def _sum(project: Project, there: Cohort | None, day: Sums, week: Sums) -> ProjectSums:
    moved = day.movement
    return ProjectSums(
        there.profiles if there else 0,
        moved.total,
        growth_since(project, 1, moved),
        growth_since(project, 7, week.movement),
    )


def _projects_out(tx: sa.Connection, projects: Sequence[Project]) -> list[ProjectOut]:
    sums = web.get(ProjectsMemory).of(projects, web.get(Database).generation, lambda some: _sums(tx, some))
    now, stale_after = web.get(Clock).now(), web.get(Settings).stale_after
    return [_project_out(project, sums[project.id], now, stale_after) for project in projects]


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
