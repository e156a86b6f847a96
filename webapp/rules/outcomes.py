"""What a run amounts to: one table for every door. Pure.

| what happened                                | state                | success | HTTP, strict | exit |
|----------------------------------------------|----------------------|---------|--------------|------|
| still at work                                | queued, running      | true    | 202, 202     | 0    |
| all done, or nothing was due                 | succeeded            | true    | 200, 200     | 0    |
| the budget was used up with all so far whole | partial              | true    | 200, 200     | 2    |
| some projects failed                         | partial              | false   | 200, 502     | 2    |
| every project failed, or nothing was read    | failed               | false   | 502, 502     | 1    |
| stopped by a shutdown, or taken over         | cancelled, abandoned | false   | 503, 503     | 2    |
"""

from __future__ import annotations

from typing import Protocol

from webapp.model import LIVE_STATES, RunState

OK, ACCEPTED, BAD_GATEWAY, UNAVAILABLE = 200, 202, 502, 503


class RunNumbers(Protocol):
    """What the table needs to know of a run. remaining: projects that it has not come to."""

    @property
    def state(self) -> RunState: ...
    @property
    def error_count(self) -> int: ...
    @property
    def remaining(self) -> int: ...


def state_of(*, results: int, errors: int, remaining: int, unread: bool, stopped: bool) -> RunState:
    """The terminal state of a run.

    results, errors: projects that have an outcome, and those of them that failed. unread: a spreadsheet could not be
    read. stopped: a shutdown ended the run.
    """
    if stopped and remaining:
        return "cancelled"
    if errors == results and (errors or unread):
        return "failed"
    return "partial" if errors or remaining else "succeeded"


def succeeded(run: RunNumbers) -> bool:
    """True only when nothing failed; a live run has not failed yet."""
    return run.error_count == 0 and run.state in (*LIVE_STATES, "succeeded", "partial")


def status_of(run: RunNumbers, *, strict: bool = False) -> int:
    """The HTTP status that tells a cron what to do next. strict: any failure is an error."""
    if run.state in LIVE_STATES:
        return ACCEPTED
    if run.state in ("cancelled", "abandoned"):
        return UNAVAILABLE
    if run.state == "failed" or (strict and not succeeded(run)):
        return BAD_GATEWAY
    return OK


def exit_code(run: RunNumbers) -> int:
    """The exit code of the command line: 1 failed, 2 not whole."""
    if run.state == "failed":
        return 1
    return 0 if succeeded(run) and not run.remaining else 2
