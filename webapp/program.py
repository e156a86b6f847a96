"""A sync for a Python program that has a scheduler of its own: settings from the environment in, the answer out."""

from __future__ import annotations

from typing import Any

import msgspec

from webapp.actions import Trigger
from webapp.actions.desk import Desk
from webapp.actions.trigger import finish_run, outcome_of, start_sync
from webapp.api.shapes.runs import RunReport, run_report
from webapp.bootstrap import bootstrap
from webapp.config import Settings
from webapp.store.migrate import ensure_migrated


def sync(
    project_id: str | None, *, due: bool, all_: bool, force: bool, dry_run: bool, budget: float | None
) -> dict[str, Any]:
    """As `webapp.smart_sync` says, which is the door to this."""
    trigger = Trigger("python", project_id, due=due, all=all_, force=force, dry_run=dry_run, budget_s=budget)
    parts = bootstrap(Settings.from_env(), serving=False)
    try:
        ensure_migrated(parts.db)
        report = _report(parts.desk, trigger)
    finally:
        parts.db.close()
    answer: dict[str, Any] = msgspec.to_builtins(report)
    return answer


def _report(desk: Desk, trigger: Trigger) -> RunReport:
    started = start_sync(desk, trigger)
    fresh = started.how == "fresh"
    found = finish_run(desk, started.run, trigger) if fresh else outcome_of(desk, started.run.id)
    return run_report(found.run, found.results, changes=found.changes, how=started.how)
