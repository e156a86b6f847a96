"""How the service stands, and how one project does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Struct
from msgspec.structs import asdict

from webapp import __version__, store
from webapp.api.shapes.fields import NextSync, Number, Time, says, zero_or_more
from webapp.api.shapes.platforms import PlatformStatus, UnreadReason, platform_statuses, unread_reasons
from webapp.api.shapes.rows import from_row
from webapp.api.shapes.runs import RunSummary, run_summary
from webapp.clock import iso
from webapp.config import Settings
from webapp.rules.due import is_long_overdue, overdue
from webapp.rules.freshness import are_readings_frozen, are_readings_stale, is_project_stale, stale_readings
from webapp.rules.outcomes import ProjectState, project_state
from webapp.store.db import Database
from webapp.store.projects import Project, Status
from webapp.store.runs import Run
from webapp.store.storage import Durability, ReplicaState

if TYPE_CHECKING:
    from webapp.store.account_reads import UnreadAccounts
    from webapp.store.reading_ages import ReadingAge
    from webapp.store.spreadsheets import Spreadsheet
    from webapp.store.status import ServiceStatus
    from webapp.store.ticks import Tick

SheetState = Literal["ok", "degraded", "failed"]
PROGRAMS_SHOWN = 50
WORSE: tuple[SheetState, ...] = ("ok", "degraded", "failed")


class RunningRun(RunSummary, kw_only=True):
    """A run at work."""

    phase: str | None
    done: Number
    total: Number


class StaleProject(Struct):
    """A project whose last success is too long ago."""

    project_id: str
    project_name: str
    synced_at: Time | None
    degraded_since: Time | None


class FailingProject(Struct):
    """A project that was not whole when it was last synced."""

    project_id: str
    project_name: str
    state: Literal["failed", "degraded"]
    degraded_since: Time | None
    synced_at: Annotated[Time | None, says("the last success")]
    error: Annotated[str | None, says("why, of the last attempt")]


class ReadingsOfProgram(Struct):
    """The readings of one program, and how old they are."""

    origin: Annotated[str | None, says("who reads, as it calls itself, such as `youtube`")]
    accounts: Annotated[int, zero_or_more("whose last reading is its; those that people count by hand are left out")]
    newest_at: Time
    oldest_at: Time
    age_seconds: Annotated[int, zero_or_more("of the newest")]
    late_accounts: Annotated[int, zero_or_more("whose reading is older than SMART_SYNC_READINGS_STALE_AFTER")]
    stale: Annotated[bool, says("even the newest is: the program has stopped")]
    frozen_accounts: Annotated[int, zero_or_more("whose every reading has said the same for 7 days")]
    frozen: Annotated[bool, says("most of its accounts are: it may read nothing new")]


class ReadingsStatus(Struct):
    """Whether the programs that read the platforms still do."""

    state: Literal["none", "fresh", "frozen", "stale"]
    since: Annotated[Time | None, says("the newest reading of the program that has been silent the longest")]
    message: str | None
    programs: list[ReadingsOfProgram]


class SpreadsheetStatus(Struct):
    """What one spreadsheet last said."""

    title: str | None
    state: SheetState
    since: Time | None
    code: str | None
    message: str | None
    checked_at: Time | None


class SheetStatus(Struct):
    """The worst of the configured spreadsheets, and each of them."""

    state: SheetState | Literal["not_configured", "not_read_yet"]
    since: Time | None
    message: str | None
    spreadsheets: list[SpreadsheetStatus]


class ReplicaStatus(Struct):
    """The copy of the database that the server keeps elsewhere."""

    to: Annotated[str, says("where it is, without user and password")]
    state: Annotated[ReplicaState, says("`stopped`: no server copies now, or it cannot say so")]
    since: Annotated[Time | None, says("of the state")]
    message: Annotated[str | None, says("what the matter is")]


class StorageStatus(Struct):
    """Where the data is kept."""

    kind: Literal["sqlite", "postgresql"]
    path: str
    durability: Annotated[Durability, says("whether the data is there after a restart")]
    history_since: Annotated[date | None, says("the first day there is a snapshot of")]
    lost_history_since: Annotated[
        Time | None,
        says("when this database was found empty where one with history had been; null: that was not so, or is known"),
    ]
    lost_history: Annotated[str | None, says("what was lost, in words")]
    replica: Annotated[ReplicaStatus | None, says("null: none is set")]


class LossAcknowledged(Struct):
    """Somebody knows of the history that was lost."""

    success: bool
    acknowledged: Annotated[bool, says("whether there was anything to acknowledge")]


class TickGap(Struct, rename={"since": "from"}):
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
    stale_projects: Annotated[
        list[StaleProject], says("at most 100 active projects whose last success is too long ago")
    ]
    failing_projects: Annotated[
        list[FailingProject], says("at most 100 active projects that were not whole when they were last synced")
    ]
    held_values: Annotated[int, zero_or_more("implausible readings that wait for a decision")]
    next_due_at: Annotated[Time | None, says("when the first project is to be synced by itself; past: it is overdue")]
    last_tick_at: Annotated[Time | None, says("when somebody last asked for what is due")]
    last_gap: Annotated[TickGap | None, says("the last time that nobody did for more than twice the interval")]
    overdue_by_seconds: Number
    stale: Annotated[bool, says("some project is stale, or has been overdue for as long")]
    sheet: SheetStatus
    readings: ReadingsStatus
    platforms: Annotated[list[PlatformStatus], says("that are read by syncs")]
    storage: StorageStatus
    version: str


class ProjectSyncStatus(Struct):
    """How one project stands."""

    success: bool
    project_id: str
    project_name: str
    status: Status | Literal["removed"]
    isSyncing: bool  # noqa: N815  the field's name is promised
    checked_at: Annotated[Time | None, says("the last attempt that came to its end")]
    synced_at: Annotated[Time | None, says("the last success")]
    changed_at: Annotated[Time | None, says("the last time a number changed")]
    next_sync_at: NextSync
    state: Annotated[ProjectState, says("the worst thing that is so")]
    degraded_since: Time | None
    stale: bool
    readings: ReadingsStatus
    unread: Annotated[
        list[UnreadReason], says("accounts that platforms could not be read for; their last reading stands")
    ]
    failures: Annotated[int, zero_or_more("attempts since the last success")]
    last_error: Annotated[str | None, says("of the last attempt; null: it succeeded")]
    total_accounts: Number
    timestamp: Time


def status_of_service(db: Database, settings: Settings, now: datetime) -> ServiceStatus:
    """How the service stands by its settings.

    Raises: StoreError.
    """
    return store.status.service_status(
        db,
        now,
        stale_after_minutes=settings.stale_after,
        readings_stale_after=settings.readings_stale_after,
        lease_ms=settings.lease_ms,
    )


def sync_status_of(found: ServiceStatus, settings: Settings, now: datetime) -> SyncStatus:
    """What every door says of the service."""
    late = overdue(found.next_turn, now)
    return SyncStatus(
        success=True,
        total_projects=found.totals.total,
        active_projects=found.totals.active,
        cache_enabled=False,
        timestamp=iso(now),
        running=[running_run(run) for run in found.running],
        last_run=run_summary(found.last_run) if found.last_run else None,
        last_success_at=iso(found.totals.last_success_at),
        stale_projects=[stale_project(project) for project in found.totals.stale],
        failing_projects=[failing_project(project) for project in found.totals.failing],
        held_values=found.totals.held,
        next_due_at=iso(found.next_turn),
        last_tick_at=iso(found.tick.seen_at) if found.tick else None,
        last_gap=tick_gap(found.tick) if found.tick else None,
        overdue_by_seconds=late,
        stale=bool(found.totals.stale) or is_long_overdue(late, settings.stale_after),
        sheet=sheet_status(found.spreadsheets, configured=settings.configured),
        readings=readings_status(found.readings, settings.readings_stale_after, now),
        platforms=platform_statuses(found.platforms, found.unread, settings, now),
        storage=storage_status(found.storage, settings, now),
        version=__version__,
    )


def storage_status(storage: Mapping[str, Any], settings: Settings, now: datetime) -> StorageStatus:
    lost = iso(storage["lost_history_since"])
    return StorageStatus(**{**storage, "lost_history_since": lost}, replica=replica_status(storage, settings, now))


def replica_status(storage: Mapping[str, Any], settings: Settings, now: datetime) -> ReplicaStatus | None:
    """How the copying goes; None where nothing is copied."""
    if storage["kind"] != "sqlite" or settings.demo or not settings.replica_url:
        return None
    from webapp.store import replicas  # noqa: PLC0415  most have none, and every start would pay

    found = replicas.read(Path(storage["path"]), settings.replica_url, now)
    return None if found is None else ReplicaStatus(found.to, found.state, iso(found.since), found.message)


def running_run(run: Run) -> RunningRun:
    return RunningRun(**asdict(run_summary(run)), phase=run.phase, done=run.done, total=run.total)


def stale_project(project: Project) -> StaleProject:
    return StaleProject(project.id, project.name, iso(project.synced_at), iso(project.degraded_since))


def failing_project(project: Project) -> FailingProject:
    return FailingProject(
        project.id,
        project.name,
        "degraded" if project.degraded_since else "failed",
        iso(project.degraded_since),
        iso(project.synced_at),
        project.last_error,
    )


def readings_status(ages: Sequence[ReadingAge], stale_after: int, now: datetime) -> ReadingsStatus:
    """ages: the longest silent first. stale_after: minutes."""
    stale = [age for age in ages if are_readings_stale(age.newest, stale_after, now)]
    frozen = any(are_readings_frozen(age) for age in ages)
    return ReadingsStatus(
        state="stale" if stale else "frozen" if frozen else "fresh" if ages else "none",
        since=iso(stale[0].newest) if stale else None,
        message="; ".join(stale_readings(ages, stale_after, now)[:5]) or None,
        programs=[_program(age, stale_after, now) for age in ages[:PROGRAMS_SHOWN]],
    )


def _program(age: ReadingAge, stale_after: int, now: datetime) -> ReadingsOfProgram:
    return ReadingsOfProgram(
        origin=age.origin,
        accounts=age.accounts,
        newest_at=iso(age.newest),
        oldest_at=iso(age.oldest),
        age_seconds=max(0, int((now - age.newest).total_seconds())),
        late_accounts=age.late,
        stale=are_readings_stale(age.newest, stale_after, now),
        frozen_accounts=age.frozen,
        frozen=are_readings_frozen(age),
    )


def sheet_status(states: Sequence[Spreadsheet], *, configured: bool) -> SheetStatus:
    """The worst of the spreadsheets, and each of them."""
    if not configured:
        return SheetStatus(state="not_configured", since=None, message="set SMART_SYNC_SHEET", spreadsheets=[])
    worst = max(states, key=lambda state: WORSE.index(state.state), default=None)
    if worst is None:
        return SheetStatus(state="not_read_yet", since=None, message=None, spreadsheets=[])
    each = [from_row(SpreadsheetStatus, state) for state in states]
    return SheetStatus(state=worst.state, since=iso(worst.since), message=worst.message, spreadsheets=each)


def tick_gap(tick: Tick) -> TickGap | None:
    if tick.gap_from is None or tick.gap_until is None:
        return None
    seconds = int((tick.gap_until - tick.gap_from).total_seconds())
    return TickGap(iso(tick.gap_from), iso(tick.gap_until), seconds)


def project_sync_status(
    project: Project,
    settings: Settings,
    now: datetime,
    *,
    syncing: bool,
    accounts: int,
    ages: Sequence[ReadingAge],
    unread: Sequence[UnreadAccounts],
) -> ProjectSyncStatus:
    """accounts: how many the project has. ages: of its readings. unread: accounts that platforms could not be read for."""
    stale = is_project_stale(project, settings.stale_after, now)
    return from_row(
        ProjectSyncStatus,
        project,
        success=True,
        project_id=project.id,
        project_name=project.name,
        status="removed" if project.removed_at else project.status,
        isSyncing=syncing,
        next_sync_at=iso(project.turn(now)),
        state=project_state(project, stale=stale, syncing=syncing),
        stale=stale,
        readings=readings_status(ages, settings.readings_stale_after, now),
        unread=unread_reasons(unread),
        total_accounts=accounts,
        timestamp=iso(now),
    )
