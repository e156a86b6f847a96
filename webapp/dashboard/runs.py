"""The pages of runs: the log, newest first, and one run with every project's outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from flask import Response, request

from webapp import web
from webapp.clock import as_utc
from webapp.config import Settings
from webapp.dashboard.problems import PROBLEMS, Place, ProblemGroup, place_of, problem_groups
from webapp.dashboard.questions import links
from webapp.dashboard.rendering import count_alerts, page
from webapp.rules.outcomes import run_label
from webapp.rules.words import seconds_words, utc
from webapp.store import changes, runs
from webapp.store.changes import CountChange
from webapp.store.db import Database
from webapp.store.heads import all_heads
from webapp.store.projects import Project
from webapp.store.runs import ProjectResult, Run

RUNS = 50
OUTCOMES = ("succeeded", "degraded", "partial", "failed", "cancelled", "abandoned")
CHANGES = 100
RESULTS = 50
TALLEST, BAR, GAP = 60, 14, 4  # of the bars: pixels


class Bar(NamedTuple):
    """How long one run took, as a bar. words: the same, said."""

    run: Run
    x: int
    height: float
    words: str


class ChangeLine(NamedTuple):
    """One count that a run changed, from its cell to the number."""

    project_id: str
    project: str
    account_id: int
    account: str
    metric: str
    old: int | None
    new: int | None
    source: str
    place: Place | None


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
    label = request.args.get("outcome") if request.args.get("outcome") in OUTCOMES else None
    with web.get(Database).read() as tx:
        found = runs.latest(tx, limit=RUNS + 1, before=_moment(before), project_id=project_id, label=label, idle=False)
        count_alerts(tx)
    shown = found[:RUNS]
    return page(
        "runs.html",
        runs=shown,
        more=shown[-1].started_at if len(found) > RUNS else None,
        bars=_bars(shown),
        width=max(1, len(shown)) * (BAR + GAP),
        tallest=TALLEST,
        outcomes=OUTCOMES,
        chosen=label,
        **links(),
    )


def _bars(shown: Sequence[Run]) -> list[Bar]:
    """How long each run took, oldest first; the longest is as tall as can be."""
    longest = max((run.seconds or 0.0 for run in shown), default=0.0) or 1.0
    return [
        Bar(
            run,
            place * (BAR + GAP),
            round(max(2.0, TALLEST * (run.seconds or 0.0) / longest), 1),
            f"{utc(run.started_at)}: {run_label(run)}, {seconds_words(run.seconds)}",
        )
        for place, run in enumerate(reversed(shown))
    ]


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
        changed = changes.of_run(tx, run_id, found.started_at, found.finished_at, limit=CHANGES + 1)
        count_alerts(tx)
    lines = [line for project_id, one in changed[:CHANGES] for line in _lines(heads.get(project_id), project_id, one)]
    return page(
        "run.html",
        run=found,
        results=results[:RESULTS],
        more=max(0, len(results) - RESULTS),
        groups=_problems(results[:RESULTS], heads),
        changes=lines,
        cut=len(changed) > CHANGES,
        live=found if found.live else None,
    )


def _problems(results: Sequence[ProjectResult], heads: Mapping[str, Project]) -> dict[str, list[ProblemGroup]]:
    """{project id: its problems by kind}, of the first projects that have any."""
    left, found = PROBLEMS, {}
    for one in results:
        if one.problems and left > 0:
            found[one.project_id] = problem_groups(heads.get(one.project_id), one.problems, left)
            left -= sum(len(group.shown) for group in found[one.project_id])
    return found


def _lines(project: Project | None, project_id: str, change: CountChange) -> Iterator[ChangeLine]:
    name = change.username or change.profile_url
    for metric, (old, new, winner, cell) in change.changes.items():
        place = place_of(project, cell)
        source = {"sheet": "the Sheet", "parsed": "the platform", "pin": "a pin", None: "nobody any more"}[winner]
        title = project.name if project is not None else "a project that was removed"
        yield ChangeLine(project_id, title, change.account_id, name, metric, old, new, source, place)
