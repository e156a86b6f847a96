"""Reads against a Flask view of constant bytes, each served by a worker of gunicorn, the two taking turns.

The CPU of the workers is counted, because that is what their requests a second are made of; a loaded machine changes
the time that passes. That of a database's server is added to it. The bars are those of SQLite.
"""

from __future__ import annotations

import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from bench.bars import show
from bench.databases import KINDS, SQLITE, Kind, Other, offered
from bench.load import HOST, Served, serving
from bench.past import fill

TOKEN = "bench-token-of-no-consequence"
ASKED = 320  # requests of a round
# At once, where answers are known. Where they are made, one: threads that ask SQLite at once hand Python's lock to and
# fro, which is another question.
CONNECTIONS = 8
LIST = "/api/projects/project-0/accounts"
ANALYTICS = "/api/projects/project-0/analytics"
HEARTBEAT = "INSERT INTO leases (name) VALUES ('{}')"  # another name each time
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
    """Asks one thing again and again, over connections that are kept. beside: microseconds of a database's server."""

    def __init__(
        self, server: Served, path: str, headers: Mapping[str, str], beside: Callable[[], float] = float
    ) -> None:
        self.path = path
        self._beside = beside
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
        """What the worker's threads, and the database's server, have used until now."""
        tasks = (task for pid in self._workers for task in Path(f"/proc/{pid}/task").iterdir())
        mine = sum(int((task / "schedstat").read_text(encoding="ascii").split()[0]) for task in tasks)
        return mine / 1000 + self._beside()


def _take(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 16)
    if not data:
        raise ConnectionError("the server hung up")
    return data


@dataclass(frozen=True)
class Side:
    """A server on a database, and what commits there, as another process does."""

    kind: Kind
    server: Served
    anew: Served
    other: Other

    def client(self, case: Case, headers: Mapping[str, str]) -> Client:
        return Client(self.anew if case.anew else self.server, case.path, headers, self._database_us)

    def commit(self, sql: str) -> None:
        self.other.driver.execute(sql.format(uuid4()))

    def _database_us(self) -> float:
        return self.kind.cpu_s(besides=self.other.pid) * 1e6


def measure(rounds: int, size: int, projects: int, databases: Sequence[str] = KINDS) -> None:
    """Print, for each case, how many times the requests a second of the constant view ours answers."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        kinds = stack.enter_context(offered(databases))
        sides = [stack.enter_context(_side(kind, folder, projects, size)) for kind in kinds]
        print(f"{projects} projects of {size} accounts and 30 days, {rounds} rounds of {ASKED} requests")
        for case in CASES:
            print(f" {case.name}")
            floor, *ours = _compare(case, sides, rounds, folder / "body")
            show("floor", f"{statistics.median(floor):5.0f} us")
            for side, taken in zip(sides, ours, strict=True):
                _show(side.kind, case.bar, floor, taken)


@contextmanager
def _side(kind: Kind, folder: Path, projects: int, size: int) -> Iterator[Side]:
    url = kind.empty(folder, "ours")
    fill(url, projects, size)
    kind.settle(url)
    environ = {"DATABASE_URL": url, "SMART_SYNC_ADMIN_TOKEN": TOKEN}
    with (
        serving("webapp.wsgi:app", environ, ready="/health") as ours,
        serving("bench.anew_app:app", environ, ready="/health") as anew,
        kind.connected(url) as other,
    ):
        yield Side(kind, ours, anew, other)


def _compare(case: Case, sides: Sequence[Side], rounds: int, body: Path) -> Sequence[list[float]]:
    """Microseconds for a request, in each round, of the floor and of each side."""
    time.sleep(1.1)  # the second of the last change is over, so the answer says when that was
    asks = [_ask_of(case, side, body) for side in sides]
    with serving("bench.floor_app:app", {"BENCH_BODY": str(body)}, ready="/constant") as floor:
        constant = Client(floor, "/constant", {})
        every: list[Callable[[], float]] = [partial(_round, constant, 200, case, sides[0]), *asks]
        taken: list[list[float]] = [[] for _ in every]
        for turn in range(-1, rounds):  # the first is to warm up
            order = range(len(every))
            for which in order if turn % 2 else reversed(order):
                used = every[which]()
                if turn >= 0:
                    taken[which].append(used)
    return taken


def _ask_of(case: Case, side: Side, body: Path) -> Callable[[], float]:
    """A round of a side. body: takes the answer, for the floor to give the same."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    client = side.client(case, headers)
    with client.connected() as connection:
        client.ask(connection)
        first = client.take(connection)
    body.write_bytes(first.body)
    if case.known:
        client = side.client(case, headers | {"If-None-Match": first.headers["etag"]})
    return partial(_round, client, 304 if case.known else 200, case, side)


def _round(client: Client, status: int, case: Case, side: Side) -> float:
    """Microseconds for a request. side: where is committed before each, should the case have it so."""
    at_once = 1 if case.anew or case.before is not None else CONNECTIONS
    started = client.cpu_us()
    with ExitStack() as stack:
        connections = [stack.enter_context(client.connected()) for _ in range(at_once)]
        for _ in range(ASKED // at_once):
            if case.before is not None:
                side.commit(case.before)
            for connection in connections:
                client.ask(connection)
            for connection in connections:
                answer = client.take(connection)
                if answer.status != status:
                    raise RuntimeError(f"{client.path} answered {answer.status}: {answer.body[:200]!r}")
    return (client.cpu_us() - started) / ASKED


def _show(kind: Kind, bar: float | None, floor: Sequence[float], ours: Sequence[float]) -> None:
    ratios = [a / b for a, b in zip(floor, ours, strict=True)]
    ratio = statistics.median(ratios)
    met = ratio >= bar if bar is not None and kind is SQLITE else None
    figure = f"{statistics.median(ours):5.0f} us   {ratio:5.2f} x ({min(ratios):.2f} to {max(ratios):.2f})"
    show(kind.name, figure, f"{bar:.1f}" if bar else "", met=met)
