"""The merge: what an account's counts are, given what the sheet and the platforms say now. Pure.

Nothing here looks at an earlier merge, so a wrong value heals as soon as its source does.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from webapp.model import METRICS, NOTHING, Counts, Metric, Mode, Policy, larger

Winner = Literal["sheet", "parsed", "pin"]
Five = tuple[int | None, int | None, int | None, int | None, int | None]

IMPLAUSIBLE_FACTOR = 10
IMPLAUSIBLE_DISTANCE = 1_000


class Pin(NamedTuple):
    """A value that a person has fixed for one metric of one account."""

    metric: Metric
    value: int


def policy_of(project: Policy, mode: Mode) -> Policy:
    """An account counted by hand follows its sheet whatever the project's policy."""
    return "sheet" if mode == "manual" else project


def merge(sheet: Five, parsed: Five, policy: Policy = "max", pins: tuple[Pin, ...] = ()) -> Counts:
    """Current counts from the current observations; a side that did not observe a metric never wins it."""
    if parsed == NOTHING:
        merged = Counts._make(sheet)
    elif sheet == NOTHING:
        merged = Counts._make(parsed)
    elif policy == "max":
        merged = Counts._make(map(larger, sheet, parsed))
    else:
        first, second = (sheet, parsed) if policy == "sheet" else (parsed, sheet)
        merged = Counts._make(b if a is None else a for a, b in zip(first, second, strict=True))
    return merged._replace(**{pin.metric: pin.value for pin in pins}) if pins else merged


def winner(metric: int, sheet: Five, parsed: Five, policy: Policy = "max", pins: tuple[Pin, ...] = ()) -> Winner | None:
    """Which side the metric (index in METRICS) came from; ties go to the sheet; None when nobody observed it."""
    if any(pin.metric == METRICS[metric] for pin in pins):
        return "pin"
    a, b = sheet[metric], parsed[metric]
    if a is None or b is None:
        return None if a == b else ("parsed" if a is None else "sheet")
    if policy == "max":
        return "sheet" if a >= b else "parsed"
    return policy


def keep_unread(new: Five, old: Five, unread: int) -> Counts:
    """`new`, but with the old value of each metric whose bit is set: its cell could not be read."""
    return Counts._make(old[i] if unread >> i & 1 else value for i, value in enumerate(new))


def implausible(old: int | None, new: int | None) -> bool:
    """Ten times above or below the last value of the same source, and more than 1,000 apart."""
    if old is None or new is None or abs(new - old) <= IMPLAUSIBLE_DISTANCE:
        return False
    return new >= old * IMPLAUSIBLE_FACTOR or new * IMPLAUSIBLE_FACTOR <= old
