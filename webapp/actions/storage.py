"""What a person says about where the data is."""

from __future__ import annotations

from webapp.actions.desk import Desk
from webapp.store import lost_history


def acknowledge_lost_history(desk: Desk) -> bool:
    """Somebody knows that history was lost, and need not be told any more; whether there was anything to know.

    Raises: StoreError.
    """
    with desk.edit() as edit:
        loss = lost_history.open_loss(edit.tx)
        if loss is None or not lost_history.acknowledge(edit.tx, edit.now):
            return False
        edit.audit("lost_history.acknowledge", "storage", {"lost_history": loss.words}, None)
        return True
