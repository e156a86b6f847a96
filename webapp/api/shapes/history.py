"""What became of the numbers over days: of a project, of one account, of everything."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Struct

from webapp.api.shapes.counts import CountsOut, GroupCounts, Growth
from webapp.api.shapes.fields import DayText, Time, says, zero_or_more
from webapp.api.shapes.metrics import MetricStruct, PerMetric, TotalPerMetric

# A project at a glance


class TopProfile(MetricStruct):
    """One of the accounts with the most views."""

    id: int
    platform: str
    username: str | None
    profile_url: str
    topic: str | None
    owner: str | None
    counts: PerMetric[int | None]
    growth_24h: CountsOut


class HistoryDay(MetricStruct):
    """One UTC day: the sums over the accounts that belonged to the project then."""

    date: DayText
    counts: PerMetric[int | None]
    delta: Annotated[
        int | None, says("views less those of the day `since`; null on the first day and without snapshots")
    ]
    growth: Annotated[
        CountsOut, says("as delta, of the accounts alone that were there before: who joins does not grow")
    ]
    since: Annotated[
        DayText | None, says("the last day with snapshots before; delta and growth are measured from there")
    ]
    accounts: Annotated[int, zero_or_more("that belonged to the project")]
    carried: Annotated[bool, says("some of them have no snapshot of the day; their last one stands")]
    carried_accounts: Annotated[int, zero_or_more("how many of them")]


class Analytics(MetricStruct):
    """Current totals, and how they came about."""

    project_id: str
    project_name: str
    as_of: Annotated[Time | None, says("the moment the totals are of: the last sync")]
    start_date: DayText
    end_date: DayText
    total_profiles: int
    totals: TotalPerMetric[int | None]
    target_views: int | None
    progress_percent: Annotated[float | None, says("of the whole project, whatever is filtered; null without a target")]
    progress_capped: Annotated[float | None, says("the same, at most 100")]
    growth_24h: Annotated[Growth | None, says("in the 24 hours up to `as_of`; null: no baseline")]
    growth: Annotated[
        Growth | None, says("from the first day of the history to the last, of the accounts there on both")
    ]
    platform_stats: Annotated[dict[str, GroupCounts], says("by platform")]
    topic_stats: Annotated[
        dict[str, GroupCounts], says("by topic, empty text: none; at most 500, those with most views")
    ]
    users_stats: Annotated[
        dict[str, GroupCounts], says("by owner, empty text: none; at most 500, those with most views")
    ]
    profiles: Annotated[list[TopProfile], says("the 100 with most views; `/accounts` has all, page by page")]
    history: Annotated[list[HistoryDay], says("oldest day first")]


# The days of an account


class SnapshotOut(MetricStruct):
    """The counts of one UTC day."""

    date: DayText
    snapshot_time: Time | None
    counts: PerMetric[int | None]


class SnapshotList(Struct):
    account_id: int
    start_date: DayText
    end_date: DayText
    snapshots: Annotated[list[SnapshotOut], says("oldest first; days without one are left out")]


class MetricDay(Struct):
    """One metric over a day. start: where it stood before; end: at the day's snapshot."""

    start: int | None
    end: int | None
    growth: Annotated[int | None, says("end less start; null without a snapshot of the day")]


class DailyStats(MetricStruct):
    """One UTC day of an account."""

    date: DayText
    carried: Annotated[bool, says("the day has no snapshot; the last one before it stands")]
    since: Annotated[DayText | None, says("the day of the snapshot that growth is measured from")]
    metrics: PerMetric[MetricDay]


class DailyStatsList(Struct):
    account_id: int
    start_date: DayText
    end_date: DayText
    daily_stats: Annotated[list[DailyStats], says("every day from the first snapshot on")]


# Days that are missing


class SnapshotGap(Struct):
    """A day on which accounts have no snapshot."""

    date: DayText
    accounts: Annotated[int, zero_or_more("that had a snapshot before, or have one of the day")]
    missing: Annotated[int, msgspec.Meta(ge=1, description="how many of them have none of the day")]


class AccountGaps(Struct):
    """The days that an account is missing."""

    account_id: int
    platform: str
    username: str | None
    profile_url: str
    dates: list[DayText]


class GapList(Struct):
    project_id: str
    start_date: DayText
    end_date: DayText
    gaps: list[SnapshotGap]
    accounts: Annotated[
        list[AccountGaps] | msgspec.UnsetType,
        says("with per_account: the 1000 accounts that are missing most days"),
    ] = msgspec.UNSET


# All projects together


class GroupTotals(MetricStruct):
    """What the accounts of one group came to on the last day, and grew by since the first."""

    key: Annotated[str | None, says("owner, platform, topic or project id; null: none is given")]
    name: Annotated[str | None, says("the same for people: a project's name")]
    profiles: int
    counts: PerMetric[int | None]
    growth: Annotated[Growth | None, says("of the accounts that were there on both days")]


class Totals(Struct):
    """All groups, those with most views first, and everything together."""

    start_date: DayText
    end_date: DayText
    group_by: str
    total: GroupCounts
    growth: Growth | None
    group_count: Annotated[int, zero_or_more("how many groups there are; at most 1000 are listed")]
    groups: list[GroupTotals]
