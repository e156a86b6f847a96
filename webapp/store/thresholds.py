"""Numbers that somebody watches, and what they are now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from webapp.model import LARGEST, METRICS, Metric
from webapp.rules.alert_kinds import Kind
from webapp.store.backends.dialect import counted
from webapp.store.tables import ACCOUNT_THERE, accounts, alert_thresholds

PER_PROJECT = 100  # of one project, so that a run never has many to look at


@dataclass(frozen=True)
class Threshold:
    """A number that somebody watches. account_id None: the project's total. value: a count, or percent in 24 hours."""

    id: int
    project_id: str
    account_id: int | None
    metric: Metric
    kind: Kind
    value: int
    created_at: datetime | None


_SELECT = sa.select(*(alert_thresholds.c[name] for name in Threshold.__dataclass_fields__)).order_by(
    alert_thresholds.c.project_id, alert_thresholds.c.id
)


def listed(tx: sa.Connection, project_id: str | None = None) -> list[Threshold]:
    statement = _SELECT if project_id is None else _SELECT.where(alert_thresholds.c.project_id == project_id)
    return [Threshold(*row) for row in tx.execute(statement)]


def add(
    tx: sa.Connection, project_id: str, account_id: int | None, metric: Metric, kind: Kind, value: int, now: datetime
) -> Threshold:
    row = {"project_id": project_id, "account_id": account_id, "metric": metric, "kind": kind, "value": value}
    statement = alert_thresholds.insert().values(**row, created_at=now).returning(alert_thresholds.c.id)
    return Threshold(int(tx.execute(statement).scalar_one()), project_id, account_id, metric, kind, value, now)


def by_id(tx: sa.Connection, threshold_id: int) -> Threshold | None:
    row = None if threshold_id > LARGEST else tx.execute(_SELECT.where(alert_thresholds.c.id == threshold_id)).first()
    return None if row is None else Threshold(*row)


def remove(tx: sa.Connection, threshold_id: int) -> bool:
    """Whether it was there."""
    return counted(tx, alert_thresholds.delete().where(alert_thresholds.c.id == threshold_id)) == 1


def account_values(tx: sa.Connection) -> dict[tuple[int, Metric], tuple[int | None, str]]:
    """{(account, metric): (its count, what the account is called)} of those that are watched and there."""
    columns = [accounts.c[metric] for metric in METRICS]
    watched = sa.select(alert_thresholds.c.account_id).where(alert_thresholds.c.account_id.is_not(None))
    statement = sa.select(accounts.c.id, accounts.c.username, accounts.c.url_key, *columns).where(
        accounts.c.id.in_(watched), ACCOUNT_THERE, accounts.c.mode != "off"
    )
    found: dict[tuple[int, Metric], tuple[int | None, str]] = {}
    for account_id, username, url_key, *counts in tx.execute(statement):
        for metric, count in zip(METRICS, counts, strict=True):
            found[account_id, metric] = (count, username or url_key)
    return found
