"""Sessions that somebody signed out of. A row is needed until the session would have run out by itself."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from webapp.errors import StoreError
from webapp.store.backends.dialect import insert_for
from webapp.store.db import Database
from webapp.store.tables import ended_sessions
from webapp.store.watch import Version, Watch

MOST = 1_000  # sessions that are remembered as going on


def add(tx: sa.Connection, session_id: str, ends: datetime, now: datetime) -> None:
    """Remember the end of a session; those that have run out since are forgotten."""
    tx.execute(ended_sessions.delete().where(ended_sessions.c.ends < now))
    tx.execute(insert_for(tx, ended_sessions).values(id=session_id, ends=ends).on_conflict_do_nothing())


class SessionEnds:
    """Whether sessions have ended, asked again once anybody has written. watch: tells when that was; None: always asked."""

    def __init__(self, db: Database, watch: Watch | None) -> None:
        self._db = db
        self._watch = watch
        self._going_on: dict[str, Version] = {}

    def is_ended(self, session_id: str) -> bool:
        """False too while the database cannot be read: whoever is let in finds nothing to read then."""
        version = self._watch.version() if self._watch is not None else None
        if version is not None and self._going_on.get(session_id) == version:
            return False
        statement = sa.select(ended_sessions.c.id).where(ended_sessions.c.id == session_id)
        try:
            with self._db.read() as tx:
                ended = tx.execute(statement).first() is not None
        except StoreError:
            return False
        if not ended and version is not None:
            self._keep(session_id, version)
        return ended

    def _keep(self, session_id: str, version: Version) -> None:
        known = self._going_on if len(self._going_on) < MOST else {}
        self._going_on = {**known, session_id: version}
