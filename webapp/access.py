"""Who may come in: tokens, how guessing them is slowed down, and sessions of people who came with one."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from webapp.clock import Clock

if TYPE_CHECKING:
    from itsdangerous import Signer

Role = Literal["read", "admin"]

TRIES = 10
WINDOW_S = 60.0
ADDRESSES = 1_000
COOKIE = "smart_sync_session"
SESSION_S = 12 * 60 * 60
COOKIE_FORM = re.compile(r"(?P<role>admin|read)\.(?P<ends>[0-9]{1,12})\.[A-Za-z0-9_-]{12}\.[A-Za-z0-9_-]{43}")
ROLES: tuple[Role, Role] = ("admin", "read")


@dataclass(frozen=True)
class Tokens:
    """The tokens that open routes; several of a kind while one is being changed for another.

    admin: open everything. read: open the routes that only read. public_reads: those need no token at all.
    """

    admin: Sequence[str] = field(repr=False)
    read: Sequence[str] = field(default=(), repr=False)
    public_reads: bool = False

    def of(self, role: Role) -> list[str]:
        """The tokens of one kind; an empty one opens nothing."""
        return [token for token in (self.admin if role == "admin" else self.read) if token]

    def opens(self, role: Role, given: str) -> bool:
        """Whether the token is one of that kind; takes the same time for every wrong one."""
        presented = hashlib.sha256(given.encode("utf-8", "surrogatepass")).digest()
        matches = [hmac.compare_digest(presented, hashlib.sha256(token.encode()).digest()) for token in self.of(role)]
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

    The key of a session is derived from the token it was opened with. Whoever takes a token away ends its sessions.
    """

    def __init__(self, tokens: Tokens, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock

    def open(self, token: str) -> str | None:
        """The cookie of a new session of 12 hours; None for a token that opens nothing."""
        for role in ROLES:
            if self._tokens.opens(role, token):
                ends = int(self._clock.now().timestamp()) + SESSION_S
                return _signer([token]).sign(f"{role}.{ends}.{secrets.token_urlsafe(9)}").decode()
        return None

    def role(self, cookie: str) -> Role | None:
        """What the session may; None for one that has run out, or that we did not open."""
        found = COOKIE_FORM.fullmatch(cookie)
        if found is None or int(found["ends"]) <= self._clock.now().timestamp():
            return None
        role: Role = "admin" if found["role"] == "admin" else "read"
        return role if _signer(self._tokens.of(role)).validate(cookie) else None


def _signer(tokens: Sequence[str]) -> Signer:
    """Signs with the last of the tokens and accepts what any of them signed."""
    from itsdangerous import Signer  # noqa: PLC0415 - a server has it loaded with Flask, a command does without

    return Signer(tokens, "a session of the dashboard", key_derivation="hmac", digest_method=hashlib.sha256)


def same_origin(host: str, fetch_site: str | None, origin: str | None) -> bool:
    """Whether a page of ours sent the request, by `Sec-Fetch-Site`, or by `Origin` where there is none.

    Browsers leave the former out over plain http. Without either nobody knows, and the answer is no.
    """
    if fetch_site is not None:
        return fetch_site == "same-origin"
    return origin is not None and origin != "null" and urlsplit(origin).netloc == host
