"""Whether the database may still be written: not once this process has met damage in it, until it is sound again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Hashable
from typing import Protocol

import msgspec
from sqlalchemy.exc import SQLAlchemyError

# What is raised where stored bytes are not what they were when they were written, and by faults of ours as well.
SUSPICIOUS = (
    SQLAlchemyError,
    sqlite3.Error,
    msgspec.MsgspecError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
)

RESTORE = (
    "stop the service, then restore a backup with smart-sync restore; whoever copies one there by hand first removes "
    "the files with -wal and -shm behind its name"
)
LOOK_EVERY_S = 60.0  # a whole file is read for a look


class Examined(Protocol):
    """What can be looked through."""

    def damage(self, *, quick: bool = False) -> str | None:
        """What is wrong with all that is stored; None where nothing is, or where nobody can look now.

        quick: without comparing one thing with another.
        """

    def version(self) -> Hashable:
        """Something else once somebody has written."""


class Soundness:
    """What this process knows of damage."""

    def __init__(self, examined: Examined, monotonic: Callable[[], float]) -> None:
        self._examined = examined
        self._monotonic = monotonic
        self._damaged: Hashable = None  # the version that damage was met in
        self._looked_at: float | None = None

    def note_damage(self) -> None:
        """Damage was met: nothing is written from now on."""
        self._damaged = self._examined.version()

    def is_damage(self) -> bool:
        """Whether an error that nobody expected may be one of damage; looks for some, but not all the time."""
        if self._damaged is not None:
            return True
        if self._may_look() and self._look():
            self.note_damage()
            return True
        return False

    def allows_writing(self) -> bool:
        """False once damage was met, until somebody has put something else there that is sound."""
        if self._damaged is None:
            return True
        if self._damaged == self._examined.version():
            return False
        if self._look():
            self.note_damage()
            return False
        self._damaged = None
        return True

    def _may_look(self) -> bool:
        return self._looked_at is None or self._monotonic() - self._looked_at >= LOOK_EVERY_S

    def _look(self) -> bool:
        self._looked_at = self._monotonic()
        return self._examined.damage() is not None
