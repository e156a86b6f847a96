"""The shrink guard: a tab that has lost much at once is not believed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from webapp.model import METRICS, Metric, Values

MINIMUM = 10  # to lose more than half is a problem from so many on


class Losses(NamedTuple):
    """What a tab had and has no more.

    read_rows: accounts in it now. rows: accounts that have no row now. values: per metric, in rows still there.
    """

    read_rows: int
    rows: int
    values: Sequence[int]

    @property
    def emptied(self) -> bool:
        return self.rows > 0 and self.read_rows == 0


class Shrinkage(NamedTuple):
    """So many have gone of so many. metric None: whole rows."""

    metric: Metric | None
    lost: int
    known: int


def may_have_shrunk(losses: Losses) -> bool:
    """Whether so much has gone that it is worth counting what there was."""
    return losses.emptied or max(losses.rows, *losses.values) * 2 >= MINIMUM


def shrinkage(losses: Losses, known_rows: int, known_values: Values) -> Shrinkage | None:
    """What a tab lost at once: all its accounts, or more than half of them or of one metric's values.

    known_rows, known_values: what it had before.
    """
    if losses.emptied or _more_than_half(losses.rows, known_rows):
        return Shrinkage(None, losses.rows, known_rows)
    for metric, known, lost in zip(METRICS, known_values, losses.values, strict=True):
        if _more_than_half(lost, known or 0):
            return Shrinkage(metric, lost, known or 0)
    return None


def _more_than_half(lost: int, known: int) -> bool:
    return known >= MINIMUM and lost * 2 > known
