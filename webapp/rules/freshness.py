"""Fresh and stale: whether numbers are young enough to leave alone, or too old to trust. Pure.

Two kinds of numbers grow old by themselves: a project's, when its tab is no longer read; and the readings of a
program that has stopped, while the tab is read as ever. Each has its own limit.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

from webapp.rules.words import ago, utc

MINUTE = timedelta(minutes=1)
FROZEN = timedelta(days=7)  # readings that say the same for so long may be of a program that reads nothing new
FROZEN_SHARE = 0.8  # of a program's accounts, if they are not a few
FEW = 5


def patience(stale_after_minutes: int, interval_minutes: int | None) -> int:
    """Minutes after the last success from which a project is stale: twice its own interval where that is longer."""
    return max(stale_after_minutes, 2 * (interval_minutes or 0))


def is_stale(synced_at: datetime | None, stale_after_minutes: int, interval_minutes: int | None, now: datetime) -> bool:
    """Too old to trust; never synced is stale. interval_minutes: the project's own, None: the default."""
    limit = patience(stale_after_minutes, interval_minutes) * MINUTE
    return synced_at is None or now - synced_at > limit


class ProjectAge(Protocol):
    """What decides whether a project's numbers are too old. Times are aware UTC; None: never."""

    @property
    def status(self) -> str: ...
    @property
    def synced_at(self) -> datetime | None: ...
    @property
    def interval_minutes(self) -> int | None: ...


def is_project_stale(project: ProjectAge, stale_after_minutes: int, now: datetime) -> bool:
    """Whether a project's numbers are too old to trust; never so for a finished one, which is as it should be."""
    late = is_stale(project.synced_at, stale_after_minutes, project.interval_minutes, now)
    return late and project.status != "finished"


def freshness(synced_at: datetime | None, min_interval_minutes: int, now: datetime) -> str | None:
    """Why a trigger comes too early for a project that asked to be left alone for a while; None: it does not."""
    least = min_interval_minutes * MINUTE
    if synced_at is None or not timedelta() <= now - synced_at < least:
        return None
    return f"fresh ({(now - synced_at) // MINUTE} of {min_interval_minutes} min)"


def is_outage_long(
    away_since: datetime | None,
    synced_at: datetime | None,
    stale_after_minutes: int,
    interval_minutes: int | None,
    now: datetime,
) -> bool:
    """Whether a source has been away for so long that using what is stored of it is no success any more.

    So long as the numbers are not stale, or it has been away for less than that takes, it is. away_since: since the
    first attempt that met no answer; None: this is it.
    """
    long = away_since is not None and now - away_since > stale_after_minutes * MINUTE
    return long and is_stale(synced_at, stale_after_minutes, interval_minutes, now)


def outage_words(error: str, synced_at: datetime | None) -> str:
    """Why a project is not synced while its source is away for longer than can be put up with."""
    since = f"since {utc(synced_at)}" if synced_at is not None else "ever"
    return f"{error}; nothing of the sheet was read {since}"


def are_readings_stale(newest: datetime | None, stale_after_minutes: int, now: datetime) -> bool:
    """Whether the program that reads has stopped, as far as its newest reading can tell."""
    return newest is not None and now - newest > stale_after_minutes * MINUTE


class ProgramAge(Protocol):
    """The readings of one program. origin None: it gives no name. newest: aware UTC. frozen: accounts that say the same."""

    @property
    def origin(self) -> str | None: ...
    @property
    def accounts(self) -> int: ...
    @property
    def frozen(self) -> int: ...
    @property
    def newest(self) -> datetime: ...


def stale_readings(ages: Iterable[ProgramAge], stale_after_minutes: int, now: datetime) -> list[str]:
    """What is said of each program that has stopped or reads nothing new, in the order of `ages`, everywhere in the same
    words."""
    found = []
    for age in ages:
        whose = f"readings of {age.origin}" if age.origin else "readings of no named program"
        if are_readings_stale(age.newest, stale_after_minutes, now):
            found.append(f"{whose} are stale: the newest of {age.accounts} accounts came {ago(age.newest, now)}")
        elif are_readings_frozen(age):
            found.append(
                f"{whose} are frozen: {age.frozen} of {age.accounts} accounts say the same for {FROZEN.days} days"
            )
    return found


def are_readings_frozen(age: ProgramAge) -> bool:
    """Whether a program that reads gives the same numbers over and over for most of its accounts."""
    return age.accounts >= FEW and age.frozen >= FROZEN_SHARE * age.accounts
