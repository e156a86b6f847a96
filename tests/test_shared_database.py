"""What keeps the tests apart that share a PostgreSQL database: rows, numbers, connections and tables."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

from tests import shared_database
from tests.postgres_server import Server
from tests.shared_database import Leak, SharedDatabase
from webapp.store.db import open_database
from webapp.store.tables import held_observations, metadata


@pytest.fixture
def shared(postgres: Server, postgres_template: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[SharedDatabase]:
    """One of this test's own."""
    monkeypatch.setattr(shared_database, "PATIENCE_S", 0.1)
    shared = SharedDatabase(postgres, postgres_template)
    yield shared
    shared.close()


def fill(url: str) -> tuple[int, int]:
    """A project, an account and a held value; gives the ids that were drawn for the last two."""
    with psycopg.connect(url) as tx:
        tx.execute("INSERT INTO projects (id, name) VALUES ('a', 'A')")
        account = "INSERT INTO accounts (project_id, profile_url, url_key) VALUES ('a', 'x', 'x') RETURNING id"
        held = "INSERT INTO held_observations (account_id, metric, value) VALUES (%s, 'views', 1) RETURNING id"
        (account_id,) = tx.execute(account).fetchone() or ()
        (held_id,) = tx.execute(held, [account_id]).fetchone() or ()
    return account_id, held_id


def rows(url: str) -> dict[str, int]:
    db = open_database(url)
    with db.read() as tx:
        found = {
            name: tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for name, table in metadata.tables.items()
        }
    db.close()
    return found


def test_nothing_reaches_the_next_test_and_its_numbers_begin_with_one(shared: SharedDatabase) -> None:
    for _ in range(3):
        with shared.lend() as url:
            assert set(rows(url).values()) == {0}
            assert fill(url) == (1, 1)
            assert rows(url)[held_observations.name] == 1


def test_a_number_that_was_drawn_for_nothing_is_drawn_again(shared: SharedDatabase) -> None:
    with shared.lend() as url, pytest.raises(psycopg.errors.CheckViolation), psycopg.connect(url) as tx:
        tx.execute("INSERT INTO projects (id, name) VALUES ('a', 'A')")
        tx.execute("INSERT INTO accounts (project_id, profile_url, url_key, views) VALUES ('a', 'x', 'x', -1)")

    with shared.lend() as url:
        assert fill(url) == (1, 1)


def test_what_still_runs_of_a_test_finds_no_database_any_more(shared: SharedDatabase) -> None:
    with shared.lend() as old:
        fill(old)

    with shared.lend(), pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(old)


def test_a_connection_left_open_is_an_error_of_that_test_alone(shared: SharedDatabase) -> None:
    with pytest.raises(Leak, match="SELECT 'mine'"), shared.lend() as url:
        left = psycopg.connect(url)
        left.execute("SELECT 'mine'")
    left.close()

    with shared.lend() as url:
        assert fill(url) == (1, 1)


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE ticks",
        "CREATE TABLE more (id INTEGER)",
        "CREATE VIEW more AS SELECT 1 AS one",
        "ALTER TABLE projects ADD COLUMN colour TEXT",
        "ALTER TABLE projects ALTER COLUMN cron TYPE VARCHAR(3)",
        "ALTER TABLE projects ALTER COLUMN status SET DEFAULT 'paused'",
        "ALTER TABLE accounts DROP CONSTRAINT ck_accounts_mode_is_known",
        "DROP INDEX ix_projects_due",
        "UPDATE alembic_version SET version_num = '9999'",
    ],
)
def test_a_schema_that_was_changed_is_an_error_of_that_test_alone(shared: SharedDatabase, change: str) -> None:
    with pytest.raises(Leak, match="own_database"), shared.lend() as url, psycopg.connect(url) as tx:
        tx.execute(change.encode())

    with shared.lend() as url:
        assert fill(url) == (1, 1)
