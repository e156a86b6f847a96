"""A run and what it did, as lines on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from webapp.cli.terminal import say
from webapp.rules.due import is_long_overdue, overdue
from webapp.rules.outcomes import run_words, succeeded
from webapp.rules.words import ago
from webapp.store.runs import ProjectResult, Run

if TYPE_CHECKING:
    from webapp.actions import PlannedChange


def result_line(result: ProjectResult) -> str:
    if result.skipped:
        return f"skip  {result.project_name}: {result.skipped}"
    if not result.success and not result.degraded:
        return f"FAIL  {result.project_name}: {result.error}"
    line = (
        f"{'part' if result.degraded else 'ok':4}  {result.project_name}: {result.total_accounts} accounts, "
        f"{result.updated_count} updated, {result.snapshot_count} snapshots"
    )
    line += _came_and_went(result)
    if result.problem_count:
        line += f", {result.problem_count} problem{'s' if result.problem_count > 1 else ''}"
    return f"{line}: {result.error}" if result.error else line


def print_changes(changes: Sequence[PlannedChange]) -> None:
    for change in changes:
        what = f"{change.metric}: {change.old} -> {change.new}" if change.metric else (change.reason or "")
        source = f" ({change.winner}{' ' + change.cell if change.cell else ''})" if change.winner else ""
        say(f"{change.kind:6} {change.profile_url} {what}{source}".rstrip())


def print_run(run: Run) -> None:
    """The run's warnings, its error and its numbers, without its projects."""
    for warning in run.warnings or ():
        say(f"warning: {warning}")
    if run.error:
        say(f"{'degraded' if succeeded(run) else 'error'}: {run.error}")
    say(f"{run_words(run)}, {run.api_calls} Sheets calls{_came_and_went(run)}, {run.seconds or 0:.2f} s, run {run.id}")


def print_overdue(turn: datetime | None, now: datetime, stale_after: int) -> None:
    """Say so where the first turn has waited for too long. stale_after: minutes."""
    if turn is not None and is_long_overdue(overdue(turn, now), stale_after):
        say(f"overdue: the first turn was {ago(turn, now)}, and nobody has asked for it")


def _came_and_went(counted: ProjectResult | Run) -> str:
    """Accounts that were added and removed, where any were."""
    added = f", {counted.added_count} added" if counted.added_count else ""
    return f"{added}, {counted.removed_count} removed" if counted.removed_count else added
