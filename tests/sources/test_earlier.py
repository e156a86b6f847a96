"""The earlier app's database, whatever its columns are called."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa

from webapp.errors import SourceError
from webapp.model import Counts
from webapp.sources.earlier import EarlierApp, count_in, moment_in

LEAST = (
    "CREATE TABLE projects (id TEXT, name TEXT)",
    "CREATE TABLE project_social_accounts (id INTEGER, project_id TEXT)",
    "CREATE TABLE account_snapshots (account_id INTEGER, snapshot_time TEXT)",
)


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    with sa.create_engine("sqlite://").connect() as connection:
        yield connection


def app_with(connection: sa.Connection, *statements: str) -> EarlierApp:
    for statement in statements:
        connection.exec_driver_sql(statement)
    return EarlierApp(connection)


def test_what_is_missing_is_unknown(connection: sa.Connection) -> None:
    app = app_with(
        connection,
        *LEAST,
        "INSERT INTO projects VALUES (7, '  Beauty   Lab ')",
        "INSERT INTO project_social_accounts VALUES (1, 7), (NULL, 7), (0, 7), ('x', 7)",
        "INSERT INTO account_snapshots VALUES (1, '2025-03-01'), (1, NULL), (2, '2025-03-01'), (NULL, '2025-03-01'), ('x', '2025-03-01')",
    )

    (project,), (account,) = app.projects(), app.accounts()
    assert (project.id, project.name, project.status, project.active) == ("7", "Beauty Lab", "", True)
    assert (project.target_views, project.start_date, project.end_date) == (None, None, None)
    assert (account.id, account.project_id, account.url, account.active) == (1, "7", "", True)
    assert account.counts == Counts()
    assert app.count() == 5
    assert [(one.project_id, one.account_id, one.at) for one in app.snapshots()] == [
        ("7", 1, datetime(2025, 3, 1, tzinfo=UTC)),
        ("7", 1, None),
    ]


def test_columns_go_by_several_names(connection: sa.Connection) -> None:
    app = app_with(
        connection,
        "CREATE TABLE projects (ID TEXT, title TEXT, is_active INTEGER, start_date TEXT, deadline TEXT, kpi_views TEXT)",
        "CREATE TABLE project_social_accounts "
        "(id INTEGER, project_id TEXT, Profile_Link TEXT, telegram_user TEXT, active TEXT, followers_count INTEGER)",
        "CREATE TABLE account_snapshots (account_id INTEGER, created_at INTEGER, followers_count TEXT, total_views REAL)",
        "INSERT INTO projects VALUES ('p', 'Beauty Lab', 0, '2025-01-01', '2025-06-30 00:00:00', '5000')",
        "INSERT INTO project_social_accounts VALUES (3, 'p', 'https://x.com/ann', '@mira', 'No', 12)",
        "INSERT INTO account_snapshots VALUES (3, 1741000000, ' 15 ', 3e3), (3, 1741000000000, 'many', -1)",
    )

    (project,), (account,) = app.projects(), app.accounts()
    assert (project.name, project.active, project.target_views) == ("Beauty Lab", False, 5000)
    assert (project.start_date, project.end_date) == (date(2025, 1, 1), date(2025, 6, 30))
    assert (account.url, account.owner, account.active) == ("https://x.com/ann", "@mira", False)
    assert account.counts == Counts(followers=12)
    first, second = app.snapshots()
    assert first.at == second.at == datetime(2025, 3, 3, 11, 6, 40, tzinfo=UTC)
    assert (first.counts, first.odd) == (Counts(15, None, None, None, 3000), 0)
    assert (second.counts, second.odd) == (Counts(), 2)


def test_snapshots_of_a_project_and_of_an_account_come_together(connection: sa.Connection) -> None:
    app = app_with(
        connection,
        *LEAST,
        "INSERT INTO project_social_accounts VALUES (1, 'b'), (2, 'a'), (3, 'b')",
        "INSERT INTO account_snapshots VALUES (1, '2025-03-01'), (3, '2025-03-01'), (2, '2025-03-01'), (1, '2025-03-02')",
    )

    assert [(one.project_id, one.account_id) for one in app.snapshots()] == [("a", 2), ("b", 1), ("b", 1), ("b", 3)]


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (LEAST[1:], "there is no table projects"),
        (LEAST[:2], "there is no table account_snapshots"),
        ((LEAST[0].replace("name", "n"), *LEAST[1:]), "the table projects has no column name or title or project_name"),
        (
            (*LEAST[:2], LEAST[2].replace("snapshot_time", "x")),
            "the table account_snapshots has no column snapshot_time",
        ),
    ],
)
def test_what_nothing_can_be_known_without_is_named(
    connection: sa.Connection, statements: tuple[str, ...], words: str
) -> None:
    with pytest.raises(SourceError) as refused:
        app_with(connection, *statements)

    assert words in refused.value.message
    assert refused.value.code == "not_the_earlier_app"


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (5, 5),
        (0, 0),
        ("5", 5),
        (" 5 ", 5),
        (5.0, 5),
        (Decimal("5.00"), 5),
        (2**63 - 1, 2**63 - 1),
        (None, None),
        ("", None),
    ],
)
def test_what_counts(value: object, count: int | None) -> None:
    assert count_in(value) == (count, False)


@pytest.mark.parametrize("value", [-1, 5.5, Decimal("0.1"), float("nan"), 2**63, "9" * 30, "many", True, b"5", "1,234"])
def test_what_counts_nothing(value: object) -> None:
    assert count_in(value) == (None, True)


NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2025-03-01 12:00:00", NOON),
        ("2025-03-01T12:00:00Z", NOON),
        ("2025-03-01T14:00:00+02:00", NOON),
        (NOON.replace(tzinfo=None), NOON),
        (NOON, NOON),
        (NOON.timestamp(), NOON),
        (int(NOON.timestamp()) * 1000, NOON),
        (date(2025, 3, 1), NOON.replace(hour=0)),
        ("2025-03-01", NOON.replace(hour=0)),
        ("soon", None),
        ("", None),
        (None, None),
        (5, None),
        (1e30, None),
        (float("inf"), None),
        (b"2025", None),
    ],
)
def test_when_that_was(value: object, moment: datetime | None) -> None:
    assert moment_in(value) == moment
