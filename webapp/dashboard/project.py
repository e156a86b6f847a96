"""The page of one project: totals, a chart, its accounts, and what needs a hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Response, request

from webapp import web
from webapp.clock import Clock
from webapp.config import Settings
from webapp.dashboard.charts import ChartDay, SparkDrawing, draw_line, draw_spark
from webapp.dashboard.questions import PERIODS, days_in_query, links, metric_in_query
from webapp.dashboard.reasons import SourcedCount, sourced_count
from webapp.dashboard.rendering import page
from webapp.dashboard.runs import live_run
from webapp.dashboard.states import problems_of, state_of, target_percent
from webapp.dashboard.tiles import SPARK_DAYS, WEEK, MetricTile, days_up_to, metric_tiles, week_growth
from webapp.errors import NotFound
from webapp.model import METRICS, Metric, Values
from webapp.rules.growth import day_growth, total
from webapp.rules.history import ProjectDay, history, members_of
from webapp.rules.sorting import by_value, group_by, says
from webapp.store import held, leases, observations
from webapp.store.accounts import Account
from webapp.store.db import Database
from webapp.store.heads import head_of
from webapp.store.held import ListedHeld
from webapp.store.observations import Sources
from webapp.store.projects import Project
from webapp.store.standing import Grown, cells, grown, standing_at

INTERVALS = (15, 30, 60, 120, 240, 360, 720, 1440)  # minutes that are offered
BY_CRON = "cron"  # stands for the expression that rules now
PROBLEMS = 100
GROUPS = 20
PER_PAGE = 40
LONGEST_WORD = 100
MOST_PAGES = 100_000
TEXTS = ("username", "platform", "owner", "topic")
SORTS = (*TEXTS, *METRICS, "growth")


@dataclass(frozen=True)
class Listing:
    """Which accounts, in which order."""

    sort: str = "views"
    descending: bool = True
    q: str = ""
    platform: str = ""
    topic: str = ""
    page: int = 1


@dataclass(frozen=True)
class AccountLine:
    """One account in the list. growth: of the metric that is looked at, in 24 hours."""

    account: Account
    numbers: Sequence[SourcedCount]
    growth: int | None
    spark: SparkDrawing | None


@dataclass(frozen=True)
class GroupBar:
    """Some accounts together. share: percent of the largest group's."""

    name: str
    accounts: int
    value: int | None
    share: float


@dataclass(frozen=True)
class ProjectPage:
    """total: accounts there are; found: those that fit the listing, on so many pages."""

    project: Project
    state: str
    tiles: Sequence[MetricTile]
    percent: float | None
    points: Sequence[ChartDay]
    platforms: Sequence[GroupBar]
    topics: Sequence[GroupBar]
    rows: Sequence[AccountLine]
    total: int
    found: int
    pages: int
    problems: Sequence[Mapping[str, Any]]
    problem_count: int
    held: Sequence[ListedHeld]


def project(project_id: str) -> Response:
    """One project: totals, a chart, its accounts, and what needs a hand."""
    settings, now = web.get(Settings), web.get(Clock).now()
    metric, days, listing = metric_in_query(), days_in_query(), _listing()
    with web.get(Database).read() as tx:
        head = head_of(tx, project_id)
        if head is None:
            raise NotFound(f"there is no project {project_id[:100]!r}")
        found = project_page(tx, head, metric, days, listing, now, settings.stale_after)
        live = live_run(tx)
    return page(
        "project.html",
        it=found,
        live=live if found.state == "running" else None,
        metric=metric,
        days=days,
        listing=listing,
        periods=PERIODS,
        chart=draw_line(found.points),
        default_interval=settings.interval_minutes,
        intervals=sorted({*INTERVALS, head.interval_minutes or INTERVALS[0]}),
        by_cron=BY_CRON,
        **links(),
    )


def _listing() -> Listing:
    """What is asked for, as far as it makes sense."""
    sort = request.args.get("sort", metric_in_query())
    sort = sort if sort in SORTS else metric_in_query()
    order = request.args.get("order", "asc" if sort in TEXTS else "desc")
    number = request.args.get("page", "1")
    known = number.isascii() and number.isdigit() and len(number) < len(str(MOST_PAGES))
    words = {name: request.args.get(name, "").strip()[:LONGEST_WORD] for name in ("q", "platform", "topic")}
    return Listing(sort, order == "desc", page=max(1, int(number)) if known else 1, **words)


def project_page(
    tx: sa.Connection, project: Project, metric: Metric, days: int, listing: Listing, now: datetime, stale_after: int
) -> ProjectPage:
    """stale_after: minutes."""
    today, place = now.date(), METRICS.index(metric)
    everyone = [*grown(tx, "project", project.id, removed=True)]
    there = [one for one in everyone if one.account.removed_at is None]
    growths = {one.account.id: day_growth(one.account.counts, one.points, project.as_of) for one in there}
    fitting = _sort([one.account for one in there if _fits(one.account, listing)], growths, listing, place)
    pages = max(1, -(-len(fitting) // PER_PAGE))
    start = (min(listing.page, pages) - 1) * PER_PAGE
    shown = fitting[start : start + PER_PAGE]

    watch = _Watch({account.id for account in shown}, place)
    dates = days_up_to(today, max(days, SPARK_DAYS))
    past = _past(tx, project, dates, everyone, watch)
    stood = standing_at(tx, "project", project.id, today - WEEK)
    sources = observations.sources_of(tx, [account.id for account in shown], now)
    counts = total(one.account.counts for one in there)
    week = total(week_growth(one.account, stood) for one in there)
    problems = problems_of(project)
    return ProjectPage(
        project=project,
        state=state_of(project, syncing=leases.is_syncing(tx, project.id), stale_after=stale_after, now=now),
        tiles=metric_tiles(counts, total(growths.values()), week, lambda of: _sparks(past, of)),
        percent=target_percent(project, counts),
        points=_chart_days(past, dates, place)[-days:],
        platforms=_groups(there, lambda account: account.platform, place),
        topics=_groups(there, _topic, place),
        rows=[_line(a, project, sources[a.id], growths[a.id][place], watch.spark(a.id, today)) for a in shown],
        total=len(there),
        found=len(fitting),
        pages=pages,
        problems=problems[:PROBLEMS],
        problem_count=len(problems),
        held=held.listed(tx, project_id=project.id),
    )


# The list of accounts


def _fits(account: Account, listing: Listing) -> bool:
    return (
        listing.platform in ("", account.platform)
        and listing.topic in ("", _topic(account))
        and says(listing.q, account.username, account.profile_url, account.owner, account.topic)
    )


def _topic(account: Account) -> str:
    return account.topic or "no topic"


def _sort(accounts: Sequence[Account], growths: Mapping[int, Values], listing: Listing, place: int) -> list[Account]:
    """As the listing says, those without a value last, and by id among equals."""

    def value(account: Account) -> Any:
        if listing.sort == "growth":
            return growths[account.id][place]
        if listing.sort in METRICS:
            return account.counts[METRICS.index(listing.sort)]
        text: str | None = getattr(account, listing.sort)
        return None if text is None else text.casefold()

    return by_value(accounts, value, lambda account: account.id, descending=listing.descending)


def _line(
    account: Account, project: Project, sources: Sources, growth: int | None, spark: SparkDrawing | None
) -> AccountLine:
    numbers = [sourced_count(account, project, sources, metric) for metric in METRICS]
    return AccountLine(account, numbers, growth, spark)


class _Watch:
    """One metric of a few accounts by day, picked up while the snapshots of all go by."""

    def __init__(self, ids: set[int], place: int) -> None:
        self._found: dict[int, dict[date, int | None]] = {account_id: {} for account_id in ids}
        self._place = place

    def over(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        for row in rows:
            mine = self._found.get(row[1])
            if mine is not None:
                mine[row[0]] = row[2 + self._place]
            yield row

    def spark(self, account_id: int, today: date) -> SparkDrawing | None:
        mine = self._found[account_id]
        values = [mine.get(day) for day in days_up_to(today, SPARK_DAYS)]
        return draw_spark([value for value in values if value is not None])


# The days


def _past(
    tx: sa.Connection, project: Project, dates: Sequence[date], everyone: Sequence[Grown], watch: _Watch
) -> list[ProjectDay]:
    first, last = dates[0], dates[-1]
    before = standing_at(tx, "project", project.id, first - timedelta(days=1))
    found = watch.over(cells(tx, "project", project.id, first, last))
    return history(first, last, before, found, members_of(one.account for one in everyone)).days


def _sparks(past: Sequence[ProjectDay], place: int) -> list[int | None]:
    return [day.counts[place] for day in past[-SPARK_DAYS:] if not _is_gap(day)]


def _is_gap(day: ProjectDay) -> bool:
    """No account has a snapshot of the day."""
    return day.since is None and day.carried > 0


def _chart_days(past: Sequence[ProjectDay], dates: Sequence[date], place: int) -> list[ChartDay]:
    known = {day.day: day for day in past}
    return [_chart_day(day, known.get(day), place) for day in dates]


def _chart_day(day: date, found: ProjectDay | None, place: int) -> ChartDay:
    if found is None:
        return ChartDay(day, None, gap=True)
    return ChartDay(day, found.counts[place], found.growth[place], found.carried, _is_gap(found))


# Groups


def _groups(accounts: Sequence[Grown], name: Callable[[Account], str], place: int) -> list[GroupBar]:
    """Those with the most first."""
    found = group_by((one.account for one in accounts), name)
    values = {name: total(account.counts for account in members)[place] for name, members in found.items()}
    largest = max((value or 0 for value in values.values()), default=0) or 1
    bars = [
        GroupBar(name, len(members), values[name], round(100 * (values[name] or 0) / largest, 1))
        for name, members in found.items()
    ]
    return by_value(bars, lambda bar: bar.value, lambda bar: bar.name, descending=True)[:GROUPS]
