"""`smart-sync schedule work` as a process."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.e2e.google import Google
from tests.e2e.harness import PATIENCE_S, environment, until

WORK = ("-m", "webapp.cli", "schedule", "work")


@contextmanager
def scheduler(folder: Path, sheet: Google, *options: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, *WORK, *options],
        cwd=folder,
        env=environment(folder, sheet),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def states(folder: Path) -> list[str]:
    database = folder / "data" / "smart_sync.db"
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        return [state for (state,) in connection.execute("SELECT state FROM sync_runs ORDER BY started_at")]


def test_a_sync_that_fits_the_grace_is_finished_before_it_ends(sheet: Google, tmp_path: Path) -> None:
    sheet.tab("Project A", 3, 100)
    with sheet.gate() as gate, scheduler(tmp_path, sheet) as process:
        gate.wait()
        process.send_signal(signal.SIGTERM)
        gate.open()

        printed, _ = process.communicate(timeout=PATIENCE_S)

    assert (process.returncode, states(tmp_path)) == (0, ["succeeded"]), printed


def test_it_ends_at_once_while_it_waits_for_the_minute(sheet: Google, tmp_path: Path) -> None:
    sheet.tab("Project A", 3, 100)
    with scheduler(tmp_path, sheet) as process:
        until(lambda: sheet.asked("cells"))
        until(lambda: states(tmp_path) == ["succeeded"])
        process.send_signal(signal.SIGTERM)

        printed, _ = process.communicate(timeout=5)

    assert process.returncode == 0, printed


def test_a_sync_longer_than_the_grace_is_cancelled(sheet: Google, tmp_path: Path) -> None:
    sheet.tab("Project A", 3, 100)
    with sheet.gate() as gate, scheduler(tmp_path, sheet, "--grace", "3") as process:
        gate.wait()
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=PATIENCE_S)

    assert (process.returncode, states(tmp_path)) == (0, ["cancelled"]), printed
