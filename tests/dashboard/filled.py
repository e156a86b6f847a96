"""The demo with a past: days of snapshots, readings beside the sheet's numbers, and values that wait for a decision."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.fakes.past import follow_past
from webapp.bootstrap import Parts, bootstrap
from webapp.clock import Budget, Clock
from webapp.config import Settings
from webapp.model import METRICS
from webapp.store.migrate import migrate
from webapp.store.tables import account_snapshots, accounts, held_observations, observations, projects
from webapp.sync.trigger import Trigger

__all__ = ["TOKEN", "fill", "filled_demo", "parts_on", "sync"]

TOKEN = "token-of-the-dashboard-tests"
GAP = 17  # days ago: nobody was synced
PARTLY = 9  # days ago: only some were
DAILY = 0.0021


def parts_on(path: Path, clock: Clock | None = None, **settings: Any) -> Parts:
    chosen = Settings(database_url=f"sqlite:///{path}", admin_tokens=(TOKEN,), **{"demo": True} | settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    parts = bootstrap(chosen, clock=clock)
    migrate(parts.db)
    return parts


def sync(parts: Parts) -> None:
    trigger = Trigger(caller="cli")
    for _ in parts.engine.run(parts.engine.start(trigger).run, trigger, Budget(None, parts.clock)):
        pass


def fill(parts: Parts, days: int = 60) -> None:
    """Give every account a past of so many days that leads to its numbers of today."""
    now = parts.clock.now()
    with parts.db.write() as tx:
        found = tx.execute(accounts.select().order_by(accounts.c.id)).mappings().all()
        rows = [row for account in found for row in _past(account, now, days)]
        tx.execute(account_snapshots.insert(), rows)
        follow_past(tx, anew=True)
        tx.execute(projects.update().where(projects.c.name == "Beauty Lab").values(target_views=100_000_000))
        held = {"account_id": found[1]["id"], "metric": "views", "value": 412_090_000, "last_good": found[1]["views"]}
        told = {"observed_at": now, "origin": "instagram", "held_at": now - timedelta(hours=3)}
        tx.execute(held_observations.insert().values(held | told))


def _past(account: Any, now: datetime, days: int) -> Iterator[dict[str, Any]]:
    pace = DAILY * (1 + account["id"] % 4)
    for back in range(1, days + 1):
        if back == GAP or (back == PARTLY and account["id"] % 2):
            continue
        wave = 0.0025 * math.sin(back / 3 + account["id"])
        part = math.exp(-pace * back) + wave * (back / days)
        counts = {m: None if account[m] is None else int(account[m] * part) for m in METRICS}
        when = now - timedelta(days=back)
        yield {"day": when.date(), "account_id": account["id"], "snapshot_time": when} | counts


def _read_by_platforms(parts: Parts) -> None:
    """Some numbers a little above those of the sheet, which the next sync takes over."""
    with parts.db.write() as tx:
        found = tx.execute(accounts.select().where(accounts.c.id % 3 != 0)).mappings().all()
        for account in found:
            counts = {m: None if account[m] is None else account[m] + 7 * account["id"] for m in ("followers", "views")}
            seen = {"source": "parsed", "observed_at": parts.clock.now(), "origin": account["platform"]}
            tx.execute(observations.insert().values({"account_id": account["id"]} | counts | seen))


@contextmanager
def filled_demo(path: Path, clock: Clock | None = None, days: int = 60) -> Iterator[Parts]:
    parts = parts_on(path, clock)
    sync(parts)
    _read_by_platforms(parts)
    sync(parts)
    fill(parts, days)
    yield parts
    parts.db.close()
