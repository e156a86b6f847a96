"""A crowd of slow clients around the service, and whether others are still answered."""

from __future__ import annotations

import contextlib
import http.client
import os
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Self

from bench.load import HOST, free_port

TOKEN = "bench-token-of-no-consequence"
HEAD = b"GET /health HTTP/1.1\r\nHost: bench\r\nX-Long: " + b"x" * 4000
FORM = b"POST /sign-in HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-www-form-urlencoded\r\n"
ANSWER_S = 5.0  # who waits longer was not answered


@dataclass(frozen=True)
class Manner:
    """What a slow client says at once, how it goes on each second, and whether it takes the answer."""

    at_once: bytes
    each_second: bytes = b""
    narrow: bool = False


MANNERS = {
    "says nothing": Manner(b""),
    "stops in the head": Manner(HEAD[:40]),
    "drips the head": Manner(HEAD[:40], b"x"),
    "stops in the body": Manner(FORM + b"Content-Length: 100\r\n\r\ntoken="),
    "stops in a large body": Manner(FORM + b"Content-Length: 4000000\r\n\r\n" + b"x" * 64 * 1024),
    "drips the body": Manner(FORM + b"Content-Length: 4000\r\n\r\ntoken=", b"x"),
    "drips chunks": Manner(FORM + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "takes no answer": Manner(b"GET /openapi.json HTTP/1.1\r\nHost: bench\r\n\r\n" * 40, narrow=True),
    "never hangs up": Manner(b"GET /health HTTP/1.0\r\n\r\n"),
}


class Crowd:
    """So many slow clients, of each manner in turn. In place of one that is sent away another one comes."""

    def __init__(self, port: int, size: int) -> None:
        self.sent_away = 0
        self._port = port
        self._selector = selectors.DefaultSelector()
        self._end = threading.Event()
        self._manners = cycle(MANNERS.values())
        self._thread = threading.Thread(target=self._work, args=(size,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _work(self, size: int) -> None:
        while not self._end.is_set():
            for _ in range(size - len(self._selector.get_map())):
                self._come(next(self._manners))
            again = time.monotonic() + 1
            while (left := again - time.monotonic()) > 0 and not self._end.is_set():
                self._look(min(left, 0.2))
            for key in list(self._selector.get_map().values()):
                self._go_on(key.fileobj, key.data)
        for key in list(self._selector.get_map().values()):
            self._selector.unregister(key.fileobj)
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()

    def _come(self, manner: Manner) -> None:
        client = socket.socket()
        if manner.narrow:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        client.settimeout(ANSWER_S)
        try:
            client.connect((HOST, self._port))
            client.sendall(manner.at_once)
        except OSError:
            client.close()
            return
        client.setblocking(False)
        self._selector.register(client, selectors.EVENT_READ, manner)

    def _look(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            client, manner = key.fileobj, key.data
            assert isinstance(client, socket.socket)
            if manner.narrow:
                time.sleep(0.01)  # something is there to take, and stays there
            elif not _is_open(client):
                self._selector.unregister(client)
                client.close()
                self.sent_away += 1

    def _go_on(self, client: object, manner: Manner) -> None:
        assert isinstance(client, socket.socket)
        with contextlib.suppress(OSError):
            if manner.each_second:
                client.send(manner.each_second)
            if manner.narrow:
                client.recv(1)


def _is_open(client: socket.socket) -> bool:
    try:
        return bool(client.recv(4096))
    except BlockingIOError:
        return True
    except OSError:
        return False


@dataclass
class Seen:
    """Seconds of each answer, and what went wrong instead of one."""

    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        if not self.seconds:
            return f"no answer, {len(self.wrong)} failed ({self.wrong[0] if self.wrong else ''})"
        ms = sorted(round(1000 * each) for each in self.seconds)
        p99 = ms[min(len(ms) - 1, len(ms) * 99 // 100)]
        return (
            f"{len(ms)} answers, {len(self.wrong)} failed, median {statistics.median(ms):.0f} ms, "
            f"p99 {p99} ms, longest {ms[-1]} ms"
        )


def watch(port: int, seconds: float, token: str) -> tuple[Seen, Seen]:
    """Ask for /health ten times a second and trigger a sync each second, each over a connection of its own."""
    health, trigger = Seen(), Seen()
    ends = time.monotonic() + seconds
    ask = {"Authorization": f"Bearer {token}"}

    def repeat(seen: Seen, every: float, method: str, path: str) -> None:
        while time.monotonic() < ends:
            began = time.monotonic()
            connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_S)
            try:
                connection.request(method, path, headers=ask)
                status = connection.getresponse().status
            except (OSError, http.client.HTTPException) as error:
                seen.wrong.append(type(error).__name__)
            else:
                took = time.monotonic() - began
                seen.seconds.append(took) if status in (200, 202) else seen.wrong.append(str(status))
            finally:
                connection.close()
            time.sleep(max(0.0, began + every - time.monotonic()))

    threads = [
        threading.Thread(target=repeat, args=(health, 0.1, "GET", "/health")),
        threading.Thread(target=repeat, args=(trigger, 1.0, "POST", "/api/admin/smart_sync?summary=true")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return health, trigger


@contextmanager
def deployed(worker_class: str | None, workers: int, folder: str) -> Iterator[tuple[int, int]]:
    """The service as it is deployed, over the bundled sheet: its port and its process."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-c", "python:webapp.server", "--bind", f"{HOST}:{port}"]
    command += ["--worker-class", worker_class] if worker_class else []
    sheet = str(Path(__file__).parents[1] / "webapp" / "demo")
    own = {"SMART_SYNC_ADMIN_TOKEN": TOKEN, "SMART_SYNC_DATA_DIR": folder, "SMART_SYNC_SHEET": sheet}
    own |= {"WEB_CONCURRENCY": str(workers), "LOG_LEVEL": "ERROR", "SMART_SYNC_PLATFORMS": "none"}
    process = subprocess.Popen([*command, "webapp.wsgi:app"], env={**os.environ, **own}, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(60)


def _wait(port: int) -> None:
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port}")


def memory_mb(pid: int) -> float:
    """Memory of a process and its children; what they share counts once."""
    mine = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    pages = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    pss = sum(int(line.split()[1]) for line in pages if line.startswith("Pss:")) / 1024
    return pss + sum(memory_mb(int(child)) for child in mine)


def measure(clients: int, seconds: float, workers: int, worker_class: str | None) -> None:
    """Print what others saw without the crowd and with it, and the memory of all processes."""
    with tempfile.TemporaryDirectory() as folder, deployed(worker_class, workers, folder) as (port, pid):
        health, trigger = watch(port, min(seconds, 5), TOKEN)
        print(f"alone, {memory_mb(pid):.0f} MB\n  /health  {health}\n  trigger  {trigger}")
        with Crowd(port, clients) as crowd:
            health, trigger = watch(port, seconds, TOKEN)
            memory = memory_mb(pid)
        print(f"{clients} slow clients for {seconds:.0f} s, {memory:.0f} MB, {crowd.sent_away} sent away")
        print(f"  /health  {health}\n  trigger  {trigger}")
