"""All that is stored as lines, out of either kind of database and into either."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

import pytest
import sqlalchemy as sa

from webapp.errors import Invalid, StoreError
from webapp.store import portable, tables
from webapp.store.backends.dialect import count_on_from, last_id
from webapp.store.db import Database, open_database
from webapp.store.migrate import migrate
from webapp.store.tables import metadata

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
LARGEST = 2**63 - 1


def fill(db: Database) -> None:
    """Something of each type in rows whose ids have gaps, and one that has gone."""
    with db.write() as tx:
        project = {"id": "p", "name": 'Игры 🎮 "quoted"\nline', "sheet_columns": {"views": "D"}, "settled": True}
        dates = {"start_date": date(2026, 1, 1), "created_at": NOW, "updated_at": NOW.replace(microsecond=1)}
        tx.execute(tables.projects.insert().values({**project, **dates}))
        for number in (3, 7, 9):
            row = {"id": number, "project_id": "p", "profile_url": f"https://x.com/{number}", "url_key": f"x:{number}"}
            tx.execute(tables.accounts.insert().values({**row, "followers": LARGEST, "likes": 0}))
        tx.execute(tables.accounts.delete().where(tables.accounts.c.id == 9))
        count_on_from(tx, tables.accounts, 9)
        snapshot = {"day": date(2026, 3, 1), "account_id": 3, "snapshot_time": NOW, "views": 5}
        tx.execute(tables.account_snapshots.insert().values(snapshot))
        run = {"id": "r", "identity": "i", "seconds": 0.25, "warnings": ["a", None, {"b": 1.5}], "state": "succeeded"}
        tx.execute(tables.sync_runs.insert().values(run))
        tx.execute(tables.leases.insert().values(name="project:p", holder="somebody", fence=7, expires_at=1))
        tx.execute(tables.tab_rows.insert().values(project_id="p", rows=b"\x00\x01"))


def lines_of(db: Database) -> list[bytes]:
    with db.read() as tx:
        return b"".join(portable.dump(tx, NOW)).splitlines(keepends=True)


def load(db: Database, lines: list[bytes], advance: portable.Advance = lambda *_: None) -> portable.Head:
    with db.write() as tx:
        return portable.load(tx, lines, advance)


def rows(db: Database) -> dict[str, list[Any]]:
    with db.read() as tx:
        return {name: sorted(map(repr, tx.execute(table.select()))) for name, table in metadata.tables.items()}


def sealed(lines: list[bytes]) -> list[bytes]:
    """With an end that fits."""
    count = sum(line.startswith(b"[") for line in lines[:-1])
    end = {"rows": count, "sha256": sha256(b"".join(lines[:-1])).hexdigest()}
    return [*lines[:-1], json.dumps(end).encode() + b"\n"]


@pytest.fixture
def other(tmp_path: Any) -> Iterator[Database]:
    """Another database, which holds something else."""
    db = open_database(f"sqlite:///{tmp_path}/other.db")
    migrate(db)
    with db.write() as tx:
        tx.execute(tables.projects.insert().values(id="q", name="Old"))
        tx.execute(tables.leases.insert().values(name="project:q"))
    yield db
    db.close()


def test_what_is_read_in_is_what_was_written(db: Database, other: Database) -> None:
    fill(db)
    lines, told = lines_of(db), []

    head = load(other, lines, lambda *done: told.append(done))

    before, after = rows(db), rows(other)
    assert {name for name in before if before[name] != after[name]} == {"leases", "tab_rows"}
    assert after["leases"] == after["tab_rows"] == []
    assert lines_of(other) == lines
    assert (head.rows, told[-1]) == (5, (5, 5))
    with other.read() as tx:
        assert last_id(tx, tables.accounts) == 9


def test_it_is_read_into_either(sqlite_db: Database, db: Database) -> None:
    fill(sqlite_db)
    source = lines_of(sqlite_db)
    with db.write() as tx:
        tx.execute(tables.projects.delete())

    load(db, source)

    assert lines_of(db) == source
    with db.write() as tx:  # ids go on behind those that there were
        row = {"project_id": "p", "profile_url": "u", "url_key": "u"}
        added = tx.execute(tables.accounts.insert().values(row).returning(tables.accounts.c.id)).scalar_one()
        batch = tables.change_batches.insert().values(project_id="p").returning(tables.change_batches.c.id)
        assert (added, tx.execute(batch).scalar_one()) == (10, 1)


def test_every_table_is_carried_or_left_out_by_name() -> None:
    assert {table.name for table in portable.exported_tables()} == metadata.tables.keys() - portable.LEFT_OUT


def test_what_anybody_would_miss_is_known(db: Database) -> None:
    with db.read() as tx:
        assert not portable.holds_anything(tx)
    fill(db)
    with db.read() as tx:
        assert portable.holds_anything(tx)


def without_a_row(lines: list[bytes]) -> list[bytes]:
    place = next(place for place, line in enumerate(lines) if line.startswith(b"["))
    return lines[:place] + lines[place + 1 :]


def swapped(old: bytes, new: bytes) -> Callable[[list[bytes]], list[bytes]]:
    return lambda lines: [line.replace(old, new, 1) for line in lines]


def resealed(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[list[bytes]], list[bytes]]:
    return lambda lines: sealed(change(lines))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda _: [], "it ends too early"),
        (lambda _: [b"PK\x03\x04\n"], "this is no export of Smart Sync: line 1 is something else"),
        (lambda _: [b"\xff\xfe\n"], "this is no export of Smart Sync"),
        (lambda lines: lines[:1], "it ends too early"),
        (lambda lines: lines[:-1], "it ends too early"),
        (lambda lines: lines[: lines.index(b'{"table":"accounts"}\n') + 2], "it ends too early"),
        (lambda lines: [line for line in lines[:-1] if line.startswith(b"{")], "is no row of projects"),
        (lambda lines: [*lines, b"{}\n"], "it goes on behind its end"),
        (lambda lines: [*lines[:-1], b"[]\n"], "the end is missing"),
        (without_a_row, "is no row of projects"),
        (swapped(b"9223372036854775807", b"9223372036854775806"), "what is in it is not what was written"),
        (swapped(b'{"table":"accounts"}', b'{"table":"projects"}'), "begins another table than accounts"),
        (swapped(b'{"table":"accounts"}', b'{"table":5}'), "the table accounts is missing"),
        (resealed(swapped(b"9223372036854775807", b"9223372036854775808")), "is no row of accounts"),
        (resealed(swapped(b"9223372036854775807", b'"many"')), "is no row of accounts"),
        (resealed(swapped(b"2026-03-02T10:00:00Z", b"2026-03-02T10:00:00")), "is no row of projects"),
        (resealed(swapped("🎮".encode(), b"\xff")), "is no row of projects"),
        (resealed(swapped(b'[7,"p"', b'[3,"p"')), "the database refuses a row of accounts: UNIQUE constraint failed"),
        (resealed(swapped(b'[7,"p"', b'[7,"x"')), "the database refuses a row of accounts: FOREIGN KEY"),
        (resealed(swapped(b"9223372036854775807", b"-1")), "the database refuses a row of accounts: CHECK constraint"),
        (swapped(b'"name":"projects"', b'"name":"leases"'), "the export has leases: leases, which this version"),
        (swapped(b'"sheet_seen"', b'"a_new_column"'), "the export has projects: a_new_column, which this version"),
        (swapped(b'"schema":"0001"', b'"schema":"0000"'), "the export has schema 0000, and this version has 0001"),
        (swapped(b'"version":1', b'"version":2'), "this is no export of Smart Sync"),
    ],
)
def test_what_is_no_whole_export_changes_nothing(
    sqlite_db: Database, other: Database, change: Callable[[list[bytes]], list[bytes]], words: str
) -> None:
    fill(sqlite_db)
    lines, before = lines_of(sqlite_db), rows(other)

    with pytest.raises(Invalid) as refused:
        load(other, change(lines))

    assert words in refused.value.message
    assert refused.value.code == "bad_export"
    assert rows(other) == before


def test_an_export_of_a_later_version_is_refused(sqlite_db: Database, other: Database) -> None:
    lines = swapped(b'"schema":"0001"', b'"schema":"9999"')(lines_of(sqlite_db))

    with pytest.raises(StoreError, match="made by a later version") as refused:
        load(other, lines)
    assert refused.value.code == "schema_newer"


def test_what_postgresql_cannot_keep_is_refused_in_words(postgres_db: Database, sqlite_db: Database) -> None:
    fill(sqlite_db)
    lines = resealed(swapped(b'"x:3"', b'"x\\u00003"'))(lines_of(sqlite_db))
    before = rows(postgres_db)

    with pytest.raises(Invalid, match="the database refuses a row of accounts"):
        load(postgres_db, lines)
    assert rows(postgres_db) == before


def test_columns_that_a_file_lacks_get_their_defaults(sqlite_db: Database, other: Database) -> None:
    fill(sqlite_db)
    lines = lines_of(sqlite_db)
    head = json.loads(lines[0])
    head["tables"] = [one for one in head["tables"] if one["name"] == "projects"]
    head["tables"][0] |= {"columns": ["id", "name"], "rows": 1}
    lines = [json.dumps(head).encode() + b"\n", b'{"table":"projects"}\n', b'["p","Project A"]\n', b""]

    load(other, sealed(lines))

    with other.read() as tx:
        found = tx.execute(sa.select(tables.projects.c.name, tables.projects.c.status)).all()
    assert found == [("Project A", "active")]
