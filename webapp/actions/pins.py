"""Pins: a person fixes a metric of an account to a value, or lets the merge decide again."""

from __future__ import annotations

from datetime import datetime

from webapp.actions.accounts import present_account
from webapp.actions.desk import Desk
from webapp.actions.texts import refusal
from webapp.errors import NotFound
from webapp.model import Metric
from webapp.store import accounts, audit, pins


def put_pin(
    desk: Desk, account_id: int, metric: Metric, value: int, *, until: datetime | None = None, note: str | None = None
) -> None:
    """Fix a metric of an account to a value, until a time or for good; the next sync shows it.

    Raises: NotFound; Invalid for a time that is over.
    """
    if until is not None and until <= desk.clock.now():
        raise refusal("until", "has to be in the future")
    with desk.edit() as edit:
        account = present_account(accounts.lock(edit.tx, account_id))
        before = pins.of_metric(edit.tx, account.id, metric)
        pins.put(edit.tx, account.id, metric, value, until=until, note=note, now=edit.now)
        after = {"metric": metric, "value": value, "until": until}
        audit.add(edit.tx, "pin.put", f"account:{account.id}", before, after, edit.now, note)


def delete_pin(desk: Desk, account_id: int, metric: Metric) -> None:
    """Let the merge decide again.

    Raises: NotFound when the metric is not pinned.
    """
    missing = NotFound(f"{metric} of account {account_id} is not pinned", code="pin_not_found")
    with desk.edit() as edit:
        try:
            account = accounts.lock(edit.tx, account_id)
        except NotFound:
            raise missing from None
        before = pins.of_metric(edit.tx, account.id, metric)
        if before is None:
            raise missing
        pins.drop(edit.tx, account.id, metric)
        audit.add(edit.tx, "pin.delete", f"account:{account.id}", before, None, edit.now)
