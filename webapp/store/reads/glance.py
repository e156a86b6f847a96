"""What people look for first: whose numbers are moving, what was kept aside, and where each number comes from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from webapp.model import METRICS, NOTHING
from webapp.store.backends.dialect import now_ms
from webapp.store.reads.ask import as_day
from webapp.store.reads.explaining import Observed
from webapp.store.reads.series import days_between
from webapp.store.reads.standing import Five, Standing
from webapp.store.tables import accepted_readings, accounts, held_observations, leases, observations, pins

LEASE = "project:"


@dataclass
class Sources:
    """What decides an account's counts. pins: {metric: value}, those in force."""

    observed: dict[str, Observed] = field(default_factory=dict)
    believed: Five = NOTHING
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
    statement = sa.select(leases.c.name).where(leases.c.name.startswith(LEASE), leases.c.expires_at > now_ms(tx))
    return {name.removeprefix(LEASE) for name in tx.execute(statement).scalars()}


def sources_of(tx: sa.Connection, ids: Collection[int], now: datetime) -> dict[int, Sources]:
    """{account id: its sources}, for a page of accounts."""
    found = {account_id: Sources() for account_id in ids}
    said = [observations.c[name] for name in ("account_id", "source", *METRICS, "observed_at", "origin", "note")]
    for row in tx.execute(sa.select(*said).where(observations.c.account_id.in_(ids))):
        found[row[0]].observed[row[1]] = Observed(row[1], tuple(row[2:7]), *row[7:])
    taken = [accepted_readings.c[name] for name in ("account_id", *METRICS)]
    for row in tx.execute(sa.select(*taken).where(accepted_readings.c.account_id.in_(ids))):
        found[row[0]].believed = tuple(row[1:6])
    in_force = pins.c.until.is_(None) | (pins.c.until > now)
    fixed = sa.select(pins.c.account_id, pins.c.metric, pins.c.value).where(pins.c.account_id.in_(ids), in_force)
    for account_id, metric, value in tx.execute(fixed):
        found[account_id].pins[metric] = value
    return found


def addresses(origin: str | None, column: str | None) -> list[str]:
    """`Project A!17,31` and E: `Project A!E17`, `Project A!E31`."""
    title, mark, rows = (origin or "").rpartition("!")
    return [f"{title}!{column}{row}" for row in rows.split(",")] if mark and column else []


def daily_sums(
    days: tuple[date, date],
    before: Standing,
    cells: Iterable[Sequence[Any]],
    owner: Mapping[int, str],
    left: Mapping[int, date],
    place: int,
) -> dict[str, list[int | None]]:
    """{project id: the sum of one metric on each day, both ends included}; None before its first snapshot.

    One pass over the snapshots of all projects, in which only the sums and each account's last value are kept.

    before: where accounts stood on the day before. owner: account id -> project id. left: their first day outside.
    place: of the metric in the counts.
    """
    sums = _Sums(owner, place)
    for account_id, (day, counts) in before.items():
        if account_id not in left or left[account_id] > day:
            sums.put(account_id, counts[place])
    leaving = sorted(left.items(), key=itemgetter(1))
    by_day = ((as_day(day), group) for day, group in groupby(cells, key=itemgetter(0)))
    upcoming = next(by_day, None)
    found: dict[str, list[int | None]] = {project_id: [] for project_id in set(owner.values())}
    for day in days_between(*days):
        if upcoming is not None and upcoming[0] == day:
            for row in upcoming[1]:
                sums.put(row[1], row[2 + place])
            upcoming = next(by_day, None)
        while leaving and leaving[0][1] <= day:
            sums.drop(leaving.pop(0)[0])
        for project_id, values in found.items():
            values.append(sums.of.get(project_id))
    return found


class _Sums:
    """The sum of each project, kept up with every account that moves."""

    def __init__(self, owner: Mapping[int, str], place: int) -> None:
        self.owner = owner
        self.place = place
        self.of: dict[str, int] = {}
        self._last: dict[int, int] = {}

    def put(self, account_id: int, value: int | None) -> None:
        project_id = self.owner.get(account_id)
        if value is None or project_id is None:
            return
        self.of[project_id] = self.of.get(project_id, 0) + value - self._last.get(account_id, 0)
        self._last[account_id] = value

    def drop(self, account_id: int) -> None:
        value = self._last.pop(account_id, None)
        if value is not None:
            self.of[self.owner[account_id]] -= value
