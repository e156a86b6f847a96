"""History that was lost: an empty database where one with history had been, until somebody has acknowledged it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from webapp.clock import Clock
from webapp.errors import StoreError
from webapp.store.backends.dialect import counted, insert_for
from webapp.store.db import Database
from webapp.store.statement import Ready
from webapp.store.tables import account_snapshots
from webapp.store.tables import lost_history as table
from webapp.store.traces import Trace

log = logging.getLogger("smart_sync")


@dataclass(frozen=True)
class LostHistory:
    """noticed_at: when this database was found empty. The rest is what is known of the one before, as `Trace` has it."""

    noticed_at: datetime
    place: str
    first_day: date
    seen_at: datetime
    acknowledged_at: datetime | None

    @property
    def words(self) -> str:
        return (
            f"{self.place} had history from {self.first_day} on and was last seen on {self.seen_at:%Y-%m-%d}; "
            f"the database that is there now began empty"
        )


_LAST = sa.select(*(table.c[name] for name in LostHistory.__dataclass_fields__)).where(table.c.id == 1)
_first_day = Ready(lambda _: sa.select(sa.func.min(account_snapshots.c.day, type_=account_snapshots.c.day.type)))


def first_day(tx: sa.Connection) -> date | None:
    """The first day that there is a snapshot of."""
    found: date | None = _first_day.column(tx)[0]
    return found


def last(tx: sa.Connection) -> LostHistory | None:
    """The last loss, acknowledged or not."""
    row = tx.execute(_LAST).first()
    return None if row is None else LostHistory(*row)


def open_loss(tx: sa.Connection) -> LostHistory | None:
    """The loss that nobody has acknowledged."""
    loss = last(tx)
    return loss if loss is not None and loss.acknowledged_at is None else None


def acknowledge(tx: sa.Connection, now: datetime) -> bool:
    """Somebody knows; False when there was nothing to know."""
    waiting = (table.c.id == 1) & table.c.acknowledged_at.is_(None)
    return counted(tx, table.update().where(waiting).values(acknowledged_at=now)) == 1


def notice(db: Database) -> None:
    """Look, before anything is written, whether this database is empty and traces tell of one that was not.

    A first start finds no traces, and a database with history is the one that they tell of, or has taken its place by
    somebody's will. What cannot be looked at now is looked at by the next process.
    """
    trace = db.traces.latest()
    if trace is None:
        return
    try:
        with db.read() as tx:
            if not _is_news(tx, trace):
                return
        with db.write() as tx:
            if _is_news(tx, trace):  # several processes may start at once
                _put(tx, trace, Clock().now())
    except StoreError as error:
        log.warning("[SmartSync] whether history was lost is not known: %s", error, extra={"code": error.code})


def leave_trace(db: Database, now: datetime) -> None:
    """Tell who comes after this database that it has history, where it has any."""
    if not db.traces.is_due(now.date()):
        return
    try:
        with db.read() as tx:
            since = first_day(tx)
    except StoreError:  # the next run says the same
        return
    if since is not None:
        db.traces.leave(Trace(db.storage(), since, now))


def _is_news(tx: sa.Connection, trace: Trace) -> bool:
    if first_day(tx) is not None:
        return False
    known = last(tx)
    return known is None or trace.seen_at > known.noticed_at


def _put(tx: sa.Connection, trace: Trace, now: datetime) -> None:
    row: dict[str, Any] = {**vars(trace), "noticed_at": max(now, trace.seen_at), "acknowledged_at": None}
    statement = insert_for(tx, table).values(id=1, **row)
    tx.execute(statement.on_conflict_do_update(index_elements=["id"], set_=row))
    loss = LostHistory(**row)
    log.warning("[SmartSync] history was lost: %s", loss.words, extra={"place": loss.place})
