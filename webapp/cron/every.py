"""How often a caller comes: durations and cron expressions, and how each kind of caller wants them written. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, pairwise, takewhile
from typing import NamedTuple

from webapp.errors import Invalid

__all__ = [
    "Every",
    "Fields",
    "Missed",
    "bad_every",
    "calendar",
    "expression",
    "fires_before",
    "missed",
    "number_lists",
    "parse_every",
    "parse_fields",
    "shifted",
    "shortest_gap",
]

HOUR = 60
DAY = 24 * HOUR
UNITS = {"m": 1, "h": HOUR, "d": DAY}
WORDS = {"m": "minute", "h": "hour", "d": "day"}
LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
FIELD_NAMES = ("minute", "hour", "day of the month", "month", "weekday")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
NUMBERS: tuple[Mapping[str, int], ...] = (
    {},
    {},
    {},
    {name: number for number, name in enumerate(MONTHS, 1)},
    {name: number for number, name in enumerate(WEEKDAYS)},
)
WEEKDAY = 4
DURATION = re.compile(r"([1-9][0-9]{0,3})([mhd])")
ITEM = re.compile(r"(?:\*|([0-9a-z]{1,3})(?:-([0-9a-z]{1,3}))?)(?:/([1-9][0-9]?))?")
LONGEST = 200  # characters; nobody means a longer schedule
YEARS_BACK = 5  # 29 February is a day too
COUNTED = 1000


class Fields(NamedTuple):
    """The times of a cron expression, each field as the sorted numbers it allows; weekdays from 0, a Sunday."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]

    def __str__(self) -> str:
        return " ".join(_written(values, *limits) for values, limits in zip(self, LIMITS, strict=True))


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

    Raises: Invalid with the words for what can not be understood.
    """
    text = " ".join(text.split()).lower()
    duration = DURATION.fullmatch(text)
    if duration is None:
        return Every(text, None, parse_fields(text))
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


def parse_fields(text: str) -> Fields:
    """Five cron fields: `*`, numbers, names, ranges, lists and steps.

    Raises: Invalid.
    """
    parts = text.lower().split()
    if len(parts) != len(LIMITS) or len(text) > LONGEST:
        raise bad_every(f"{text[:80]!r} is neither a duration nor five cron fields", "say 5m, 1h, or '*/10 * * * *'")
    fields = Fields(*(_parse_field(part, index) for index, part in enumerate(parts)))
    if fields.days != ALWAYS.days and fields.weekdays != ALWAYS.weekdays:
        # crontab takes either, others both, others refuse: no snippet would be right for all.
        raise bad_every(f"{text!r} limits both the day of the month and the weekday", "callers differ on it; limit one")
    return fields


def _parse_field(text: str, index: int) -> tuple[int, ...]:
    return tuple(sorted({value for item in text.split(",") for value in _parse_item(item, index)}))


def _parse_item(item: str, index: int) -> Sequence[int]:
    low, high = LIMITS[index]
    found = ITEM.fullmatch(item)
    first, last, step = found.groups() if found else (None, None, None)
    if found is None or (step and first and not last):
        raise _bad_item(item, index)
    begin = _number(first, index) if first else low
    end = _number(last or first, index) if first else high
    sunday = index == WEEKDAY and end == len(WEEKDAYS)  # its other number
    if begin is None or end is None or not low <= begin <= end <= high + sunday:
        raise _bad_item(item, index)
    values = range(begin, end + 1, int(step or 1))
    return [value % len(WEEKDAYS) for value in values] if index == WEEKDAY else values


def _number(text: str | None, index: int) -> int | None:
    if text is None:
        return None
    return int(text) if text.isdecimal() else NUMBERS[index].get(text)


def _bad_item(item: str, index: int) -> Invalid:
    low, high = LIMITS[index]
    words = f"{item[:20]!r} is no {FIELD_NAMES[index]} from {low} to {high}"
    return bad_every(words, "a field is *, numbers, a-b upwards, lists by comma, */n or a-b/n")


# Writing


def shifted(every: Every, minutes: int) -> Fields | None:
    """The fields of a duration, some minutes past the full hour; a cron expression stays as its author wrote it."""
    if every.minutes is None or every.fields is None:
        return every.fields
    shift = minutes % min(every.minutes, HOUR)
    return every.fields._replace(minutes=tuple(minute + shift for minute in every.fields.minutes))


def shortest_gap(fields: Fields) -> int:
    """Minutes between the two calls of a day that are nearest to each other."""
    times = [hour * HOUR + minute for hour in fields.hours for minute in fields.minutes]
    return min(b - a for a, b in pairwise([*times, times[0] + DAY]))


def _written(values: tuple[int, ...], low: int, high: int) -> str:
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
    names = ",".join(WEEKDAYS[day].capitalize() for day in fields.weekdays)
    weekdays = "" if fields.weekdays == ALWAYS.weekdays else f"{names} "
    lists = [
        "*" if values == all_ else ",".join(f"{n:02}" for n in values)
        for values, all_ in zip(fields, ALWAYS, strict=True)
    ]
    minutes, hours, days, months, _ = lists
    return f"{weekdays}*-{months}-{days} {hours}:{minutes}:00"


def expression(every: Every) -> str:
    """EventBridge's schedule: a rate, or six fields in UTC of which one of the two day fields is a question mark."""
    if every.minutes is not None:
        unit = next(unit for unit in ("d", "h", "m") if every.minutes % UNITS[unit] == 0)
        number = every.minutes // UNITS[unit]
        return f"rate({number} {WORDS[unit]}{'s' if number > 1 else ''})"
    assert every.fields is not None  # noqa: S101  a cron expression has fields
    lists = [
        "*" if values == all_ else ",".join(map(str, values)) for values, all_ in zip(every.fields, ALWAYS, strict=True)
    ]
    minutes, hours, days, months, _ = lists
    if every.fields.weekdays == ALWAYS.weekdays:
        return f"cron({minutes} {hours} {days} {months} ? *)"
    names = ",".join(WEEKDAYS[day].upper() for day in every.fields.weekdays)
    return f"cron({minutes} {hours} ? {months} {names} *)"


def number_lists(fields: Fields) -> list[list[int]]:
    """Each field as its numbers, [-1] for all: the way of cron-job.org."""
    return [[-1] if values == all_ else list(values) for values, all_ in zip(fields, ALWAYS, strict=True)]


# Watching


class Missed(NamedTuple):
    """Calls that should have come after the last one that did: how many, and since when."""

    calls: int
    since: datetime | None


def fires_before(fields: Fields, moment: datetime) -> Iterator[datetime]:
    """The times of a schedule up to a local, naive moment, backwards."""
    today = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    for back in range(YEARS_BACK * 366):
        day = today - timedelta(days=back)
        if day.day in fields.days and day.month in fields.months and day.isoweekday() % 7 in fields.weekdays:
            times = (day.replace(hour=h, minute=m) for h in reversed(fields.hours) for m in reversed(fields.minutes))
            yield from (time for time in times if time <= moment)


def missed(fields: Fields, last: datetime, now: datetime) -> Missed:
    """What was missed between the last call and a minute ago; counted up to 1,000. Both times are local and naive."""
    after = takewhile(lambda time: time > last, fires_before(fields, now - timedelta(minutes=1)))
    times = list(islice(after, COUNTED))
    return Missed(len(times), times[-1] if times else None)
