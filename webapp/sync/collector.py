"""Python's cycle collector, paused while one project is worked on.

Cells, rows and plans are plain tuples without cycles, hundreds of thousands at a time: the collector walks all of them
again and again and frees nothing, which costs two thirds as much as reading them. They go by reference count as always.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_inside = 0  # threads that want it paused


@contextmanager
def pause_collector() -> Iterator[None]:
    """No collection in this process until the last of the threads inside has left."""
    global _inside  # noqa: PLW0603  the collector is the process's own
    with _lock:
        _inside += 1
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                gc.enable()
