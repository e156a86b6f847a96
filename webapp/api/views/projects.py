"""Projects with their totals and their freshness: a home page is one request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from flask import Response

from webapp import web
from webapp.api.http.answering import by_bytes, remembered
from webapp.api.http.asking import FieldsQuery, no_project
from webapp.api.http.routes import Answer, NoQuery, Route
from webapp.api.http.tables import as_json, table
from webapp.api.shapes.reading import DayText, Growth, Time, growth_24h, growth_of
from webapp.clock import Clock
from webapp.config import Settings
from webapp.model import UNKNOWN, Values
from webapp.rules.freshness import is_stale
from webapp.rules.growth import total
from webapp.store.db import Database
from webapp.store.heads import all_heads, head_of
from webapp.store.projects import Project as Head
from webapp.store.standing import Grown, grown
from webapp.store.types import as_moment, as_text

PERCENT = 100


class ProjectShown(msgspec.Struct):
    """One project: what its accounts come to, and how fresh that is."""

    id: str
    name: str
    status: Literal["active", "paused", "finished"]
    total_profiles: int
    total_followers: int | None
    total_likes: int | None
    total_comments: int | None
    total_videos: int | None
    total_views: int | None
    target_views: int | None
    progress_percent: Annotated[float | None, msgspec.Meta(description="of the target; null without one")]
    progress_capped: Annotated[float | None, msgspec.Meta(description="the same, at most 100")]
    growth_24h: Growth | None
    start_date: DayText | None
    end_date: DayText | None
    checked_at: Annotated[Time | None, msgspec.Meta(description="the last attempt that came to its end")]
    synced_at: Annotated[Time | None, msgspec.Meta(description="the last success")]
    changed_at: Annotated[Time | None, msgspec.Meta(description="the last time a number changed")]
    next_sync_at: Time | None
    degraded_since: Time | None
    stale: Annotated[bool, msgspec.Meta(description="too old to trust; never so for a finished project")]
    worksheet_title: str | None
    merge_policy: Literal["max", "sheet", "parsed"]
    revision: Annotated[int, msgspec.Meta(ge=0, description="counts up with every change of what reads answer")]
    created_at: Time | None
    updated_at: Time | None


class ProjectList(msgspec.Struct):
    projects: list[ProjectShown]


class Sums(msgspec.Struct, array_like=True):
    """A project's accounts together."""

    profiles: int
    counts: Values
    growth: Growth | None


NOBODY = Sums(0, UNKNOWN, None)


def list_projects(asked: FieldsQuery) -> Response:
    """All projects with totals, progress, growth and freshness, by name.

    Removed projects are left out. The tag covers the bytes, because freshness changes with time.
    """
    with web.get(Database).read() as tx:
        heads = all_heads(tx)
        sums = remembered(_state(heads), lambda: _sums(heads, grown(tx, "all", None)))
    rows = _shown(heads, sums)
    return by_bytes(table(ProjectShown, "projects", rows, asked, file="projects"))


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
        growths.setdefault(mine, []).append(growth_of(account, points, as_of[mine]))
    known = [head for head in heads if head.id in counts]
    return msgspec.json.encode(
        {
            head.id: Sums(len(counts[head.id]), total(counts[head.id]), growth_24h(head, growths[head.id]))
            for head in known
        }
    )


_sums_decoder = msgspec.json.Decoder(dict[str, Sums])


def _shown(heads: Sequence[Head], kept: bytes) -> list[ProjectShown]:
    sums = _sums_decoder.decode(kept)
    now, stale_after = web.get(Clock).now(), web.get(Settings).stale_after
    return [_project(head, sums.get(head.id, NOBODY), now, stale_after) for head in heads]


def _project(head: Head, sums: Sums, now: datetime, stale_after: int) -> ProjectShown:
    percent, capped = progress(sums.counts[-1], head.target_views)
    return ProjectShown(
        id=head.id,
        name=head.name,
        status=head.status,
        total_profiles=sums.profiles,
        total_followers=sums.counts[0],
        total_likes=sums.counts[1],
        total_comments=sums.counts[2],
        total_videos=sums.counts[3],
        total_views=sums.counts[4],
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
    if views is None or not target:
        return None, None
    percent = round(PERCENT * views / target, 2)
    return percent, min(percent, float(PERCENT))


TAGGED = {304: Answer(words="nothing has changed since", headers=("ETag",))}

ROUTES = (
    Route(
        "list_projects",
        "GET",
        "/api/projects",
        list_projects,
        "read",
        query=FieldsQuery,
        answers={200: Answer(ProjectList, headers=("ETag",), media=("text/csv",)), **TAGGED},
    ),
    Route(
        "get_project",
        "GET",
        "/api/projects/<project_id>",
        get_project,
        "read",
        answers={200: Answer(ProjectShown, headers=("ETag",)), **TAGGED},
        problems=("project_not_found",),
    ),
)
