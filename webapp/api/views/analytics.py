"""A project at a glance: totals, groups, target, growth and history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from operator import itemgetter
from typing import NamedTuple

import sqlalchemy as sa
from flask import Response

from webapp.api.http.answering import Content, answer_about_project
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
from webapp.api.http.routes import Answer, Route, as_csv
from webapp.api.http.tables import csv_content, json_content
from webapp.api.shapes.counts import CountsOut, GroupCounts, GroupGrowth, group_counts, group_growth, growth_since
from webapp.api.shapes.history import Analytics, HistoryDay, Now, TopProfile
from webapp.api.views.accounts import TAGGED
from webapp.clock import iso
from webapp.model import UNKNOWN, Counts, Values
from webapp.rules.growth import counting, difference, movement, progress, total
from webapp.rules.history import ProjectDay, history
from webapp.rules.sorting import by_value, group_by
from webapp.store import days as kept_days
from webapp.store import observations, spans
from webapp.store.accounts import Account
from webapp.store.projects import Project
from webapp.store.standing import Ranged, Recent, cells, ranged, recent, standing_at

PROFILES = 100
GROUPS = 500


class AnalyticsQuery(PeriodQuery, frozen=True, kw_only=True):
    """Of which accounts and days. Capitals and a leading @ do not matter. Fields and csv are of the history."""

    platform: OfPlatform = None
    topic: OfTopic = None
    owner: OfOwner = None


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


class AnalyticsFacts(NamedTuple):
    """What is known of the accounts that are asked for. stood: what they counted for on the days of the history."""

    day: Sequence[Recent]
    week: Sequence[Recent]
    stood: Mapping[int, Ranged]
    past: Sequence[ProjectDay]
    doubted: Mapping[int, int]


def _content(tx: sa.Connection, project: Project, asked: AnalyticsQuery, days: Period) -> Content:
    if asked.format == "csv" and (asked.platform, asked.topic, asked.owner) == (None, None, None):
        return _csv(_past(tx, project, None, days, 0), asked, days)
    as_of = {project.id: project.as_of}
    everyone = [*recent(tx, "project", project.id, 1, as_of)]
    wanted = {one.account.id for one in everyone if fits(asked, one.account)}
    whole = len(wanted) == len(everyone)
    past = _past(tx, project, None if whole else wanted, days, len(everyone))
    if asked.format == "csv":
        return _csv(past, asked, days)
    facts = AnalyticsFacts(
        [one for one in everyone if one.account.id in wanted],
        [one for one in recent(tx, "project", project.id, 7, as_of) if one.account.id in wanted],
        _stood(tx, project, past, wanted),
        past,
        {key: bits for key, bits in observations.doubted_bits(tx, project.id).items() if key in wanted},
    )
    views = Counts._make(total(one.now for one in everyone)).views
    return json_content(_analytics(project, days, facts, progress(views, project.target_views)))


def _csv(past: Sequence[ProjectDay], asked: AnalyticsQuery, days: Period) -> Content:
    return csv_content(HistoryDay, _days(past), asked, file=f"history-{days.start}-{days.end}")


def _past(
    tx: sa.Connection, project: Project, wanted: set[int] | None, days: Period, accounts: int
) -> list[ProjectDay]:
    """The history: of the whole project as it is kept, of some of its accounts by the plain rule."""
    if days.days == 0:
        return []
    if wanted is None:
        return kept_days.of_project(tx, project.id, days.start, days.end)
    refuse_too_much(accounts, days.days)
    before = {i: one for i, one in standing_at(tx, "project", project.id, days.before).items() if i in wanted}
    found = (cell for cell in cells(tx, "project", project.id, days.start, days.end) if cell[1] in wanted)
    mine = (span for span in spans.of_scope(tx, "project", project.id) if span.account_id in wanted)
    return history(days.start, days.end, before, found, mine)


def _stood(tx: sa.Connection, project: Project, past: Sequence[ProjectDay], wanted: set[int]) -> dict[int, Ranged]:
    if not past:
        return {}
    rows = ranged(tx, "project", project.id, past[0].day, past[-1].day)
    return {row.account.id: row for row in rows if row.account.id in wanted}


def _analytics(
    project: Project, days: Period, facts: AnalyticsFacts, percent: tuple[float | None, float | None]
) -> Analytics:
    there = [one for one in facts.day if one.account.counted]
    moved = movement((one.then, one.now) for one in facts.day)
    return Analytics(
        project_id=project.id,
        project_name=project.name,
        as_of=iso(project.as_of),
        start_date=str(days.start),
        end_date=str(days.end),
        total_profiles=len(there),
        totals=moved.total,
        target_views=project.target_views,
        progress_percent=percent[0],
        progress_capped=percent[1],
        growth_24h=growth_since(project, 1, moved),
        growth_7d=growth_since(project, 7, movement((one.then, one.now) for one in facts.week)),
        growth=_over(facts),
        now=_now(project, facts),
        platform_stats=_groups(there, lambda account: account.platform),
        topic_stats=_groups(there, lambda account: account.topic or ""),
        users_stats=_groups(there, lambda account: account.owner or ""),
        profiles=_profiles(facts.day),
        history=_days(facts.past),
    )


def _over(facts: AnalyticsFacts) -> GroupGrowth | None:
    """From the first day of the history to the last; a single day has none."""
    if len(facts.past) < 2:  # noqa: PLR2004
        return None
    moved = movement((row.first, row.last) for row in facts.stood.values())
    return group_growth(str(facts.past[0].day), str(facts.past[-1].day), moved)


def _now(project: Project, facts: AnalyticsFacts) -> Now:
    """The current counts against the last day of the history."""
    last = {account_id: row.last for account_id, row in facts.stood.items()}
    moved = movement((last.get(one.account.id, UNKNOWN), one.now) for one in facts.day)
    doubted = total(counting(one.now, facts.doubted.get(one.account.id, 0)) for one in facts.day)
    return Now(
        as_of=iso(project.as_of),
        since=str(facts.past[-1].day) if facts.past else None,
        profiles=sum(one.account.counted for one in facts.day),
        counts=moved.total,
        growth=CountsOut(moved.growth),
        joined=CountsOut(moved.joined),
        left=CountsOut(moved.left),
        doubted=CountsOut(doubted),
    )


def _groups(there: Iterable[Recent], name: Callable[[Account], str]) -> dict[str, GroupCounts]:
    """The groups with the most views first."""
    members = group_by(there, lambda one: name(one.account))
    groups = {key: group_counts([one.now for one in mine]) for key, mine in members.items()}
    ordered = by_value(groups.items(), lambda one: Counts._make(one[1].counts).views, itemgetter(0), descending=True)
    return dict(ordered[:GROUPS])


def _profiles(accounts: Iterable[Recent]) -> list[TopProfile]:
    there = [one for one in accounts if one.account.removed_at is None]
    ordered = by_value(there, lambda one: one.account.counts.views, lambda one: one.account.id, descending=True)
    return [_profile(one.account, difference(one.now, one.then)) for one in ordered[:PROFILES]]


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
        since = one.day if one.carried < one.accounts else since
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
