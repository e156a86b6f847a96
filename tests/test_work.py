"""`smart-sync schedule work`: a clock of one's own, for those who have no cron."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest
from click.testing import Result

from tests.fakes.clock import MONDAY, FakeClock
from tests.fakes.shell import Shell
from webapp.actions.trigger import start_sync
from webapp.bootstrap import bootstrap
from webapp.cli import root, work
from webapp.errors import StoreError
from webapp.sync.queue import Queue

BEGIN = MONDAY + timedelta(seconds=20)


class Minutes(FakeClock):
    """A clock at whose end somebody stops the scheduler."""

    end = BEGIN
    by = signal.SIGTERM
    set_back = False  # by an hour, while somebody sleeps next

    def nap(self) -> None:
        """What happens meanwhile; a test says."""

    def _sleep(self, seconds: float) -> None:
        super()._sleep(seconds)
        self.nap()
        if self.set_back:
            self.set_back = False
            self.forward(hours=-1)
        if self.now >= self.end:
            signal.raise_signal(self.by)


class Working:
    """The scheduler in a shell of its own, by a clock that a test moves. before: is told each tick's number before it."""

    def __init__(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        self.time = Minutes(BEGIN)
        self.before: Callable[[int], None] = lambda _: None
        self._shell = shell
        self._numbers = count()
        monkeypatch.setattr(root, "bootstrap", partial(bootstrap, clock=self.time.clock))
        monkeypatch.setattr("webapp.cli.work.start_sync", self._start)

    def until(self, seconds: float, by: signal.Signals = signal.SIGTERM) -> Result:
        """Let it work until so many seconds after ten."""
        self.time.end, self.time.by = MONDAY + timedelta(seconds=seconds), by
        return self._shell.run("schedule", "work")

    def _start(self, *given: Any) -> Any:
        self.before(next(self._numbers))
        return start_sync(*given)


@pytest.fixture
def working(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Working:
    return Working(shell, monkeypatch)


def runs(shell: Shell) -> list[tuple[int, str, str, int]]:
    """(seconds after ten, caller, state, projects) of each run, oldest first."""
    sql = "SELECT started_at, caller, state, success_count FROM sync_runs ORDER BY started_at"
    with closing(sqlite3.connect(shell.folder / "data" / "smart_sync.db")) as connection:
        rows = connection.execute(sql).fetchall()
    return [(round((datetime.fromisoformat(at + "+00:00") - MONDAY).total_seconds()), *rest) for at, *rest in rows]


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT], ids=["TERM", "INT"])
def test_it_syncs_at_once_and_then_asks_at_each_full_minute(shell: Shell, working: Working, by: signal.Signals) -> None:
    done = working.until(150, by=by)

    assert done.exit_code == 0, done.output
    assert runs(shell) == [
        (20, "background", "succeeded", 3),
        (60, "background", "succeeded", 0),
        (120, "background", "succeeded", 0),
    ]


def test_projects_are_synced_when_their_interval_is_over(shell: Shell, working: Working) -> None:
    working.until(31 * 60)

    assert [at for at, _, _, projects in runs(shell) if projects] == [20, 30 * 60]


def test_a_tick_that_takes_longer_than_a_minute_is_not_made_up_for(shell: Shell, working: Working) -> None:
    working.before = lambda number: working.time.forward(seconds=150) if number == 1 else None

    working.until(5 * 60 + 10)

    assert [at for at, *_ in runs(shell)] == [20, 60 + 150, 240, 300]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (StoreError("The database is away", code="database_unreachable"), "WARNING [SmartSync] no tick: The database"),
        (ZeroDivisionError("a bug"), "ZeroDivisionError: a bug"),
    ],
    ids=["the database is away", "a bug"],
)
def test_a_tick_that_fails_is_told_and_the_next_one_comes(
    shell: Shell,
    working: Working,
    fault: Exception,
    told: str,
) -> None:
    def fail(number: int) -> None:
        if number == 0:
            raise fault

    working.before = fail

    done = working.until(130)

    assert done.exit_code == 0
    assert told.rpartition("] ")[2] in done.output
    assert [(at, projects) for at, _, _, projects in runs(shell)] == [(60, 3), (120, 0)]


def test_a_database_that_comes_later_is_made_and_synced_then(
    shell: Shell, working: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_way = shell.folder / "data"
    in_the_way.write_text("a file where the folder has to be", encoding="ascii")
    monkeypatch.setattr(working.time, "nap", lambda: in_the_way.unlink() if in_the_way.is_file() else None)

    done = working.until(130)

    assert done.exit_code == 0, done.output
    assert done.output.count("no tick: ") == 1
    assert [(at, projects) for at, _, _, projects in runs(shell)] == [(60, 3), (120, 0)]


def test_a_clock_that_is_set_back_is_not_waited_for(shell: Shell, working: Working) -> None:
    working.time.set_back = True

    working.until(150 - 3600)

    assert [at for at, *_ in runs(shell)] == [-3579, -3540, -3480, 20]


def test_a_stop_in_the_middle_of_a_tick_ends_it_in_time(shell: Shell, working: Working) -> None:
    working.before = lambda _: signal.raise_signal(signal.SIGINT)

    done = working.until(3600)

    assert done.exit_code == 0
    assert runs(shell) == []  # no run was begun, so none is left behind


def test_workers_of_celery_are_told_of_what_is_due(
    shell: Shell, working: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(Queue, "put", lambda _, run_id, params: told.append(run_id))
    shell.env |= {"SMART_SYNC_MODE": "celery", "REDIS_URL": "redis://127.0.0.1:1/0"}

    done = working.until(70)

    assert done.exit_code == 0, done.output
    assert {state for _, _, state, _ in runs(shell)} == {"queued"}
    assert len(set(told)) == len(runs(shell)) == 1  # the second tick tells of it once more
    assert len(told) == 2


def test_workers_that_cannot_be_told_are_told_at_the_next_minute(
    shell: Shell, working: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def put(_: Queue, run_id: str, __: object) -> None:
        told.append(run_id)
        if len(told) == 1:
            raise StoreError("The Redis cannot be reached", code="queue_unavailable")

    monkeypatch.setattr(Queue, "put", put)
    shell.env |= {"SMART_SYNC_MODE": "celery", "REDIS_URL": "redis://127.0.0.1:1/0"}

    done = working.until(70)

    assert done.exit_code == 0
    assert done.output.count("no tick: The Redis cannot be reached") == 1
    assert [state for _, _, state, _ in runs(shell)] == ["failed", "queued"]
    assert len(set(told)) == 2


def test_settings_that_are_wrong_end_it(shell: Shell) -> None:
    done = shell.run("schedule", "work", LOG_LEVEL="LOUD")

    assert done.exit_code == 1
    assert "LOG_LEVEL" in done.output


def test_the_next_full_minute_is_never_now() -> None:
    assert work.next_minute(MONDAY) == MONDAY + timedelta(minutes=1)
    assert work.next_minute(MONDAY + timedelta(seconds=59.9)) == MONDAY + timedelta(minutes=1)
