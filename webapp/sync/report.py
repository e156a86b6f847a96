"""What a run is told as: the guide's fields first, ours beside them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from webapp.clock import iso
from webapp.rules.outcomes import succeeded
from webapp.store.runs import ProjectResult, Run
from webapp.sync.plan import Change

PROBLEMS_SHOWN = 20


def one(result: ProjectResult, *, problems: int = PROBLEMS_SHOWN) -> dict[str, Any]:
    """One project's outcome. `problems` are cut off; `problem_count` tells how many there are."""
    return {
        "success": result.success,
        "project_id": result.project_id,
        "project_name": result.project_name,
        "total_accounts": result.total_accounts,
        "updated_count": result.updated_count,
        "snapshot_count": result.snapshot_count,
        "timestamp": iso(result.finished_at),
        "skipped": result.skipped,
        "degraded": result.degraded,
        "skips": dict(result.skips),
        "problems": [dict(problem) for problem in result.problems[:problems]],
        "problem_count": result.problem_count,
        "error_code": result.error_code,
        "error": result.error,
        "seconds": result.seconds,
    }


def summary(run: Run) -> dict[str, Any]:
    """A run without its results: under 1 KB."""
    return {
        "success": succeeded(run),
        "run_id": run.id,
        "state": run.state,
        "total_projects": run.success_count + run.error_count + run.skipped_count + run.remaining,
        "success_count": run.success_count,
        "error_count": run.error_count,
        "skipped_count": run.skipped_count,
        "remaining": run.remaining,
        "complete": run.remaining == 0 and not run.live,
        "degraded": run.degraded,
        "dry_run": run.dry_run,
        "duration_seconds": run.seconds,
        "api_calls": run.api_calls,
        "error_code": run.error_code,
        "error": run.error[:300] if run.error else None,
        "timestamp": iso(run.finished_at or run.started_at),
    }


def run_report(run: Run, results: Sequence[ProjectResult], changes: Sequence[Change] | None = None) -> dict[str, Any]:
    """A run as its trigger is answered: with `project_id`, that one result with the run's fields."""
    report = summary(run) | {"warnings": list(run.warnings or ())}
    if changes is not None:
        report |= {"changes": [change._asdict() for change in changes], "change_count": len(changes)}
    if run.params.get("project_id") and len(results) == 1:
        result = one(results[0])
        report["error_code"] = result.pop("error_code") or report["error_code"]
        report["error"] = result.pop("error") or report["error"]
        return report | result | {"success": report["success"] and results[0].success}
    return report | {"results": [one(result) for result in results]}


def shorter(report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The report, then shorter and shorter ones with `truncated: true`: what is left out stands behind the run."""
    yield report
    report = report | {"truncated": True}
    for limit in (100, 10, 0):
        if "changes" in report:
            report["changes"] = report["changes"][:limit]
            yield report
    for limit in (3, 0):
        if "problems" in report:
            report["problems"] = report["problems"][:limit]
        if "results" in report:
            report["results"] = [result | {"problems": result["problems"][:limit]} for result in report["results"]]
        yield report
    while report.get("results"):
        report["results"] = report["results"][: len(report["results"]) * 4 // 5]
        yield report
    report["warnings"] = []
    yield report
