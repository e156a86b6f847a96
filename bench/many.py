"""How long many spreadsheets take that workers of Celery sync within the reads that Google grants."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from bench.google import Size, served
from bench.load import HOST, free_port

LATENCY_S = 0.1
PER_MINUTE = 60
LOOK_S = 0.5
CELERY = (sys.executable, "-m", "celery", "-A", "webapp.tasks")


def measure(spreadsheets: int, size: Size, workers: int) -> None:
    """Sync all of them twice, first as new ones, then with nothing changed."""
    redis = shutil.which("redis-server")
    if redis is None:
        sys.exit("bench many: this machine has no redis-server")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        google = stack.enter_context(served(size, LATENCY_S, PER_MINUTE))
        port = free_port()
        stack.enter_context(_running(folder, (redis, "--port", str(port), "--bind", HOST, "--save", ""), os.environ))
        env = _environment(folder, google.url, f"redis://{HOST}:{port}/0", spreadsheets)
        subprocess.run([sys.executable, "-m", "webapp.cli", "db", "upgrade"], env=env, check=True, capture_output=True)
        for number in range(workers):
            stack.enter_context(_running(folder, (*CELERY, "worker", "-c", "1", "-n", f"{number}@%h"), env))
        print(f"{spreadsheets} spreadsheets of {size} accounts, {workers} workers, {PER_MINUTE} reads a minute")
        for what in ("first sync", "nothing changed"):
            before = google.counts()
            seconds = _sync_all(folder, env, spreadsheets)
            reads, refused = (after - earlier for after, earlier in zip(google.counts(), before, strict=True))
            print(f"{what}: {seconds:.0f} s, {reads} reads, {refused} refused, runs {_states(folder)}")


def _sync_all(folder: Path, env: Mapping[str, str], spreadsheets: int) -> float:
    """Seconds until the runs of one more pass over all of them have ended."""
    began, wanted = time.monotonic(), sum(_states(folder).values()) + spreadsheets
    asked = [*CELERY, "call", "webapp.tasks.smart_sync_all_projects"]
    subprocess.run(asked, env=env, check=True, capture_output=True)
    while sum(n for state, n in _states(folder).items() if state not in ("queued", "running")) < wanted:
        time.sleep(LOOK_S)
    return time.monotonic() - began


def _states(folder: Path) -> dict[str, int]:
    """{state: runs}"""
    with closing(sqlite3.connect(folder / "data" / "smart_sync.db", timeout=60)) as connection:
        return dict(connection.execute("SELECT state, count(*) FROM sync_runs GROUP BY state"))


def _environment(folder: Path, google: str, redis: str, spreadsheets: int) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "SMART_SYNC_ADMIN_TOKEN": "bench-token-of-no-consequence",
        "SMART_SYNC_DATA_DIR": str(folder / "data"),
        "SMART_SYNC_MODE": "celery",
        "SMART_SYNC_PLATFORMS": "none",
        "SMART_SYNC_SHEET": ",".join(
            f"bench-spreadsheet-{number:05}-abcdefghijklmnop" for number in range(spreadsheets)
        ),
        "SMART_SYNC_SHEETS_API": google,
        "GOOGLE_API_KEY": "a-key-of-the-bench",
        "REDIS_URL": redis,
    }


@contextmanager
def _running(folder: Path, program: tuple[str, ...], env: Mapping[str, str]) -> Iterator[None]:
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(program, cwd=folder, env=env, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)
