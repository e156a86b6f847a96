"""Numbers that crossed a line: red until somebody acknowledges the alert."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from webapp.model import Metric
from webapp.rules.alert_words import title_of
from webapp.store import alerts
from webapp.store.alerts import Alert

MARKED = ("threshold", "moved")


class Crossed(NamedTuple):
    """One alert that a number stands for. account_id None: the project's total."""

    alert: Alert
    title: str
    metric: Metric
    account_id: int | None


def crossed(tx: sa.Connection, project_id: str) -> list[Crossed]:
    """Of a project and its accounts, newest last."""
    found = [one for one in alerts.open_alerts(tx, project_id) if one.rule in MARKED and one.acknowledged_at is None]
    return [
        Crossed(one, title_of(one), one.details["metric"], one.details.get("account_id"))
        for one in found
        if one.details
    ]


def metrics_of(found: Sequence[Crossed], account_id: int | None) -> set[Metric]:
    """The metrics of one account, or of the total, that crossed a line."""
    return {one.metric for one in found if one.account_id == account_id}
