"""The engine: one trigger's run as an iterator of project results.

The endpoint lists them, the command line draws a progress bar from them. All network reads of a project come before
its one write transaction; every fact about the run is in the database, so any worker can answer for it.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from webapp.clock import Budget, Clock, utc_day
from webapp.errors import Invalid, LostLease, NotFound, SourceError, StoreError, TransientSourceError
from webapp.model import RunState, lease_of
from webapp.rules.due import TOLERANCE, next_turn
from webapp.rules.freshness import freshness
from webapp.rules.outcomes import state_of
from webapp.sources.sheet import Book, Cells, SheetSource, Tab
from webapp.sources.sheet.rows import has_header
from webapp.store import leases, projects, runs, schedule, spreadsheets, ticks
from webapp.store.db import Database
from webapp.store.projects import Project
from webapp.store.runs import NewRun, ProjectResult, Run
from webapp.store.spreadsheets import Spreadsheet
from webapp.sync.discovery import Tabs, assign
from webapp.sync.heart import Heart
from webapp.sync.project import Options, Outcome, ProjectSync, SheetSide
from webapp.sync.trigger import Started, Trigger

log = logging.getLogger("smart_sync")

READ_SHARE = 0.8  # of the budget, so that time is left to merge what is stored when the sheet does not answer
WARNINGS_KEPT = 50
NO_SHEETS = "Sheets not configured: set SMART_SYNC_SHEET; only stored readings were merged"


@dataclass
class _Work:
    """What one run has done so far. Lives in the process that runs it; what matters is in the run's row."""

    run: Run
    trigger: Trigger
    budget: Budget
    started: float
    results: dict[str, ProjectResult] = field(default_factory=dict)
    warnings: dict[str, None] = field(default_factory=dict)  # a set that keeps its order
    degraded: bool = False
    total: int = 0
    remaining: int = 0
    phase: str = "read"
    calls_before: int = 0
    reading: bool = False
    error: SourceError | None = None

    def warn(self, text: str) -> None:
        if len(self.warnings) < WARNINGS_KEPT:
            self.warnings.setdefault(text)

    def enter(self, phase: str) -> None:
        self.phase = phase

    @property
    def cut_short(self) -> bool:
        """Whether a shutdown has ended the run, and what it waited for; that says nothing about the sheet."""
        return self.budget.stopped and self.budget.used_up

    def progress(self) -> dict[str, Any]:
        return {"phase": self.phase, "done": len(self.results), "total": max(self.total, len(self.results))}


@dataclass(frozen=True)
class _Turn:
    """One project's turn within its spreadsheet. project None: a tab that may become one."""

    project: Project | None
    tab: Tab | None
    fence: int | None
    error: SourceError | None = None
    spreadsheet: str | None = None


class Engine:
    """Runs syncs. Holds nothing between runs but its parts.

    sheets: the configured spreadsheets; the first is the default one, which projects without a `spreadsheet` mean.
    """

    def __init__(
        self, db: Database, sheets: Sequence[SheetSource], options: Options, clock: Clock | None = None
    ) -> None:
        self.db = db
        self.sheets = tuple(sheets)
        self.options = options
        self.clock = clock or Clock()

    # Starting

    def start(self, trigger: Trigger) -> Started:
        """Record a run for the trigger, or find the one that answers for it.

        A tick that finds nothing due is recorded as a run that has ended; `run` then has nothing to do.

        Raises: NotFound for an unknown project; Invalid for a key that stands for another trigger; StoreError.
        """
        now = self.clock.now()
        ttl = self.options.lease_ms
        with self.db.read() as tx:
            project = projects.by_id(tx, trigger.project_id) if trigger.project_id else None
            if trigger.project_id and (project is None or project.removed_at is not None):
                raise NotFound(f"there is no project {trigger.project_id!r}", code="project_not_found")
            answer = self._replay(runs.by_key(tx, trigger.idempotency_key, now), trigger)
            idle = _is_tick(trigger) and not self._anything_due(tx, now)
            live = None if idle else runs.live_like(tx, trigger.identity, ttl)
        if live is not None and (live.read_at is None or live.again) and trigger.idempotency_key is None:
            answer = Started(live, "coalesced")
        if answer is None:
            return self._start(trigger, now, ttl, idle=idle)
        if _is_tick(trigger):
            with self.db.write() as tx:
                self._saw_tick(tx, trigger, now)
        return answer

    def _anything_due(self, tx: sa.Connection, now: datetime) -> bool:
        keys = [sheet.key for sheet in self.sheets]
        return schedule.anything_due(tx, now + TOLERANCE, self.options.interval_minutes, keys)

    def _lacking(self) -> list[str]:
        """What keeps every run from reading a sheet, in words."""
        return [] if self.sheets else [NO_SHEETS]

    def _saw_tick(self, tx: sa.Connection, trigger: Trigger, now: datetime) -> None:
        longest = timedelta(minutes=2 * self.options.interval_minutes)
        gap = ticks.put(tx, now, trigger.caller, longest)
        if gap is not None:
            minutes = gap // timedelta(minutes=1)
            log.warning("[SmartSync] no tick came for %d minutes; what was missed is made up for once", minutes)

    def _start(self, trigger: Trigger, now: datetime, ttl: int, *, idle: bool) -> Started:
        run_id = str(uuid.uuid4())
        new = NewRun(
            id=run_id,
            caller=trigger.caller,
            identity=run_id if trigger.dry_run else trigger.identity,
            params=trigger.params,
            day=utc_day(now),
            started_at=now,
            idempotency_key=trigger.idempotency_key,
            dry_run=trigger.dry_run,
        )
        with self.db.write() as tx:
            for dead in runs.close_dead(tx, now, ttl):
                leases.release_all(tx, dead)  # should it wake up, it finds that it has no right to anything
                log.warning("[SmartSync] closed an abandoned run", extra={"run_id": dead})
            replayed = self._replay(runs.by_key(tx, trigger.idempotency_key, now), trigger)
            if _is_tick(trigger):
                self._saw_tick(tx, trigger, now)
            if replayed is not None:
                return replayed
            if runs.add_idle(tx, new, self._lacking()) if idle else runs.add(tx, new):
                run = runs.by_id(tx, run_id)
                assert run is not None  # noqa: S101  it was added in this transaction
                return Started(run, "fresh")
            live = runs.live_like(tx, trigger.identity, ttl)
            if live is None or not runs.ask_again(tx, live.id, trigger.idempotency_key):
                raise StoreError("two triggers met and neither run could be recorded", code="database_busy")
            return Started(live, "coalesced")

    @staticmethod
    def _replay(run: Run | None, trigger: Trigger) -> Started | None:
        if run is None:
            return None
        if dict(run.params) != trigger.params:
            raise Invalid(
                "this Idempotency-Key was used for another trigger in the last 24 hours",
                field="Idempotency-Key",
                code="idempotency_key_reused",
                hint="use a new key for each schedule",
            )
        return Started(run, "coalesced" if run.live else "replayed")

    # Running

    def run(self, run: Run, trigger: Trigger, budget: Budget) -> Iterator[Outcome]:
        """Work a fresh run off. Yields each project's outcome once it is written.

        The run is closed when the iterator ends, however it ends. A trigger that came meanwhile makes one more pass:
        projects then come again, with what that pass changed.

        Raises: StoreError when the database can not go on.
        """
        if not run.live:
            return
        work = _Work(run, trigger, budget, time.monotonic(), calls_before=self._calls())
        log.info("[SmartSync] sync started", extra={"run_id": run.id, "caller": trigger.caller, **trigger.params})
        closed = False
        try:
            with Heart(self.db, run.id, self.options.lease_ms, work.progress):
                while True:
                    yield from self._pass(work)
                    if self._close(work, force=budget.used_up or run.dry_run):
                        closed = True
                        return
        except LostLease as error:
            log.warning("[SmartSync] %s", error, extra={"run_id": run.id})
            closed = self._close(work, force=True)
        except StoreError as error:
            closed = self._close_failed(work, error.code, str(error))
            raise
        except Exception as error:
            log.exception("[SmartSync] sync failed", extra={"run_id": run.id})
            closed = self._close_failed(work, "internal_error", f"unexpected {type(error).__name__}; see the log")
            raise
        finally:
            if not closed:
                self._close_failed(work, "cancelled", "the caller went away", state="cancelled")

    @contextmanager
    def _writing(self, work: _Work) -> Iterator[sa.Connection]:
        """A write transaction for a run that is alive; it counts as a sign of life.

        Raises: LostLease when somebody took the run for dead and closed it; StoreError.
        """
        with self.db.write() as tx:
            if not runs.beat(tx, work.run.id, work.progress()):
                raise LostLease("this run was taken for dead and closed; it writes nothing more")
            yield tx

    def _calls(self) -> int:
        return sum(sheet.calls for sheet in self.sheets)

    def _pass(self, work: _Work) -> Iterator[Outcome]:
        """Every project once. What a pass before could not read may be there now."""
        work.remaining, work.error, work.degraded = 0, None, False
        work.warnings.clear()
        if work.reading:  # one more pass that a trigger asked for, which this answers even if there is nothing to read
            self._begin_pass(work)
        with self.db.read() as tx:
            wanted = self._wanted(tx, work)
            asleep = [] if work.trigger.due or work.trigger.project_id else projects.paused(tx)
            sheets = self._sheets_wanted(tx, work)
        for project in asleep:
            yield from self._skipped(work, project, "paused")
        groups = self._groups(wanted, sheets)
        work.total = sum(len(group) for _, group in groups)
        for source, group in groups:
            if work.budget.used_up:
                work.remaining += len(group) or 1  # a spreadsheet whose tabs nobody has seen yet
                continue
            yield from self._group(work, source, group)
        self._advise(work)

    def _wanted(self, tx: Any, work: _Work) -> list[Project]:
        if work.trigger.project_id:
            project = projects.by_id(tx, work.trigger.project_id)
            return [project] if project is not None and project.removed_at is None else []
        if work.trigger.due:
            return schedule.due(tx, self.clock.now() + TOLERANCE, self.options.interval_minutes)
        return projects.active(tx)

    def _sheets_wanted(self, tx: sa.Connection, work: _Work) -> list[SheetSource]:
        """The spreadsheets to look through for new tabs, whoever is synced: all of them, or those that are due."""
        if work.trigger.project_id:
            return []
        if not work.trigger.due:
            return list(self.sheets)
        keys = [sheet.key for sheet in self.sheets]
        due = spreadsheets.due(tx, self.clock.now() + TOLERANCE, self.options.interval_minutes, keys)
        return [sheet for sheet in self.sheets if sheet.key in due]

    def _groups(
        self, wanted: Sequence[Project], sheets: Sequence[SheetSource]
    ) -> list[tuple[SheetSource | None, list[Project]]]:
        """Projects by spreadsheet, the longest-waiting first; then the spreadsheets to be asked without any."""
        sources: dict[str | None, SheetSource] = {sheet.key: sheet for sheet in reversed(self.sheets)}
        if self.sheets:
            sources[None] = self.sheets[0]
        groups: dict[int, tuple[SheetSource | None, list[Project]]] = {}
        for project in wanted:
            source = sources.get(project.spreadsheet)
            groups.setdefault(id(source), (source, []))[1].append(project)
        for sheet in sheets:
            groups.setdefault(id(sheet), (sheet, []))
        return list(groups.values())

    def _advise(self, work: _Work) -> None:
        for words in self._lacking():
            work.warn(words)
        if self.sheets and not work.results and not work.remaining and work.error is None and not work.trigger.due:
            work.warn("no projects: no tab with a recognisable header was found")

    # One spreadsheet

    def _group(self, work: _Work, source: SheetSource | None, group: Sequence[Project]) -> Iterator[Outcome]:
        reasons = {project.id: self._left_alone(work, project) for project in group}
        fences = self._take(work, [project for project in group if reasons[project.id] is None])
        mine: list[Project] = []
        for project in group:
            reason = reasons[project.id]
            if reason is not None:
                yield from self._skipped(work, project, reason)
            elif work.run.dry_run or project.id in fences:
                mine.append(project)
            else:
                yield from self._skipped(work, project, "already_running")
        if not mine and (group or work.trigger.project_id):
            return
        if source is None:
            yield from self._without_sheet(work, mine, fences)
            return
        try:
            book, tabs = self._open(work, source, mine)
        except SourceError as error:
            if work.cut_short:
                work.remaining += len(mine) or 1
                return
            if mine or not self._can_wait(work, error):
                work.error = error
            yield from self._without_answer(work, mine, fences, error)
            return
        turns = self._turns(work, self._key(source), book, tabs, mine, fences)
        yield from self._read(work, source, book, turns)

    def _left_alone(self, work: _Work, project: Project) -> str | None:
        """Why this run does not sync the project. A tick goes by the schedule alone, and `force` by nothing."""
        if project.status == "finished":
            return "finished"
        if work.trigger.due or work.trigger.force:
            return None
        return freshness(project.synced_at, project.min_interval_minutes, self.clock.now())

    def _can_wait(self, work: _Work, error: SourceError) -> bool:
        """Whether a tick that only looked for new tabs may put up with a spreadsheet that is away for the moment."""
        if not work.trigger.due or not isinstance(error, TransientSourceError):
            return False
        with self.db.read() as tx:
            return bool(projects.active(tx))

    def _take(self, work: _Work, group: Sequence[Project]) -> dict[str, int]:
        """{project id: fence} of those that nobody else is syncing, taken before their sheet is read."""
        if work.run.dry_run or not group:
            return {}
        names = {lease_of(project.id): project.id for project in group}
        with self.db.read() as tx:
            free = leases.free(tx, names, self.options.lease_ms)
        if not free:
            return {}
        with self._writing(work) as tx:
            taken = leases.take(tx, free, work.run.id, self.options.lease_ms)
        return {names[name]: fence for name, fence in taken.items()}

    def _begin_reading(self, work: _Work) -> None:
        """Before the first read: triggers from here on ask for another pass."""
        if not work.reading:
            self._begin_pass(work)
            work.reading = True

    def _begin_pass(self, work: _Work) -> None:
        with self._writing(work) as tx:
            runs.begin_pass(tx, work.run.id, self.clock.now())

    def _open(self, work: _Work, source: SheetSource, mine: Sequence[Project]) -> tuple[Book, Tabs]:
        """The spreadsheet's tabs, matched with the projects.

        Raises: SourceError, after noting it as the spreadsheet's state.
        """
        self._begin_reading(work)
        work.enter("read")
        try:
            book = source.book(work.budget.part(READ_SHARE))
        except SourceError as error:
            if not work.cut_short:
                self._note(work, source, None, error)
            raise
        self._note(work, source, book, None)
        key = self._key(source)
        with self.db.read() as tx:
            taken = projects.bound_tabs(tx, key)
            unbound = projects.unbound(tx, key)
            tabs = assign(book, mine, taken, unbound, spreadsheets.ignored(tx, key))
        return book, tabs

    def _key(self, source: SheetSource) -> str | None:
        """What projects of this spreadsheet store: null for the default one."""
        return None if source is self.sheets[0] else source.key

    def _note(self, work: _Work, source: SheetSource, book: Book | None, error: SourceError | None) -> None:
        if work.run.dry_run:
            return
        now = self.clock.now()
        transient = isinstance(error, TransientSourceError)
        seen = Spreadsheet(
            key=source.key,
            title=book.title if book else None,
            locale=book.locale if book else None,
            state="ok" if error is None else ("degraded" if transient else "failed"),
            since=now,
            code=error.code if error else None,
            message=str(error) if error else None,
            checked_at=now,
        )
        with self._writing(work) as tx:
            spreadsheets.put(tx, seen)

    def _turns(
        self, work: _Work, key: str | None, book: Book, tabs: Tabs, mine: Sequence[Project], fences: Mapping[str, int]
    ) -> list[_Turn]:
        """Who is read, in the order of waiting; then the tabs that may become projects."""
        named = self._bind(work, tabs, mine)
        turns: list[_Turn] = []
        for project in mine:
            tab = tabs.bound.get(project.id) or named.get(project.id)
            error = _missing(project, book) if project in tabs.missing else None
            if tab is not None and not tab.grid:
                error = SourceError(f"the tab {tab.title!r} has no cells: it is a chart", code="tab_without_cells")
            turns.append(_Turn(project, None if error else tab, fences.get(project.id), error))
        if work.trigger.project_id is not None:
            return turns
        for words in tabs.left_out:
            work.warn(words)
        if self.options.discover:
            turns += [_Turn(None, tab, None, spreadsheet=key) for tab in tabs.candidates]
        else:
            for tab in tabs.candidates:
                work.warn(f"tab {tab.title!r} is no project, and new ones are not made (SMART_SYNC_DISCOVER=false)")
        return turns

    def _bind(self, work: _Work, tabs: Tabs, mine: Sequence[Project]) -> dict[str, Tab]:
        named = {project.id: tabs.taken_by_name[project.id] for project in mine if project.id in tabs.taken_by_name}
        if named and not work.run.dry_run:
            with self._writing(work) as tx:
                for project_id, tab in named.items():
                    projects.bind(tx, project_id, tab.id, tab.title, self.clock.now())
        return named

    def _read(self, work: _Work, source: SheetSource, book: Book, turns: Sequence[_Turn]) -> Iterator[Outcome]:
        """Read the tabs, whole tabs at a time, and sync each project as its cells come in."""
        readable = [turn for turn in turns if turn.tab is not None]
        for turn in turns:
            if turn.tab is None and turn.project is not None:
                yield from self._sync(work, turn, SheetSide(error=turn.error))
        tabs = [turn.tab for turn in readable if turn.tab is not None]
        sizes = [turn.project.sheet_bytes if turn.project else None for turn in readable]
        answers = source.read(tabs, sizes, work.budget.part(READ_SHARE)) if tabs else iter(())
        for place, turn in enumerate(readable):
            if work.budget.used_up:
                work.remaining += len(readable) - place
                return
            try:
                cells = next(answers)
            except SourceError as error:
                if work.cut_short:
                    work.remaining += len(readable) - place
                    return
                work.error = error
                self._note(work, source, book, error)
                rest = [other for other in readable[place:] if other.project is not None]
                yield from self._all_without(work, rest, error)
                return
            yield from self._sync(work, turn, SheetSide(tab=turn.tab, cells=cells, locale=book.locale))

    def _without_sheet(self, work: _Work, mine: Sequence[Project], fences: Mapping[str, int]) -> Iterator[Outcome]:
        """Projects of no sheet we know: their readings are merged with what is stored."""
        self._begin_reading(work)
        for project in mine:
            error = None
            if project.spreadsheet is not None:
                error = SourceError(
                    f"the spreadsheet {project.spreadsheet!r} of this project is not configured",
                    code="sheet_not_configured",
                    hint="add it to SMART_SYNC_SHEET",
                )
            turn = _Turn(project, None, fences.get(project.id), error)
            yield from self._sync(work, turn, SheetSide(error=error))

    def _without_answer(
        self, work: _Work, mine: Sequence[Project], fences: Mapping[str, int], error: SourceError
    ) -> Iterator[Outcome]:
        turns = [_Turn(project, None, fences.get(project.id), error) for project in mine]
        yield from self._all_without(work, turns, error)

    def _all_without(self, work: _Work, turns: Sequence[_Turn], error: SourceError) -> Iterator[Outcome]:
        """The spreadsheet did not answer: what it said before stands, and is merged with the readings."""
        transient = isinstance(error, TransientSourceError)
        if transient:
            work.degraded = True
        work.warn(f"Sheets: {error}; the stored sheet values were used")
        for turn in turns:
            yield from self._sync(work, turn, SheetSide(error=error, degraded=transient))

    # One project

    def _sync(self, work: _Work, turn: _Turn, side: SheetSide) -> Iterator[Outcome]:
        work.enter("merge")
        project, fence = turn.project, turn.fence
        if project is None:
            assert side.cells is not None and turn.tab is not None  # noqa: S101, PT018  narrows the types
            found = self._discover(work, turn, turn.tab, side.cells)
            if found is None:
                return
            project, fence = found
        earlier = work.results.get(project.id)
        syncing = ProjectSync(
            self.db, self.options, work.run, force=work.trigger.force, enter=work.enter, earlier=earlier
        )
        position = earlier.position if earlier else len(work.results)
        try:
            outcome = syncing(project, side, fence, position, self.clock.now)
        except LostLease as error:
            outcome = self._failed(work, project, position, error.code, str(error))
        except StoreError as error:
            self._failed(work, project, position, error.code, str(error), record=False)
            raise
        except Exception as error:
            log.exception("[SmartSync] a project failed", extra={"run_id": work.run.id, "project": project.name})
            words = f"unexpected {type(error).__name__}; see the log"
            outcome = self._failed(work, project, position, "internal_error", words)
            self._postpone(work, project, words)
        yield self._keep(work, outcome)

    def _discover(self, work: _Work, turn: _Turn, tab: Tab, cells: Cells) -> tuple[Project, int | None] | None:
        """A project and its lease for a tab that looks like one; None, with a warning, when it does not."""
        if cells.error is not None:
            work.warn(f"tab {tab.title!r}: {cells.error}")
            return None
        try:
            fits = has_header(cells.rows(), self.options.aliases)
        except SourceError as error:
            work.warn(f"tab {tab.title!r}: {error}")
            return None
        if not fits:
            work.warn(f"tab {tab.title!r} has no header that is understood and was left out")
            return None
        key = turn.spreadsheet
        name = tab.title.strip() or tab.id
        now = self.clock.now()
        if work.run.dry_run:
            return _imagined(name, tab, key), None
        with self._writing(work) as tx:
            project_id = projects.create(tx, name, now, spreadsheet=key, worksheet_id=tab.id, title=tab.title)
            if project_id is None:
                return None
            fences = leases.take(tx, [lease_of(project_id)], work.run.id, self.options.lease_ms)
            project = projects.by_id(tx, project_id)
        assert project is not None  # noqa: S101  it was made in that transaction
        work.total += 1
        log.info("[SmartSync] found a new project", extra={"run_id": work.run.id, "project": name})
        return project, fences[lease_of(project_id)]

    def _skipped(self, work: _Work, project: Project, reason: str) -> Iterator[Outcome]:
        """The project is not synced now; an outcome of an earlier pass of this run stands."""
        if project.id in work.results:
            return
        with self.db.read() as tx:
            total = projects.account_total(tx, project.id)
        result = ProjectResult(
            project.id,
            project.name,
            position=len(work.results),
            skipped=reason,
            total_accounts=total,
            finished_at=self.clock.now(),
        )
        self._record(work, result)
        yield self._keep(work, Outcome(result))

    def _failed(
        self, work: _Work, project: Project, position: int, code: str, words: str, *, record: bool = True
    ) -> Outcome:
        result = ProjectResult(
            project.id,
            project.name,
            position=position,
            success=False,
            error_code=code,
            error=words,
            finished_at=self.clock.now(),
        )
        work.results[project.id] = result
        if record:
            self._record(work, result)
        return Outcome(result)

    def _postpone(self, work: _Work, project: Project, words: str) -> None:
        """Do not try at every tick what can not be synced."""
        if work.run.dry_run:
            return
        now = self.clock.now()
        turn = next_turn(project, self.options.interval_minutes, work.run.started_at, now, words)
        with self._writing(work) as tx:
            projects.update(tx, project.id, {"checked_at": now} | turn)

    def _record(self, work: _Work, result: ProjectResult) -> None:
        if work.run.dry_run:
            return
        with self._writing(work) as tx:
            runs.put_result(tx, work.run.id, result)

    def _keep(self, work: _Work, outcome: Outcome) -> Outcome:
        """Count the outcome in and say it in one line."""
        result = outcome.result
        work.results[result.project_id] = result
        level = logging.INFO if result.success else logging.ERROR
        words = f"completed for {result.project_name}: {result.updated_count} accounts updated"
        if result.skipped:
            words = f"skipped {result.project_name}: {result.skipped}"
        elif not result.success:
            words = f"failed for {result.project_name}: {result.error}"
        log.log(level, "[SmartSync] %s", words, extra=_fields(work.run, result))
        return outcome

    # Ending

    def _close(self, work: _Work, *, force: bool) -> bool:
        """Close the run and give back its leases; False when a trigger has asked for one more pass."""
        with self.db.write() as tx:
            current = runs.locked(tx, work.run.id)
            if current is None or not current.live:  # somebody took us for dead and closed it
                leases.release_all(tx, work.run.id)
                return True
            if current.again and not force:
                return False
            if current.again:
                work.remaining = max(work.remaining, len(work.results))
            values = self._closing(work)
            state = _state(work)
            if state == "cancelled":
                values |= {
                    "error_code": "shutting_down",
                    "error": "told to end; the next run goes on with what is left",
                }
            leases.release_all(tx, work.run.id)
            runs.close(tx, work.run.id, state, values)
        log.info("[SmartSync] sync ended", extra={"run_id": work.run.id, "state": state, **_numbers(values)})
        return True

    def _closing(self, work: _Work) -> dict[str, Any]:
        results = work.results.values()
        errors = sum(not result.success for result in results)
        skipped = sum(result.skipped is not None for result in results)
        lost = work.error if work.error is not None and not results else None
        return {
            "success_count": len(results) - errors - skipped,
            "error_count": errors,
            "skipped_count": skipped,
            "error_code": lost.code if lost else None,
            "error": str(lost) if lost else None,
            "finished_at": self.clock.now(),
            "done": len(work.results),
            "total": len(work.results) + work.remaining,
            "remaining": work.remaining,
            "degraded": work.degraded or any(result.degraded for result in results),
            "warnings": list(work.warnings),
            "api_calls": self._calls() - work.calls_before,
            "seconds": round(time.monotonic() - work.started, 6),
        }

    def _close_failed(self, work: _Work, code: str, words: str, state: RunState = "failed") -> bool:
        """Close a run that could not go on, as far as the database lets us; True in any case."""
        values = self._closing(work) | {"error_code": code, "error": words}
        try:
            with self.db.write() as tx:
                leases.release_all(tx, work.run.id)
                runs.close(tx, work.run.id, state, values)
        except StoreError:
            log.exception("[SmartSync] the end of a run was not written", extra={"run_id": work.run.id})
        return True


def _is_tick(trigger: Trigger) -> bool:
    """Whether somebody asks for what is due: one project is meant by name, and a dry run asks for nothing."""
    return trigger.due and trigger.project_id is None and not trigger.dry_run


def _state(work: _Work) -> RunState:
    """The terminal state that what was done and left amounts to."""
    return state_of(
        results=len(work.results),
        errors=sum(not result.success for result in work.results.values()),
        remaining=work.remaining,
        unread=work.error is not None,
        stopped=work.budget.stopped,
    )


def _missing(project: Project, book: Book) -> SourceError:
    titles = ", ".join(repr(tab.title) for tab in book.tabs[:20])
    return SourceError(
        f"the tab {project.worksheet_title or project.name!r} has gone from the spreadsheet {book.title!r}",
        code="tab_missing",
        hint=f"the tabs there are: {titles}; restore it, or remove the project",
    )


def _imagined(name: str, tab: Tab, key: str | None) -> Project:
    """The project that a dry run would make."""
    return Project(
        id=f"new:{tab.id}",
        name=name,
        name_set=False,
        status="active",
        spreadsheet=key,
        worksheet_id=tab.id,
        worksheet_title=tab.title,
        sheet_seen=None,
        sheet_bytes=None,
        sheet_columns=None,
        sheet_report=None,
        settled=False,
        merge_policy="max",
        auto_sync=True,
        interval_minutes=None,
        next_sync_at=None,
        checked_at=None,
        synced_at=None,
        changed_at=None,
        degraded_since=None,
        revision=0,
        removed_at=None,
    )


def _fields(run: Run, result: ProjectResult) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "project": result.project_name,
        "project_id": result.project_id,
        "accounts": result.total_accounts,
        "updated": result.updated_count,
        "snapshots": result.snapshot_count,
        "problems": result.problem_count,
        "degraded": result.degraded,
        "seconds": result.seconds,
    }


def _numbers(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if isinstance(value, int | float)}
