"""Numbers and times as people read them. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

UNKNOWN = "–"
MINUS = "−"
STEPS = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K"))
SPANS = (
    (timedelta(days=365), "year", "years"),
    (timedelta(days=30), "month", "months"),
    (timedelta(days=1), "d", "d"),
    (timedelta(hours=1), "h", "h"),
    (timedelta(minutes=1), "min", "min"),
)
SPELLED = {"d": "day", "h": "hour", "min": "minute"}
UNITS = ((1440, "day"), (60, "hour"), (1, "minute"))  # with their minutes
SMALL = 10_000
MINUTE_S = 60
BARE = re.compile(r"'[^']*'|(?<![\w.,:/#+-])\d{5,}(?![\w.,:/#-]*\w)")  # what is quoted, or a long number


def grouped(value: int | None) -> str:
    """18,450,200; a dash for what nobody observed."""
    return UNKNOWN if value is None else f"{value:,}".replace("-", MINUS)


def exact(value: int | None) -> str:
    return "not observed" if value is None else grouped(value)


def signed(value: int | None) -> str:
    """+1,204, −20, 0."""
    return f"+{value:,}" if value is not None and value > 0 else grouped(value)


def compact(value: int | None, *, sign: bool = False) -> str:
    """Three digits that tell the size: 18.5M. Small numbers stay whole. Rounded to the nearest, half away from zero."""
    if value is None:
        return UNKNOWN
    size = abs(value)
    if size < SMALL:
        return signed(value) if sign else grouped(value)
    # What would round up to 1,000 of a unit is one of the next: 999,950 is 1.00M.
    unit, letter = next(step for step in STEPS if 10_000 * size >= 9_995 * step[0])
    digits = (1_000 * size < 9_995 * unit) + (100 * size < 9_995 * unit)
    return _in_units(value, unit, letter, digits, sign=sign)


def on_axis(value: int, step: int, *, sign: bool = False) -> str:
    """One of the round numbers along an axis, exactly, with as many digits as its steps need: 104.0K in steps of 100."""
    if abs(value) < SMALL:
        return signed(value) if sign else grouped(value)
    unit, letter = next(one for one in STEPS if abs(value) >= one[0])
    digits = next(count for count in range(len(str(unit))) if step * 10**count % unit == 0)
    return _in_units(value, unit, letter, digits, sign=sign)


def _in_units(value: int, unit: int, letter: str, digits: int, *, sign: bool) -> str:
    """digits: behind the point."""
    mark = MINUS if value < 0 else ("+" if sign else "")
    whole, rest = divmod((2 * abs(value) * 10**digits + unit) // (2 * unit), 10**digits)
    return f"{mark}{whole:,}{f'.{rest:0{digits}d}' if digits else ''}{letter}"


def group_numbers(text: str) -> str:
    """The text with its long numbers grouped: 2993040 is 2,993,040. What it quotes stays as it is."""
    return BARE.sub(lambda found: found[0] if found[0].startswith("'") else f"{int(found[0]):,}", text)


def span(length: timedelta) -> str:
    """The largest unit of it: 28 min, 3 h, 2 d."""
    for unit, one, many in SPANS:
        if length >= unit:
            count = length // unit
            return f"{count} {one if count == 1 else many}"
    return "less than a minute"


def ago(moment: datetime | None, now: datetime) -> str:
    """`2 min ago`; `just now` within the minute, and for a clock that was ahead."""
    if moment is None:
        return "never"
    length = now - moment
    return "just now" if length < timedelta(minutes=1) else f"{span(length)} ago"


def ahead(moment: datetime, now: datetime, *, spelled: bool = False) -> str:
    """`in 28 min`, or `in 28 minutes` spelled out; `due now` when its time has come."""
    length = moment - now
    if length <= timedelta(0):
        return "due now"
    count, _, unit = span(length).partition(" ")
    if spelled and unit in SPELLED:
        return f"in {_many(int(count), SPELLED[unit])}"
    return f"in {count} {unit}"


def every(minutes: int) -> str:
    """`every 30 minutes`, `every 2 hours`, `every day`: in the largest unit that fits."""
    size, unit = next((size, unit) for size, unit in UNITS if minutes % size == 0)
    return f"every {unit}" if minutes == size else f"every {_many(minutes // size, unit)}"


def _many(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"


def utc(moment: datetime) -> str:
    """2 Mar 2026, 10:00 UTC."""
    there = moment.astimezone(UTC)
    return f"{there.day} {there:%b %Y, %H:%M} UTC"


def day_words(day: date) -> str:
    """2 Mar 2026."""
    return f"{day.day} {day:%b %Y}"


def seconds_words(seconds: float | None) -> str:
    if seconds is None:
        return UNKNOWN
    if seconds < MINUTE_S:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), MINUTE_S)
    return f"{minutes} min {rest} s"
