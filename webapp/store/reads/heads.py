"""Projects as a reader asks for them first: what decides whether an answer is still the one he has, and freshness."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from webapp.model import Policy
from webapp.store.statement import Query
from webapp.store.tables import accounts, projects
from webapp.store.types import Count, Day, as_moment

BIGGEST = 2**63 - 1


class Head(NamedTuple):
    """A project that is not removed. Times and days are driver values."""

    id: str
    name: str
    status: Literal["active", "paused", "finished"]
    revision: int
    checked_at: Any
    synced_at: Any
    changed_at: Any
    updated_at: Any
    created_at: Any
    next_sync_at: Any
    degraded_since: Any
    interval_minutes: int | None
    worksheet_title: str | None
    merge_policy: Policy
    target_views: int | None
    start_date: Any
    end_date: Any
    sheet_columns: str | None  # JSON

    @property
    def as_of(self) -> datetime | None:
        """The moment the current counts are of: the last success, or a later change while the sheet is out of reach."""
        times = [moment for moment in (as_moment(self.synced_at), as_moment(self.changed_at)) if moment]
        return max(times, default=None)

    @property
    def touched_at(self) -> datetime | None:
        """The last time anything of the project was written."""
        times = map(as_moment, (self.checked_at, self.changed_at, self.updated_at, self.created_at))
        return max((moment for moment in times if moment), default=None)


def as_of_day(dialect: str, days_before: int) -> sa.ColumnElement[Any]:
    """The UTC day of `Head.as_of`, so many days earlier, as an expression over `projects`; NULL without an `as_of`."""
    synced, changed = projects.c.synced_at, projects.c.changed_at
    if dialect == "postgresql":
        latest = sa.func.timezone(sa.literal_column("'UTC'"), sa.func.greatest(synced, changed))
        return sa.cast(latest, sa.Date()) - sa.literal_column(str(days_before), sa.Integer())
    latest = sa.func.max(sa.func.coalesce(synced, changed), sa.func.coalesce(changed, synced), type_=sa.Text())
    back: sa.ColumnElement[str] = sa.literal_column(f"'-{days_before} days'")
    return sa.func.date(sa.func.substr(latest, 1, 10), back, type_=Day())


_COLUMNS = tuple(projects.c[name] for name in Head._fields)
_PROJECT = sa.select(*_COLUMNS).where(projects.c.removed_at.is_(None))

_one = Query(lambda _: _PROJECT.where(projects.c.id == sa.bindparam("project_id")))
_all = Query(lambda _: _PROJECT)
_by_account = Query(
    lambda _: _PROJECT.join(accounts, accounts.c.project_id == projects.c.id).where(
        accounts.c.id == sa.bindparam("account_id", type_=Count())
    )
)


def head_of(tx: sa.Connection, project_id: str) -> Head | None:
    """None for a project that is not there or is removed."""
    if "\x00" in project_id:
        return None
    row = _one.first(tx, project_id=project_id)
    return None if row is None else Head._make(row)


def head_of_account(tx: sa.Connection, account_id: int) -> Head | None:
    """The project of an account, which may itself have been removed from it."""
    row = _by_account.first(tx, account_id=account_id) if account_id <= BIGGEST else None
    return None if row is None else Head._make(row)


def all_heads(tx: sa.Connection) -> list[Head]:
    """Every project that is not removed, by name."""
    return sorted((Head._make(row) for row in _all.rows(tx)), key=lambda head: (head.name.casefold(), head.id))
