"""Python's cycle collector, called seldom while a sync is at work.

Cells, rows and plans are plain tuples without cycles, hundreds of thousands at a time: the collector walks all of them
again and again and frees nothing, which costs two thirds as much as reading them. They go by reference count as always.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = 100_000  # objects more than at its last call: what has cycles, of other threads too, stays that long
_lock = threading.Lock()
_inside = 0  # threads that want it so
_usual = gc.get_threshold()


@contextmanager
def seldom_collected() -> Iterator[None]:
    """The collector of this process is called seldom until the last of the threads inside has left."""
    global _inside, _usual  # noqa: PLW0603  the collector is the process's own
    with _lock:
        if not _inside:
            _usual = gc.get_threshold()
            gc.set_threshold(max(SELDOM, _usual[0]), *_usual[1:])
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                gc.set_threshold(*_usual)
