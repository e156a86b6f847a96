"""Projects with their totals and their freshness: a home page is one request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from flask import Response

from webapp import web
from webapp.api.http.answering import by_bytes, remembered
from webapp.api.http.asking import FieldsQuery, no_project
from webapp.api.http.routes import Answer, NoQuery, Route, as_csv
from webapp.api.http.tables import as_json, table
from webapp.api.shapes.counts import Growth, growth_24h
from webapp.api.shapes.projects import ProjectList, ProjectOut
from webapp.clock import Clock
from webapp.config import Settings
from webapp.model import UNKNOWN, Counts, Values
from webapp.rules.freshness import is_stale
from webapp.rules.growth import day_growth, percent_of, total
from webapp.store.db import Database
from webapp.store.heads import all_heads, head_of
from webapp.store.projects import Project as Head
from webapp.store.standing import Grown, grown
from webapp.store.types import as_moment, as_text


class ProjectSums(msgspec.Struct, array_like=True):
    """A project's accounts together."""

    profiles: int
    counts: Values
    growth: Growth | None


NOBODY = ProjectSums(0, UNKNOWN, None)


def list_projects(asked: FieldsQuery) -> Response:
    """All projects with totals, progress, growth and freshness, by name.

    Removed projects are left out. The tag covers the bytes, because freshness changes with time.
    """
    with web.get(Database).read() as tx:
        heads = all_heads(tx)
        sums = remembered(_state(heads), lambda: _sums(heads, grown(tx, "all", None)))
    rows = _shown(heads, sums)
    return by_bytes(table(ProjectOut, "projects", rows, asked, file="projects"))


def get_project(_: NoQuery, project_id: str) -> Response:
    """One project with totals, progress, growth and freshness."""
    with web.get(Database).read() as tx:
        head = head_of(tx, project_id)
        if head is None:
            raise no_project(project_id)
        sums = remembered(_state([head]), lambda: _sums([head], grown(tx, "project", head.id)))
    return by_bytes(as_json(_shown([head], sums)[0]))


def _state(heads: Sequence[Head]) -> tuple[Any, ...]:
    """What the sums depend on."""
    return "sums", *((head.id, head.revision, head.changed_at, head.synced_at) for head in heads)


def _sums(heads: Sequence[Head], rows: Iterable[Grown]) -> bytes:
    """{project id: what its accounts come to}"""
    as_of = {head.id: head.as_of for head in heads}
    counts: dict[str, list[Values]] = {}
    growths: dict[str, list[Values]] = {}
    for account, points in rows:
        mine = account.project_id
        counts.setdefault(mine, []).append(account.counts)
        growths.setdefault(mine, []).append(day_growth(account.counts, points, as_of[mine]))
    known = [head for head in heads if head.id in counts]
    return msgspec.json.encode(
        {
            head.id: ProjectSums(len(counts[head.id]), total(counts[head.id]), growth_24h(head, growths[head.id]))
            for head in known
        }
    )


_sums_decoder = msgspec.json.Decoder(dict[str, ProjectSums])


def _shown(heads: Sequence[Head], kept: bytes) -> list[ProjectOut]:
    sums = _sums_decoder.decode(kept)
    now, stale_after = web.get(Clock).now(), web.get(Settings).stale_after
    return [_project(head, sums.get(head.id, NOBODY), now, stale_after) for head in heads]


def _project(head: Head, sums: ProjectSums, now: datetime, stale_after: int) -> ProjectOut:
    percent, capped = progress(Counts._make(sums.counts).views, head.target_views)
    return ProjectOut(
        id=head.id,
        name=head.name,
        status=head.status,
        total_profiles=sums.profiles,
        totals=sums.counts,
        target_views=head.target_views,
        progress_percent=percent,
        progress_capped=capped,
        growth_24h=sums.growth,
        start_date=str(head.start_date) if head.start_date else None,
        end_date=str(head.end_date) if head.end_date else None,
        checked_at=as_text(head.checked_at),
        synced_at=as_text(head.synced_at),
        changed_at=as_text(head.changed_at),
        next_sync_at=as_text(head.next_sync_at),
        degraded_since=as_text(head.degraded_since),
        stale=head.status != "finished"
        and is_stale(as_moment(head.synced_at), stale_after, head.interval_minutes, now),
        worksheet_title=head.worksheet_title,
        merge_policy=head.merge_policy,
        revision=head.revision,
        created_at=as_text(head.created_at),
        updated_at=as_text(head.updated_at),
    )


def progress(views: int | None, target: int | None) -> tuple[float | None, float | None]:
    """Percent of the target, and the same capped at 100; nothing without views or a target above 0."""
    percent = percent_of(views, target)
    if percent is None:
        return None, None
    percent = round(percent, 2)
    return percent, min(percent, 100.0)


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
