"""When somebody last asked for what is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from webapp.rules.due import is_unusual, pace_after
from webapp.store.backends.dialect import insert_for
from webapp.store.tables import ticks


@dataclass(frozen=True)
class Tick:
    """The last time somebody asked for what is due, and the last stretch of time in which nobody did for too long.

    pace: seconds that usually lie between two; None: nobody knows yet.
    """

    seen_at: datetime
    caller: str
    gap_from: datetime | None
    gap_until: datetime | None
    pace: float | None = None


class Silence(NamedTuple):
    """A stretch of time in which nobody asked. unusual: it is long for whoever calls, too."""

    length: timedelta
    unusual: bool


_TICK = sa.select(*(ticks.c[name] for name in Tick.__dataclass_fields__)).where(ticks.c.id == 1)


def last(tx: sa.Connection) -> Tick | None:
    row = tx.execute(_TICK).first()
    return None if row is None else Tick(*row)


def put(tx: sa.Connection, now: datetime, caller: str, longest: timedelta) -> Silence | None:
    """Somebody asks for what is due; how long nobody did, where that is more than `longest`."""
    found = tx.execute(_TICK.with_for_update()).first()  # so that of two at once one tells what nobody asked meanwhile
    before = None if found is None else Tick(*found)
    row: dict[str, Any] = {"seen_at": now, "caller": caller}
    silence = None
    if before is not None:
        gap = now - before.seen_at
        row["pace"] = pace_after(before.pace, gap)
        if gap > longest:
            row |= {"gap_from": before.seen_at, "gap_until": now}
            silence = Silence(gap, unusual=is_unusual(before.pace, gap))
    statement = insert_for(tx, ticks).values(id=1, **row)
    tx.execute(statement.on_conflict_do_update(index_elements=["id"], set_=row))
    return silence
