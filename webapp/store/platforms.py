"""Platforms as they last answered, and the units of their quotas."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from webapp.store.backends.dialect import counted, insert_for
from webapp.store.tables import platform_states

PlatformHealth = Literal["ok", "degraded", "failed"]


@dataclass(frozen=True)
class PlatformState:
    """How reading a platform stands.

    since: when it came into this state. checked_at: when it was last asked; read_at: when it last said anything of an
    account. again_at: it is left alone until then. failures: attempts since it last answered. accounts: asked for when
    it was last read; unread: those that were not come to. quota_limit: units a day, None: it has no quota. quota_ends:
    when the next day's units are granted.
    """

    name: str
    platform: str | None
    state: PlatformHealth
    since: datetime | None
    code: str | None
    message: str | None
    checked_at: datetime | None
    read_at: datetime | None
    again_at: datetime | None
    failures: int
    accounts: int
    unread: int
    quota_day: date | None
    quota_used: int
    quota_limit: int | None
    quota_ends: datetime | None


_COLUMNS = [platform_states.c[name] for name in PlatformState.__dataclass_fields__]


def listed(tx: sa.Connection) -> list[PlatformState]:
    return [PlatformState(*row) for row in tx.execute(sa.select(*_COLUMNS).order_by(platform_states.c.name))]


def resting(tx: sa.Connection, now: datetime) -> set[str]:
    """Names of those that are left alone now."""
    return set(tx.execute(sa.select(platform_states.c.name).where(platform_states.c.again_at > now)).scalars())


def enlist(tx: sa.Connection, name: str, platform: str) -> None:
    """Have a row for it."""
    tx.execute(insert_for(tx, platform_states).values(name=name, platform=platform).on_conflict_do_nothing())


class UnitsOfDay(NamedTuple):
    """What a quota grants. until: so many units may be used of the day by now; limit: of the whole of it."""

    day: date
    ends: datetime
    until: int
    limit: int


def reserve(tx: sa.Connection, name: str, units: int, grant: UnitsOfDay) -> int:
    """Count units as used before they are; how many of those asked for are granted."""
    day, until = grant.day, grant.until
    mine = platform_states.c.name == name
    is_today = platform_states.c.quota_day == day
    used = sa.case((is_today, platform_states.c.quota_used), else_=0)
    granted = min(units, until - (tx.execute(sa.select(used).where(mine)).scalar() or 0))
    if granted <= 0:
        return 0
    values = {
        "quota_day": day,
        "quota_used": used + granted,
        "quota_limit": grant.limit,
        "quota_ends": grant.ends,
    }
    # Looked at once more where it is counted: another run may have counted meanwhile.
    taken = counted(tx, platform_states.update().where(mine, used + granted <= until).values(values))
    return granted if taken else 0


def give_back(tx: sa.Connection, name: str, day: date, units: int) -> None:
    """Units that were reserved and not used."""
    mine = (platform_states.c.name == name) & (platform_states.c.quota_day == day)
    tx.execute(platform_states.update().where(mine).values(quota_used=platform_states.c.quota_used - units))


def put(tx: sa.Connection, name: str, state: PlatformHealth, now: datetime, values: dict[str, Any]) -> None:
    """Keep how reading it went; `since` stays while its state does."""
    table = platform_states
    kept = sa.case(
        (table.c.state == state, sa.func.coalesce(table.c.since, now)), else_=sa.literal(now, table.c.since.type)
    )
    changed = {"state": state, "since": kept, "checked_at": now, **values}
    tx.execute(table.update().where(table.c.name == name).values(changed))


def forget_others(tx: sa.Connection, names: Collection[str]) -> None:
    """Keep nothing of those that are not read any more."""
    tx.execute(platform_states.delete().where(platform_states.c.name.not_in(names)))
