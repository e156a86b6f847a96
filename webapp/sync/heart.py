"""The sign of life of a run: its heartbeat, its leases, its progress, written by a thread beside the work."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from webapp.clock import Budget
from webapp.errors import StoreError
from webapp.rules.outcomes import STALLED_S
from webapp.store import leases, runs
from webapp.store.db import Database

log = logging.getLogger("smart_sync")

PROGRESS_EVERY_S = 1.0
MARGIN_S = 60.0  # over the budget, to write what was read
SILENCE_S = 600.0  # without a look at the time: no project takes that long to be merged and written


class Heart:
    """Renews everything a run holds until the run leaves the `with` block, as long as it can be taken to be at work.

    A thread that beats beside work that hangs would keep everybody else out for ever. So it ends with the budget, and
    with a long silence, and the next trigger takes over.

    progress: what to show of the run now; it is written when it has changed, at most once a second.
    """

    def __init__(
        self,
        db: Database,
        run_id: str,
        ttl_ms: int,
        progress: Callable[[], Mapping[str, Any]],
        budget: Budget,
    ) -> None:
        self._db = db
        self._run_id = run_id
        self._ttl_ms = ttl_ms
        self._progress = progress
        self._budget = budget
        self._extra = {"run_id": run_id}
        self._given_up = False
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
        beats_between = max(1, int(min(self._ttl_ms / 1_000, STALLED_S) / 4 / every))
        shown: Mapping[str, Any] = {}
        quiet = 0
        while not self._ended.wait(every):
            quiet += 1
            progress = self._progress()
            if not self._is_at_work():
                continue
            if (progress != shown or quiet >= beats_between) and self._beat(progress):
                shown, quiet = progress, 0

    def _is_at_work(self) -> bool:
        """Also work that was silent may go on."""
        at_work = self._budget.over_s <= MARGIN_S and self._budget.silent_s <= SILENCE_S
        if not at_work and not self._given_up:
            silent = round(self._budget.silent_s)
            log.error(
                "[SmartSync] a run hangs, silent for %d s; the next trigger takes over", silent, extra=self._extra
            )
        self._given_up = not at_work
        return at_work

    def _beat(self, progress: Mapping[str, Any]) -> bool:
        """Whether the sign was given. When not, the next try comes soon; the fence guards what is written meanwhile."""
        try:
            with self._db.write() as tx:
                if runs.beat(tx, self._run_id, progress, self._budget.silent_s):
                    leases.renew(tx, self._run_id, self._ttl_ms)
        except StoreError as error:
            log.warning("[SmartSync] a heartbeat was not written", extra=self._extra | {"error": str(error)})
            return False
        return True
