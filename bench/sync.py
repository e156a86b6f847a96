"""A whole sync against the floor: first, nothing changed, 1 % of the cells changed. Authentication is in neither."""

from __future__ import annotations

import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.floor import Floor
from bench.google import BOOK, served
from webapp.bootstrap import Parts, bootstrap
from webapp.clock import Budget
from webapp.config import Settings
from webapp.store.migrate import ensure_migrated
from webapp.sync.trigger import Trigger

__all__ = ["measure"]

STEPS = ("first sync", "nothing changed", "1 % changed")


@dataclass
class Times:
    floor: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)


def measure(tabs: int, rows: int, rounds: int) -> None:
    """Print medians and ratios of several rounds, each on fresh databases, the two taking turns."""
    times = {step: Times() for step in STEPS}
    calls = sum(_round(tabs, rows, number, times) for number in range(rounds)) / rounds / len(STEPS)
    print(f"{tabs} tabs x {rows} accounts, {rounds} rounds, {calls:.1f} Sheets calls a sync")
    for step, taken in times.items():
        _show(step, taken)
    print(f"  peak resident memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def _round(tabs: int, rows: int, number: int, times: dict[str, Times]) -> int:
    """All steps once; how many Sheets calls ours made."""
    titles = [f"Project {tab + 1:03}" for tab in range(tabs)]
    with served(tabs, rows) as google, tempfile.TemporaryDirectory() as folder:
        floor = Floor(google.url, Path(folder))
        parts = _parts(google.url, Path(folder))
        before = parts.engine.sheets[0].calls
        for step in STEPS:
            if step == "1 % changed":
                google.edit(0.01, number)
            times[step].floor.append(_timed(lambda: floor.sync(titles, "2026-01-01")))
            times[step].ours.append(_timed(lambda: _sync(parts)))
        floor.close()
        parts.db.close()
        return parts.engine.sheets[0].calls - before


def _show(step: str, taken: Times) -> None:
    ratios = [ours / floor for ours, floor in zip(taken.ours, taken.floor, strict=True)]
    floor, ours = statistics.median(taken.floor), statistics.median(taken.ours)
    print(
        f"  {step:16} floor {floor * 1000:9.1f} ms   ours {ours * 1000:9.1f} ms   "
        f"ratio {statistics.median(ratios):5.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    )


def _timed(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _parts(url: str, folder: Path) -> Parts:
    settings = Settings(
        database_url=f"sqlite:///{folder}/ours.db",
        sheets=(BOOK,),
        sheets_api=url,
        google_api_key="bench-key",
        admin_tokens=("bench-token-of-no-consequence",),
    )
    parts = bootstrap(settings)
    ensure_migrated(parts.db)
    _warm(parts)
    return parts


def _warm(parts: Parts) -> None:
    """Import what the first sync imports: a process does it once."""
    parts.engine.sheets[0].book(Budget(30))


def _sync(parts: Parts) -> None:
    trigger = Trigger(caller="cli")
    started = parts.engine.start(trigger)
    failed = [o for o in parts.engine.run(started.run, trigger, Budget(None, parts.clock)) if not o.result.success]
    if failed:
        raise RuntimeError(f"the sync failed: {failed[0].result.error}")
