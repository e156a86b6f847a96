"""The service as an operator runs it: processes, sockets and signals."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from tests.e2e.google import BOOK_ID, Google

__all__ = [
    "CLI",
    "ROOT",
    "TOKEN",
    "Answer",
    "Service",
    "environment",
    "frozen",
    "later",
    "locked",
    "request",
    "run",
    "serving",
    "until",
]

T = TypeVar("T")

ROOT = Path(__file__).parents[2]
TOKEN = "the-admin-token-of-the-tests"
PATIENCE_S = 60.0
CLI = ("-m", "webapp.cli", "serve")
POOL = ThreadPoolExecutor(max_workers=100)


def later(what: Callable[[], T]) -> Future[T]:
    """The call, under way in a thread of its own."""
    return POOL.submit(what)


def until(what: Callable[[], T | None]) -> T:
    """What the call gives once it is true; it is asked again and again, for a minute at most."""
    ends = time.monotonic() + PATIENCE_S
    while not (found := what()):
        assert time.monotonic() < ends, "in vain"
        time.sleep(0.02)
    return found


@dataclass(frozen=True)
class Answer:
    """An HTTP answer with its JSON."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    json: Any


def request(method: str, url: str, *, token: str | None = TOKEN) -> Answer:
    """One request over a connection of its own, whatever the status of its answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, method=method, headers=headers), timeout=PATIENCE_S
        ) as response:
            return Answer(response.status, dict(response.headers), json.load(response))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers), json.load(error))


class Service:
    """A running server and all its processes, which are one process group."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, folder: Path) -> None:
        self.process = process
        self.url = url
        self.folder = folder

    # What callers do

    def get(self, path: str, *, token: str | None = TOKEN) -> Answer:
        return request("GET", self.url + path, token=token)

    def sync(self, *, token: str | None = TOKEN, **parameters: Any) -> Answer:
        """One trigger; `run_async` is `async`, which Python keeps for itself."""
        said = {name.removeprefix("run_"): str(value).lower() for name, value in parameters.items()}
        return request("POST", f"{self.url}/api/admin/smart_sync?{urlencode(said)}", token=token)

    def sync_later(self, **parameters: Any) -> Future[Answer]:
        """A trigger whose answer somebody waits for elsewhere."""
        return later(partial(self.sync, **parameters))

    def run(self, run_id: str) -> Any:
        return self.get(f"/api/admin/runs/{run_id}").json

    def ended(self, run_id: str) -> Any:
        """The run once it is over."""
        return until(lambda: (run := self.run(run_id)) if self.run(run_id)["finished_at"] else None)

    def ready(self, path: str = "/ready") -> bool:
        """Whether requests are answered, and the database with them."""
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log}")
        try:
            return self.get(path, token=None).status == 200
        except (OSError, http.client.HTTPException):
            return False

    # What the system does

    @property
    def log(self) -> str:
        """All it has printed so far."""
        return (self.folder / "server.log").read_text(encoding="utf-8")

    @property
    def workers(self) -> list[int]:
        """Process ids of all workers that were ever started, oldest first."""
        return [int(pid) for pid in re.findall(r"Booting worker with pid: (\d+)", self.log)]

    def signal(self, number: int) -> None:
        """To the master alone."""
        self.process.send_signal(number)

    def exit(self) -> int:
        """Its exit code, once all of it has ended."""
        return self.process.wait(PATIENCE_S)

    def kill(self) -> None:
        """End all of its processes at once, as a machine that is switched off does."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_S)

    # What the database says

    @property
    def database(self) -> Path:
        return self.folder / "data" / "smart_sync.db"

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """Rows of a query; single values where there is one column."""
        with closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute(sql, values).fetchall()
        return [row[0] if len(row) == 1 else row for row in found]

    def followers(self) -> dict[str, set[int]]:
        """Each project's numbers."""
        rows = self.rows("SELECT p.name, a.followers FROM accounts a JOIN projects p ON p.id = a.project_id")
        found: dict[str, set[int]] = {}
        for name, followers in rows:
            found.setdefault(name, set()).add(followers)
        return found

    def states(self) -> dict[str, str]:
        """{run id: state}."""
        return dict(self.rows("SELECT id, state FROM sync_runs"))

    def sound(self) -> bool:
        """Whether the file is whole and nothing in it is without its parent."""
        return self.rows("PRAGMA quick_check") == ["ok"] and self.rows("PRAGMA foreign_key_check") == []


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """The write lock of a database, in somebody else's hand."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=PATIENCE_S)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def frozen(service: Service) -> Iterator[None]:
    """The latest worker of a server stands still; not in the middle of a write, which would stop everybody else too."""
    pid = service.workers[-1]
    tasks = Path(f"/proc/{pid}/task")
    with locked(service.database):
        os.kill(pid, signal.SIGSTOP)
        until(lambda: all(") T " in (task / "stat").read_text() for task in tasks.iterdir()))
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def environment(folder: Path, sheet: Google | None = None, *, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment with nothing of the developer's own in it. env: what else is to be set; empty ones are not."""
    found = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    found |= {"PYTHONPATH": str(ROOT)}
    found |= {"SMART_SYNC_ADMIN_TOKEN": TOKEN, "SMART_SYNC_DATA_DIR": str(folder / "data")}
    found |= {"SMART_SYNC_PLATFORMS": "none"}  # nobody is asked beyond this machine
    if sheet is not None:
        found |= {
            "SMART_SYNC_SHEETS_API": sheet.url,
            "GOOGLE_API_KEY": "a-key-of-the-tests",
            "SMART_SYNC_SHEET": BOOK_ID,
        }
    return {name: value for name, value in {**found, **(env or {})}.items() if value}


def run(folder: Path, *program: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    return subprocess.run(
        [sys.executable, *program],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def serving(
    folder: Path,
    sheet: Google | None = None,
    *options: str,
    program: Sequence[str] = CLI,
    workers: int = 1,
    ready: str = "/ready",
    host: str = "127.0.0.1",
    env: Mapping[str, str] | None = None,
) -> Iterator[Service]:
    """A server that answers. Whatever it does meanwhile, nothing of it is left at the end.

    folder: holds its data and its log. options: of the command line. ready: what answers 200 when it is up.
    env: more variables of its environment.
    """
    folder.mkdir(exist_ok=True)
    port = free_port()
    own = {"PORT": str(port), "WEB_CONCURRENCY": str(workers)}
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *program, *options],
            cwd=folder,
            env=environment(folder, sheet, env={**own, **(env or {})}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    service = Service(process, f"http://{host}:{port}", folder)
    try:
        until(partial(service.ready, ready))
        yield service
    finally:
        service.kill()
