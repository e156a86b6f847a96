"""PostgreSQL behind PgBouncer in transaction mode, with the settings that Debian's package has."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.fakes.service import Service
from tests.postgres_server import Server, become, unprivileged_user
from tests.programs import need
from webapp.errors import StoreError
from webapp.store.db import open_database
from webapp.store.migrate import migrate

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("processes")]


class Pooler:
    """One PgBouncer that a test starts and stops, always on the same port."""

    def __init__(self, program: str, folder: Path, server: Server) -> None:
        self.program = program
        self.folder = folder
        self.identity = become(unprivileged_user(), folder)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        (folder / "users.txt").write_text('"postgres" ""\n', encoding="ascii")
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n* = host={server.folder}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\n"
            f"auth_type = trust\nauth_file = {folder}/users.txt\npool_mode = transaction\nunix_socket_dir =\n",
            encoding="ascii",
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        command = [self.program, "-q", str(self.folder / "pgbouncer.ini")]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, **self.identity) as process:
            try:
                self._wait()
                yield
            finally:
                os.kill(process.pid, signal.SIGTERM)

    def _wait(self) -> None:
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise TimeoutError("PgBouncer does not listen")

    def url(self, postgres_url: str) -> str:
        name = postgres_url.split("?", maxsplit=1)[0].rpartition("/")[2]
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"


@pytest.fixture
def pooler(postgres: Server, tmp_path: Path) -> Pooler:
    folder = postgres.folder.parent / f"pooler-{time.monotonic_ns()}"
    folder.mkdir()
    return Pooler(need("pgbouncer"), folder, postgres)


@pytest.mark.own_database
def test_a_new_database_is_made_and_synced_through_it(pooler: Pooler, postgres_url: str) -> None:
    with pooler.running():
        service = Service(pooler.url(postgres_url))
        service.sheet.rows("Project A", ["https://x.com/ann", 12])

        answers = list(ThreadPoolExecutor(4).map(lambda _: service.trigger().status_code, range(8)))

        assert set(answers) <= {200, 202}
        assert service.sync()["success_count"] == 1
        assert service.followers("https://x.com/ann") == 12
        service.close()


@pytest.mark.own_database
def test_migrations_run_through_it(pooler: Pooler, postgres: Server, postgres_url: str) -> None:
    name = postgres_url.split("?", maxsplit=1)[0].rpartition("/")[2]
    postgres.execute(f"CREATE DATABASE {name}_new")
    with pooler.running():
        db = open_database(pooler.url(postgres_url) + "_new")
        migrate(db)
        with db.read() as tx:
            assert tx.execute(sa.text("SELECT count(*) FROM projects")).scalar() == 0
        db.close()
    postgres.execute(f"DROP DATABASE {name}_new WITH (FORCE)")


def test_every_transaction_has_the_settings(pooler: Pooler, postgres_url: str) -> None:
    with pooler.running():
        db = open_database(pooler.url(postgres_url) + "?options=-c%20lock_timeout%3D1234%20-c%20work_mem=5MB")
        for open_ in (db.read, db.write, db.read):
            with open_() as tx:
                said = [
                    tx.execute(sa.text(f"SHOW {name}")).scalar()
                    for name in ("timezone", "lock_timeout", "statement_timeout", "work_mem", "application_name")
                ]
            assert said == ["UTC", "1234ms", "1min", "5MB", "smart-sync"]
        db.close()


def test_a_pooler_that_restarts_is_away_for_that_long(pooler: Pooler, postgres_url: str) -> None:
    db = open_database(pooler.url(postgres_url))
    with pooler.running(), db.read() as tx:
        tx.execute(sa.text("SELECT 1"))

    with pytest.raises(StoreError) as caught, db.read() as tx:
        tx.execute(sa.text("SELECT 1"))

    assert caught.value.code == "database_unreachable"
    with pooler.running(), db.read() as tx:
        assert tx.execute(sa.text("SELECT 1")).scalar() == 1
    db.close()
