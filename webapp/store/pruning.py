"""Forgetting: what grows with time has an age, and goes in small steps, so that nobody waits long for the write lock."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import takewhile
from typing import NamedTuple

import sqlalchemy as sa

from webapp.errors import StoreError
from webapp.store import alerts, audit, changes, held, outbox, runs, share_links
from webapp.store.db import Database

log = logging.getLogger("smart_sync")

STEPS = 500  # transactions that one call makes at most: no sync of any size adds more than they remove
PAUSE = timedelta(minutes=10)
CHANGES_AT_ONCE = 2_000  # a few hundredths of a second

KEEP_AUDIT = timedelta(days=730)
KEEP_DECIDED = timedelta(days=90)  # held readings and share links that are over
KEEP_MESSAGES = timedelta(days=30)  # to recipients, sent or not
KEEP_ALERTS = timedelta(days=365)  # from their end on
KEEP_PROBLEMS = timedelta(days=2)  # of a run: more than an answer shows


class Aging(NamedTuple):
    """What has an age. forget: removes what is from before a moment, so many rows at most, and says how many it was."""

    forget: Callable[[sa.Connection, datetime, int], int]
    age: timedelta
    at_once: int  # rows of a transaction


def prune(db: Database, now: datetime, keep_changes: timedelta, enough: Callable[[], bool] = lambda: False) -> int:
    """Forget what is older than it has to be kept; how many rows that was. What is left over waits for the next call.

    Where all of it has just been forgotten, nothing is looked for. enough: asked before each step, whether to leave the
    rest for later. A database that cannot do it is no failure.
    """
    if db.pruned_at is not None and timedelta(0) <= now - db.pruned_at < PAUSE:
        return 0
    db.pruned_at = None
    aging = (
        Aging(changes.forget, keep_changes, CHANGES_AT_ONCE),
        Aging(runs.forget_problems, KEEP_PROBLEMS, 20),
        Aging(held.forget, KEEP_DECIDED, 1_000),
        Aging(share_links.forget, KEEP_DECIDED, 1_000),
        Aging(audit.forget, KEEP_AUDIT, 200),
        Aging(outbox.forget, KEEP_MESSAGES, 1_000),
        Aging(alerts.forget, KEEP_ALERTS, 1_000),
    )
    gone = 0
    try:
        for _ in takewhile(lambda _: not enough(), range(STEPS)):
            with db.write() as tx:
                steps = [one.forget(tx, now - one.age, one.at_once) for one in aging]
            gone += sum(steps)
            if all(step < one.at_once for step, one in zip(steps, aging, strict=True)):
                db.pruned_at = now
                break
    except StoreError as error:
        log.warning("[SmartSync] old rows were not removed: %s", error, extra={"code": error.code})
    return gone
