"""Who may come in: tokens, how guessing them is slowed down, and sessions of people who came with one."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from webapp.clock import Clock

__all__ = ["COOKIE", "SESSION_S", "Gate", "Role", "Sessions", "Tokens", "same_origin"]

Role = Literal["read", "admin"]

TRIES = 10
WINDOW_S = 60.0
ADDRESSES = 1_000
COOKIE = "smart_sync_session"
SESSION_S = 12 * 60 * 60
LONGEST = 500
KINDS: tuple[Role, Role] = ("admin", "read")


@dataclass(frozen=True)
class Tokens:
    """The tokens that open routes; several of a kind while one is being changed for another.

    admin: open everything. read: open the routes that only read. public_reads: those need no token at all.
    """

    admin: Sequence[str] = field(repr=False)
    read: Sequence[str] = field(default=(), repr=False)
    public_reads: bool = False

    def opens(self, access: Literal["read", "admin"], given: str) -> bool:
        """Whether the token is one of that kind; takes the same time for every wrong one."""
        presented = hashlib.sha256(given.encode("utf-8", "surrogatepass")).digest()
        kept = self.admin if access == "admin" else self.read
        matches = [hmac.compare_digest(presented, hashlib.sha256(token.encode()).digest()) for token in kept if token]
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


class Sessions:
    """Signed cookies: nothing is kept, so every worker knows every session.

    The key of a session is made from the token it was opened with. Whoever takes a token away ends its sessions.
    """

    def __init__(self, tokens: Tokens, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock

    def open(self, token: str) -> str | None:
        """The cookie of a new session of 12 hours; None for a token that opens nothing."""
        for role in KINDS:
            if self._tokens.opens(role, token):
                said = f"{role}.{int(self._clock.now().timestamp()) + SESSION_S}.{secrets.token_urlsafe(9)}"
                return f"{said}.{_signature(token, said)}"
        return None

    def role(self, cookie: str) -> Role | None:
        """What the session may; None for one that has run out, or that we did not open."""
        said, _, signature = cookie.rpartition(".")
        role, _, rest = said.partition(".")
        for known in KINDS:
            if role == known and len(cookie) <= LONGEST and self._signed(known, said, signature):
                return known if int(rest.partition(".")[0]) > self._clock.now().timestamp() else None
        return None

    def _signed(self, role: Role, said: str, signature: str) -> bool:
        kept = self._tokens.admin if role == "admin" else self._tokens.read
        given = signature.encode("utf-8", "surrogatepass")
        matches = [hmac.compare_digest(_signature(token, said).encode(), given) for token in kept if token]
        return any(matches)


def _signature(token: str, said: str) -> str:
    key = hmac.digest(token.encode(), b"a session of the dashboard", "sha256")
    return urlsafe_b64encode(hmac.digest(key, said.encode("utf-8", "surrogatepass"), "sha256")).decode().rstrip("=")


def same_origin(host: str, fetch_site: str | None, origin: str | None) -> bool:
    """Whether a page of ours sent the request, by `Sec-Fetch-Site`, or by `Origin` where there is none.

    Browsers leave the former out over plain http. Without either nobody knows, and the answer is no.
    """
    if fetch_site is not None:
        return fetch_site == "same-origin"
    return origin is not None and origin != "null" and urlsplit(origin).netloc == host
