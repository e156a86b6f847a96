"""The pages of runs: the log, newest first, and one run with every project's outcome."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask import Response, request

from webapp import web
from webapp.clock import as_utc
from webapp.config import Settings
from webapp.dashboard.problems import problem_groups
from webapp.dashboard.questions import links
from webapp.dashboard.rendering import page
from webapp.store import runs
from webapp.store.db import Database
from webapp.store.heads import all_heads
from webapp.store.runs import Run

RUNS = 50


def live_run(tx: sa.Connection) -> Run | None:
    """The run that is at work now, the oldest of several."""
    found = runs.live_runs(tx, web.get(Settings).lease_ms)
    return found[0] if found else None


def latest_run(tx: sa.Connection) -> Run | None:
    """The latest run that had something to do, at work or not."""
    found = runs.latest(tx, limit=1, idle=False)
    return found[0] if found else None


def run_list() -> Response:
    """The log of runs, newest first."""
    before, project_id = request.args.get("before"), request.args.get("project_id") or None
    with web.get(Database).read() as tx:
        found = runs.latest(tx, limit=RUNS + 1, before=_moment(before), project_id=project_id, idle=False)
    shown = found[:RUNS]
    return page("runs.html", runs=shown, more=shown[-1].started_at if len(found) > RUNS else None, **links())


def _moment(text: str | None) -> datetime | None:
    try:
        return as_utc(datetime.fromisoformat(text)) if text else None
    except (ValueError, OverflowError):
        return None


def run(run_id: str) -> Response:
    """One run: every project's outcome and problems."""
    with web.get(Database).read() as tx:
        found, results = runs.get(tx, run_id), runs.results_of(tx, run_id)
        heads = {one.id: one for one in all_heads(tx)}
    groups = {one.project_id: problem_groups(heads.get(one.project_id), one.problems) for one in results}
    return page("run.html", run=found, results=results, groups=groups, live=found if found.live else None)
