"""The log of runs, to read and to poll."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from flask import Response

from webapp import web
from webapp.api.http.answering import answer_by_bytes
from webapp.api.http.problems import json_answer
from webapp.api.http.routes import Answer, NoQuery, Route
from webapp.api.http.tables import json_content
from webapp.api.shapes.fields import Identifier, says
from webapp.api.shapes.runs import RunDetail, RunList, run_detail, run_out
from webapp.clock import iso
from webapp.store import runs
from webapp.store.db import Database


class RunsQuery(msgspec.Struct):
    limit: Annotated[int, msgspec.Meta(ge=1, le=200, description="runs at most")] = 30
    before: Annotated[datetime, msgspec.Meta(tz=True, description="only runs that started earlier")] | None = None
    project_id: Annotated[Identifier | None, says("only runs that had this project")] = None


def list_runs(asked: RunsQuery) -> Response:
    """The latest runs, newest first; `before` goes on from the `started_at` of the last one."""
    with web.get(Database).read() as tx:
        found = runs.latest(tx, limit=asked.limit + 1, before=asked.before, project_id=asked.project_id)
    shown = found[: asked.limit]
    more = iso(shown[-1].started_at) if len(found) > len(shown) else None
    return json_answer(RunList([run_out(run) for run in shown], more), headers={"Cache-Control": "no-store"})


def get_run(asked: NoQuery, run_id: str) -> Response:
    """One run with every project's outcome and problems; poll it with its ETag while it is running."""
    del asked
    with web.get(Database).read() as tx:
        body = run_detail(runs.get(tx, run_id), runs.results_of(tx, run_id))
    return answer_by_bytes(json_content(body))


ROUTES = (
    Route("list_runs", "sync", "GET", "/api/admin/runs", list_runs, "admin", query=RunsQuery, answers={200: RunList}),
    Route(
        "get_run",
        "sync",
        "GET",
        "/api/admin/runs/<run_id>",
        get_run,
        "admin",
        answers={
            200: Answer(RunDetail, "the run as it stands", headers=["ETag"]),
            304: Answer(words="unchanged", headers=["ETag"]),
        },
        problems=["run_not_found"],
    ),
)
