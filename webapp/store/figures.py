"""What there is how many of, for who watches the service from outside."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import sqlalchemy as sa

from webapp.store.tables import ACCOUNT_THERE, account_snapshots, accounts, sync_runs


class Figures(NamedTuple):
    """accounts: of each project, by its id. runs: on record, by their state. snapshots: of a day."""

    accounts: dict[str, int]
    runs: dict[str, int]
    snapshots: int


def figures_of(tx: sa.Connection, day: date) -> Figures:
    number = sa.func.count()
    by_project = sa.select(accounts.c.project_id, number).where(ACCOUNT_THERE).group_by(accounts.c.project_id)
    by_state = sa.select(sync_runs.c.state, number).group_by(sync_runs.c.state)
    of_day = sa.select(number).select_from(account_snapshots).where(account_snapshots.c.day == day)
    return Figures(
        {project_id: count for project_id, count in tx.execute(by_project)},  # noqa: C416  rows are no pairs
        {state: count for state, count in tx.execute(by_state)},  # noqa: C416
        tx.execute(of_day).scalar_one(),
    )
