"""Credible and implausible: whether a value can follow the one before it. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

FACTOR = 10
DISTANCE = 1_000
CUT_FACTOR = 5
HISTORY = timedelta(days=3)


def implausible(old: int | None, new: int | None) -> bool:
    """Ten times above or below the last value of the same source, and more than 1,000 apart."""
    if old is None or new is None or abs(new - old) <= DISTANCE:
        return False
    return new >= old * FACTOR or new * FACTOR <= old


def may_be_cut(old: int | None, new: int | None) -> bool:
    """Whether what a file ends with may be the beginning of a number that is still being written.

    It is, where it begins the last one, is much smaller than it with fewer digits, or is not there yet.
    """
    if old is None or new is None:
        return old is not None
    if len(str(new)) >= len(str(old)):
        return False
    return str(old).startswith(str(new)) or new * CUT_FACTOR <= old


def has_history(added_at: datetime | None, now: datetime) -> bool:
    """Whether an account has been there long enough for its last value to say what can follow."""
    return added_at is not None and now - added_at >= HISTORY


def agree(a: int, b: int) -> bool:
    """Two readings say the same thing when neither is more than twice the other."""
    return a <= 2 * b and b <= 2 * a
