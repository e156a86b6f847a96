"""What a read looks through does not grow with what is stored: no question of it goes through a whole table."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPICursor

from tests.fakes.service import TOKEN, Service
from tests.read.test_tags import BY_BYTES, GROWING, READS
from tests.read.world import World
from webapp.access import COOKIE, Sessions
from webapp.app import create_app
from webapp.store.tables import metadata

PAGES = ["/", "/projects/project-a", "/accounts/1", "/runs"]
STATUS = ["/api/admin/sync_status", "/api/admin/held", "/api/admin/runs"]
# About as many rows as there are projects, or values that are odd just now.
SHORT = {"projects", "spreadsheets", "leases", "doubts", "platform_states"}
FEW = re.compile("uq_sync_runs_live|ix_account_reads_unread")  # indexes of runs at work, and of accounts that fail
AGES = "GROUP BY projects.id, observations.origin"  # how old all readings are: home keeps it, status looks at each
SCAN = re.compile(r"SCAN (\w+)(.*)")


@pytest.fixture
def answers() -> None:
    """Each of these tests asks for answers that are made anew."""


@pytest.mark.parametrize("path", [*READS, *GROWING, *BY_BYTES, *PAGES, *STATUS])
def test_no_read_goes_through_a_whole_table(sqlite_world: World, path: str) -> None:
    for project in ("Project A", "Project B"):
        sqlite_world.every_day(sqlite_world.account(sqlite_world.project(project), "ann", views=5), "03-01", [3, 5])
    sqlite_world.tell()

    asked = questions(sqlite_world.service, path)

    assert asked
    assert [(names, sql) for sql, values in asked if (names := scanned(sqlite_world.service, sql, values))] == []


def questions(service: Service, path: str) -> list[tuple[str, Any]]:
    """What the database is asked to answer that path: statements with their values."""
    found: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: DBAPICursor, statement: str, values: Any, *rest: Any) -> None:
        if statement.lstrip().startswith(("SELECT", "WITH")):
            found.append((statement, values))

    client = create_app(service.parts, keep_answers=False).test_client()
    cookie = client.application.extensions["smart_sync"][Sessions].open(TOKEN)
    client.set_cookie(COOKIE, cookie)
    sa.event.listen(service.db._engine, "before_cursor_execute", note)
    answer = client.get(path)
    sa.event.remove(service.db._engine, "before_cursor_execute", note)
    assert answer.status_code == 200, answer.text
    return found


def scanned(service: Service, sql: str, values: Any) -> set[str]:
    """The tables that grow, and that a statement goes through from end to end.

    One that takes the first rows in the order of an index ends there.
    """
    with service.db.read() as tx:
        plan = [row[-1] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
    scans = [match for line in plan if (match := SCAN.match(line)) and not FEW.search(line) and AGES not in sql]
    first_rows = " LIMIT ?" in sql and "USE TEMP B-TREE FOR ORDER BY" not in plan
    tables = {_table(one[1], sql) for one in scans if not (first_rows and "USING INDEX" in one[2])}
    return (tables & metadata.tables.keys()) - SHORT


def _table(name: str, sql: str) -> str:
    """What a name in a plan means: a table, or what a statement calls it."""
    called = re.search(rf"\b(\w+) AS {name}\b", sql)
    return called[1] if called else name
