"""Counts and what they grew by. Whole numbers; null is not observed, never zero."""

from __future__ import annotations

from typing import Annotated

from webapp.api.shapes.fields import says
from webapp.api.shapes.metrics import MetricStruct, PerMetric
from webapp.clock import iso
from webapp.model import UNKNOWN, Values
from webapp.rules.growth import DAY, Movement
from webapp.store.projects import Project


class CountsOut(MetricStruct):
    """Counts, one for each metric; null: not observed."""

    counts: PerMetric[int | None]


class Growth(MetricStruct, rename={"since": "from", "until": "to"}):
    """What an account grew by between two moments or days; a loss is negative, null has no baseline."""

    since: str
    until: str
    counts: PerMetric[int | None]


class GroupGrowth(MetricStruct, rename={"since": "from", "until": "to"}):
    """How a sum came from one moment or day to another: later = earlier + growth + joined + left.

    The metrics themselves are the growth, of the accounts that count at both; null: none does.
    """

    since: str
    until: str
    counts: PerMetric[int | None]
    joined: Annotated[CountsOut, says("what accounts brought that began to count; null: nobody counts")]
    left: Annotated[CountsOut, says("what accounts took that ceased to count: zero or less")]


class GroupCounts(MetricStruct):
    """The current counts of some accounts together."""

    profiles: int
    counts: PerMetric[int | None]


def growth_between(since: str, until: str, counts: Values) -> Growth | None:
    """None without any baseline."""
    return None if counts == UNKNOWN else Growth(since, until, counts)


def group_growth(since: str, until: str, movement: Movement) -> GroupGrowth:
    return GroupGrowth(since, until, movement.growth, CountsOut(movement.joined), CountsOut(movement.left))


def growth_since(project: Project, days: int, movement: Movement) -> GroupGrowth | None:
    """How a sum came to what it is as of the last sync, in so many times 24 hours; None before the first sync."""
    as_of = project.as_of
    return None if as_of is None else group_growth(iso(as_of - days * DAY), iso(as_of), movement)
