"""A place where a thread waits until the test lets it go on."""

from __future__ import annotations

from threading import Event

__all__ = ["Gate"]

PATIENCE_S = 20.0


class Gate:
    """Call it where the thread has to stop; `wait_for_somebody` and `open` are for the test."""

    def __init__(self) -> None:
        self._reached = Event()
        self._open = Event()

    def __call__(self, *_: object) -> None:
        self._reached.set()
        if not self._open.wait(PATIENCE_S):
            raise TimeoutError("nobody opened the gate")

    def wait_for_somebody(self) -> None:
        assert self._reached.wait(PATIENCE_S), "nobody came to the gate"

    def open(self) -> None:
        self._open.set()
