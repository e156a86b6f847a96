"""Projects as readers ask for them, fetched as fast as the driver. Lists leave removed ones out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from webapp.model import LARGEST
from webapp.store.accounts import missing as missing_account
from webapp.store.projects import TOUCHED, Project, missing
from webapp.store.statement import Query
from webapp.store.tables import PROJECT_THERE, accounts, projects
from webapp.store.types import Count, Day, as_moment

_COLUMNS = tuple(projects.c[name] for name in Project.__dataclass_fields__)


# Which projects are meant: one, that of an account, or all that are not removed.
Whose = tuple[Literal["project", "account", "all"], Any]


class Mark(NamedTuple):
    """What tells a project from itself before a change, for whoever reads it.

    The times tell a revision from one of the same number in a backup that was restored. touched_at: the last time
    anything of it was written, numbers or not.
    """

    id: str
    revision: int
    changed_at: datetime | None
    as_of: datetime | None
    touched_at: datetime | None

    @classmethod
    def of(cls, project: Project) -> Mark:
        return cls(project.id, project.revision, project.changed_at, project.as_of, project.touched_at)

    @property
    def state(self) -> tuple[str, int, datetime | None, datetime | None]:
        """What its numbers depend on."""
        return self[:-1]


def _queries(columns: Sequence[sa.Column[Any]]) -> Mapping[str, Query]:
    asked = sa.select(*columns)
    of_account = accounts.c.id == sa.bindparam("of", type_=Count())
    return {
        "project": Query(lambda _: asked.where(projects.c.id == sa.bindparam("of"))),
        "account": Query(lambda _: asked.join(accounts, accounts.c.project_id == projects.c.id).where(of_account)),
        "all": Query(lambda _: asked.where(PROJECT_THERE)),
    }


_HEADS = _queries(_COLUMNS)
_MARKS = _queries([projects.c[name] for name in ("id", "revision", "changed_at", "as_of", *TOUCHED)])


def head_of(tx: sa.Connection, project_id: str) -> Project:
    """The project; a removed one is served too, with its history.

    Raises: NotFound.
    """
    return heads_of(tx, ("project", project_id))[0]


def head_of_account(tx: sa.Connection, account_id: int) -> Project:
    """The project of an account. Either may have been removed.

    Raises: NotFound when there is no such account.
    """
    return heads_of(tx, ("account", account_id))[0]


def all_heads(tx: sa.Connection) -> list[Project]:
    """Every project that is not removed, by name."""
    return [*heads_of(tx, ("all", None))]


def heads_of(tx: sa.Connection, whose: Whose) -> tuple[Project, ...]:
    """The projects that are meant, by name.

    Raises: NotFound when there is no such project or account.
    """
    kind, of = whose
    values = _values(whose)
    rows = () if values is None else _HEADS[kind].rows(tx, **values)
    found = sorted((_project(tx, row) for row in rows), key=lambda head: (head.name.casefold(), head.id))
    if not found and kind != "all":
        raise missing(of) if kind == "project" else missing_account(of)
    return tuple(found)


@lru_cache(1_000)
def text_of_marks(whose: Whose) -> tuple[str, tuple[Any, ...]] | None:
    """What SQLite's driver is asked for the marks, without a transaction; None for what there cannot be."""
    values = _values(whose)
    return None if values is None else _MARKS[whose[0]].text("sqlite", **values)


def marks_in(rows: Iterable[tuple[Any, ...]]) -> list[Mark]:
    """The marks in the rows that SQLite's driver answers."""
    found = []
    for id_, revision, *texts in rows:
        changed_at, as_of, *touched = map(as_moment, texts)
        found.append(Mark(id_, revision, changed_at, as_of, max(filter(None, touched), default=None)))
    return found


def _values(whose: Whose) -> dict[str, Any] | None:
    """None for what no database can be asked for."""
    kind, of = whose
    if (kind == "project" and "\x00" in of) or (kind == "account" and of > LARGEST):
        return None
    return {} if kind == "all" else {"of": of}


def _project(tx: sa.Connection, row: tuple[Any, ...]) -> Project:
    values = list(row)
    for place, decode in _decoders(tx.dialect):
        if values[place] is not None:
            values[place] = decode(values[place])
    return Project(*values)


@cache
def _decoders(dialect: sa.Dialect) -> list[tuple[int, Callable[[Any], Any]]]:
    """Which columns have a driver value that is none of ours, and what turns it into one."""
    found = ((place, c.type.dialect_impl(dialect).result_processor(dialect, None)) for place, c in enumerate(_COLUMNS))
    return [(place, decode) for place, decode in found if decode is not None]


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
