"""Doubts: a person says that an odd value in the Sheet is right."""

from __future__ import annotations

from webapp.actions.accounts import present_account
from webapp.actions.desk import Desk
from webapp.errors import NotFound
from webapp.model import METRICS, Metric
from webapp.rules.doubts import Doubt
from webapp.store import accounts, doubts, observations, projects, snapshots


def accept_doubt(desk: Desk, account_id: int, metric: Metric) -> Doubt:
    """Let history believe what the Sheet says of a metric: the days since then get what was seen on them. The doubt.

    Raises: NotFound when it is not in doubt.
    """
    place = METRICS.index(metric)
    with desk.edit() as edit:
        account = present_account(accounts.lock(edit.tx, account_id))
        days = [one for one in doubts.of_account(edit.tx, account.id) if one.metric == metric and one.state == "open"]
        if not days:
            raise NotFound(f"{metric} of account {account_id} is not in doubt", code="doubt_not_found")
        doubt = Doubt(days[-1].typed, days[-1].credible, days[0].since)
        with edit.moving(account.project_id, [account.id], days[0].day):
            seen = [(account.id, one.day, metric, one.value, one.observed_at) for one in days if one.value is not None]
            snapshots.set_values(edit.tx, seen)
        doubts.drop(edit.tx, [(account.id, place)])
        observations.believe_sheet(edit.tx, account.id, place)
        projects.touch(edit.tx, [account.project_id], merge=True)
        before = {"metric": metric, "value": doubt.typed, "last_credible": doubt.credible, "since": doubt.since}
        edit.audit("doubt.accept", f"account:{account.id}", before, {"accepted": True})
        return doubt
