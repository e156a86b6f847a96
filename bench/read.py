"""Reads against a Flask view of constant bytes, each served by a worker of gunicorn, the two taking turns.

The CPU of the workers is counted, because that is what their requests a second are made of; a loaded machine changes
the time that passes.
"""

from __future__ import annotations

import socket
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bench.load import HOST, Served, serving
from bench.past import fill

__all__ = ["measure"]

TOKEN = "bench-token-of-no-consequence"
ASKED = 320  # requests of a round
# At once, where answers are known. Where they are made, one: threads that ask SQLite at once hand Python's lock to and
# fro, which is another question.
CONNECTIONS = 8
LIST = "/api/projects/project-0/accounts"
ANALYTICS = "/api/projects/project-0/analytics"
HEARTBEAT = "INSERT INTO leases (name) VALUES (hex(randomblob(8)))"
CHANGE = "UPDATE projects SET revision = revision + 1 WHERE id = 'project-0'"


@dataclass(frozen=True)
class Case:
    """What is asked, and what another process commits before each time.

    bar: times the floor's requests a second; None: there is none. known: the client has the answer. anew: of an
    application that keeps none.
    """

    name: str
    path: str
    bar: float | None
    before: str | None = None
    known: bool = False
    anew: bool = False


CASES = (
    Case("accounts, 304", LIST, 1.2, known=True),
    Case("accounts, kept", LIST, 1.0),
    Case("accounts, kept, after a foreign commit", LIST, 0.9, before=HEARTBEAT),
    Case("accounts, cold", LIST, 0.4, anew=True),
    Case("accounts, right after its own change", LIST, None, before=CHANGE),
    Case("analytics, 304", ANALYTICS, 1.2, known=True),
    Case("analytics, kept", ANALYTICS, 1.0),
    Case("analytics, kept, after a foreign commit", ANALYTICS, 0.9, before=HEARTBEAT),
)


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class Client:
    """Asks one thing again and again, over connections that are kept."""

    def __init__(self, server: Served, path: str, headers: Mapping[str, str]) -> None:
        self.path = path
        self._port = server.port
        lines = [f"GET {path} HTTP/1.1", "Host: bench", *(f"{name}: {value}" for name, value in headers.items())]
        self._request = "\r\n".join([*lines, "", ""]).encode()
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text(encoding="ascii")
        self._workers = children.split()

    def connected(self) -> socket.socket:
        return socket.create_connection((HOST, self._port), timeout=10)

    def ask(self, connection: socket.socket) -> None:
        connection.sendall(self._request)

    def take(self, connection: socket.socket) -> Answer:
        data = b""
        while b"\r\n\r\n" not in data:
            data += _take(connection)
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            body += _take(connection)
        return Answer(int(first.split()[1]), headers, body)

    def cpu_us(self) -> float:
        """What the worker's threads have used until now."""
        tasks = (task for pid in self._workers for task in Path(f"/proc/{pid}/task").iterdir())
        return sum(int((task / "schedstat").read_text(encoding="ascii").split()[0]) for task in tasks) / 1000


def _take(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 16)
    if not data:
        raise ConnectionError("the server hung up")
    return data


def measure(rounds: int, size: int, projects: int) -> None:
    """Print, for each case, how many times the requests a second of the constant view ours answers."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ours.db"
        fill(path, projects, size)
        print(f"{projects} projects of {size} accounts and 30 days, {rounds} rounds of {ASKED} requests")
        environ = {"DATABASE_URL": f"sqlite:///{path}", "SMART_SYNC_ADMIN_TOKEN": TOKEN}
        with (
            serving("webapp.wsgi:app", environ, ready="/health") as ours,
            serving("bench.anew_app:app", environ, ready="/health") as anew,
            _other_process(path) as commit,
        ):
            for case in CASES:
                server = anew if case.anew else ours
                _show(case, *_compare(case, server, commit, rounds, Path(folder) / "body"))


def _compare(
    case: Case, server: Served, commit: Callable[[str], None], rounds: int, body: Path
) -> tuple[list[float], list[float]]:
    """Microseconds of a worker for a request, in each round, of the floor and ours."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    time.sleep(1.1)  # the second of the last change is over, so the answer says when that was
    client = Client(server, case.path, headers)
    with client.connected() as connection:
        client.ask(connection)
        first = client.take(connection)
    body.write_bytes(first.body)
    if case.known:
        headers["If-None-Match"] = first.headers["etag"]
    taken: tuple[list[float], list[float]] = ([], [])
    with serving("bench.floor_app:app", {"BENCH_BODY": str(body)}, ready="/constant") as floor:
        both = Client(floor, "/constant", {}), Client(server, case.path, headers)
        for turn in range(-1, rounds):  # the first is to warm up
            for which in (0, 1) if turn % 2 else (1, 0):
                status = 304 if which and case.known else 200
                used = _round(both[which], status, case, commit)
                if turn >= 0:
                    taken[which].append(used)
    return taken


def _round(client: Client, status: int, case: Case, commit: Callable[[str], None]) -> float:
    at_once = 1 if case.anew or case.before is not None else CONNECTIONS
    started = client.cpu_us()
    with ExitStack() as stack:
        connections = [stack.enter_context(client.connected()) for _ in range(at_once)]
        for _ in range(ASKED // at_once):
            if case.before is not None:
                commit(case.before)
            for connection in connections:
                client.ask(connection)
            for connection in connections:
                answer = client.take(connection)
                if answer.status != status:
                    raise RuntimeError(f"{client.path} answered {answer.status}: {answer.body[:200]!r}")
    return (client.cpu_us() - started) / ASKED


def _show(case: Case, floor: list[float], ours: list[float]) -> None:
    ratios = [a / b for a, b in zip(floor, ours, strict=True)]
    ratio = statistics.median(ratios)
    bar = "" if case.bar is None else f"   bar {case.bar:.1f}  {'met' if ratio >= case.bar else 'MISSED'}"
    print(
        f"  {case.name:40} floor {statistics.median(floor):5.0f} us   ours {statistics.median(ours):5.0f} us   "
        f"{ratio:5.2f} x ({min(ratios):.2f} to {max(ratios):.2f}){bar}"
    )


@contextmanager
def _other_process(path: Path) -> Iterator[Callable[[str], None]]:
    """What commits in the database, as another process does."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")  # waiting for the disk would cost the workers their caches

        def commit(sql: str) -> None:
            connection.execute(sql)

        yield commit
