"""A sync for a Python program that has a scheduler of its own: settings from the environment in, the answer out."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import msgspec

from webapp.actions import Outcome, Trigger
from webapp.actions.desk import Desk
from webapp.actions.trigger import outcome_of, start_sync, work_off
from webapp.api.shapes.runs import RunReport, run_report
from webapp.bootstrap import bootstrap
from webapp.config import Settings
from webapp.errors import Invalid, NotFound, StoreError
from webapp.store.migrate import ensure_migrated
from webapp.store.runs import Run


def sync(
    project_id: str | None, *, due: bool, all_: bool, force: bool, dry_run: bool, budget: float | None
) -> dict[str, Any]:
    """As `webapp.smart_sync` says, which is the door to this."""
    if budget is not None and not budget > 0:
        raise Invalid("budget has to be a number of seconds above 0", field="budget")
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
    outcomes, failed = _work_off(desk, started.run, trigger) if started.how == "fresh" else ([], None)
    try:
        run, results = outcome_of(desk, started.run.id)
    except (NotFound, StoreError) as error:
        raise (failed or error) from error
    if failed is not None and run.live:  # its end could not be written either
        raise failed
    if not trigger.dry_run:
        return run_report(run, results, how=started.how)
    changes = [change for outcome in outcomes for change in outcome.changes]
    return run_report(run, [outcome.result for outcome in outcomes], changes=changes, how=started.how)


def _work_off(desk: Desk, run: Run, trigger: Trigger) -> tuple[Sequence[Outcome], Exception | None]:
    """What became of each project, as of its last pass, and what broke the run off."""
    outcomes: dict[str, Outcome] = {}
    try:
        with contextlib.closing(work_off(desk, run, trigger)) as working:
            for outcome in working:
                outcomes[outcome.result.project_id] = outcome
    except Exception as error:  # noqa: BLE001  logged and recorded by the run itself: its answer says so
        return [*outcomes.values()], error
    return [*outcomes.values()], None
