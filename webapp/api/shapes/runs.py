"""What a trigger is answered, and the log of runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import asdict, replace

from webapp.actions import How
from webapp.api.shapes.fields import Code, Number, Time, says, zero_or_more
from webapp.clock import iso
from webapp.model import Metric, RunState, SkipReason
from webapp.rules.outcomes import succeeded, worst_first
from webapp.store.runs import PROBLEMS_SHOWN, ProjectResult, Run

if TYPE_CHECKING:
    from webapp.actions import PlannedChange

WORDS_BYTES = 450
KEPT_PROBLEMS = (3, 0)  # of each project, while an answer is too long


class SheetProblem(Struct):
    """Something a person can mend in the Sheet."""

    code: str
    message: str
    cell: Annotated[str | None, says("where it stands, such as `Project A!D17`")]


class ProjectResultOut(Struct):
    """What a run did for one project."""

    success: bool
    project_id: str
    project_name: str
    total_accounts: Number
    updated_count: Annotated[int, zero_or_more("accounts whose current counts changed")]
    snapshot_count: Annotated[int, zero_or_more("snapshots that were made")]
    added_count: Annotated[int, zero_or_more("accounts that came in, for the first time or again")]
    removed_count: Annotated[int, zero_or_more("accounts whose row has gone from the Sheet")]
    timestamp: Time
    skipped: Annotated[str | None, says("why nothing was done, such as `already_running`; null: it was")]
    degraded: Annotated[bool, says("the Sheet did not answer; stored observations were used")]
    skips: Annotated[dict[SkipReason, int], says("rows that were left out, by reason")]
    problems: Annotated[list[SheetProblem], says("the first of them; the run has all for two days")]
    problem_count: Number
    error_code: Code
    error: str | None
    seconds: Annotated[float, msgspec.Meta(ge=0)]


class RunSummary(Struct):
    """A run without its results: under 1 KB."""

    success: Annotated[bool, says("true only when nothing failed; a run at work has not failed yet")]
    run_id: str
    state: RunState
    total_projects: Annotated[int, zero_or_more("success + error + skipped + remaining")]
    success_count: Number
    error_count: Number
    skipped_count: Number
    remaining: Annotated[int, zero_or_more("projects left to the next run: the budget was used up")]
    added_count: Annotated[int, zero_or_more("accounts that came in, of all projects together")]
    removed_count: Annotated[int, zero_or_more("accounts whose row has gone from the Sheet, of all projects together")]
    complete: bool
    degraded: bool
    dry_run: bool
    duration_seconds: float | None
    api_calls: Annotated[int, zero_or_more("calls made to the Sheets API")]
    error_code: Code
    error: Annotated[str | None, says("which projects failed and why; null: none did")]
    degraded_reason: Annotated[
        str | None, says("which projects were synced with stored values, and why; null with an error")
    ]
    timestamp: Time


class RunProgress(Struct):
    """How far a run is: the data of an event of its stream. run: how it ended; only once it has."""

    run_id: str
    state: RunState
    phase: str | None
    done: Number
    total: Number
    percent: Annotated[int, msgspec.Meta(ge=0, le=100)]
    run: RunSummary | UnsetType = UNSET


class DryRunChange(Struct):
    """One line of a dry run's preview."""

    kind: Literal["add", "change", "remove", "return", "held", "skip"]
    profile_url: str
    metric: Metric | None
    old: int | None
    new: int | None
    winner: Annotated[str | None, says("the source whose value wins")]
    reason: str | None
    cell: str | None


class RunReport(RunSummary, kw_only=True):
    """What a trigger is answered: the run and, unless `summary` is asked for, what it did.

    A run of all projects has `results`; with `project_id` the one project's outcome stands beside the run's fields.
    """

    warnings: list[str] | UnsetType = UNSET
    changes: Annotated[list[DryRunChange], says("with `dry_run` only")] | UnsetType = UNSET
    change_count: Annotated[int, zero_or_more("all changes there would be")] | UnsetType = UNSET
    results: Annotated[list[ProjectResultOut], says("without `project_id`")] | UnsetType = UNSET
    project_id: Annotated[str, says("with `project_id`, as the fields that follow")] | UnsetType = UNSET
    project_name: str | UnsetType = UNSET
    total_accounts: Number | UnsetType = UNSET
    updated_count: Number | UnsetType = UNSET
    snapshot_count: Number | UnsetType = UNSET
    skipped: str | UnsetType | None = UNSET
    skips: dict[SkipReason, int] | UnsetType = UNSET
    problems: list[SheetProblem] | UnsetType = UNSET
    problem_count: Number | UnsetType = UNSET
    seconds: float | UnsetType = UNSET
    coalesced: Annotated[bool, says("a run that was at work answers for this trigger")] | UnsetType = UNSET
    replayed: Annotated[bool, says("an earlier trigger with this Idempotency-Key got this run")] | UnsetType = UNSET
    truncated: Annotated[bool, says("left something out to stay small; the run has it all")] | UnsetType = UNSET


class RunParams(Struct):
    """What the trigger asked for."""

    project_id: str | None
    due: bool
    force: bool
    dry_run: bool
    budget: float | None
    all: bool = False


class RunOut(RunSummary, kw_only=True):
    """A run in the log."""

    caller: Annotated[str, says("`http`, `background`, `cli`, `python`, `celery`")]
    params: RunParams
    day: Annotated[date, says("the UTC day that its snapshots belong to")]
    started_at: Time
    read_at: Annotated[Time | None, says("when it last began to read the Sheet")]
    finished_at: Time | None
    phase: str | None
    done: Number
    total: Number


class RunList(Struct):
    runs: list[RunOut]
    next_before: Annotated[Time | None, says("`before` of the next page; null: this is the last")]


class RunDetail(RunOut, kw_only=True):
    """A run with every project's outcome and all of its problems."""

    warnings: list[str]
    results: list[ProjectResultOut]


def project_result_out(result: ProjectResult, *, problems: int = PROBLEMS_SHOWN) -> ProjectResultOut:
    """One project's outcome with so many of its problems; `problem_count` says how many there are."""
    return ProjectResultOut(
        success=result.success,
        project_id=result.project_id,
        project_name=result.project_name,
        total_accounts=result.total_accounts,
        updated_count=result.updated_count,
        snapshot_count=result.snapshot_count,
        added_count=result.added_count,
        removed_count=result.removed_count,
        timestamp=cast("str", iso(result.finished_at)),  # every outcome that was recorded has come to its end
        skipped=result.skipped,
        degraded=result.degraded,
        skips=cast("dict[SkipReason, int]", dict(result.skips)),
        problems=[SheetProblem(**problem) for problem in result.problems[:problems]],
        problem_count=result.problem_count,
        error_code=result.error_code,
        error=result.error,
        seconds=result.seconds,
    )


def run_summary(run: Run) -> RunSummary:
    return RunSummary(
        success=succeeded(run),
        run_id=run.id,
        state=run.state,
        total_projects=run.success_count + run.error_count + run.skipped_count + run.remaining,
        success_count=run.success_count,
        error_count=run.error_count,
        skipped_count=run.skipped_count,
        remaining=run.remaining,
        added_count=run.added_count,
        removed_count=run.removed_count,
        complete=run.remaining == 0 and not run.live,
        degraded=run.degraded,
        dry_run=run.dry_run,
        duration_seconds=run.seconds,
        api_calls=run.api_calls,
        error_code=run.error_code,
        error=None if succeeded(run) else cut_words(run.error),
        degraded_reason=cut_words(run.error) if succeeded(run) else None,
        timestamp=iso(run.finished_at or run.started_at),
    )


def cut_words(text: str | None) -> str | None:
    """Words of a person's length, cut so that they take at most WORDS_BYTES of JSON."""
    size = 2  # the quotes
    for place, character in enumerate(text or ""):
        size += len(msgspec.json.encode(character)) - 2
        if size > WORDS_BYTES - 3:  # an ellipsis takes three
            return f"{(text or '')[:place]}…"
    return text


def run_progress(run: Run, percent: int) -> RunProgress:
    ending = UNSET if run.live else run_summary(run)
    return RunProgress(run.id, run.state, run.phase, run.done, run.total, percent, ending)


def run_out(run: Run) -> RunOut:
    return RunOut(**_log_fields(run))


def run_detail(run: Run, results: Iterable[ProjectResult]) -> RunDetail:
    return RunDetail(
        **_log_fields(run),
        warnings=list(run.warnings or ()),
        results=[project_result_out(result, problems=len(result.problems)) for result in results],
    )


def _log_fields(run: Run) -> dict[str, Any]:
    return asdict(run_summary(run)) | {
        "caller": run.caller,
        "params": RunParams(**run.params),
        "day": run.day,
        "started_at": iso(run.started_at),
        "read_at": iso(run.read_at),
        "finished_at": iso(run.finished_at),
        "phase": run.phase,
        "done": run.done,
        "total": run.total,
    }


def run_report(
    run: Run,
    results: Sequence[ProjectResult] | None,
    *,
    changes: Sequence[PlannedChange] | None = None,
    how: How = "fresh",
) -> RunReport:
    """What the trigger of the run is answered. results None: the summary alone. changes: of a dry run."""
    report = RunReport(**asdict(run_summary(run)))
    report.coalesced = True if how == "coalesced" else UNSET
    report.replayed = True if how == "replayed" else UNSET
    if results is None:
        return report
    report.warnings = list(run.warnings or ())
    if changes is not None:
        report.changes = [DryRunChange(**change._asdict()) for change in changes]
        report.change_count = len(changes)
    if run.params.get("project_id") and len(results) == 1:
        _add_outcome(report, project_result_out(results[0]))
    else:
        report.results = [project_result_out(result) for result in worst_first(results)]
    return report


def _add_outcome(report: RunReport, result: ProjectResultOut) -> None:
    """Put the one project's outcome beside the run's fields, and before them where both have one."""
    result.success = report.success and result.success
    result.error_code = result.error_code or report.error_code
    result.error = result.error or report.error
    for name in result.__struct_fields__:
        setattr(report, name, getattr(result, name))


def shorter_reports(report: RunReport) -> Iterator[RunReport]:
    """The report, then shorter and shorter ones with `truncated: true`: what is left out stands behind the run.

    Projects that failed or are degraded are never left out, however many there are.
    """
    yield report
    report = replace(report, truncated=True)
    if report.changes is not UNSET:
        for limit in (100, 10, 0):
            report.changes = report.changes[:limit]
            yield report
    for limit in KEPT_PROBLEMS:
        _cut_problems(report, limit)
        yield report
    wrong = sum(not result.success or result.degraded for result in report.results or ())
    while report.results and len(report.results) > wrong:
        report.results = report.results[: max(wrong, len(report.results) * 4 // 5)]
        yield report
    report.warnings = []
    yield report


def _cut_problems(report: RunReport, limit: int) -> None:
    if report.problems is not UNSET:
        report.problems = report.problems[:limit]
    if report.results is not UNSET:
        report.results = [replace(result, problems=result.problems[:limit]) for result in report.results]
