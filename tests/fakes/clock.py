"""Time that only a test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from webapp.clock import Clock

__all__ = ["MONDAY", "FakeClock"]

MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


class FakeClock:
    """Stands still until it is put forward, but for a microsecond a look, so that what came later is later.

    Whoever sleeps puts it forward instead of waiting.
    """

    def __init__(self, now: datetime = MONDAY) -> None:
        self.now = now
        self.slept: list[float] = []
        self.clock = Clock(now=self._look, monotonic=self._elapsed, sleep=self._sleep)

    def _look(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now

    def _elapsed(self) -> float:
        return self.now.timestamp()

    def forward(self, **by: float) -> None:
        """Let time pass: `forward(days=1)`."""
        self.now += timedelta(**by)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.forward(seconds=seconds)
