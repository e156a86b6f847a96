"""What becomes of a project in a run: kept, recorded and said in one line of the log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from webapp.rules.outcomes import result_level
from webapp.store import accounts
from webapp.store.projects import Project
from webapp.store.runs import ProjectResult
from webapp.sync.live import LiveRun, Outcome

log = logging.getLogger("smart_sync")


def keep(run: LiveRun, outcome: Outcome) -> Outcome:
    """Count the outcome in and say it in one line."""
    result = outcome.result
    run.results[result.project_id] = result
    log.log(result_level(result), "[SmartSync] %s", _words(result), extra=_fields(run, result))
    return outcome


def skip_project(run: LiveRun, project: Project, reason: str) -> Iterator[Outcome]:
    """The project is not synced now. An outcome of an earlier pass of this run stands."""
    if project.id in run.results:
        return
    with run.db.read() as tx:
        total = accounts.total_of(tx, project.id)
    result = ProjectResult(
        project.id,
        project.name,
        position=run.position_of(project),
        skipped=reason,
        total_accounts=total,
        finished_at=run.now(),
    )
    run.record(result)
    yield keep(run, Outcome(result))


def fail_project(run: LiveRun, project: Project, code: str, words: str) -> Outcome:
    """The project cannot be synced now, which is recorded."""
    result = failure(run, project, code, words)
    run.record(result)
    return keep(run, Outcome(result))


def failure(run: LiveRun, project: Project, code: str, words: str) -> ProjectResult:
    """The result of a project that could not be synced, which the run counts from now on."""
    result = ProjectResult(
        project.id,
        project.name,
        position=run.position_of(project),
        success=False,
        error_code=code,
        error=words,
        finished_at=run.now(),
    )
    run.results[project.id] = result
    return result


def _words(result: ProjectResult) -> str:
    if result.skipped:
        return f"skipped {result.project_name}: {result.skipped}"
    if not result.success:
        return f"failed for {result.project_name}: {result.error}"
    words = f"completed for {result.project_name}: {result.updated_count} accounts updated"
    return f"{words}, degraded: {result.error}" if result.degraded else words


def _fields(run: LiveRun, result: ProjectResult) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "project": result.project_name,
        "project_id": result.project_id,
        "accounts": result.total_accounts,
        "updated": result.updated_count,
        "snapshots": result.snapshot_count,
        "added": result.added_count,
        "removed": result.removed_count,
        "problems": result.problem_count,
        "degraded": result.degraded,
        "seconds": result.seconds,
    }
