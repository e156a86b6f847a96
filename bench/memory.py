"""Memory: an idle worker, two that share what was loaded before they were forked, and what a sync takes beside it.

Of our own processes; that of a database's server is the server's. The bars are those of SQLite.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bench.bars import SYNC_GROWTH_MB, TWO_WORKERS_MB, WORKER_MB, show
from bench.databases import KINDS, SQLITE, Kind, offered
from bench.google import Size, invent, served
from bench.ours import Ours
from bench.side import MB, Place, Side
from bench.start import OURS, TOKEN, started
from bench.sync import WARM

SIZES = (Size(10, 10_000), Size(1, 100_000))
SETTLE_S = 1.0


def measure(databases: Sequence[str] = KINDS, sizes: Sequence[Size] = SIZES) -> None:
    """Print resident memory, and for two workers the sum in which what several share counts once."""
    print("memory")
    with offered(databases) as kinds:
        print(" an idle worker")
        for kind in kinds:
            _show(kind, "", _idle(1, kind)[0], WORKER_MB)
        print(" two workers and their master")
        for kind in kinds:
            _show(kind, "", _idle(2, kind)[1], TWO_WORKERS_MB)
        for size in sizes:
            growths = {kind: _growth(size, kind) for kind in kinds}
            for place, words in enumerate(
                (f"a first sync of {size} accounts", "a sync in which nearly all of them changed")
            ):
                print(f" {words}")
                for kind, growth in growths.items():
                    _show(kind, "+", growth[place], SYNC_GROWTH_MB + 4 * _tab_mb(size))


def _show(kind: Kind, sign: str, taken: float, bar: float) -> None:
    show(kind.name, f"{sign}{taken:.0f} MB", f"{bar:.0f} MB", met=taken <= bar if kind is SQLITE else None)


def _idle(workers: int, kind: Kind) -> tuple[float, float]:
    """MB of the largest worker, and of all together, at a start that finds its database."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {
            "DATABASE_URL": kind.empty(Path(folder), "idle"),
            "SMART_SYNC_ADMIN_TOKEN": TOKEN,
            "SMART_SYNC_DATA_DIR": folder,
            "WEB_CONCURRENCY": str(workers),
            "LOG_LEVEL": "ERROR",
        }
        with started(OURS, environ, "/ready"):
            pass
        with started(OURS, environ, "/health") as server:
            time.sleep(SETTLE_S)
            master = server.pid
            children = Path(f"/proc/{master}/task/{master}/children").read_text(encoding="ascii").split()
            resident = max(_mb(int(child), "Rss") for child in children)
            return resident, sum(_mb(pid, "Pss") for pid in (master, *map(int, children)))


def _mb(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) * 1024 / MB


def _growth(size: Size, kind: Kind) -> list[float]:
    """MB that a first sync takes at most beside what the process had, and one in which nearly all accounts changed."""
    with served(size) as google, served(WARM) as warm, tempfile.TemporaryDirectory() as folder:
        places = [
            Place(url, of, kind.empty(Path(folder), name))
            for url, of, name in ((warm.url, WARM, "warm"), (google.url, size, "real"))
        ]
        with Side(kind.name, Ours, kind).running(*places, edit=partial(warm.edit, 1, 0)) as sync:
            first = sync()
            google.edit(1, 0)
            return [taken.peak_mb - taken.idle_mb for taken in (first, sync())]


def _tab_mb(size: Size) -> float:
    """Of the JSON of one tab."""
    (grid,) = invent(Size(1, size.rows)).values()
    return len(json.dumps(grid, separators=(",", ":"))) / MB
