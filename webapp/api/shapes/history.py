"""What became of the numbers over days: of a project, of one account, of everything."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Struct

from webapp.api.shapes.counts import CountsOut, GroupCounts, GroupGrowth
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
    """One UTC day: the sums over the accounts that counted at its end."""

    date: DayText
    counts: PerMetric[int | None]
    delta: Annotated[int | None, says("views less those of the day before: growth, joined and left together")]
    growth: Annotated[
        CountsOut, says("less the day before, of the accounts alone that counted on both: who joins does not grow")
    ]
    joined: Annotated[CountsOut, says("what accounts brought that began to count")]
    left: Annotated[CountsOut, says("what accounts took that ceased to count: zero or less")]
    since: Annotated[
        DayText | None, says("the last day with snapshots before; what has grown since then is this day's growth")
    ]
    accounts: Annotated[int, zero_or_more("that counted")]
    carried: Annotated[bool, says("some of them have no value of the day; their last one stands")]
    carried_accounts: Annotated[int, zero_or_more("how many of them")]


class Now(MetricStruct):
    """The current counts, beside the last day of the history: total = that day's + growth + joined + left."""

    as_of: Annotated[Time | None, says("the last sync that changed something here")]
    since: Annotated[DayText | None, says("the last day of the history; null: there is none")]
    profiles: Annotated[int, zero_or_more("accounts that count")]
    counts: PerMetric[int | None]
    growth: CountsOut
    joined: CountsOut
    left: CountsOut
    doubted: Annotated[CountsOut, says("how much of it stands in cells that history does not believe yet")]


class Analytics(MetricStruct):
    """Current totals, and how they came about."""

    project_id: str
    project_name: str
    as_of: Annotated[Time | None, says("the moment the totals are of: the last sync that changed something")]
    start_date: DayText
    end_date: DayText
    total_profiles: Annotated[int, zero_or_more("accounts that count; those whose mode is `off` do not")]
    totals: TotalPerMetric[int | None]
    target_views: int | None
    progress_percent: Annotated[float | None, says("of the whole project, whatever is filtered; null without a target")]
    progress_capped: Annotated[float | None, says("the same, at most 100")]
    growth_24h: Annotated[GroupGrowth | None, says("in the 24 hours up to `as_of`; null: never synced")]
    growth_7d: Annotated[GroupGrowth | None, says("in the 7 days up to `as_of`; null: never synced")]
    growth: Annotated[GroupGrowth | None, says("from the first day of the history to the last; null: fewer than two")]
    now: Annotated[Now, says("the totals again, as they stand behind the history")]
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
    """One metric over a day. start: where it stood at the end of the day before; end: at the end of the day."""

    start: int | None
    end: int | None
    growth: Annotated[int | None, says("end less start; null where the day before is unknown")]


class DailyStats(MetricStruct):
    """One UTC day of an account."""

    date: DayText
    carried: Annotated[bool, says("a metric has no value of the day; its last one stands")]
    since: Annotated[
        DayText | None, says("the last day with a snapshot before; what has grown since then is this day's growth")
    ]
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
    """What the accounts of one group came to on the last day, and how they came there from the first."""

    key: Annotated[str | None, says("owner, platform, topic or project id; null: none is given")]
    name: Annotated[str | None, says("the same for people: a project's name")]
    profiles: int
    counts: PerMetric[int | None]
    growth: Annotated[GroupGrowth, says("from the first day to the last")]


class Totals(Struct):
    """All groups, those with most views first, and everything together."""

    start_date: DayText
    end_date: DayText
    group_by: str
    total: GroupCounts
    growth: GroupGrowth
    group_count: Annotated[int, zero_or_more("how many groups there are; at most 1000 are listed")]
    groups: list[GroupTotals]
