"""The sign of life of a run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from webapp.errors import StoreError
from webapp.store import leases, runs
from webapp.store.db import Database
from webapp.store.runs import NewRun
from webapp.sync import heart
from webapp.sync.heart import Heart

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
TTL_MS = 40


class Busy(Database):
    """Refuses some writes, and says when a write was refused or done."""

    def __init__(self, real: Database, refusals: int) -> None:
        self.real = real
        self.refusals = refusals
        self.written = threading.Event()

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        if self.refusals:
            self.refusals -= 1
            raise StoreError("is busy", code="database_busy")
        with self.real.write() as tx:
            yield tx
        self.written.set()


def begin(db: Database) -> None:
    new = NewRun(id="run", caller="http", identity="all", params={}, day=NOW.date(), started_at=NOW)
    with db.write() as tx:
        assert runs.add(tx, new)
        leases.take(tx, ["project:a"], "run", TTL_MS)


def beat(db: Database, *, ttl_ms: int = TTL_MS, refusals: int = 0, progress: dict[str, Any] | None = None) -> None:
    """Let the heart beat until something is written."""
    busy = Busy(db, refusals)
    with Heart(busy, "run", ttl_ms, lambda: progress or {}):
        assert busy.written.wait(30)


def row(db: Database) -> tuple[int, int]:
    """(heartbeat of the run, expiry of its lease)"""
    sql = "SELECT heartbeat, expires_at FROM sync_runs, leases WHERE id = 'run' AND name = 'project:a'"
    with db.read() as tx:
        heartbeat, expires_at = tx.execute(sa.text(sql)).one()
    return heartbeat, expires_at


def test_a_beat_renews_run_and_lease_and_shows_progress(db: Database) -> None:
    begin(db)
    before = row(db)

    beat(db, progress={"phase": "merge", "done": 3, "total": 7})

    after = row(db)
    with db.read() as tx:
        run = runs.by_id(tx, "run")
    assert after[0] > before[0]
    assert after[1] > before[1]
    assert run is not None
    assert (run.phase, run.done, run.total) == ("merge", 3, 7)


def test_a_beat_that_was_refused_is_tried_again_soon(sqlite_db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heart, "PROGRESS_EVERY_S", 0.01)
    begin(sqlite_db)
    before = row(sqlite_db)

    beat(sqlite_db, ttl_ms=600_000, refusals=3, progress={"phase": "merge"})  # the next one would come much later

    assert row(sqlite_db) > before


def test_a_run_that_was_closed_keeps_nothing_from_those_after_it(sqlite_db: Database) -> None:
    begin(sqlite_db)
    with sqlite_db.write() as tx:
        assert runs.close(tx, "run", "abandoned", {})
    before = row(sqlite_db)

    beat(sqlite_db)

    assert row(sqlite_db) == before


def test_the_heart_has_stopped_when_its_run_goes_on_without_it(sqlite_db: Database) -> None:
    begin(sqlite_db)
    threads = threading.active_count()

    with Heart(sqlite_db, "run", TTL_MS, dict):
        assert threading.active_count() == threads + 1

    assert threading.active_count() == threads
