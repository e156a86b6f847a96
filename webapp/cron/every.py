"""How often a caller comes: durations and cron expressions, and how each kind of caller wants them written. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile
from typing import NamedTuple

from cronsim import CronSim, CronSimError

from webapp.errors import Invalid
from webapp.rules.due import check_cron
from webapp.rules.words import every as spoken

HOUR = 60
DAY = 24 * HOUR
UNITS = {"m": 1, "h": HOUR, "d": DAY}
WORDS = {"m": "minute", "h": "hour", "d": "day"}
LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
FIELD_NAMES = ("minute", "hour", "day of the month", "month", "weekday")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
WEEKDAY = 4
DURATION = re.compile(r"([1-9][0-9]{0,3})([mhd])")
LONE_STEP = re.compile("(?:^|,)[^*,/-]+/")  # `5/10`, which means 5 to some crons and 5-59/10 to others
LONGEST = 200  # characters; nobody means a longer schedule
ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)
COUNTED = 1000


class Fields(NamedTuple):
    """The times of a cron expression, each field as the sorted numbers it allows; weekdays from 0, a Sunday."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]

    def __str__(self) -> str:
        return " ".join(_write_field(values, *limits) for values, limits in zip(self, LIMITS, strict=True))


ALWAYS = Fields(*(tuple(range(low, high + 1)) for low, high in LIMITS))


@dataclass(frozen=True)
class Every:
    """How often a caller comes.

    minutes: of a plain duration; None for a cron expression. fields: None where no cron expression says it.
    """

    text: str
    minutes: int | None
    fields: Fields | None


def bad_every(words: str, hint: str) -> Invalid:
    return Invalid(f"--every: {words}", field="--every", code="bad_schedule", hint=hint)


# Reading


def parse_every(text: str) -> Every:
    """`5m`, `2h`, `24h`, or five cron fields.

    Raises: Invalid that quotes what cannot be read.
    """
    text = " ".join(text.split()).lower()
    duration = DURATION.fullmatch(text)
    if duration is None:
        fields = parse_fields(text)
        check_cron(text, ANY_TIME)  # there may be no such day
        return Every(text, None, fields)
    minutes = int(duration[1]) * UNITS[duration[2]]
    if minutes > DAY:
        raise bad_every(f"{text} is more than a day", "a cron expression such as '0 3 * * 1' says once a week")
    return Every(text, minutes, _fields_of(minutes))


def _fields_of(minutes: int) -> Fields | None:
    """The fields that come round every so many minutes, over midnight too; None when there are none."""
    if minutes < HOUR and HOUR % minutes == 0:
        return ALWAYS._replace(minutes=tuple(range(0, HOUR, minutes)))
    if minutes % HOUR == 0 and DAY % minutes == 0:
        return ALWAYS._replace(minutes=(0,), hours=tuple(range(0, 24, minutes // HOUR)))
    return None


def more_often(every: Every) -> str:
    """The longest duration that cron fields can say, below one that they cannot."""
    assert every.minutes is not None  # noqa: S101  what has no fields is a duration
    minutes = next(length for length in range(every.minutes, 0, -1) if _fields_of(length))
    return f"{minutes // HOUR}h" if minutes % HOUR == 0 else f"{minutes}m"


def parse_fields(text: str) -> Fields:
    """Five cron fields: `*`, numbers, names, ranges, lists and steps.

    Raises: Invalid.
    """
    parts = text.lower().split()
    if len(parts) != len(LIMITS) or len(text) > LONGEST:
        raise bad_every(f"{text[:80]!r} is neither a duration nor five cron fields", "say 5m, 1h, or '*/10 * * * *'")
    fields = Fields(*(_numbers(part, index) for index, part in enumerate(parts)))
    if fields.days != ALWAYS.days and fields.weekdays != ALWAYS.weekdays:
        # crontab takes either, others both, others refuse: no snippet would be right for all.
        raise bad_every(f"{text!r} limits both the day of the month and the weekday", "callers differ on it; limit one")
    return fields


def _numbers(text: str, index: int) -> tuple[int, ...]:
    """The numbers that one field allows, sorted."""
    alone = ["*"] * len(LIMITS)
    alone[index] = text
    try:
        cron = CronSim(" ".join(alone), ANY_TIME)
    except CronSimError:
        raise _bad_field(text, index) from None
    found = (cron.minutes, cron.hours, cron.days, cron.months, cron.weekdays)[index]
    numbers = [number for number in found if isinstance(number, int) and number >= 0]
    # The last day of a month or the second Monday is more than most callers know.
    if len(numbers) < len(found) or LONE_STEP.search(text):
        raise _bad_field(text, index)
    return tuple(sorted({number % len(WEEKDAYS) if index == WEEKDAY else number for number in numbers}))


def _bad_field(text: str, index: int) -> Invalid:
    low, high = LIMITS[index]
    words = f"{text[:20]!r} is no {FIELD_NAMES[index]} from {low} to {high}"
    return bad_every(words, "a field is *, numbers, a-b upwards, lists by comma, */n or a-b/n")


# Writing


def shift(every: Every, minutes: int) -> Fields | None:
    """The fields of a duration, some minutes past the full hour; a cron expression stays as its author wrote it."""
    if every.minutes is None or every.fields is None:
        return every.fields
    shift = minutes % min(every.minutes, HOUR)
    return every.fields._replace(minutes=tuple(minute + shift for minute in every.fields.minutes))


def shortest_gap(fields: Fields) -> int:
    """Minutes between the two calls of a day that are nearest to each other."""
    times = [hour * HOUR + minute for hour in fields.hours for minute in fields.minutes]
    return min(b - a for a, b in pairwise([*times, times[0] + DAY]))


def explain_pace(every: Every, interval_minutes: int) -> tuple[str, ...]:
    """What it means that a caller comes more or less often than projects are due; nothing when it does neither.

    interval_minutes: of projects that have no interval of their own.
    """
    gap = every.minutes if every.fields is None else shortest_gap(every.fields)
    assert gap is not None  # noqa: S101  what has no fields is a duration
    setting = f"{spoken(interval_minutes)} (SMART_SYNC_INTERVAL_MINUTES={interval_minutes})"
    remedy = f"set SMART_SYNC_INTERVAL_MINUTES={gap} for the service"
    if gap < interval_minutes:
        return (
            f"It comes {spoken(gap)}, more often than a project without an interval of its own is due:",
            f"{setting}. To have each call sync, {remedy}.",
        )
    if gap > interval_minutes:
        return (
            f"It comes {spoken(gap)}, less often than a project without an interval of its own is due:",
            f"{setting}. So that nobody is called stale between two calls, {remedy}.",
        )
    return ()


def _write_field(values: tuple[int, ...], low: int, high: int) -> str:
    """The shortest usual way to write one field."""
    if values == tuple(range(low, high + 1)):
        return "*"
    steps = {b - a for a, b in pairwise(values)}
    if len(steps) != 1:
        return ",".join(map(str, values))
    (step,) = steps
    if values == tuple(range(low, high + 1, step)) and (high + 1 - low) % step == 0:
        return f"*/{step}"
    if len(values) < 3:  # noqa: PLR2004  two numbers are a list
        return ",".join(map(str, values))
    return f"{values[0]}-{values[-1]}" + (f"/{step}" if step > 1 else "")


def calendar(fields: Fields) -> str:
    """systemd's OnCalendar, in the machine's own time zone as a crontab is."""
    minutes, hours, days, months, weekdays = _lists(fields, "02")
    prefix = "" if weekdays == "*" else f"{_names(fields.weekdays).title()} "
    return f"{prefix}*-{months}-{days} {hours}:{minutes}:00"


def expression(every: Every) -> str:
    """EventBridge's schedule: a rate, or six fields in UTC of which one of the two day fields is a question mark."""
    if every.minutes is not None:
        unit = next(unit for unit in ("d", "h", "m") if every.minutes % UNITS[unit] == 0)
        number = every.minutes // UNITS[unit]
        return f"rate({number} {WORDS[unit]}{'s' if number > 1 else ''})"
    assert every.fields is not None  # noqa: S101  a cron expression has fields
    minutes, hours, days, months, weekdays = _lists(every.fields)
    if weekdays == "*":
        return f"cron({minutes} {hours} {days} {months} ? *)"
    return f"cron({minutes} {hours} ? {months} {_names(every.fields.weekdays).upper()} *)"


def _lists(fields: Fields, form: str = "") -> list[str]:
    """Each field as a list of its numbers, `*` for all."""
    return [
        "*" if values == all_ else ",".join(f"{n:{form}}" for n in values)
        for values, all_ in zip(fields, ALWAYS, strict=True)
    ]


def _names(weekdays: Iterable[int]) -> str:
    return ",".join(WEEKDAYS[day] for day in weekdays)


def number_lists(fields: Fields) -> list[list[int]]:
    """Each field as its numbers, [-1] for all: the way of cron-job.org."""
    return [[-1] if values == all_ else list(values) for values, all_ in zip(fields, ALWAYS, strict=True)]


# Watching


class Missed(NamedTuple):
    """Calls that should have come after the last one that did: how many, and since when."""

    calls: int
    since: datetime | None


def calls_before(fields: Fields, moment: datetime) -> Iterator[datetime]:
    """The times of a schedule up to a local, naive moment, backwards."""
    try:
        return CronSim(str(fields), moment.replace(microsecond=0) + timedelta(seconds=1), reverse=True)
    except CronSimError:  # 30 February
        return iter(())


def missed_calls(fields: Fields, last: datetime, now: datetime) -> Missed:
    """What was missed between the last call and a minute ago; counted up to 1,000. Both times are local and naive."""
    after = takewhile(lambda time: time > last, calls_before(fields, now - timedelta(minutes=1)))
    times = list(islice(after, COUNTED))
    return Missed(len(times), times[-1] if times else None)
