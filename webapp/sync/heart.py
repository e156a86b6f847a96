"""The sign of life of a run: its heartbeat, its leases, its progress, written by a thread beside the work."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from webapp.errors import StoreError
from webapp.store import leases, runs
from webapp.store.db import Database

log = logging.getLogger("smart_sync")

PROGRESS_EVERY_S = 1.0


class Heart:
    """Renews everything a run holds until the run leaves the `with` block.

    progress: what to show of the run now; it is written when it has changed, at most once a second.
    """

    def __init__(self, db: Database, run_id: str, ttl_ms: int, progress: Callable[[], Mapping[str, Any]]) -> None:
        self._db = db
        self._run_id = run_id
        self._ttl_ms = ttl_ms
        self._progress = progress
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"heart-{run_id[:8]}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        every = min(PROGRESS_EVERY_S, self._ttl_ms / 4_000)
        beats_between = max(1, int(self._ttl_ms / 4_000 / every))
        shown: Mapping[str, Any] = {}
        quiet = 0
        while not self._ended.wait(every):
            quiet += 1
            progress = self._progress()
            if (progress != shown or quiet >= beats_between) and self._beat(progress):
                shown, quiet = progress, 0

    def _beat(self, progress: Mapping[str, Any]) -> bool:
        """Whether the sign was given. When not, the next try comes soon; the fence guards what is written meanwhile."""
        try:
            with self._db.write() as tx:
                if runs.beat(tx, self._run_id, progress):
                    leases.renew(tx, self._run_id, self._ttl_ms)
        except StoreError as error:
            log.warning("[SmartSync] a heartbeat was not written", extra={"run_id": self._run_id, "error": str(error)})
            return False
        return True
