"""The home page: every project at a glance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from flask import Response, current_app

from webapp import web
from webapp.clock import Clock
from webapp.config import Settings
from webapp.dashboard.charts import SparkDrawing, draw_spark
from webapp.dashboard.problems import to_mend
from webapp.dashboard.rendering import SetUp, page
from webapp.dashboard.runs import latest_run, live_run
from webapp.dashboard.states import state_of, target_percent
from webapp.dashboard.tiles import SPARK_DAYS
from webapp.model import METRICS, Values
from webapp.rules.freshness import stale_readings
from webapp.rules.growth import NO_SUMS, Sums
from webapp.rules.history import ProjectDay
from webapp.rules.outcomes import URGENCY, ProjectState, standing_words, succeeded
from webapp.rules.platforms import platform_words, units_left, unread_words
from webapp.rules.sorting import group_by
from webapp.store import account_reads, days, doubts, held, leases, lost_history, platforms, reading_ages, schedule
from webapp.store.by_project import ByProject
from webapp.store.db import Database
from webapp.store.heads import all_heads
from webapp.store.movements import WHOLE, Cohort
from webapp.store.platforms import PlatformState
from webapp.store.projects import Project
from webapp.store.reading_ages import ReadingAge
from webapp.store.wholes import by_project, present, since_moments

VIEWS = METRICS.index("views")
MEMORY = "smart_sync.home"  # where the app keeps its HomeMemory


class HomeSums(NamedTuple):
    """A project's accounts together. day, week: what they grew by in 24 hours and 7 days. views: of each day."""

    accounts: int
    counts: Values
    day: Values
    week: Values
    views: Sequence[int | None]


Ages = Mapping[str, Sequence[ReadingAge]]  # {project: of the readings of each program}


class HomeMemory:
    """What the home page says of each project, as of the last change of anything in it, for whoever looks next."""

    def __init__(self, *, keep: bool = True) -> None:
        self.sums: ByProject[HomeSums] = ByProject(keep=keep)
        self.ages: ByProject[Sequence[ReadingAge]] = ByProject(keep=keep)


@dataclass(frozen=True)
class ProjectCard:
    """One project at a glance. state: the worst thing that is so. silent: a program that reads has stopped.

    problems: but those that are held or in doubt.
    """

    project: Project
    sums: HomeSums
    spark: SparkDrawing | None
    state: ProjectState
    problems: int
    held: int
    doubts: int
    percent: float | None
    silent: bool
    due: bool

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
class HomePage:
    """silences: what is said of each program that has stopped reading."""

    cards: Sequence[ProjectCard]
    silences: Sequence[str]
    platforms: Sequence[PlatformLine]

    @property
    def standing(self) -> str | None:
        """How many projects failed, and how many need somebody, in words."""
        states = [card.state for card in self.cards]
        return standing_words(states, sum(card.needs_hand and card.state != "failed" for card in self.cards))

    @property
    def accounts(self) -> int:
        return sum(card.sums.accounts for card in self.cards)

    @property
    def checked_at(self) -> datetime | None:
        return max((card.project.checked_at for card in self.cards if card.project.checked_at), default=None)


def home() -> Response:
    """Every project at a glance; what to do first where there is no spreadsheet yet."""
    settings, database, now = web.get(Settings), web.get(Database), web.get(Clock).now()
    set_up = web.get(SetUp)
    memory = current_app.extensions.setdefault(MEMORY, HomeMemory(keep=set_up.keep))
    with database.read() as tx:
        found = home_page(tx, memory, database.generation, now, settings)
        live, loss, latest = live_run(tx), lost_history.open_loss(tx), latest_run(tx)
    unhappy = latest if latest and not succeeded(latest) else None
    return page("home.html", home=found, live=live, loss=loss, latest=latest, unhappy=unhappy, set_up=set_up)


def home_page(tx: sa.Connection, memory: HomeMemory, generation: int, now: datetime, settings: Settings) -> HomePage:
    """Every project that is not removed, those that failed first, then by name."""
    projects = all_heads(tx)
    today = now.date()
    sums = memory.sums.of(projects, (generation, today), lambda some: _sums(tx, some, today))
    ages = _ages(tx, memory, (generation, today), projects, now, settings.readings_stale_after)
    silences = _silences(ages, settings.readings_stale_after, now)
    waiting, in_doubt, syncing = held.counts(tx), doubts.counts(tx), leases.syncing(tx, settings.lease_ms)
    due = {project.id for project in schedule.due(tx, now, settings.interval_minutes)}
    cards = []
    for project in projects:
        state = state_of(project, syncing=project.id in syncing, stale_after=settings.stale_after, now=now)
        silent = project.id in silences
        mine, decisions = sums[project.id], (waiting.get(project.id, 0), in_doubt.get(project.id, 0))
        cards.append(_card(project, mine, state, decisions, silent=silent, due=project.id in due))
    cards.sort(key=lambda card: _urgency(card, settings.stale_after, now))
    told = stale_readings(reading_ages.together(ages.values()), settings.readings_stale_after, now)
    return HomePage(cards, told, _platforms(tx, now))


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
    sums: HomeSums,
    state: ProjectState,
    decisions: tuple[int, int],
    *,
    silent: bool,
    due: bool,
) -> ProjectCard:
    """decisions: how many values are held, and in doubt."""
    return ProjectCard(
        project,
        sums,
        draw_spark(sums.views),
        state,
        len(to_mend(project)),
        *decisions,
        target_percent(project, sums.counts),
        silent,
        due,
    )


def _sums(tx: sa.Connection, projects: Sequence[Project], today: date) -> dict[str, HomeSums]:
    ids = [one.id for one in projects]
    there = {one.project_id: one for one in present(tx, ids, by=WHOLE)}
    day, week = since_moments(tx, ids, (1, 7), by_project(there.values()))
    past = days.of_projects(tx, ids, today - timedelta(days=SPARK_DAYS - 1), today)
    return {one: _sum(there.get(one), day.get(one, NO_SUMS), week.get(one, NO_SUMS), past[one]) for one in ids}


def _sum(there: Cohort | None, day: Sums, week: Sums, past: Sequence[ProjectDay]) -> HomeSums:
    moved = day.movement
    return HomeSums(
        there.profiles if there else 0,
        moved.total,
        moved.growth,
        week.movement.growth,
        [one.total[VIEWS] for one in past],
    )
