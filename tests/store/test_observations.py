"""Which accounts a sync has to look at, and which of their readings say something else than was believed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from webapp.store import observations
from webapp.store.db import Database
from webapp.store.observations import Split
from webapp.store.tables import accepted_readings, accounts, projects
from webapp.store.tables import observations as table

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.fixture
def db(db: Database) -> Database:
    with db.write() as tx:
        tx.execute(projects.insert().values([{"id": "p", "name": "P"}, {"id": "q", "name": "Q"}]))
        for number in range(1, 7):
            key = f"youtube:@a{number}"
            row = {"id": number, "project_id": "pq"[number % 2], "url_key": key, "profile_url": key}
            tx.execute(accounts.insert().values(row))
    return db


def say(tx: sa.Connection, account_id: int, followers: int) -> None:
    row = {"account_id": account_id, "source": "parsed", "followers": followers, "observed_at": NOW}
    tx.execute(table.insert().values(row))


def test_a_reading_has_changed_until_it_is_believed_and_when_it_goes(db: Database) -> None:
    with db.write() as tx:
        for account_id in (1, 2, 3):
            say(tx, account_id, 5)
        for account_id, followers in ((1, 5), (2, 4), (4, 5)):
            tx.execute(accepted_readings.insert().values(account_id=account_id, followers=followers))

    with db.read() as tx:
        assert observations.changed_readings(tx, ["p", "q"]) == {"p": {2, 4}, "q": {3}}
        assert observations.changed_readings(tx, ["q"]) == {"q": {3}}
        assert observations.changed_readings(tx, []) == {}


def test_where_nobody_reads_no_account_is_looked_at(sqlite_db: Database) -> None:
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    def look() -> int:
        nonlocal steps
        steps = 0
        with sqlite_db.read() as tx:
            file = tx.connection.dbapi_connection
            assert file is not None
            file.set_progress_handler(count, 1)
            try:
                assert observations.changed_readings(tx, ["p"]) == {}
            finally:
                file.set_progress_handler(None, 1)
        return steps

    with sqlite_db.write() as tx:
        tx.execute(projects.insert().values(id="p", name="P"))
    without = look()
    with sqlite_db.write() as tx:
        for number in range(1, 300):
            key = f"youtube:@a{number}"
            tx.execute(accounts.insert().values(id=number, project_id="p", url_key=key, profile_url=key))

    assert 0 < look() == without


def ids_of(db: Database, split: Split) -> dict[str, set[int]]:
    with db.read() as tx:
        found = observations.stored_by_project(tx, ["p", "q"], split)
    return {project: {account.id for account in accounts} for project, accounts in found.items()}


def test_all_accounts_are_looked_at_but_the_quiet_ones(db: Database) -> None:
    assert ids_of(db, Split()) == {"p": {2, 4, 6}, "q": {1, 3, 5}}
    assert ids_of(db, Split([{2, 4}, {5}])) == {"p": {6}, "q": {1, 3}}
    assert ids_of(db, Split([{2, 4}, {5}], [1, 6])) == {"p": {6}, "q": {1, 3}}, "one that nobody knew is there too"
    assert ids_of(db, Split([{2, 4}, {5}], [1, 6, 5])) == {"p": {6}, "q": {1, 3}}, "as many, but not the same"


def test_nobody_lists_accounts_that_are_all_known(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(observations, "_ids")

    assert ids_of(db, Split([{2, 4}, {5}], [1, 6, 3])) == {"p": {6}, "q": {1, 3}}
    assert ids_of(db, Split([{2, 4, 6}, {1, 3, 5}])) == {}
