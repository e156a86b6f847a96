"""Values that people have fixed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from webapp.model import Metric
from webapp.store import projects
from webapp.store.accounts import Account
from webapp.store.backends.dialect import insert_for
from webapp.store.projects import DEFAULT_LIMIT
from webapp.store.statement import Ready, bind_ids, if_any, texts_in
from webapp.store.tables import accounts as account_rows
from webapp.store.tables import pins
from webapp.store.tables import projects as project_rows


@dataclass(frozen=True)
class Pin:
    """A metric of an account that a person fixed. until None: for good. Times are aware UTC."""

    account_id: int
    metric: Metric
    value: int
    until: datetime | None
    note: str | None
    pinned_at: datetime | None


@dataclass(frozen=True)
class ListedPin(Pin):
    """A pin with its account and project."""

    profile_url: str
    project_id: str
    project_name: str


_COLUMNS = tuple(pins.c[name] for name in Pin.__dataclass_fields__)


def put(
    tx: sa.Connection,
    account: Account,
    metric: Metric,
    value: int,
    *,
    until: datetime | None,
    note: str | None,
    now: datetime,
) -> None:
    """Fix a value until a time, or for good."""
    row = {"value": value, "until": until, "note": note, "pinned_at": now}
    statement = insert_for(tx, pins).values(account_id=account.id, metric=metric, **row)
    tx.execute(statement.on_conflict_do_update(index_elements=["account_id", "metric"], set_=row))
    projects.touch(tx, [account.project_id], merge=True)


def drop(tx: sa.Connection, account: Account, metric: Metric) -> None:
    """Let the merge decide again."""
    tx.execute(pins.delete().where(pins.c.account_id == account.id, pins.c.metric == metric))
    projects.touch(tx, [account.project_id], merge=True)


def of_metric(tx: sa.Connection, account_id: int, metric: Metric) -> Pin | None:
    """The pin of one metric of an account, in force or not; None when it is not pinned."""
    mine = sa.select(*_COLUMNS).where(pins.c.account_id == account_id, pins.c.metric == metric)
    row = tx.execute(mine).first()
    return None if row is None else Pin(*row)


def of_projects(tx: sa.Connection, project_ids: Collection[str]) -> dict[str, list[Pin]]:
    """{project id: its pins, those that have run out too}; projects without any are not there."""
    found: dict[str, list[Pin]] = {}
    for project_id, *row in _of_projects.rows(tx, of=bind_ids(tx, project_ids)):
        found.setdefault(project_id, []).append(Pin(*row))
    return found


_ANY = sa.select(sa.literal_column("1")).select_from(pins.alias("any_pin")).exists()
_of_projects = Ready(
    lambda _: (
        sa.select(account_rows.c.project_id, *_COLUMNS)
        .select_from(if_any(account_rows, _ANY).join(pins, account_rows.c.id == pins.c.account_id))
        .where(account_rows.c.project_id.op("IN")(texts_in(sa.bindparam("of"))))
    )
)


def of_accounts(tx: sa.Connection, ids: Collection[int]) -> list[Pin]:
    """The pins of these accounts, those that have run out too."""
    return [Pin(*row) for row in tx.execute(sa.select(*_COLUMNS).where(pins.c.account_id.in_(ids)))]


def listed(tx: sa.Connection, *, project_id: str | None = None, limit: int = DEFAULT_LIMIT) -> list[ListedPin]:
    """Values that people have fixed, by project and account."""
    statement: sa.Select[Any] = (
        sa.select(*_COLUMNS, account_rows.c.profile_url, account_rows.c.project_id, project_rows.c.name)
        .join(account_rows, account_rows.c.id == pins.c.account_id)
        .join(project_rows, project_rows.c.id == account_rows.c.project_id)
        .order_by(project_rows.c.name, pins.c.account_id, pins.c.metric)
        .limit(limit)
    )
    if project_id is not None:
        statement = statement.where(account_rows.c.project_id == project_id)
    return [ListedPin(*row) for row in tx.execute(statement)]
