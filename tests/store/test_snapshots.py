"""Days that an account is given afterwards."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from webapp.model import Counts
from webapp.store import snapshots, tables
from webapp.store.db import Database

FIRST, SECOND, THIRD = (date(2025, 3, day) for day in (1, 2, 3))
AT = datetime(2025, 3, 1, 10, tzinfo=UTC)


@pytest.fixture
def account_id(db: Database) -> int:
    with db.write() as tx:
        tx.execute(tables.projects.insert().values(id="p", name="Project A"))
        row = {"project_id": "p", "profile_url": "https://x.com/ann", "url_key": "x:ann"}
        return int(tx.execute(tables.accounts.insert().values(row).returning(tables.accounts.c.id)).scalar_one())


def test_an_account_gets_what_it_lacks_and_keeps_what_it_has(db: Database, account_id: int) -> None:
    with db.write() as tx:
        assert snapshots.fill_days(tx, account_id, {}) == 0
        assert snapshots.fill_days(tx, account_id, {FIRST: (AT, Counts(5)), SECOND: (AT, Counts(6, 1))}) == 2

        later = {FIRST: (AT, Counts(9, 2)), SECOND: (AT, Counts(9, 9)), THIRD: (AT, Counts(views=7))}
        assert snapshots.fill_days(tx, account_id, later) == 2
        assert snapshots.fill_days(tx, account_id, later) == 0

        found = snapshots.on_days(tx, account_id, FIRST, THIRD)
    assert found == {FIRST: Counts(5, 2), SECOND: Counts(6, 1), THIRD: Counts(views=7)}
