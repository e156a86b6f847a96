"""Why an account's counts are what they are: every observation of it, what is held, pinned and was changed."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from webapp.model import METRICS, NOTHING, Values
from webapp.store.statement import Query
from webapp.store.tables import accepted_readings, count_changes, held_observations, observations, pins
from webapp.store.types import Count

CHANGES = 200  # of the latest are looked through for when a value became what it is
HELD = 50


class Observed(NamedTuple):
    """What one source says. observed_at: since when it has said so (driver value)."""

    source: str
    counts: Values
    observed_at: Any
    origin: str | None
    note: str | None


class Pinned(NamedTuple):
    metric: str
    value: int
    until: Any
    note: str | None
    pinned_at: Any


class Held(NamedTuple):
    id: int
    metric: str
    value: int
    last_good: int | None
    observed_at: Any
    origin: str | None
    held_at: Any
    agreeing: int
    state: str
    decided_at: Any


def _of(table: sa.Table) -> sa.ColumnElement[bool]:
    return table.c.account_id == sa.bindparam("account_id", type_=Count())


def _named(table: sa.Table, names: tuple[str, ...]) -> sa.Select[Any]:
    return sa.select(*(table.c[name] for name in names)).where(_of(table))


_observed = Query(lambda _: _named(observations, ("source", *METRICS, "observed_at", "origin", "note")))
_believed = Query(lambda _: _named(accepted_readings, METRICS))
_pinned = Query(lambda _: _named(pins, Pinned._fields))
_held = Query(
    lambda _: _named(held_observations, Held._fields).order_by(held_observations.c.id.desc()).limit(sa.literal(HELD))
)
_changes = Query(
    lambda _: (
        sa.select(count_changes.c.changed_at, count_changes.c.changes)
        .where(_of(count_changes))
        .order_by(count_changes.c.id.desc())
        .limit(sa.literal(CHANGES))
    )
)


def observed(tx: sa.Connection, account_id: int) -> dict[str, Observed]:
    """{`sheet` or `parsed`: what it says}."""
    rows = (Observed(row[0], row[1:6], *row[6:]) for row in _observed.rows(tx, account_id=account_id))
    return {row.source: row for row in rows}


def believed(tx: sa.Connection, account_id: int) -> Values:
    """The reading that the last merge believed; nothing when it had none."""
    return _believed.first(tx, account_id=account_id) or NOTHING


def pinned(tx: sa.Connection, account_id: int) -> dict[str, Pinned]:
    """{metric: its pin}, those that have run out too."""
    return {row[0]: Pinned._make(row) for row in _pinned.rows(tx, account_id=account_id)}


def held(tx: sa.Connection, account_id: int) -> list[Held]:
    """Readings that were kept aside, newest first, with what became of them."""
    return [Held._make(row) for row in _held.rows(tx, account_id=account_id)]


def changes(tx: sa.Connection, account_id: int) -> list[tuple[Any, str]]:
    """(driver time, JSON of {metric: [old, new, winner, cell]}) of the latest changed counts, newest first."""
    return [(row[0], row[1]) for row in _changes.rows(tx, account_id=account_id)]
