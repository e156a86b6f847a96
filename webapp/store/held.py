"""Readings that were kept aside, and what became of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from webapp.model import LARGEST, METRICS, Metric
from webapp.rules.held import HeldState
from webapp.store import projects
from webapp.store.projects import DEFAULT_LIMIT
from webapp.store.statement import Ready, bind_ids, delete_some, insert, is_one_of, texts_in, update
from webapp.store.tables import ACCOUNT_THERE, PROJECT_THERE, accounts, held_observations
from webapp.store.tables import projects as project_rows
from webapp.store.types import UtcDateTime, native

SHOWN = 50  # of one account


@dataclass(frozen=True)
class Held:
    """An implausible reading that was kept aside. Times are aware UTC; observed_at: of the latest reading that says so.

    last_good: what was believed before. agreeing: later readings that agreed with it.
    """

    id: int
    account_id: int
    metric: Metric
    value: int
    last_good: int | None
    observed_at: datetime | None
    origin: str | None
    held_at: datetime | None
    agreeing: int
    state: HeldState
    decided_at: datetime | None


@dataclass(frozen=True)
class ListedHeld(Held):
    """A held reading with its account and project."""

    profile_url: str
    platform: str
    username: str | None
    project_id: str
    project_name: str


_COLUMNS = tuple(held_observations.c[name] for name in Held.__dataclass_fields__)
DECIDED = ("held", "accepted", "rejected")  # what later readings are compared with
_of_projects = Ready(
    lambda _: (
        sa.select(accounts.c.project_id, *_COLUMNS)
        .join(accounts, accounts.c.id == held_observations.c.account_id)
        .where(
            accounts.c.project_id.op("IN")(texts_in(sa.bindparam("of"))),
            is_one_of(held_observations.c.state, DECIDED),
        )
        .order_by(held_observations.c.id)
    )
)


def of_projects(tx: sa.Connection, project_ids: Collection[str]) -> dict[str, dict[tuple[int, int], Held]]:
    """The latest reading held, or decided and still what the platform says, of each metric.

    {project id: {(account id, place of the metric): it}}; projects without any are not there.
    """
    found: dict[str, dict[tuple[int, int], Held]] = {}
    for project_id, *row in _of_projects.rows(tx, of=bind_ids(tx, project_ids)):
        one = Held(*row)
        found.setdefault(project_id, {})[one.account_id, METRICS.index(one.metric)] = one
    return found


def of_account(tx: sa.Connection, account_id: int) -> list[Held]:
    """Readings of the account that were kept aside, newest first, with what became of them."""
    mine = sa.select(*_COLUMNS).where(held_observations.c.account_id == account_id)
    return [Held(*row) for row in tx.execute(mine.order_by(held_observations.c.id.desc()).limit(SHOWN))]


def listed(
    tx: sa.Connection, *, state: str | None = "held", project_id: str | None = None, limit: int = DEFAULT_LIMIT
) -> list[ListedHeld]:
    """Readings that were kept aside, newest first, with their account and project; those in one state: of what is there."""
    named = (accounts.c[name] for name in ("profile_url", "platform", "username", "project_id"))
    statement: sa.Select[Any] = (
        sa.select(*_COLUMNS, *named, project_rows.c.name)
        .join(accounts, accounts.c.id == held_observations.c.account_id)
        .join(project_rows, project_rows.c.id == accounts.c.project_id)
        .order_by(held_observations.c.id.desc())
        .limit(limit)
    )
    if state is not None:
        statement = statement.where(held_observations.c.state == state, ACCOUNT_THERE, PROJECT_THERE)
    if project_id is not None:
        statement = statement.where(accounts.c.project_id == project_id)
    return [ListedHeld(*row) for row in tx.execute(statement)]


def counts(tx: sa.Connection) -> dict[str, int]:
    """{project id: readings kept aside that nobody has decided on}."""
    statement = (
        sa.select(accounts.c.project_id, sa.func.count())
        .join(held_observations, held_observations.c.account_id == accounts.c.id)
        .join(project_rows, project_rows.c.id == accounts.c.project_id)
        .where(held_observations.c.state == "held", ACCOUNT_THERE, PROJECT_THERE)
        .group_by(accounts.c.project_id)
    )
    return {row[0]: row[1] for row in tx.execute(statement)}


def by_id(tx: sa.Connection, held_id: int) -> Held | None:
    """One reading that was kept aside, whatever became of it."""
    if held_id > LARGEST:
        return None
    row = tx.execute(sa.select(*_COLUMNS).where(held_observations.c.id == held_id)).first()
    return None if row is None else Held(*row)


def decide(tx: sa.Connection, held_id: int, decision: Literal["accepted", "rejected"], now: datetime) -> Held | None:
    """Accept or reject a held reading; a rejected one may be accepted later. None when there is none to decide."""
    open_states = ["held", "rejected"] if decision == "accepted" else ["held"]
    statement = (
        held_observations.update()
        .where(held_observations.c.id == held_id, held_observations.c.state.in_(open_states))
        .values(state=decision, decided_at=now)
        .returning(*_COLUMNS)
    )
    row = tx.execute(statement).first()
    if row is None:
        return None
    decided = Held(*row)
    owner = tx.execute(sa.select(accounts.c.project_id).where(accounts.c.id == decided.account_id)).scalar_one()
    projects.touch(tx, [owner], merge=True)
    return decided


_OPENED = ("account_id", "metric", "value", "last_good", "observed_at", "origin", "held_at", "agreeing", "state")
_CHANGED = ("value", "last_good", "observed_at", "origin", "held_at", "agreeing", "state", "decided_at")
_open = insert(held_observations, _OPENED)
_change = update(held_observations.c.id, _CHANGED)


def put(tx: sa.Connection, opened: Sequence[tuple[Any, ...]], changed: Sequence[tuple[Any, ...]]) -> None:
    """opened: (account id, metric, value, last good, observed at, origin, held at, agreeing, state);
    changed: (value, last good, observed at, origin, held at, agreeing, state, decided at, id). Aware times."""
    times = {index for index, name in enumerate(_OPENED) if name.endswith("_at")}
    if opened:
        _open.run(tx, [_native_times(tx, row, times) for row in opened])
    times = {index for index, name in enumerate(_CHANGED) if name.endswith("_at")}
    if changed:
        _change.run(tx, [_native_times(tx, row, times) for row in changed])


def _native_times(tx: sa.Connection, row: tuple[Any, ...], times: set[int]) -> tuple[Any, ...]:
    kind = UtcDateTime()
    return tuple(native(tx, kind, value) if place in times else value for place, value in enumerate(row))


def _over() -> sa.ColumnElement[bool]:
    """Of a reading: decided before the parameter `before`, and no later reading is compared with it."""
    later = held_observations.alias()
    same = (later.c.account_id == held_observations.c.account_id) & (later.c.metric == held_observations.c.metric)
    followed = sa.exists().where(same, later.c.id > held_observations.c.id, is_one_of(later.c.state, DECIDED))
    over = is_one_of(held_observations.c.state, ["confirmed", "withdrawn"]) | followed
    old = (held_observations.c.state != "held") & (held_observations.c.decided_at < sa.bindparam("before"))
    return old & over


_forget = delete_some(held_observations, _over())


def forget(tx: sa.Connection, before: datetime, most: int) -> int:
    """Remove readings that were over before a moment, and that no later reading is compared with; how many."""
    return _forget.run(tx, before=before, most=most)
