"""The merge: what an account's counts are, given what the sheet and the platforms say now. Pure.

Nothing here looks at an earlier merge, so a wrong value heals as soon as its source does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from webapp.model import METRICS, NOTHING, Counts, Metric, Mode, Policy, Values, larger

Winner = Literal["sheet", "parsed", "pin"]
WINNERS: Sequence[Winner | None] = (None, "sheet", "parsed", "pin")  # as two bits say them


def policy_of(project: Policy, mode: Mode) -> Policy:
    """An account counted by hand follows its sheet whatever the project's policy."""
    return "sheet" if mode == "manual" else project


def merge(sheet: Values, parsed: Values, policy: Policy = "max", pins: Mapping[Metric, int] | None = None) -> Counts:
    """Current counts from the current observations; a side that did not observe a metric never wins it.

    pins: the values that a person has fixed.
    """
    if parsed == NOTHING:
        merged = sheet if isinstance(sheet, Counts) else Counts._make(sheet)  # the same for both is kept once
    elif sheet == NOTHING:
        merged = Counts._make(parsed)
    elif policy == "max":
        merged = Counts._make(map(larger, sheet, parsed))
    else:
        first, second = (sheet, parsed) if policy == "sheet" else (parsed, sheet)
        merged = Counts._make(b if a is None else a for a, b in zip(first, second, strict=True))
    if not pins:
        return merged
    return Counts._make(pins.get(metric, value) for metric, value in zip(METRICS, merged, strict=True))


class Verdict(NamedTuple):
    """Whose value a metric shows, and the value; nothing when nobody observed it."""

    winner: Winner | None
    value: int | None


def verdict(sheet: int | None, parsed: int | None, policy: Policy = "max", pin: int | None = None) -> Verdict:
    """What one metric shows, and whose value it is. `merge` gives the same values, all metrics at once."""
    winner = winner_of(sheet, parsed, policy, pin)
    return Verdict(winner, pin if winner == "pin" else parsed if winner == "parsed" else sheet)


def winner_of(sheet: int | None, parsed: int | None, policy: Policy = "max", pin: int | None = None) -> Winner | None:
    """Whose value a metric shows: a pin's first, then what the policy says; ties go to the sheet.

    A side that did not observe the metric never wins.
    """
    if pin is not None:
        return "pin"
    if parsed is None:
        return None if sheet is None else "sheet"
    if sheet is None:
        return "parsed"
    by_sheet = sheet >= parsed if policy == "max" else policy == "sheet"
    return "sheet" if by_sheet else "parsed"


def pin_in_force(until: datetime | None, now: datetime) -> bool:
    """Whether a pin counts now. until None: for good."""
    return until is None or until > now


def keep_unread(new: Values, old: Values, unread: int) -> Counts:
    """`new`, but with the old value of each metric whose bit is set: its cell could not be read."""
    return Counts._make(old[i] if unread >> i & 1 else value for i, value in enumerate(new))
