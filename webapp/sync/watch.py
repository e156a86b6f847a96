"""A run as an outside monitor hears of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from webapp.alerts.ping import Ping, Submit
from webapp.errors import StoreError
from webapp.rules.outcomes import run_words, still_failing_words, succeeded
from webapp.store import projects, runs
from webapp.store.db import Database
from webapp.store.runs import Run
from webapp.sync.trigger import Trigger


def at_once(work: Callable[[], None], name: str) -> None:
    """Do the work now: submits where nobody waits for an answer."""
    del name
    work()


@contextmanager
def watch(ping: Ping, db: Database, run: Run, trigger: Trigger, submit: Submit) -> Iterator[None]:
    """Report the run's start here, and how it stands in the log when this is left, whatever happened meanwhile.

    A run that leaves out a project which failed before, or finds nothing due meanwhile, does not make that good.
    Runs that a monitor should not take for the call it waits for are not reported: dry runs, and those of one project.
    """
    if not ping.on or trigger.dry_run or trigger.project_id is not None:
        yield
        return
    end = ping.begin(run.id, submit)
    try:
        yield
    finally:
        end(lambda: _outcome(db, run.id))


def _outcome(db: Database, run_id: str) -> tuple[bool, str]:
    """(whether it went well, a few words)."""
    try:
        with db.read() as tx:
            run, failing = runs.by_id(tx, run_id), projects.still_failing(tx)
    except StoreError as error:
        return False, f"the run's end could not be read: {error.code}"
    if run is None or run.live:
        return False, "the run ended without a word"
    words = f"{run_words(run)}, {run.seconds or 0:.1f} s"
    lines = [words, run.error, None if not succeeded(run) else still_failing_words(failing)]
    return succeeded(run) and not failing, "\n".join(line for line in lines if line)
