"""What happens to a service: each fault lasts as long as its `with` block, and is over when that ends."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import psycopg

from bench.slow import Crowd
from tests.soak.servers import Server
from tests.soak.stores import Store
from tests.soak.world import TROUBLES, Sheet, Violations

__all__ = ["Fault", "Faults"]

JUMPS_S = (-72_000, -3_600, -90, 90, 3_600, 72_000)  # less than a day each way, or idle runs are rightly forgotten
CROWD = 40
SOON_S = 2.0
LIVE = "SELECT id FROM sync_runs WHERE state = 'running' AND read_at IS NOT NULL"


@dataclass(frozen=True)
class Fault:
    name: str
    happen: Callable[[], AbstractContextManager[None]]


class Faults:
    """clock: the file that says how far the clock of all processes is ahead."""

    def __init__(
        self, servers: list[Server], store: Store, sheet: Sheet, clock: Path, violations: Violations, dice: Random
    ) -> None:
        self._servers = servers
        self._store = store
        self._sheet = sheet
        self._clock = clock
        self._violations = violations
        self._dice = dice

    def draw(self) -> Fault:
        """One of them, all kinds alike."""
        place = self._dice.randrange(len(self._servers))
        server, seed = self._servers[place], self._dice.getrandbits(32)
        jump, trouble = self._dice.choice(JUMPS_S), self._dice.choice(self._store.troubles)
        google = self._dice.choice(TROUBLES)
        return self._dice.choice(
            [
                Fault(f"kill server {place}", partial(self._kill, server)),
                Fault(f"kill a worker of server {place}", partial(self._kill_worker, server)),
                Fault(f"server {place} dies while clocks are {jump:+} s", partial(self._die_elsewhen, server, jump)),
                Fault(f"stop server {place}", partial(self._stop, server)),
                Fault(f"freeze a worker of server {place}", partial(self._freeze, server)),
                Fault(f"clock {jump:+} s", partial(self._turn, jump)),
                Fault(f"clock {jump:+} s", partial(self._turn, jump)),
                Fault(f"Google {google}", partial(self._break_google, google)),
                Fault(f"Google {google}", partial(self._break_google, google)),
                Fault(f"database {trouble}", partial(self._store.trouble, trouble, Random(seed))),
                Fault(f"database {trouble}", partial(self._store.trouble, trouble, Random(seed))),
                Fault(f"slow clients of server {place}", partial(self._crowd, server)),
            ]
        )

    def draw_some(self, count: int) -> list[Fault]:
        """Faults of one round, no two of them the same."""
        drawn: dict[str, Fault] = {}
        while len(drawn) < count:
            fault = self.draw()
            drawn.setdefault(fault.name, fault)
        return list(drawn.values())

    @contextmanager
    def _kill(self, server: Server) -> Iterator[None]:
        with self._in_the_middle_of_a_sync():
            server.kill()
        yield

    @contextmanager
    def _kill_worker(self, server: Server) -> Iterator[None]:
        with self._in_the_middle_of_a_sync():
            server.signal_worker(signal.SIGKILL)
        yield

    @contextmanager
    def _die_elsewhen(self, server: Server, jump: float) -> Iterator[None]:
        with self._turn(jump):
            time.sleep(0.5)
            with self._in_the_middle_of_a_sync():
                server.kill()
        yield

    @contextmanager
    def _in_the_middle_of_a_sync(self) -> Iterator[None]:
        """While runs wait for Google, as far as there are any soon."""
        before = self._sheet.trouble
        self._sheet.break_down("hangs")
        ends = time.monotonic() + SOON_S
        with suppress(psycopg.errors.LockNotAvailable):  # the table may be locked at the same time
            while time.monotonic() < ends and not self._store.rows(LIVE):
                time.sleep(0.05)
        yield
        self._sheet.recover()
        if before is not None:
            self._sheet.break_down(before)

    @contextmanager
    def _stop(self, server: Server) -> Iterator[None]:
        code = server.stop()
        if code not in (0, None):
            self._violations.add(f"a server that was asked to end ended with {code}")
        yield

    @contextmanager
    def _freeze(self, server: Server) -> Iterator[None]:
        pid = server.signal_worker(signal.SIGSTOP)
        yield
        if pid in server.workers():
            os.kill(pid, signal.SIGCONT)

    @contextmanager
    def _turn(self, seconds: float) -> Iterator[None]:
        self._set_clocks(seconds)
        yield
        self._set_clocks(0)

    def _set_clocks(self, seconds: float) -> None:
        self._clock.write_text(str(seconds))
        self._store.turn(seconds)

    @contextmanager
    def _break_google(self, trouble: str) -> Iterator[None]:
        self._sheet.break_down(trouble)
        yield
        self._sheet.recover()

    @contextmanager
    def _crowd(self, server: Server) -> Iterator[None]:
        port = urlsplit(server.url or "").port
        if port is None:
            yield
            return
        with Crowd(port, CROWD):
            time.sleep(0.5)
            yield
