"""Old history by the week, begun by the command line and told by doctor; no gaps are told of it."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest

from tests.fakes.shell import Shell
from webapp.cli import data
from webapp.rules.retention import last_whole_week

MONTHS = {"SMART_SYNC_WEEKLY_AFTER_MONTHS": "6"}
TODAY = datetime.now(UTC).date()
UNTIL = last_whole_week(TODAY, 6)


@pytest.fixture
def old(shell: Shell) -> Path:
    """A database in which Beauty Lab has a year of days."""
    shell.run("sync")
    path = shell.folder / "data" / "smart_sync.db"
    with closing(sqlite3.connect(path)) as hand:
        (mine,) = hand.execute(
            "SELECT min(id) FROM accounts JOIN (SELECT id AS p FROM projects WHERE name = 'Beauty Lab') ON p = project_id"
        ).fetchone()
        for ago in range(365):
            day = TODAY - timedelta(days=ago + 1)
            row = (str(day), mine, f"{day} 10:00:00.000000", 1000 - ago)
            hand.execute(
                "INSERT INTO account_snapshots (day, account_id, snapshot_time, followers) VALUES (?, ?, ?, ?)", row
            )
        first = f"{TODAY - timedelta(days=365)} 10:00:00.000000"
        hand.execute("UPDATE account_spans SET since = ? WHERE account_id = ?", (first, mine))
        hand.commit()
    assert shell.run("db", "rebuild-days").exit_code == 0
    return path


def days(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as hand:
        return [day for (day,) in hand.execute("SELECT DISTINCT day FROM account_snapshots ORDER BY day")]


def test_a_sync_takes_nothing_before_somebody_has_begun(shell: Shell, old: Path) -> None:
    before = days(old)

    assert shell.run("sync", **MONTHS).exit_code == 0
    assert days(old) == before
    told = shell.run("doctor", **MONTHS).stdout
    assert f"warn  history: days from {before[0]} to {UNTIL} of 1 projects are still kept one by one" in told
    assert "history" not in shell.run("doctor").stdout


def test_somebody_begins_and_syncs_go_on(shell: Shell, old: Path) -> None:
    before = days(old)
    tried = shell.run("db", "thin", "--dry-run", **MONTHS)
    refused = shell.run("db", "thin", **MONTHS)
    assert (tried.exit_code, refused.exit_code) == (0, 2)
    assert days(old) == before

    done = shell.run("db", "thin", "--yes", **MONTHS)

    assert done.exit_code == 0, done.output
    assert done.stdout == tried.stdout.replace("would go", "gone")
    left = days(old)
    kept = [day for day in before if day > str(UNTIL)]
    assert left[-len(kept) :] == kept
    older = left[: -len(kept)]
    assert older[0] == before[0]
    assert {datetime.fromisoformat(day).isoweekday() for day in older[1:]} == {7}
    assert f"ok    history: days up to {UNTIL} are kept by the week" in shell.run("doctor", **MONTHS).stdout
    assert shell.run("sync", **MONTHS | {"SMART_SYNC_WEEKLY_AFTER_MONTHS": "1"}).exit_code == 0
    assert len(days(old)) < len(left) - 90
    assert shell.run("db", "rebuild-days").exit_code == 0


def test_without_the_setting_there_is_nothing_to_thin(shell: Shell) -> None:
    refused = shell.run("db", "thin")

    assert refused.exit_code == 1
    assert "SMART_SYNC_WEEKLY_AFTER_MONTHS: is not set, so every day is kept for ever" in refused.stderr


def test_somebody_is_asked(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data._is_wanted(0)
    monkeypatch.setattr(sys, "stdin", type("Terminal", (), {"isatty": lambda _: True})())
    monkeypatch.setattr(click, "confirm", lambda words, **_: "5,000 snapshots will go, for good" not in words)
    assert not data._is_wanted(5_000)
    assert data._is_wanted(1)
