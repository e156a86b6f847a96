"""Projects with their totals and their freshness."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Struct

from webapp.api.shapes.counts import GroupGrowth
from webapp.api.shapes.fields import NextSync, Time, says, zero_or_more
from webapp.api.shapes.metrics import MetricStruct, TotalPerMetric
from webapp.store.projects import Status


class ProjectOut(MetricStruct):
    """One project: what its accounts come to, and how fresh that is."""

    id: str
    name: str
    status: Status
    total_profiles: Annotated[int, zero_or_more("accounts, without those whose mode is `off`")]
    totals: TotalPerMetric[int | None]
    target_views: int | None
    progress_percent: Annotated[float | None, says("of the target; null without one")]
    progress_capped: Annotated[float | None, says("the same, at most 100")]
    growth_24h: Annotated[
        GroupGrowth | None, says("in the 24 hours up to the last sync that changed something; null: never synced")
    ]
    growth_7d: Annotated[
        GroupGrowth | None, says("in the 7 days up to the last sync that changed something; null: never synced")
    ]
    start_date: date | None
    end_date: date | None
    checked_at: Annotated[Time | None, says("the last attempt that came to its end")]
    synced_at: Annotated[Time | None, says("the last success")]
    changed_at: Annotated[Time | None, says("the last time a number changed")]
    next_sync_at: NextSync
    degraded_since: Time | None
    stale: Annotated[bool, says("too old to trust; never so for a finished project")]
    worksheet_title: str | None
    merge_policy: Literal["max", "sheet", "parsed"]
    revision: Annotated[int, zero_or_more("counts up with every change of what reads answer")]
    created_at: Time | None
    updated_at: Time | None
    removed_at: Annotated[Time | None, says("no longer synced, and on no list; its history stays")]


class ProjectList(Struct):
    projects: list[ProjectOut]
