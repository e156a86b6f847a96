"""Platforms that Smart Sync reads itself: what a reader is given, and what it gives. One file each, blind to the others.

A platform is a file with a `PLATFORM` and a line in `webapp/platforms.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, Protocol

from webapp.clock import Budget, Clock
from webapp.errors import SourceError
from webapp.model import NOTHING, Counts, Metric
from webapp.setting import Setting


class Wanted(NamedTuple):
    """A profile to be read.

    key: its url_key. username: the handle as its address shows it, without @; None where it shows an id only.
    platform_id: the platform's own id of it, as an earlier answer gave it. code: why it could not be read last.
    """

    key: str
    username: str | None
    platform_id: str | None = None
    code: str | None = None


class ProfileReading(NamedTuple):
    """What a platform says of one profile.

    counts: None for a metric it does not give or hides. platform_id: its own id of the profile, which stays when the
    handle changes. handle: the name that it has now. urls: addresses that mean the same profile. unread: why there are
    no counts, such as `gone` or `private`; what was read before stands.
    """

    key: str
    counts: Counts = NOTHING
    platform_id: str | None = None
    handle: str | None = None
    urls: tuple[str, ...] = ()
    unread: SourceError | None = None


@dataclass
class ReadBudget(Budget):
    """What a reader may use: time, and units of the platform's quota.

    spend: called with the units that a call costs, before it is made. Raises: QuotaUsedUp. afford: how many of so many
    units there are now, but one at least; for calls that may be made smaller.
    """

    spend: Callable[[int], None] = field(default=lambda _: None, kw_only=True)
    afford: Callable[[int], int] = field(default=lambda units: units, kw_only=True)


class QuotaUsedUp(SourceError):
    """There are no units left of a quota, by our own count or by what the platform says.

    until_tomorrow: the platform says so itself, whatever we have counted.
    """

    code = "quota_used_up"

    def __init__(self, message: str, *, until_tomorrow: bool = False) -> None:
        super().__init__(message)
        self.until_tomorrow = until_tomorrow


class Quota(NamedTuple):
    """Units that may be used each day. zone: where the platform's day begins."""

    units: int
    zone: str = "UTC"


class Reader(Protocol):
    """Reads profiles of one platform, in one run. per_call: profiles that one call asks for. quota None: calls are free."""

    @property
    def per_call(self) -> int: ...
    @property
    def quota(self) -> Quota | None: ...

    def read(self, accounts: Sequence[Wanted], budget: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        """What the platform says of each, as it comes in; what was yielded before an error counts.

        Raises: SourceError where the platform cannot be read at all.
        """
        ...

    def check(self, budget: ReadBudget) -> str:
        """Ask one cheap question. What the answer shows, in a few words. Raises: SourceError."""
        ...

    def close(self) -> None: ...


class Source(NamedTuple):
    """Something that can be read. name: the origin of its readings. platform: whose accounts it reads."""

    name: str
    platform: str
    open: Callable[[Clock], Reader]


@dataclass(frozen=True)
class Platform:
    """What a platform's file says of it.

    needs: settings without which it is not read. gives: its metrics. many: makes the sources, where there may be more
    or less than one.
    """

    name: str
    title: str
    settings: tuple[Setting, ...]
    gives: tuple[Metric, ...]
    open: Callable[[Mapping[str, Any], Clock], Reader]
    needs: tuple[str, ...] = ()
    many: Callable[[Mapping[str, Any]], Sequence[Source]] | None = None

    def missing(self, values: Mapping[str, Any]) -> list[str]:
        """Settings that it needs and that are not there."""
        return [name for name in self.needs if name not in values]

    def sources(self, values: Mapping[str, Any]) -> Sequence[Source]:
        """What can be read with these settings."""
        if self.missing(values):
            return []
        return self.many(values) if self.many else [Source(self.name, self.name, partial(self.open, values))]
