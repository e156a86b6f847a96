"""What a sync amounts to, of one project and of a whole run: one table for every door. Pure.

| what happened                                      | state                | success | HTTP, strict | exit | log     |
|----------------------------------------------------|----------------------|---------|--------------|------|---------|
| still at work                                      | queued, running      | true    | 202, 202     | 0    |         |
| the same, without a sign of progress for a minute  | running              | false   | 202, 502     | 2    | ERROR   |
| all whole, or nothing was due                      | succeeded            | true    | 200, 200     | 0    | INFO    |
| the budget was used up with all so far whole       | partial              | true    | 200, 200     | 0    | INFO    |
| a source is away, for less than the stale limit    | succeeded, degraded  | true    | 200, 200     | 0    | WARNING |
| longer away; a guard holds; a column has gone; a   | partial              | false   | 200, 502     | 2    | ERROR   |
|   tab or file cannot be read; some projects failed |                      |         |              |      |         |
| every project failed, or nothing was read          | failed               | false   | 502, 502     | 2    | ERROR   |
| stopped by a shutdown, or taken over               | cancelled, abandoned | false   | 503, 503     | 2    | ERROR   |

A project's result says by `success` whether the run may call itself one, and by `degraded` whether the project was
synced with what was stored: whole (true, false), degraded (true, true), kept from being whole (false, true), failed
(false, false).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from webapp.model import LIVE_STATES, RunState

OK, ACCEPTED, BAD_GATEWAY, UNAVAILABLE = 200, 202, 502, 503

# Problems of a tab that keep a project from being whole: what the Sheet says now was not taken over, or not all of it.
WITHHOLDING = ("sheet_shrank", "column_shrank", "column_gone", "cut_file")
NAMED = 3  # projects by their names, of those that share a reason
REASONS = 5  # different ones that are named
REASONS_LENGTH = 900  # characters of all of them together

STALLED_S = 60.0  # that the work of a live run may be silent
STALLED = "stalled"

ResultState = Literal["synced", "skipped", "degraded", "failed"]


class RunFacts(Protocol):
    """What the table needs to know of a run. error_code None: nothing of it is an error."""

    @property
    def state(self) -> RunState: ...
    @property
    def error_count(self) -> int: ...
    @property
    def degraded(self) -> bool: ...
    @property
    def error_code(self) -> str | None: ...


class RunCounts(RunFacts, Protocol):
    """What its words need to know besides. remaining: projects that are left to the next run."""

    @property
    def success_count(self) -> int: ...
    @property
    def skipped_count(self) -> int: ...
    @property
    def remaining(self) -> int: ...


class ResultFacts(Protocol):
    """What it needs to know of a project's result."""

    @property
    def project_name(self) -> str: ...
    @property
    def success(self) -> bool: ...
    @property
    def degraded(self) -> bool: ...
    @property
    def skipped(self) -> str | None: ...
    @property
    def error(self) -> str | None: ...


R = TypeVar("R", bound=ResultFacts)


# One project


class ProjectVerdict(NamedTuple):
    """What a sync amounts to for one project. words: why it is not whole; None: it is."""

    success: bool
    degraded: bool
    code: str | None = None
    words: str | None = None

    @property
    def whole(self) -> bool:
        return self.success and not self.degraded


WHOLE = ProjectVerdict(success=True, degraded=False)


def withheld(problems: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The problem of a tab that keeps its project from being whole."""
    return next((problem for problem in problems if problem["code"] in WITHHOLDING), None)


def judge_project(
    error: tuple[str, str] | None, problems: Iterable[Mapping[str, Any]], *, away: bool = False, long: bool = False
) -> ProjectVerdict:
    """What a sync amounts to for one project.

    error: code and words of why its tab was not read. away: the source does not answer for the moment. long: it has
    not done so for longer than can be put up with.
    """
    if error is not None:
        return ProjectVerdict(away and not long, away, *error)
    found = withheld(problems)
    if found is not None:
        return ProjectVerdict(success=False, degraded=True, code=str(found["code"]), words=str(found["message"]))
    return WHOLE


def result_state(result: ResultFacts) -> ResultState:
    """One word for a project's result."""
    if result.degraded:
        return "degraded"
    if not result.success:
        return "failed"
    return "skipped" if result.skipped else "synced"


def worst_first(results: Iterable[R]) -> list[R]:
    """Failed, then degraded, then the others; each as they came."""
    return sorted(results, key=_goodness)


def _goodness(result: ResultFacts) -> int:
    if not result.success:
        return 1 if result.degraded else 0
    return 2 if result.degraded else 3


def count_states(results: Collection[ResultFacts]) -> tuple[int, int, int]:
    """(tried, failed, partly): projects that were not skipped, those that failed, those kept from being whole."""
    wrong = [result for result in results if not result.success]
    partly = sum(result.degraded for result in wrong)
    return sum(result.skipped is None for result in results), len(wrong) - partly, partly


# Words for whatever is not whole


def reasons(results: Iterable[ResultFacts], unread: Sequence[str] = ()) -> str | None:
    """Who is not whole and why, the worst first, projects with one reason together; None when all are.

    unread: what no project has and could not be read, in words.
    """
    names: dict[str, list[str]] = {}
    for result in worst_first(results):
        if not result.success or result.degraded:
            names.setdefault(result.error or "see the log", []).append(result.project_name)
    found = [(_whose(who, why), why) for why, who in names.items()] + [("", words) for words in unread]
    if not found:
        return None
    shown, hidden = found[:REASONS], len(found) - REASONS
    each = REASONS_LENGTH // len(shown)
    parts = [f"{who}{_shorten(why, each - len(who))}" for who, why in shown]
    return "; ".join([*parts, f"and {hidden} more"] if hidden > 0 else parts)


def still_failing_words(failing: Sequence[tuple[str, str]]) -> str | None:
    """What (name, why) of projects that failed before is still to be mended; None: nothing."""
    if not failing:
        return None
    shown = "; ".join(f"{_shorten(name, 60)}: {_shorten(why, 200)}" for name, why in failing[:NAMED])
    more = f"; and {len(failing) - NAMED} more" if len(failing) > NAMED else ""
    return f"still failing: {shown}{more}"


def _whose(names: Sequence[str], why: str) -> str:
    """Whose reason it is; nothing where the reason names its one project itself, as the problems of a tab do."""
    if len(names) == 1 and why.startswith((f"{names[0]}: ", f"{names[0]}!")):
        return ""
    return f"{_together(names)}: "


def _together(names: Sequence[str]) -> str:
    shown = ", ".join(_shorten(name, 60) for name in names[:NAMED])
    return f"{shown} and {len(names) - NAMED} more" if len(names) > NAMED else shown


def _shorten(text: str, length: int) -> str:
    length = max(length, 40)
    return text if len(text) <= length else f"{text[: length - 1]}…"


# A whole run


def state_of(
    *, tried: int, failed: int, partly: int, remaining: int, unread: bool, unopened: bool, stopped: bool
) -> RunState:
    """The terminal state of a run.

    tried: projects that were not skipped; failed: those of them that failed; partly: those kept from being whole.
    unread: a tab that no project has could not be read; unopened: a spreadsheet without projects. stopped: a shutdown
    ended the run.
    """
    if stopped and remaining:
        return "cancelled"
    if failed == tried and (failed or unopened):
        return "failed"
    return "partial" if failed or partly or unread or unopened or remaining else "succeeded"


def stalled(silent_s: float) -> str | None:
    """Why a live run that has been silent for so long is no success so far; None: it may still be one."""
    if silent_s <= STALLED_S:
        return None
    return f"no sign of progress for {silent_s:.0f} s; if none comes, the next trigger after that takes over"


def succeeded(run: RunFacts) -> bool:
    """True only when nothing failed; a live run that shows progress has not failed yet."""
    whole = run.error_count == 0 and run.error_code is None
    return whole and run.state in (*LIVE_STATES, "succeeded", "partial")


def run_label(run: RunFacts) -> str:
    """One word for how a run stands: its state, or `degraded` for one that succeeded with what was stored."""
    return "degraded" if run.state == "succeeded" and run.degraded else run.state


def run_words(run: RunCounts) -> str:
    """How many projects a run did, in words that begin with how it stands."""
    projects = "project" if run.success_count == 1 else "projects"
    return (
        f"{run_label(run)}: {run.success_count} {projects} done, {run.error_count} failed, {run.skipped_count} skipped, "
        f"{run.remaining} left"
    )


def status_of(run: RunFacts, *, strict: bool = False) -> int:
    """The HTTP status that tells a cron what to do next. strict: any failure is an error."""
    if run.state in LIVE_STATES:
        return BAD_GATEWAY if strict and not succeeded(run) else ACCEPTED
    if run.state in ("cancelled", "abandoned"):
        return UNAVAILABLE
    if run.state == "failed" or (strict and not succeeded(run)):
        return BAD_GATEWAY
    return OK


def exit_code(run: RunFacts) -> int:
    """The exit code of the command line: 2 when anything failed."""
    return 0 if succeeded(run) else 2


def log_level(run: RunFacts) -> int:
    """How loud the log tells a run's end."""
    if not succeeded(run):
        return logging.ERROR
    return logging.WARNING if run.degraded else logging.INFO


def result_level(result: ResultFacts) -> int:
    """How loud the log tells a project's outcome."""
    if not result.success:
        return logging.ERROR
    return logging.WARNING if result.degraded else logging.INFO


# How a project stands, between its syncs

ProjectState = Literal["running", "paused", "finished", "removed", "failed", "degraded", "new", "stale", "fresh"]


class ProjectFacts(Protocol):
    """What is stored of a project's last sync. Times are aware UTC; None: never, or not so."""

    @property
    def status(self) -> Literal["active", "paused", "finished"]: ...
    @property
    def removed_at(self) -> datetime | None: ...
    @property
    def failures(self) -> int: ...
    @property
    def degraded_since(self) -> datetime | None: ...
    @property
    def synced_at(self) -> datetime | None: ...


def project_state(project: ProjectFacts, *, stale: bool, syncing: bool = False) -> ProjectState:
    """The worst thing that is so. stale: as `freshness` says."""
    if project.removed_at is not None:
        return "removed"
    if syncing:
        return "running"
    if project.status != "active":
        return project.status
    if project.degraded_since is not None:
        return "degraded"
    if project.failures:
        return "failed"
    if project.synced_at is None:
        return "new"
    return "stale" if stale else "fresh"


URGENCY: tuple[ProjectState, ...] = (
    *("failed", "degraded", "stale", "new", "running", "fresh"),
    *("paused", "finished", "removed"),
)  # in this order people look at them


def standing_words(states: Sequence[ProjectState], hands: int) -> str | None:
    """How many projects failed and need somebody, in a line; None: none does.

    hands: those of the others that wait for a person.
    """
    failed = states.count("failed")
    if not failed:
        return f"{hands} of {len(states)} projects need{'s' if hands == 1 else ''} a hand" if hands else None
    words = f"{failed} of {len(states)} projects failed"
    return f"{words}, {hands} need{'s' if hands == 1 else ''} a hand" if hands else words
