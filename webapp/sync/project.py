"""One project: what a sync of it amounts to, and what is remembered of it."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from webapp.clock import utc_day
from webapp.model import NOTHING
from webapp.rules.due import next_turn
from webapp.rules.freshness import is_outage_long, outage_words
from webapp.rules.outcomes import ProjectVerdict, judge_project
from webapp.store.projects import Project
from webapp.store.runs import ProjectResult
from webapp.sync.draft import Draft
from webapp.sync.live import LiveRun, Outcome
from webapp.sync.plan import Plan
from webapp.sync.side import SheetSide
from webapp.sync.writing import Effect

PROBLEMS_KEPT = 1_000


class ProjectSync:
    """One project in one pass of a run. began: when its cells came, on the monotonic clock."""

    def __init__(self, run: LiveRun, project: Project, side: SheetSide, began: float) -> None:
        self.run = run
        self.project = project
        self.side = side
        self.began = began

    def preview(self, draft: Draft, now: datetime) -> Outcome:
        """What a dry run says of it."""
        plan = draft.plan
        effect = Effect(_would_update(plan) if plan else 0, 0)
        return Outcome(self.result(draft, effect, now), tuple(plan.preview) if plan else ())

    def result(self, draft: Draft, effect: Effect, now: datetime) -> ProjectResult:
        """What this pass did, added to what an earlier pass of the run did."""
        project, side, report, plan = self.project, self.side, draft.report, draft.plan or Plan()
        earlier = self.run.results.get(project.id)
        verdict = self.verdict(draft, now)
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
            seconds=round(time.monotonic() - self.began, 6),
        )

    # The project's own row after the sync

    def project_values(self, draft: Draft, effect: Effect, now: datetime) -> dict[str, Any]:
        project, plan = self.project, draft.plan
        named = _name_values(project, self.side, now)
        values = named | self.times(draft, now) | _sheet_values(self.side, draft)
        if plan is not None:
            values["settled"] = plan.settled and draft.whole
            values["sheet_report"] = {"final": draft.report, "read": draft.tab_report}
        if effect.updated:
            values["changed_at"] = now
        if effect.snapshot_day != project.snapshot_day:
            values["snapshot_day"] = effect.snapshot_day
        seen = effect.created or effect.filled or named or (plan is not None and plan.changes_what_readers_see)
        # Growth goes back from `as_of`, so an answer stays the same until there is another revision.
        if seen or ("synced_at" in values and self.is_first_of_day(project.as_of)):
            values |= {"revision": project.revision + 1, "as_of": now}
        return values

    def is_first_of_day(self, as_of: datetime | None) -> bool:
        """Whether reads still answer as of an earlier day, whose growth is none of the last 24 hours."""
        return as_of is None or utc_day(as_of) < self.run.row.day

    def times(self, draft: Draft, now: datetime) -> dict[str, Any]:
        """When it was tried, when it succeeded, and when its turn comes again."""
        project = self.project
        verdict = self.verdict(draft, now)
        values: dict[str, Any] = {"checked_at": now, "degraded_since": None}
        if verdict.whole:
            values["synced_at"] = now
        elif verdict.degraded:
            values["degraded_since"] = project.degraded_since or now
        minutes = self.run.options.interval_minutes
        return values | next_turn(project, minutes, self.run.row.started_at, now, verdict.words)

    def verdict(self, draft: Draft, now: datetime) -> ProjectVerdict:
        """What this sync amounts to."""
        project = self.project
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
    if side.reading is not None and draft.applied:
        values |= {"sheet_seen": side.fingerprint, "sheet_columns": dict(side.reading.columns)}
        values["rows_seen"] = side.fingerprint if draft.prints else None
    elif draft.gone:  # what is stored is of these cells and no longer of those that were understood, which may return
        values |= {"sheet_seen": None, "rows_seen": None}
    elif draft.prints is None and draft.plan is not None and draft.plan.changes_what_readers_see:
        values["rows_seen"] = None
    if side.size is not None:
        values["sheet_bytes"] = side.size
    return values


def _would_update(plan: Plan) -> int:
    return len(plan.counts) + sum(account.row.counts != NOTHING for account in plan.newcomers)
