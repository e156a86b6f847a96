"""A whole sync against the bare script and the naive one, each in its own process, taking turns.

The CPU of the processes is the figure, that of a database server included; the time that passes stands beside it.
Authentication is in none of them.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench import bars
from bench.bars import STEPS, Bar, show
from bench.databases import KINDS, SQLITE, Kind, offered
from bench.floor import Floor
from bench.google import Size, served
from bench.naive import Naive
from bench.ours import Ours
from bench.side import Place, Side, Taken

SIZES: Sequence[Size] = (Size(10, 100), Size(100, 100), Size(10, 10_000))
LARGE = Size(10, 100_000)
WARM = Size(2, 10)
FLOOR, NAIVE = "floor", "naive"
SHARE = 0.01  # of the metric cells, raised before the second step
NAIVE_ACCOUNTS = 10_000  # it would take minutes of more

Figures = dict[tuple[str, str], list[Taken]]  # of a step and a side, one for each round


class Asked(NamedTuple):
    """What to measure."""

    sizes: Sequence[Size] = SIZES
    latencies_ms: Sequence[int] = (0, 150)
    rounds: int = 5
    databases: Sequence[str] = KINDS
    naive: bool = True


def measure(asked: Asked) -> None:
    """Print a table for each size and latency."""
    with offered(asked.databases) as kinds:
        for size in asked.sizes:
            for latency_ms in asked.latencies_ms:
                rounds = rounds_of(size, asked.rounds)
                naive = asked.naive and not latency_ms and size.accounts <= NAIVE_ACCOUNTS
                figures = measure_size(size, latency_ms, rounds, sides_of(kinds, naive=naive))
                print(f"{size} accounts, {latency_ms} ms a call, {rounds} rounds")
                _show(size, latency_ms, figures)


def rounds_of(size: Size, rounds: int) -> int:
    """Fewer where each takes long."""
    return max(1, rounds * 1_000 // max(1_000, size.accounts // 50))


def sides_of(kinds: Sequence[Kind], *, naive: bool = False) -> list[Side]:
    sides = [Side(FLOOR, Floor), *(Side(kind.name, Ours, kind) for kind in kinds)]
    return [*sides, Side(NAIVE, Naive)] if naive else sides


def measure_size(size: Size, latency_ms: int, rounds: int, sides: Sequence[Side]) -> Figures:
    """All steps of some rounds, each on fresh databases."""
    figures: Figures = {(step, side.name): [] for step in STEPS for side in sides}
    for number in range(rounds):
        turn = number % len(sides)
        with ExitStack() as stack:
            google = stack.enter_context(served(size, latency_ms / 1000))
            warm = stack.enter_context(served(WARM))
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            running = {}
            for side in (*sides[turn:], *sides[:turn]):
                places = [
                    Place(url, of, side.kind.empty(folder, f"{side.name}_{name}".lower()))
                    for url, of, name in ((warm.url, WARM, "warm"), (google.url, size, "real"))
                ]
                running[side.name] = stack.enter_context(side.running(*places, edit=partial(warm.edit, 1, 0)))
            for step in STEPS:
                if step == STEPS[1]:
                    google.edit(SHARE, number)
                for name, sync in running.items():
                    figures[step, name].append(sync())
    return figures


def _show(size: Size, latency_ms: int, figures: Figures) -> None:
    for place, step in enumerate(STEPS):
        print(f" {step}")
        for (of, name), taken in figures.items():
            if of == step:
                floor = figures[step, FLOOR]
                show(name, _words(taken, floor))
        _show_bars(size, latency_ms, figures, place)


def _words(taken: Sequence[Taken], floor: Sequence[Taken]) -> str:
    cpu, wall = (statistics.median(values) * 1000 for values in ([t.cpu for t in taken], [t.wall for t in taken]))
    ratio = statistics.median(ours.cpu / bare.cpu for ours, bare in zip(taken, floor, strict=True))
    peak = max(each.peak_mb for each in taken)
    return f"CPU {cpu:9.1f} ms {ratio:7.2f} x   wall {wall:9.1f} ms   {peak:5.0f} MB"


def _show_bars(size: Size, latency_ms: int, figures: Figures, place: int) -> None:
    step = STEPS[place]
    if (step, SQLITE.name) not in figures:
        return
    if not latency_ms and size in bars.SYNC:
        _show_bar("CPU", bars.SYNC[size][place], figures, step)
    if latency_ms and size in bars.SYNC_WALL:
        _show_bar("wall", bars.SYNC_WALL[size][place], figures, step)
    if place == 0 and size in bars.SYNC_PEAK_MB:
        peak, limit = max(each.peak_mb for each in figures[step, SQLITE.name]), bars.SYNC_PEAK_MB[size]
        show("= memory", f"{peak:.0f} MB", f"{limit} MB", met=peak <= limit)
    if (step, NAIVE) in figures and size in bars.NAIVE:
        pairs = zip(figures[step, NAIVE], figures[step, SQLITE.name], strict=True)
        times, least = statistics.median(naive.cpu / ours.cpu for naive, ours in pairs), bars.NAIVE[size][place]
        show("= lighter than naive", f"{times:.0f} x", f"{least} x", met=times >= least)


def _show_bar(what: str, bar: Bar, figures: Figures, step: str) -> None:
    """Round by round, because the machine is not the same from one to the next."""
    kind = what.lower()
    pairs = list(zip(figures[step, SQLITE.name], figures[bar.of or step, FLOOR], strict=True))
    seconds = [(getattr(ours, kind), getattr(floor, kind)) for ours, floor in pairs]
    over_ms = statistics.median(ours - bar.times * floor for ours, floor in seconds) * 1000
    if bar.times == 1 and not bar.of:
        figure = f"floor {over_ms:+.1f} ms"
    else:
        figure = f"{statistics.median(ours / floor for ours, floor in seconds):.2f} x"
    show(f"= {what}", figure, str(bar), met=over_ms <= bar.plus_ms)
