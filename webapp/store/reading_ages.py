"""How old the readings of each program are: a program that has stopped raises no error anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from webapp.store.tables import accounts, observations, projects


class ReadingAge(NamedTuple):
    """The readings of one program, of accounts that programs read. origin None: it gives no name.

    accounts: whose last reading is its; late: those of them whose reading is older than the limit. oldest, newest:
    times of these readings, aware UTC.
    """

    origin: str | None
    accounts: int
    late: int
    oldest: datetime
    newest: datetime


def reading_ages(
    tx: sa.Connection, now: datetime, stale_after_minutes: int, project_id: str | None = None
) -> Sequence[ReadingAge]:
    """By program, of the active projects or of one; accounts that people count by hand are left out."""
    at = observations.c.observed_at
    limit = now - timedelta(minutes=stale_after_minutes)
    mine = projects.c.status == "active" if project_id is None else projects.c.id == project_id
    statement = (
        sa.select(
            observations.c.origin,
            sa.func.count(),
            sa.func.count(sa.case((at < limit, 1))),
            sa.func.min(at, type_=at.type),
            sa.func.max(at, type_=at.type),
        )
        .select_from(observations)
        .join(accounts, accounts.c.id == observations.c.account_id)
        .join(projects, projects.c.id == accounts.c.project_id)
        .where(observations.c.source == "parsed", accounts.c.removed_at.is_(None), accounts.c.mode == "auto")
        .where(projects.c.removed_at.is_(None), mine)
        .group_by(observations.c.origin)
    )
    found = [ReadingAge(*row) for row in tx.execute(statement)]
    return sorted(found, key=lambda age: (age.newest, age.origin or ""))
