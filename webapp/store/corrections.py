"""What people and programs correct between two syncs: held readings, pins, readings from outside.

Each tells the project that its next sync has to merge again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from webapp.model import METRICS, Metric
from webapp.store.backends.dialect import counted, insert_for
from webapp.store.statement import Bulk
from webapp.store.tables import account_aliases, accounts, held_observations, observations, pins, projects
from webapp.store.types import native


def project_of(tx: sa.Connection, account_id: int) -> str | None:
    """The id of the account's project; None for an account that is not there."""
    statement = sa.select(accounts.c.project_id).where(accounts.c.id == account_id, accounts.c.removed_at.is_(None))
    return tx.execute(statement).scalar()


def _unsettle(tx: sa.Connection, project_ids: Collection[str]) -> None:
    """The next sync has to merge again, and what explains a number reads otherwise already."""
    ordered = sorted(project_ids)
    for start in range(0, len(ordered), 5_000):
        part = ordered[start : start + 5_000]
        changed = projects.update().where(projects.c.id.in_(part))
        tx.execute(changed.values(settled=False, revision=projects.c.revision + 1))


def decide_held(
    tx: sa.Connection, held_id: int, decision: Literal["accepted", "rejected"], now: datetime
) -> Mapping[str, Any] | None:
    """Accept or reject a held reading; a rejected one may be accepted later. None when there is none to decide."""
    open_states = ["held", "rejected"] if decision == "accepted" else ["held"]
    statement = (
        held_observations.update()
        .where(held_observations.c.id == held_id, held_observations.c.state.in_(open_states))
        .values(state=decision, decided_at=now)
        .returning(held_observations)
    )
    row = tx.execute(statement).mappings().first()
    if row is None:
        return None
    project_id = tx.execute(sa.select(accounts.c.project_id).where(accounts.c.id == row["account_id"])).scalar()
    _unsettle(tx, [project_id] if project_id else [])
    return dict(row)


def pin_of(tx: sa.Connection, account_id: int, metric: Metric) -> Mapping[str, Any] | None:
    """The metric, value, end and note of a pin, in force or not; None when the metric is not pinned."""
    columns = [pins.c[name] for name in ("metric", "value", "until", "note")]
    row = tx.execute(sa.select(*columns).where(pins.c.account_id == account_id, pins.c.metric == metric)).mappings()
    found = row.first()
    return None if found is None else dict(found)


def put_pin(
    tx: sa.Connection,
    account_id: int,
    metric: Metric,
    value: int,
    *,
    until: datetime | None,
    note: str | None,
    now: datetime,
) -> bool:
    """Fix a value until a time, or for good; False for an account that is not there."""
    project_id = project_of(tx, account_id)
    if project_id is None:
        return False
    row = {"value": value, "until": until, "note": note, "pinned_at": now}
    statement = insert_for(tx, pins).values(account_id=account_id, metric=metric, **row)
    tx.execute(statement.on_conflict_do_update(index_elements=["account_id", "metric"], set_=row))
    _unsettle(tx, [project_id])
    return True


def drop_pin(tx: sa.Connection, account_id: int, metric: Metric) -> bool:
    """Let the merge decide again; False when nothing was pinned."""
    gone = counted(tx, pins.delete().where(pins.c.account_id == account_id, pins.c.metric == metric)) == 1
    project_id = project_of(tx, account_id)
    if gone and project_id is not None:
        _unsettle(tx, [project_id])
    return gone


class Reading(NamedTuple):
    """What a program outside read of one account. A metric that is None keeps what was read of it before."""

    account_id: int
    followers: int | None
    likes: int | None
    comments: int | None
    videos: int | None
    views: int | None
    observed_at: datetime
    origin: str | None


def accounts_of_keys(tx: sa.Connection, keys: Sequence[str], project_id: str | None) -> dict[str, list[int]]:
    """{url_key: account ids}, over all projects or in one, by former addresses too; removed accounts are not there."""
    found: dict[str, list[int]] = {}
    by_alias = sa.select(account_aliases.c.url_key, accounts.c.id).join(
        account_aliases, account_aliases.c.account_id == accounts.c.id
    )
    for start in range(0, len(keys), 5_000):
        part = keys[start : start + 5_000]
        for statement, key_column in (
            (sa.select(accounts.c.url_key, accounts.c.id), accounts.c.url_key),
            (by_alias, account_aliases.c.url_key),
        ):
            there = statement.where(key_column.in_(part), accounts.c.removed_at.is_(None))
            if project_id is not None:
                there = there.where(accounts.c.project_id == project_id)
            for key, account_id in tx.execute(there):
                found.setdefault(key, []).append(account_id)
    return found


def existing_accounts(tx: sa.Connection, ids: Sequence[int]) -> set[int]:
    """Those of the ids that are accounts now."""
    found: set[int] = set()
    for start in range(0, len(ids), 5_000):
        part = ids[start : start + 5_000]
        statement = sa.select(accounts.c.id).where(accounts.c.id.in_(part), accounts.c.removed_at.is_(None))
        found.update(tx.execute(statement).scalars())
    return found


def _build_put(insert: Any) -> sa.UpdateBase:
    values = {name: sa.bindparam(name, type_=observations.c[name].type) for name in Reading._fields}
    statement = insert(observations).values(source=sa.literal_column("'parsed'"), **values)
    new = statement.excluded
    kept = {metric: sa.func.coalesce(new[metric], observations.c[metric]) for metric in METRICS}
    return statement.on_conflict_do_update(  # type: ignore[no-any-return]
        index_elements=["account_id", "source"],
        set_=kept | {"observed_at": new.observed_at, "origin": new.origin},
        where=observations.c.observed_at <= new.observed_at,
    )


_put = Bulk(_build_put, Reading._fields)


def put_readings(tx: sa.Connection, readings: Sequence[Reading]) -> int:
    """Keep the readings that are not older than what is there; how many were kept."""
    if not readings:
        return 0
    kind = observations.c.observed_at.type
    rows = [reading._replace(observed_at=native(tx, kind, reading.observed_at)) for reading in readings]
    kept = _put.run(tx, rows)
    ids = sorted({reading.account_id for reading in readings})
    for start in range(0, len(ids), 5_000):
        theirs = sa.select(accounts.c.project_id).where(accounts.c.id.in_(ids[start : start + 5_000]))
        changed = projects.update().where(projects.c.id.in_(theirs))
        tx.execute(changed.values(revision=projects.c.revision + 1))  # what explains their numbers reads otherwise now
    return kept
