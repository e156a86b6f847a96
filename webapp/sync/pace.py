"""A turn for each call to Google, among all processes that share an account and a database."""

from __future__ import annotations

from random import uniform

from webapp.clock import Budget, Clock
from webapp.errors import OutOfTime, TransientSourceError
from webapp.store import google_calls
from webapp.store.db import Database

SLICE_S = 1.0  # how long a wait may overlook a shutdown
SPREAD_S = 0.5  # so that who waits does not come all at once


class SharedPace:
    """name: of the account. per_minute: calls that all may make together in a minute."""

    def __init__(self, db: Database, name: str, per_minute: int, clock: Clock) -> None:
        self._db = db
        self._name = name
        self._per_minute = per_minute
        self._clock = clock

    def __call__(self, budget: Budget) -> None:
        """Wait for the next turn, and take it.

        Raises: TransientSourceError where it would come after the budget's end, OutOfTime after that of a shutdown;
            StoreError.
        """
        while True:
            with self._db.write() as tx:
                wait_ms = google_calls.take(tx, self._name, self._per_minute)
            if wait_ms == 0:
                return
            wait_s = wait_ms / 1000 + uniform(0, SPREAD_S)  # noqa: S311  no secret
            if wait_s >= budget.left():
                words = f"the {self._per_minute} reads a minute that Google grants are used up for {wait_s:.0f} s"
                raise (OutOfTime if budget.stopped else TransientSourceError)(words, code="rate_limited")
            self._wait(wait_s, budget)

    def _wait(self, seconds: float, budget: Budget) -> None:
        while seconds > 0 and not (budget.used_up or budget.stopped):
            self._clock.sleep(min(seconds, SLICE_S))
            seconds -= SLICE_S
