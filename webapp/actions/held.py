"""Held readings: a person believes an implausible one, or does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from webapp.actions.desk import Desk
from webapp.errors import NotFound
from webapp.model import LARGEST
from webapp.store import corrections
from webapp.store.changes import audit

Decision = Literal["accepted", "rejected"]
VERBS = {"accepted": "accept", "rejected": "reject"}


def accept_held(desk: Desk, held_id: int) -> Mapping[str, Any]:
    """Believe a held reading, also one that was rejected; the next sync merges it. The reading as it stands now.

    Raises: NotFound when there is none to decide.
    """
    return _decide(desk, held_id, "accepted")


def reject_held(desk: Desk, held_id: int) -> Mapping[str, Any]:
    """Disbelieve a held reading for as long as the platform repeats it; the last good one stays.

    Raises: NotFound when there is none to decide.
    """
    return _decide(desk, held_id, "rejected")


def _decide(desk: Desk, held_id: int, decision: Decision) -> Mapping[str, Any]:
    missing = NotFound(f"there is no held reading {held_id} to decide", code="held_not_found")
    if held_id > LARGEST:
        raise missing
    with desk.edit() as edit:
        row = corrections.decide_held(edit.tx, held_id, decision, edit.now)
        if row is None:
            raise missing
        said = {name: row[name] for name in ("id", "metric", "value")}
        after = said | {"state": decision}
        audit(edit.tx, f"held.{VERBS[decision]}", f"account:{row['account_id']}", said, after, edit.now)
        return row
