"""How long a read takes while a sync is at work: the slowest in a hundred, with and without, taking turns.

The service runs as its own server with two workers, as it does by default. Reads come one at a time, a few
milliseconds apart, over a connection that is kept, from a process of their own; the syncs merge everything again. The
bars are those of SQLite.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.bars import BESIDE, show
from bench.databases import KINDS, SQLITE, Kind, offered
from bench.google import BOOK, Size, served
from bench.load import HOST, free_port

TOKEN = "bench-token-of-no-consequence"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
SIZE = Size(10, 1_000)
SECONDS = 3.0
PAUSE_S = 0.003
LEAST = 2  # reads that a hundredth can be told of, however slow they are


def measure(rounds: int, databases: Sequence[str] = KINDS) -> None:
    """Print the slowest in a hundred of two kinds of read, idle and beside a sync of 10,000 accounts."""
    with ExitStack() as stack:
        google = stack.enter_context(served(SIZE, 0))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        kinds = stack.enter_context(offered(databases))
        ports = {}
        for kind in kinds:
            database = kind.empty(folder, "beside")
            ports[kind] = stack.enter_context(_serving(google.url, database, folder / kind.name))
        projects = {kind: _synced(port) for kind, port in ports.items()}
        print(f"reads beside a sync of {SIZE} accounts, {rounds} rounds of {SECONDS:g} s each way")
        for name, path in (("accounts of a project", "/api/projects/{}/accounts?limit=100"), ("health", "/health")):
            print(f" {name}")
            for kind, port in ports.items():
                _show(kind, *_compare(port, path.format(projects[kind]), rounds))


def _synced(port: int) -> str:
    """A project that there is after a sync."""
    _sync(port)
    (project, *_) = json.loads(_get(port, "/api/projects"))["projects"]
    return str(project["id"])


def _compare(port: int, path: str, rounds: int) -> tuple[float, float]:
    """Milliseconds of the slowest in a hundred, idle and beside syncs."""
    idle, beside = [], []
    for _ in range(rounds):
        idle.append(_slowest(port, path))
        with _syncing(port):
            beside.append(_slowest(port, path))
    return statistics.median(idle), statistics.median(beside)


def _show(kind: Kind, idle: float, beside: float) -> None:
    figure = f"{idle:6.2f} ms idle   {beside:6.2f} ms beside   {beside / idle:5.2f} x"
    show(kind.name, figure, f"{BESIDE} x idle", met=beside <= BESIDE * idle if kind is SQLITE else None)


@contextmanager
def _serving(google: str, database: str, folder: Path) -> Iterator[int]:
    port = free_port()
    environ = os.environ | {
        "DATABASE_URL": database,
        "SMART_SYNC_DATA_DIR": str(folder),
        "SMART_SYNC_SHEET": BOOK,
        "SMART_SYNC_SHEETS_API": google,
        "GOOGLE_API_KEY": "bench-key",
        "SMART_SYNC_ADMIN_TOKEN": TOKEN,
        "WEB_CONCURRENCY": "2",
    }
    command = [sys.executable, "-m", "webapp.cli", "serve", "--host", HOST, "--port", str(port)]
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(port)
            yield port
        finally:
            process.terminate()


def _wait(port: int) -> None:
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        try:
            _get(port, "/health")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"nothing answered on port {port}")


def _get(port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    connection.request("GET", path, headers=HEADERS)
    answer = connection.getresponse().read()
    connection.close()
    return answer


def _sync(port: int) -> None:
    connection = http.client.HTTPConnection(HOST, port, timeout=120)
    connection.request("POST", "/api/admin/smart_sync?force=true", headers=HEADERS)
    if connection.getresponse().status != 200:
        raise RuntimeError("the sync failed")
    connection.close()


@contextmanager
def _syncing(port: int) -> Iterator[None]:
    """One sync after the other."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            _sync(port)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _slowest(port: int, path: str) -> float:
    """The slowest in a hundred, in milliseconds, as another process sees it."""
    asked = [sys.executable, "-m", "bench.beside", str(port), path, str(SECONDS)]
    return float(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)


def _read(port: int, path: str, seconds: float) -> float:
    times: list[float] = []
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends or len(times) < LEAST:
        began = time.perf_counter()
        connection.request("GET", path, headers=HEADERS)
        connection.getresponse().read()
        times.append(time.perf_counter() - began)
        time.sleep(PAUSE_S)
    return statistics.quantiles(times, n=100)[-1] * 1000


if __name__ == "__main__":
    print(_read(int(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
