"""Sessions that somebody signed out of. A row is needed until the session would have run out by itself."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from webapp.errors import StoreError
from webapp.store.backends.dialect import insert_for
from webapp.store.db import Database
from webapp.store.tables import ended_sessions


def add(tx: sa.Connection, session_id: str, ends: datetime, now: datetime) -> None:
    """Remember the end of a session; those that have run out since are forgotten."""
    tx.execute(ended_sessions.delete().where(ended_sessions.c.ends < now))
    tx.execute(insert_for(tx, ended_sessions).values(id=session_id, ends=ends).on_conflict_do_nothing())


def is_ended(db: Database, session_id: str) -> bool:
    """False too while the database cannot be read: whoever is let in finds nothing to read then."""
    statement = sa.select(ended_sessions.c.id).where(ended_sessions.c.id == session_id)
    try:
        with db.read() as tx:
            return tx.execute(statement).first() is not None
    except StoreError:
        return False
