"""What reads answer, as structs. Counts are whole numbers; null is not observed, never zero."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from webapp.clock import iso
from webapp.model import UNKNOWN, Values
from webapp.rules.growth import DAY, Point, grown_since, total
from webapp.store.accounts import Account
from webapp.store.projects import Project as Head
from webapp.store.types import as_text

Time = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
DayText = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date"})]


class CountsShown(Struct):
    """The five metrics."""

    followers: int | None
    likes: int | None
    comments: int | None
    videos: int | None
    views: int | None


class Growth(Struct, rename={"since": "from", "until": "to"}):
    """What numbers grew by between two moments or days; a loss is negative, null has no baseline."""

    since: str
    until: str
    followers: int | None
    likes: int | None
    comments: int | None
    videos: int | None
    views: int | None


class GroupShown(Struct):
    """The current counts of some accounts together."""

    profiles: int
    followers: int | None
    likes: int | None
    comments: int | None
    videos: int | None
    views: int | None


class AccountShown(Struct):
    """One account with its current counts."""

    id: int
    project_id: str
    platform: str
    username: str | None
    profile_url: str
    topic: str | None
    owner: str | None
    status: Annotated[str | None, msgspec.Meta(description="the Status column as typed")]
    mode: Literal["auto", "manual", "off"]
    discovered: Literal["sheet", "api"]
    followers: int | None
    likes: int | None
    comments: int | None
    videos: int | None
    views: int | None
    changed_at: Annotated[Time | None, msgspec.Meta(description="the last time one of its counts changed")]
    added_at: Time | None
    removed_at: Annotated[Time | None, msgspec.Meta(description="null: it is in the project")]
    growth: Annotated[
        Growth | UnsetType | None, msgspec.Meta(description="only where it was asked for; null has no baseline")
    ] = UNSET


def account_shown(account: Account, growth: Growth | UnsetType | None = UNSET) -> AccountShown:
    return AccountShown(
        *account[:10],
        *account.counts,  # the columns of both stand in the same order
        as_text(account.changed_at),
        as_text(account.added_at),
        as_text(account.removed_at),
        growth,
    )


def group_shown(counts: list[Values]) -> GroupShown:
    return GroupShown(len(counts), *total(counts))


def growth_of(account: Account, points: list[Point], as_of: datetime | None) -> Values:
    """What an account grew by in the 24 hours up to `as_of`."""
    if as_of is None:
        return UNKNOWN
    return grown_since(as_of - DAY, Point(as_of, account.counts), points)


def growth_24h(head: Head, grown: list[Values]) -> Growth | None:
    """The growth of accounts together; None without any baseline."""
    as_of = head.as_of
    if as_of is None:
        return None
    return growth_between(str(iso(as_of - timedelta(hours=24))), str(iso(as_of)), total(grown))


def growth_between(since: str, until: str, counts: Values) -> Growth | None:
    return None if counts == UNKNOWN else Growth(since, until, *counts)
