"""One service behind one session.

Light to import: `transport` with requests, urllib3 and tenacity is loaded by the first request, since every start pays
for imports.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from webapp.clock import Budget, Clock, as_utc
from webapp.errors import SourceError, TransientSourceError
from webapp.sources.http.exchange import LIMITS, Busy, Fetched, Limits, date_of, too_many

if TYPE_CHECKING:
    import requests

T = TypeVar("T")

_RESETS = ("X-RateLimit-Reset", "X-Rate-Limit-Reset", "RateLimit-Reset")
_A_YEAR_S = 366 * 86_400
_TRY_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY}


class Http:
    """One service, asked through one session. Redirects are never followed, certificates always checked.

    name: what messages call the service. public_only: refuse private addresses; this ignores proxies of the
    environment, behind which the address could not be seen. calls: requests sent so far, each attempt counted.
    """

    def __init__(self, name: str, clock: Clock, *, limits: Limits = LIMITS, public_only: bool = False) -> None:
        self.name = name
        self.clock = clock
        self.limits = limits
        self.calls = 0
        self._public_only = public_only
        self._session: requests.Session | None = None

    @property
    def session(self) -> requests.Session:
        """The session behind, opened on first use; only `request` may use it."""
        from webapp.sources.http.transport import open_session  # noqa: PLC0415 - a sync needs it, a start does not

        if self._session is None:
            self._session = open_session(public_only=self._public_only)
        return self._session

    def close(self) -> None:
        """Close the connections behind; the next request opens new ones."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def request(
        self,
        url: str,
        *,
        budget: Budget,
        read: Callable[[Fetched], T],
        headers: Callable[[], Mapping[str, str]] = dict,
        form: bytes | None = None,
        doubt: Collection[int] = (),
    ) -> T:
        """What `read` makes of the answer, asked again while that can help and the budget lasts.

        url: with its query; secrets belong into headers, a query ends up in logs. form: posts it, else a GET.
        headers: called for every attempt. read: gets every answer that is not 408, 425, 429 or 5xx, redirects
        included; a TransientSourceError it raises (a garbled body, say) is tried again like a lost connection.
        doubt: statuses that are believed only when they come a second time.

        Raises: SourceError, TransientSourceError (`timeout`, `network`, `rate_limited`, `upstream_error`).
        """
        from webapp.sources.http import transport  # noqa: PLC0415 - as above

        doubted = set(doubt)
        last: TransientSourceError | None = None

        def attempt() -> T:
            nonlocal last
            self._check_time(budget, last)
            try:
                return self._judge(self._send(url, budget, headers(), form), read, doubted)
            except TransientSourceError as error:
                last = error
                raise

        return transport.persist(attempt, budget=budget, clock=self.clock, limits=self.limits)

    def _check_time(self, budget: Budget, last: TransientSourceError | None) -> None:
        if last is not None and (budget.used_up or budget.stopped):
            raise last
        if budget.used_up:
            raise TransientSourceError(f"There was no time left to ask {self.name}", code="timeout")

    def _send(self, url: str, budget: Budget, headers: Mapping[str, str], form: bytes | None) -> Fetched:
        from webapp.sources.http import transport  # noqa: PLC0415 - as above

        ends = self.clock.monotonic() + self.limits.call_s
        attempt = transport.Attempt(
            name=self.name,
            limits=self.limits,
            left=lambda: min(ends - self.clock.monotonic(), budget.left()),
            public_only=self._public_only,
        )
        self.calls += 1
        return transport.send(self.session, attempt, url, headers, form)

    def _judge(self, fetched: Fetched, read: Callable[[Fetched], T], doubted: set[int]) -> T:
        self._refuse_busy(fetched)
        try:
            return read(fetched)
        except TransientSourceError:
            raise
        except SourceError as error:
            if fetched.status not in doubted:
                raise
            doubted.discard(fetched.status)
            raise TransientSourceError(error.message, code=error.code, hint=error.hint) from error

    def _refuse_busy(self, fetched: Fetched) -> None:
        now = self.clock.now()
        wait_s = _retry_after(fetched.headers.get("Retry-After", ""), now)
        if fetched.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise too_many(self.name, _until_reset(fetched.headers, now) if wait_s is None else wait_s)
        if fetched.status >= HTTPStatus.INTERNAL_SERVER_ERROR or fetched.status in _TRY_LATER:
            raise Busy(f"{self.name} failed with status {fetched.status}", code="upstream_error", wait_s=wait_s)


def _until_reset(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until the window of a limit ends, as many services tell it who send no Retry-After.

    It is a time in ISO 8601 or in seconds since 1970, or seconds from now, which are fewer.
    """
    for name in _RESETS:
        text = headers.get(name, "").strip()
        try:
            then = (
                float(text) if text.isascii() and text.isdigit() else as_utc(datetime.fromisoformat(text)).timestamp()
            )
        except (ValueError, OverflowError):
            continue
        return max(0.0, then - now.timestamp() if then > _A_YEAR_S else then)
    return None


def _retry_after(text: str, now: datetime) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date; None when it holds neither."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text) if len(text) < len("1000000000") else math.inf
    then = date_of(text)
    return None if then is None else max(0.0, (then - now).total_seconds())
