"""Celery: whether the Redis that hands runs to workers answers, and whether any worker does."""

from __future__ import annotations

from collections.abc import Iterator

from webapp.doctor.case import Case, Diagnosis, failure
from webapp.errors import StoreError
from webapp.sync.queue import Queue


def examine_queue(case: Case) -> Iterator[Diagnosis]:
    if case.settings.mode != "celery":
        return
    queue = Queue(case.settings.redis_url)
    try:
        queue.check()
        workers = queue.workers()
    except StoreError as error:
        yield failure("celery", error)
        return
    if workers:
        words = f"{len(workers)} worker{'s' if len(workers) > 1 else ''} answer{'' if len(workers) > 1 else 's'}"
        yield Diagnosis("ok", "celery", words)
    else:
        fix = "start one: celery -A webapp.tasks worker"
        yield Diagnosis("warn", "celery", "the Redis answers, and no worker answers: runs will wait", fix)
