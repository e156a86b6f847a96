"""Pins: a person fixes a metric of an account to a value, or lets the merge decide again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from webapp.actions.accounts import present_account
from webapp.actions.desk import Desk
from webapp.actions.texts import clean_note, refusal
from webapp.errors import NotFound
from webapp.model import Metric
from webapp.store import accounts, pins
from webapp.store.pins import Pin


def put_pin(
    desk: Desk, account_id: int, metric: Metric, value: int, *, until: datetime | None = None, note: str | None = None
) -> Pin:
    """Fix a metric of an account to a value, until a time or for good; the next sync shows it.

    Raises: NotFound; Invalid for a time that is over, or a note that is no line of text.
    """
    note = clean_note(note)
    if until is not None and until <= desk.clock.now():
        raise refusal("until", "has to be in the future")
    with desk.edit() as edit:
        account = present_account(accounts.lock(edit.tx, account_id))
        before = pins.of_metric(edit.tx, account.id, metric)
        pins.put(edit.tx, account, metric, value, until=until, note=note, now=edit.now)
        after = Pin(account.id, metric, value, until, note, edit.now)
        edit.audit("pin.put", f"account:{account.id}", _values(before), _values(after), note)
        return after


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
        pins.drop(edit.tx, account, metric)
        edit.audit("pin.delete", f"account:{account.id}", _values(before), None)


def _values(pin: Pin | None) -> dict[str, Any] | None:
    return None if pin is None else {"metric": pin.metric, "value": pin.value, "until": pin.until, "note": pin.note}
