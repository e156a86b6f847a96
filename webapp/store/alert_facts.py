"""What alerts are judged by, as far as it is stored: first in one look whether there is anything to judge at all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from webapp.model import Values
from webapp.rules.alerts import QUOTA_SHARE, Moved
from webapp.rules.growth import Sums
from webapp.store.movements import WHOLE
from webapp.store.projects import LIVE, Project, listed
from webapp.store.statement import Ready
from webapp.store.tables import (
    ACCOUNT_THERE,
    PROJECT_THERE,
    accounts,
    alert_looks,
    alert_thresholds,
    alerts,
    doubts,
    held_observations,
    platform_states,
    projects,
    spreadsheets,
    sync_run_projects,
)
from webapp.store.types import UtcDateTime
from webapp.store.wholes import by_project, present, since_moments

_LATE = sa.bindparam("late", type_=UtcDateTime())
_TROUBLED = (
    (projects.c.failures > 0)
    | projects.c.degraded_since.is_not(None)
    | (sa.func.coalesce(projects.c.synced_at, projects.c.created_at, type_=UtcDateTime()) < _LATE)
)
_NEAR_THE_END = platform_states.c.quota_used * 100 >= platform_states.c.quota_limit * int(100 * QUOTA_SHARE)


class Signs(NamedTuple):
    """Whether there is any of what may have to be judged.

    newest_threshold: when somebody last began to watch a number that is still watched; None: nobody watches any.
    looked_at: when it was last looked for the rest; None: never.
    """

    alerts: bool
    newest_threshold: datetime | None
    waiting: bool
    sick: bool
    troubled: bool
    targets: bool
    looked_at: datetime | None


_SIGNS: list[Any] = [
    sa.exists().where(alerts.c.state == "open"),
    sa.select(sa.func.max(alert_thresholds.c.created_at, type_=UtcDateTime())).scalar_subquery(),
    sa.exists().where(held_observations.c.state == "held") | sa.exists().where(doubts.c.state == "open"),
    sa.exists().where(spreadsheets.c.state != "ok")
    | sa.exists().where((platform_states.c.state != "ok") | _NEAR_THE_END),
    sa.exists().where(LIVE, _TROUBLED),
    sa.exists().where(LIVE, projects.c.target_views > 0),
    sa.select(alert_looks.c.looked_at).where(alert_looks.c.id == 1).scalar_subquery(),
]
_signs = Ready(lambda _: sa.select(*_SIGNS))


def signs(tx: sa.Connection, now: datetime, stale_after_minutes: int) -> Signs:
    """In one statement."""
    late = now - timedelta(minutes=stale_after_minutes)
    (found,) = _signs.rows(tx, late=late)
    return Signs(*found)


def live_projects(tx: sa.Connection) -> list[Project]:
    """The projects that are active, by name."""
    return listed(tx, LIVE, order_by=(projects.c.name, projects.c.id))


class Waiting(NamedTuple):
    """Values of a project that wait for a person: readings that are held, and typed ones that are in doubt."""

    held: int
    doubted: int


def waiting(tx: sa.Connection) -> dict[str, Waiting]:
    """{project id: how many}; projects without any are not there."""
    mine = (ACCOUNT_THERE, PROJECT_THERE)
    held = _by_project(held_observations.c.account_id, sa.func.count()).where(
        held_observations.c.state == "held", *mine
    )
    pairs = sa.func.count(sa.distinct(sa.cast(doubts.c.account_id, sa.Text) + doubts.c.metric))
    doubted = _by_project(doubts.c.account_id, pairs).where(doubts.c.state == "open", *mine)
    found: dict[str, Waiting] = {}
    for row in tx.execute(held.group_by(accounts.c.project_id)):
        found[row[0]] = Waiting(row[1], 0)
    for row in tx.execute(doubted.group_by(accounts.c.project_id)):
        found[row[0]] = found.get(row[0], Waiting(0, 0))._replace(doubted=row[1])
    return found


def _by_project(account_id: sa.Column[int], count: sa.ColumnElement[int]) -> sa.Select[Any]:
    return (
        sa.select(accounts.c.project_id, count)
        .select_from(accounts)
        .join(account_id.table, account_id == accounts.c.id)
        .join(projects, projects.c.id == accounts.c.project_id)
    )


def totals(tx: sa.Connection, project_ids: Sequence[str]) -> dict[str, Values]:
    """{project id: its totals as they are now}."""
    return {one: found.known_total for one, found in by_project(present(tx, project_ids, by=WHOLE)).items()}


def movements(tx: sa.Connection, project_ids: Sequence[str]) -> dict[str, Moved]:
    """{project id: how its totals moved in the 24 hours before its last change}."""
    now = by_project(present(tx, project_ids, by=WHOLE))
    return {one: _moved(found) for one, found in since_moments(tx, project_ids, (1,), now)[0].items()}


def _moved(found: Sums) -> Moved:
    stayed = [
        total - joined - growth if both else None
        for total, joined, growth, both in zip(found.total, found.joined, found.growth, found.both, strict=True)
    ]
    return Moved(found.movement.growth, tuple(stayed))


def failures_since(tx: sa.Connection, project_id: str, since: datetime) -> int:
    """Syncs of a project since a moment that did not succeed, or did with what was stored."""
    table = sync_run_projects
    wrong = (table.c.project_id == project_id) & (table.c.finished_at >= since) & (~table.c.success | table.c.degraded)
    return int(tx.execute(sa.select(sa.func.count()).where(wrong)).scalar_one())
