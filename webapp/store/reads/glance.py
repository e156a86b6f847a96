"""What people look for first: whose numbers are moving, what was kept aside, and where each number comes from."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from webapp.model import LEASE_PREFIX, METRICS, NOTHING, Values
from webapp.rules.merge import pin_in_force
from webapp.store.backends.dialect import now_ms
from webapp.store.reads.explaining import Observed
from webapp.store.tables import accepted_readings, accounts, held_observations, leases, observations, pins


@dataclass
class Sources:
    """What decides an account's counts. pins: {metric: value}, those in force."""

    observed: dict[str, Observed] = field(default_factory=dict)
    believed: Values = NOTHING
    pins: dict[str, int] = field(default_factory=dict)


def held_counts(tx: sa.Connection) -> dict[str, int]:
    """{project id: readings kept aside that nobody has decided on}."""
    statement = (
        sa.select(accounts.c.project_id, sa.func.count())
        .join(held_observations, held_observations.c.account_id == accounts.c.id)
        .where(held_observations.c.state == "held")
        .group_by(accounts.c.project_id)
    )
    return {row[0]: row[1] for row in tx.execute(statement)}


def syncing(tx: sa.Connection) -> set[str]:
    """Ids of the projects that somebody holds the lease of now."""
    statement = sa.select(leases.c.name).where(leases.c.name.startswith(LEASE_PREFIX), leases.c.expires_at > now_ms(tx))
    return {name.removeprefix(LEASE_PREFIX) for name in tx.execute(statement).scalars()}


def sources_of(tx: sa.Connection, ids: Collection[int], now: datetime) -> dict[int, Sources]:
    """{account id: its sources}, for a page of accounts."""
    found = {account_id: Sources() for account_id in ids}
    said = [observations.c[name] for name in ("account_id", "source", *METRICS, "observed_at", "origin", "note")]
    for row in tx.execute(sa.select(*said).where(observations.c.account_id.in_(ids))):
        found[row[0]].observed[row[1]] = Observed(row[1], tuple(row[2:7]), *row[7:])
    taken = [accepted_readings.c[name] for name in ("account_id", *METRICS)]
    for row in tx.execute(sa.select(*taken).where(accepted_readings.c.account_id.in_(ids))):
        found[row[0]].believed = tuple(row[1:6])
    fixed = sa.select(pins.c.account_id, pins.c.metric, pins.c.value, pins.c.until).where(pins.c.account_id.in_(ids))
    for account_id, metric, value, until in tx.execute(fixed):
        if pin_in_force(until, now):
            found[account_id].pins[metric] = value
    return found
