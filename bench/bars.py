"""What is to be reached, and how it is printed: a line that ends with `met` or `MISSED`."""

from __future__ import annotations

from typing import NamedTuple

from bench.google import Size

STEPS = ("first", "1 % changed", "nothing changed")


class Bar(NamedTuple):
    """At most so many times the floor, and so many milliseconds more. of: the step of the floor, where it is another."""

    times: float
    plus_ms: float = 0.0
    of: str | None = None

    def __str__(self) -> str:
        more = f" + {self.plus_ms:g} ms" if self.plus_ms else ""
        return f"{self.times:g} x floor{f' of the {self.of}' if self.of else ''}{more}"


# Of CPU, without latency.
SYNC = {
    Size(10, 100): (Bar(1, 15), Bar(1, 5), Bar(1)),
    Size(100, 100): (Bar(3.0), Bar(1.2), Bar(0.25, of="first")),
    Size(10, 10_000): (Bar(2.2), Bar(0.8), Bar(0.12, of="first")),
    Size(10, 100_000): (Bar(2.3), Bar(0.5), Bar(0.12, of="first")),
}
# Of the time that passes, at 150 ms a call.
SYNC_WALL = {Size(10, 10_000): (Bar(2.5), Bar(1.2), Bar(1.0))}
SYNC_PEAK_MB = {Size(10, 100_000): 300}
# How many times lighter than the naive script.
NAIVE = {Size(100, 100): (45, 80, 300)}

FIRST_ANSWER_S = 8.0
WOKEN_S = 10.0
WORKER_MB = 50
TWO_WORKERS_MB = 62
SYNC_GROWTH_MB = 60  # beside four times the JSON of the largest tab
BESIDE = 1.5  # times the slowest read in a hundred without a sync
# Exponents of CPU with accounts and with projects, and with days.
IN_STEP = 1.1
DAYS_APART = 0.3


def show(what: str, figure: str, bar: str = "", met: bool | None = None) -> None:
    """Print a line. met: None where there is no bar."""
    verdict = "" if met is None else f"   bar {bar}   {'met' if met else 'MISSED'}"
    print(f"  {what:32} {figure}{verdict}", flush=True)
