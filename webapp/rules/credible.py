"""Cut values: whether what a file ends with can be believed. Pure."""

from __future__ import annotations

CUT_FACTOR = 5


def may_be_cut(old: int | None, new: int | None) -> bool:
    """Whether what a file ends with may be the beginning of a number that is still being written.

    It is, where it begins the last one, is much smaller than it with fewer digits, or is not there yet.
    """
    if old is None or new is None:
        return old is not None
    if len(str(new)) >= len(str(old)):
        return False
    return str(old).startswith(str(new)) or new * CUT_FACTOR <= old
