"""From when on numbers are too old to trust, to the moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from webapp.rules.freshness import (
    are_readings_frozen,
    are_readings_stale,
    is_outage_long,
    is_project_stale,
    is_stale,
    outage_words,
    patience,
    stale_readings,
)

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Project:
    status: str
    synced_at: datetime | None
    interval_minutes: int | None = None


@dataclass(frozen=True)
class Program:
    origin: str | None
    accounts: int
    newest: datetime
    frozen: int = 0


@pytest.mark.parametrize(("interval", "minutes"), [(None, 90), (30, 90), (45, 90), (46, 92), (1440, 2880)])
def test_a_project_may_be_as_old_as_the_limit_or_twice_its_interval(interval: int | None, minutes: int) -> None:
    assert patience(90, interval) == minutes
    assert patience(1, interval) == max(1, 2 * (interval or 0))
    assert not is_stale(NOW - minutes * MINUTE, 90, interval, NOW)
    assert is_stale(NOW - minutes * MINUTE - MOMENT, 90, interval, NOW)


def test_what_was_never_synced_is_stale() -> None:
    assert is_stale(None, 90, None, NOW)


def test_a_finished_project_is_never_stale() -> None:
    old = NOW - 91 * MINUTE

    assert is_project_stale(Project("active", old), 90, NOW)
    assert is_project_stale(Project("paused", None), 90, NOW)
    assert not is_project_stale(Project("active", old, 60), 90, NOW)
    assert not is_project_stale(Project("finished", old), 90, NOW)


@pytest.mark.parametrize(
    ("away", "synced", "is_long"),
    [
        (91, 91, True),
        (90, 91, False),  # not away for longer than the limit
        (91, 90, False),  # the numbers are not stale
        (None, 91, False),
        (91, None, True),
    ],
)
def test_an_outage_is_long_once_it_and_the_numbers_are_older_than_the_limit(
    away: int | None, synced: int | None, is_long: bool
) -> None:
    since, last = (None if minutes is None else NOW - minutes * MINUTE for minutes in (away, synced))

    assert is_outage_long(since, last, 90, None, NOW) is is_long


def test_an_outage_says_since_when_nothing_was_read() -> None:
    assert outage_words("no answer", NOW) == "no answer; nothing of the sheet was read since 2 Mar 2026, 10:00 UTC"
    assert outage_words("no answer", None) == "no answer; nothing of the sheet was read ever"


def test_readings_are_stale_once_the_newest_is_older_than_the_limit() -> None:
    assert not are_readings_stale(None, 90, NOW)
    assert not are_readings_stale(NOW - 90 * MINUTE, 90, NOW)
    assert are_readings_stale(NOW - 90 * MINUTE - MOMENT, 90, NOW)


def test_a_program_is_frozen_that_says_the_same_of_most_of_its_accounts() -> None:
    assert are_readings_frozen(Program("bot", 5, NOW, frozen=4))
    assert not are_readings_frozen(Program("bot", 6, NOW, frozen=4))
    assert not are_readings_frozen(Program("bot", 4, NOW, frozen=4))  # of a few it may be so


def test_a_program_that_is_frozen_is_told_unless_it_has_stopped_altogether() -> None:
    programs = [Program("bot", 50, NOW, frozen=48), Program("old", 50, NOW - 180 * MINUTE, frozen=50)]

    assert stale_readings(programs, 90, NOW) == [
        "readings of bot are frozen: 48 of 50 accounts say the same for 7 days",
        "readings of old are stale: the newest of 50 accounts came 3 h ago",
    ]


def test_each_program_that_has_stopped_is_told_by_its_name() -> None:
    old = NOW - 180 * MINUTE
    programs = [Program("bot", 3, old), Program("other", 1, NOW), Program(None, 2, old)]

    assert stale_readings(programs, 90, NOW) == [
        "readings of bot are stale: the newest of 3 accounts came 3 h ago",
        "readings of no named program are stale: the newest of 2 accounts came 3 h ago",
    ]
