"""One project: from the cells of its tab to what is written of it, in one short transaction."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from webapp.errors import LostLease, SourceError
from webapp.model import METRICS, NOTHING, Counts, Problem, larger, lease_of
from webapp.rules.due import next_turn
from webapp.rules.merge import Pin, pin_in_force
from webapp.sources.sheet import Cells, Tab
from webapp.sources.sheet.reading import TabReading
from webapp.sources.sheet.rows import PARSER_VERSION, read_tab
from webapp.store import accounts, changes, held, leases, observations, pins, projects, runs, snapshots
from webapp.store.db import Database
from webapp.store.projects import Project
from webapp.store.runs import ProjectResult
from webapp.store.types import UtcDateTime, native
from webapp.sync.collector import collector_paused
from webapp.sync.plan import Change, Inputs, NewAccount, Plan, make_plan, may_have_shrunk, shrinkage

PROBLEMS_KEPT = 1_000


@dataclass(frozen=True)
class Shortcuts:
    """What a sync may leave out because it can not change the result. All off must give the same answers."""

    unchanged_tab: bool = True  # do not parse cells that are the same as last time
    settled: bool = True  # do not merge when no input of the merge has changed


@dataclass(frozen=True)
class Options:
    """How projects are synced, from the settings."""

    discover: bool = True
    latest_snapshot: bool = False
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    interval_minutes: int = 30
    lease_ms: int = 60_000
    shortcuts: Shortcuts = field(default_factory=Shortcuts)


@dataclass(frozen=True)
class SheetSide:
    """What one run learned of a project's tab.

    cells: as read, None when the tab was not read. error: why not, or why what was read is no use.
    degraded: the source is out of reach for now; what it said before stands.
    """

    tab: Tab | None = None
    cells: Cells | None = None
    locale: str | None = None
    error: SourceError | None = None
    degraded: bool = False
    reading: TabReading | None = None
    seen: str | None = None
    unchanged: bool = False


@dataclass(frozen=True)
class Outcome:
    """A project's result, and in a dry run what it would change."""

    result: ProjectResult
    changes: tuple[Change, ...] = ()


def understand(side: SheetSide, project: Project, options: Options, *, force: bool) -> SheetSide:
    """Parse the cells, unless they are what the stored observations were read from already."""
    if side.cells is None or side.tab is None:
        return side
    if side.cells.error is not None:
        return replace(side, error=side.cells.error)
    seen = _seen(side, options)
    if options.shortcuts.unchanged_tab and not force and seen == project.sheet_seen:
        return replace(side, seen=seen, unchanged=True)
    try:
        reading = read_tab(side.cells.rows(), side.tab.title, side.locale, options.aliases)
    except SourceError as error:
        return replace(side, error=error)
    return replace(side, seen=seen, reading=reading)


def _seen(side: SheetSide, options: Options) -> str:
    """A hash of everything that decides what the tab means."""
    assert side.cells is not None and side.tab is not None  # noqa: S101, PT018  narrows the types
    settings = repr((PARSER_VERSION, side.tab.title, side.locale, options.discover, sorted(options.aliases.items())))
    return hashlib.sha256(side.cells.digest + settings.encode("utf-8", "surrogatepass")).hexdigest()


class ProjectSync:
    """Writes one project after another on behalf of one run."""

    def __init__(
        self,
        db: Database,
        options: Options,
        run: runs.Run,
        *,
        force: bool,
        enter: Callable[[str], None],
        earlier: ProjectResult | None = None,
    ) -> None:
        self.db = db
        self.options = options
        self.run = run
        self.force = force
        self.enter = enter  # told which phase of the work begins
        self.earlier = earlier  # what the same run did to the project in a pass before

    def __call__(
        self, project: Project, side: SheetSide, fence: int | None, position: int, clock: Callable[[], datetime]
    ) -> Outcome:
        """Merge and write a project; in a dry run only plan it.

        Raises: LostLease, StoreError.
        """
        with collector_paused():
            return self.sync(project, side, fence, position, clock)

    def sync(
        self, project: Project, side: SheetSide, fence: int | None, position: int, clock: Callable[[], datetime]
    ) -> Outcome:
        started = time.monotonic()
        side = understand(side, project, self.options, force=self.force)
        if self.run.dry_run:
            with self.db.read() as tx:
                draft = self.draft(tx, project, side, clock(), explain=True)
            result = self.result(project, side, draft, position, clock(), started)
            return Outcome(result, tuple(draft.plan.changes) if draft.plan else ())
        assert fence is not None  # noqa: S101  only a dry run goes without a lease
        with self.db.write() as tx:
            leases.release(tx, lease_of(project.id), self.run.id, fence)
            if not runs.is_live(tx, self.run.id):
                raise LostLease("this run was taken for dead and closed; nothing was written")
            current = projects.locked(tx, project.id) or project
            now = clock()
            draft = self.draft(tx, current, side, now, explain=False)
            self.enter("write")
            draft = self.write(tx, current, draft, now)
            result = self.result(current, side, draft, position, now, started)
            projects.update(tx, project.id, self.project_values(current, side, draft, now))
            runs.put_result(tx, self.run.id, result)
        return Outcome(result)

    def draft(self, tx: sa.Connection, project: Project, side: SheetSide, now: datetime, *, explain: bool) -> Draft:
        """What has to be written, by the stored accounts and the tab."""
        report = project.sheet_report or {}
        if self.nothing_changed(tx, project, side):
            return Draft(None, sheet_read=True, report=report["final"], read_report=report["read"])
        if side.reading is not None:
            _follow(side.reading, accounts.aliases_of(tx, project.id))
        inputs = Inputs(
            now,
            project.merge_policy,
            side.reading,
            discover=self.options.discover,
            columns=project.sheet_columns or {},
            pins=_pins(tx, project.id, now),
            held=held.of_project(tx, project.id),
        )
        plan = make_plan(observations.stored_accounts(tx, project.id), inputs, explain=explain)
        guarded = None
        if side.reading is not None and not self.force and may_have_shrunk(plan):
            guarded = shrinkage(plan, side.reading, *observations.metric_totals(tx, project.id))
        if guarded is not None:
            inputs = replace(inputs, reading=None)
            plan = make_plan(observations.stored_accounts(tx, project.id), inputs, explain=explain)
        return _draft(plan, side, report, guarded)

    def nothing_changed(self, tx: sa.Connection, project: Project, side: SheetSide) -> bool:
        return (
            self.options.shortcuts.settled
            and side.unchanged
            and project.settled
            and project.sheet_report is not None
            and not observations.changed_readings(tx, project.id)
        )

    def write(self, tx: sa.Connection, project: Project, draft: Draft, now: datetime) -> Draft:
        """Write the plan and the day's snapshots; the draft with what the database then counted."""
        updated = 0
        if draft.plan is not None:
            updated = _write_plan(tx, project.id, draft.plan, now)
            changes.add(tx, project.id, self.run.id, draft.plan.told, now)
            corrected = draft.plan.counts if self.options.latest_snapshot else draft.plan.lowered
            snapshots.correct_snapshots(tx, self.run.day, corrected)
        self.enter("snapshot")
        # The time of the run, not of this write: a run that crosses midnight belongs to one day.
        created = snapshots.add_snapshots(
            tx, project.id, self.run.day, self.run.started_at, sheet_read=draft.sheet_read
        )
        return replace(draft, updated=updated, created=created)

    def result(
        self, project: Project, side: SheetSide, draft: Draft, position: int, now: datetime, started: float
    ) -> ProjectResult:
        problems = draft.report["problems"]
        skips = draft.report["skips"] | ({"unchanged": draft.report["total"]} if side.unchanged else {})
        updated = draft.updated
        if self.run.dry_run and draft.plan is not None:
            updated = would_update(draft.plan)
        return ProjectResult(
            project_id=project.id,
            project_name=self.name_of(project, side),
            position=position,
            success=side.error is None or side.degraded,
            degraded=side.degraded or draft.guarded,
            total_accounts=draft.report["total"],
            updated_count=updated + (self.earlier.updated_count if self.earlier else 0),
            snapshot_count=draft.created + (self.earlier.snapshot_count if self.earlier else 0),
            skips=skips,
            problems=problems[:PROBLEMS_KEPT],
            problem_count=len(problems),
            error_code=side.error.code if side.error else None,
            error=str(side.error) if side.error else None,
            finished_at=now,
            seconds=round(time.monotonic() - started, 6),
        )

    @staticmethod
    def name_of(project: Project, side: SheetSide) -> str:
        """A renamed tab renames its project, unless somebody named it over the API."""
        return project.name if project.name_set or side.tab is None else side.tab.title.strip() or project.name

    def project_values(self, project: Project, side: SheetSide, draft: Draft, now: datetime) -> dict[str, Any]:
        """The project's own row after this sync."""
        values: dict[str, Any] = {"checked_at": now}
        name = self.name_of(project, side)
        if side.tab is not None and (name, side.tab.title) != (project.name, project.worksheet_title):
            values |= {"name": name, "worksheet_title": side.tab.title, "updated_at": now}
        whole = draft.sheet_read or (side.cells is None and side.error is None and not side.degraded)
        if whole:
            values |= {"synced_at": now, "degraded_since": None}
        elif project.degraded_since is None:
            values["degraded_since"] = now
        error = None if whole else _why(side, draft)
        values |= next_turn(project, self.options.interval_minutes, self.run.started_at, now, error)
        if side.reading is not None and not draft.guarded:
            values |= {"sheet_seen": side.seen, "sheet_columns": dict(side.reading.columns)}
        if side.cells is not None:
            values["sheet_bytes"] = side.cells.size
        plan = draft.plan
        if plan is not None:
            values["settled"] = plan.settled and draft.sheet_read
            values["sheet_report"] = {"final": draft.report, "read": draft.read_report}
        if draft.updated:
            values["changed_at"] = now
        if draft.created or "name" in values or (plan is not None and plan.changes_what_readers_see):
            values["revision"] = project.revision + 1
        return values


@dataclass(frozen=True)
class Draft:
    """A plan with what is reported of it. plan None: nothing has changed since the last sync."""

    plan: Plan | None
    sheet_read: bool
    report: Mapping[str, Any]
    read_report: Mapping[str, Any]
    guarded: bool = False
    updated: int = 0
    created: int = 0


def _draft(plan: Plan, side: SheetSide, report: Mapping[str, Any], guarded: Problem | None) -> Draft:
    """Reports: what was wrong with the tab itself is repeated while the tab is unchanged."""
    problems: list[Mapping[str, Any]] = [asdict(problem) for problem in plan.problems]
    skips: dict[str, int] = {str(reason): n for reason, n in plan.skips.items()}
    if side.reading is not None and guarded is None:
        read: Mapping[str, Any] = {
            "problems": [asdict(problem) for problem in (*side.reading.problems, *plan.unmatched)],
            "skips": {reason: n for reason, n in skips.items() if reason != "off"},
        }
    else:
        read = report.get("read") or {"problems": [], "skips": {}}
        skips = dict(read["skips"]) | skips
        problems = [*([asdict(guarded)] if guarded else []), *read["problems"], *problems]
    final = {"problems": problems, "skips": skips, "total": plan.total}
    sheet_read = guarded is None and (side.reading is not None or side.unchanged)
    return Draft(plan, sheet_read, final, read, guarded=guarded is not None)


def _why(side: SheetSide, draft: Draft) -> str:
    """Why what the sheet says was not taken over."""
    if draft.guarded:
        return str(draft.report["problems"][0]["message"])
    return str(side.error or "the sheet was not read")


def would_update(plan: Plan) -> int:
    return len(plan.counts) + sum(account.counts != NOTHING for account in plan.new)


def _write_plan(tx: sa.Connection, project_id: str, plan: Plan, now: datetime) -> int:
    """Everything a plan changes; how many accounts have other counts than before."""
    stamp = native(tx, UtcDateTime(), now)
    new = [_new(account) for account in plan.new]
    ids = accounts.add_accounts(tx, project_id, new, now)
    sheet: list[tuple[Any, ...]] = [
        (account_id, "sheet", *account.counts, stamp, account.origin, None)
        for account_id, account in zip(ids, plan.new, strict=True)
        if account.counts != NOTHING
    ]
    fresh = len(sheet)
    sheet.extend(
        (account, "sheet", *counts, stamp if since is now else since, origin, note)
        for account, counts, since, origin, note in plan.sheet
    )
    observations.put_sheet(tx, sheet)
    observations.drop_sheet(tx, plan.unsaid)
    accounts.describe_accounts(tx, [(*_described(row, mode), account) for account, row, mode in plan.described])
    accounts.remove_accounts(tx, plan.removed, now, "sheet")
    accounts.return_accounts(tx, plan.returned)
    observations.put_accepted(tx, plan.accepted)
    observations.drop_accepted(tx, plan.forgotten)
    _write_held(tx, plan, now)
    return accounts.write_counts(tx, plan.counts, now) + fresh


def _new(account: NewAccount) -> tuple[Any, ...]:
    row, profile = account.row, account.row.profile
    return (
        profile.platform,
        profile.username,
        row.typed,
        profile.url_key,
        row.topic,
        row.owner,
        row.status,
        account.mode,
        *account.counts,
    )


def _described(row: Any, mode: str) -> tuple[Any, ...]:
    return (row.profile.platform, row.profile.username, row.typed, row.topic, row.owner, row.status, mode)


def _write_held(tx: sa.Connection, plan: Plan, now: datetime) -> None:
    opened: list[tuple[Any, ...]] = []
    changed: list[tuple[Any, ...]] = []
    for one in plan.held:
        rest = (one.value, one.last_good, one.observed_at, one.origin, one.held_at, one.agreeing, one.state)
        if one.id is None:
            opened.append((one.account_id, METRICS[one.metric], *rest))
        else:
            changed.append((*rest, None if one.state == "held" else now, one.id))
    held.put(tx, opened, changed)


def _follow(reading: TabReading, aliases: Mapping[str, str]) -> None:
    """Give the rows of a corrected or merged profile URL to the account that they mean now."""
    for alias, key in aliases.items():
        row = reading.rows.pop(alias, None)
        if row is None:
            continue
        other = reading.rows.get(key)
        if other is not None:  # two rows of one account, like any other double
            counts = Counts._make(map(larger, other.counts, row.counts))
            row = other._replace(counts=counts, unread=other.unread & row.unread, more=(*other.more, row.row))
        reading.rows[key] = row


def _pins(tx: sa.Connection, project_id: str, now: datetime) -> dict[int, tuple[Pin, ...]]:
    """Pins in force: {account id: pins}."""
    found: dict[int, tuple[Pin, ...]] = {}
    for pin in pins.of_project(tx, project_id):
        if pin_in_force(pin.until, now):
            found[pin.account_id] = (*found.get(pin.account_id, ()), Pin(pin.metric, pin.value))
    return found
