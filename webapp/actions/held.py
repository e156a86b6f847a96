"""Held readings: a person believes an implausible one, or does not."""

from __future__ import annotations

from typing import Any, Literal

from webapp.actions.desk import Desk, Edit
from webapp.errors import NotFound
from webapp.store import accounts, held
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
    with desk.edit() as edit:
        before = _lock(edit, held_id)
        decided = held.decide(edit.tx, held_id, decision, edit.now)
        if decided is None:
            raise _missing(held_id)
        edit.audit(f"held.{VERBS[decision]}", f"account:{decided.account_id}", _values(before), _values(decided))
        return decided


def _lock(edit: Edit, held_id: int) -> Held:
    """The reading, and the lock of its project.

    Raises: NotFound.
    """
    found = held.by_id(edit.tx, held_id)
    if found is None:
        raise _missing(held_id)
    accounts.lock(edit.tx, found.account_id)
    return held.by_id(edit.tx, held_id) or found


def _missing(held_id: int) -> NotFound:
    return NotFound(f"there is no held reading {held_id} to decide", code="held_not_found")


def _values(reading: Held) -> dict[str, Any]:
    return {"id": reading.id, "metric": reading.metric, "value": reading.value, "state": reading.state}
