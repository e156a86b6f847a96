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
    kept = {metric: sa.func.coalesce(new[metric], observations.c[metric]) for metric in METRICS}
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
    kept = _put.run(tx, rows)
    ids = sorted({reading.account_id for reading in readings})
    for part in chunks(ids):
        theirs = sa.select(accounts.c.project_id).where(accounts.c.id.in_(part))
        changed = projects.update().where(projects.c.id.in_(theirs))
        tx.execute(changed.values(revision=projects.c.revision + 1))  # what explains their numbers reads otherwise now
    return kept
