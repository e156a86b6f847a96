"""Servers that are ended and started again, and calls of whoever does not mind."""

from __future__ import annotations

import http.client
import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from tests.e2e.google import Google
from tests.e2e.harness import TOKEN, Answer, Service, serving
from tests.soak.program import PROGRAM

__all__ = ["Server", "call"]

PATIENCE_S = 40.0
ADMIN = {"Authorization": f"Bearer {TOKEN}"}


def call(
    method: str, url: str | None, body: Any = None, headers: Mapping[str, str] = ADMIN, patience_s: float = PATIENCE_S
) -> Answer | None:
    """The answer with its JSON; None when there was none."""
    if url is None:
        return None
    data = None if body is None else json.dumps(body).encode()
    kind = {"Content-Type": "application/json"} if data else {}
    asked = urllib.request.Request(url, data, {**headers, **kind}, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=patience_s) as response:
            return Answer(response.status, dict(response.headers), json.load(response))
    except urllib.error.HTTPError as error:
        with error:
            return _refused(error)
    except (OSError, http.client.HTTPException, ValueError):
        return None


def _refused(error: urllib.error.HTTPError) -> Answer | None:
    try:
        return Answer(error.code, dict(error.headers), json.load(error))
    except (OSError, http.client.HTTPException, ValueError):
        return None


class Server:
    """One server over the shared database. `url` is None while it is down."""

    def __init__(self, folder: Path, sheet: Google, workers: int, env: Mapping[str, str]) -> None:
        self.folder = folder
        self._sheet = sheet
        self._workers = workers
        self._env = env
        self._stack = ExitStack()
        self.service: Service | None = None

    def start(self) -> None:
        if self.service is None:
            opened = serving(
                self.folder, self._sheet, program=PROGRAM, workers=self._workers, env=self._env, ready="/health"
            )
            self.service = self._stack.enter_context(opened)

    @property
    def url(self) -> str | None:
        service = self.service
        return None if service is None else service.url

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """All its processes at once."""
        self._leave()

    def stop(self) -> int | None:
        """Ask it to end; its exit code."""
        if self.service is None:
            return None
        self.service.signal(signal.SIGTERM)
        code = self.service.exit()
        self._leave()
        return code

    def _leave(self) -> None:
        self.service = None
        self._stack.close()

    def workers(self) -> list[int]:
        """Process ids of its workers. Asked of the system and not of the log: there a number may be another's by now."""
        if self.service is None:
            return []
        master = self.service.process.pid
        try:
            return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]
        except OSError:
            return []

    def signal_worker(self, number: int) -> int | None:
        """Signal one worker; its process id."""
        for pid in self.workers()[-1:]:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
                return pid
        return None
