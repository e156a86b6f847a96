"""Sends what the outbox holds, after the commit, beside everything else: nobody who syncs or asks waits for it.

Each recipient has a thread of its own while something is to be sent, so that one that hangs holds up no other.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from random import uniform

from webapp.alerts.channels import Channel, LeaveAlone, Post
from webapp.alerts.channels.notify import Notify
from webapp.alerts.messages import Letter, Tried
from webapp.alerts.ping import Submit
from webapp.clock import Clock, Stop
from webapp.errors import SmartSyncError
from webapp.store import outbox
from webapp.store.db import Database
from webapp.store.outbox import Delivery

log = logging.getLogger("smart_sync")

# After each attempt that failed; three days in all. Whoever is not there by then hears of it no more.
WAITS_S = (5, 60, 300, 1800, 7200, 18_000, 36_000, 50_400, 64_800, 86_400)
CLAIM = timedelta(seconds=90)  # longer than a channel takes for one message
PATIENCE_S = 600.0  # for which a thread waits for the next attempt; what is due later is left to the next trigger
TRIAL_S = 30.0
SLICE_S = 0.5  # how long a wait may overlook a shutdown


class Postman:
    """channels: {recipient: how it is reached}. labels: what may be said of each. stop: of the process."""

    def __init__(
        self, db: Database, clock: Clock, stop: Stop, channels: Mapping[str, Channel], labels: Mapping[str, str]
    ) -> None:
        self._db = db
        self._clock = clock
        self._stop = stop
        self.channels = channels
        self._labels = labels
        self._lock = threading.Lock()
        self._at_work: dict[str, threading.Event] = {}

    def people(self) -> list[Notify]:
        """The addresses of Apprise."""
        return [one for one in self.channels.values() if isinstance(one, Notify)]

    def wake(self, submit: Submit, *, patient: bool = True) -> None:
        """See to it that what is due is sent. patient: wait for attempts that are due soon, too.

        Whatever goes wrong is logged: it waits in the outbox for the next trigger.
        """
        if not self.channels or self._stop.requested:
            return
        try:
            submit(lambda: self._look(submit, patient=patient), "messages")
        except RuntimeError as error:  # the system gives no more threads
            log.warning("[SmartSync] messages were not sent", extra={"error": str(error)})

    def try_out(self, sent: Sequence[Letter]) -> list[Tried]:
        """Send these now, all at the same time, past the outbox; what became of each in 30 seconds at most."""
        found: dict[str, str | None] = dict.fromkeys((one.recipient for one in sent), "it did not answer in time")

        def send(letter: Letter) -> None:
            found[letter.recipient] = self._try(letter)

        threads = [threading.Thread(target=send, args=(one,), name="messages-test", daemon=True) for one in sent]
        for thread in threads:
            thread.start()
        ends = self._clock.monotonic() + TRIAL_S
        for thread in threads:
            thread.join(max(0.0, ends - self._clock.monotonic()))
        return [Tried(name, self._labels[name], error) for name, error in list(found.items())]

    def _try(self, letter: Letter) -> str | None:
        """Why a message did not arrive; None: it did."""
        try:
            self.channels[letter.recipient].send(Post(letter.message_id, letter.event, letter.body))
        except SmartSyncError as error:
            return str(error)
        except Exception as error:
            log.exception("[SmartSync] a message was not sent", extra={"recipient": self._labels[letter.recipient]})
            return f"it failed with {type(error).__name__}"
        return None

    def _look(self, submit: Submit, *, patient: bool) -> None:
        with self._db.read() as tx:
            due = outbox.due(tx, self._clock.now(), list(self.channels))
        for recipient in sorted(due):
            if self._take(recipient):
                submit(lambda name=recipient: self._serve(name, patient=patient), f"messages-{recipient}")  # type: ignore[misc]

    def _take(self, recipient: str) -> bool:
        """Whether nobody serves the recipient yet; whoever does knows now that there is more."""
        with self._lock:
            taken = recipient not in self._at_work
            self._at_work.setdefault(recipient, threading.Event()).set()
            return taken

    def _serve(self, recipient: str, *, patient: bool) -> None:
        more = self._at_work[recipient]
        try:
            while not self._leave(recipient, more):
                more.clear()
                while not self._stop.requested and self._goes_on(recipient, more, patient=patient):
                    pass
        except BaseException:
            with self._lock:
                self._at_work.pop(recipient, None)
            raise

    def _goes_on(self, recipient: str, more: threading.Event, *, patient: bool) -> bool:
        """Send the next message, or wait for its time; whether there may be another. patient: as `wake` says."""
        arrived = self._send_next(recipient)
        if arrived is None:
            return patient and self._await_next(recipient, more)
        return arrived or patient

    def _leave(self, recipient: str, more: threading.Event) -> bool:
        """Whether there is no more, which is so from here on: whoever comes later serves the recipient anew."""
        with self._lock:
            if more.is_set() and not self._stop.requested:
                return False
            del self._at_work[recipient]
            return True

    def _await_next(self, recipient: str, more: threading.Event) -> bool:
        """Wait until something may be due; False when nothing will be soon."""
        with self._db.read() as tx:
            then = outbox.next_try_at(tx, recipient)
        wait_s = PATIENCE_S + 1 if then is None else (then - self._clock.now()).total_seconds()
        if wait_s > PATIENCE_S:
            return False
        ends = self._clock.monotonic() + wait_s
        while not self._stop.requested and (left := ends - self._clock.monotonic()) > 0:
            if more.wait(min(SLICE_S, left)):
                more.clear()
                break
        return True

    def _send_next(self, recipient: str) -> bool | None:
        """Send the next message that is due; whether it arrived. None: there is none."""
        now = self._clock.now()
        with self._db.write() as tx:
            delivery = outbox.claim(tx, recipient, now, now + CLAIM)
        if delivery is None:
            return None
        try:
            self.channels[recipient].send(Post(delivery.message_id, delivery.event, delivery.body))
        except LeaveAlone as error:
            self._refuse(delivery, error)
        except SmartSyncError as error:
            self._put_off(delivery, error)
        except Exception as error:  # a fault of a channel is no reason to send the same at once, again and again
            log.exception("[SmartSync] a message was not sent", extra={"recipient": self._labels[recipient]})
            self._put_off(delivery, SmartSyncError(f"it failed with {type(error).__name__}", code="internal_error"))
        else:
            with self._db.write() as tx:
                outbox.end(tx, delivery.id, "sent", self._clock.now())
            return True
        return False

    def _refuse(self, delivery: Delivery, error: LeaveAlone) -> None:
        with self._db.write() as tx:
            outbox.refuse(tx, delivery.recipient, error.message, self._clock.now())
        extra = {"recipient": self._labels[delivery.recipient]}
        log.error("[SmartSync] a recipient wants nothing more: %s", error, extra=extra)

    def _put_off(self, delivery: Delivery, error: SmartSyncError) -> None:
        now, again = self._clock.now(), _wait_s(delivery.attempts, getattr(error, "wait_s", None))
        with self._db.write() as tx:
            if again is None:
                outbox.end(tx, delivery.id, "failed", now, error.message)
            else:
                outbox.put_off(tx, delivery.id, now + timedelta(seconds=again), error.message)
        words = "was given up" if again is None else "was not sent; it will be tried again"
        extra = {"recipient": self._labels[delivery.recipient], "code": error.code, "attempts": delivery.attempts}
        log.log(logging.ERROR if again is None else logging.WARNING, "[SmartSync] a message %s", words, extra=extra)


def _wait_s(attempts: int, asked_s: float | None) -> float | None:
    """Seconds until the next attempt, a little different each time; None: there is none. asked_s: by the recipient."""
    if attempts > len(WAITS_S):
        return None
    return max(WAITS_S[attempts - 1] * uniform(0.9, 1.1), min(asked_s or 0.0, WAITS_S[-1]))  # noqa: S311  no secret
