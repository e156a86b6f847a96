"""Start, success and failure of runs, told to a monitor that notices when nothing comes any more (Healthchecks or alike)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

from webapp.errors import SmartSyncError

log = logging.getLogger("smart_sync")

BODY_BYTES = 1000
ORDER_S = 10.0  # longer than a ping may take

# Posts a body to an address. Raises: SmartSyncError when it did not get there.
Send = Callable[[str, bytes], None]
# Does work with a name, now or in a thread.
Submit = Callable[[Callable[[], None], str], None]
# Tells the end of a run: what to call for (whether it went well, words), asked once the run is over.
End = Callable[[Callable[[], tuple[bool, str]]], None]


class Ping:
    """Tells one monitor of runs. Whatever goes wrong with it is logged, without the address, which is a secret.

    url: the check's address; empty: nobody is told.
    """

    def __init__(self, url: str, send: Send) -> None:
        self._url = url
        self._send = send

    @property
    def on(self) -> bool:
        return bool(self._url)

    def begin(self, run_id: str, submit: Submit) -> End:
        """Tell of a run's start; what to call at its end. Both are submitted, and arrive in this order."""
        told = threading.Event()

        def start() -> None:
            self._tell("/start", run_id, "")
            told.set()

        def end(outcome: Callable[[], tuple[bool, str]]) -> None:
            def tell() -> None:
                told.wait(ORDER_S)
                well, words = outcome()
                self._tell("" if well else "/fail", run_id, words)

            _submitted(submit, tell, f"ping-end-{run_id[:8]}")

        if not _submitted(submit, start, f"ping-start-{run_id[:8]}"):
            told.set()
        return end

    def _tell(self, what: str, run_id: str, words: str) -> None:
        body = words.encode("utf-8")[:BODY_BYTES]
        try:
            self._send(_address(self._url, what, run_id), body)
        except SmartSyncError as error:
            log.warning("[SmartSync] a ping was not sent", extra={"run_id": run_id, "code": error.code})


def _submitted(submit: Submit, work: Callable[[], None], name: str) -> bool:
    try:
        submit(work, name)
    except RuntimeError as error:  # the system gives no more threads; the sync goes on without
        log.warning("[SmartSync] a ping was not sent", extra={"error": str(error)})
        return False
    return True


def _address(url: str, what: str, run_id: str) -> str:
    """The check's address for one event; `rid` lets the monitor pair a start with its end."""
    parts = urlsplit(url)
    query = "&".join(filter(None, [parts.query, f"rid={run_id}"]))
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + what, query=query))
