"""What goes into a request and what comes out of one: limits, an answer, and a busy service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from webapp.clock import as_utc
from webapp.errors import TransientSourceError


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may take, in seconds and bytes. The run's budget limits all of it further.

    silence_s: the longest pause of a server within an answer. call_s: one attempt from connecting to the last byte.
    body_bytes: the answer after gunzip; 0: it is not read, the status says all. wait_s: the longest Retry-After worth
    waiting for. split: what helps where an answer is larger.
    """

    connect_s: float = 5.0
    silence_s: float = 20.0
    call_s: float = 60.0
    body_bytes: int = 64 * 2**20
    attempts: int = 5
    wait_s: float = 120.0
    split: str | None = "split the tab into smaller ones"


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer read to its end and unpacked. `headers` are looked up whatever their case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        return self.status == HTTPStatus.OK

    @property
    def redirects(self) -> bool:
        return HTTPStatus.MULTIPLE_CHOICES <= self.status < HTTPStatus.BAD_REQUEST


class Busy(TransientSourceError):
    """The service asked to come back later, after `wait_s` seconds if it said so."""

    def __init__(self, message: str, *, code: str, wait_s: float | None) -> None:
        super().__init__(message, code=code)
        self.wait_s = wait_s


def too_many(name: str, wait_s: float | None = None) -> Busy:
    """The service refuses for a while, because it gets more requests than it grants us."""
    return Busy(f"{name} reports too many requests", code="rate_limited", wait_s=wait_s)


def date_of(text: str) -> datetime | None:
    """The moment that a header names, aware; None when it names none."""
    try:
        return as_utc(parsedate_to_datetime(text))
    except (ValueError, OverflowError):
        return None
