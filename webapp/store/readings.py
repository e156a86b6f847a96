"""Readings from outside: what a program read of a platform."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

import sqlalchemy as sa

from webapp.clock import utc_day
from webapp.model import METRICS, Counts
from webapp.rules.growth import ALL, mask_of
from webapp.store.projects import read_otherwise
from webapp.store.statement import Bulk, chunks
from webapp.store.tables import accounts, observations, projects
from webapp.store.types import native


class Reading(NamedTuple):
    """What a program outside read of one account. A metric that is None keeps what was read of it before."""

    account_id: int
    counts: Counts
    observed_at: datetime
    origin: str | None


_COLUMNS = ("account_id", *METRICS, "observed_at", "origin")


_PUT = (*_COLUMNS, "unread")


def _build_put(insert: Any) -> sa.UpdateBase:
    values = {name: sa.bindparam(name, type_=observations.c[name].type) for name in _PUT}
    statement = insert(observations).values(source=sa.literal_column("'parsed'"), **values)
    new = statement.excluded
    kept: dict[str, sa.ColumnElement[Any]] = {
        metric: sa.func.coalesce(new[metric], observations.c[metric]) for metric in METRICS
    }
    same = sa.and_(*(kept[metric].is_not_distinct_from(observations.c[metric]) for metric in METRICS))
    since = sa.func.coalesce(observations.c.same_since, observations.c.observed_at)
    kept["same_since"] = sa.case((same, since), else_=new.observed_at)
    return statement.on_conflict_do_update(  # type: ignore[no-any-return]
        index_elements=["account_id", "source"],
        set_=kept | {name: new[name] for name in ("observed_at", "origin", "unread")},
        where=observations.c.observed_at <= new.observed_at,
    )


_put = Bulk(_build_put, _PUT)


def put(tx: sa.Connection, readings: Sequence[Reading]) -> int:
    """Keep the readings that are not older than what is there; how many were kept.

    Accounts and projects are locked in one order, as everywhere: nobody waits in a circle.
    """
    if not readings:
        return 0
    readings = sorted(readings, key=attrgetter("account_id"))
    kind = observations.c.observed_at.type
    ids = sorted({reading.account_id for reading in readings})
    before = _said(tx, ids)
    rows = [
        (one.account_id, *one.counts, native(tx, kind, one.observed_at), one.origin, unread)
        for one, unread in zip(readings, _unread(tx, ids, readings), strict=True)
    ]
    kept = _put.run(tx, rows)
    after = _said(tx, ids)
    changed = [account_id for account_id in ids if after.get(account_id) != before.get(account_id)]
    theirs = {
        project_id
        for part in chunks(changed)
        for (project_id,) in tx.execute(sa.select(accounts.c.project_id).where(accounts.c.id.in_(part)).distinct())
    }
    read_otherwise(tx, theirs)
    return kept


def _unread(tx: sa.Connection, ids: Sequence[int], readings: Sequence[Reading]) -> Iterator[int]:
    """Bits of the metrics of each that nobody read on its day: what was read of them before stands, and is of that time."""
    columns = (observations.c.account_id, observations.c.observed_at, observations.c.unread)
    parsed = sa.select(*columns).where(observations.c.source == "parsed")
    found = (row for part in chunks(ids) for row in tx.execute(parsed.where(observations.c.account_id.in_(part))))
    known = {account_id: (utc_day(at), bits) for account_id, at, bits in found}
    for one in readings:
        day, before = utc_day(one.observed_at), known.get(one.account_id)
        bits = ALL & ~mask_of(one.counts) & (before[1] if before is not None and before[0] == day else ALL)
        if before is None or before[0] <= day:
            known[one.account_id] = day, bits
        yield bits


def latest(tx: sa.Connection, ids: Sequence[int]) -> dict[int, Reading]:
    """{account id: what was read of it last}; accounts that never were are not there."""
    columns = [observations.c[name] for name in _COLUMNS]
    parsed = sa.select(*columns).where(observations.c.source == "parsed")
    found = (row for part in chunks(ids) for row in tx.execute(parsed.where(observations.c.account_id.in_(part))))
    return {row[0]: Reading(row[0], Counts._make(row[1:-2]), row[-2], row[-1]) for row in found}


def _said(tx: sa.Connection, ids: Sequence[int]) -> dict[int, tuple[Any, ...]]:
    """What was read of each account, and by whom; when is left out: saying it again is no news."""
    return {key: (reading.counts, reading.origin) for key, reading in latest(tx, ids).items()}


class Elsewhere(NamedTuple):
    """Where an account is, or was, that is not among those that were looked for."""

    project_name: str
    removed: bool


def elsewhere(tx: sa.Connection, keys: Sequence[str], ids: Sequence[int]) -> dict[str | int, Elsewhere]:
    """{url_key or account id: where it is in any project}; one that is there goes before one that was removed."""
    found: dict[str | int, Elsewhere] = {}
    removed = sa.or_(accounts.c.removed_at.is_not(None), projects.c.removed_at.is_not(None))
    for column, wanted in ((accounts.c.url_key, keys), (accounts.c.id, ids)):
        statement = sa.select(column, projects.c.name, removed).join(projects, projects.c.id == accounts.c.project_id)
        for part in chunks(wanted):
            # The last one stays: the oldest of those that are there, if any is.
            there = statement.where(column.in_(part)).order_by(removed.desc(), accounts.c.id.desc())
            found |= {key: Elsewhere(name, bool(gone)) for key, name, gone in tx.execute(there)}
    return found
