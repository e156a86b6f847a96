"""The sign of life of a run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from webapp.clock import Budget, Clock
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
    with Heart(busy, "run", ttl_ms, lambda: progress or {}, Budget()):
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


def test_a_long_lease_makes_nobody_wait_for_a_sign(sqlite_db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heart, "PROGRESS_EVERY_S", 0.01)
    monkeypatch.setattr(heart, "STALLED_S", 0.04)
    begin(sqlite_db)
    before = row(sqlite_db)

    beat(sqlite_db, ttl_ms=600_000)

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

    with Heart(sqlite_db, "run", TTL_MS, dict, Budget()):
        assert threading.active_count() == threads + 1

    assert threading.active_count() == threads


# Of a run that hangs


class Elapsed:
    """Time that a test puts forward."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.clock = Clock(monotonic=lambda: self.seconds)


@pytest.fixture
def elapsed() -> Elapsed:
    return Elapsed()


def beats(db: Database, budget: Budget) -> bool:
    """Whether the heart of a run with this budget beats."""
    busy = Busy(db, 0)
    with Heart(busy, "run", TTL_MS, dict, budget):
        return busy.written.wait(0.5)


def test_the_heart_stops_a_minute_after_the_budget(sqlite_db: Database, elapsed: Elapsed) -> None:
    begin(sqlite_db)
    budget = Budget(10, elapsed.clock)

    elapsed.seconds = 69.0
    before = beats(sqlite_db, budget)
    elapsed.seconds = 71.0
    budget.note_life()  # whatever goes on there

    assert (before, beats(sqlite_db, budget)) == (True, False)


@pytest.mark.parametrize("seconds", [None, 86_400.0], ids=["without a budget", "with a long budget"])
def test_the_heart_stops_when_nothing_is_heard_of_the_work(
    sqlite_db: Database, elapsed: Elapsed, seconds: float | None
) -> None:
    begin(sqlite_db)
    budget = Budget(seconds, elapsed.clock)

    elapsed.seconds = 599.0
    silent = beats(sqlite_db, budget)
    elapsed.seconds = 601.0
    dead = beats(sqlite_db, budget)
    budget.note_life()

    assert (silent, dead, beats(sqlite_db, budget)) == (True, False, True)


@pytest.mark.parametrize("look", ["left", "part"])
def test_who_looks_at_the_time_is_at_work(sqlite_db: Database, elapsed: Elapsed, look: str) -> None:
    begin(sqlite_db)
    budget = Budget(86_400.0, elapsed.clock)
    looked_at = budget if look == "left" else budget.part(0.8)

    elapsed.seconds = 601.0
    looked_at.left()

    assert beats(sqlite_db, budget)


def test_a_beat_says_for_how_long_nothing_was_heard(db: Database, elapsed: Elapsed) -> None:
    begin(db)
    budget = Budget(None, elapsed.clock)

    elapsed.seconds = 61.0
    assert beats(db, budget)

    with db.read() as tx:
        run = runs.get(tx, "run")
    assert (run.state, run.error_code) == ("running", "stalled")
    assert run.error == "no sign of progress for 61 s; if none comes, the next trigger after that takes over"
