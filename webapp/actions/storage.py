"""What a person says about the data, and does with all of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from webapp.actions.desk import Desk
from webapp.rules.retention import last_whole_week
from webapp.store import days, heads, lost_history, projects, thinning


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


def thin_history(desk: Desk, months: int, *, dry_run: bool = False) -> Iterator[tuple[str, int]]:
    """Keep of each week that was over so many months ago only what it ends with: (a project's name, snapshots that went).

    From then on each sync goes on with it. Removed projects are thinned too.

    dry_run: do all of it and take it back.

    Raises: StoreError.
    """
    until = last_whole_week(desk.clock.now().date(), months)
    with desk.db.read() as tx:
        everyone = projects.all_listed(tx)
    for project in everyone:
        gone = _try_thinning(desk, project.id, until) if dry_run else _thin(desk, project.id, until)
        if gone and not dry_run:
            with desk.edit() as edit:
                edit.audit("project.thin", f"project:{project.id}", None, {"until": until, "snapshots": gone})
        yield project.name, gone


def _thin(desk: Desk, project_id: str, until: date) -> int:
    """Week by week, so that nobody waits long for the write lock."""
    gone, done = 0, False
    while not done:
        with desk.edit() as edit:
            taken, done = thinning.step(edit.tx, project_id, until, edit.now)
        gone += taken
    return gone


def _try_thinning(desk: Desk, project_id: str, until: date) -> int:
    gone, done = 0, False
    with desk.edit(dry_run=True) as edit:
        while not done:
            taken, done = thinning.step(edit.tx, project_id, until, edit.now)
            gone += taken
    return gone
