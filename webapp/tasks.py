"""Syncs by Celery, for those who outgrow one machine: `celery -A webapp.tasks worker` and `celery -A webapp.tasks beat`.

The tasks go through the same door as every other trigger. A run's row is the truth: whoever takes it claims it there, so
a task that comes twice, or after a worker died, does nothing twice.
"""

from __future__ import annotations

import logging
import os
import signal
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

from billiard.process import active_children
from celery import Task, signals
from celery.schedules import crontab

from webapp import logs
from webapp.actions.desk import Desk
from webapp.actions.trigger import sync_each_spreadsheet, sync_in_background, work_off
from webapp.bootstrap import Parts, bootstrap
from webapp.config import Settings
from webapp.errors import ConfigError
from webapp.store import runs
from webapp.store.migrate import ensure_migrated
from webapp.sync.queue import WORK, celery_app, longest_budget_s
from webapp.sync.trigger import Trigger

log = logging.getLogger("smart_sync")

MARGIN_S = 2
LEAVE_S = 20.0  # for a run that is at work when its worker is to end: most hosts kill what has not ended after 30

settings = Settings.from_env()
if settings.mode != "celery":
    raise ConfigError(
        "SMART_SYNC_MODE: is not celery", hint="set it to celery, for the workers and the web service alike"
    )

app = celery_app(settings.redis_url, settings.budget_s)
app.conf.beat_scheduler = "celery.beat.Scheduler"  # which keeps no file: what was asked when is in the database
if settings.beat == "tick":
    app.conf.beat_schedule = {
        "tick": {
            "task": "webapp.tasks.smart_sync_all_projects",
            "schedule": 60.0,
            "args": [True],
            "options": {"expires": 55},
        }
    }
else:
    app.conf.beat_schedule = {
        "all": {
            "task": "webapp.tasks.smart_sync_all_projects",
            "schedule": crontab(minute="*/30"),
            "options": {"expires": 1500},
        }
    }


@signals.setup_logging.connect  # type: ignore[untyped-decorator]
def set_up_logging(**_: Any) -> None:
    """Our own lines, as everywhere else; and Celery's in the same form."""
    logs.set_up(settings.log_level, file=settings.log_file, secrets=settings.secrets)
    celery = logging.getLogger("celery")
    celery.handlers, celery.propagate = log.handlers[:], False
    celery.setLevel(settings.log_level)


@cache
def parts() -> Parts:
    """Of this process: made by its first task, after the fork."""
    made = bootstrap(settings, serving=False)
    ensure_migrated(made.db)
    return made


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]
def hurry(**_: Any) -> None:
    """A worker that is to end waits for what its processes are at; they hear of it, and end in time."""
    for process in active_children():
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGUSR2)


@signals.worker_process_init.connect  # type: ignore[untyped-decorator]
def heed(**_: Any) -> None:
    """Hear of the end: see above."""
    signal.signal(signal.SIGUSR2, _end_soon)


def _end_soon(*_: Any) -> None:
    if parts.cache_info().currsize:
        parts().background.stop.request(LEAVE_S)


@signals.worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def leave(**_: Any) -> None:
    """What goes on beside tasks ends with the process."""
    if parts.cache_info().currsize:
        parts().background.shut_down(2.0)
        parts().db.close()


@app.task  # type: ignore[untyped-decorator]
def smart_sync_all_projects(due: bool = False, force: bool = False) -> None:
    """Sync all projects that are synced by themselves, or those that are due: a task for each spreadsheet."""
    sync_each_spreadsheet(parts().desk, Trigger(caller="celery", due=due, force=force))


@app.task  # type: ignore[untyped-decorator]
def smart_sync_single_project(project_id: str, force: bool = False) -> None:
    """Sync one project, whether it is synced by itself or not."""
    sync_in_background(parts().desk, Trigger(caller="celery", project_id=project_id, force=force))


@app.task(name=WORK, bind=True, max_retries=None)  # type: ignore[untyped-decorator]
def work_off_run(self: Task, run_id: str, params: dict[str, Any]) -> None:
    """Work off a run that somebody has recorded.

    One that another worker has is looked at again once its lease must be over, until it has ended. One whose worker has
    died, as one that waited for too long, is made up for by a new run, unless that has happened.
    """
    desk, trigger = parts().desk, Trigger.of_params("celery", params)
    if desk.engine.claim(run_id):
        _work_off(desk, run_id, trigger)
        return
    with desk.db.read() as tx:
        run = runs.by_id(tx, run_id)
        at_work = runs.is_at_work(tx, run_id, desk.engine.options.lease_ms)
        left = run is not None and (run.live or run.state == "abandoned") and not runs.is_made_up_for(tx, run)
    if at_work:
        raise self.retry(countdown=settings.lease_s + MARGIN_S)
    if left:
        sync_in_background(desk, trigger)


def _work_off(desk: Desk, run_id: str, trigger: Trigger) -> None:
    """A longer budget than a task may take is cut, so that nothing is broken off."""
    if trigger.budget_s is not None:
        trigger = replace(trigger, budget_s=min(trigger.budget_s, longest_budget_s(settings.budget_s)))
    with desk.db.read() as tx:
        run = runs.get(tx, run_id)
    for _ in work_off(desk, run, trigger):
        pass
