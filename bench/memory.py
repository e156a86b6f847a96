"""Memory: an idle worker, two that share what was loaded before they were forked, and what a sync takes beside it."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.bars import SYNC_GROWTH_MB, TWO_WORKERS_MB, WORKER_MB, show
from bench.google import Size, invent, served
from bench.ours import Ours
from bench.side import MB, Place, Side
from bench.start import OURS, TOKEN, started
from bench.sync import WARM

SIZES = (Size(10, 10_000), Size(1, 100_000))
SETTLE_S = 1.0


def measure(sizes: Sequence[Size] = SIZES) -> None:
    """Print resident memory, and for two workers the sum in which what several share counts once."""
    print("memory")
    resident, _ = _idle(1)
    show("an idle worker", f"{resident:.0f} MB", f"{WORKER_MB} MB", met=resident <= WORKER_MB)
    _, together = _idle(2)
    show("two workers and their master", f"{together:.0f} MB", f"{TWO_WORKERS_MB} MB", met=together <= TWO_WORKERS_MB)
    for size in sizes:
        growth, bar = _growth(size), SYNC_GROWTH_MB + 4 * _tab_mb(size)
        show(f"a sync of {size} accounts", f"+{growth:.0f} MB", f"{bar:.0f} MB", met=growth <= bar)


def _idle(workers: int) -> tuple[float, float]:
    """MB of the largest worker, and of all together, at a start that finds its database."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {
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


def _growth(size: Size) -> float:
    """MB that a first sync takes at most beside what the process had."""
    with served(size) as google, served(WARM) as warm, tempfile.TemporaryDirectory() as folder:
        places = [
            Place(url, of, f"sqlite:///{folder}/{of.rows}.db") for url, of in ((warm.url, WARM), (google.url, size))
        ]
        with Side("ours", Ours).running(*places) as sync:
            taken = sync()
            return taken.peak_mb - taken.idle_mb


def _tab_mb(size: Size) -> float:
    """Of the JSON of one tab."""
    (grid,) = invent(Size(1, size.rows)).values()
    return len(json.dumps(grid, separators=(",", ":"))) / MB
