"""Our worker against gunicorn's own with threads: requests a second and CPU of each, the two taking turns."""

from __future__ import annotations

import json
import os
import socket
import statistics
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from bench.load import HOST
from bench.slow import TOKEN, deployed, memory_mb

CLASSES = ("gthread", None)
ROUND_S = 2.0
CONNECTIONS = 4


@dataclass(frozen=True)
class Load:
    """Answers a second, and microseconds of the server's CPU for each."""

    rate: float
    cpu_us: float


def measure(rounds: int) -> None:
    """Print medians of gunicorn's own and ours, and the median of the ratios of the pairs."""
    with (
        tempfile.TemporaryDirectory() as one,
        tempfile.TemporaryDirectory() as other,
        deployed(CLASSES[0], 1, one) as theirs,
        deployed(CLASSES[1], 1, other) as ours,
    ):
        servers = (theirs, ours)
        for port, _ in servers:
            _ask(port, "/api/admin/smart_sync", "POST")
        for words, path, keep in (
            ("/health", "/health", True),
            ("/health, a connection each", "/health", False),
            ("accounts", None, True),
        ):
            loads: tuple[list[Load], list[Load]] = ([], [])
            for turn in range(rounds):
                for which in (0, 1) if turn % 2 else (1, 0):
                    port, pid = servers[which]
                    loads[which].append(_hammer(port, pid, path or _accounts(port), keep=keep))
            print(f"{words}: {_compare(*loads)}")
        print(f"memory: {memory_mb(theirs[1]):.0f} MB, {memory_mb(ours[1]):.0f} MB")


def _compare(theirs: list[Load], ours: list[Load]) -> str:
    rates = [b.rate / a.rate for a, b in zip(theirs, ours, strict=True)]
    costs = [b.cpu_us / a.cpu_us for a, b in zip(theirs, ours, strict=True)]
    return (
        f"{statistics.median(a.rate for a in theirs):.0f}/s and {statistics.median(b.rate for b in ours):.0f}/s, "
        f"ratio {statistics.median(rates):.2f}; CPU {statistics.median(a.cpu_us for a in theirs):.0f} us and "
        f"{statistics.median(b.cpu_us for b in ours):.0f} us, ratio {statistics.median(costs):.2f}"
    )


def _hammer(port: int, pid: int, path: str, *, keep: bool) -> Load:
    close = "" if keep else "Connection: close\r\n"
    request = f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {TOKEN}\r\n{close}\r\n".encode()
    counts: list[int] = []
    began, used = time.perf_counter(), _cpu_s(pid)

    def work() -> None:
        count, client = 0, None
        while time.perf_counter() < began + ROUND_S:
            client = client or socket.create_connection((HOST, port), timeout=10)
            client.sendall(request)
            _take(client)
            count += 1
            if not keep:
                client.close()
                client = None
        if client:
            client.close()
        counts.append(count)

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Load(sum(counts) / (time.perf_counter() - began), (_cpu_s(pid) - used) / sum(counts) * 1e6)


def _take(client: socket.socket) -> None:
    """One answer, which has to be a good one."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += client.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(head)
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    left = length - len(body)
    while left:
        left -= len(client.recv(left))


def _accounts(port: int) -> str:
    project = json.loads(_ask(port, "/api/projects"))["projects"][0]["id"]
    return f"/api/projects/{project}/accounts"


def _ask(port: int, path: str, method: str = "GET") -> bytes:
    asked = urllib.request.Request(
        f"http://{HOST}:{port}{path}", method=method, headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        found: bytes = answer.read()
    return found


def _cpu_s(pid: int) -> float:
    """Seconds of a process and its children."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    mine = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return mine + sum(_cpu_s(int(child)) for child in children)
