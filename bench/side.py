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
    """name: for people. make: opens a script. server: the process id of the database's server, whose CPU counts too."""

    name: str
    make: Make
    server: int | None = None

    @contextmanager
    def running(self, warm: Place, place: Place) -> Iterator[Callable[[], Taken]]:
        """What syncs the place once. The process has done a sync of another one, so that all is loaded."""
        ours, theirs = multiprocessing.Pipe()
        arguments = (self, warm, place, theirs)
        process = multiprocessing.get_context("spawn").Process(target=_work, args=arguments, daemon=True)
        process.start()
        theirs.close()
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
    first.close()
    script = side.make(place.google, place.database, place.size)
    pipe.send(True)
    for _ in iter(pipe.recv, None):
        pipe.send(_measure(script, side.server))
    script.close()


def _measure(script: Script, server: int | None) -> Taken:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the most is counted from here on
    idle, cpu, wall = _memory_mb("VmRSS"), _cpu_s(server), time.perf_counter()
    script.sync()
    wall = time.perf_counter() - wall
    return Taken(_cpu_s(server) - cpu, wall, idle, _memory_mb("VmHWM"))


def _memory_mb(name: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) * 1024 / MB


def _cpu_s(server: int | None) -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    mine = time.process_time() + children.ru_utime + children.ru_stime
    return mine + (cpu_of_server(server) if server else 0.0)


def cpu_of_server(pid: int) -> float:
    """Of a server that gives each connection a process: those that live, and those that have gone."""
    living = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    paths = [Path(f"/proc/{each}/schedstat") for each in (pid, *living)]
    gone = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[13:15]
    nanoseconds = sum(int(path.read_text(encoding="ascii").split()[0]) for path in paths if path.exists())
    return nanoseconds / 1e9 + sum(map(int, gone)) / 100
