"""gunicorn to the first 200, against Flask with SQLAlchemy Core alone, the two taking turns on one core.

Once as fast as the machine is, and once at a tenth of a core, where starts last long. There a sync follows in which
nothing has changed: what a call of a cron takes that wakes an instance. A database's server runs already and is not held
back; its CPU is counted. The bars are those of SQLite.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from bench.bars import FIRST_ANSWER_S, WOKEN_S, show
from bench.databases import KINDS, SQLITE, Kind, offered
from bench.google import BOOK, Google, Size, served
from bench.load import HOST, free_port
from bench.tenth import cpu_s, throttled

TOKEN = "bench-token-of-no-consequence"
SIZE = Size(10, 100)
FLOOR = ("--worker-class", "gthread", "--threads", "4", "--no-control-socket", "bench.floor_app:app")
OURS = ("-c", "python:webapp.server", "webapp.wsgi:app")
SYNC = "/api/admin/smart_sync?summary=true"
TENTHS = 3  # rounds at a tenth of a core, each of which takes half a minute


def measure(rounds: int, databases: Sequence[str] = KINDS) -> None:
    """Print medians."""
    cores = os.sched_getaffinity(0)
    with offered(databases) as kinds, tempfile.TemporaryDirectory() as folder, served(SIZE) as google:
        environs = {
            kind: _environ(google, kind.empty(Path(folder), "start"), Path(folder, kind.name)) for kind in kinds
        }
        for environ in environs.values():
            with started(OURS, environ, "/health") as server:  # makes the database, and what a sync finds unchanged
                _sync(server.port)
        print(f"start, {rounds} rounds")
        os.sched_setaffinity(0, {min(cores)})
        _show([_compare(environs) for _ in range(rounds)])
        os.sched_setaffinity(0, cores)
        print(f"start at a tenth of a core, {min(rounds, TENTHS)} rounds")
        woken: dict[Kind, list[float]] = {kind: [] for kind in kinds}
        _show([_compare(environs, throttled, woken) for _ in range(min(rounds, TENTHS))], FIRST_ANSWER_S)
        print(" with the sync of a woken instance")
        for kind, seconds in woken.items():
            _show_one(kind, statistics.median(seconds), "", WOKEN_S)


def _environ(google: Google, database: str, folder: Path) -> Mapping[str, str]:
    return {
        "DATABASE_URL": database,
        "SMART_SYNC_ADMIN_TOKEN": TOKEN,
        "SMART_SYNC_DATA_DIR": str(folder),
        "SMART_SYNC_SHEET": BOOK,
        "SMART_SYNC_SHEETS_API": google.url,
        "GOOGLE_CREDENTIALS": _service_account(google),
        "LOG_LEVEL": "ERROR",
    }


def _service_account(google: Google) -> str:
    """The key of one that only our Google knows, in base64."""
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()).decode()
    account = {"type": "service_account", "client_email": "bench@example.com", "private_key": pem}
    account |= {"private_key_id": "1", "project_id": "bench", "token_uri": f"{google.url}/token"}
    return base64.b64encode(json.dumps(account).encode()).decode()


Hold = Callable[[int], Any]


class Started(NamedTuple):
    """gunicorn: where it listens, its master, and the seconds and the CPU to its first answer."""

    port: int
    pid: int
    seconds: float
    cpu: float


@contextmanager
def started(
    options: Sequence[str], environ: Mapping[str, str], path: str, hold: Hold = nullcontext
) -> Iterator[Started]:
    """gunicorn, once it has answered. hold: holds the process back."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"{HOST}:{port}", "--log-level", "error", *options]
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, env={**os.environ, **environ}, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        with hold(process.pid):
            _wait_for(port, path)
            yield Started(port, process.pid, time.perf_counter() - begun, cpu_s(process.pid))
    finally:
        process.terminate()
        process.wait(60)


def _wait_for(port: int, path: str) -> None:
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        connection = http.client.HTTPConnection(HOST, port, timeout=60)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.005)
        finally:
            connection.close()
    raise RuntimeError(f"nothing answered on port {port}")


def _sync(port: int) -> None:
    connection = http.client.HTTPConnection(HOST, port, timeout=120)
    connection.request("POST", SYNC, headers={"Authorization": f"Bearer {TOKEN}"})
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    if not body["success"]:
        raise RuntimeError(f"the sync failed: {body}")


class Took(NamedTuple):
    """Seconds to the first answer, and of CPU."""

    seconds: float
    cpu: float


Round = Mapping[Kind | None, Took]  # None: the floor


def _compare(
    environs: Mapping[Kind, Mapping[str, str]],
    hold: Hold = nullcontext,
    woken: Mapping[Kind, list[float]] | None = None,
) -> Round:
    """A start of the floor, and of ours on each database. woken: takes the seconds until ours has also made a sync."""
    with started(FLOOR, {}, "/constant", hold) as server:
        taken: dict[Kind | None, Took] = {None: Took(server.seconds, server.cpu)}
    for kind, environ in environs.items():
        of_database = kind.cpu_s()
        with started(OURS, environ, "/health", hold) as server:
            taken[kind] = Took(server.seconds, server.cpu + kind.cpu_s() - of_database)
            if woken is not None:
                begun = time.perf_counter()
                _sync(server.port)
                woken[kind].append(server.seconds + time.perf_counter() - begun)
    return taken


def _show(rounds: Sequence[Round], bar: float | None = None) -> None:
    print(" first answer")
    floor, *others = (
        (kind, *(statistics.median(column) for column in zip(*(taken[kind] for taken in rounds), strict=True)))
        for kind in rounds[0]
    )
    show("floor", f"{floor[1]:6.2f} s   CPU {floor[2]:.2f} s")
    for kind, seconds, cpu in others:
        _show_one(kind, seconds, f"   CPU {cpu:.2f} s, {cpu / floor[2]:.2f} x the floor", bar)


def _show_one(kind: Kind | None, seconds: float, more: str, bar: float | None) -> None:
    met = seconds <= bar if bar is not None and kind is SQLITE else None
    show(kind.name if kind else "floor", f"{seconds:6.2f} s{more}", f"{bar:g} s" if bar else "", met=met)
