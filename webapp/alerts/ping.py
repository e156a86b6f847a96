"""Start, success and failure of runs, reported to a monitor that notices when nothing comes any more.

Healthchecks, or anything that is called the same way.
"""

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
# Reports the end of a run: what to call for (whether it went well, words), asked once the run is over.
End = Callable[[Callable[[], tuple[bool, str]]], None]


class Ping:
    """Reports runs to one monitor. Whatever goes wrong is logged, without the address, which is a secret.

    url: the check's address; empty: there is no monitor.
    """

    def __init__(self, url: str, send: Send) -> None:
        self._url = url
        self._send = send

    @property
    def on(self) -> bool:
        return bool(self._url)

    def begin(self, run_id: str, submit: Submit) -> End:
        """Report a run's start; what to call at its end. Both are submitted, and arrive in this order."""
        first = threading.Event()

        def report_start() -> None:
            self._report("/start", run_id, "")
            first.set()

        def end(outcome: Callable[[], tuple[bool, str]]) -> None:
            def report_end() -> None:
                first.wait(ORDER_S)
                well, words = outcome()
                self._report("" if well else "/fail", run_id, words)

            _try_submit(submit, report_end, f"ping-end-{run_id[:8]}")

        if not _try_submit(submit, report_start, f"ping-start-{run_id[:8]}"):
            first.set()
        return end

    def _report(self, what: str, run_id: str, words: str) -> None:
        body = words.encode("utf-8")[:BODY_BYTES]
        try:
            self._send(_address(self._url, what, run_id), body)
        except SmartSyncError as error:
            log.warning("[SmartSync] a ping was not sent", extra={"run_id": run_id, "code": error.code})


def _try_submit(submit: Submit, work: Callable[[], None], name: str) -> bool:
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
