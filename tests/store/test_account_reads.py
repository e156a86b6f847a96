"""Whose turn it is to be read, and what platforms say of accounts beside their counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from webapp.store import account_reads
from webapp.store.account_reads import AccountRead, UnreadAccounts
from webapp.store.db import Database
from webapp.store.tables import account_aliases, accounts, observations, projects

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def add(db: Database, account_id: int, key: str, project: str = "p", **values: Any) -> None:
    platform = key.partition(":")[0]
    row = {"id": account_id, "project_id": project, "platform": platform, "url_key": key, "profile_url": key} | values
    with db.write() as tx:
        tx.execute(accounts.insert().values(row))


def read(db: Database, account_id: int, at: datetime) -> None:
    row = {"account_id": account_id, "source": "parsed", "followers": 1, "observed_at": at}
    with db.write() as tx:
        tx.execute(observations.insert().values(row))


def put(db: Database, *reads: AccountRead) -> None:
    with db.write() as tx:
        account_reads.put(tx, reads)


def turns(db: Database, *platforms: str, projects_: tuple[str, ...] = ("p",)) -> list[int]:
    with db.read() as tx:
        return [turn.account_id for turn in account_reads.turns(tx, projects_, platforms, NOW - HOUR, NOW)]


@pytest.fixture
def db(db: Database) -> Database:
    with db.write() as tx:
        tx.execute(projects.insert().values([{"id": "p", "name": "P"}, {"id": "q", "name": "Q"}]))
    return db


def test_never_read_come_first_then_those_read_longest_ago(db: Database) -> None:
    for number in range(1, 5):
        add(db, number, f"youtube:@a{number}")
    read(db, 1, NOW - 2 * HOUR)
    read(db, 2, NOW - 3 * HOUR)
    read(db, 3, NOW)

    assert turns(db, "youtube") == [4, 2, 1]


def test_what_could_not_be_read_comes_after_what_was_read_before_that(db: Database) -> None:
    """Or a few that can never be read would be the first each time, and keep the others from being read."""
    for number in range(1, 5):
        add(db, number, f"youtube:@a{number}")
    read(db, 1, NOW - 2 * HOUR)
    read(db, 2, NOW - 3 * HOUR)
    put(db, AccountRead(2, "youtube", None, None, "timeout", "late", NOW - HOUR, NOW))
    put(db, AccountRead(3, "youtube", None, None, "timeout", "late", NOW - 4 * HOUR, NOW))

    assert turns(db, "youtube") == [4, 3, 1, 2]


def test_only_accounts_of_the_projects_and_platforms_that_programs_read(db: Database) -> None:
    add(db, 1, "bluesky:ada.example.com")
    add(db, 2, "x:ada")
    add(db, 3, "youtube:@ada", mode="manual")
    add(db, 4, "youtube:@bob", mode="off")
    add(db, 5, "youtube:@eve", removed_at=NOW)
    add(db, 6, "youtube:@ada", "q")
    add(db, 7, "youtubes:@ada")

    assert turns(db, "youtube", "bluesky") == [1]
    assert turns(db, "youtube", "bluesky", projects_=("p", "q")) == [1, 6]
    assert turns(db, "youtube", projects_=("q",)) == [6]


def test_what_could_not_be_read_waits_for_its_time(db: Database) -> None:
    for number in (1, 2):
        add(db, number, f"youtube:@a{number}")
    gone = ("youtube", "UC1", "@a", "gone", "is gone", NOW)
    put(db, AccountRead(1, *gone, again_at=NOW), AccountRead(2, *gone, again_at=NOW + HOUR))

    assert turns(db, "youtube") == [1]
    with db.read() as tx:
        assert account_reads.unread(tx) == [UnreadAccounts("youtube", "gone", 2, "is gone")]


def test_what_a_platform_says_replaces_what_it_said(db: Database) -> None:
    add(db, 1, "youtube:@a")
    put(db)
    put(db, AccountRead(1, "youtube", "UC1", "@a", "gone", "is gone", NOW, NOW))
    put(db, AccountRead(1, "youtube", "UC1", "@b"))

    with db.read() as tx:
        (turn,) = account_reads.turns(tx, ["p"], ["youtube"], NOW, NOW)
        assert account_reads.unread(tx) == []
    assert turn[1:] == ("p", "youtube", "youtube:@a", None, "UC1", "@b", None)


def test_a_name_that_an_account_has_means_no_other(db: Database) -> None:
    add(db, 1, "youtube:@a")
    add(db, 2, "youtube:@b")
    names = {("p", "youtube:@b"): 1, ("p", "youtube:@c"): 1, ("q", "youtube:@b"): 1}
    with db.write() as tx:
        account_reads.add_aliases(tx, {}, NOW)
        account_reads.add_aliases(tx, {("p", "youtube:@b"): 1}, NOW)
        for _ in range(2):
            account_reads.add_aliases(tx, names, NOW)

    with db.read() as tx:
        found = tx.execute(sa.select(account_aliases.c.project_id, account_aliases.c.url_key)).all()
    assert sorted(tuple(row) for row in found) == [("p", "youtube:@c"), ("q", "youtube:@b")]


def test_a_project_without_accounts_of_a_platform_costs_one_look(sqlite_db: Database) -> None:
    asked: list[tuple[str, Any]] = []
    sa.event.listen(sa.Engine, "before_cursor_execute", lambda *args: asked.append((args[2], args[3])), once=True)
    with sqlite_db.read() as tx:
        assert list(account_reads.turns(tx, ["p"], ["youtube"], NOW, NOW)) == []
        ((sql, values),) = asked
        plan = [row[-1] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]

    assert [line for line in plan if "SEARCH accounts" in line] == [
        "SEARCH accounts USING INDEX sqlite_autoindex_accounts_1 (project_id=? AND url_key>? AND url_key<?)"
    ]


def test_which_platforms_there_are(db: Database) -> None:
    add(db, 1, "youtube:@a")
    add(db, 2, "youtube:@b")
    add(db, 3, "x:a", mode="off")

    with db.read() as tx:
        assert account_reads.platforms_there(tx) == {"youtube"}
