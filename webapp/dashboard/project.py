"""The page of one project: totals, a chart, its accounts, and what needs a hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import Any, NamedTuple, cast, get_args

import sqlalchemy as sa
from flask import Response, request

from webapp import web
from webapp.clock import Clock
from webapp.config import Settings
from webapp.dashboard.charts import (
    ChartDay,
    SparkDrawing,
    add_up,
    by_week,
    draw_line,
    draw_spark,
    fill_gaps,
    from_first_known,
)
from webapp.dashboard.crossed import Crossed, crossed, metrics_of
from webapp.dashboard.problems import Place, ProblemGroup, place_of, problem_groups, tab_of, to_mend
from webapp.dashboard.questions import PERIODS, DaySpan, links, metric_in_query, page_in_query, span_in_query
from webapp.dashboard.reasons import SourcedCount, sheet_cells, sourced_count, unreadable_cells
from webapp.dashboard.rendering import count_alerts, page
from webapp.dashboard.runs import live_run
from webapp.dashboard.states import failing_words, state_of, target_percent
from webapp.dashboard.tiles import SPARK_DAYS, MetricTile, days_up_to, metric_tiles
from webapp.dashboard.totals import Compared, compare_project, comparison_start
from webapp.model import METRICS, Metric, Mode, Values
from webapp.rules.forecast import pace_of, reached_on
from webapp.rules.freshness import stale_readings
from webapp.rules.growth import NO_SUMS, Movement, Sums, difference
from webapp.rules.history import ProjectDay, project_days
from webapp.rules.platforms import unread_words
from webapp.rules.sorting import by_value, group_alike, group_by, matches, says
from webapp.rules.words import day_words
from webapp.store import account_pages, account_reads, doubts, held, leases, observations, schedule
from webapp.store import days as kept_days
from webapp.store.accounts import Account
from webapp.store.db import Database
from webapp.store.doubts import ListedDoubt
from webapp.store.ends import DayEnd, DaysBack, Present
from webapp.store.heads import head_of
from webapp.store.held import ListedHeld
from webapp.store.movements import Cohort, grown, together
from webapp.store.observations import Sources
from webapp.store.projects import Project
from webapp.store.reading_ages import reading_ages
from webapp.store.runs import problem_counts
from webapp.store.standing import cells, everybody, recent
from webapp.store.wholes import Crossing, crossings, present, since_day, since_moments

INTERVALS = (15, 30, 60, 120, 240, 360, 720, 1440)  # minutes that are offered
BY_CRON = "cron"  # stands for the expression that rules now
GROUPS = 20
DECISIONS = 10  # of each kind that are shown
PER_PAGE = 30
LONGEST_WORD = 100
MODES: tuple[Mode, ...] = get_args(Mode)
TEXTS = ("username", "platform", "owner", "topic")
SORTS = (*TEXTS, *METRICS, "growth")


@dataclass(frozen=True)
class AccountListing:
    """Which accounts, in which order."""

    sort: str = "views"
    descending: bool = True
    q: str = ""
    platform: str = ""
    topic: str = ""
    mode: str = ""
    page: int = 1

    @property
    def plain(self) -> bool:
        """Whether the database sorts and filters it."""
        return self.sort in METRICS and not self.q and not self.topic and not self.mode


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


class AccountTable(NamedTuple):
    """A page of the accounts. total: there are; found: that fit the listing, on so many pages."""

    rows: Sequence[AccountLine]
    total: int
    found: int
    pages: int


class Decisions(NamedTuple):
    """What waits for somebody: the first of so many. doubted: the cells of what is in doubt."""

    held: Sequence[ListedHeld]
    held_count: int
    doubts: Sequence[ListedDoubt]
    doubt_count: int
    doubted: Mapping[tuple[int, Metric], Sequence[Place]]


@dataclass(frozen=True)
class ProjectPage:
    """silences: what is said of each program that has stopped reading. unread: of accounts that platforms could not be
    read for. failing: why the tab was not taken over, where that is not one of its problems. off: accounts in no sum. crossed: numbers that are
    marked.
    """

    project: Project
    state: str
    due: bool
    silences: Sequence[str]
    unread: Sequence[str]
    tiles: Sequence[MetricTile]
    percent: float | None
    forecast: str | None
    points: Sequence[ChartDay]
    compared: Compared | None
    problem_days: SparkDrawing | None
    platforms: Sequence[GroupBar]
    topics: Sequence[GroupBar]
    off: int
    accounts: AccountTable
    problems: Sequence[ProblemGroup]
    problem_count: int
    failing: str | None
    tab: Place
    waiting: Decisions
    crossed: Sequence[Crossed]

    def marks(self, account_id: int | None = None) -> set[Metric]:
        """The metrics of an account, or of the total, that are marked."""
        return metrics_of(self.crossed, account_id)


def _unread(tx: sa.Connection, project_id: str) -> list[str]:
    by_source = group_by(account_reads.unread(tx, project_id), lambda one: one.source)
    return [words for source, reasons in by_source.items() for words in unread_words(source, reasons)]


def project(project_id: str) -> Response:
    """One project: totals, a chart, its accounts, and what needs a hand."""
    settings, now = web.get(Settings), web.get(Clock).now()
    metric, span, listing = metric_in_query(), span_in_query(now.date()), _listing()
    with web.get(Database).read() as tx:
        head = head_of(tx, project_id)
        found = project_page(tx, head, metric, span, listing, now, settings)
        live = live_run(tx)
        count_alerts(tx)
    return page(
        "project.html",
        it=found,
        live=live if found.state == "running" else None,
        metric=metric,
        days=span.days,
        span=span,
        today=now.date(),
        modes=MODES,
        listing=listing,
        matches=matches,
        periods=PERIODS,
        chart=draw_line(found.points),
        together=add_up(found.points),
        default_interval=settings.interval_minutes,
        intervals=sorted({*INTERVALS, head.interval_minutes or INTERVALS[0]}),
        by_cron=BY_CRON,
        **links(),
    )


def _listing() -> AccountListing:
    """What is asked for, as far as it makes sense."""
    sort = request.args.get("sort", metric_in_query())
    sort = sort if sort in SORTS else metric_in_query()
    order = request.args.get("order", "asc" if sort in TEXTS else "desc")
    words = {name: request.args.get(name, "").strip()[:LONGEST_WORD] for name in ("q", "platform", "topic")}
    mode = request.args.get("mode", "")
    words["mode"] = mode if mode in MODES else ""
    return AccountListing(sort, order == "desc", page=page_in_query(), **words)


def project_page(
    tx: sa.Connection,
    project: Project,
    metric: Metric,
    span: DaySpan,
    listing: AccountListing,
    now: datetime,
    settings: Settings,
) -> ProjectPage:
    today, place = now.date(), METRICS.index(metric)
    cohorts = present(tx, [project.id])
    now_sums = {project.id: together(cohorts)}
    sums = since_moments(tx, [project.id], (1, 7), now_sums)
    day, week = (found.get(project.id, NO_SUMS).movement for found in sums)
    accounts, waiting = _lists(tx, project, listing, place, now)
    shown_since = min(span.first, days_up_to(today, SPARK_DAYS)[0])
    first = min(shown_since, comparison_start(span.first, span.last))
    day_sums = kept_days.sums_of(tx, project.id, first, today)
    turns = crossings(tx, [project.id], first)
    past = project_days({day: sums for day, sums in day_sums.items() if day >= shown_since})
    problems = to_mend(project)
    syncing, limit = leases.is_syncing(tx, project.id, settings.lease_ms), settings.readings_stale_after
    state = state_of(project, syncing=syncing, stale_after=settings.stale_after, now=now)
    return ProjectPage(
        project=project,
        state=state,
        due=schedule.project_due(tx, project.id, now, settings.interval_minutes),
        silences=stale_readings(reading_ages(tx, now, limit, project.id), limit, now),
        unread=_unread(tx, project.id),
        tiles=metric_tiles(day.total, day.growth, week.growth, lambda of: _sparks(past, of)),
        percent=target_percent(project, day.total),
        forecast=_forecast(project, past, day.total, today),
        points=_points(tx, project, span, past, now_sums, turns, place),
        compared=compare_project(tx, project.id, span.first, span.last, place, day_sums, turns),
        problem_days=_problem_days(tx, project, today),
        platforms=_groups(cohorts, lambda cohort: cohort.platform, place),
        topics=_groups(cohorts, _topic, place),
        off=accounts.total - sum(cohort.profiles for cohort in cohorts),
        accounts=accounts,
        problems=problem_groups(project, problems),
        problem_count=len(problems),
        failing=failing_words(project, state),
        tab=tab_of(project),
        waiting=waiting,
        crossed=crossed(tx, project.id),
    )


def _lists(
    tx: sa.Connection, project: Project, listing: AccountListing, place: int, now: datetime
) -> tuple[AccountTable, Decisions]:
    """The accounts that are shown, and what waits for a decision, each with what is said of it where."""
    there = account_pages.count(tx, project.id)
    shown, found = (
        _by_database(tx, project, listing, there) if listing.plain else _one_by_one(tx, project, listing, place)
    )
    growths, unreadable = _growths(tx, project, shown), unreadable_cells(project)
    sparks = _account_sparks(tx, [account.id for account in shown], place, now.date())
    in_doubt = doubts.listed(tx, project_id=project.id)
    first_in_doubt = in_doubt[:DECISIONS]
    ids = {account.id for account in shown} | {one.account_id for one in first_in_doubt}
    sources = observations.sources_of(tx, ids, now)
    rows = [_line(a, project, sources[a.id], unreadable, growths[a.id][place], sparks.get(a.id)) for a in shown]
    waiting = Decisions(
        held.listed(tx, project_id=project.id, limit=DECISIONS),
        held.counts(tx).get(project.id, 0),
        first_in_doubt,
        len(in_doubt),
        _cells_in_doubt(project, first_in_doubt, sources),
    )
    return AccountTable(rows, there, found, _pages(found)), waiting


def _cells_in_doubt(
    project: Project, found: Sequence[ListedDoubt], sources: Mapping[int, Sources]
) -> dict[tuple[int, Metric], list[Place]]:
    """{(account id, metric): the cells that say what is in doubt}"""
    return {
        (one.account_id, one.metric): [
            place
            for cell in sheet_cells(project, sources[one.account_id], one.metric)
            if (place := place_of(project, cell))
        ]
        for one in found
    }


def _forecast(project: Project, past: Sequence[ProjectDay], total: Values, today: date) -> str | None:
    """When the target is reached, in words; None: there is none, or no number."""
    views = METRICS.index("views")
    now, target = total[views], project.target_views
    if not target or now is None:
        return None
    growths = [(one.day, None if _is_gap(one) else one.movement.growth[views]) for one in past]
    if now >= target:
        return "reached"
    if pace_of(growths, today) is None:
        return "too few days to tell when it is reached"
    found = reached_on(growths, now, target, today)
    return (
        f"reached on {day_words(found)} at the pace of four weeks" if found else "not reached at the pace of four weeks"
    )


def _problem_days(tx: sa.Connection, project: Project, today: date) -> SparkDrawing | None:
    """How many problems the worst sync of each of the latest days found; None where there were never any."""
    found = [count for _, count in problem_counts(tx, project.id, days_up_to(today, SPARK_DAYS)[0])]
    return draw_spark(found) if any(found) else None


# The list of accounts


class Shown(NamedTuple):
    """The accounts on the page, and how many fit."""

    shown: Sequence[Account]
    found: int


def _pages(found: int) -> int:
    return max(1, -(-found // PER_PAGE))


def _start(listing: AccountListing, found: int) -> int:
    """Where the page begins; the last one stands for those behind it."""
    return (min(listing.page, _pages(found)) - 1) * PER_PAGE


def _by_database(tx: sa.Connection, project: Project, listing: AccountListing, there: int) -> Shown:
    platform = listing.platform or None
    found = there if platform is None else account_pages.count(tx, project.id, platform=platform)
    start = _start(listing, found)
    metric = cast("Metric", listing.sort)
    people = account_pages.page(
        tx, project.id, limit=start + PER_PAGE, metric=metric, descending=listing.descending, platform=platform
    )
    return Shown(people[start:], found)


def _one_by_one(tx: sa.Connection, project: Project, listing: AccountListing, place: int) -> Shown:
    fitting = [one for one in everybody(tx, "project", project.id) if _fits(one, listing)]
    growths = grown(tx, project.id, DaysBack(1), Present(), METRICS[place]) if listing.sort == "growth" else {}
    fitting = _sort(fitting, growths, listing)
    start = _start(listing, len(fitting))
    return Shown(fitting[start : start + PER_PAGE], len(fitting))


def _fits(account: Account, listing: AccountListing) -> bool:
    return (
        listing.platform in ("", account.platform)
        and matches(listing.topic or None, _topic(account))
        and listing.mode in ("", account.mode)
        and says(listing.q, account.username, account.profile_url, account.owner, account.topic)
    )


def _topic(account: Account | Cohort) -> str:
    return account.topic or "no topic"


def _growths(tx: sa.Connection, project: Project, people: Sequence[Account]) -> dict[int, Values]:
    """{account id: what it grew by in 24 hours}"""
    found = recent(tx, "few", [one.id for one in people], 1, {project.id: project.as_of})
    return {one.account.id: difference(one.now, one.then) for one in found}


def _sort(accounts: Sequence[Account], growths: Mapping[int, int | None], listing: AccountListing) -> list[Account]:
    """As the listing says, those without a value last, and by id among equals."""

    def value(account: Account) -> Any:
        if listing.sort == "growth":
            return growths[account.id]
        if listing.sort in METRICS:
            return account.counts[METRICS.index(listing.sort)]
        text: str | None = getattr(account, listing.sort)
        return None if text is None else text.casefold()

    return by_value(accounts, value, lambda account: account.id, descending=listing.descending)


def _line(
    account: Account,
    project: Project,
    sources: Sources,
    unreadable: Mapping[str, str],
    growth: int | None,
    spark: SparkDrawing | None,
) -> AccountLine:
    numbers = [sourced_count(account, project, sources, metric, unreadable) for metric in METRICS]
    return AccountLine(account, numbers, growth, spark)


def _account_sparks(tx: sa.Connection, ids: Sequence[int], place: int, today: date) -> dict[int, SparkDrawing | None]:
    """A small line of one metric for each of a few accounts."""
    found: dict[int, list[int]] = {}
    for _, account_id, *counts in cells(tx, "few", ids, days_up_to(today, SPARK_DAYS)[0], today):
        if counts[place] is not None:
            found.setdefault(account_id, []).append(counts[place])
    return {account_id: draw_spark(found.get(account_id, ())) for account_id in ids}


# The days


def _sparks(past: Sequence[ProjectDay], place: int) -> list[int | None]:
    return [day.total[place] for day in past[-SPARK_DAYS:] if not _is_gap(day)]


def _is_gap(day: ProjectDay) -> bool:
    """Nothing was observed on the day."""
    return day.accounts > 0 and not day.is_observed


def _points(
    tx: sa.Connection,
    project: Project,
    span: DaySpan,
    past: Sequence[ProjectDay],
    now: Mapping[str, Sums],
    turns: Sequence[Crossing],
    place: int,
) -> list[ChartDay]:
    """What the chart shows. past: up to today. turns: who began or ceased to count since its first day."""
    days = fill_gaps([_chart_day(one, place) for one in past], days_up_to(span.last, span.days))
    is_past = bool(past) and span.last < past[-1].day
    points = from_first_known([*days, *(() if is_past else _chart_now(tx, project, past, now, turns, place))])
    return by_week(points) if span.weekly else points


def _chart_day(found: ProjectDay, place: int) -> ChartDay:
    said = {"carried": found.carried, "accounts": found.accounts, "gap": _is_gap(found)}
    return _moved(found.movement, found.day, place, **said)


def _moved(movement: Movement, day: date, place: int, **more: Any) -> ChartDay:
    return ChartDay(
        day, movement.total[place], movement.growth[place], movement.joined[place], movement.left[place], **more
    )


def _chart_now(
    tx: sa.Connection,
    project: Project,
    past: Sequence[ProjectDay],
    now: Mapping[str, Sums],
    turns: Sequence[Crossing],
    place: int,
) -> list[ChartDay]:
    """The present, measured against the last day."""
    if not past or project.as_of is None:
        return []
    last, before = DayEnd(past[-1].day), {project.id: past[-1].sums}
    moved = since_day(tx, last, Present(), before, now, turns)[project.id].movement
    return [_moved(moved, past[-1].day, place, now=True)]


# Groups


def _groups(cohorts: Sequence[Cohort], name: Callable[[Cohort], str], place: int) -> list[GroupBar]:
    """Of the accounts that count; those with the most first."""
    found = group_alike((one for one in cohorts if one.profiles), name, attrgetter("profiles"))
    values = {key: together(members).movement.total[place] for key, members in found.items()}
    largest = max((value or 0 for value in values.values()), default=0) or 1
    bars = [
        GroupBar(key, sum(one.profiles for one in members), values[key], round(100 * (values[key] or 0) / largest, 1))
        for key, members in found.items()
    ]
    return by_value(bars, lambda bar: bar.value, lambda bar: bar.name, descending=True)[:GROUPS]
