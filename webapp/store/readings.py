"""Readings from outside: what a program read of a platform."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from webapp.model import METRICS, Counts
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


def _build_put(insert: Any) -> sa.UpdateBase:
    values = {name: sa.bindparam(name, type_=observations.c[name].type) for name in _COLUMNS}
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
        set_=kept | {"observed_at": new.observed_at, "origin": new.origin},
        where=observations.c.observed_at <= new.observed_at,
    )


_put = Bulk(_build_put, _COLUMNS)


def put(tx: sa.Connection, readings: Sequence[Reading]) -> int:
    """Keep the readings that are not older than what is there; how many were kept."""
    if not readings:
        return 0
    kind = observations.c.observed_at.type
    rows = [(one.account_id, *one.counts, native(tx, kind, one.observed_at), one.origin) for one in readings]
    ids = sorted({reading.account_id for reading in readings})
    before = _said(tx, ids)
    kept = _put.run(tx, rows)
    after = _said(tx, ids)
    changed = [account_id for account_id in ids if after.get(account_id) != before.get(account_id)]
    for part in chunks(changed):
        theirs = sa.select(accounts.c.project_id).where(accounts.c.id.in_(part))
        statement = projects.update().where(projects.c.id.in_(theirs))
        tx.execute(statement.values(revision=projects.c.revision + 1))  # what explains their numbers reads otherwise
    return kept


def times(tx: sa.Connection, ids: Sequence[int]) -> dict[int, datetime]:
    """{account id: when it was read last}; accounts that never were are not there."""
    columns = (observations.c.account_id, observations.c.observed_at)
    parsed = sa.select(*columns).where(observations.c.source == "parsed")
    found = (row for part in chunks(ids) for row in tx.execute(parsed.where(observations.c.account_id.in_(part))))
    return {row[0]: row[1] for row in found}


def _said(tx: sa.Connection, ids: Sequence[int]) -> dict[int, tuple[Any, ...]]:
    """What was read of each account, and by whom; when is left out: saying it again is no news."""
    columns = [observations.c[name] for name in ("account_id", *METRICS, "origin")]
    parsed = sa.select(*columns).where(observations.c.source == "parsed")
    found = (row for part in chunks(ids) for row in tx.execute(parsed.where(observations.c.account_id.in_(part))))
    return {row[0]: tuple(row[1:]) for row in found}
