"""Syncs: start one, work it off now or without the caller, and say how it went."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import NamedTuple

from webapp.actions.desk import Desk
from webapp.clock import Budget
from webapp.errors import Invalid, StoreError
from webapp.store import runs
from webapp.store.runs import ProjectResult, Run
from webapp.sync.live import Outcome
from webapp.sync.trigger import Caller, Started, Trigger
from webapp.sync.watch import at_once, watch

# Seconds a run may take by default. On the command line, and in programs, people wait as long as they like.
BUDGETS_S: dict[Caller, float | None] = {"http": 120.0, "background": 600.0, "cli": None, "python": None}


class RunOutcome(NamedTuple):
    """A run as it stands in the log, with what became of each project so far; None: that was not asked for."""

    run: Run
    results: Sequence[ProjectResult] | None


def start_sync(desk: Desk, trigger: Trigger) -> Started:
    """Record a run for the trigger, or find the one that answers for it. A `fresh` one waits to be worked off.

    Raises: NotFound; Invalid for a key that stands for another trigger, or for `all` with what picks projects;
        StoreError, also while the service is ending.
    """
    if trigger.all and (trigger.due or trigger.project_id):
        raise Invalid("all goes with neither due nor project_id", field="all", code="invalid_parameter")
    if desk.background.stop.requested:
        raise StoreError("the service is shutting down", code="shutting_down", hint="try again in a few seconds")
    return desk.engine.start(trigger)


def work_off(desk: Desk, run: Run, trigger: Trigger) -> Generator[Outcome, None, None]:
    """Work a fresh run off: each project's outcome once it is written. The monitor hears of its start and its end.

    Raises: StoreError when the database cannot go on.
    """
    submit: Callable[[Callable[[], None], str], None] = desk.background.submit
    if trigger.caller in ("cli", "python"):
        submit = at_once
    seconds = trigger.budget_s or desk.settings.budget_s or BUDGETS_S[trigger.caller]
    budget = Budget(seconds, desk.clock, desk.background.stop)
    with watch(desk.ping, desk.db, run, trigger, submit):
        yield from desk.engine.run(run, trigger, budget)


def work_off_later(desk: Desk, run: Run, trigger: Trigger) -> None:
    """Work a fresh run off in the background; nobody waits for it.

    Raises: RuntimeError when the system gives no more threads.
    """

    def work() -> None:
        for _ in work_off(desk, run, trigger):
            pass

    desk.background.submit(work, f"run-{run.id[:8]}")


def sync_in_background(desk: Desk, trigger: Trigger) -> Started:
    """Start a sync and let it go on without the caller.

    Raises: as `start_sync`.
    """
    started = start_sync(desk, trigger)
    if started.how == "fresh":
        work_off_later(desk, started.run, trigger)
    return started


def outcome_of(desk: Desk, run_id: str, *, summary: bool = False) -> RunOutcome:
    """How a run stands in the log. summary: without its projects.

    Raises: NotFound; StoreError.
    """
    with desk.db.read() as tx:
        return RunOutcome(runs.get(tx, run_id), None if summary else runs.results_of(tx, run_id))


def sync_once(desk: Desk) -> None:
    """Sync everything that nobody has asked for, as at the start of a demo; no monitor hears of it.

    Raises: as `start_sync` and `work_off`.
    """
    trigger = Trigger(caller="cli")
    started = start_sync(desk, trigger)
    if started.how == "fresh":
        for _ in desk.engine.run(started.run, trigger, Budget(None, desk.clock)):
            pass
