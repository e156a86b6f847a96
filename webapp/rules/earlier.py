"""Snapshots of an app that kept several a day, and a 0 where it could not read: what days they make. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple

from webapp.clock import utc_day
from webapp.model import METRICS, NOTHING, UNKNOWN, Counts, Values, larger
from webapp.rules.growth import mask_of
from webapp.rules.history import Span


class Seen(NamedTuple):
    """What an account had at a moment."""

    at: datetime
    counts: Counts


class Days(NamedTuple):
    """What is left of snapshots. zero_days: that were nothing but zeros; zeros: values that were left out, those included."""

    days: Mapping[date, Seen]
    zero_days: int = 0
    zeros: int = 0


def collapse(snapshots: Iterable[Seen]) -> dict[date, Seen]:
    """One for each UTC day, oldest first: of each metric the largest value, and the moment of the first one."""
    found: dict[date, Seen] = {}
    for seen in snapshots:
        day = utc_day(seen.at)
        other = found.get(day, seen)
        counts = Counts._make(map(larger, other.counts, seen.counts))
        found[day] = Seen(min(other.at, seen.at), counts)
    return {day: found[day] for day in sorted(found) if found[day].counts != NOTHING}


def strip_zeros(days: Mapping[date, Seen]) -> Days:
    """The days, oldest first, without zeros that follow on more than zero: an app that cannot tell missing from zero."""
    found: dict[date, Seen] = {}
    had = [False] * len(METRICS)
    zeros = zero_days = 0
    for day, seen in days.items():
        unread = any(had) and not any(seen.counts)  # nothing but zeros: nobody lost all of it in a day
        lost = [value == 0 and (before or unread) for before, value in zip(had, seen.counts, strict=True)]
        had = [before or bool(value) for before, value in zip(had, seen.counts, strict=True)]
        left = Counts._make(None if gone else value for gone, value in zip(lost, seen.counts, strict=True))
        zeros += sum(lost)
        if left == NOTHING:
            zero_days += 1
        else:
            found[day] = Seen(seen.at, left)
    return Days(found, zero_days, zeros)


def stand(days: Mapping[date, Seen], said: Counts, *, drop_zeros: bool) -> Counts:
    """What an account has in the end. said: what the app had as its current counts.

    A metric that it did not say is what the last day with a value says; so is a 0 where zeros are dropped, because its
    columns were 0 before anybody had read anything.
    """
    last: Values = UNKNOWN
    for seen in days.values():
        last = tuple(old if new is None else new for old, new in zip(last, seen.counts, strict=True))
    nothing = {None, 0} if drop_zeros else {None}
    return Counts._make(old if new in nothing else new for old, new in zip(last, said, strict=True))


def spans_of(
    account_id: int, days: Mapping[date, Seen], counts: Counts, now: datetime, until: datetime | None
) -> list[Span]:
    """When an account counted: for each metric from its first value on, where it has one now.

    now: since when it counts for what no day has a value of. until: since when it no longer counts at all.
    """
    begun: dict[datetime, int] = {}
    left = mask_of(counts)
    for at, seen in (*days.values(), Seen(now, counts)):
        new = left & mask_of(seen)
        left &= ~new
        if new:
            begun[at] = begun.get(at, 0) | new
    found: list[Span] = []
    bits = 0
    for since in sorted(begun):
        if until is not None and since >= until:
            break
        if found:
            found[-1] = found[-1]._replace(until=since)
        bits |= begun[since]
        found.append(Span(account_id, since, until, bits))
    return found
