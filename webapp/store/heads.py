"""Projects as readers ask for them, fetched as fast as the driver. Lists leave removed ones out."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import sqlalchemy as sa

from webapp.model import LARGEST
from webapp.store.accounts import missing as missing_account
from webapp.store.projects import Project, missing
from webapp.store.statement import Query
from webapp.store.tables import PROJECT_THERE, accounts, projects
from webapp.store.types import Count, Day

_COLUMNS = tuple(projects.c[name] for name in Project.__dataclass_fields__)
_PROJECT = sa.select(*_COLUMNS)


_one = Query(lambda _: _PROJECT.where(projects.c.id == sa.bindparam("project_id")))


_all = Query(lambda _: _PROJECT.where(PROJECT_THERE))


_by_account = Query(
    lambda _: _PROJECT.join(accounts, accounts.c.project_id == projects.c.id).where(
        accounts.c.id == sa.bindparam("account_id", type_=Count())
    )
)


def _project(tx: sa.Connection, row: tuple[Any, ...]) -> Project:
    values = list(row)
    for place, decode in _decoders(tx.dialect):
        values[place] = decode(values[place])
    return Project(*values)


@cache
def _decoders(dialect: sa.Dialect) -> list[tuple[int, Callable[[Any], Any]]]:
    """Which columns have a driver value that is none of ours, and what turns it into one."""
    found = ((place, c.type.dialect_impl(dialect).result_processor(dialect, None)) for place, c in enumerate(_COLUMNS))
    return [(place, decode) for place, decode in found if decode is not None]


def head_of(tx: sa.Connection, project_id: str) -> Project:
    """The project; a removed one is served too, with its history.

    Raises: NotFound.
    """
    row = None if "\x00" in project_id else _one.first(tx, project_id=project_id)
    if row is None:
        raise missing(project_id)
    return _project(tx, row)


def head_of_account(tx: sa.Connection, account_id: int) -> Project:
    """The project of an account. Either may have been removed.

    Raises: NotFound when there is no such account.
    """
    row = _by_account.first(tx, account_id=account_id) if account_id <= LARGEST else None
    if row is None:
        raise missing_account(account_id)
    return _project(tx, row)


def all_heads(tx: sa.Connection) -> list[Project]:
    """Every project that is not removed, by name."""
    return sorted((_project(tx, row) for row in _all.rows(tx)), key=lambda head: (head.name.casefold(), head.id))


def as_of_day(dialect: str, days_before: int) -> sa.ColumnElement[Any]:
    """The UTC day of a project's `as_of`, so many days earlier, as an expression over `projects`; NULL without one."""
    latest = projects.c.as_of
    if dialect == "postgresql":
        day = sa.cast(sa.func.timezone(sa.literal_column("'UTC'"), latest), sa.Date())
        return day - sa.literal_column(str(days_before), sa.Integer())
    return sa.func.date(sa.func.substr(latest, 1, 10), _days_back(days_before), type_=Day())


def as_of_moment(dialect: str, days_before: int) -> sa.ColumnElement[Any]:
    """A project's `as_of`, so many times 24 hours earlier, as an expression over `projects`."""
    latest = projects.c.as_of
    if dialect == "postgresql":
        return latest - sa.literal_column(f"INTERVAL '{24 * days_before} hours'", sa.Interval())
    return as_of_day(dialect, days_before).op("||")(sa.func.substr(latest, 11))


def _days_back(days: int) -> sa.ColumnElement[str]:
    return sa.literal_column(f"'-{days} days'")
