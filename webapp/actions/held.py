"""Held readings: a person believes an implausible one, or does not."""

from __future__ import annotations

from typing import Literal

from webapp.actions.desk import Desk
from webapp.errors import NotFound
from webapp.store import audit, held
from webapp.store.held import Held

Decision = Literal["accepted", "rejected"]
VERBS = {"accepted": "accept", "rejected": "reject"}


def accept_held(desk: Desk, held_id: int) -> Held:
    """Believe a held reading, also one that was rejected; the next sync merges it. The reading as it stands now.

    Raises: NotFound when there is none to decide.
    """
    return _decide(desk, held_id, "accepted")


def reject_held(desk: Desk, held_id: int) -> Held:
    """Disbelieve a held reading for as long as the platform repeats it; the last good one stays.

    Raises: NotFound when there is none to decide.
    """
    return _decide(desk, held_id, "rejected")


def _decide(desk: Desk, held_id: int, decision: Decision) -> Held:
    missing = NotFound(f"there is no held reading {held_id} to decide", code="held_not_found")
    with desk.edit() as edit:
        row = held.decide(edit.tx, held_id, decision, edit.now)
        if row is None:
            raise missing
        before = {"id": row.id, "metric": row.metric, "value": row.value}
        after = before | {"state": decision}
        audit.add(edit.tx, f"held.{VERBS[decision]}", f"account:{row.account_id}", before, after, edit.now)
        return row
