"""A project at a glance: totals, groups, target, growth and history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from itertools import islice
from operator import attrgetter, itemgetter
from typing import NamedTuple

import sqlalchemy as sa
from flask import Response

from webapp.api.http.answering import answer_about_project
from webapp.api.http.asking import (
    FORMATS,
    OfOwner,
    OfPlatform,
    OfTopic,
    Period,
    PeriodQuery,
    choose,
    fits,
    period,
    refusal,
    refuse_too_much,
    today,
)
from webapp.api.http.memory import Content
from webapp.api.http.routes import Answer, Route, as_csv
from webapp.api.http.tables import FileName, csv_content, json_content
from webapp.api.shapes.counts import CountsOut, GroupCounts, GroupGrowth, group_growth, growth_since
from webapp.api.shapes.history import Analytics, HistoryDay, Now, TopProfile
from webapp.api.views.projects import TAGGED
from webapp.clock import iso
from webapp.model import LARGEST, Counts, Values
from webapp.rules.growth import NO_SUMS, Sums, counting, difference, progress, total
from webapp.rules.history import ProjectDay, history
from webapp.rules.sorting import by_value, group_alike
from webapp.store import account_pages, doubts, spans
from webapp.store import days as kept_days
from webapp.store.accounts import Account
from webapp.store.ends import DayEnd, DaysBack, End, Present
from webapp.store.movements import Cohort, between, together
from webapp.store.projects import Project
from webapp.store.standing import Recent, cells, everybody, recent, standing_at
from webapp.store.wholes import crossings, present, since_day, since_moments

PROFILES = 100
GROUPS = 500


class AnalyticsQuery(PeriodQuery, frozen=True, kw_only=True):
    """Of which accounts and days. Capitals and a leading @ do not matter. Fields and csv are of the history."""

    platform: OfPlatform = None
    topic: OfTopic = None
    owner: OfOwner = None

    @property
    def some(self) -> bool:
        """Whether only some of the accounts are asked for."""
        return (self.platform, self.topic, self.owner) != (None, None, None)


def get_analytics(asked: AnalyticsQuery, project_id: str) -> Response:
    """Totals, groups, target, growth and daily history of a project.

    Totals are the current counts; the history is made of daily snapshots, and its last day can be behind them: `now`
    says how far. An account counts for a metric from its first value on, while it belongs to the project and its mode
    is not `off`. csv gives the history alone.
    """
    choose("format", asked.format, FORMATS)
    if asked.fields is not None and asked.format != "csv":
        raise refusal("fields", "fields are of the history as csv; ask for format=csv")
    day = today()
    days = period(asked, day)
    return answer_about_project(project_id, asked, day, lambda tx, project: _content(tx, project, asked, days))


class AnalyticsMoved(NamedTuple):
    """Over 24 hours, over 7 days, over the history, and from its last day to now."""

    day: Sums
    week: Sums
    over: Sums
    since_last: Sums


class AnalyticsFacts(NamedTuple):
    """What is known of the accounts that are asked for.

    groups: those that are there now. doubted: how much of the current counts is doubted.
    """

    groups: Sequence[Cohort]
    moved: AnalyticsMoved
    past: Sequence[ProjectDay]
    doubted: Values
    profiles: Sequence[Recent]


def _content(tx: sa.Connection, project: Project, asked: AnalyticsQuery, days: Period) -> Content:
    past = _past(tx, project, asked, days)
    if asked.format == "csv":
        return csv_content(HistoryDay, _days(past), asked, file=FileName.of("history", project, days.start, days.end))

    everyone = present(tx, [project.id])
    facts = AnalyticsFacts(
        groups=[group for group in everyone if fits(asked, group)],
        moved=_moved(tx, project, asked, past, together(everyone)),
        past=past,
        doubted=_doubted(tx, project, asked),
        profiles=_most_viewed(tx, project, asked),
    )
    views = Counts._make(together(everyone).movement.total).views
    return json_content(_analytics(project, days, facts, progress(views, project.target_views)))


def _moved(
    tx: sa.Connection, project: Project, asked: AnalyticsQuery, past: Sequence[ProjectDay], there: Sums
) -> AnalyticsMoved:
    """there: everybody at present."""
    if asked.some:
        return _moved_some(tx, project, asked, past)
    ids, now = [project.id], {project.id: there}
    day, week = (found.get(project.id, NO_SUMS) for found in since_moments(tx, ids, (1, 7), now))
    if not past:
        return AnalyticsMoved(day, week, NO_SUMS, there)
    first, last = DayEnd(past[0].day), DayEnd(past[-1].day)
    at_first, at_last = {project.id: past[0].sums}, {project.id: past[-1].sums}
    crossed = crossings(tx, ids, first.day)
    over = since_day(tx, first, last, at_first, at_last, crossed)
    since = since_day(tx, last, Present(), at_last, now, crossed)
    return AnalyticsMoved(day, week, over[project.id], since[project.id])


def _moved_some(
    tx: sa.Connection, project: Project, asked: AnalyticsQuery, past: Sequence[ProjectDay]
) -> AnalyticsMoved:
    def moved(then: End, now: Present | DayEnd) -> Sums:
        return together(one for one in between(tx, "project", project.id, then, now) if fits(asked, one))

    day, week = (moved(DaysBack(back), Present()) for back in (1, 7))
    if not past:
        return AnalyticsMoved(day, week, NO_SUMS, day.from_nothing())
    first, last = DayEnd(past[0].day), DayEnd(past[-1].day)
    return AnalyticsMoved(day, week, moved(first, last), moved(last, Present()))


def _past(tx: sa.Connection, project: Project, asked: AnalyticsQuery, days: Period) -> list[ProjectDay]:
    """The history: of the whole project as it is kept, of some of its accounts by the plain rule."""
    if days.days == 0:
        return []
    if not asked.some:
        return kept_days.of_project(tx, project.id, days.start, days.end)
    people = {one.id: one for one in everybody(tx, "project", project.id, removed=True)}
    wanted = {one.id for one in people.values() if fits(asked, one)}
    refuse_too_much(len(people), days.days)
    before = {i: one for i, one in standing_at(tx, "project", project.id, days.before).items() if i in wanted}
    found = (cell for cell in cells(tx, "project", project.id, days.start, days.end) if cell[1] in wanted)
    mine = (span for span in spans.of_scope(tx, "project", project.id) if span.account_id in wanted)
    return history(days.start, days.end, before, found, mine)


def _doubted(tx: sa.Connection, project: Project, asked: AnalyticsQuery) -> Values:
    bits = doubts.bits_of_sheet(tx, project.id)
    people = everybody(tx, "few", [*bits]) if bits else ()
    return total(counting(one.contribution, bits[one.id]) for one in people if fits(asked, one))


def _most_viewed(tx: sa.Connection, project: Project, asked: AnalyticsQuery) -> list[Recent]:
    """Those with the most views first."""
    limit = LARGEST if asked.some else PROFILES
    people = account_pages.page(tx, project.id, limit=limit, metric="views", descending=True)
    ids = [*islice((one.id for one in people if fits(asked, one)), PROFILES)]
    found = {one.account.id: one for one in recent(tx, "few", ids, 1, {project.id: project.as_of})}
    return [found[one] for one in ids]


def _analytics(
    project: Project, days: Period, facts: AnalyticsFacts, percent: tuple[float | None, float | None]
) -> Analytics:
    day = facts.moved.day.movement
    profiles = sum(group.profiles for group in facts.groups)
    return Analytics(
        project_id=project.id,
        project_name=project.name,
        as_of=iso(project.as_of),
        start_date=str(days.start),
        end_date=str(days.end),
        total_profiles=profiles,
        totals=day.total,
        target_views=project.target_views,
        progress_percent=percent[0],
        progress_capped=percent[1],
        growth_24h=growth_since(project, 1, day),
        growth_7d=growth_since(project, 7, facts.moved.week.movement),
        growth=_over(facts),
        now=_now(project, facts, profiles),
        platform_stats=_groups(facts.groups, lambda group: group.platform),
        topic_stats=_groups(facts.groups, lambda group: group.topic or ""),
        users_stats=_groups(facts.groups, lambda group: group.owner or ""),
        profiles=[_profile(one.account, difference(one.now, one.then)) for one in facts.profiles],
        history=_days(facts.past),
    )


def _over(facts: AnalyticsFacts) -> GroupGrowth | None:
    """From the first day of the history to the last; a single day has none."""
    if len(facts.past) < 2:  # noqa: PLR2004
        return None
    return group_growth(str(facts.past[0].day), str(facts.past[-1].day), facts.moved.over.movement)


def _now(project: Project, facts: AnalyticsFacts, profiles: int) -> Now:
    """The current counts against the last day of the history; without one, all have joined."""
    moved = facts.moved.since_last.movement
    return Now(
        as_of=iso(project.as_of),
        since=str(facts.past[-1].day) if facts.past else None,
        profiles=profiles,
        counts=moved.total,
        growth=CountsOut(moved.growth),
        joined=CountsOut(moved.joined),
        left=CountsOut(moved.left),
        doubted=CountsOut(facts.doubted),
    )


def _groups(groups: Iterable[Cohort], name: Callable[[Cohort], str]) -> dict[str, GroupCounts]:
    """Those with the most views first, by name among equals."""
    found = {}
    there = (group for group in groups if group.profiles)
    for key, members in group_alike(there, name, attrgetter("profiles")).items():
        counts = together(members).movement.total
        found[key] = GroupCounts(sum(group.profiles for group in members), counts)
    ordered = by_value(found.items(), lambda one: Counts._make(one[1].counts).views, itemgetter(0), descending=True)
    return dict(ordered[:GROUPS])


def _profile(account: Account, growth: Values) -> TopProfile:
    return TopProfile(
        account.id,
        account.platform,
        account.username,
        account.profile_url,
        account.topic,
        account.owner,
        account.counts,
        CountsOut(growth),
    )


def _days(past: Iterable[ProjectDay]) -> list[HistoryDay]:
    """since: the last day before on which anything was observed."""
    found, since = [], None
    for one in past:
        found.append(_day(one, since))
        since = one.day if one.is_observed else since
    return found


def _day(one: ProjectDay, since: date | None) -> HistoryDay:
    moved = one.movement
    return HistoryDay(
        date=str(one.day),
        counts=moved.total,
        delta=Counts._make(moved.delta).views,
        growth=CountsOut(moved.growth),
        joined=CountsOut(moved.joined),
        left=CountsOut(moved.left),
        since=None if since is None else str(since),
        accounts=one.accounts,
        carried=one.carried > 0,
        carried_accounts=one.carried,
    )


ANALYTICS = Route(
    "get_analytics",
    "history",
    "GET",
    "/api/projects/<project_id>/analytics",
    get_analytics,
    "read",
    query=AnalyticsQuery,
    answers={200: Answer(Analytics, headers=("ETag", "Last-Modified")), **TAGGED},
    problems=("project_not_found",),
)

ROUTES = (ANALYTICS, as_csv(ANALYTICS, "export_history", "The history"))
