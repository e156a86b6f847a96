"""What is said of platforms that are read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from webapp.rules.platforms import platform_words, units_left, units_used, unread_words


@dataclass(frozen=True)
class Platform:
    name: str
    state: str
    message: str | None = None
    accounts: int = 0


@dataclass(frozen=True)
class Quota:
    quota_limit: int | None
    quota_used: int
    quota_ends: datetime | None


@dataclass(frozen=True)
class Reason:
    code: str
    accounts: int
    message: str | None


def test_how_a_platform_stands() -> None:
    assert platform_words(Platform("youtube", "ok"), 0) == "youtube is ok"
    assert platform_words(Platform("x", "not_read_yet"), 0) == "x is not read yet"
    said = platform_words(Platform("youtube", "degraded", "YouTube did not answer in time", 120), 20)
    assert said == "youtube is degraded: YouTube did not answer in time; 20 of 120 accounts wait"


def test_units_are_of_the_day_that_they_were_used_on() -> None:
    ends = datetime(2026, 3, 3, 8, tzinfo=UTC)
    quota = Quota(100, 40, ends)

    assert (units_used(quota, ends - timedelta(seconds=1)), units_left(quota, ends - timedelta(seconds=1))) == (40, 60)
    assert (units_used(quota, ends), units_left(quota, ends)) == (0, 100)
    assert units_left(Quota(100, 140, None), ends) == 0
    assert units_left(Quota(None, 0, None), ends) is None


def test_why_accounts_are_unread_the_commonest_reason_first() -> None:
    assert unread_words("x", [Reason("gone", 1, "X knows none"), Reason("not_shown", 3, None)]) == [
        "x: 3 accounts unread, not shown: no reason was given",
        "x: 1 account unread, gone: X knows none",
    ]
