"""Statements for many rows at once do what one for each row does."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from webapp.store.db import Database
from webapp.store.statement import AT_ONCE, insert, listed, unlisted, upsert
from webapp.store.types import Count

numbers = sa.Table(
    "numbers",
    sa.MetaData(),
    sa.Column("id", Count(), primary_key=True, autoincrement=False),
    sa.Column("value", Count()),
    sqlite_strict=True,
)
_insert = insert(numbers, ("id", "value"))
_upsert = upsert(numbers, ("id",))


def _kept(tx: sa.Connection) -> list[tuple[int, int]]:
    return [(row[0], row[1]) for row in tx.execute(sa.select(numbers).order_by(numbers.c.id))]


@pytest.mark.parametrize("count", [1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE, 3 * AT_ONCE + 7])
def test_every_row_is_written_once_and_counted(db: Database, count: int) -> None:
    rows = [(number, 10 * number) for number in range(count)]
    with db.write() as tx:
        numbers.create(tx)
        assert _insert.run(tx, rows) == count
        assert _kept(tx) == rows

        assert _upsert.run(tx, [(number, number) for number in range(count + 1)]) == count + 1
        assert _kept(tx) == [(number, number) for number in range(count + 1)]
        numbers.drop(tx)


def test_the_last_of_rows_that_mean_the_same_stands(db: Database) -> None:
    with db.write() as tx:
        numbers.create(tx)
        _upsert.run(tx, [(number % 2, number) for number in range(2 * AT_ONCE)])
        assert _kept(tx) == [(0, 2 * AT_ONCE - 2), (1, 2 * AT_ONCE - 1)]
        numbers.drop(tx)


def test_numbers_come_in_one_row(db: Database) -> None:
    with db.write() as tx:
        numbers.create(tx)
        ids = sa.select(listed(tx.dialect.name, numbers.c.id))
        assert unlisted(tx.execute(ids).scalar()) == []
        _insert.run(tx, [(3, 1), (5, 1)])
        assert sorted(unlisted(tx.execute(ids).scalar())) == [3, 5]
        numbers.drop(tx)
