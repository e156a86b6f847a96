"""The only place that asks for the time. Everything else is handed a `Clock`, a `now` or a `Budget`."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import overload


def utc_day(now: datetime) -> date:
    """The UTC day that keys the snapshots of a run started at `now` (aware)."""
    return now.astimezone(UTC).date()


@overload
def iso(moment: datetime) -> str: ...
@overload
def iso(moment: datetime | None) -> str | None: ...
def iso(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC with `Z` and microseconds; None stays None."""
    if moment is None:
        return None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def as_utc(moment: datetime) -> datetime:
    """An aware UTC time; a naive one is taken to be UTC already."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@dataclass(frozen=True)
class Clock:
    """Wall time, elapsed time and waiting, replaceable together in a test."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Stop:
    """A request to end work early, with the seconds that are left to do it in.

    Set once, by a signal or by the shutdown of the process; read by every budget made with it.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._at = math.inf

    def request(self, within_s: float = 0.0) -> None:
        """Ask for the end within so many seconds; a later, longer request does not extend an earlier one.

        Takes no lock: a signal handler calls this, maybe in the middle of another call.
        """
        self._at = min(self._at, self._monotonic() + within_s)

    @property
    def requested(self) -> bool:
        return self._at < math.inf

    def left(self) -> float:
        """Seconds until work has to be over; infinite while nobody asked."""
        return self._at - self._monotonic()


class Life:
    """When work last showed that it goes on; on the monotonic clock."""

    def __init__(self, now: float) -> None:
        self.seen_at = now


@dataclass
class Budget:
    """Seconds that one run may still take. `seconds=None` has no limit of its own.

    Whoever looks at it is at work: a run that hangs is one that nobody looks at the budget of. life: shared with its parts.
    """

    seconds: float | None = None
    clock: Clock = field(default_factory=Clock)
    stop: Stop | None = None
    life: Life | None = None

    def __post_init__(self) -> None:
        now = self.clock.monotonic()
        self._ends = math.inf if self.seconds is None else now + self.seconds
        self._life = self.life or Life(now)

    def note_life(self) -> None:
        """Show that work goes on, where it does not look at the time."""
        self._life.seen_at = self.clock.monotonic()

    @property
    def silent_s(self) -> float:
        """Seconds since work last showed that it goes on. To ask is no sign of it."""
        return max(0.0, self.clock.monotonic() - self._life.seen_at)

    @property
    def over_s(self) -> float:
        """Seconds since its own limit was passed; 0 before, and without one. To ask is no sign of work."""
        return max(0.0, self.clock.monotonic() - self._ends)

    def left(self) -> float:
        """Seconds left, never negative; `math.inf` without a limit."""
        self.note_life()
        stop = math.inf if self.stop is None else self.stop.left()
        return max(0.0, min(self._ends - self.clock.monotonic(), stop))

    def part(self, share: float) -> Budget:
        """A budget for one step, which leaves the rest of this one to the steps after it."""
        left = self.left()
        return self if math.isinf(left) else Budget(left * share, self.clock, self.stop, self._life)

    @property
    def used_up(self) -> bool:
        return self.left() <= 0.0

    @property
    def stopped(self) -> bool:
        """Whether a shutdown, not the run's own limit, is what ends it."""
        return self.stop is not None and self.stop.requested
