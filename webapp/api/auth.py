"""Who may call what. Every route says its access; nothing is open unless it says `public`."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from flask import request

from webapp import web
from webapp.api.problems import Problem
from webapp.clock import Clock

__all__ = ["Access", "Gate", "Tokens", "check"]

Access = Literal["public", "admin"]

TRIES = 10
WINDOW_S = 60.0
ADDRESSES = 1_000


@dataclass(frozen=True)
class Tokens:
    """The tokens that open the admin routes; several while one is being changed for another."""

    admin: Sequence[str] = field(repr=False)

    def opens(self, given: str) -> bool:
        """Whether the token is one of ours; takes the same time for every wrong one."""
        presented = hashlib.sha256(given.encode("utf-8", "surrogatepass")).digest()
        matches = [
            hmac.compare_digest(presented, hashlib.sha256(token.encode()).digest()) for token in self.admin if token
        ]
        return any(matches)


class Gate:
    """Slows down whoever keeps guessing: ten wrong tokens a minute and address. Right tokens always pass."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wrong(self, address: str) -> float:
        """Note a wrong token; seconds to wait before the next one is looked at, 0 while there are tries left."""
        now = self._clock.monotonic()
        with self._lock:
            tries = [at for at in self._wrong.pop(address, []) if now - at < WINDOW_S]
            if len(tries) < TRIES:
                tries.append(now)
                wait = 0.0
            else:
                wait = WINDOW_S - (now - tries[0])
            self._wrong[address] = tries
            while len(self._wrong) > ADDRESSES:
                self._wrong.popitem(last=False)
            return wait


def check(access: Access) -> None:
    """Let the request pass, or not.

    Raises: Problem 401 without a valid token, 429 to an address that keeps sending wrong ones.
    """
    if access == "public" or web.get(Tokens).opens(_bearer()):
        return
    wait = web.get(Gate).wrong(request.remote_addr or "") if request.authorization else 0.0
    if wait > 0:
        raise Problem(
            429,
            "too_many_wrong_tokens",
            "too many wrong tokens from this address",
            headers={"Retry-After": f"{wait:.0f}"},
        )
    raise Problem(
        401,
        "unauthorized",
        "this needs the admin token in the header `Authorization: Bearer <token>`",
        hint="the token is SMART_SYNC_ADMIN_TOKEN, or the one printed at the first start; never put it into the URL",
        headers={"WWW-Authenticate": 'Bearer realm="smart-sync"'},
    )


def _bearer() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
