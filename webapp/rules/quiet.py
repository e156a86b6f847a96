"""Quiet hours: when people are not to be woken, on the clock of their zone. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo


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
