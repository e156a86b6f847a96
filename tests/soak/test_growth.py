"""Hours of schedule in a minute: a server that is called as its cron calls it holds no more at the end than before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.google import Google, google
from tests.soak.servers import Server, call
from tests.soak.stores import Store, open_store
from webapp.bootstrap import THREADS

EVERY_S = 300  # of the schedule
WARM, MEASURED = 48, 144  # ticks: four hours until all is loaded and cached, then twelve
GROWTH_KB = 4_096
LOG_BYTES = 6 << 20  # SQLite folds its log of changes into the file at 4 MB


@dataclass(frozen=True)
class Held:
    """What a process holds."""

    resident_kb: int
    descriptors: int
    threads: int


def held_by(pid: int) -> Held:
    words = (line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    status = {word[0]: word[1] for word in words if len(word) > 1}
    return Held(int(status["VmRSS:"]), len(list(Path(f"/proc/{pid}/fd").iterdir())), int(status["Threads:"]))


class Schedule:
    """A server whose clock goes on by the schedule's step before each call."""

    def __init__(self, server: Server, store: Store, sheet: Google, clock: Path) -> None:
        self._server = server
        self._store = store
        self._sheet = sheet
        self._clock = clock
        self._ticks = 0

    def go_on(self, ticks: int) -> None:
        for _ in range(ticks):
            self._ticks += 1
            ahead = self._ticks * EVERY_S
            self._clock.write_text(str(ahead))
            self._store.turn(ahead)
            self._sheet.tab("Project A", 30, 10_000 + self._ticks)
            for method, path in CALLS:
                answer = call(method, f"{self._server.url}{path}")
                assert answer is not None
                assert answer.status == 200, answer


CALLS = (
    ("POST", "/api/admin/smart_sync?due=true"),
    ("GET", "/api/projects"),
    ("GET", "/api/admin/sync_status"),
)


@pytest.mark.usefixtures("processes")
@pytest.mark.long
def test_hours_of_schedule_make_nothing_grow(new_database_url: str, tmp_path: Path) -> None:
    database = "sqlite" if new_database_url.startswith("sqlite") else new_database_url
    clock = tmp_path / "clock"
    with google() as sheet, open_store(database, tmp_path) as store:
        env = {"DATABASE_URL": store.url, "SOAK_CLOCK": str(clock), "SMART_SYNC_INTERVAL_MINUTES": "5"}
        server = Server(tmp_path / "server", sheet, 1, env)
        server.start()
        try:
            schedule = Schedule(server, store, sheet, clock)
            schedule.go_on(WARM)
            (worker,) = server.workers()
            before = held_by(worker)
            schedule.go_on(MEASURED)
            after = held_by(worker)
            runs = store.rows("SELECT count(*) FROM sync_runs WHERE state = 'succeeded' AND success_count = 1")
            log = sum(path.stat().st_size for path in tmp_path.glob("soak.db-wal"))
        finally:
            server.kill()

    assert runs == [(WARM + MEASURED,)]
    assert after.threads <= THREADS + 3  # those that answer come one by one, as they are needed
    assert after.descriptors <= before.descriptors + 1
    assert after.resident_kb <= before.resident_kb + GROWTH_KB, (before, after)
    assert log <= LOG_BYTES
