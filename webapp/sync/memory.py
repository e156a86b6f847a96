"""Memory that a large sync took, given back to the system: the C library keeps what is freed for itself.

Two workers that have each synced a huge tab would hold the memory of two such syncs from then on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STATM = Path("/proc/self/statm")
GROWN = 32 << 20  # bytes: less is taken again by the next sync, which would pay for it


@contextmanager
def given_back() -> Iterator[None]:
    """What is done inside leaves no large memory behind that nothing is in."""
    before = resident()
    try:
        yield
    finally:
        if resident() - before > GROWN:
            _trim()


def resident() -> int:
    """Bytes of this process; 0 where the system does not say it as Linux does."""
    try:
        pages = STATM.read_text(encoding="ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _trim() -> None:
    import ctypes  # noqa: PLC0415  which most syncs do without

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc alone
    if trim is not None:
        trim(0)
