"""Readings from outside wait for those who are at work on the same accounts and projects, and never in a circle."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from webapp.model import Counts
from webapp.store import readings
from webapp.store.db import Database
from webapp.store.readings import Reading
from webapp.store.tables import accounts, observations, projects

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def read(account_id: int, views: int) -> Reading:
    return Reading(account_id, Counts(None, None, None, None, views), NOON, "program")


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as thread:
        yield thread


@pytest.fixture
def two_projects(postgres_db: Database) -> Database:
    """Each with an account."""
    with postgres_db.write() as tx:
        for number, name in enumerate("ba", 1):
            tx.execute(projects.insert().values(id=name, name=name))
            url = f"https://x.com/{name}"
            tx.execute(accounts.insert().values(id=number, project_id=name, profile_url=url, url_key=url))
        readings.put(tx, [read(1, 1), read(2, 2)])
    return postgres_db


def others(db: Database, first: Callable[[sa.Connection], object], then: Callable[[sa.Connection], object]) -> None:
    """Take one thing, then another that whoever comes meanwhile may hold already."""
    with db.write() as tx:
        first(tx)
        threading.Event().wait(0.3)
        then(tx)


def put(db: Database, *new: Reading) -> int:
    with db.write() as tx:
        return readings.put(tx, new)


@pytest.mark.postgres
def test_projects_are_locked_in_the_order_of_their_ids(two_projects: Database) -> None:
    """What a server comes to first is its own affair, so that waiting in a circle cannot be made to happen."""
    asked: list[str] = []
    with two_projects.write() as tx:
        sa.event.listen(tx, "before_cursor_execute", lambda *call: asked.append(call[2]))
        readings.put(tx, [read(1, 10), read(2, 20)])

    of_projects = [sql.split() for sql in asked if "FROM projects" in sql or "UPDATE projects" in sql]
    assert of_projects[0][-5:] == ["ORDER", "BY", "projects.id", "FOR", "UPDATE"]
    assert [words[0] for words in of_projects] == ["SELECT", "UPDATE", "UPDATE"]


@pytest.mark.postgres
def test_accounts_are_locked_in_the_order_of_their_ids(two_projects: Database, pool: ThreadPoolExecutor) -> None:
    def lock(account_id: int) -> Callable[[sa.Connection], object]:
        mine = observations.select().where(observations.c.account_id == account_id)
        return lambda tx: tx.execute(mine.with_for_update())

    holder = pool.submit(others, two_projects, lock(1), lock(2))
    threading.Event().wait(0.1)

    assert put(two_projects, read(2, 20), read(1, 10)) == 2
    holder.result()


def test_of_one_account_the_last_that_is_no_older_stays(db: Database) -> None:
    with db.write() as tx:
        tx.execute(projects.insert().values(id="a", name="a"))
        tx.execute(accounts.insert().values(id=1, project_id="a", profile_url="https://x.com/a", url_key="x"))

        assert readings.put(tx, [read(1, 10), read(1, 20)]) == 2
        assert readings.latest(tx, [1])[1].counts.views == 20
        assert tx.execute(sa.select(projects.c.revision)).scalar_one() == 1
