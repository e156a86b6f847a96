"""When a project is due. Pure: times are handed in, aware UTC.

A schedule has slots: every so many minutes from an anchor, or whenever a cron expression says so on the clock of a
zone. A sync that succeeds serves every slot up to its own time, and one that is less than TOLERANCE ahead; the next
sync belongs to the first slot after that. So late ticks push nothing on, slots that were missed are made up for once,
and two ticks for one slot are one sync. A sync that fails is tried again soon, then less and less often, and at the
next slot at the latest.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cronsim import CronSim, CronSimError

from webapp.errors import Invalid
from webapp.model import LONGEST_INTERVAL
from webapp.rules.words import every

# A cron every 30 minutes does not come on the second: a tick this much early counts for its slot.
TOLERANCE = timedelta(seconds=30)
MINUTE = timedelta(minutes=1)
FIELDS = 5
LONGEST_CRON = 100
LONGEST_ERROR = 500
A_MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
LOOK_AT = 400  # slots of an expression, within LOOK_AHEAD, to learn its longest pause from; more within LOOK_AT_ALL
LOOK_AHEAD = timedelta(days=400)
LOOK_AT_ALL = timedelta(days=8)


@dataclass(frozen=True)
class Schedule:
    """When a project is synced by itself.

    cron: an expression of five fields on the clock of `timezone`; None: every `interval_minutes`, whatever the zone.
    With a cron expression the interval only bounds how long a failed sync waits to be tried again.
    """

    interval_minutes: int
    cron: str | None = None
    timezone: str = "UTC"

    @property
    def words(self) -> str:
        if self.cron is not None:
            return f"at {self.cron} ({self.timezone})"
        return every(self.interval_minutes)


class Scheduled(Protocol):
    """What a schedule needs to know of a project. Times are aware UTC; None: never."""

    @property
    def id(self) -> str: ...
    @property
    def cron(self) -> str | None: ...
    @property
    def timezone(self) -> str | None: ...
    @property
    def interval_minutes(self) -> int | None: ...
    @property
    def next_sync_at(self) -> datetime | None: ...
    @property
    def anchor_at(self) -> datetime | None: ...
    @property
    def failures(self) -> int: ...


P = TypeVar("P", bound=Scheduled)


def schedule_of(project: Scheduled, default_minutes: int) -> Schedule:
    """The project's schedule; `default_minutes` where it has none of its own."""
    if project.cron is not None:
        return Schedule(default_minutes, project.cron, project.timezone or "UTC")
    return Schedule(project.interval_minutes or default_minutes)


# What a schedule may be


def check_zone(name: str) -> str:
    """The zone's name, if there is one.

    Raises: Invalid.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones is an OSError
        near = {known.lower(): known for known in available_timezones()}
        found = difflib.get_close_matches(name[:60].lower(), near, n=1)
        hint = f"did you mean {near[found[0]]}?" if found else "name it as in Europe/Berlin"
        words = f"{name[:60]!r} is no time zone"
        raise Invalid(words, field="timezone", code="invalid_parameter", hint=hint) from None
    return name


def check_interval(minutes: int) -> int:
    """The interval, if it is 1 minute to a year.

    Raises: Invalid.
    """
    if not 1 <= minutes <= LONGEST_INTERVAL:
        words = f"interval_minutes has to be 1 to {LONGEST_INTERVAL}"
        raise Invalid(words, field="interval_minutes", code="invalid_parameter")
    return minutes


def check_cron(expression: str, now: datetime) -> str:
    """The expression in single spaces, if it has a slot after `now`.

    Raises: Invalid.
    """
    fields = expression.split()
    cron = " ".join(fields)
    if len(fields) != FIELDS or len(cron) > LONGEST_CRON:
        raise _bad_cron(cron, "is not five fields: minute, hour, day of the month, month, day of the week")
    try:
        first = next(_slots(cron, "UTC", now), None)
    except CronSimError as error:
        raise _bad_cron(cron, f"cannot be understood: {str(error).replace('Bad ', 'wrong ')}") from None
    if first is None:
        raise _bad_cron(cron, "never comes")
    return cron


def _bad_cron(cron: str, words: str) -> Invalid:
    hint = "such as `30 2 * * *`, every day at 02:30"
    return Invalid(f"{cron[:LONGEST_CRON]!r} {words}", field="cron", code="invalid_parameter", hint=hint)


def cron_words(cron: str) -> str:
    """When an expression comes: `at 09:00 on Monday through Friday`. Itself where it cannot be understood."""
    try:
        words = CronSim(cron, A_MONDAY).explain()
    except CronSimError:
        return cron
    return words[:1].lower() + words[1:]


def longest_pause(cron: str) -> int:
    """Minutes between two slots of an expression, at most, as far as some months can tell: how old its numbers get."""
    longest, before = timedelta(), None
    for number, slot in enumerate(_slots(cron, "UTC", A_MONDAY)):
        longest = max(longest, slot - (before or A_MONDAY))
        before = slot
        if number and slot - A_MONDAY > (LOOK_AT_ALL if number > LOOK_AT else LOOK_AHEAD):
            break
    return max(1, longest // MINUTE)


# Slots


def slot_after(schedule: Schedule, anchor: datetime, now: datetime) -> datetime:
    """The first slot that a sync at `now` does not serve. anchor: any slot of an interval."""
    served = now + TOLERANCE
    slot = _cron_slot(schedule, served)
    if slot is not None:
        return slot
    interval = timedelta(minutes=schedule.interval_minutes)
    return anchor + interval * ((served - anchor) // interval + 1)


def _cron_slot(schedule: Schedule, after: datetime) -> datetime | None:
    """None without an expression, or with one that makes no sense any more: of a zone that was given up, say."""
    if schedule.cron is None:
        return None
    try:
        return next(_slots(schedule.cron, schedule.timezone, after), None)
    except (CronSimError, ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _slots(cron: str, timezone: str, after: datetime) -> Iterator[datetime]:
    """The slots after a moment.

    A fixed time of day comes once per local day: at the first of two, and as soon as there is one when it is missing.
    `*` and `*/n` in minutes or hours go by elapsed time.
    """
    for local in CronSim(cron, after.astimezone(ZoneInfo(timezone))):
        slot = local.astimezone(UTC)
        if slot > after:  # the first of two 02:30 is over when the second comes
            yield slot


# After a sync


def next_turn(
    project: Scheduled, default_minutes: int, started_at: datetime, now: datetime, error: str | None
) -> dict[str, Any]:
    """What a project's row says of its schedule after a sync at `now`.

    started_at: when its run started: the first slot there was, to the minute, for a project that has none yet.
    error: why the sheet could not be taken over; None when it was.
    """
    schedule = schedule_of(project, default_minutes)
    anchor = project.anchor_at or project.next_sync_at or _whole_minute(started_at)
    turn = slot_after(schedule, anchor, now)
    failures = 0 if error is None else project.failures + 1
    if failures:
        turn = min(turn, now + _patience(failures, schedule.interval_minutes))
    return {
        "next_sync_at": turn,
        "anchor_at": anchor,
        "failures": failures,
        "last_error": error and error[:LONGEST_ERROR],
    }


def _patience(failures: int, interval_minutes: int) -> timedelta:
    """How long to leave a project alone after so many failures in a row: not at all, then 2, 4, 8 ... minutes."""
    if failures == 1:
        return timedelta()
    return timedelta(minutes=min(2 ** min(failures - 1, 20), interval_minutes))


def _whole_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def reschedule(schedule: Schedule, synced_at: datetime | None, now: datetime) -> dict[str, Any]:
    """What a project's row says of a schedule that it was given at `now`.

    An interval counts from the last success, so a shorter one may be due at once; without a success it is.
    """
    if synced_at is None or synced_at > now:
        return {"next_sync_at": None, "anchor_at": None}
    anchor = _whole_minute(synced_at)
    turn = max(now, anchor + timedelta(minutes=schedule.interval_minutes))
    if schedule.cron is not None:
        turn = slot_after(schedule, anchor, now - TOLERANCE)
    return {"next_sync_at": turn, "anchor_at": anchor}


def overdue(turn: datetime | None, now: datetime) -> int:
    """Seconds since the first turn that nobody has served; 0 when there is none, or none has come yet."""
    return 0 if turn is None else max(0, int((now - turn).total_seconds()))


def is_long_overdue(late_s: int, stale_after_minutes: int) -> bool:
    """Whether somebody should look why nobody calls: one call may fail without an alarm."""
    return late_s > stale_after_minutes * 60


def simulate(
    planned: Sequence[P], default_minutes: int, start: datetime, *, ticks: int, every: timedelta
) -> Iterator[tuple[datetime, list[P]]]:
    """Who would be synced at which tick, if every sync succeeded: only the ticks with somebody due.

    planned: the projects with automatic sync. A `next_sync_at` of None is due at the first tick.
    """
    rows = [(project, project.next_sync_at) for project in planned]
    for number in range(ticks):
        tick = start + number * every
        due = [(project, turn) for project, turn in rows if turn is None or turn <= tick + TOLERANCE]
        if due:
            yield tick, [project for project, _ in due]
        turns = {project.id: next_turn(project, default_minutes, start, tick, None) for project, _ in due}
        rows = [(project, turns[project.id]["next_sync_at"] if project.id in turns else turn) for project, turn in rows]


# Between two calls


def pace_after(pace: float | None, gap: timedelta) -> float:
    """Seconds that usually lie between two calls, after one more: what is rare hardly slows it, what is frequent mends it.

    pace: so far; None: this is the first that is known.
    """
    seconds = max(0.0, gap.total_seconds())
    return seconds if pace is None else min(seconds, 2 * pace)


def is_unusual(pace: float | None, gap: timedelta) -> bool:
    """Whether nobody called for much longer than usual: a cron that calls by the hour is no outage by the hour."""
    return pace is not None and gap.total_seconds() > 2 * pace + TOLERANCE.total_seconds()
