"""Driving a sync: the address that every cron knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated

import msgspec
from flask import Response, request
from werkzeug.exceptions import MethodNotAllowed

from webapp import actions, web
from webapp.actions import How, Trigger
from webapp.api.http.desk import desk
from webapp.api.http.problems import RETRY_AFTER_S, HttpProblem, json_answer
from webapp.api.http.routes import Answer, Route
from webapp.api.shapes.fields import Identifier, says
from webapp.api.shapes.runs import RunReport, run_report, shorter_reports
from webapp.clock import Clock, as_utc
from webapp.errors import StoreError
from webapp.rules.outcomes import status_of
from webapp.store import runs
from webapp.store.db import Database
from webapp.store.runs import Run

if TYPE_CHECKING:
    from webapp.actions.trigger import RunOutcome

BODY_LIMIT = 60_000  # some callers close the connection on more than 64 KB
KEY_LENGTH = 255
REPEATED_WITHIN = timedelta(hours=1)  # an attempt may take 30 minutes, and then some time passes until the next
CLOCKS_DIFFER = timedelta(seconds=5)


class SmartSyncQuery(msgspec.Struct, rename={"run_async": "async"}):
    """What a trigger may say. Times in seconds."""

    project_id: Annotated[Identifier | None, says("only this project, paused or not")] = None
    due: Annotated[bool, says("only what is due")] = False
    all: Annotated[bool, says("also projects whose automatic sync is off")] = False
    force: Annotated[bool, says("parse unchanged tabs again, and accept a tab that shrank")] = False
    dry_run: Annotated[bool, says("show what would change and write nothing")] = False
    budget: (
        Annotated[float, msgspec.Meta(gt=0, le=86_400, description="seconds the run may take; 120 by default")] | None
    ) = None
    run_async: Annotated[bool, says("answer 202 at once and go on without the caller, for 600 seconds at most")] = False
    summary: Annotated[bool, says("leave the results out: under 1 KB")] = False
    strict: Annotated[bool, says("502 when anything failed, so that `curl --fail` notices")] = False


def smart_sync(asked: SmartSyncQuery) -> Response:
    """Sync the active projects whose automatic sync is on, the due ones, or one.

    Those that are left out are listed as skipped. Answers when the run has ended, or at once (202) when it goes on without the caller:
    because that was asked for, or because workers of Celery work it off (SMART_SYNC_MODE=celery).
    """
    preferred = "respond-async" in request.headers.get("Prefer", "").lower()
    later = asked.run_async or (preferred and not asked.dry_run)  # a preference may be left unheeded
    trigger = Trigger(
        caller="background" if later else "http",
        project_id=asked.project_id,
        due=asked.due,
        all=asked.all,
        force=asked.force,
        dry_run=asked.dry_run,
        budget_s=asked.budget,
        idempotency_key=_idempotency_key(),
    )
    if later and trigger.dry_run:
        raise HttpProblem(422, "invalid_parameter", "a dry run is answered at once; leave async out", field="async")
    told = desk().queue is not None and not trigger.dry_run
    started = actions.trigger.start_sync(desk(), trigger, later=later or told)
    if told:  # before it is answered, since it may not get there
        actions.trigger.go_on(desk(), started, trigger)
    elif started.how == "fresh" and not later:
        return _answer(actions.trigger.finish_run(desk(), started.run, trigger, summary=asked.summary), asked)
    try:
        return _answer(
            actions.trigger.outcome_of(desk(), started.run.id, summary=asked.summary), asked, how=started.how
        )
    finally:
        if not told:  # only now, or a short run would have ended before it is answered with 202
            actions.trigger.go_on(desk(), started, trigger)


def get_smart_sync(asked: SmartSyncQuery) -> Response:
    """Sync, for callers that send nothing but GET.

    As POST does it, with the same token; only where SMART_SYNC_ALLOW_GET_TRIGGER is set.
    """
    if request.method == "HEAD":  # comes with every GET route, and must not start anything
        raise MethodNotAllowed(["GET", "POST"])
    if "Authorization" not in request.headers:  # a session's cookie comes along with any link
        words = "GET starts a sync only with the admin token itself, in the header `Authorization: Bearer <token>`"
        raise HttpProblem(401, "unauthorized", words, headers={"WWW-Authenticate": 'Bearer realm="smart-sync"'})
    return smart_sync(asked)


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return _delivery_key()
    key = key.strip().strip('"')
    if not key or len(key) > KEY_LENGTH or not key.isascii() or not key.isprintable():
        raise HttpProblem(
            422,
            "invalid_parameter",
            f"Idempotency-Key has to be 1 to {KEY_LENGTH} printable ASCII characters",
            field="Idempotency-Key",
        )
    return key


def _delivery_key() -> str | None:
    """What stands for one delivery of Cloud Scheduler, so that its repetition joins the run of the first.

    None for a run that somebody forced, which carries the time of the delivery still to come, and for a repetition
    after a failure, which is meant to try again.
    """
    job, at = (request.headers.get(f"X-CloudScheduler-{name}", "") for name in ("JobName", "ScheduleTime"))
    now = web.get(Clock).now()
    try:
        ahead = as_utc(datetime.fromisoformat(at)) - now
    except (ValueError, OverflowError):
        return None
    if not job or not -REPEATED_WITHIN <= ahead <= CLOCKS_DIFFER:
        return None
    delivery = "\n".join([job, at, request.query_string.decode("ascii")])
    key = f"cloud-scheduler-{sha256(delivery.encode()).hexdigest()}"
    with web.get(Database).read() as tx:
        found = runs.by_key(tx, key, now)
    return None if found is not None and found[0].state in ("failed", "cancelled", "abandoned") else key


def _answer(found: RunOutcome, asked: SmartSyncQuery, *, how: How = "fresh") -> Response:
    """The run as it stands, with the status that tells a cron what to do next."""
    report = run_report(found.run, found.results, changes=found.changes, how=how)
    status = 503 if isinstance(found.failed, StoreError) else status_of(found.run, strict=asked.strict)
    return _cut_to_fit(report, status, _headers(found.run, status))


def _headers(run: Run, status: int) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if status in (202, 503):
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if status == 202:  # noqa: PLR2004
        headers["Location"] = f"/api/admin/runs/{run.id}"
    return headers


def _cut_to_fit(report: RunReport, status: int, headers: dict[str, str]) -> Response:
    """The answer, cut down until it fits: what is left out stands behind the run."""
    tries = (json_answer(short, status, headers) for short in shorter_reports(report))
    response = next(tries)
    while len(response.get_data()) > BODY_LIMIT and (shorter := next(tries, None)) is not None:
        response = shorter
    return response


TRIGGER = Route(
    "smart_sync",
    "sync",
    "POST",
    "/api/admin/smart_sync",
    smart_sync,
    "admin",
    query=SmartSyncQuery,
    headers=["Idempotency-Key", "Prefer"],
    answers={
        200: Answer(RunReport, "the run has ended; `success` is false when part of it failed"),
        202: Answer(RunReport, "the run goes on without the caller", headers=["Location", "Retry-After"]),
        502: Answer(RunReport, "every project failed, or with `strict` any of them"),
        503: Answer(RunReport, "the run was cut short", headers=["Retry-After"]),
    },
    problems=["project_not_found", "idempotency_key_reused", "shutting_down", "queue_unavailable"],
)

# On the app only where a setting asks for it.
GET_TRIGGER = replace(TRIGGER, name="get_smart_sync", method="GET", view=get_smart_sync)

ROUTES = (TRIGGER,)
