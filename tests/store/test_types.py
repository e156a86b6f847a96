from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa

from webapp.store.db import Database
from webapp.store.types import Count, Day, Flag, Json, Key, UtcDateTime

NOON = datetime(2026, 3, 29, 12, 0, 0, 250, tzinfo=UTC)

things = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("id", Key(), primary_key=True),
    sa.Column("moment", UtcDateTime()),
    sa.Column("day", Day()),
    sa.Column("number", Count()),
    sa.Column("flag", Flag(), server_default=sa.true(), nullable=False),
    sa.Column("json", Json()),
    sqlite_strict=True,
)


@pytest.fixture
def thing_db(db: Database) -> Iterator[Database]:
    with db.write() as tx:
        things.create(tx)
    yield db
    with db.write() as tx:
        things.drop(tx)


def kept(db: Database, **values: Any) -> sa.Row[Any]:
    with db.write() as tx:
        tx.execute(sa.insert(things).values(**values))
    with db.read() as tx:
        return tx.execute(sa.select(things)).one()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("moment", NOON),
        ("moment", datetime(1, 1, 1, tzinfo=UTC)),
        ("day", date(2024, 2, 29)),
        ("number", 2**63 - 1),
        ("number", 0),
        ("flag", False),
        ("json", {"é": [1, None, "a\x00b"], "": {}}),
        ("json", []),
    ],
    ids=str,
)
def test_a_value_comes_back_as_it_was(thing_db: Database, column: str, value: Any) -> None:
    row = kept(thing_db, **{column: value})

    assert (row._mapping[column], type(row._mapping[column])) == (value, type(value))


@pytest.mark.parametrize("column", ["moment", "day", "number", "json"])
def test_null_is_none(thing_db: Database, column: str) -> None:
    assert kept(thing_db, **{column: None})._mapping[column] is None


def test_ids_count_up_and_flags_have_their_default(thing_db: Database) -> None:
    row = kept(thing_db)

    assert (row.id, row.flag) == (1, True)


def test_a_time_of_another_zone_is_kept_in_utc(thing_db: Database) -> None:
    row = kept(thing_db, moment=NOON.astimezone(timezone(timedelta(hours=5, minutes=45))))

    assert (row.moment, row.moment.utcoffset()) == (NOON, timedelta(0))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("moment", NOON.replace(tzinfo=None)),
        ("moment", date(2026, 3, 29)),
        ("moment", "2026-03-29"),
        ("day", NOON),
        ("day", "2026-03-29"),
        ("flag", 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_of_another_type_is_a_bug(thing_db: Database, column: str, value: Any) -> None:
    with pytest.raises(sa.exc.StatementError, match="TypeError"):
        kept(thing_db, **{column: value})


def test_a_count_beyond_64_bits_is_a_bug(thing_db: Database) -> None:
    with pytest.raises((OverflowError, sa.exc.DataError)):
        kept(thing_db, number=2**63)


def test_times_flags_and_days_compare_in_a_statement(thing_db: Database) -> None:
    kept(thing_db, moment=NOON, day=NOON.date(), flag=False)
    later = things.c.moment < NOON + timedelta(microseconds=1)

    with thing_db.read() as tx:
        found = tx.execute(sa.select(things.c.id).where(later, things.c.day == NOON.date(), ~things.c.flag)).all()

    assert len(found) == 1


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-29 12:00:00",
        "2026-03-29T12:00:00Z",
        "2026-03-29 12:00:00.000",
        "2026-03-29T14:00:00+02:00",
    ],
)
def test_a_time_that_another_program_wrote_is_understood(sqlite_db: Database, text: str) -> None:
    with sqlite_db.write() as tx:
        things.create(tx)
        tx.execute(sa.text("INSERT INTO things (moment) VALUES (:text)"), {"text": text})

        assert tx.execute(sa.select(things.c.moment)).scalar_one() == datetime(2026, 3, 29, 12, tzinfo=UTC)


def test_sqlite_shows_times_and_days_as_its_own_functions_expect(sqlite_db: Database) -> None:
    with sqlite_db.write() as tx:
        things.create(tx)
        tx.execute(sa.insert(things).values(moment=NOON, day=NOON.date()))

        shown = tx.execute(sa.text("SELECT moment, day, DATE(moment) FROM things")).one()

    assert tuple(shown) == ("2026-03-29 12:00:00.000250", "2026-03-29", "2026-03-29")
