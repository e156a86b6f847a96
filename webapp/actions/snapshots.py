"""One wrong snapshot: correct it, or forget it. There is no way to forget many at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from webapp.actions.desk import Desk
from webapp.actions.texts import clean_note, refusal
from webapp.model import Counts
from webapp.store import accounts, snapshots


def correct_snapshot(
    desk: Desk,
    account_id: int,
    day: date,
    values: Mapping[str, int | None],
    *,
    note: str | None = None,
    dry_run: bool = False,
) -> tuple[Counts, Counts]:
    """Correct the counts of one account on one UTC day; the counts before and after.

    values: other counts by metric, None: it was not observed. A sync of the same day may still change them, as it does
    any snapshot of today.

    Raises: NotFound; Invalid when nothing would be left.
    """
    note = clean_note(note)
    with desk.edit(dry_run=dry_run) as edit:
        account = accounts.lock(edit.tx, account_id)
        with edit.moving(account.project_id, [account.id], day):
            before, after = snapshots.correct(edit.tx, account, day, values)
        if all(count is None for count in after):
            raise refusal("followers", "and every other metric would be null; delete the snapshot instead")
        if after != before:
            target = f"account:{account.id}"
            edit.audit("snapshot.correct", target, _values(day, before), _values(day, after), note)
        return before, after


def remove_snapshot(desk: Desk, account_id: int, day: date, *, dry_run: bool = False) -> Counts:
    """Forget one account's snapshot of one UTC day; its counts. If it is today's, the next sync makes it anew.

    Raises: NotFound.
    """
    with desk.edit(dry_run=dry_run) as edit:
        account = accounts.lock(edit.tx, account_id)
        with edit.moving(account.project_id, [account.id], day):
            before = snapshots.remove(edit.tx, account, day)
        edit.audit("snapshot.remove", f"account:{account.id}", _values(day, before), None)
        return before


def _values(day: date, counts: Counts) -> dict[str, Any]:
    return {"day": day, **counts._asdict()}
