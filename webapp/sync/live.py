"""A run while it is at work: what it was asked, what it has done so far, and how it writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from webapp.clock import Budget, Clock
from webapp.errors import LostLease, OutOfTime, SourceError
from webapp.sources.sheet import SheetSource
from webapp.store import runs
from webapp.store.db import Database
from webapp.store.projects import Project
from webapp.store.runs import ProjectResult, Run
from webapp.sync.options import Options
from webapp.sync.plan import PlannedChange
from webapp.sync.trigger import Trigger

if TYPE_CHECKING:
    from webapp.sources.platforms import Source

WARNINGS_KEPT = 50


@dataclass(frozen=True)
class Outcome:
    """A project's result, and in a dry run what it would change."""

    result: ProjectResult
    changes: tuple[PlannedChange, ...] = ()


@dataclass
class LiveRun:
    """One run in the process that works it off. What matters of it is in the run's row.

    results: {project id: its result}, in the order they came; a later pass replaces what an earlier one said.
    warnings: a set that keeps its order. remaining: projects that this pass has not come to.
    sources: platforms that can be read. before_merge: called before numbers are merged.
    unread, unopened: tabs that no project has, and spreadsheets without projects, that could not be read in this pass. reading: whether any pass has begun to read.
    """

    row: Run
    trigger: Trigger
    budget: Budget
    db: Database
    sheets: Sequence[SheetSource]
    options: Options
    clock: Clock
    sources: Sequence[Source] = ()
    before_merge: Callable[[], None] = lambda: None
    results: dict[str, ProjectResult] = field(default_factory=dict)
    warnings: dict[str, None] = field(default_factory=dict)
    degraded: bool = False
    total: int = 0
    remaining: int = 0
    unread: list[SourceError] = field(default_factory=list)
    unopened: list[SourceError] = field(default_factory=list)
    reading: bool = False
    closed: bool = False
    phase: str = "read"

    def __post_init__(self) -> None:
        self._started = time.monotonic()
        self._places: dict[str, int] = {}
        self._calls_before = self._calls()

    @property
    def id(self) -> str:
        return self.row.id

    @property
    def dry(self) -> bool:
        return self.row.dry_run

    @property
    def cut_short(self) -> bool:
        """Whether a shutdown has ended the run, and what it waited for; that says nothing about the sheet."""
        return self.budget.stopped and self.budget.used_up

    def is_cut_short_by(self, error: SourceError) -> bool:
        """The same, or a shutdown has ended a wait for a turn that would have come after it."""
        return self.cut_short or (self.budget.stopped and isinstance(error, OutOfTime))

    @property
    def seconds(self) -> float:
        return round(time.monotonic() - self._started, 6)

    @property
    def api_calls(self) -> int:
        """Calls to the spreadsheets' API since this run began."""
        return self._calls() - self._calls_before

    def _calls(self) -> int:
        return sum(sheet.calls for sheet in self.sheets)

    def now(self) -> datetime:
        return self.clock.now()

    # What people see of it

    def warn(self, text: str) -> None:
        if len(self.warnings) < WARNINGS_KEPT:
            self.warnings.setdefault(text)

    def leave_unread(self, error: SourceError) -> None:
        """A tab that no project has is left out of this pass, which is no success then."""
        self.warn(str(error))
        self.unread.append(error)

    def enter(self, phase: str) -> None:
        self.phase = phase
        self.budget.note_life()

    def progress(self) -> dict[str, Any]:
        return {"phase": self.phase, "done": len(self.results), "total": max(self.total, len(self.results))}

    # What it writes

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A write transaction for a run that is alive; it counts as a sign of life.

        Raises: LostLease when somebody took the run for dead and closed it; StoreError.
        """
        with self.db.write() as tx:
            if not runs.beat(tx, self.id, self.progress()):
                raise LostLease("this run was taken for dead and closed; it writes nothing more")
            yield tx

    def begin_pass(self) -> None:
        """Every project comes once more. What a pass before could not read may be there now."""
        self.remaining, self.degraded = 0, False
        self.warnings.clear()
        self.unread.clear()
        self.unopened.clear()
        if self.reading:  # a trigger asked for this pass, and is answered even if there is nothing to read
            self._say_reading(None)

    def begin_reading(self, tx: sa.Connection | None = None) -> None:
        """Before the first read: triggers from here on ask for another pass. tx: to say so in; None: one of its own."""
        if not self.reading:
            self._say_reading(tx)
            self.reading = True

    def _say_reading(self, tx: sa.Connection | None) -> None:
        with nullcontext(tx) if tx is not None else self.writing() as mine:
            runs.begin_pass(mine, self.id, self.now())

    def record(self, result: ProjectResult) -> None:
        if self.dry:
            return
        with self.writing() as tx:
            runs.put_results(tx, self.id, [result])

    def position_of(self, project: Project) -> int:
        """Where the project stands among the results: where an earlier pass put it, else at the end."""
        return self._places.setdefault(project.id, len(self._places))
