"""Quiet hours: when people are not to be woken, on the clock of their zone. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

HOURS = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})(?:\s+(\S+))?")


class Quiet(NamedTuple):
    """From one time of day to another, which may be of the next day."""

    start: time
    end: time
    timezone: str = "UTC"

    def until(self, now: datetime) -> datetime:
        """When somebody may be told: now, or at the end of the quiet hours that it is in; aware UTC."""
        local = now.astimezone(ZoneInfo(self.timezone))
        for day in (local.date() - timedelta(days=1), local.date()):
            begin = datetime.combine(day, self.start, local.tzinfo)
            last = day if self.end > self.start else day + timedelta(days=1)
            end = datetime.combine(last, self.end, local.tzinfo)
            if begin <= local < end:
                return end.astimezone(UTC)
        return now


def parse_quiet(text: str) -> Quiet:
    """`22:00-07:00 Europe/Berlin`; UTC where no zone is named.

    Raises: ValueError.
    """
    words = f"{text!r} is not such as 22:00-07:00 Europe/Berlin"
    found = HOURS.fullmatch(text.strip())
    if found is None:
        raise ValueError(words)
    first, first_minute, last, last_minute = map(int, found.groups()[:4])
    try:
        quiet = Quiet(time(first, first_minute), time(last, last_minute), found[5] or "UTC")
        ZoneInfo(quiet.timezone)
    except (ValueError, ZoneInfoNotFoundError, OSError):
        raise ValueError(words) from None
    if quiet.start == quiet.end:
        raise ValueError(words)
    return quiet
