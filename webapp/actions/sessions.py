"""Sessions of the dashboard, and how one ends."""

from __future__ import annotations

from datetime import datetime

from webapp.actions.desk import Desk
from webapp.store import ended_sessions


def end_session(desk: Desk, session_id: str, ends: datetime) -> None:
    """Sign out: whoever has a copy of the cookie is out too. ends: when it would have run out.

    Raises: StoreError.
    """
    with desk.edit() as edit:
        ended_sessions.add(edit.tx, session_id, ends, edit.now)
