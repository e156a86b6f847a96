"""Doubts as they are kept: what was seen on each day that an odd value has stood, until it is confirmed or corrected."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from webapp.model import METRICS, Metric
from webapp.store.statement import Bulk, Ready, bind_ids, if_any, texts_in, upsert
from webapp.store.tables import ACCOUNT_THERE, PROJECT_THERE, accounts, doubts, observations, projects
from webapp.store.types import WHEN, Count, UtcDateTime, native


class DoubtedDay(NamedTuple):
    """One day on which a value was in doubt. value: what its snapshot shows should it be confirmed.

    state `timed`: it is over, and only time confirmed it. Times are aware UTC.
    """

    account_id: int
    metric: Metric
    day: date
    typed: int
    value: int | None
    credible: int
    since: datetime
    observed_at: datetime
    state: Literal["open", "timed"]
    decided_at: datetime | None

    @property
    def place(self) -> int:
        """Of the metric in METRICS."""
        return METRICS.index(self.metric)


_COLUMNS = tuple(doubts.c[name] for name in DoubtedDay._fields)
_ANY = sa.select(sa.literal_column("1")).select_from(doubts.alias("any_doubt")).exists()
_of_projects = Ready(
    lambda _: (
        sa.select(accounts.c.project_id, *_COLUMNS)
        .select_from(if_any(accounts, _ANY).join(doubts, accounts.c.id == doubts.c.account_id))
        .where(accounts.c.project_id.op("IN")(texts_in(sa.bindparam("of"))))
        .order_by(doubts.c.account_id, doubts.c.metric, doubts.c.day)
    )
)
_put = upsert(doubts, ("account_id", "metric", "day"))


def of_projects(tx: sa.Connection, project_ids: Collection[str]) -> dict[str, dict[tuple[int, int], list[DoubtedDay]]]:
    """Everything in doubt of projects, and what only time has confirmed.

    {project id: {(account id, place of the metric): its days, rising}}; projects without any are not there.
    """
    found: dict[str, dict[tuple[int, int], list[DoubtedDay]]] = {}
    for project_id, *row in _of_projects.rows(tx, of=bind_ids(tx, project_ids)):
        one = DoubtedDay(*row)
        found.setdefault(project_id, {}).setdefault((one.account_id, one.place), []).append(one)
    return found


def of_account(tx: sa.Connection, account_id: int) -> list[DoubtedDay]:
    """The same of one account."""
    statement = sa.select(*_COLUMNS).where(doubts.c.account_id == account_id).order_by(doubts.c.metric, doubts.c.day)
    return [DoubtedDay(*row) for row in tx.execute(statement)]


def put(tx: sa.Connection, rows: Sequence[DoubtedDay]) -> None:
    """Keep what was seen on a day; a later look of the same day takes the place of an earlier one."""
    if rows:
        kinds = [doubts.c[name].type for name in DoubtedDay._fields]
        _put.run(tx, [tuple(native(tx, k, v) for k, v in zip(kinds, row, strict=True)) for row in rows])


def drop(tx: sa.Connection, ended: Sequence[tuple[int, int]]) -> None:
    """These metrics are no longer in doubt: (account id, place of the metric)."""
    if ended:
        _drop.run(tx, [(account_id, METRICS[place]) for account_id, place in ended])


def keep_timed(tx: sa.Connection, ended: Sequence[tuple[int, int]], now: datetime) -> None:
    """These are confirmed by nothing but time: (account id, place of the metric)."""
    if ended:
        stamp = native(tx, WHEN, now)
        _keep_timed.run(tx, [(stamp, account_id, METRICS[place]) for account_id, place in ended])


def forget(tx: sa.Connection, before: datetime) -> None:
    """What only time has confirmed before then is no longer in question."""
    _forget.run(tx, before=before)


_before = sa.bindparam("before", type_=doubts.c.decided_at.type)
_forget = Ready(lambda _: doubts.delete().where(doubts.c.state == "timed", doubts.c.decided_at <= _before))


def _mine() -> tuple[sa.ColumnElement[bool], ...]:
    account = sa.bindparam("account", type_=Count())
    return doubts.c.account_id == account, doubts.c.metric == sa.bindparam("of_metric", type_=sa.Text())


def _build_drop(_: Any) -> sa.UpdateBase:
    return doubts.delete().where(*_mine())


def _build_keep_timed(_: Any) -> sa.UpdateBase:
    ended = {"state": sa.literal_column("'timed'"), "decided_at": sa.bindparam("now", type_=UtcDateTime())}
    return doubts.update().where(*_mine(), doubts.c.state == sa.literal_column("'open'")).values(ended)


_drop = Bulk(_build_drop, ("account", "of_metric"))
_keep_timed = Bulk(_build_keep_timed, ("now", "account", "of_metric"))


def counts(tx: sa.Connection) -> dict[str, int]:
    """{project id: values of its accounts that are in doubt now}."""
    open_ones = (
        sa.select(doubts.c.account_id, doubts.c.metric, accounts.c.project_id)
        .distinct()
        .join(accounts, accounts.c.id == doubts.c.account_id)
        .where(_ANY, doubts.c.state == "open", ACCOUNT_THERE)
        .subquery()
    )
    statement = sa.select(open_ones.c.project_id, sa.func.count()).group_by(open_ones.c.project_id)
    return {row[0]: row[1] for row in tx.execute(statement)}


class ListedDoubt(NamedTuple):
    """A value of the sheet that is in doubt now, with its account. since: aware UTC."""

    account_id: int
    profile_url: str
    platform: str
    username: str | None
    project_id: str
    metric: Metric
    typed: int
    credible: int
    since: datetime


def listed(tx: sa.Connection, *, project_id: str | None = None, account_id: int | None = None) -> list[ListedDoubt]:
    """What is in doubt of one account, in one project, or in all, by account."""
    named = [accounts.c[name] for name in ListedDoubt._fields[1:5]]
    shown = [doubts.c[name] for name in ListedDoubt._fields[5:]]
    statement = (
        sa.select(doubts.c.account_id, *named, *shown)
        .join(accounts, accounts.c.id == doubts.c.account_id)
        .join(projects, projects.c.id == accounts.c.project_id)
        .where(doubts.c.state == "open", ACCOUNT_THERE, PROJECT_THERE)
        .order_by(doubts.c.account_id, doubts.c.metric, doubts.c.day)
    )
    if project_id is not None:
        statement = statement.where(accounts.c.project_id == project_id)
    if account_id is not None:
        statement = statement.where(accounts.c.id == account_id)
    latest = {(one.account_id, one.metric): one for one in map(ListedDoubt._make, tx.execute(statement))}
    return list(latest.values())


def bits_of_sheet(tx: sa.Connection, project_id: str) -> dict[int, int]:
    """{account id: bits of the metrics of which the sheet says what history does not believe}."""
    mine = observations.join(accounts, accounts.c.id == observations.c.account_id)
    statement = sa.select(observations.c.account_id, observations.c.doubted).select_from(mine)
    found = tx.execute(statement.where(accounts.c.project_id == project_id, observations.c.doubted != 0))
    return {account_id: bits for account_id, bits in found}  # noqa: C416  rows are no pairs
