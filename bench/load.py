"""A bounded load over keep-alive connections from threads of this process, and servers to put it on."""

from __future__ import annotations

import http.client
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import NamedTuple

HOST = "127.0.0.1"


class Served(NamedTuple):
    """A server: where it listens, the seconds to its first good answer, and the process id of gunicorn's master."""

    port: int
    seconds: float
    pid: int


class Load:
    """What a load saw: answers a second, and the time of the slowest in a hundred, in milliseconds."""

    def __init__(self, seconds: float, times: list[float]) -> None:
        self.rate = len(times) / seconds
        self.p99_ms = statistics.quantiles(times, n=100)[-1] * 1000


def hammer(port: int, path: str, headers: Mapping[str, str], *, status: int = 200, seconds: float = 2.0) -> Load:
    """As many requests as four connections get answered in that time."""
    times: list[float] = []
    start = time.perf_counter()

    def work() -> None:
        connection = http.client.HTTPConnection(HOST, port, timeout=10)
        mine: list[float] = []
        while time.perf_counter() - start < seconds:
            before = time.perf_counter()
            connection.request("GET", path, headers=dict(headers))
            answer = connection.getresponse()
            answer.read()
            mine.append(time.perf_counter() - before)
            if answer.status != status:
                raise RuntimeError(f"{path} answered {answer.status}")
        connection.close()
        times.extend(mine)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Load(time.perf_counter() - start, times)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(app: str, environ: Mapping[str, str], *, ready: str) -> Iterator[Served]:
    """gunicorn over an app with one worker of four threads."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"{HOST}:{port}", "--worker-class", "gthread"]
    command += ["--threads", "4", "--log-level", "error", "--no-control-socket", app]
    start = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, **environ}, stderr=subprocess.DEVNULL)
    try:
        yield Served(port, _first_answer(port, ready) - start, process.pid)
    finally:
        process.terminate()
        process.wait(20)


def _first_answer(port: int, path: str) -> float:
    ends = time.perf_counter() + 30
    while time.perf_counter() < ends:
        with closing(http.client.HTTPConnection(HOST, port, timeout=2)) as connection:
            try:
                connection.request("GET", path)
                if connection.getresponse().status == 200:
                    return time.perf_counter()
            except OSError:
                time.sleep(0.005)
    raise RuntimeError(f"nothing answered on port {port}")
