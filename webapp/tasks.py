"""Syncs by Celery, for those who outgrow one machine: `celery -A webapp.tasks worker` and `celery -A webapp.tasks beat`.

The tasks go through the same door as every other trigger. A run's row is the truth: whoever takes it claims it there, so
a task that comes twice, or after a worker died, does nothing twice.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from celery import Task, signals
from celery.schedules import crontab

from webapp import logs
from webapp.actions.desk import Desk
from webapp.actions.trigger import start_sync, sync_in_background, work_off
from webapp.bootstrap import Parts, bootstrap
from webapp.config import Settings
from webapp.errors import ConfigError
from webapp.store import runs
from webapp.store.migrate import ensure_migrated
from webapp.sync.queue import WORK, celery_app
from webapp.sync.trigger import Trigger

log = logging.getLogger("smart_sync")

MARGIN_S = 5
TRIES = 3  # to see what became of a run that another worker has

settings = Settings.from_env()
if settings.mode != "celery":
    raise ConfigError(
        "SMART_SYNC_MODE: is not celery", hint="set it to celery, for the workers and the web service alike"
    )

app = celery_app(settings.redis_url)
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


@signals.worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def leave(**_: Any) -> None:
    """What goes on beside tasks ends with the process."""
    if parts.cache_info().currsize:
        parts().background.shut_down(2.0)
        parts().db.close()


def _desk() -> Desk:
    return parts().desk


@app.task  # type: ignore[untyped-decorator]
def smart_sync_all_projects(due: bool = False, force: bool = False) -> None:
    """Sync all projects that are synced by themselves, or those that are due: a task for each spreadsheet."""
    for trigger in _by_spreadsheet(Trigger(caller="celery", due=due, force=force)):
        sync_in_background(_desk(), trigger)


def _by_spreadsheet(trigger: Trigger) -> Iterator[Trigger]:
    keys = [sheet.key for sheet in _desk().engine.sheets]
    if len(keys) < 2:  # noqa: PLR2004
        yield trigger
    for key in keys if len(keys) > 1 else ():
        yield replace(trigger, spreadsheet=key)


@app.task  # type: ignore[untyped-decorator]
def smart_sync_single_project(project_id: str, force: bool = False) -> None:
    """Sync one project, whether it is synced by itself or not."""
    _sync(Trigger(caller="celery", project_id=project_id, force=force))


def _sync(trigger: Trigger) -> None:
    started = start_sync(_desk(), trigger)
    if started.how == "fresh":
        for _ in work_off(_desk(), started.run, trigger):
            pass


@app.task(name=WORK, bind=True, max_retries=TRIES)  # type: ignore[untyped-decorator]
def work_off_run(self: Task, run_id: str, params: dict[str, Any]) -> None:
    """Work off a run that somebody has recorded.

    One that another worker has is looked at again once its lease must be over: who lives goes on with it, and one that
    died, as one that waited for too long, is made up for by a new run.
    """
    trigger = Trigger.of_params("celery", params)
    if _desk().engine.claim(run_id):
        with _desk().db.read() as tx:
            run = runs.get(tx, run_id)
        for _ in work_off(_desk(), run, trigger):
            pass
        return
    with _desk().db.read() as tx:
        found = runs.by_id(tx, run_id)
    if found is not None and found.live and self.request.retries < TRIES:
        raise self.retry(countdown=settings.lease_s + MARGIN_S)  # a worker has it, which may have died with it
    if found is not None and found.state == "abandoned":
        _sync(trigger)
