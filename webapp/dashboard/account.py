"""The page of one account: the history of each metric, and why each number is what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Response

from webapp import web
from webapp.clock import Clock
from webapp.dashboard.charts import ChartDay, add_up, draw_bars, draw_line, fill_gaps, from_first_known, mark_left
from webapp.dashboard.crossed import Crossed, crossed, metrics_of
from webapp.dashboard.problems import Place, place_of
from webapp.dashboard.questions import PERIODS, days_in_query, links, metric_in_query
from webapp.dashboard.reasons import SourcedCount, columns_of, sourced_count, unreadable_cells
from webapp.dashboard.rendering import count_alerts, page
from webapp.dashboard.tiles import SPARK_DAYS, MetricTile, days_up_to, metric_tiles
from webapp.model import METRICS, Metric
from webapp.rules.addresses import cells_of
from webapp.rules.growth import difference
from webapp.rules.history import AccountDay, days_of
from webapp.rules.merge import pin_in_force
from webapp.store import account_reads, accounts, doubts, held, observations, pins, spans
from webapp.store.account_reads import AccountRead
from webapp.store.accounts import Account
from webapp.store.db import Database
from webapp.store.doubts import ListedDoubt
from webapp.store.heads import head_of_account
from webapp.store.held import Held
from webapp.store.observations import Observation, Sources
from webapp.store.pins import Pin
from webapp.store.projects import Project
from webapp.store.standing import Recent, cells, recent, standing_at
from webapp.store.types import Stamp

DECIDED = 3


@dataclass(frozen=True)
class SourceCount:
    """What one source says of a metric, in which cells or by which program, and since when.

    since None: it stands since before what waits now.
    """

    source: str
    value: int | None
    places: Sequence[Place]
    origin: str | None
    since: Stamp | None
    note: str | None


@dataclass(frozen=True)
class MetricReasons:
    """Why a metric is what it is. pin: the one in force. waiting: what is held; decided: what was, the latest first."""

    metric: Metric
    number: SourcedCount
    sides: Sequence[SourceCount]
    unreadable: Sequence[tuple[Place, str]]
    pin: Pin | None
    waiting: Sequence[Held]
    decided: Sequence[Held]
    doubt: ListedDoubt | None


@dataclass(frozen=True)
class AccountPage:
    """aliases: former addresses that mean it. has_row: the tab has one, which says owner and topic."""

    account: Account
    project: Project
    tiles: Sequence[MetricTile]
    points: Sequence[ChartDay]
    told: Sequence[MetricReasons]
    unread: AccountRead | None  # None: nothing is wrong with reading it
    crossed: Sequence[Crossed]
    aliases: Sequence[str]
    has_row: bool

    @property
    def marks(self) -> set[Metric]:
        """The metrics that are marked."""
        return metrics_of(self.crossed, self.account.id)


def account(account_id: int) -> Response:
    """One account: the history of each metric, and why each number is what it is."""
    now, metric, days = web.get(Clock).now(), metric_in_query(), days_in_query()
    with web.get(Database).read() as tx:
        project = head_of_account(tx, account_id)
        found = account_page(tx, project, account_id, metric, days, now)
        count_alerts(tx)
    return page(
        "account.html",
        it=found,
        metric=metric,
        days=days,
        periods=PERIODS,
        chart=draw_line(found.points),
        together=add_up(found.points),
        growth_bars=draw_bars(found.points),
        **links(),
    )


def account_page(
    tx: sa.Connection, project: Project, account_id: int, metric: Metric, days: int, now: datetime
) -> AccountPage:
    """An account, removed or not, of a project that is there."""
    today, as_of = now.date(), {project.id: project.as_of}
    (day,), (week,) = (recent(tx, "account", account_id, n, as_of) for n in (1, 7))
    account, place = day.account, METRICS.index(metric)
    dates = days_up_to(today, max(days, SPARK_DAYS))
    before = standing_at(tx, "account", account_id, dates[0] - timedelta(days=1))
    found = cells(tx, "account", account_id, dates[0], today)
    past = days_of(dates[0], today, before, found, [*spans.of_scope(tx, "account", account_id)])
    return AccountPage(
        account,
        project,
        metric_tiles(
            account.counts,
            difference(day.now, day.then),
            difference(week.now, week.then),
            lambda of: [one.end[of] for one in past if not one.carried >> of & 1],
        ),
        from_first_known(
            mark_left(
                [
                    *fill_gaps([_chart_day(day, place) for day in past], dates)[-days:],
                    *_chart_now(project, day, past, place),
                ]
            )
        ),
        _reasons(tx, account, project, now),
        account_reads.why_unread(tx, account.id),
        [one for one in crossed(tx, project.id) if one.account_id == account.id],
        accounts.aliases(tx, account.id),
        accounts.has_row(tx, account),
    )


def _chart_now(project: Project, one: Recent, past: Sequence[AccountDay], place: int) -> list[ChartDay]:
    """The present, measured against the last day."""
    if not past or project.as_of is None:
        return []
    growth = difference(one.now, past[-1].end)[place]
    return [ChartDay(past[-1].day, one.now[place], growth, now=True)]


def _chart_day(found: AccountDay, place: int) -> ChartDay:
    carried = found.carried >> place & 1
    joined = found.end[place] if found.start[place] is None else 0
    return ChartDay(found.day, found.end[place], found.growth[place], joined, 0, carried=carried, gap=bool(carried))


def _reasons(tx: sa.Connection, account: Account, project: Project, now: datetime) -> list[MetricReasons]:
    sources = observations.sources_of(tx, [account.id], now)[account.id]
    pinned = {pin.metric: pin for pin in pins.of_accounts(tx, [account.id]) if pin_in_force(pin.until, now)}
    kept_aside, unreadable = held.of_account(tx, account.id), unreadable_cells(project)
    doubted = {one.metric: one for one in doubts.listed(tx, account_id=account.id)}

    def told(metric: Metric) -> MetricReasons:
        number = sourced_count(account, project, sources, metric, unreadable)
        mine = [one for one in kept_aside if one.metric == metric]
        return MetricReasons(
            metric,
            number,
            [_side(project, one, sources, metric) for one in sources.observed.values()],
            [(place, words) for cell, words in number.unreadable.items() if (place := place_of(project, cell))],
            pinned.get(metric),
            [one for one in mine if one.state == "held"],
            [one for one in mine if one.state != "held"][:DECIDED],
            doubted.get(metric),
        )

    return [told(metric) for metric in METRICS]


def _side(project: Project, one: Observation, sources: Sources, metric: Metric) -> SourceCount:
    """What a source says, and of a program what is believed of it: the rest waits."""
    said = one.counts[METRICS.index(metric)]
    if one.source == "sheet":
        cells = cells_of(one.origin, columns_of(project).get(metric))
        places = [place for cell in cells if (place := place_of(project, cell))]
        return SourceCount(one.source, said, places, None, one.observed_at, one.note)
    believed = sources.believed[METRICS.index(metric)]
    return SourceCount(one.source, believed, (), one.origin, one.observed_at if said == believed else None, one.note)
