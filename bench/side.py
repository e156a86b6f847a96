"""One side of a comparison, in a process of its own: what it costs is its own, and so is its memory."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple, Protocol

from bench.databases import SQLITE, Kind
from bench.google import Size

MB = 1 << 20


class Script(Protocol):
    def sync(self) -> None: ...
    def close(self) -> None: ...


Make = Callable[[str, str, Size], Script]


class Place(NamedTuple):
    """A spreadsheet: where it is served, its size, and the URL of the database it goes to."""

    google: str
    size: Size
    database: str


class Taken(NamedTuple):
    """What a sync took: seconds of CPU of all processes, seconds, and MB resident before it and at most."""

    cpu: float
    wall: float
    idle_mb: float
    peak_mb: float


@dataclass(frozen=True)
class Side:
    """name: for people. make: opens a script. kind: of the database, whose server's CPU counts too."""

    name: str
    make: Make
    kind: Kind = SQLITE

    @contextmanager
    def running(self, warm: Place, place: Place, *, edit: Callable[[], object]) -> Iterator[Callable[[], Taken]]:
        """What syncs the place once. The process has done every kind of sync of another one, so that all is loaded.

        edit: changes some counts of that other one.
        """
        ours, theirs = multiprocessing.Pipe()
        arguments = (self, warm, place, theirs)
        process = multiprocessing.get_context("spawn").Process(target=_work, args=arguments, daemon=True)
        process.start()
        theirs.close()
        ours.recv()
        edit()
        ours.send(True)
        ours.recv()

        def sync() -> Taken:
            ours.send(True)
            taken = ours.recv()
            assert isinstance(taken, Taken)
            return taken

        try:
            yield sync
            ours.send(None)
            process.join(30)
        finally:
            process.terminate()


def _work(side: Side, warm: Place, place: Place, pipe: Connection) -> None:
    first = side.make(warm.google, warm.database, warm.size)
    first.sync()
    pipe.send(True)
    pipe.recv()
    for _ in ("changed", "as it was"):
        first.sync()
    first.close()
    script = side.make(place.google, place.database, place.size)
    pipe.send(True)
    for _ in iter(pipe.recv, None):
        pipe.send(_measure(script, side.kind))
    script.close()


def _measure(script: Script, kind: Kind) -> Taken:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the most is counted from here on
    idle, cpu, wall = _memory_mb("VmRSS"), cpu_s(kind), time.perf_counter()
    script.sync()
    wall = time.perf_counter() - wall
    return Taken(cpu_s(kind) - cpu, wall, idle, _memory_mb("VmHWM"))


def _memory_mb(name: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) * 1024 / MB


def cpu_s(kind: Kind) -> float:
    """What this process, the children it has waited for, and the database's server have used until now."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime + kind.cpu_s()
