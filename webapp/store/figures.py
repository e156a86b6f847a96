"""What there is how many of, for who watches the service from outside."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

import sqlalchemy as sa

from webapp.store import alerts as alert_rows
from webapp.store.tables import ACCOUNT_THERE, account_snapshots, accounts, alert_deliveries, alerts, sync_runs
from webapp.store.types import UtcDateTime


class Figures(NamedTuple):
    """accounts: of each project, by its id. runs: on record, by their state. snapshots: of a day.

    alerts: open ones, by their level. unacknowledged: those that nobody knows of. messages: that wait to be sent, and the
    moment since when the oldest does; None: none does.
    """

    accounts: dict[str, int]
    runs: dict[str, int]
    snapshots: int
    alerts: dict[str, int]
    unacknowledged: int
    messages: int
    messages_since: datetime | None


_WAITING = sa.select(sa.func.count(), sa.func.min(alert_deliveries.c.created_at, type_=UtcDateTime())).where(
    alert_deliveries.c.state == "waiting"
)


def figures_of(tx: sa.Connection, day: date) -> Figures:
    number = sa.func.count()
    by_project = sa.select(accounts.c.project_id, number).where(ACCOUNT_THERE).group_by(accounts.c.project_id)
    by_state = sa.select(sync_runs.c.state, number).group_by(sync_runs.c.state)
    of_day = sa.select(number).select_from(account_snapshots).where(account_snapshots.c.day == day)
    by_level = sa.select(alerts.c.level, number).where(alerts.c.state == "open").group_by(alerts.c.level)
    return Figures(
        {project_id: count for project_id, count in tx.execute(by_project)},  # noqa: C416  rows are no pairs
        {state: count for state, count in tx.execute(by_state)},  # noqa: C416
        tx.execute(of_day).scalar_one(),
        {level: count for level, count in tx.execute(by_level)},  # noqa: C416
        alert_rows.count_open(tx),
        *tx.execute(_WAITING).one(),
    )
