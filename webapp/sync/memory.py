"""Memory that a large sync took, given back to the system, but not piece by piece while it is at work.

The C library keeps much of what is freed for itself: two workers that have each synced a huge tab would hold the memory
of two such syncs from then on. Of what lies at the end it keeps nearly nothing: the pieces that an answer is unpacked
in would each be asked of the system anew, and come as pages of zeros.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

STATM = Path("/proc/self/statm")
GROWN = 32 << 20  # bytes: less is taken again by the next sync, which would pay for it
ROOM = 8 << 20  # bytes that lie ready at the end; more gains nothing
TOP_PAD = -2  # what `mallopt` calls it


@contextmanager
def given_back() -> Iterator[None]:
    """What is done inside leaves no large memory behind that nothing is in."""
    _keep_room()
    before = resident()
    try:
        yield
    finally:
        if resident() - before > GROWN:
            _ask("malloc_trim", 0)


def resident() -> int:
    """Bytes of this process; 0 where the system does not say it as Linux does."""
    try:
        pages = STATM.read_text(encoding="ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@cache
def _keep_room() -> None:
    """Once for a process."""
    _ask("mallopt", TOP_PAD, ROOM)


def _ask(name: str, *numbers: int) -> None:
    import ctypes  # noqa: PLC0415  nobody needs it before the first sync

    function = getattr(ctypes.CDLL(None), name, None)  # of glibc alone
    if function is not None:
        function(*numbers)
