"""What is said of platforms that are read, everywhere in the same words. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol


class PlatformFacts(Protocol):
    """How reading a platform stands. accounts: asked for when it was last read."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def message(self) -> str | None: ...
    @property
    def accounts(self) -> int: ...


def platform_words(one: PlatformFacts, waiting: int) -> str:
    """waiting: accounts that were not come to."""
    words = f"{one.name} is {one.state.replace('_', ' ')}"
    if one.message:
        words += f": {one.message}"
    return f"{words}; {waiting} of {one.accounts} accounts wait" if waiting else words


class QuotaFacts(Protocol):
    """Units of a quota. quota_limit: a day, None: there is none. quota_ends: when the next day's are granted."""

    @property
    def quota_limit(self) -> int | None: ...
    @property
    def quota_used(self) -> int: ...
    @property
    def quota_ends(self) -> datetime | None: ...


def units_used(quota: QuotaFacts, now: datetime) -> int:
    """Of today's: none yet, where the day that they were used on is over."""
    return 0 if quota.quota_ends is not None and quota.quota_ends <= now else quota.quota_used


def units_left(quota: QuotaFacts, now: datetime) -> int | None:
    """None: there is no quota, or nothing is known of it yet."""
    return None if quota.quota_limit is None else max(0, quota.quota_limit - units_used(quota, now))


class UnreadFacts(Protocol):
    """Accounts that a platform could not be read for, for one reason. message: of one of them."""

    @property
    def code(self) -> str: ...
    @property
    def accounts(self) -> int: ...
    @property
    def message(self) -> str | None: ...


def unread_words(name: str, reasons: Iterable[UnreadFacts]) -> list[str]:
    """Why accounts are unread, the reason of most of them first."""
    ordered = sorted(reasons, key=lambda one: (-one.accounts, one.code))
    return [
        f"{name}: {one.accounts} account{'s' if one.accounts > 1 else ''} unread, "
        f"{one.code.replace('_', ' ')}: {one.message or 'no reason was given'}"
        for one in ordered
    ]
