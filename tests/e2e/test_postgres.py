"""A PostgreSQL that goes away, comes back, ends sessions and has no connection free, under a running service."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.e2e.google import Google, google
from tests.e2e.harness import CLI, Answer, Service, environment, free_port, later, run, serving, until
from tests.postgres_server import Server, become, initialise, reachable, roomy_folder, running, unprivileged_user
from tests.programs import need

pytestmark = pytest.mark.postgres

CONNECTIONS = 16
OF_OURS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'smart-sync'"
AWAY = {"database_unreachable", "database_busy"}


class Restartable:
    """A PostgreSQL of a test's own that can be stopped and started again over the same files."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o755)
        data = folder / "data"
        data.mkdir(0o700)
        self._identity = become(unprivileged_user(), data)
        self._binaries = reachable(Path(need("postgres")), folder, self._identity)
        initialise(self._binaries, data, self._identity)
        with (data / "postgresql.conf").open("a", encoding="ascii") as config:
            config.write(f"\nmax_connections = {CONNECTIONS}\n")
        self.server = Server(data)
        self._up = ExitStack()

    def start(self) -> None:
        self._up.enter_context(running(self._binaries, self.server.folder, self._identity))

    def stop(self) -> None:
        """As `systemctl restart` does: whoever is connected is cut off."""
        self._up.close()

    def crash(self) -> None:
        """All at once, as when the machine has no memory left: it has to recover when it starts."""
        pid = int((self.server.folder / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        self._up.close()

    def rows(self, sql: str) -> list[Any]:
        with psycopg.connect(self.server.url("served"), autocommit=True) as connection:
            return connection.execute(sql.encode()).fetchall()


@pytest.fixture(scope="module")
def postgres_of_ours(processes: None) -> Iterator[Restartable]:
    with tempfile.TemporaryDirectory(prefix="pg-", dir=roomy_folder(), ignore_cleanup_errors=True) as folder:
        found = Restartable(Path(folder))
        found.start()
        found.server.execute("CREATE DATABASE served")
        # As every server is set up that is not a test's: what it says is done survives its crash.
        found.server.execute("ALTER DATABASE served SET synchronous_commit = on")
        yield found
        found.stop()
        shutil.rmtree(found.server.folder)


@pytest.fixture(scope="module")
def book() -> Iterator[Google]:
    with google() as opened:
        opened.tab("Project A", 20, 100)
        yield opened


@pytest.fixture(scope="module")
def service(postgres_of_ours: Restartable, book: Google, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    env = {"DATABASE_URL": postgres_of_ours.server.url("served"), "SMART_SYNC_LEASE_SECONDS": "2"}
    with serving(tmp_path_factory.mktemp("served") / "s", book, workers=2, env=env) as service:
        assert service.sync().status == 200
        yield service


def refused(answer: Answer) -> str:
    """The code of an answer that says come again; nothing else is acceptable of one that is none."""
    assert answer.status == 503, answer
    assert answer.headers["Retry-After"].isdigit()
    return str(answer.json["code"])


def followers(service: Service) -> set[int]:
    (project,) = service.get("/api/projects").json["projects"]
    accounts = service.get(f"/api/projects/{project['id']}/accounts?limit=50").json["accounts"]
    assert len(accounts) == 20
    return {account["followers"] for account in accounts}


def synced(service: Service, *, patient: bool = False) -> Any:
    """A sync that went well; patient: what is dead has to be taken over first."""

    def once() -> Any:
        answer = service.sync()
        well = answer.status == 200 and answer.json["success_count"] == 1
        assert well or patient, answer
        return answer.json if well else None

    return until(once)


@contextmanager
def away(postgres: Restartable, *, crash: bool = False) -> Iterator[None]:
    if crash:
        postgres.crash()
    else:
        postgres.stop()
    try:
        yield
    finally:
        postgres.start()


@pytest.mark.parametrize("crash", [False, True], ids=["restarted", "crashed"])
def test_while_it_is_away_everything_says_come_again_and_then_all_is_well(
    service: Service, postgres_of_ours: Restartable, book: Google, crash: bool
) -> None:
    book.tab("Project A", 20, 201 + crash)
    synced(service)
    with away(postgres_of_ours, crash=crash):
        codes = {refused(service.get(path)) for path in ("/api/projects", "/api/totals", "/api/admin/sync_status")}
        codes |= {refused(service.sync()) for _ in range(3)}
        alive, ready = service.get("/health", token=None), service.get("/ready", token=None)

    assert codes <= AWAY
    assert (alive.status, ready.status) == (200, 503)
    until(service.ready)
    assert followers(service) == {201 + crash}
    book.tab("Project A", 20, 301 + crash)
    synced(service)
    assert followers(service) == {301 + crash}


def test_a_sync_over_which_it_restarts_loses_nothing_and_the_next_one_makes_up_for_it(
    service: Service, postgres_of_ours: Restartable, book: Google
) -> None:
    book.tab("Project A", 20, 400)
    with book.gate() as gate:
        waiting = service.sync_later()
        gate.wait()
        with away(postgres_of_ours):
            gate.open()
            answer = waiting.result()

    assert answer.status == 200 or answer.json.get("success") is False or refused(answer) in AWAY
    synced(service, patient=True)
    assert followers(service) == {400}
    assert postgres_of_ours.rows("SELECT 1 FROM sync_runs WHERE state IN ('queued', 'running')") == []


def test_sessions_that_are_ended_while_nothing_goes_on_are_not_noticed(
    service: Service, postgres_of_ours: Restartable
) -> None:
    for _ in range(5):
        assert service.get("/api/projects").status == 200
        postgres_of_ours.rows(OF_OURS)
        assert [service.get("/api/projects").status for _ in range(4)] == [200] * 4


def test_sessions_that_are_ended_all_the_time_lose_nothing(
    service: Service, postgres_of_ours: Restartable, book: Google
) -> None:
    stop, seen = threading.Event(), []

    def end_sessions() -> None:
        while not stop.wait(0.05):
            postgres_of_ours.rows(OF_OURS)

    def read() -> None:
        while not stop.is_set():
            answer = service.get("/api/projects")
            seen.append(200 if answer.status == 200 else refused(answer))

    others = [later(end_sessions), later(read), later(read)]
    told = 0
    for count in range(500, 512):
        book.tab("Project A", 20, count)
        answer = service.sync()
        told = count if answer.status == 200 and answer.json.get("success_count") == 1 else told
    stop.set()
    for other in others:
        other.result(60)

    assert Counter(seen)[200] > 10
    assert set(seen) - {200} <= AWAY
    assert followers(service) <= set(range(told, 512))  # what was said to be done is done
    synced(service, patient=True)
    assert followers(service) == {511}
    assert postgres_of_ours.rows("SELECT 1 FROM sync_runs WHERE state IN ('queued', 'running')") == []


def test_connections_that_are_used_up_are_said_and_not_waited_for(
    service: Service, postgres_of_ours: Restartable, book: Google
) -> None:
    before = followers(service)
    with ExitStack() as stack:
        postgres_of_ours.rows(OF_OURS)
        _take_all(postgres_of_ours, stack)
        codes = [refused(service.get("/api/projects")) for _ in range(4)] + [refused(service.sync()) for _ in range(2)]

    assert set(codes) == {"connections_used_up"}
    until(service.ready)
    assert followers(service) == before
    book.tab("Project A", 20, 600)
    synced(service)
    assert followers(service) == {600}


def _take_all(postgres: Restartable, stack: ExitStack) -> None:
    """Every connection the server has, those that the service lets go of too."""
    taken = 0
    while taken < CONNECTIONS:
        with suppress(psycopg.OperationalError):
            stack.enter_context(psycopg.connect(postgres.server.url("served"), autocommit=True))
            taken += 1


@pytest.mark.long
def test_a_service_that_is_up_before_it_makes_its_tables_when_it_comes(
    postgres_of_ours: Restartable, tmp_path: Path
) -> None:
    postgres_of_ours.server.execute("CREATE DATABASE early")
    env = {"DATABASE_URL": postgres_of_ours.server.url("early")}
    with ExitStack() as stack, google() as sheet:
        sheet.tab("Project A", 20, 100)
        with away(postgres_of_ours):
            early = stack.enter_context(serving(tmp_path / "s", sheet, env=env, ready="/health"))
            assert "started without the database" in early.log
            assert refused(early.get("/api/projects")) in AWAY

        until(early.ready)
        assert synced(early)["success"] is True
        assert followers(early) == {100}


def test_a_database_in_another_encoding_ends_the_start_in_words(postgres_of_ours: Restartable, tmp_path: Path) -> None:
    postgres_of_ours.server.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    env = environment(tmp_path, env={"DATABASE_URL": postgres_of_ours.server.url("latin"), "PORT": str(free_port())})

    ended = run(tmp_path, *CLI, env=env)

    assert ended.returncode != 0
    assert "has the encoding LATIN1" in ended.stdout
    assert "ENCODING 'UTF8' TEMPLATE template0" in ended.stdout
    assert "Traceback" not in ended.stdout
