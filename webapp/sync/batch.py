"""Projects that are written together: loaded, merged and recorded in one transaction, as many as are small enough.

What fails for a reason of one project takes nothing from the others: then each is written once more in a savepoint of
its own, and the one that fails again is undone alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import sqlalchemy as sa

from webapp.errors import OutOfTime, StoreError
from webapp.model import lease_of
from webapp.rules.due import next_turn
from webapp.rules.wording import unexpected
from webapp.sources.sheet import Tab
from webapp.store import leases, observations, projects, runs, tab_rows
from webapp.store.backends.dialect import Savepoint
from webapp.store.projects import Project
from webapp.sync.draft import make_drafts
from webapp.sync.live import LiveRun, Outcome
from webapp.sync.project import ProjectSync
from webapp.sync.results import failure, keep
from webapp.sync.row_prints import RowPrints
from webapp.sync.side import SheetSide, parse_side, reread
from webapp.sync.steps import Step, say, say_start, steps_of
from webapp.sync.telling import Teller
from webapp.sync.turns import Turn, pass_fences
from webapp.sync.writing import Work, write_drafts

log = logging.getLogger("smart_sync")

# What projects that share a transaction may have at most, as far as is known before: others wait for its end.
ACCOUNTS = 5_000  # to be looked at
PROJECTS = 200
HELD_BYTES = 4 << 20  # of cells

Create = Callable[[Sequence[Tab]], Mapping[str, Turn]]  # {tab id: the turn of the project that it has become}


def sync_all(run: LiveRun, sides: Iterable[tuple[Turn, SheetSide]]) -> Iterator[Outcome]:
    """Sync projects, of which it is known what their tabs say.

    Raises: LostLease when the run itself was taken for dead; OutOfTime when a shutdown ended it; StoreError.
    """
    batch = Batch(run)
    for turn, side in sides:
        batch.add(turn, side)
        if batch.is_full:
            yield from batch.write()
    yield from batch.write()


@dataclass
class Share:
    """A project of a batch. turn None: a tab that is to become one. wrong: why nothing comes of it, in words."""

    side: SheetSide
    turn: Turn | None
    began: float
    wrong: str | None = None

    @property
    def accounts(self) -> int:
        """How many it has, as far as is known."""
        return max(self.side.rows, _accounts_of(self.turn.project) if self.turn else 0)

    @property
    def work(self) -> int:
        """How many of them have to be looked at, if their readings are what they were."""
        if self.side.unchanged and self.turn is not None and self.turn.project.settled:
            return 0
        return len(self.side.reading.rows) if self.side.reading and self.side.leaves_out else self.accounts

    def work_with(self, changed: Mapping[str, Collection[int]]) -> int:
        """The same. changed: {project id: accounts whose readings have changed}."""
        more = len(changed.get(self.turn.project.id, ())) if self.turn else 0
        if more and self.turn and self.side.prints is None and not self.turn.project.knows_rows:
            return self.accounts
        return self.work + more


class Finished(NamedTuple):
    """What became of a project. steps: lines for the log, once it is committed."""

    outcome: Outcome
    steps: Sequence[Step] = ()


class Batch:
    """Takes projects with what their tabs say, and writes them.

    create: for tabs that no project has. coming: the projects that will be added, in their order.
    """

    def __init__(self, run: LiveRun, create: Create = lambda _: {}, coming: Sequence[Project] = ()) -> None:
        self.run = run
        self.create = create
        self.shares: list[Share] = []
        self.work = 0  # accounts that have to be looked at
        self.held_bytes = 0  # of cells that may have to be read once more
        self.memory = RowMemory(run, coming)

    @property
    def is_full(self) -> bool:
        if not self.run.options.shortcuts.together or len(self.shares) >= PROJECTS or self.held_bytes >= HELD_BYTES:
            return True
        return self.work >= ACCOUNTS

    @property
    def has_work(self) -> bool:
        """Whether there is more to write than that tabs say what they said, which can wait for others."""
        return self.work > 0

    def add(self, turn: Turn | None, side: SheetSide) -> None:
        """Parse what the tab of a project says; it is written later.

        Raises: OutOfTime when a shutdown ended it.
        """
        run, share = self.run, Share(side, turn, time.monotonic())
        run.enter("merge")
        if turn is not None:
            say_start(run, turn.project)
        seen = turn.project.sheet_seen if turn else None
        try:
            known = partial(self.memory.rows_of, turn.project if turn else None)
            share.side = parse_side(side, seen, run.options, run.budget, force=run.trigger.force, known=known)
        except OutOfTime:
            raise
        except Exception as error:  # noqa: BLE001  what nobody expects of one project
            share.wrong = self._explain(error, side.tab.title if side.tab else "")
        self.shares.append(share)
        self.work += share.work
        self.held_bytes += share.side.cells.size if share.side.cells else 0

    def write(self) -> Iterator[Outcome]:
        """Write all that was added. Yields the outcomes once they are written; in a dry run, what would be.

        Raises: LostLease when the run itself was taken for dead; StoreError.
        """
        self.run.before_merge()
        for part in self._parts():
            yield from self._write_together(part)

    def _parts(self) -> Iterable[Sequence[Share]]:
        """What is added, apart where the readings of so many accounts have changed that it is too much at once."""
        shares, self.shares, self.work, self.held_bytes = self.shares, [], 0, 0
        if sum(share.accounts for share in shares) < 2 * ACCOUNTS or not shares[1:]:
            return [shares]
        known = [share.turn.project.id for share in shares if share.turn and share.work < share.accounts]
        with self.run.db.read() as tx:
            changed = observations.changed_readings(tx, known)
        return _parted(shares, [share.work_with(changed) for share in shares])

    def _write_together(self, shares: Sequence[Share]) -> Iterator[Outcome]:
        turns = self.create([share.side.tab for share in shares if share.turn is None and share.side.tab])
        ready = [(share, turn) for share in shares if (turn := share.turn or self._turn(share, turns))]
        if not ready:
            return
        try:
            outcomes = self._preview(ready) if self.run.dry else self._write(ready)
        except StoreError as error:
            for _, turn in ready:
                failure(self.run, turn.project, error.code, str(error))
            raise
        for outcome in outcomes:
            yield keep(self.run, outcome)

    def _turn(self, share: Share, turns: Mapping[str, Turn]) -> Turn | None:
        """Of a project that was made from the share's tab."""
        turn = turns.get(share.side.tab.id) if share.side.tab else None
        if turn is not None:
            say_start(self.run, turn.project)
        return turn

    # In a dry run

    def _preview(self, ready: Sequence[tuple[Share, Turn]]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for share, turn in ready:
            if share.wrong is None:
                share.wrong = self._try_preview(ProjectSync(self.run, turn.project, share.side, share.began), outcomes)
            if share.wrong is not None:
                outcomes.append(Outcome(failure(self.run, turn.project, "internal_error", share.wrong)))
        return outcomes

    def _try_preview(self, work: ProjectSync, outcomes: list[Outcome]) -> str | None:
        """Add the outcome of one project, or say why there is none."""
        now = self.run.now()
        try:
            with self.run.db.read() as tx:
                drafts = make_drafts(tx, self.run, [(work.project, work.side)], now)
            outcomes.append(work.preview(drafts[work.project.id], now))
        except Exception as error:  # noqa: BLE001  as above
            return self._explain(error, work.project.name)
        return None

    # For good

    def _write(self, ready: Sequence[tuple[Share, Turn]]) -> list[Outcome]:
        run, turns = self.run, [turn for _, turn in ready]
        with run.db.write() as tx:
            mine = pass_fences(tx, run, turns)
            locked = projects.lock_all(tx, [turn.project.id for turn in turns])
            done: dict[str, Finished] = {}
            works: list[ProjectSync] = []
            for share, turn in ready:
                project = locked.get(turn.project.id, turn.project)
                if project.id not in mine:
                    done[project.id] = self._leave(tx, project)
                elif share.wrong is not None:
                    done[project.id] = self._put_off(tx, project, share.wrong)
                else:
                    side = share.side if project.rows_seen == turn.project.rows_seen else _forget_rows(share.side, run)
                    works.append(ProjectSync(run, project, side, share.began))
            done |= self._write_all(tx, works) if works else {}
        for turn in turns:
            say(done[turn.project.id].steps)
        return [done[turn.project.id].outcome for turn in turns]

    def _write_all(self, tx: sa.Connection, works: Sequence[ProjectSync]) -> dict[str, Finished]:
        """Write projects in one go; where that fails, each alone."""
        savepoint = Savepoint(tx)
        try:
            done = _write(tx, self.run, works)
        except Exception as error:  # noqa: BLE001  as above
            self.run.db.blame(error)
            savepoint.undo()
            if len(works) > 1:
                return dict(pair for work in works for pair in self._write_all(tx, [work]).items())
            project = works[0].project
            return {project.id: self._put_off(tx, project, self._explain(error, project.name))}
        savepoint.release()
        return done

    def _leave(self, tx: sa.Connection, project: Project) -> Finished:
        """Another run has taken it over."""
        error = leases.lost(lease_of(project.id))
        return self._fail(tx, project, error.code, str(error))

    def _put_off(self, tx: sa.Connection, project: Project, words: str) -> Finished:
        """Do not try at every tick what cannot be synced."""
        run, now = self.run, self.run.now()
        turn = next_turn(project, run.options.interval_minutes, run.row.started_at, now, words)
        values = {"checked_at": now, "degraded_since": None, "rows_seen": None} | turn
        projects.update(tx, project.id, values)
        return self._fail(tx, project, "internal_error", words)

    def _fail(self, tx: sa.Connection, project: Project, code: str, words: str) -> Finished:
        result = failure(self.run, project, code, words)
        runs.put_results(tx, self.run.id, [result])
        return Finished(Outcome(result))

    def _explain(self, error: Exception, name: str) -> str:
        """What nobody expects of a project, in words and in the log.

        Raises: StoreError where it is a state of the database.
        """
        self.run.db.blame(error)
        log.error("[SmartSync] a project failed", exc_info=error, extra={"run_id": self.run.id, "project": name})
        return unexpected(error)


def _forget_rows(side: SheetSide, run: LiveRun) -> SheetSide:
    """Somebody changed what is known of the project after its tab was read."""
    return reread(side, run) if side.leaves_out else side


def _parted(shares: Sequence[Share], works: Sequence[int]) -> Iterator[Sequence[Share]]:
    """In their order, each part with as little work as one transaction may do."""
    part: list[Share] = []
    done = 0
    for share, work in zip(shares, works, strict=True):
        if part and done + work > ACCOUNTS:
            yield part
            part, done = [], 0
        part.append(share)
        done += work
    yield part


class RowMemory:
    """What is remembered of the rows of tabs, looked up for several projects at once as long as they are small."""

    def __init__(self, run: LiveRun, coming: Sequence[Project]) -> None:
        self.run = run
        self.coming = list(coming)
        self.rows: dict[str, bytes] = {}

    def rows_of(self, project: Project | None) -> RowPrints | None:
        if project is None or not project.knows_rows or not self.run.options.shortcuts.changed_rows:
            return None
        if project.id not in self.rows:
            with self.run.db.read() as tx:
                self.rows = tab_rows.of_projects(tx, self._next(project))
        data = self.rows.pop(project.id, None)
        return RowPrints.from_bytes(data) if data else None

    def _next(self, project: Project) -> list[str]:
        """The project, and those that come behind it, up to as many as are written together."""
        places = [place for place, one in enumerate(self.coming) if one.id == project.id]
        found, accounts = [project.id], 0
        for one in self.coming[places[0] + 1 :] if places else ():
            accounts += _accounts_of(one)
            if accounts > ACCOUNTS:
                break
            if one.knows_rows:
                found.append(one.id)
        return found


def _accounts_of(project: Project) -> int:
    """As its last sync has it."""
    return int(project.sheet_report["final"]["total"]) if project.sheet_report else 0


def _write(tx: sa.Connection, run: LiveRun, works: Sequence[ProjectSync]) -> dict[str, Finished]:
    run.enter("write")
    now = run.now()
    # What is written alone is not tried again.
    drafts = make_drafts(tx, run, [(work.project, work.side) for work in works], now, last=len(works) == 1)
    effects = write_drafts(tx, run, [Work(work.project, drafts[work.project.id]) for work in works], now)
    done: dict[str, Finished] = {}
    values: dict[str, Mapping[str, Any]] = {}
    for work in works:
        project, draft = work.project, drafts[work.project.id]
        now = run.now()  # of each its own: the one that was checked first waits longest for its next turn
        effect = effects[project.id]
        values[project.id] = work.project_values(draft, effect, now)
        steps = steps_of(tx, run, project, work.side, draft, effect.updated, effect.created)
        done[project.id] = Finished(Outcome(work.result(draft, effect, now)), steps)
    projects.update_all(tx, values)
    results = [one.outcome.result for one in done.values()]
    runs.put_results(tx, run.id, results)
    Teller(tx, now, run.options).tell_projects(run.id, results)
    return done
