"""Who may come in: tokens, how guessing them is slowed down, and sessions of people who came with one."""

from __future__ import annotations

import hashlib
import hmac
import math
import mmap
import re
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from struct import Struct
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import urlsplit

from webapp.clock import Clock

if TYPE_CHECKING:
    from itsdangerous import Signer

Role = Literal["read", "admin"]

TRIES = 10
WINDOW_S = 60.0
SLOTS = 1_024
TIMES = Struct(f"{TRIES}d")  # when the last wrong tokens came, in seconds of the machine's steady clock
COOKIE = "smart_sync_session"
SESSION_S = 12 * 60 * 60
COOKIE_FORM = re.compile(r"(?P<role>admin|read)\.(?P<ends>[0-9]{1,12})\.(?P<id>[A-Za-z0-9_-]{12})\.[A-Za-z0-9_-]{43}")
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
        return self._matches(role, _digest(given))

    def role(self, given: str) -> Role | None:
        """What the token may at most; None for one that opens nothing."""
        presented = _digest(given)
        return next((role for role in ROLES if self._matches(role, presented)), None)

    def _matches(self, role: Role, presented: bytes) -> bool:
        matches = [hmac.compare_digest(presented, digest) for digest in self._digests[role]]
        return any(matches)

    @cached_property
    def _digests(self) -> Mapping[Role, Sequence[bytes]]:
        return {role: [_digest(token) for token in self.of(role)] for role in ROLES}


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def bearer(header: str) -> str:
    """The token in an `Authorization` header; empty when there is none."""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


class Gate:
    """Slows down whoever keeps guessing: ten wrong tokens a minute and address. Right tokens always pass.

    The memory is shared with the processes that are forked later, so all workers of a service count together. It is of
    one size: addresses fall into slots, by a key of this service's own.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(16)
        self._lock = threading.Lock()
        self._memory = mmap.mmap(-1, SLOTS * TIMES.size)
        for slot in range(SLOTS):
            TIMES.pack_into(self._memory, slot * TIMES.size, *[-math.inf] * TRIES)

    def wrong(self, address: str) -> float:
        """Note a wrong token; seconds to wait before the next one is looked at, 0 while there are tries left."""
        now = self._clock.monotonic()
        place = self._place(address)
        with self._lock:  # two processes that meet lose one try, nothing else
            first, *later = sorted(TIMES.unpack_from(self._memory, place))
            wait: float = WINDOW_S - (now - first)
            if wait > 0:
                return wait
            TIMES.pack_into(self._memory, place, *later, now)
            return 0.0

    def _place(self, address: str) -> int:
        digest = hashlib.blake2b(address.encode("utf-8", "surrogatepass"), key=self._key, digest_size=8).digest()
        return int.from_bytes(digest) % SLOTS * TIMES.size


class Session(NamedTuple):
    """What a cookie of ours says. ends: when it runs out by itself."""

    id: str
    role: Role
    ends: datetime


class Sessions:
    """Signed cookies: nothing is kept but which were ended early, so every worker knows every session.

    The key of a session is derived from the token it was opened with. Whoever takes a token away ends its sessions.
    """

    def __init__(self, tokens: Tokens, clock: Clock, is_ended: Callable[[str], bool] = lambda _: False) -> None:
        """is_ended: whether somebody signed out of a session."""
        self._tokens = tokens
        self._clock = clock
        self._is_ended = is_ended

    def open(self, token: str) -> str | None:
        """The cookie of a new session of 12 hours; None for a token that opens nothing."""
        role = self._tokens.role(token)
        if role is None:
            return None
        ends = int(self._clock.now().timestamp()) + SESSION_S
        return _signer([token]).sign(f"{role}.{ends}.{secrets.token_urlsafe(9)}").decode()

    def role(self, cookie: str) -> Role | None:
        """What the session may; None for one that has run out, was signed out of, or that we did not open."""
        session = self.of(cookie)
        return None if session is None or self._is_ended(session.id) else session.role

    def of(self, cookie: str) -> Session | None:
        """The session of a cookie; None for one that has run out, or that we did not open."""
        found = COOKIE_FORM.fullmatch(cookie)
        if found is None or int(found["ends"]) <= self._clock.now().timestamp():
            return None
        role: Role = "admin" if found["role"] == "admin" else "read"
        if not _signer(self._tokens.of(role)).validate(cookie):
            return None
        return Session(found["id"], role, datetime.fromtimestamp(int(found["ends"]), UTC))


def _signer(tokens: Sequence[str]) -> Signer:
    """Signs with the last of the tokens and accepts what any of them signed."""
    from itsdangerous import Signer  # noqa: PLC0415 - a server has it loaded with Flask, a command does without

    return Signer(tokens, "a session of the dashboard", key_derivation="hmac", digest_method=hashlib.sha256)


def same_origin(host: str, fetch_site: str | None, origin: str | None, *, encrypted: bool) -> bool:
    """Whether a page of ours sent the request, by `Sec-Fetch-Site`, or by `Origin` where there is none.

    Browsers leave the former out over plain http. Without either nobody knows, and the answer is no. encrypted: the
    request came over https; a page that came without is then none of ours, for anybody on the way could have made it.
    """
    if fetch_site is not None:
        return fetch_site == "same-origin"
    if origin is None or origin == "null":
        return False
    parts = urlsplit(origin)
    return parts.netloc == host and (parts.scheme == "https" or not encrypted)


def is_encrypted(secure: bool, forwarded: str | None) -> bool:
    """Whether a browser spoke https. forwarded: `X-Forwarded-Proto`, whose first word is of the proxy in front."""
    return secure or (forwarded or "").partition(",")[0].strip().lower() == "https"
