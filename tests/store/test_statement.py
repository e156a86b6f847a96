"""Statements that are kept compiled do what others do, and one for many rows what one for each row does."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from psycopg.types.array import ListDumper

from webapp.store.backends.dialect import Savepoint, insert_into
from webapp.store.db import Database
from webapp.store.statement import AT_ONCE, Query, Ready, if_any, insert, listed, unlisted, upsert
from webapp.store.types import Count, Day, Flag, Json, UtcDateTime

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


MOST, SOME, _ = AT_ONCE


@pytest.mark.parametrize(
    "count", [1, SOME - 1, SOME, SOME + 1, MOST - 1, MOST, MOST + 1, 3 * MOST, 3 * MOST + SOME + 7]
)
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
        _upsert.run(tx, [(number % 2, number) for number in range(2 * MOST)])
        assert _kept(tx) == [(0, 2 * MOST - 2), (1, 2 * MOST - 1)]
        numbers.drop(tx)


def test_numbers_come_in_one_row(db: Database) -> None:
    with db.write() as tx:
        numbers.create(tx)
        ids = sa.select(listed(tx.dialect.name, numbers.c.id))
        assert unlisted(tx.execute(ids).scalar()) == []
        _insert.run(tx, [(3, 1), (5, 1)])
        assert sorted(unlisted(tx.execute(ids).scalar())) == [3, 5]
        numbers.drop(tx)


things = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("id", Count(), primary_key=True, autoincrement=False),
    sa.Column("at", UtcDateTime()),
    sa.Column("day", Day()),
    sa.Column("flag", Flag()),
    sa.Column("data", Json()),
    sa.Column("share", sa.Float()),
    sqlite_strict=False,
)
_values = {column.name: sa.bindparam(column.name, type_=column.type) for column in things.c}
_add_thing = Ready(lambda dialect: insert_into(dialect, things).values(_values).on_conflict_do_nothing())
_flagged = Ready(lambda _: sa.select(things).where(things.c.flag == sa.true()).order_by(things.c.id))
_turn = Ready(
    lambda _: (
        things.update()
        .where(things.c.id == sa.bindparam("of"), things.c.share < 2)
        .values(flag=sa.bindparam("to", type_=Flag()))
        .returning(things.c.at)
    )
)
AT = datetime(2026, 3, 2, 10, 0, 0, 5, tzinfo=UTC)


def test_a_ready_statement_takes_and_gives_what_python_has(db: Database) -> None:
    thing = {"id": 1, "at": AT, "day": AT.date(), "flag": True, "data": {"a": [1]}, "share": 0.5}
    with db.write() as tx:
        things.create(tx)
        assert _add_thing.run(tx, **thing) == 1
        assert _add_thing.run(tx, **thing) == 0
        assert _add_thing.run_all(tx, []) == 0
        assert _add_thing.run_all(tx, [thing | {"id": 2, "flag": False}, dict.fromkeys(thing) | {"id": 3}]) == 2

        (row,) = _flagged.rows(tx)
        assert row == tuple(thing.values())
        assert [type(cell) for cell in row] == [int, datetime, date, bool, dict, float]
        assert _turn.column(tx, of=2, to=True) == [AT]
        assert [row[0] for row in _flagged.rows(tx)] == [1, 2]
        assert _turn.column(tx, of=3, to=True) == []
        things.drop(tx)


def test_a_ready_statement_wants_all_of_its_values_and_no_list(db: Database) -> None:
    listing = Ready(lambda _: sa.select(things.c.id).where(things.c.id.in_([1, 2])))
    with db.write() as tx:
        things.create(tx)
        with pytest.raises(KeyError, match="to"):
            _turn.column(tx, of=2)
        with pytest.raises(TypeError, match="not an aware datetime"):
            _add_thing.run(tx, **dict.fromkeys(_values) | {"id": 1, "at": datetime(2026, 3, 2)})  # noqa: DTZ001
        with pytest.raises(ValueError, match="written out each time"):
            listing.column(tx)
        things.drop(tx)


def test_part_of_a_transaction_is_undone_alone(db: Database) -> None:
    with db.write() as tx:
        numbers.create(tx)
        _insert.run(tx, [(1, 1)])
        part = Savepoint(tx)
        _insert.run(tx, [(2, 2)])
        part.undo()
        other = Savepoint(tx)
        _insert.run(tx, [(3, 3)])
        other.release()
        assert _kept(tx) == [(1, 1), (3, 3)]
        numbers.drop(tx)


def test_rows_are_not_looked_at_unless_there_are_any(db: Database) -> None:
    others = numbers.alias("others")
    rows = if_any(numbers, sa.select(others.c.id).where(others.c.id > 1).exists())
    query = Query(lambda _: sa.select(numbers.c.id).select_from(rows).order_by(numbers.c.id))
    with db.write() as tx:
        numbers.create(tx)
        _insert.run(tx, [(1, 1)])
        assert [*query.rows(tx)] == []
        _insert.run(tx, [(2, 1)])
        assert [*query.rows(tx)] == [(1,), (2,)]
        numbers.drop(tx)


TEXTS = ["", "null", "NULL", "None", "{a,b}", 'say "so"', "\\", '\\"', " x ", "a\nb", "\u2028", "имя", None]


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("text", TEXTS),
        ("text", ["one"]),
        ("bigint", [0, None, -5, 2**62]),
        ("bigint", [7]),
        ("numeric", [10**30, None]),
    ],
)
def test_lists_for_postgresql_are_written_at_once(
    postgres_db: Database, monkeypatch: pytest.MonkeyPatch, type_: str, values: list[object]
) -> None:
    monkeypatch.delattr(ListDumper, "_dump_list")  # item by item

    with postgres_db.read() as tx:
        found = tx.exec_driver_sql(f"SELECT %s::{type_}[]", (values,)).scalar()

    assert found == values


@pytest.mark.parametrize(
    ("type_", "values"), [("text", []), ("bigint", [None]), ("date", [AT.date(), None]), ("boolean", [True, False])]
)
def test_other_lists_are_left_to_the_driver(postgres_db: Database, type_: str, values: list[object]) -> None:
    with postgres_db.read() as tx:
        assert tx.exec_driver_sql(f"SELECT %s::{type_}[]", (values,)).scalar() == values


def test_a_text_that_postgresql_cannot_hold_is_refused_before_it_is_sent(postgres_db: Database) -> None:
    with postgres_db.read() as tx, pytest.raises(sa.exc.DataError, match="NUL"):
        tx.exec_driver_sql("SELECT %s::text[]", (["a", "b\x00c"],))
