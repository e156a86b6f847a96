"""Which counts changed in which sync, from what to what, for as long as the setting says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

import sqlalchemy as sa

from webapp.model import LARGEST, METRICS, Metric, Values
from webapp.rules.addresses import cell_address, cell_of, title_of
from webapp.rules.merge import WINNERS
from webapp.store.backends.dialect import new_ids
from webapp.store.statement import Ready, delete_some, in_order, insert
from webapp.store.tables import accounts, change_batches, count_changes
from webapp.store.types import JSON, WHEN, Count, native

Changes = Mapping[str, list[Any]]  # {metric: [old, new, winner, cell]}

ROW = re.compile(r"[1-9][0-9]{0,8}")


class Changed(NamedTuple):
    """The counts of one account that a sync changes.

    winners: of the metrics that differ, two bits each, as in WINNERS. origin: where the sheet says what won, as
    observations have it; None where it won nothing. places: as rows of the sheet have them.
    """

    account_id: int
    old: Values
    new: Values
    winners: int
    origin: str | None
    places: Sequence[int] = ()


class ChangeBatch(NamedTuple):
    """The changed counts of a project. letters: of each metric's column; empty where there is none."""

    letters: Sequence[str]
    rows: Sequence[Changed]


@dataclass(frozen=True)
class CountChange:
    """The counts of one account that one run changed. changes: {metric: [old, new, winner, cell]}."""

    id: int
    account_id: int
    profile_url: str
    platform: str
    username: str | None
    run_id: str | None
    changed_at: datetime | None
    changes: Changes


# Writing

_SIDES = [f"{side}_{metric}" for metric in METRICS for side in ("old", "new")]
_add_batch = insert(change_batches, ("id", "project_id", "run_id", "changed_at", "title", "letters"))
_add = insert(count_changes, ("batch_id", "account_id", "id", "winners", "sheet_row", "cells", *_SIDES))


def add(tx: sa.Connection, run_id: str, changed: Mapping[str, ChangeBatch], now: datetime) -> None:
    """Keep which counts changed: {project id: those of its accounts}."""
    count = sum(len(batch.rows) for batch in changed.values())
    if not count:
        return
    ids, stamp = iter(new_ids(tx, change_batches, count)), native(tx, WHEN, now)
    some = {project_id: batch for project_id, batch in changed.items() if batch.rows}
    numbered = {project_id: [next(ids) for _ in batch.rows] for project_id, batch in some.items()}
    titles = {project_id: _title_of(batch) for project_id, batch in some.items()}
    batches = [
        (numbered[one][-1], one, run_id, stamp, titles[one], native(tx, JSON, batch.letters))
        for one, batch in some.items()
    ]
    _add_batch.run(tx, batches)
    _add.run(tx, chain.from_iterable(_packed(tx, batch, titles[one], numbered[one]) for one, batch in some.items()))


def _title_of(batch: ChangeBatch) -> str | None:
    """Of the tab that the first of its cells is in."""
    return next((title for row in batch.rows if row.origin and (title := title_of(row.origin)) is not None), None)


def _packed(tx: sa.Connection, batch: ChangeBatch, title: str | None, ids: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    """The rows as driver values, in the order of the key, so that the table grows at its end."""
    for id_, (account_id, old, new, winners, origin, places) in zip(ids, sorted(batch.rows), strict=True):
        sides: list[int | None] = []
        for before, after in zip(old, new, strict=True):
            sides += (None, None) if before == after else (before, after)
        row, cells = None, None
        if origin is not None:
            row = None if places else _row_of(origin, title)
            cells = native(tx, JSON, _cells(batch.letters, winners, origin, places)) if row is None else None
        yield ids[-1], account_id, id_, winners, row, cells, *sides


def _row_of(origin: str, title: str | None) -> int | None:
    """The row of an origin in the tab of this title; None for several, and for one that is no place there."""
    row = origin.rpartition("!")[2]
    return int(row) if title is not None and title_of(origin) == title and ROW.fullmatch(row) else None


def _cells(letters: Sequence[str], winners: int, origin: str, places: Sequence[int]) -> dict[str, str]:
    """{metric: cell}, where the sheet won, of an origin that is not one row of the batch's tab."""
    won = [place for place in range(len(METRICS)) if WINNERS[winners >> 2 * place & 3] == "sheet"]
    return {METRICS[place]: cell_of(origin, letters[place], places[place] if places else None) for place in won}


def move(tx: sa.Connection, project_id: str, source: int, target: int) -> None:
    """Let changes of one account of a project be another's."""
    batches = sa.select(change_batches.c.id).where(change_batches.c.project_id == project_id)
    mine = (count_changes.c.batch_id.in_(batches)) & (count_changes.c.account_id == source)
    tx.execute(count_changes.update().where(mine).values(account_id=target))


# Reading

_HEAD = (
    count_changes.c.id,
    count_changes.c.account_id,
    accounts.c.profile_url,
    accounts.c.platform,
    accounts.c.username,
    change_batches.c.run_id,
    change_batches.c.changed_at,
)
_PACKED = (
    change_batches.c.title,
    change_batches.c.letters,
    count_changes.c.winners,
    count_changes.c.sheet_row,
    count_changes.c.cells,
    *(count_changes.c[side] for side in _SIDES),
)
_JOINED = in_order(change_batches, count_changes, count_changes.c.batch_id == change_batches.c.id)
_NEWEST_FIRST = (change_batches.c.id.desc(), count_changes.c.id.desc())


def of_project(
    tx: sa.Connection,
    project_id: str,
    *,
    limit: int,
    before: int | None = None,
    account_id: int | None = None,
    metric: Metric | None = None,
) -> list[CountChange]:
    """Changed counts of a project, newest first. before: only those with a smaller id."""
    statement = (
        sa.select(*_HEAD, *_PACKED)
        .select_from(in_order(_JOINED, accounts, accounts.c.id == count_changes.c.account_id))
        .where(change_batches.c.project_id == project_id)
        .order_by(*_NEWEST_FIRST)
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(count_changes.c.id < before, change_batches.c.id <= _last_batch(project_id, before))
    if account_id is not None:
        statement = statement.where(count_changes.c.account_id == account_id)
    if metric is not None:
        old, new = count_changes.c[f"old_{metric}"], count_changes.c[f"new_{metric}"]
        statement = statement.where(old.is_distinct_from(new))
    return _read(tx, statement)


def of_run(
    tx: sa.Connection, run_id: str, began: datetime, ended: datetime | None, *, limit: int
) -> list[tuple[str, CountChange]]:
    """(project id, changed counts) of a run, newest first. began, ended: of the run; they lead to its changes."""
    here = [change_batches.c.run_id == run_id, change_batches.c.changed_at >= began]
    if ended is not None:
        here.append(change_batches.c.changed_at <= ended)
    statement = (
        sa.select(change_batches.c.project_id, *_HEAD, *_PACKED)
        .select_from(in_order(_JOINED, accounts, accounts.c.id == count_changes.c.account_id))
        .where(*here)
        .order_by(*_NEWEST_FIRST)
        .limit(limit)
    )
    return [(row[0], _change_of(row[1:])) for row in tx.execute(statement)]


def _read(tx: sa.Connection, statement: sa.Select[Any]) -> list[CountChange]:
    return [_change_of(row) for row in tx.execute(statement)]


def _change_of(row: Sequence[Any]) -> CountChange:
    values: list[Any] = [*row[: len(_HEAD)], _unpack(*row[len(_HEAD) :])]
    return CountChange(*values)


def _last_batch(project_id: str, before: int) -> sa.ColumnElement[int]:
    """The id of the batch that a change of this id may be in: the cursor's own, or any before it."""
    batch = change_batches.alias()
    own = sa.select(sa.func.min(batch.c.id)).where(batch.c.project_id == project_id, batch.c.id >= before)
    return sa.func.coalesce(own.scalar_subquery(), sa.literal(LARGEST, Count()))


def _unpack(
    title: str | None,
    letters: Sequence[str | None],
    winners: int,
    row: int | None,
    cells: Mapping[str, str] | None,
    *sides: int | None,
) -> Changes:
    found: dict[str, list[Any]] = {}
    for place, metric in enumerate(METRICS):
        old, new = sides[2 * place : 2 * place + 2]
        if old != new:
            winner = WINNERS[winners >> 2 * place & 3]
            cell = (cells or {}).get(metric)
            if winner == "sheet" and row is not None:
                cell = cell_address(title or "", letters[place] or "", row)
            found[metric] = [old, new, winner, cell]
    return found


LATEST = 200  # of the latest are looked through for when a value became what it is


_latest = (
    sa.select(change_batches.c.changed_at, *_PACKED)
    .select_from(_JOINED)
    .where(
        change_batches.c.project_id == sa.bindparam("project_id"),
        count_changes.c.account_id == sa.bindparam("account_id"),
    )
    .order_by(*_NEWEST_FIRST)
    .limit(LATEST)
)


def of_account(tx: sa.Connection, project_id: str, account_id: int) -> list[tuple[datetime | None, Changes]]:
    """(when, {metric: [old, new, winner, cell]}) of the latest changed counts of a project's account, newest first."""
    rows = tx.execute(_latest, {"project_id": project_id, "account_id": account_id})
    return [(row[0], _unpack(*row[1:])) for row in rows]


# Forgetting

_oldest = Ready(
    lambda _: (
        sa.select(change_batches.c.id)
        .where(change_batches.c.changed_at < sa.bindparam("before"))
        .order_by(change_batches.c.changed_at)
        .limit(1)
    )
)
_forget_some = delete_some(count_changes, count_changes.c.batch_id == sa.bindparam("batch"))
_forget_batch = Ready(lambda _: change_batches.delete().where(change_batches.c.id == sa.bindparam("batch")))


def forget(tx: sa.Connection, before: datetime, most: int) -> int:
    """Remove what changed before a moment, the oldest first; how many rows, which are not more than `most`."""
    gone = 0
    while gone < most and (oldest := _oldest.first(tx, before=before)):
        gone += _forget_some.run(tx, batch=oldest[0], most=most - gone)
        if gone < most:
            gone += _forget_batch.run(tx, batch=oldest[0])
    return gone
