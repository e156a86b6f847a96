"""Each metric at a glance: how much, how much more than a day and a week ago, and a small line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from webapp.dashboard.charts import SparkDrawing, draw_spark
from webapp.model import METRICS, Metric, Values

SPARK_DAYS = 30


@dataclass(frozen=True)
class MetricTile:
    """One metric. day, week: what it grew by in 24 hours and 7 days."""

    metric: Metric
    value: int | None
    day: int | None
    week: int | None
    spark: SparkDrawing | None


def metric_tiles(
    counts: Values, day: Values, week: Values, past: Callable[[int], Sequence[int | None]]
) -> list[MetricTile]:
    """past: the place of a metric -> its value on each of the latest days."""
    return [
        MetricTile(metric, counts[place], day[place], week[place], draw_spark(past(place)))
        for place, metric in enumerate(METRICS)
    ]


def days_up_to(last: date, count: int) -> list[date]:
    """So many days, the last one among them."""
    return [last - timedelta(days=back) for back in range(count - 1, -1, -1)]
