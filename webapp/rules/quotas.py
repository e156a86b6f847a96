"""Quotas of platforms: how many of a day's units may be used by now. Pure.

They are granted as the day goes on, an hour's worth ahead, so that a busy morning leaves some for the evening.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

AHEAD = 1 / 24


def quota_day(now: datetime, zone: str) -> date:
    """The day that units used now count for, on the platform's own clock."""
    return now.astimezone(ZoneInfo(zone)).date()


def day_ends(day: date, zone: str) -> datetime:
    """When the next day's units are granted."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)


def units_by(now: datetime, units: int, zone: str) -> int:
    """How many of the day's units may be used up by now, at least one."""
    day = quota_day(now, zone)
    begins, ends = day_ends(day - timedelta(days=1), zone), day_ends(day, zone)
    passed = (now - begins) / (ends - begins)
    return min(units, math.ceil(units * (passed + AHEAD)))


def pause_minutes(failures: int) -> int:
    """How long a platform that did not answer is left alone, after so many times in a row."""
    return min(5 * failures, 60)
