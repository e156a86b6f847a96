"""A project at a glance: totals, groups, target, growth and history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from operator import itemgetter
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa
from flask import Response

from webapp.api.http.answering import Content, answer_about_project
from webapp.api.http.asking import (
    FORMATS,
    Period,
    PeriodQuery,
    Text,
    choose,
    fits,
    period,
    refusal,
    refuse_too_much,
    today,
)
from webapp.api.http.routes import Answer, Route, as_csv
from webapp.api.http.tables import json_content, table
from webapp.api.shapes.counts import CountsOut, GroupCounts, Growth, group_counts, growth_24h, growth_between
from webapp.api.shapes.history import Analytics, HistoryDay, TopProfile
from webapp.api.views.accounts import TAGGED
from webapp.api.views.projects import progress
from webapp.clock import iso
from webapp.model import Counts, Values
from webapp.rules.growth import day_growth, total
from webapp.rules.history import History, ProjectDay, history, members_of
from webapp.rules.sorting import by_value, group_by
from webapp.store.accounts import Account
from webapp.store.projects import Project
from webapp.store.standing import Grown, cells, grown, standing_at

PROFILES = 100
GROUPS = 500


class AnalyticsQuery(PeriodQuery, frozen=True, kw_only=True):
    """Of which accounts and days. Capitals and a leading @ do not matter. Fields and csv are of the history."""

    platform: Annotated[Text | None, msgspec.Meta(description="only of this platform, such as youtube")] = None
    topic: Annotated[Text | None, msgspec.Meta(description="only of this topic")] = None
    owner: Annotated[Text | None, msgspec.Meta(description="only of this person")] = None


def get_analytics(asked: AnalyticsQuery, project_id: str) -> Response:
    """Totals, groups, target, growth and daily history of a project.

    Totals are the current counts; the history is made of daily snapshots, and its last day can be behind them. An
    account counts from the day of its first snapshot to the day before it was removed. csv gives the history alone.
    """
    choose("format", asked.format, FORMATS)
    if asked.fields is not None and asked.format != "csv":
        raise refusal("fields", "fields are of the history as csv; ask for format=csv")
    day = today()
    days = period(asked, day)
    return answer_about_project(
        project_id, asked, day, lambda tx, project: _content(tx, project, asked, days), growing=True
    )


def _content(tx: sa.Connection, project: Project, asked: AnalyticsQuery, days: Period) -> Content:
    everyone = [*grown(tx, "project", project.id, removed=True)]
    refuse_too_much(len(everyone), days.days)
    wanted = [one for one in everyone if fits(asked, one.account)]
    past = _history(tx, project, [one.account for one in wanted], days, all_of_them=len(wanted) == len(everyone))
    if asked.format == "csv":
        return table(HistoryDay, "history", map(_day, past.days), asked, file=f"history-{days.start}-{days.end}")
    there = [one for one in wanted if one.account.removed_at is None]
    views = Counts._make(total(one.account.counts for one in everyone if one.account.removed_at is None)).views
    return json_content(_analytics(project, there, days, past, progress(views, project.target_views)))


def _history(
    tx: sa.Connection, project: Project, accounts: Sequence[Account], days: Period, *, all_of_them: bool
) -> History:
    if not accounts or days.days == 0:
        return History([], total([]))
    before = standing_at(tx, "project", project.id, days.before)
    found: Iterable[tuple[Any, ...]] = cells(tx, "project", project.id, days.start, days.end)
    if not all_of_them:
        ids = {account.id for account in accounts}
        before = {i: stood for i, stood in before.items() if i in ids}
        found = (cell for cell in found if cell[1] in ids)
    return history(days.start, days.end, before, found, members_of(accounts))


def _analytics(
    project: Project,
    there: Sequence[Grown],
    days: Period,
    past: History,
    percent: tuple[float | None, float | None],
) -> Analytics:
    as_of = project.as_of
    growths = [day_growth(account.counts, points, as_of) for account, points in there]
    accounts = [one.account for one in there]
    return Analytics(
        project_id=project.id,
        project_name=project.name,
        as_of=iso(as_of),
        start_date=str(days.start),
        end_date=str(days.end),
        total_profiles=len(accounts),
        totals=total(account.counts for account in accounts),
        target_views=project.target_views,
        progress_percent=percent[0],
        progress_capped=percent[1],
        growth_24h=growth_24h(project, growths),
        growth=_growth_over(past),
        platform_stats=_groups(accounts, lambda account: account.platform),
        topic_stats=_groups(accounts, lambda account: account.topic or ""),
        users_stats=_groups(accounts, lambda account: account.owner or ""),
        profiles=_profiles(accounts, growths),
        history=[_day(one) for one in past.days],
    )


def _growth_over(past: History) -> Growth | None:
    """The growth over the days of a history; a single day has none."""
    if len(past.days) < 2:  # noqa: PLR2004
        return None
    return growth_between(str(past.days[0].day), str(past.days[-1].day), past.growth)


def _groups(accounts: Iterable[Account], name: Callable[[Account], str]) -> dict[str, GroupCounts]:
    """The groups with the most views first."""
    found = group_by(accounts, name)
    groups = {name: group_counts([account.counts for account in members]) for name, members in found.items()}
    ordered = by_value(groups.items(), lambda one: Counts._make(one[1].counts).views, itemgetter(0), descending=True)
    return dict(ordered[:GROUPS])


def _profiles(accounts: Sequence[Account], growths: Sequence[Values]) -> list[TopProfile]:
    """Those with the most views."""
    pairs = zip(accounts, growths, strict=True)
    ordered = by_value(pairs, lambda one: one[0].counts.views, lambda one: one[0].id, descending=True)
    return [_profile(account, growth) for account, growth in ordered[:PROFILES]]


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


def _day(one: ProjectDay) -> HistoryDay:
    return HistoryDay(
        str(one.day),
        one.counts,
        Counts._make(one.delta).views,
        CountsOut(one.growth),
        _text(one.since),
        one.accounts,
        one.carried > 0,
        one.carried,
    )


def _text(day: date | None) -> str | None:
    return None if day is None else str(day)


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
