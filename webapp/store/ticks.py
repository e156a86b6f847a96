"""When somebody last asked for what is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from webapp.store.backends.dialect import insert_for
from webapp.store.tables import ticks


@dataclass(frozen=True)
class Tick:
    """The last time somebody asked for what is due, and the last stretch of time in which nobody did for too long."""

    seen_at: datetime
    caller: str
    gap_from: datetime | None
    gap_until: datetime | None


_TICK = sa.select(*(ticks.c[name] for name in Tick.__dataclass_fields__)).where(ticks.c.id == 1)


def last(tx: sa.Connection) -> Tick | None:
    row = tx.execute(_TICK).first()
    return None if row is None else Tick(*row)


def put(tx: sa.Connection, now: datetime, caller: str, longest: timedelta) -> timedelta | None:
    """Somebody asks for what is due; how long nobody did, where that is more than `longest`."""
    before = last(tx)
    row: dict[str, Any] = {"seen_at": now, "caller": caller}
    gap = now - before.seen_at if before is not None and now - before.seen_at > longest else None
    if before is not None and gap is not None:
        row |= {"gap_from": before.seen_at, "gap_until": now}
    statement = insert_for(tx, ticks).values(id=1, **row)
    tx.execute(statement.on_conflict_do_update(index_elements=["id"], set_=row))
    return gap
