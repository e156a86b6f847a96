"""A tenth of a core, as the smallest instances have it: of each 100 ms a process and its children may use 10 of CPU.

What they use beyond is taken off the next. Counted is CPU, so other work on the machine changes nothing.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PERIOD_S = 0.1
SHARE = 0.1
LOOK_S = 0.0005


@contextmanager
def throttled(pid: int) -> Iterator[None]:
    """Hold back a process that leads a group, and its group, until this is left."""
    end = threading.Event()
    thread = threading.Thread(target=_hold_back, args=(pid, end))
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
        _signal(pid, signal.SIGCONT)


def _hold_back(pid: int, end: threading.Event) -> None:
    allowed, next_period = cpu_s(pid), time.monotonic()
    while not end.is_set():
        next_period += PERIOD_S
        allowed = min(allowed, cpu_s(pid)) + PERIOD_S * SHARE
        if cpu_s(pid) < allowed:
            _signal(pid, signal.SIGCONT)
            while time.monotonic() < next_period and cpu_s(pid) < allowed:
                time.sleep(LOOK_S)
            _signal(pid, signal.SIGSTOP)
        time.sleep(max(0.0, next_period - time.monotonic()))


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, number)


def cpu_s(pid: int) -> float:
    """Seconds of CPU that the living threads of a process and of its children have used."""
    used = 0.0
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                used += int((task / "schedstat").read_text(encoding="ascii").split()[0]) / 1e9
                used += sum(map(cpu_s, map(int, (task / "children").read_text(encoding="ascii").split())))
    return used
