"""Posts to addresses that somebody set: a ping, or a message to a webhook."""

from __future__ import annotations

from collections.abc import Mapping

from webapp.clock import Budget, Clock, Stop
from webapp.errors import SourceError
from webapp.sources.http import Fetched, Http, Limits

PING_S = 5.0
WEBHOOK_S = 20.0
WEBHOOK_LIMITS = Limits(connect_s=5.0, silence_s=10.0, call_s=15.0, body_bytes=0, attempts=1, wait_s=0.0)
PING_LIMITS = Limits(connect_s=2.0, silence_s=2.0, call_s=2.2, body_bytes=0, attempts=2, wait_s=1.0)


def post_ping(clock: Clock, url: str, body: bytes, *, public_only: bool) -> None:
    """Send a ping.

    Raises: SourceError when it did not get there within 5 s and two tries.
    """
    http = Http("the ping's target", clock, limits=PING_LIMITS, public_only=public_only)
    try:
        http.request(url, budget=Budget(PING_S, clock), read=_check, form=body)
    finally:
        http.session.close()


def _check(answer: Fetched) -> None:
    if not 200 <= answer.status < 300:  # noqa: PLR2004
        raise SourceError(f"the ping's target answered {answer.status}", code=f"status_{answer.status}")


def post_message(
    clock: Clock, stop: Stop, url: str, body: bytes, headers: Mapping[str, str], *, public_only: bool
) -> int:
    """The status that a webhook's address answers with.

    Raises: SourceError when no answer came in time; `Busy` with how long to wait.
    """
    http = Http("the webhook's address", clock, limits=WEBHOOK_LIMITS, public_only=public_only)
    try:
        return http.request(
            url, budget=Budget(WEBHOOK_S, clock, stop), read=_status, headers=lambda: headers, form=body
        )
    finally:
        http.close()


def _status(answer: Fetched) -> int:
    return answer.status
