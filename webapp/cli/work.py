"""`smart-sync schedule work`: the clock for those who have no cron."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import click

from webapp.actions import Trigger
from webapp.actions.desk import Desk
from webapp.actions.trigger import finish_run, start_sync, sync_each_spreadsheet
from webapp.cli.progress import stop_on_signals
from webapp.cli.root import open_parts
from webapp.cli.terminal import say
from webapp.clock import Clock, Stop
from webapp.errors import StoreError
from webapp.store.migrate import ensure_migrated

NAP_S = 0.5  # after which a signal that came meanwhile is seen: Python goes on with an interrupted sleep
LEAVE_S = 2.0  # of the grace, for messages to be sent and the process to end

log = logging.getLogger("smart_sync")


@click.command()
@click.option(
    "--budget", type=click.FloatRange(min=0, min_open=True), help="Seconds each run may take; 600 unless set."
)
@click.option(
    "--grace", type=click.IntRange(1, 3600), default=30, show_default=True, help="Seconds to end in after SIGTERM."
)
def work(*, budget: float | None, grace: int) -> None:
    """Sync what is due, now and at each full minute, until it is stopped.

    Where workers of Celery sync (SMART_SYNC_MODE=celery), they are told.
    """
    with open_parts(migrated=False) as parts:
        desk, clock = parts.desk.through("cli"), parts.clock
        stop = desk.background.stop
        say("syncing what is due at each full minute, until somebody stops it")
        with stop_on_signals(stop, grace_s=max(0.0, grace - LEAVE_S)):
            while not stop.requested:
                _tick(desk, budget)
                _wait(clock, stop, next_minute(clock.now()))
        desk.background.shut_down(LEAVE_S)


def next_minute(now: datetime) -> datetime:
    """The next full minute: of those that passed while a tick was at work none is made up for."""
    return now.replace(second=0, microsecond=0) + timedelta(minutes=1)


def _tick(desk: Desk, budget: float | None) -> None:
    """Sync what is due. What goes wrong is logged, and the next minute is another try."""
    # As a call over HTTP that nobody waits for: what is told of the run is sent beside it, by a process that stays.
    trigger = Trigger("background", due=True, budget_s=budget)
    try:
        ensure_migrated(desk.db)
        if desk.queue is not None:
            sync_each_spreadsheet(desk, trigger)
            return
        started = start_sync(desk, trigger)
        if started.how == "fresh":
            finish_run(desk, started.run, trigger, summary=True)
    except StoreError as error:
        log.warning("[SmartSync] no tick: %s", error, extra={"code": error.code})
    except Exception:  # the outermost edge: a fault in one tick must not be the last of all
        log.exception("[SmartSync] no tick")


def _wait(clock: Clock, stop: Stop, until: datetime) -> None:
    """Sleep in naps. A clock that is set back by more than a minute is no reason to wait for it."""
    while not stop.requested and timedelta() < (left := until - clock.now()) <= timedelta(minutes=1):
        clock.sleep(min(NAP_S, left.total_seconds()))
