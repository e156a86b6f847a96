"""Driving a sync and asking how it stands: the two addresses every cron and operator knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from flask import Response, request

from webapp import __version__, web
from webapp.api.problems import RETRY_AFTER_S, Problem, json_answer
from webapp.api.routes import Route
from webapp.clock import Budget, Clock, iso
from webapp.config import Settings
from webapp.errors import NotFound, StoreError
from webapp.store import projects, queries, runs
from webapp.store.db import Database
from webapp.store.runs import Run
from webapp.store.storage import storage_of
from webapp.sync.background import Background
from webapp.sync.engine import Engine
from webapp.sync.plan import Change
from webapp.sync.report import problems_shown, run_report, status_of, summary
from webapp.sync.trigger import Started, Trigger

__all__ = ["ROUTES"]

BUDGET_HTTP_S = 120.0
BUDGET_BACKGROUND_S = 600.0
BODY_LIMIT = 60_000  # some callers close the connection on more than 64 KB
KEY_LENGTH = 255

Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class SmartSyncQuery(msgspec.Struct, rename={"run_async": "async"}):
    """What a trigger may say. Times in seconds."""

    project_id: Identifier | None = None
    due: bool = False
    force: bool = False
    dry_run: bool = False
    budget: Annotated[float, msgspec.Meta(gt=0, le=86_400)] | None = None
    run_async: bool = False
    summary: bool = False
    strict: bool = False


class StatusQuery(msgspec.Struct):
    project_id: Identifier | None = None


def smart_sync(asked: SmartSyncQuery) -> Response:
    """Sync all active projects, the due ones, or one.

    Answers when the run has ended, or at once (202) when it goes on without the caller.
    """
    later = asked.run_async or "respond-async" in request.headers.get("Prefer", "").lower()
    trigger = Trigger(
        caller="background" if later else "http",
        project_id=asked.project_id,
        due=asked.due,
        force=asked.force,
        dry_run=asked.dry_run,
        budget_s=asked.budget,
        idempotency_key=_idempotency_key(),
    )
    if later and trigger.dry_run:
        raise Problem(422, "invalid_parameter", "a dry run is answered at once; leave async out", field="async")
    background = web.get(Background)
    if background.stop.requested:
        raise StoreError("the service is shutting down", code="shutting_down", hint="try again in a few seconds")
    started = web.get(Engine).start(trigger)
    if started.how != "fresh":
        return _answer(started.run.id, asked, how=started.how)
    if later:
        return _in_background(started, trigger, asked)
    return _now(started, trigger, asked)


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    key = key.strip().strip('"')
    if not key or len(key) > KEY_LENGTH or not key.isascii() or not key.isprintable():
        raise Problem(
            422,
            "invalid_parameter",
            f"Idempotency-Key has to be 1 to {KEY_LENGTH} printable ASCII characters",
            field="Idempotency-Key",
        )
    return key


def _budget(trigger: Trigger) -> Budget:
    default = BUDGET_BACKGROUND_S if trigger.caller == "background" else BUDGET_HTTP_S
    seconds = trigger.budget_s or web.get(Settings).budget_s or default
    return Budget(seconds, web.get(Clock), web.get(Background).stop)


def _now(started: Started, trigger: Trigger, asked: SmartSyncQuery) -> Response:
    changes: list[Change] = []
    failed: StoreError | None = None
    try:
        for outcome in web.get(Engine).run(started.run, trigger, _budget(trigger)):
            changes.extend(outcome.changes)
    except StoreError as error:
        failed = error
    return _answer(started.run.id, asked, failed=failed, changes=changes if asked.dry_run else None)


def _in_background(started: Started, trigger: Trigger, asked: SmartSyncQuery) -> Response:
    engine, budget = web.get(Engine), _budget(trigger)

    def work() -> None:
        for _ in engine.run(started.run, trigger, budget):
            pass

    web.get(Background).submit(work, f"run-{started.run.id[:8]}")
    return _answer(started.run.id, asked)


def _answer(
    run_id: str,
    asked: SmartSyncQuery,
    *,
    how: str = "fresh",
    failed: StoreError | None = None,
    changes: Sequence[Change] | None = None,
) -> Response:
    """The run as it stands in the log, with the status that tells a cron what to do next."""
    try:
        with web.get(Database).read() as tx:
            run = runs.by_id(tx, run_id)
            results = [] if asked.summary else runs.results_of(tx, run_id)
    except StoreError as error:
        raise (failed or error) from error
    if run is None or (failed is not None and run.live):
        raise failed or NotFound(f"there is no run {run_id!r}", code="run_not_found")
    report = summary(run) if asked.summary else run_report(run, results, changes)
    if how != "fresh":
        report[how] = True
    status = 503 if failed is not None else status_of(run, strict=asked.strict)
    return _bounded(report, status, _headers(run, status))


def _headers(run: Run, status: int) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if status in (202, 503):
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if status == 202:  # noqa: PLR2004
        headers["Location"] = f"/api/admin/runs/{run.id}"
    return headers


def _bounded(report: dict[str, Any], status: int, headers: dict[str, str]) -> Response:
    """The answer, cut down until it fits: what is left out stands behind the run."""
    response = json_answer(report, status, headers)
    for problems in (3, 0):
        if len(response.get_data()) <= BODY_LIMIT or "results" not in report:
            return response
        response = json_answer(problems_shown(report, problems), status, headers)
    share = BODY_LIMIT / len(response.get_data())
    short = problems_shown(report, 0)
    short["results"] = short["results"][: int(len(short["results"]) * share * 0.9)]
    return response if len(response.get_data()) <= BODY_LIMIT else json_answer(short, status, headers)


def sync_status(asked: StatusQuery) -> Response:
    """How the service stands: what runs, what is stale, whether the sheet answers and the data is safe."""
    settings, now = web.get(Settings), web.get(Clock).now()
    with web.get(Database).read() as tx:
        if asked.project_id is not None:
            return json_answer(
                _project_status(tx, asked.project_id, settings, now), headers={"Cache-Control": "no-store"}
            )
        ttl = int(settings.lease_s * 1000)
        totals = queries.status_totals(tx, now, settings.stale_after)
        running = runs.live_runs(tx, ttl)
        last = runs.latest(tx, limit=1)
        states = projects.spreadsheet_states(tx)
    body = {
        "success": True,
        "total_projects": totals.total,
        "active_projects": totals.active,
        "cache_enabled": False,
        "timestamp": iso(now),
        "running": [summary(run) | {"phase": run.phase, "done": run.done, "total": run.total} for run in running],
        "last_run": summary(last[0]) if last else None,
        "last_success_at": iso(totals.last_success_at),
        "stale_projects": [_late(project) for project in totals.stale],
        "held_values": totals.held,
        "next_due_at": iso(totals.next_due_at),
        "sheet": _sheet(settings, states),
        "storage": storage_of(web.get(Database)),
        "version": __version__,
    }
    return json_answer(body, headers={"Cache-Control": "no-store"})


def _sheet(settings: Settings, states: Sequence[projects.SpreadsheetState]) -> dict[str, Any]:
    """The worst of the configured spreadsheets."""
    if not settings.sheets and not settings.demo:
        return {"state": "not_configured", "since": None, "message": "set SMART_SYNC_SHEET", "spreadsheets": []}
    order = ("ok", "degraded", "failed")
    worst = max(states, key=lambda state: order.index(state.state), default=None)
    shown = [
        {
            "title": state.title,
            "state": state.state,
            "since": iso(state.since),
            "code": state.code,
            "message": state.message,
            "checked_at": iso(state.checked_at),
        }
        for state in states
    ]
    return {
        "state": worst.state if worst else "not_read_yet",
        "since": iso(worst.since) if worst else None,
        "message": worst.message if worst else None,
        "spreadsheets": shown,
    }


def _late(project: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "project_id": project["id"],
        "project_name": project["name"],
        "synced_at": iso(project["synced_at"]),
        "degraded_since": iso(project["degraded_since"]),
    }


def _project_status(tx: Any, project_id: str, settings: Settings, now: Any) -> dict[str, Any]:
    project = projects.by_id(tx, project_id)
    if project is None:
        raise NotFound(f"there is no project {project_id!r}", code="project_not_found")
    stale_after = max(settings.stale_after, 2 * (project.interval_minutes or 0))
    return {
        "success": True,
        "project_id": project.id,
        "project_name": project.name,
        "status": "removed" if project.removed_at else project.status,
        "isSyncing": queries.is_syncing(tx, project.id),
        "checked_at": iso(project.checked_at),
        "synced_at": iso(project.synced_at),
        "changed_at": iso(project.changed_at),
        "next_sync_at": iso(project.next_sync_at),
        "degraded_since": iso(project.degraded_since),
        "stale": queries.is_stale(project.synced_at, stale_after, now),
        "total_accounts": projects.account_total(tx, project.id),
        "timestamp": iso(now),
    }


ROUTES = (
    Route("POST", "/api/admin/smart_sync", smart_sync, "admin", query=SmartSyncQuery),
    Route("GET", "/api/admin/sync_status", sync_status, "admin", query=StatusQuery),
)
