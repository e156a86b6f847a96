"""All projects together: by person, platform, topic or project, over any days."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Annotated

import msgspec
import sqlalchemy as sa
from flask import Response

from webapp.api.http.answering import answer_about_all
from webapp.api.http.asking import (
    OfOwner,
    OfPlatform,
    OfTopic,
    Period,
    PeriodQuery,
    Text,
    choice,
    choose,
    fits,
    period,
    today,
)
from webapp.api.http.memory import Content
from webapp.api.http.routes import Answer, Route, as_csv
from webapp.api.http.tables import lines_content
from webapp.api.shapes.counts import GroupCounts, GroupGrowth, group_growth
from webapp.api.shapes.history import GroupTotals, Totals
from webapp.api.views.projects import TAGGED
from webapp.model import Counts
from webapp.rules.growth import Sums
from webapp.rules.sorting import by_value, group_alike, group_by
from webapp.store.ends import DayEnd
from webapp.store.movements import Cohort, between, together
from webapp.store.projects import Project

GROUPS = {"owner": "owner", "platform": "platform", "topic": "topic", "project": "project_id"}
FILTERS = ("owner", "platform", "topic")
MOST = 1_000


class TotalsQuery(PeriodQuery, frozen=True, kw_only=True):
    """How to group, over which days, and of which accounts. Capitals and a leading @ do not matter."""

    group_by: Annotated[str, choice("what makes a group", tuple(GROUPS))] = "project"
    project_id: Annotated[Text | None, msgspec.Meta(description="only of this project")] = None
    platform: OfPlatform = None
    topic: OfTopic = None
    owner: OfOwner = None


def get_totals(asked: TotalsQuery) -> Response:
    """What all projects come to at the end of a stretch of days, and how much they grew over it, by group.

    Content of daily snapshots; an account without one of the day counts with its last one. Removed projects are left out.
    """
    choose("group_by", asked.group_by, tuple(GROUPS))
    day = today()
    days = period(asked, day)
    return answer_about_all(asked.project_id, asked, day, lambda tx, projects: _content(tx, projects, asked, days))


def _content(tx: sa.Connection, projects: Sequence[Project], asked: TotalsQuery, days: Period) -> Content:
    wanted = [group for group in _moved(tx, asked, days) if fits(asked, group)]
    groups = _groups(wanted, asked, days, {project.id: project.name for project in projects})
    total = together(wanted)
    answer = Totals(
        start_date=str(days.start),
        end_date=str(days.end),
        group_by=asked.group_by,
        total=GroupCounts(total.accounts, total.movement.total),
        growth=_growth(total, days),
        group_count=len(groups),
        groups=groups[:MOST],
    )
    file = f"totals-{asked.group_by}-{days.start}-{days.end}"
    return lines_content(answer, "groups", GroupTotals, asked, file=file)


def _moved(tx: sa.Connection, asked: TotalsQuery, days: Period) -> Iterable[Cohort]:
    if days.days == 0:
        return ()
    ends = DayEnd(days.start), DayEnd(days.end)
    filters = [name for name in FILTERS if getattr(asked, name) is not None]
    by = tuple(dict.fromkeys((GROUPS[asked.group_by], *filters)))
    return between(tx, "all" if asked.project_id is None else "project", asked.project_id, *ends, by=by)


def _groups(found: Iterable[Cohort], asked: TotalsQuery, days: Period, names: dict[str, str]) -> list[GroupTotals]:
    """The groups that count on the last day or counted on the first, those with the most views first."""
    counted = (group for group in found if any(group.sums.now) or any(group.sums.then))
    alike = _alike(counted, attrgetter(GROUPS[asked.group_by]), asked)
    groups = [_group(key, names.get(key or "", key), together(members), days) for key, members in alike.items()]
    return by_value(
        groups, lambda group: Counts._make(group.counts).views, lambda group: group.key or "", descending=True
    )


def _alike(
    found: Iterable[Cohort], name: Callable[[Cohort], str | None], asked: TotalsQuery
) -> dict[str | None, list[Cohort]]:
    """Names of people, platforms and topics as they are asked for; ids of projects exactly."""
    if asked.group_by == "project":
        return group_by(found, name)
    return group_alike(found, name, lambda group: group.sums.accounts)


def _group(key: str | None, name: str | None, sums: Sums, days: Period) -> GroupTotals:
    return GroupTotals(key, name, sums.accounts, sums.movement.total, _growth(sums, days))


def _growth(sums: Sums, days: Period) -> GroupGrowth:
    return group_growth(str(days.start), str(days.end), sums.movement)


TOTALS = Route(
    "get_totals",
    "history",
    "GET",
    "/api/totals",
    get_totals,
    "read",
    query=TotalsQuery,
    answers={200: Answer(Totals, headers=("ETag", "Last-Modified")), **TAGGED},
    problems=("project_not_found",),
)

ROUTES = (TOTALS, as_csv(TOTALS, "export_totals", "The groups"))
