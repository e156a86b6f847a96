"""What has changed: the counts in every sync, and what people corrected by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
from flask import Response

from webapp import store, web
from webapp.api.http.answering import answer_by_bytes
from webapp.api.http.problems import json_answer
from webapp.api.http.routes import Answer, Route
from webapp.api.http.tables import json_content
from webapp.api.shapes.changes import AuditList, ChangeList, account_change, audit_entry_out
from webapp.model import LARGEST, Metric
from webapp.store import audit, projects
from webapp.store.audit import AuditEntry
from webapp.store.db import Database

if TYPE_CHECKING:
    from webapp.store.changes import CountChange

Limit = Annotated[int, msgspec.Meta(ge=1, le=1000)]
Id = Annotated[int, msgspec.Meta(ge=1, le=LARGEST)]
Cursor = Annotated[int, msgspec.Meta(ge=1, le=LARGEST, description="the `next_cursor` of the page before")]
Row = TypeVar("Row", "CountChange", AuditEntry)


class ChangesQuery(msgspec.Struct):
    """Which changes."""

    account_id: Id | None = None
    metric: Metric | None = None
    cursor: Cursor | None = None
    limit: Limit = 100


class AuditQuery(msgspec.Struct):
    """Which corrections."""

    target: (
        Annotated[
            str, msgspec.Meta(min_length=1, max_length=200, description="`project:<id>`, `account:<id>` or `tab:<gid>`")
        ]
        | None
    ) = None
    cursor: Cursor | None = None
    limit: Limit = 100


def list_changes(asked: ChangesQuery, project_id: str) -> Response:
    """Which counts of a project changed when, from what to what, in which run, from which cell; newest first."""
    with web.get(Database).read() as tx:
        projects.get(tx, project_id)
        found = store.changes.of_project(
            tx,
            project_id,
            limit=asked.limit + 1,
            before=asked.cursor,
            account_id=asked.account_id,
            metric=asked.metric,
        )
    page, following = _page(found, asked.limit)
    return answer_by_bytes(json_content(ChangeList([account_change(row, asked.metric) for row in page], following)))


def list_audit(asked: AuditQuery) -> Response:
    """What was corrected by hand, newest first, with what stood there before."""
    with web.get(Database).read() as tx:
        found = audit.latest(tx, limit=asked.limit + 1, before=asked.cursor, target=asked.target)
    page, following = _page(found, asked.limit)
    return json_answer(
        AuditList([audit_entry_out(row) for row in page], following), headers={"Cache-Control": "no-store"}
    )


def _page(found: list[Row], limit: int) -> tuple[list[Row], int | None]:
    """The rows that were asked for, and where to go on when there are more."""
    page = found[:limit]
    return page, page[-1].id if len(found) > limit else None


ROUTES = (
    Route(
        "list_changes",
        "history",
        "GET",
        "/api/projects/<project_id>/changes",
        list_changes,
        "read",
        query=ChangesQuery,
        answers={200: Answer(ChangeList, headers=("ETag",)), 304: Answer(words="nothing has changed since")},
        problems=("project_not_found",),
    ),
    Route(
        "list_audit",
        "corrections",
        "GET",
        "/api/admin/audit",
        list_audit,
        "admin",
        query=AuditQuery,
        answers={200: AuditList},
    ),
)
