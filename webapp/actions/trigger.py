"""Syncs: start one, work it off now or without the caller, and say how it went."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from webapp.actions.desk import Desk
from webapp.alerts.ping import Submit
from webapp.clock import Budget
from webapp.errors import Invalid, NotFound, StoreError
from webapp.store import runs
from webapp.store.runs import ProjectResult, Run
from webapp.sync.fanout import by_spreadsheet
from webapp.sync.trigger import Caller, Started, Trigger
from webapp.sync.watch import at_once, watch

if TYPE_CHECKING:
    from webapp.sync.live import Outcome
    from webapp.sync.plan import PlannedChange
    from webapp.sync.queue import Queue

log = logging.getLogger("smart_sync")

Follow = Callable[[Iterable["Outcome"]], Iterator["Outcome"]]

# Seconds a run may take by default. On the command line, and in programs, people wait as long as they like.
BUDGETS_S: dict[Caller, float | None] = {"http": 120.0, "background": 600.0, "cli": None, "python": None}
BUDGETS_S["celery"] = BUDGETS_S["background"]
AT_ONCE: Collection[Caller] = ("cli", "python", "celery")  # whose process, or child of it, may end any time


class RunOutcome(NamedTuple):
    """A run as it stands in the log, with what became of each project so far; results None: that was not asked for.

    changes: what a dry run would change; None: it was none. failed: what broke the run off, as its row says too.
    """

    run: Run
    results: Sequence[ProjectResult] | None
    changes: Sequence[PlannedChange] | None = None
    failed: Exception | None = None


def start_sync(desk: Desk, trigger: Trigger, *, later: bool = False) -> Started:
    """Record a run for the trigger, or find the one that answers for it. A `fresh` one waits to be worked off.

    later: by `go_on`, so that a run for workers of Celery is recorded as queued.

    Raises: NotFound; Invalid for a key that stands for another trigger, for `all` with what picks projects, or for a
        budget that is none; StoreError, also while the service is ending.
    """
    if trigger.all and (trigger.due or trigger.project_id):
        raise Invalid("all goes with neither due nor project_id", field="all", code="invalid_parameter")
    if trigger.budget_s is not None and not 0 < trigger.budget_s < math.inf:
        raise Invalid("budget has to be a number of seconds above 0", field="budget", code="invalid_parameter")
    if desk.background.stop.requested:
        raise StoreError("the service is shutting down", code="shutting_down", hint="try again in a few seconds")
    started = desk.engine.start(trigger, queued=later and desk.queue is not None)
    _send_messages(desk, trigger)
    return started


def _submit(desk: Desk, trigger: Trigger) -> Submit:
    """How what is told of a run is sent: beside it, but where the process ends with it."""
    return at_once if trigger.caller in AT_ONCE else desk.background.submit


def _send_messages(desk: Desk, trigger: Trigger) -> None:
    if desk.postman is not None:
        desk.postman.wake(_submit(desk, trigger), patient=trigger.caller not in AT_ONCE)


def work_off(desk: Desk, run: Run, trigger: Trigger) -> Generator[Outcome, None, None]:
    """Work a fresh run off: each project's outcome once it is written. The monitor hears of its start and its end.

    Raises: StoreError when the database cannot go on.
    """
    seconds = trigger.budget_s or desk.settings.budget_s or BUDGETS_S[trigger.caller]
    budget = Budget(seconds, desk.clock, desk.background.stop)
    try:
        with watch(desk.ping, desk.db, run, trigger, _submit(desk, trigger)):
            yield from desk.engine.run(run, trigger, budget)
    finally:
        _send_messages(desk, trigger)


def finish_run(desk: Desk, run: Run, trigger: Trigger, *, summary: bool = False, follow: Follow = iter) -> RunOutcome:
    """Work a fresh run off, and say how it ended; of a dry run, whose results are kept nowhere, from what it yielded.

    summary: without its projects. follow: sees each outcome on its way, to show it to somebody.

    Raises: what broke the run off, where the log does not say so.
    """
    outcomes: dict[str, Outcome] = {}  # of the last pass over each project
    failed: Exception | None = None
    try:
        with contextlib.closing(work_off(desk, run, trigger)) as working:
            for outcome in follow(working):
                outcomes[outcome.result.project_id] = outcome
    except Exception as error:  # noqa: BLE001  logged and recorded by the run itself: its row says so
        failed = error
    try:
        found = outcome_of(desk, run.id, summary=summary)
    except (NotFound, StoreError) as error:
        raise (failed or error) from error
    if failed is not None and found.run.live:  # its end could not be written either
        raise failed
    if not trigger.dry_run or summary:
        return found._replace(failed=failed)
    results = [outcome.result for outcome in outcomes.values()]
    changes = [change for outcome in outcomes.values() for change in outcome.changes]
    return RunOutcome(found.run, results, changes, failed)


def go_on(desk: Desk, started: Started, trigger: Trigger) -> None:
    """Let a run go on without its caller: a queued one with a worker of Celery, a fresh one in the background.

    A worker is told also where another trigger has told one, whose task may have died with it: only one can claim the run.

    Raises: RuntimeError when the system gives no more threads; StoreError when no worker can be told: a fresh run has
        failed then.
    """
    if desk.queue is not None and started.run.state == "queued":
        _put(desk, desk.queue, started, trigger)
    elif started.how == "fresh":
        _work_off_beside(desk, started.run, trigger)


def _work_off_beside(desk: Desk, run: Run, trigger: Trigger) -> None:
    def work() -> None:
        for _ in work_off(desk, run, trigger):
            pass

    desk.background.submit(work, f"run-{run.id[:8]}")


def _put(desk: Desk, queue: Queue, started: Started, trigger: Trigger) -> None:
    try:
        queue.put(started.run.id, trigger.params)
    except StoreError as error:
        if started.how != "fresh":
            log.warning("[SmartSync] a worker was not told again: %s", error, extra={"run_id": started.run.id})
            return
        with desk.db.write() as tx:
            runs.give_up(tx, started.run.id, error.code, error.message, desk.clock.now())
        raise


def sync_in_background(desk: Desk, trigger: Trigger) -> Started:
    """Start a sync and let it go on without the caller.

    Raises: as `start_sync` and `go_on`.
    """
    started = start_sync(desk, trigger, later=True)
    go_on(desk, started, trigger)
    return started


def sync_each_spreadsheet(desk: Desk, trigger: Trigger) -> None:
    """Start what together asks for the same as the trigger, a run for each spreadsheet, and let it go on without the caller.

    Raises: as `sync_in_background`; what was started until then goes on.
    """
    keys = [sheet.key for sheet in desk.engine.sheets]
    with desk.db.read() as tx:
        shares = by_spreadsheet(tx, trigger, keys, desk.clock.now(), desk.settings.interval_minutes)
    for share in shares:
        sync_in_background(desk, share)


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
