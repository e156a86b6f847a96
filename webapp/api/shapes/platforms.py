"""How reading the platforms stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Struct

from webapp.api.shapes.fields import Number, Time, says, zero_or_more
from webapp.clock import iso
from webapp.config import Settings
from webapp.platforms import PLATFORMS
from webapp.rules.platforms import units_left, units_used
from webapp.rules.sorting import group_by

if TYPE_CHECKING:
    from webapp.store.account_reads import UnreadAccounts
    from webapp.store.platforms import PlatformState


class QuotaStatus(Struct):
    """The units of a platform's quota, today."""

    limit: Number
    used: Number
    left: Number
    ends_at: Annotated[Time | None, says("when the next day's units are granted")]


class UnreadReason(Struct):
    """Accounts that could not be read, for one reason."""

    code: Annotated[str, says("`gone`, `suspended`, `no_preview`, `another_profile` ...")]
    accounts: Number
    message: Annotated[str | None, says("of one of them")]


class PlatformStatus(Struct):
    """How reading one platform stands."""

    name: Annotated[str, says("the origin of its readings")]
    platform: Annotated[str | None, says("whose accounts it reads")]
    state: Literal["ok", "degraded", "failed", "not_read_yet"]
    since: Time | None
    code: str | None
    message: Annotated[str | None, says("why it was not read to its end")]
    checked_at: Annotated[Time | None, says("when it was last asked")]
    last_success_at: Annotated[Time | None, says("when it last said anything of an account")]
    again_at: Annotated[Time | None, says("it is left alone until then")]
    accounts: Annotated[int, zero_or_more("asked for when it was last read")]
    waiting: Annotated[int, zero_or_more("those of them that were not come to")]
    quota: Annotated[QuotaStatus | None, says("null: it has none, or nothing of it was used yet")]
    unread: Annotated[list[UnreadReason], says("accounts that it could not be read for; their last reading stands")]


def platform_statuses(
    states: Sequence[PlatformState], unread: Iterable[UnreadAccounts], settings: Settings, now: datetime
) -> list[PlatformStatus]:
    """Of those that were read, then of those that are set and were not yet."""
    reasons = group_by(unread, lambda one: one.source)
    found = [_status(state, reasons.get(state.name, ()), now) for state in states]
    there = {state.name for state in states}
    waiting = [
        platform.name
        for platform in PLATFORMS
        if settings.reads(platform) and platform.is_set(settings.platforms) and not platform.many
    ]
    return found + [_not_read(name) for name in waiting if name not in there]


def unread_reasons(unread: Iterable[UnreadAccounts]) -> list[UnreadReason]:
    return [UnreadReason(one.code, one.accounts, one.message) for one in unread]


def _status(state: PlatformState, unread: Sequence[UnreadAccounts], now: datetime) -> PlatformStatus:
    resting = state.again_at is not None and state.again_at > now
    return PlatformStatus(
        name=state.name,
        platform=state.platform,
        state=state.state if state.checked_at else "not_read_yet",
        since=iso(state.since),
        code=state.code,
        message=state.message,
        checked_at=iso(state.checked_at),
        last_success_at=iso(state.read_at),
        again_at=iso(state.again_at) if resting else None,
        accounts=state.accounts,
        waiting=state.unread,
        quota=_quota(state, now),
        unread=unread_reasons(unread),
    )


def _quota(state: PlatformState, now: datetime) -> QuotaStatus | None:
    left = units_left(state, now)
    if state.quota_limit is None or left is None:
        return None
    ends = state.quota_ends if state.quota_ends is not None and state.quota_ends > now else None
    return QuotaStatus(state.quota_limit, units_used(state, now), left, iso(ends))


def _not_read(name: str) -> PlatformStatus:
    return PlatformStatus(name, name, "not_read_yet", None, None, None, None, None, None, 0, 0, None, [])
