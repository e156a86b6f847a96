"""Counts and what they grew by. Whole numbers; null is not observed, never zero."""

from __future__ import annotations

from collections.abc import Sequence

from webapp.api.shapes.metrics import MetricStruct, PerMetric
from webapp.clock import iso
from webapp.model import UNKNOWN, Values
from webapp.rules.growth import DAY, total
from webapp.store.projects import Project


class CountsOut(MetricStruct):
    """Counts, one for each metric; null: not observed."""

    counts: PerMetric[int | None]


class Growth(MetricStruct, rename={"since": "from", "until": "to"}):
    """What numbers grew by between two moments or days; a loss is negative, null has no baseline."""

    since: str
    until: str
    counts: PerMetric[int | None]


class GroupCounts(MetricStruct):
    """The current counts of some accounts together."""

    profiles: int
    counts: PerMetric[int | None]


def group_counts(counts: Sequence[Values]) -> GroupCounts:
    return GroupCounts(len(counts), total(counts))


def growth_between(since: str, until: str, counts: Values) -> Growth | None:
    """None without any baseline."""
    return None if counts == UNKNOWN else Growth(since, until, counts)


def growth_24h(project: Project, grown: list[Values]) -> Growth | None:
    """The growth of accounts together; None without any baseline."""
    as_of = project.as_of
    return None if as_of is None else growth_between(iso(as_of - DAY), iso(as_of), total(grown))
