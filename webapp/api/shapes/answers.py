"""What the answers look like, as structs: the document of the API is made from these, and tests hold answers to them.

Fields without a default are always there. Times are RFC 3339 in UTC; None where something has not happened yet.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from webapp.model import Metric, RunState, SkipReason
from webapp.store.storage import Durability

HeldState = Literal["held", "accepted", "rejected", "confirmed", "withdrawn"]


def says(description: str) -> msgspec.Meta:
    """What a field means, for `Annotated`."""
    return msgspec.Meta(description=description)


Time = Annotated[datetime, msgspec.Meta(tz=True)]
Number = Annotated[int, msgspec.Meta(ge=0)]
Code = Annotated[str | None, says("machine code of what went wrong; null: nothing did")]


class ProblemDocument(Struct):
    """An error, as RFC 9457 has it. `code` is stable; `detail` and `hint` are for people and may change."""

    type: Annotated[str, says("the code as a URN")]
    title: Annotated[str, says("the phrase of the status")]
    status: Annotated[int, msgspec.Meta(ge=400, le=599)]
    code: Annotated[str, says("what programs go by")]
    detail: Annotated[str, says("what is wrong, in words")]
    hint: Annotated[str, says("what to do about it")] | UnsetType = UNSET
    field: Annotated[str, says("the parameter, header or member it is about")] | UnsetType = UNSET
    allowed: Annotated[str, says("what would have been understood")] | UnsetType = UNSET
    project_id: Annotated[str, says("the project it is about")] | UnsetType = UNSET
    account_id: Annotated[int, says("the account it is about")] | UnsetType = UNSET


# Runs


class SheetProblem(Struct):
    """Something a person can mend in the Sheet."""

    code: str
    message: str
    cell: Annotated[str | None, says("where it stands, such as `Project A!D17`")]


class ProjectOutcome(Struct):
    """What a run did for one project."""

    success: bool
    project_id: str
    project_name: str
    total_accounts: Number
    updated_count: Annotated[int, msgspec.Meta(ge=0, description="accounts whose current counts changed")]
    snapshot_count: Annotated[int, msgspec.Meta(ge=0, description="snapshots that were made")]
    timestamp: Time
    skipped: Annotated[str | None, says("why nothing was done, such as `already_running`; null: it was")]
    degraded: Annotated[bool, says("the Sheet did not answer; stored observations were used")]
    skips: Annotated[dict[SkipReason, int], says("rows that were left out, by reason")]
    problems: Annotated[list[SheetProblem], says("the first of them; the run has all")]
    problem_count: Number
    error_code: Code
    error: str | None
    seconds: Annotated[float, msgspec.Meta(ge=0)]


class RunSummary(Struct):
    """A run without its results."""

    success: Annotated[bool, says("true only when nothing failed; a run at work has not failed yet")]
    run_id: str
    state: RunState
    total_projects: Annotated[int, msgspec.Meta(ge=0, description="success + error + skipped + remaining")]
    success_count: Number
    error_count: Number
    skipped_count: Number
    remaining: Annotated[int, msgspec.Meta(ge=0, description="projects left to the next run: the budget was used up")]
    complete: bool
    degraded: bool
    dry_run: bool
    duration_seconds: float | None
    api_calls: Annotated[int, msgspec.Meta(ge=0, description="calls made to the Sheets API")]
    error_code: Code
    error: str | None
    timestamp: Time


class Triggered(RunSummary, kw_only=True):
    """What a trigger is answered with `summary=true`."""

    coalesced: Annotated[bool, says("a run that was at work answers for this trigger")] | UnsetType = UNSET
    replayed: Annotated[bool, says("an earlier trigger with this Idempotency-Key got this run")] | UnsetType = UNSET


class Change(Struct):
    """One line of a dry run's preview."""

    kind: Literal["add", "change", "remove", "return", "held", "skip"]
    profile_url: str
    metric: Metric | None
    old: int | None
    new: int | None
    winner: Annotated[str | None, says("the source whose value wins")]
    reason: str | None
    cell: str | None


class Reported(Triggered, kw_only=True):
    """What a trigger is answered, whether for all projects or for one."""

    warnings: list[str]
    changes: Annotated[list[Change], says("with `dry_run` only")] | UnsetType = UNSET
    change_count: Annotated[int, msgspec.Meta(ge=0, description="all changes there would be")] | UnsetType = UNSET
    truncated: Annotated[bool, says("left something out to stay small; the run has it all")] | UnsetType = UNSET


class RunReport(Reported, kw_only=True):
    """What a trigger is answered."""

    results: list[ProjectOutcome]


class ProjectReport(Reported, kw_only=True):
    """What a trigger for one project is answered: that project's outcome with the fields of the run."""

    project_id: str
    project_name: str
    total_accounts: Number
    updated_count: Number
    snapshot_count: Number
    skipped: str | None
    skips: dict[SkipReason, int]
    problems: list[SheetProblem]
    problem_count: Number
    seconds: float


class RunParams(Struct):
    """What the trigger asked for."""

    project_id: str | None
    due: bool
    force: bool
    dry_run: bool
    budget: float | None


class RunLine(RunSummary, kw_only=True):
    """A run in the log."""

    caller: Annotated[str, says("`http`, `background`, `cli`")]
    params: RunParams
    day: Annotated[date, says("the UTC day that its snapshots belong to")]
    started_at: Time
    read_at: Annotated[Time | None, says("when it last began to read the Sheet")]
    finished_at: Time | None
    phase: str | None
    done: Number
    total: Number


class Runs(Struct):
    runs: list[RunLine]
    next_before: Annotated[Time | None, says("`before` of the next page; null: this is the last")]


class RunDetail(RunLine, kw_only=True):
    """A run with every project's outcome and all of its problems."""

    warnings: list[str]
    results: list[ProjectOutcome]


# Status


class RunningRun(RunSummary, kw_only=True):
    phase: str | None
    done: Number
    total: Number


class LateProject(Struct):
    project_id: str
    project_name: str
    synced_at: Time | None
    degraded_since: Time | None


class Spreadsheet(Struct):
    """What one spreadsheet last said."""

    title: str | None
    state: Literal["ok", "degraded", "failed"]
    since: Time | None
    code: str | None
    message: str | None
    checked_at: Time | None


class SheetState(Struct):
    """The worst of the configured spreadsheets, and each of them."""

    state: Literal["ok", "degraded", "failed", "not_configured", "not_read_yet"]
    since: Time | None
    message: str | None
    spreadsheets: list[Spreadsheet]


class Storage(Struct):
    kind: Literal["sqlite", "postgresql"]
    path: str
    durability: Annotated[Durability, says("whether the data is there after a restart")]


class Gap(Struct, rename={"since": "from"}):
    """A time without ticks."""

    since: Time
    until: Time
    seconds: Number


class SyncStatus(Struct):
    """How the service stands."""

    success: bool
    total_projects: Number
    active_projects: Number
    cache_enabled: bool
    timestamp: Time
    running: list[RunningRun]
    last_run: RunSummary | None
    last_success_at: Time | None
    stale_projects: Annotated[list[LateProject], says("at most 100 active projects whose last success is too long ago")]
    held_values: Annotated[int, msgspec.Meta(ge=0, description="implausible readings that wait for a decision")]
    next_due_at: Annotated[Time | None, says("when the first project is to be synced by itself; past: it is overdue")]
    last_tick_at: Annotated[Time | None, says("when somebody last asked for what is due")]
    last_gap: Annotated[Gap | None, says("the last time that nobody did for more than twice the interval")]
    overdue_by_seconds: Number
    stale: Annotated[bool, says("overdue for so long that whoever should trigger has stopped")]
    sheet: SheetState
    storage: Storage
    version: str


class ProjectStatus(Struct):
    """How one project stands."""

    success: bool
    project_id: str
    project_name: str
    status: Literal["active", "paused", "finished", "removed"]
    isSyncing: bool  # noqa: N815  the field's name is promised
    checked_at: Annotated[Time | None, says("the last attempt that came to its end")]
    synced_at: Annotated[Time | None, says("the last success")]
    changed_at: Annotated[Time | None, says("the last time a number changed")]
    next_sync_at: Time | None
    degraded_since: Time | None
    stale: bool
    failures: Annotated[int, msgspec.Meta(ge=0, description="attempts since the last success")]
    last_error: Annotated[str | None, says("of the last attempt; null: it succeeded")]
    total_accounts: Number
    timestamp: Time


# Corrections


class HeldReading(Struct):
    """An implausible reading that was kept aside."""

    id: int
    account_id: int
    metric: Metric
    value: Number
    last_good: Annotated[int | None, says("what the platform said before")]
    observed_at: Time | None
    origin: str | None
    held_at: Time | None
    agreeing: Annotated[int, msgspec.Meta(ge=0, description="later readings that agreed with it")]
    state: HeldState
    decided_at: Time | None


class HeldDecision(HeldReading):
    """A held reading as it stands after the decision."""


class Held(HeldReading, kw_only=True):
    """A held reading with its account and project."""

    profile_url: str
    platform: str
    username: str | None
    project_id: str
    project_name: str


class HeldList(Struct):
    held: list[Held]


class HeldDecided(Struct):
    success: bool
    held: HeldDecision


class PinnedValue(Struct):
    """A metric of an account that a person fixed."""

    account_id: int
    metric: Metric
    value: Number
    until: Annotated[Time | None, says("null: for good")]
    note: str | None


class Pin(PinnedValue, kw_only=True):
    """A pinned value with its account and project."""

    pinned_at: Time | None
    profile_url: str
    project_id: str
    project_name: str


class Pins(Struct):
    pins: list[Pin]


class PinPut(Struct):
    success: bool
    pin: PinnedValue


class Done(Struct):
    success: bool


# Readings


class Unmatched(Struct):
    """A reading that fits no account."""

    index: Annotated[int, msgspec.Meta(ge=0, description="its place in the batch, from 0")]
    account_id: int | None
    profile_url: str | None


class ReadingsKept(Struct):
    """What became of a batch of readings."""

    success: Annotated[bool, says("every reading fits an account")]
    received: Number
    kept: Annotated[int, msgspec.Meta(ge=0, description="observations that were stored")]
    older: Annotated[int, msgspec.Meta(ge=0, description="left out, because what is stored is newer")]
    unmatched: Annotated[list[Unmatched], says("the first 100")]
    unmatched_count: Number


# Sharing


class ShareLink(Struct):
    id: str
    project_id: str
    label: str | None
    created_at: Time
    revoked_at: Annotated[Time | None, says("null: its token opens the project")]


class ShareLinks(Struct):
    share_links: list[ShareLink]


class ShareLinkMade(Struct):
    success: bool
    share_link: ShareLink
    token: Annotated[str, says("opens the project's reads; shown this once")]


class ShareLinkChanged(Struct):
    success: bool
    share_link: ShareLink


# Health


class Health(Struct):
    status: Literal["ok"]
    version: str


class Ready(Struct):
    status: Literal["ready"]
    version: str
