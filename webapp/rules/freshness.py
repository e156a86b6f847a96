"""Fresh and stale: whether a project's numbers are young enough to leave alone, or too old to trust. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)


def patience(stale_after_minutes: int, interval_minutes: int | None) -> int:
    """Minutes after the last success from which a project is stale: twice its own interval where that is longer."""
    return max(stale_after_minutes, 2 * (interval_minutes or 0))


def is_stale(synced_at: datetime | None, stale_after_minutes: int, interval_minutes: int | None, now: datetime) -> bool:
    """Too old to trust; never synced is stale. interval_minutes: the project's own, None: the default."""
    limit = patience(stale_after_minutes, interval_minutes) * MINUTE
    return synced_at is None or now - synced_at > limit


def freshness(synced_at: datetime | None, min_interval_minutes: int, now: datetime) -> str | None:
    """Why a trigger comes too early for a project that asked to be left alone for a while; None: it does not."""
    least = min_interval_minutes * MINUTE
    if synced_at is None or not timedelta() <= now - synced_at < least:
        return None
    return f"fresh ({(now - synced_at) // MINUTE} of {min_interval_minutes} min)"
