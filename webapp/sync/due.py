"""When a project is due. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

__all__ = ["TOLERANCE", "next_sync"]

# A cron every 30 minutes does not come on the second: a tick this much early counts for its slot.
TOLERANCE = timedelta(seconds=30)


def next_sync(previous: datetime | None, interval_minutes: int, now: datetime) -> datetime:
    """The next slot after `now`, on the grid that `previous` belongs to, so that late ticks do not push it on.

    Missed slots are not made up for. A slot impossibly far ahead (the clock was wrong once) is not believed.
    """
    interval = timedelta(minutes=interval_minutes)
    if previous is None or previous - now > interval:
        return now + interval
    missed = (now + TOLERANCE - previous) // interval
    return previous + interval * max(missed + 1, 0)
