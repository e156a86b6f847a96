"""How the service is served: settings of gunicorn, as a module for `gunicorn -c python:webapp.server`.

Threads, because a reader must not wait behind a sync; two workers, because one that dies must not be all there is.
Nothing buffers slow clients here: a platform's own proxy, nginx or Caddy belongs in front of a public address.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from types import FrameType
from typing import Any

from gunicorn.app.base import BaseApplication

from webapp.app import create_app
from webapp.bootstrap import Parts
from webapp.store.migrate import ensure_migrated
from webapp.sync.background import Background

__all__ = ["Server", "options"]

GRACE_S = 30
LEAVE_S = 2.0  # of the grace, for answers to be sent and the process to end
THREADS = 8


def options(port: int, workers: int, host: str = "0.0.0.0") -> dict[str, Any]:  # noqa: S104  behind a platform's router
    """Settings of gunicorn by name."""
    return {
        "bind": f"{host}:{port}",
        "workers": workers,
        "worker_class": "gthread",
        "threads": THREADS,
        "preload_app": True,
        "timeout": 120,
        "graceful_timeout": GRACE_S,
        "keepalive": 5,
        "control_socket_disable": True,
        "worker_tmp_dir": "/dev/shm" if os.access("/dev/shm", os.W_OK) else None,  # noqa: S108
        "post_worker_init": post_worker_init,
        "worker_exit": worker_exit,
    }


def post_worker_init(worker: Any) -> None:
    """Let a running sync know of SIGTERM at once, so that it ends between two projects and its run is marked."""
    background = _background(worker)
    gunicorns = signal.getsignal(signal.SIGTERM)

    def on_term(number: int, frame: FrameType | None) -> None:
        background.stop.request(worker.cfg.graceful_timeout - LEAVE_S)
        if callable(gunicorns):
            gunicorns(number, frame)

    signal.signal(signal.SIGTERM, on_term)


def worker_exit(server: Any, worker: Any) -> None:
    """Wait for background work, which has been told to end."""
    del server
    background = _background(worker)
    background.shut_down(worker.cfg.graceful_timeout - LEAVE_S)


def _background(worker: Any) -> Background:
    app = worker.app.callable if worker.app.callable is not None else worker.wsgi
    part = app.extensions["smart_sync"][Background]
    assert isinstance(part, Background)  # noqa: S101  narrows the type
    return part


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn over parts that are made already: what `smart-sync serve` runs."""

    def __init__(self, parts: Parts, settings: Mapping[str, Any]) -> None:
        self._parts = parts
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._settings.items():
            if value is not None:
                self.cfg.set(name, value)
        self.cfg.set("on_starting", self._migrate)

    def _migrate(self, server: Any) -> None:
        """Once, before the workers are forked; its connections are closed before the fork."""
        del server
        ensure_migrated(self._parts.db)
        self._parts.db.close()

    def load(self) -> Any:
        return create_app(self._parts)
