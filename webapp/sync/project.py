"""One project: from the cells of its tab to what is written of it, in one short transaction."""

from __future__ import annotations

import logging
import time
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from webapp.errors import LostLease, OutOfTime, StoreError
from webapp.model import NOTHING
from webapp.rules.due import next_turn
from webapp.rules.freshness import is_outage_long, outage_words
from webapp.rules.history import end_of
from webapp.rules.outcomes import ProjectVerdict, judge_project
from webapp.rules.wording import unexpected
from webapp.store import changes, days, projects, runs, snapshots, spans
from webapp.store.projects import Project
from webapp.store.runs import ProjectResult
from webapp.sync.collector import pause_collector
from webapp.sync.draft import Draft, make_draft
from webapp.sync.live import LiveRun, Outcome
from webapp.sync.plan import Plan
from webapp.sync.results import failure, keep
from webapp.sync.side import SheetSide, parse_side
from webapp.sync.steps import say, say_start, steps_of
from webapp.sync.turns import Turn, pass_fence
from webapp.sync.writing import write_days, write_plan

log = logging.getLogger("smart_sync")

PROBLEMS_KEPT = 1_000
MOMENT = timedelta(microseconds=1)


class Effect(NamedTuple):
    """Accounts whose current counts changed, snapshots that were made, and those that got more or other counts."""

    updated: int
    created: int
    filled: int = 0


def sync_project(run: LiveRun, turn: Turn, side: SheetSide) -> Outcome:
    """Merge and write a project, or say why not; in a dry run only plan it.

    Raises: LostLease when the run itself was taken for dead; OutOfTime when a shutdown ended it; StoreError.
    """
    run.enter("merge")
    project = turn.project
    say_start(run, project)
    try:
        outcome = ProjectSync(run, turn, side).outcome()
    except LostLease as error:
        outcome = _record_failure(run, project, error.code, str(error))
    except StoreError as error:
        failure(run, project, error.code, str(error))
        raise
    except OutOfTime:
        raise
    except Exception as error:
        run.db.blame(error)
        log.exception("[SmartSync] a project failed", extra={"run_id": run.id, "project": project.name})
        words = unexpected(error)
        outcome = _record_failure(run, project, "internal_error", words)
        _postpone(run, project, words)
    return keep(run, outcome)


def _record_failure(run: LiveRun, project: Project, code: str, words: str) -> Outcome:
    result = failure(run, project, code, words)
    run.record(result)
    return Outcome(result)


def _postpone(run: LiveRun, project: Project, words: str) -> None:
    """Do not try at every tick what cannot be synced."""
    if run.dry:
        return
    now = run.now()
    turn = next_turn(project, run.options.interval_minutes, run.row.started_at, now, words)
    with run.writing() as tx:
        projects.update(tx, project.id, {"checked_at": now, "degraded_since": None} | turn)


class ProjectSync:
    """Syncs one project in one pass of a run."""

    def __init__(self, run: LiveRun, turn: Turn, side: SheetSide) -> None:
        self.run = run
        self.turn = turn
        self.side = side
        self.started = time.monotonic()

    def outcome(self) -> Outcome:
        """Raises: LostLease, OutOfTime, StoreError."""
        options, force = self.run.options, self.run.trigger.force
        with pause_collector():
            self.side = parse_side(self.side, self.turn.project, options, self.run.budget, force=force)
            return self.preview() if self.run.dry else self.write()

    def preview(self) -> Outcome:
        project, now = self.turn.project, self.run.now()
        with self.run.db.read() as tx:
            draft = make_draft(tx, self.run, project, self.side, now)
        plan = draft.plan
        effect = Effect(_would_update(plan) if plan else 0, 0)
        return Outcome(self.result(project, draft, effect, now), tuple(plan.preview) if plan else ())

    def write(self) -> Outcome:
        with self.run.db.write() as tx:
            pass_fence(tx, self.run, self.turn)
            project = projects.locked(tx, self.turn.project.id) or self.turn.project
            now = self.run.now()
            draft = make_draft(tx, self.run, project, self.side, now)
            effect = self.write_draft(tx, project, draft, now)
            result = self.result(project, draft, effect, now)
            projects.update(tx, project.id, self.project_values(project, draft, effect, now))
            runs.put_result(tx, self.run.id, result)
            steps = steps_of(tx, self.run, project, self.side, draft, effect.updated, effect.created)
        say(steps)
        return Outcome(result)

    def write_draft(self, tx: sa.Connection, project: Project, draft: Draft, now: datetime) -> Effect:
        """Write the plan, the day's snapshots and what they add up to; what the database then counted."""
        self.run.enter("write")
        row, plan, updated = self.run.row, draft.plan, 0
        touched: set[date] = set()
        at = min(now, end_of(row.day) - MOMENT)  # a run that crosses midnight belongs to one day
        if plan is not None:
            updated, ids = write_plan(tx, project.id, plan, now)
            changes.add(tx, project.id, row.id, plan.why, now)
            moved = spans.follow(tx, ids, at)
            touched = write_days(tx, plan, row.day, now, at) | ({row.day} if moved else set())
        self.run.enter("snapshot")
        taken = snapshots.take(
            tx,
            project.id,
            row.day,
            at,
            sheet_read=draft.sheet_read,
            fill=plan is not None,
            latest=self.run.options.latest_snapshot,
        )
        days.keep(tx, project.id, touched | ({row.day} if taken.created or taken.filled else set()))
        return Effect(updated, taken.created, taken.filled)

    def result(self, project: Project, draft: Draft, effect: Effect, now: datetime) -> ProjectResult:
        """What this pass did, added to what an earlier pass of the run did."""
        side, report, plan = self.side, draft.report, draft.plan or Plan()
        earlier = self.run.results.get(project.id)
        verdict = self.verdict(project, draft, now)
        return ProjectResult(
            project_id=project.id,
            project_name=_name_of(project, side),
            position=self.run.position_of(project),
            success=verdict.success,
            degraded=verdict.degraded,
            total_accounts=report["total"],
            updated_count=effect.updated + (earlier.updated_count if earlier else 0),
            snapshot_count=effect.created + (earlier.snapshot_count if earlier else 0),
            added_count=plan.added + (earlier.added_count if earlier else 0),
            removed_count=len(plan.removed) + (earlier.removed_count if earlier else 0),
            skips=report["skips"] | ({"unchanged": report["total"]} if side.unchanged else {}),
            problems=report["problems"][:PROBLEMS_KEPT],
            problem_count=len(report["problems"]),
            error_code=verdict.code,
            error=verdict.words,
            finished_at=now,
            seconds=round(time.monotonic() - self.started, 6),
        )

    # The project's own row after the sync

    def project_values(self, project: Project, draft: Draft, effect: Effect, now: datetime) -> dict[str, Any]:
        plan = draft.plan
        named = _name_values(project, self.side, now)
        values = named | self.times(project, draft, now) | _sheet_values(self.side, draft)
        if plan is not None:
            values["settled"] = plan.settled and draft.whole
            values["sheet_report"] = {"final": draft.report, "read": draft.tab_report}
        if effect.updated:
            values["changed_at"] = now
        seen = effect.created or effect.filled or named or (plan is not None and plan.changes_what_readers_see)
        # Growth goes back from `as_of`, so an answer stays the same until there is another revision.
        if seen or (project.as_of is None and "synced_at" in values):
            values |= {"revision": project.revision + 1, "as_of": now}
        return values

    def times(self, project: Project, draft: Draft, now: datetime) -> dict[str, Any]:
        """When it was tried, when it succeeded, and when its turn comes again."""
        verdict = self.verdict(project, draft, now)
        values: dict[str, Any] = {"checked_at": now, "degraded_since": None}
        if verdict.whole:
            values["synced_at"] = now
        elif verdict.degraded:
            values["degraded_since"] = project.degraded_since or now
        minutes = self.run.options.interval_minutes
        return values | next_turn(project, minutes, self.run.row.started_at, now, verdict.words)

    def verdict(self, project: Project, draft: Draft, now: datetime) -> ProjectVerdict:
        """What this sync amounts to."""
        error, away = self.side.error, self.side.degraded
        if error is None:
            return judge_project(None, draft.report["problems"])
        stale_after, own = self.run.options.stale_after, project.interval_minutes
        long = is_outage_long(project.degraded_since, project.synced_at, stale_after, own, now)
        words = outage_words(str(error), project.synced_at) if away and long else str(error)
        return judge_project((error.code, words), (), away=away, long=long)


def _name_of(project: Project, side: SheetSide) -> str:
    """A renamed tab renames its project, unless somebody named it over the API."""
    return project.name if project.name_set or side.tab is None else side.tab.title.strip() or project.name


def _name_values(project: Project, side: SheetSide, now: datetime) -> dict[str, Any]:
    name = _name_of(project, side)
    if side.tab is None or (name, side.tab.title) == (project.name, project.worksheet_title):
        return {}
    return {"name": name, "worksheet_title": side.tab.title, "updated_at": now}


def _sheet_values(side: SheetSide, draft: Draft) -> dict[str, Any]:
    """What is remembered of the tab, so that the next sync knows it again."""
    values: dict[str, Any] = {}
    if side.reading is not None and not draft.guarded and not draft.gone:
        values |= {"sheet_seen": side.fingerprint, "sheet_columns": dict(side.reading.columns)}
    if side.cells is not None:
        values["sheet_bytes"] = side.cells.size
    return values


def _would_update(plan: Plan) -> int:
    return len(plan.counts) + sum(account.row.counts != NOTHING for account in plan.newcomers)
