"""The database of the app before this one: its tables `projects`, `project_social_accounts`, `account_snapshots`.

They were changed by hand more than once, so columns are known by several names, and what is missing is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from webapp.clock import as_utc
from webapp.errors import SourceError
from webapp.model import LARGEST, METRICS, Counts

PROJECTS, ACCOUNTS, SNAPSHOTS = "projects", "project_social_accounts", "account_snapshots"
# What columns are called; the first that is there counts. In front the names that the tables have to have.
NAMES: Mapping[str, Mapping[str, Sequence[str]]] = {
    PROJECTS: {
        "id": ("id", "project_id", "uuid"),
        "name": ("name", "title", "project_name"),
        "status": ("status", "state"),
        "active": ("is_active", "active"),
        "target_views": ("target_views", "views_target", "kpi_views"),
        "start_date": ("start_date", "starts_at", "date_start"),
        "end_date": ("end_date", "ends_at", "date_end", "deadline"),
    },
    ACCOUNTS: {
        "id": ("id", "account_id"),
        "project_id": ("project_id", "project"),
        "url": ("profile_link", "profile_url", "url", "link", "account_url"),
        "platform": ("platform", "social_network", "network"),
        "username": ("username", "handle", "user_name", "account_name"),
        "owner": ("telegram_user", "owner", "user", "responsible"),
        "topic": ("topic", "theme", "category", "niche"),
        "status": ("status", "account_status"),
        "active": ("is_active", "active"),
    },
    SNAPSHOTS: {
        "account_id": ("account_id", "social_account_id", "project_social_account_id"),
        "at": ("snapshot_time", "snapshot_at", "created_at", "recorded_at", "timestamp", "snapshot_date", "date"),
    },
}
NEEDED = {PROJECTS: ("id", "name"), ACCOUNTS: ("id", "project_id"), SNAPSHOTS: ("account_id", "at")}
TEXTS = ("project_id", "url", "platform", "username", "owner", "topic", "status")
COUNTS = ("{}", "{}_count", "total_{}", "current_{}", "last_{}")
SECONDS, MILLISECONDS = 10**8, 10**11  # what a number of either is above, since 1973


@dataclass(frozen=True)
class EarlierProject:
    """active None: it did not say."""

    id: str
    name: str
    status: str
    active: bool
    target_views: int | None
    start_date: date | None
    end_date: date | None


@dataclass(frozen=True)
class EarlierAccount:
    """id: as the app counted it. url: or, without one, platform and username. counts: its current ones."""

    id: int
    project_id: str
    url: str
    platform: str
    username: str
    owner: str
    topic: str
    status: str
    active: bool
    counts: Counts


@dataclass(frozen=True)
class EarlierSnapshot:
    """at None: nobody can tell when. odd: how many of its counts were none."""

    project_id: str
    account_id: int
    at: datetime | None
    counts: Counts
    odd: int


class EarlierApp:
    """An open connection to the database.

    Raises: SourceError when a table or a column is missing that nothing can be known without.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._columns = {table: self._find(table) for table in (PROJECTS, ACCOUNTS, SNAPSHOTS)}

    def projects(self) -> list[EarlierProject]:
        return [
            EarlierProject(
                _text(row["id"]),
                _text(row["name"]),
                _text(row["status"]).lower(),
                _is_active(row["active"]),
                count_in(row["target_views"])[0],
                _day(row["start_date"]),
                _day(row["end_date"]),
            )
            for row in self._rows(PROJECTS)
        ]

    def accounts(self) -> list[EarlierAccount]:
        """Those whose id is a number."""
        found = []
        for row in self._rows(ACCOUNTS):
            number = count_in(row["id"])[0]
            if number:
                texts = {name: _text(row[name]) for name in TEXTS}
                found.append(
                    EarlierAccount(id=number, active=_is_active(row["active"]), counts=_counts(row)[0], **texts)
                )
        return found

    def count(self) -> int:
        """How many snapshots there are."""
        statement = sa.select(sa.func.count()).select_from(sa.table(SNAPSHOTS))
        return int(self._connection.execute(statement).scalar_one())

    def snapshots(self) -> Iterator[EarlierSnapshot]:
        """All of accounts that there are, those of a project together, and in it those of an account."""
        mine, theirs = self._columns[SNAPSHOTS], self._columns[ACCOUNTS]
        shots = sa.table(SNAPSHOTS, *map(sa.column, mine.values()))
        whose = sa.table(ACCOUNTS, sa.column(theirs["id"]), sa.column(theirs["project_id"])).alias("whose")
        account, project = whose.c[theirs["id"]], whose.c[theirs["project_id"]]
        statement: sa.Select[Any] = (
            sa.select(project.label("project_id"), *(shots.c[column].label(name) for name, column in mine.items()))
            .join_from(shots, whose, account == shots.c[mine["account_id"]])
            .order_by(project, account)
        )
        for found in self._connection.execute(statement, execution_options={"yield_per": 1_000}).mappings():
            row: Mapping[str, Any] = dict(found)
            counts, odd = _counts(row)
            number = count_in(row["account_id"])[0]
            if number:
                yield EarlierSnapshot(_text(row["project_id"]), number, moment_in(row["at"]), counts, odd)

    def _find(self, table: str) -> dict[str, str]:
        """{what we call it: what the table calls it}."""
        try:
            there = {
                column["name"].lower(): column["name"] for column in sa.inspect(self._connection).get_columns(table)
            }
        except sa.exc.NoSuchTableError:
            raise SourceError(
                f"there is no table {table}", code="not_the_earlier_app", hint=f"its database has {', '.join(NAMES)}"
            ) from None
        wanted = {**NAMES[table]}
        if table != PROJECTS:
            wanted |= {metric: [form.format(metric) for form in COUNTS] for metric in METRICS}
        found = {name: next((there[one] for one in names if one in there), "") for name, names in wanted.items()}
        for name in NEEDED[table]:
            if not found[name]:
                words = f"the table {table} has no column {' or '.join(wanted[name])}"
                raise SourceError(words, code="not_the_earlier_app", hint=f"it has {', '.join(sorted(there))}")
        return {name: column for name, column in found.items() if column}

    def _rows(self, table: str) -> Iterator[Mapping[str, Any]]:
        """The rows by what we call their columns; None for what there is not."""
        columns = self._columns[table]
        statement: Any = sa.select(*(sa.column(column).label(name) for name, column in columns.items()))
        nothing: dict[str, Any] = dict.fromkeys((*NAMES[table], *METRICS))
        for row in self._connection.execute(statement.select_from(sa.table(table))).mappings():
            yield nothing | dict(row)


def _counts(row: Mapping[str, Any]) -> tuple[Counts, int]:
    """The counts of a row, and how many of its values are none."""
    found = [count_in(row.get(metric)) for metric in METRICS]
    return Counts._make(value for value, _ in found), sum(odd for _, odd in found)


def count_in(value: object) -> tuple[int | None, bool]:
    """What a stored value counts, and whether it is something that counts nothing."""
    if value is None or value == "":
        return None, False
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 20:  # noqa: PLR2004  digits of 64 bits
        value = int(value)
    if isinstance(value, float | Decimal) and value == value // 1:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST:
        return value, False
    return None, True


def moment_in(value: object) -> datetime | None:
    """When a stored value says; without a zone it is UTC, as the app had it. None: it says no moment."""
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value.strip())
        elif isinstance(value, int | float) and value > SECONDS:
            value = datetime.fromtimestamp(value / (1000 if value > MILLISECONDS else 1), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    if isinstance(value, datetime):
        return as_utc(value)
    return datetime.combine(value, time(), UTC) if isinstance(value, date) else None


def _day(value: object) -> date | None:
    moment = moment_in(value)
    return None if moment is None else moment.date()


def _is_active(value: object) -> bool:
    return _text(value).lower() not in {"0", "false", "f", "no"}


def _text(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())
