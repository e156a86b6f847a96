"""What a person says about the data, and does with all of it."""

from __future__ import annotations

from collections.abc import Iterator

from webapp.actions.desk import Desk
from webapp.store import days, heads, lost_history, projects


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


def rebuild_all_days(desk: Desk) -> Iterator[tuple[str, int]]:
    """Sum up every day of every project anew, one after the other: (its name, how many days that is).

    Raises: StoreError.
    """
    with desk.db.read() as tx:
        everyone = heads.all_heads(tx)
    for project in everyone:
        with desk.edit() as edit:
            projects.lock(edit.tx, project.id)
            rebuilt = days.rebuild(edit.tx, project.id)
            if rebuilt.mended:
                projects.touch(edit.tx, [project.id])
        yield project.name, rebuilt.days
