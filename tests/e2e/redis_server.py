"""A Redis of Debian, and workers of Celery, as an operator runs them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.google import Google
from tests.e2e.harness import environment, free_port, until
from tests.programs import need

__all__ = ["Worker", "celery_env", "certificate", "redis_server", "worker"]

PATIENCE_S = 30.0


@contextmanager
def redis_server(folder: Path, *options: str, scheme: str = "redis") -> Iterator[str]:
    """Its address; nothing of it is kept. options: more of its command line. scheme: `rediss`, for one with TLS alone."""
    port = free_port()
    listen = ["--port", str(port)] if scheme == "redis" else ["--port", "0", "--tls-port", str(port)]
    program = [need("redis-server"), *listen, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", *options]
    process = subprocess.Popen(program, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: _answers(port))
        yield f"{scheme}://localhost:{port}/0"
    finally:
        process.kill()
        process.wait(PATIENCE_S)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


def certificate(folder: Path, host: str) -> tuple[str, ...]:
    """Options of a Redis that shows a certificate for a host, which `{host}.pem` in the folder is the authority of."""
    key, pem = folder / f"{host}.key", folder / f"{host}.pem"
    whose = ["-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}"]
    made = [
        need("openssl"),
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        *whose,
        "-keyout",
        str(key),
        "-out",
        str(pem),
    ]
    subprocess.run(made, check=True, capture_output=True)
    files = ("--tls-cert-file", str(pem), "--tls-key-file", str(key), "--tls-ca-cert-file", str(pem))
    return (*files, "--tls-auth-clients", "no")


def celery_env(redis: str) -> dict[str, str]:
    return {"SMART_SYNC_MODE": "celery", "REDIS_URL": redis, "SMART_SYNC_LEASE_SECONDS": "1"}


class Worker:
    """A worker with its processes, which are one process group."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def ready(self) -> bool:
        assert self.process.poll() is None, self.log
        return " ready." in self.log

    @property
    def children(self) -> list[int]:
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in found]

    def kill(self) -> None:
        """As a machine that is switched off."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_S)

    def stop(self) -> int:
        """As an operator does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)


@contextmanager
def worker(
    folder: Path, sheet: Google | None, env: Mapping[str, str], *, name: str = "one", concurrency: int = 1
) -> Iterator[Worker]:
    """A worker that is ready; nothing of it is left at the end."""
    log = folder / f"worker-{name}.log"
    program = ["-m", "celery", "-A", "webapp.tasks", "worker", "-c", str(concurrency), "-n", f"{name}@%h", "-l", "INFO"]
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, *program],
            cwd=folder,
            env=environment(folder, sheet, env=env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    found = Worker(process, log)
    try:
        until(lambda: found.ready)
        yield found
    finally:
        found.kill()
