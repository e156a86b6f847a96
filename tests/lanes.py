"""Which tests are slow: those that use PostgreSQL, a browser or processes, do a sync the long way, or say they are long.

All others make the fast lane, but for some that are BROAD. For most, the lane follows from the fixtures that a test asks for, by itself or through
others. Whoever starts a process without the fixture `processes` fails, so that the fast lane stays fast.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

SLOW = {
    "postgres",
    "browser",
    "processes",
    "without_shortcuts",
    "answers_anew",
    "long",
}  # marks; fixtures of these names give them
BESIDE_THE_STORE = {"store", "read"}
# Many tests that together take a third of the fast lane's time and go far beyond what most changes touch. They count for
# the coverage like the others.
BROAD = {
    "api/test_openapi.py",
    "read/test_tags.py",
    "serving/test_worker.py",
    "sources/test_files.py",
    "sources/test_limits.py",
    "store/test_days.py",
    "store/test_movements.py",
    "store/test_wholes.py",
    "sync/test_doubts.py",
    "sync/test_files.py",
    "sync/test_hanging.py",
    "sync/test_merged_doubts.py",
    "sync/test_odd_input.py",
    "sync/test_overlaps.py",
    "sync/test_returns.py",
    "sync/test_schedules.py",
    "sync/test_stateful.py",
    "tests/test_damage.py",
    "tests/test_terminal.py",
}
STARTS = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "pty.spawn"}


def mark(item: pytest.Item) -> None:
    """Give the test the mark of each slow fixture it uses."""
    for name in SLOW & set(getattr(item, "fixturenames", ())):
        item.add_marker(name)


def is_slow(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in SLOW)


def is_left_out(item: pytest.Item) -> bool:
    """Whether the fast lane does without it."""
    return is_slow(item) or "/".join(item.path.parts[-2:]) in BROAD


def is_measured(item: pytest.Item) -> bool:
    """Whether coverage is measured while it runs, which makes it half as slow again.

    Of the slow ones, those beside the store and its reads reach what is PostgreSQL's own; the others reach nothing more.
    """
    slow = {mark.name for mark in item.iter_markers()} & SLOW
    return not slow or (slow == {"postgres"} and item.path.parent.name in BESIDE_THE_STORE)


class Starts:
    """What starts processes in this one, as the interpreter tells it."""

    def __init__(self) -> None:
        self._heard: list[list[str]] = []
        sys.addaudithook(self._hear)  # there is no way to take it back

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in STARTS:
            for heard in self._heard:
                heard.append(f"{event} {arguments[:2]}")

    @contextmanager
    def hear(self) -> Iterator[list[str]]:
        """What was started meanwhile."""
        heard: list[str] = []
        self._heard.append(heard)
        try:
            yield heard
        finally:
            self._heard.remove(heard)
