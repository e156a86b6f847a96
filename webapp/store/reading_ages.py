"""How old the readings of each program are: a program that has stopped raises no error anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import NamedTuple

import sqlalchemy as sa

from webapp.rules.freshness import FROZEN
from webapp.rules.sorting import group_by
from webapp.store.statement import bind_ids, texts_in
from webapp.store.tables import ACCOUNT_THERE, PROJECT_THERE, accounts, observations, projects


class ReadingAge(NamedTuple):
    """The readings of one program, of accounts that programs read. origin None: it gives no name.

    accounts: whose last reading is its; late: those of them whose reading is older than the limit; frozen: those whose
    every reading has said the same for long. oldest, newest: times of these readings, aware UTC.
    """

    origin: str | None
    accounts: int
    late: int
    frozen: int
    oldest: datetime
    newest: datetime


def reading_ages(
    tx: sa.Connection, now: datetime, stale_after_minutes: int, project_id: str | None = None
) -> Sequence[ReadingAge]:
    """By program, of the active projects together or of one; accounts that people count by hand are left out."""
    mine = projects.c.status == "active"
    if project_id is not None:  # a finished one waits for none
        mine = (projects.c.id == project_id) & (projects.c.status != "finished")
    return together(_ages(tx, now, stale_after_minutes, mine).values())


def of_projects(
    tx: sa.Connection, now: datetime, stale_after_minutes: int, project_ids: Sequence[str]
) -> dict[str, list[ReadingAge]]:
    """{project: the readings of each program}, of those of these projects that are active."""
    listed = texts_in(sa.bindparam("listed", bind_ids(tx, project_ids)))
    mine = (projects.c.status == "active") & projects.c.id.op("IN")(listed)
    return _ages(tx, now, stale_after_minutes, mine)


def _ages(
    tx: sa.Connection, now: datetime, stale_after_minutes: int, mine: sa.ColumnElement[bool]
) -> dict[str, list[ReadingAge]]:
    at = observations.c.observed_at
    limit = now - timedelta(minutes=stale_after_minutes)
    statement = (
        sa.select(
            projects.c.id,
            observations.c.origin,
            sa.func.count(),
            sa.func.count(sa.case((at < limit, 1))),
            sa.func.count(sa.case((observations.c.same_since < now - FROZEN, 1))),
            sa.func.min(at, type_=at.type),
            sa.func.max(at, type_=at.type),
        )
        .select_from(observations)
        .join(accounts, accounts.c.id == observations.c.account_id)
        .join(projects, projects.c.id == accounts.c.project_id)
        .where(observations.c.source == "parsed", ACCOUNT_THERE, accounts.c.mode == "auto")
        .where(PROJECT_THERE, mine)
        .group_by(projects.c.id, observations.c.origin)
    )
    rows = group_by(tx.execute(statement), lambda row: str(row[0]))
    return {one: together([[ReadingAge(*row[1:]) for row in found]]) for one, found in rows.items()}


def together(ages: Iterable[Iterable[ReadingAge]]) -> list[ReadingAge]:
    """One for each program, the one that has been silent the longest first."""
    programs = group_by(chain.from_iterable(ages), lambda age: age.origin)
    found = [_sum(origin, mine) for origin, mine in programs.items()]
    return sorted(found, key=lambda age: (age.newest, age.origin or ""))


def _sum(origin: str | None, ages: Sequence[ReadingAge]) -> ReadingAge:
    return ReadingAge(
        origin,
        sum(age.accounts for age in ages),
        sum(age.late for age in ages),
        sum(age.frozen for age in ages),
        min(age.oldest for age in ages),
        max(age.newest for age in ages),
    )
