"""The home page: every project at a glance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from typing import Any, NamedTuple

import sqlalchemy as sa
from flask import Response, current_app, request

from webapp import web
from webapp.clock import Clock
from webapp.config import Settings
from webapp.dashboard.charts import ChartDay, SparkDrawing, add_up, draw_line, draw_spark
from webapp.dashboard.problems import to_mend
from webapp.dashboard.questions import PERIODS, days_in_query, links, metric_in_query, page_in_query
from webapp.dashboard.rendering import SetUp, count_alerts, page
from webapp.dashboard.runs import latest_run, live_run
from webapp.dashboard.states import state_of, target_percent
from webapp.dashboard.tiles import SPARK_DAYS, MetricTile, metric_tiles
from webapp.dashboard.totals import VIEWS, Compared, Course, compare, find_courses, points_of
from webapp.model import METRICS, Metric, Values
from webapp.rules.freshness import stale_readings
from webapp.rules.growth import NO_SUMS, Sums
from webapp.rules.outcomes import URGENCY, ProjectState, standing_words, succeeded
from webapp.rules.platforms import platform_words, units_left, unread_words
from webapp.rules.sorting import by_value, group_by, says
from webapp.store import (
    account_reads,
    alerts,
    doubts,
    held,
    leases,
    lost_history,
    platforms,
    reading_ages,
    schedule,
)
from webapp.store.by_project import ByProject
from webapp.store.db import Database
from webapp.store.heads import all_heads
from webapp.store.movements import WHOLE
from webapp.store.platforms import PlatformState
from webapp.store.projects import Project
from webapp.store.reading_ages import ReadingAge
from webapp.store.wholes import by_project, present, since_moments

SORTS = {"urgency": "what needs somebody", "name": "name", "views": "views", "day": "24 h", "week": "7 days"}
SHOWN = ("all", "failed", "hand")
PER_PAGE = 24
LONGEST_WORD = 100
MEMORY = "smart_sync.home"  # where the app keeps its HomeMemory


class HomeSums(NamedTuple):
    """A project's accounts together. now: what they come to; day, week: since 24 hours and 7 days ago."""

    accounts: int
    now: Sums
    day: Sums
    week: Sums


Ages = Mapping[str, Sequence[ReadingAge]]  # {project: of the readings of each program}


class HomeMemory:
    """What the home page says of each project, as of the last change of anything in it, for whoever looks next."""

    def __init__(self, *, keep: bool = True) -> None:
        self.sums: ByProject[HomeSums] = ByProject(keep=keep)
        self.ages: ByProject[Sequence[ReadingAge]] = ByProject(keep=keep)
        self.courses: ByProject[Course] = ByProject(keep=keep)


@dataclass(frozen=True)
class ProjectListing:
    """Which projects, in which order. sort: `urgency`, or as SORTS."""

    sort: str = "urgency"
    show: str = "all"
    q: str = ""
    page: int = 1


@dataclass(frozen=True)
class ProjectCard:
    """One project at a glance. state: the worst thing that is so. silent: a program that reads has stopped.

    counts, day, week: what its accounts come to, and grew by in 24 hours and 7 days. problems: but those that are held or
    in doubt. alerts: that nobody has acknowledged. views: of the latest days.
    """

    project: Project
    accounts: int
    counts: Values
    day: Values
    week: Values
    views: Sequence[int | None]
    state: ProjectState
    problems: int
    held: int
    doubts: int
    alerts: int
    percent: float | None
    silent: bool
    due: bool

    @property
    def spark(self) -> SparkDrawing | None:
        """Drawn when it is shown, as few of many are."""
        return draw_spark(self.views)

    @property
    def needs_hand(self) -> bool:
        return self.state == "degraded" or bool(self.problems or self.held or self.doubts or self.silent)


@dataclass(frozen=True)
class PlatformLine:
    """How reading a platform stands. words: in a sentence. left: units of today. unread: why accounts are."""

    facts: PlatformState
    words: str
    left: int | None
    unread: Sequence[str]


@dataclass(frozen=True)
class Whole:
    """All projects together, of one metric by day."""

    tiles: Sequence[MetricTile]
    points: Sequence[ChartDay]
    compared: Compared | None


@dataclass(frozen=True)
class HomePage:
    """cards: of every project; shown: those that fit the listing, on so many pages; found: how many.

    silences: what is said of each program that has stopped reading.
    """

    cards: Sequence[ProjectCard]
    shown: Sequence[ProjectCard]
    found: int
    pages: int
    whole: Whole
    silences: Sequence[str]
    platforms: Sequence[PlatformLine]

    @property
    def standing(self) -> str | None:
        """How many projects failed, and how many need somebody, in words."""
        return standing_words([card.state for card in self.cards], self.hands)

    @property
    def failed(self) -> int:
        return sum(card.state == "failed" for card in self.cards)

    @property
    def hands(self) -> int:
        """Projects that need somebody, but those that failed."""
        return sum(card.needs_hand and card.state != "failed" for card in self.cards)

    @property
    def accounts(self) -> int:
        return sum(card.accounts for card in self.cards)

    def next_turn(self, now: datetime) -> datetime | None:
        """When the first project is to be synced by itself, past or not; None: none is."""
        return min(filter(None, (card.project.turn(now) for card in self.cards)), default=None)

    @property
    def checked_at(self) -> datetime | None:
        return max((card.project.checked_at for card in self.cards if card.project.checked_at), default=None)


def home() -> Response:
    """Every project at a glance; what to do first where there is no spreadsheet yet."""
    settings, database, now = web.get(Settings), web.get(Database), web.get(Clock).now()
    set_up = web.get(SetUp)
    memory = current_app.extensions.setdefault(MEMORY, HomeMemory(keep=set_up.keep))
    metric, days, listing = metric_in_query(), days_in_query(), _listing()
    with database.read() as tx:
        found = home_page(tx, memory, database.generation, now, settings, listing, metric, days)
        count_alerts(tx)
        live, loss, latest = live_run(tx), lost_history.open_loss(tx), latest_run(tx)
    unhappy = latest if latest and not succeeded(latest) else None
    return page(
        "home.html",
        home=found,
        live=live,
        loss=loss,
        latest=latest,
        unhappy=unhappy,
        set_up=set_up,
        metric=metric,
        days=days,
        periods=PERIODS,
        listing=listing,
        sorts=SORTS,
        chart=draw_line(found.whole.points),
        together=add_up(found.whole.points),
        **links(),
    )


def _listing() -> ProjectListing:
    """What is asked for, as far as it makes sense."""
    asked = request.args
    sort, show = asked.get("sort", ""), asked.get("show", "")
    return ProjectListing(
        sort if sort in SORTS else "urgency",
        show if show in SHOWN else "all",
        asked.get("q", "").strip()[:LONGEST_WORD],
        page_in_query(),
    )


def home_page(
    tx: sa.Connection,
    memory: HomeMemory,
    generation: int,
    now: datetime,
    settings: Settings,
    listing: ProjectListing | None = None,
    metric: Metric = "views",
    period: int = SPARK_DAYS,
) -> HomePage:
    """Every project that is not removed, in the order of the listing, and all of them together over a period of days."""
    listing = listing or ProjectListing()
    projects = all_heads(tx)
    today = now.date()
    sums = memory.sums.of(projects, (generation, today), lambda some: _sums(tx, some))
    place = METRICS.index(metric)
    courses = memory.courses.of(
        projects,
        (generation, today, metric, period),
        lambda some: find_courses(tx, {one.id: sums[one.id].now for one in some}, place, period, today),
    )
    ages = _ages(tx, memory, (generation, today), projects, now, settings.readings_stale_after)
    silences = _silences(ages, settings.readings_stale_after, now)
    decisions = held.counts(tx), doubts.counts(tx), alerts.counts_open(tx)
    syncing = leases.syncing(tx, settings.lease_ms)
    due = schedule.due_ids(tx, now, settings.interval_minutes)
    cards = []
    for project in projects:
        state = state_of(project, syncing=project.id in syncing, stale_after=settings.stale_after, now=now)
        silent = project.id in silences
        counts = [some.get(project.id, 0) for some in decisions]
        cards.append(
            _card(project, (sums[project.id], courses[project.id]), state, counts, silent=silent, due=project.id in due)
        )
    cards.sort(key=lambda card: _urgency(card, settings.stale_after, now))
    fitting = _sort([card for card in cards if _fits(card, listing)], listing.sort)
    pages = max(1, -(-len(fitting) // PER_PAGE))
    start = (min(listing.page, pages) - 1) * PER_PAGE
    told = stale_readings(reading_ages.together(ages.values()), settings.readings_stale_after, now)
    whole = _whole([*courses.values()], [*sums.values()], place, today)
    return HomePage(cards, fitting[start : start + PER_PAGE], len(fitting), pages, whole, told, _platforms(tx, now))


def _fits(card: ProjectCard, listing: ProjectListing) -> bool:
    shown = {"all": True, "failed": card.state == "failed", "hand": card.needs_hand and card.state != "failed"}
    return shown[listing.show] and says(listing.q, card.project.name)


def _sort(cards: Sequence[ProjectCard], sort: str) -> list[ProjectCard]:
    if sort == "urgency":
        return [*cards]
    values: Mapping[str, Callable[[ProjectCard], Any]] = {
        "name": lambda card: card.project.name.casefold(),
        "views": lambda card: card.counts[VIEWS],
        "day": lambda card: card.day[VIEWS],
        "week": lambda card: card.week[VIEWS],
    }
    return by_value(cards, values[sort], lambda card: card.project.name, descending=sort != "name")


def _whole(courses: Sequence[Course], sums: Sequence[HomeSums], place: int, today: date) -> Whole:
    sides = ([one.now for one in sums], [one.day for one in sums], [one.week for one in sums])
    now, day, week = (reduce(Sums.plus, side, NO_SUMS).movement for side in sides)
    points = points_of(courses, place, today)
    tiles = metric_tiles(now.total, day.growth, week.growth, lambda _: [])
    return Whole(tiles, points, compare(courses, place, today))


def _platforms(tx: sa.Connection, now: datetime) -> list[PlatformLine]:
    found = platforms.listed(tx)
    reasons = group_by(account_reads.unread(tx), lambda one: one.source) if found else {}
    return [
        PlatformLine(
            one,
            platform_words(one, one.unread),
            units_left(one, now),
            unread_words(one.name, reasons.get(one.name, ())),
        )
        for one in found
    ]


def _ages(
    tx: sa.Connection,
    memory: HomeMemory,
    generation: tuple[int, date],
    projects: Sequence[Project],
    now: datetime,
    limit: int,
) -> Ages:
    """How old the readings are. limit: minutes.

    A reading that says the same again is no change: what is fresh stays so for the day, after which it may be frozen;
    what looks stale is looked at again.
    """

    def find(some: Sequence[Project]) -> Ages:
        found = reading_ages.of_projects(tx, now, limit, [one.id for one in some])
        return {one.id: found.get(one.id, ()) for one in some}

    ages = memory.ages.of(projects, generation, find)
    silent = _silences(ages, limit, now)
    return {**ages, **memory.ages.of([one for one in projects if one.id in silent], generation, find, anew=True)}


def _silences(ages: Ages, limit: int, now: datetime) -> set[str]:
    """The projects for which some program has stopped. limit: minutes."""
    return {one for one, mine in ages.items() if stale_readings(mine, limit, now)}


def _urgency(card: ProjectCard, stale_after: int, now: datetime) -> int:
    """How early somebody looks at it; a sync that is at work moves nothing."""
    return URGENCY.index(state_of(card.project, syncing=False, stale_after=stale_after, now=now))


def _card(
    project: Project,
    found: tuple[HomeSums, Course],
    state: ProjectState,
    decisions: Sequence[int],
    *,
    silent: bool,
    due: bool,
) -> ProjectCard:
    """decisions: how many values are held, how many in doubt, and how many alerts are open."""
    sums, course = found
    counts, (waiting, in_doubt, open_alerts) = sums.now.known_total, decisions
    return ProjectCard(
        project,
        sums.accounts,
        counts,
        sums.day.movement.growth,
        sums.week.movement.growth,
        course.views,
        state,
        len(to_mend(project)),
        waiting,
        in_doubt,
        open_alerts,
        target_percent(project, counts),
        silent,
        due,
    )


def _sums(tx: sa.Connection, projects: Sequence[Project]) -> dict[str, HomeSums]:
    ids = [one.id for one in projects]
    there = {one.project_id: one for one in present(tx, ids, by=WHOLE)}
    now = by_project(there.values())
    day, week = since_moments(tx, ids, (1, 7), now)
    profiles = {one: there[one].profiles if one in there else 0 for one in ids}
    return {one: HomeSums(profiles[one], *(side.get(one, NO_SUMS) for side in (now, day, week))) for one in ids}
