"""The days of an account, and the days that are missing."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated

import msgspec
import sqlalchemy as sa
from flask import Response

from webapp.api.http.answering import answer_about_account, answer_about_project
from webapp.api.http.asking import Period, PeriodQuery, period, refuse_too_much, today
from webapp.api.http.memory import Content
from webapp.api.http.routes import Answer, Route, as_csv
from webapp.api.http.tables import lines_content
from webapp.api.shapes.history import (
    AccountGaps,
    DailyStats,
    DailyStatsList,
    GapList,
    MetricDay,
    SnapshotGap,
    SnapshotList,
    SnapshotOut,
)
from webapp.api.views.projects import TAGGED
from webapp.model import LARGEST
from webapp.rules.history import AccountDay, DayGap, days_of, gaps
from webapp.store import spans
from webapp.store.accounts import Account, missing
from webapp.store.projects import Project
from webapp.store.standing import Scope, cells, everybody, standing_at
from webapp.store.types import as_text

YEARS = 5 * 366
PER_ACCOUNT = 1_000


class SnapshotsQuery(PeriodQuery, frozen=True, kw_only=True):
    """Which snapshots. With `limit` alone: so many of the newest, of the last five years."""

    limit: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=YEARS)] | None,
        msgspec.Meta(description="so many at most, the newest ones; still oldest first"),
    ] = None


def list_snapshots(asked: SnapshotsQuery, account_id: int) -> Response:
    """The daily snapshots of an account, oldest first; the last 30 days unless other days are asked for."""
    day = today()
    far = asked.limit is not None and asked.start_date is None
    days = period(asked, day, days=YEARS if far else 30)
    return answer_about_account(account_id, asked, day, lambda tx, _: _snapshots(tx, account_id, asked, days))


def _snapshots(tx: sa.Connection, account_id: int, asked: SnapshotsQuery, days: Period) -> Content:
    found = [*cells(tx, "account", account_id, days.start, days.end, times=True)]
    rows = [SnapshotOut(str(cell[0]), as_text(cell[-1]), cell[2:-1]) for cell in found[-(asked.limit or 0) :]]
    answer = SnapshotList(account_id, str(days.start), str(days.end), rows)
    return lines_content(answer, "snapshots", SnapshotOut, asked, file=f"snapshots-{account_id}")


class DaysQuery(PeriodQuery, frozen=True, kw_only=True):
    """Which days."""


def list_daily_stats(asked: DaysQuery, account_id: int) -> Response:
    """Every day of an account: where each metric began, where it ended, how much it grew.

    A day without a snapshot is carried forward with growth 0; `since` is the last day before it that was observed.
    """
    day = today()
    days = period(asked, day)
    return answer_about_account(account_id, asked, day, lambda tx, _: _daily_stats(tx, account_id, asked, days))


def _daily_stats(tx: sa.Connection, account_id: int, asked: DaysQuery, days: Period) -> Content:
    before = standing_at(tx, "account", account_id, days.before)
    found = [*cells(tx, "account", account_id, days.start, days.end)]
    counted = days_of(days.start, days.end, before, found, [*spans.of_scope(tx, "account", account_id)])
    snapshots = sorted({cell[0] for cell in found} | {day for day, _ in before.values()})
    rows = [_stats(one, snapshots) for one in counted]
    answer = DailyStatsList(account_id, str(days.start), str(days.end), rows)
    return lines_content(answer, "daily_stats", DailyStats, asked, file=f"daily-stats-{account_id}")


def _stats(one: AccountDay, snapshots: Sequence[date]) -> DailyStats:
    metrics = (MetricDay(*values) for values in zip(one.start, one.end, one.growth, strict=True))
    place = bisect_left(snapshots, one.day)
    return DailyStats(str(one.day), one.carried > 0, str(snapshots[place - 1]) if place else None, tuple(metrics))


class GapsQuery(PeriodQuery, frozen=True, kw_only=True):
    """Which days; a day that is not over is no gap yet."""

    per_account: Annotated[bool, msgspec.Meta(description="with the accounts and the days that each is missing")] = (
        False
    )
    account_id: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=LARGEST)] | None,
        msgspec.Meta(description="only of this account of the project"),
    ] = None


def list_gaps(asked: GapsQuery, project_id: str) -> Response:
    """The days on which accounts of a project have no snapshot.

    Counted are accounts from their first snapshot to the day before they were removed; those whose mode is `off` get
    no snapshots and miss none.
    """
    day = today()
    days = _whole_days(period(asked, day), day)
    return answer_about_project(project_id, asked, day, lambda tx, project: _gaps(tx, project, asked, days))


def _whole_days(days: Period, day: date) -> Period:
    """Those of the days that are over."""
    return Period(days.start, min(days.end, day - timedelta(days=1)))


def _gaps(tx: sa.Connection, project: Project, asked: GapsQuery, days: Period) -> Content:
    accounts = {account.id: account for account in everybody(tx, "project", project.id, removed=True)}
    refuse_too_much(len(accounts), days.days)
    if asked.account_id is not None and asked.account_id not in accounts:
        raise missing(asked.account_id)
    found = _find_gaps(tx, project, asked.account_id, days)
    rows = [SnapshotGap(str(gap.day), gap.accounts, len(gap.missing)) for gap in found]
    worst = _worst_accounts(found, accounts) if asked.per_account else msgspec.UNSET
    answer = GapList(project.id, str(days.start), str(days.end), rows, worst)
    return lines_content(answer, "gaps", SnapshotGap, asked, file=f"gaps-{days.start}-{days.end}")


def _find_gaps(tx: sa.Connection, project: Project, account_id: int | None, days: Period) -> list[DayGap]:
    if days.days == 0:
        return []
    scope: Scope = "project" if account_id is None else "account"
    of = project.id if account_id is None else account_id
    before = standing_at(tx, scope, of, days.before)
    found = cells(tx, scope, of, days.start, days.end)
    every = gaps(days.start, days.end, before, found, spans.of_scope(tx, scope, of))
    return [gap for gap in every if project.weekly_until is None or gap.day > project.weekly_until]


def _worst_accounts(found: Sequence[DayGap], accounts: dict[int, Account]) -> list[AccountGaps]:
    dates: dict[int, list[str]] = {}
    for gap in found:
        for account_id in gap.missing:
            dates.setdefault(account_id, []).append(str(gap.day))
    worst = sorted(dates, key=lambda account_id: (-len(dates[account_id]), account_id))
    return [_gaps_of(accounts[account_id], dates[account_id]) for account_id in worst[:PER_ACCOUNT]]


def _gaps_of(account: Account, dates: list[str]) -> AccountGaps:
    return AccountGaps(account.id, account.platform, account.username, account.profile_url, dates)


TAGGED_ANSWER = ("ETag", "Last-Modified")
SNAPSHOTS = Route(
    "list_snapshots",
    "history",
    "GET",
    "/api/accounts/<int:account_id>/snapshots",
    list_snapshots,
    "read",
    query=SnapshotsQuery,
    answers={200: Answer(SnapshotList, headers=TAGGED_ANSWER), **TAGGED},
    problems=["account_not_found"],
)
DAILY_STATS = Route(
    "list_daily_stats",
    "history",
    "GET",
    "/api/accounts/<int:account_id>/daily-stats",
    list_daily_stats,
    "read",
    query=DaysQuery,
    answers={200: Answer(DailyStatsList, headers=TAGGED_ANSWER), **TAGGED},
    problems=["account_not_found"],
)
GAPS = Route(
    "list_gaps",
    "history",
    "GET",
    "/api/projects/<project_id>/gaps",
    list_gaps,
    "read",
    query=GapsQuery,
    answers={200: Answer(GapList, headers=TAGGED_ANSWER), **TAGGED},
    problems=["project_not_found", "account_not_found"],
)

ROUTES = (
    SNAPSHOTS,
    as_csv(SNAPSHOTS, "export_snapshots"),
    DAILY_STATS,
    as_csv(DAILY_STATS, "export_daily_stats"),
    GAPS,
    as_csv(GAPS, "export_gaps"),
)
