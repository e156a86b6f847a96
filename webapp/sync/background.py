"""Work that outlives the request that asked for it: threads the process knows, and stops before it exits."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from webapp.clock import Stop
from webapp.errors import StoreError

log = logging.getLogger("smart_sync")


class Background:
    """Non-daemon threads with one stop flag. Their budgets are made with `stop`, so that they end in time."""

    def __init__(self, stop: Stop) -> None:
        self.stop = stop
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()

    def submit(self, work: Callable[[], None], name: str) -> None:
        """Begin the work in a thread of its own. Nobody waits for its errors, so they are logged.

        Raises: RuntimeError when the system gives no more threads.
        """

        def run() -> None:
            try:
                work()
            except StoreError as error:  # a state of the database, in words that say what to do
                log.error("[SmartSync] work in the background failed: %s", error, extra={"work": name})  # noqa: TRY400
            except Exception:
                log.exception("[SmartSync] work in the background failed", extra={"work": name})
            finally:
                with self._lock:
                    self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=run, name=name, daemon=False)
        with self._lock:  # held until it is listed: it may be done before that
            thread.start()
            self._threads.add(thread)

    def shut_down(self, within_s: float) -> bool:
        """Ask all work to end and wait for it; whether it did in time."""
        self.stop.request(within_s)
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(0.0, self.stop.left()))
        return not any(thread.is_alive() for thread in threads)
