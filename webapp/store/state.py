"""What the database knows of a project when a sync begins to write: one row per account, streamed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from webapp.model import METRICS, Metric, Values
from webapp.store.statement import Query
from webapp.store.tables import accepted_readings, account_aliases, accounts, held_observations, observations, pins

sheet = observations.alias("sheet")
parsed = observations.alias("parsed")
accepted = accepted_readings.alias("accepted")


class Stored(NamedTuple):
    """An account with its observations, as the driver gives them; times are driver values, flags 0 or 1."""

    id: int
    url_key: str
    platform: str
    username: str | None
    profile_url: str
    topic: str | None
    owner: str | None
    status: str | None
    mode: str
    mode_set: int
    discovered: str
    added_at: Any
    removed_by: str | None  # None: the account is there
    sheet_at: Any
    sheet_origin: str | None
    sheet_note: str | None
    parsed_at: Any
    parsed_origin: str | None
    known: Values  # current merged counts
    sheet: Values
    parsed: Values
    accepted: Values


def _five(table: Any) -> list[Any]:
    return [table.c[metric] for metric in METRICS]


_plain = (
    accounts.c.id,
    accounts.c.url_key,
    accounts.c.platform,
    accounts.c.username,
    accounts.c.profile_url,
    accounts.c.topic,
    accounts.c.owner,
    accounts.c.status,
    accounts.c.mode,
    accounts.c.mode_set,
    accounts.c.discovered,
    accounts.c.added_at,
    sa.case((accounts.c.removed_at.is_not(None), sa.func.coalesce(accounts.c.removed_by, "sheet"))),
    sheet.c.observed_at,
    sheet.c.origin,
    sheet.c.note,
    parsed.c.observed_at,
    parsed.c.origin,
)
_state = Query(
    lambda _: (
        sa.select(*_plain, *_five(accounts), *_five(sheet), *_five(parsed), *_five(accepted))
        .select_from(accounts)
        .outerjoin(sheet, (sheet.c.account_id == accounts.c.id) & (sheet.c.source == sa.literal_column("'sheet'")))
        .outerjoin(parsed, (parsed.c.account_id == accounts.c.id) & (parsed.c.source == sa.literal_column("'parsed'")))
        .outerjoin(accepted, accepted.c.account_id == accounts.c.id)
        .where(accounts.c.project_id == sa.bindparam("project_id"))
    )
)
PLAIN = len(_plain)


def stored_accounts(tx: sa.Connection, project_id: str) -> Iterator[Stored]:
    """Every account the project ever had, removed ones too, in no particular order."""
    for row in _state.rows(tx, project_id=project_id):
        yield Stored._make(
            (*row[:PLAIN], row[PLAIN : PLAIN + 5], row[PLAIN + 5 : PLAIN + 10], row[PLAIN + 10 : PLAIN + 15], row[-5:])
        )


_of_project = accounts.c.project_id == sa.bindparam("project_id")
_differs = sa.or_(*(parsed.c[m].is_not(None) & parsed.c[m].is_distinct_from(accepted.c[m]) for m in METRICS))
_gone = parsed.c.account_id.is_(None) & accepted.c.account_id.is_not(None)
_CHANGED: sa.Select[tuple[Any]] = (
    sa.select(sa.literal_column("1"))
    .select_from(accounts)
    .outerjoin(parsed, (parsed.c.account_id == accounts.c.id) & (parsed.c.source == sa.literal_column("'parsed'")))
    .outerjoin(accepted, accepted.c.account_id == accounts.c.id)
    .where(_of_project, _differs | _gone)
    .limit(1)
)


def changed_readings(tx: sa.Connection, project_id: str) -> bool:
    """Whether any reading says something else than what the last merge believed, or has gone."""
    return tx.execute(_CHANGED, {"project_id": project_id}).first() is not None


def metric_totals(tx: sa.Connection, project_id: str) -> tuple[int, Values]:
    """How many accounts the sheet last told of, with or without numbers, and how many values of each metric."""
    statement = (
        sa.select(sa.func.count(), *(sa.func.count(sheet.c[metric]) for metric in METRICS))
        .select_from(accounts)
        .outerjoin(sheet, (sheet.c.account_id == accounts.c.id) & (sheet.c.source == "sheet"))
        .where(accounts.c.project_id == project_id, accounts.c.removed_at.is_(None))
        .where((accounts.c.discovered == "sheet") | sheet.c.account_id.is_not(None))
    )
    total, *values = tx.execute(statement).one()
    return total, (values[0], values[1], values[2], values[3], values[4])


class Held(NamedTuple):
    """A reading kept aside, or one that was decided and is still what the platform says."""

    id: int
    account_id: int
    metric: Metric
    value: int
    observed_at: datetime | None
    held_at: datetime | None
    agreeing: int
    state: str


_HELD = (
    sa.select(*(held_observations.c[name] for name in Held._fields))
    .join(accounts, accounts.c.id == held_observations.c.account_id)
    .where(_of_project, held_observations.c.state.in_(["held", "accepted", "rejected"]))
    .order_by(held_observations.c.id)
)


def held_of(tx: sa.Connection, project_id: str) -> dict[tuple[int, int], Held]:
    """(account id, metric index) -> the latest reading held or decided there."""
    rows = (Held._make(row) for row in tx.execute(_HELD, {"project_id": project_id}))
    return {(row.account_id, METRICS.index(row.metric)): row for row in rows}


_ALIASES = (
    sa.select(account_aliases.c.url_key, accounts.c.url_key)
    .join(accounts, accounts.c.id == account_aliases.c.account_id)
    .where(account_aliases.c.project_id == sa.bindparam("project_id"))
)


def aliases_of(tx: sa.Connection, project_id: str) -> dict[str, str]:
    """{other url_key: url_key} of accounts that rows of the sheet may still call by another profile URL."""
    return {alias: key for alias, key in tx.execute(_ALIASES, {"project_id": project_id})}  # noqa: C416  rows are no pairs


class PinRow(NamedTuple):
    """A value that a person fixed; `until` None: for good."""

    account_id: int
    metric: Metric
    value: int
    until: datetime | None


_PINS = (
    sa.select(pins.c.account_id, pins.c.metric, pins.c.value, pins.c.until)
    .join(accounts, accounts.c.id == pins.c.account_id)
    .where(_of_project)
)


def pins_of(tx: sa.Connection, project_id: str) -> list[PinRow]:
    """The project's pins, expired ones too."""
    return [PinRow._make(row) for row in tx.execute(_PINS, {"project_id": project_id})]
