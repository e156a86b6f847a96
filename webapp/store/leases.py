"""The right to sync a project: one row with an expiry and a number that only grows.

Whoever writes a project checks the number inside its write transaction, so a run that was paused past its lease and
wakes up cannot write over the run that took its place. All times are the database's own, in milliseconds."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from webapp.errors import LostLease
from webapp.model import LEASE_PREFIX, lease_of
from webapp.store.backends.dialect import insert_into, now_ms
from webapp.store.statement import Ready, bind_ids, texts_in
from webapp.store.tables import leases


def in_force(expires_at: sa.ColumnElement[int], ttl_ms: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """Neither expired, nor set further ahead than any honest holder could: by a clock that has jumped since."""
    return (expires_at > now_ms()) & (expires_at <= now_ms() + 2 * ttl_ms)


TTL = sa.bindparam("ttl_ms", type_=sa.BigInteger())
_UNTIL = now_ms() + TTL
_IS_HELD = in_force(leases.c.expires_at, TTL)
_held = Ready(
    lambda _: sa.select(leases.c.name, leases.c.holder).where(
        leases.c.name.op("IN")(texts_in(sa.bindparam("names"))), _IS_HELD
    )
)


def free(tx: sa.Connection, names: Collection[str], ttl_ms: int) -> set[str]:
    """Which of the names nobody holds. A plain read: it waits for no writer."""
    return set(names) - holders(tx, names, ttl_ms).keys()


def holders(tx: sa.Connection, names: Collection[str], ttl_ms: int) -> dict[str, str]:
    """{name: who holds it} of those that somebody holds."""
    return dict(_held.rows(tx, names=bind_ids(tx, names), ttl_ms=ttl_ms))


def take(tx: sa.Connection, names: Collection[str], holder: str, ttl_ms: int) -> dict[str, int]:
    """Take all that are free, in one statement: {name: fence}. What others hold is simply not in the answer."""
    return dict(_take.rows(tx, names=bind_ids(tx, names), by=holder, ttl_ms=ttl_ms)) if names else {}


def _build_take(dialect: str) -> Any:
    each = sa.text(_EACH[dialect]).columns(sa.column("name", sa.Text)).subquery()
    by = sa.bindparam("by", type_=sa.Text())
    rows = sa.select(each.c.name, by, sa.literal_column("1"), _UNTIL).where(sa.true())
    statement = insert_into(dialect, leases).from_select(["name", "holder", "fence", "expires_at"], rows)
    return statement.on_conflict_do_update(
        index_elements=["name"],
        set_={"fence": leases.c.fence + 1, "holder": by, "expires_at": _UNTIL},
        where=~_IS_HELD,
    ).returning(leases.c.name, leases.c.fence)


_take = Ready(_build_take)
_EACH = {
    "sqlite": "SELECT value AS name FROM json_each(:names)",
    "postgresql": "SELECT unnest(CAST(:names AS text[])) AS name",
}


def renew(tx: sa.Connection, holder: str, ttl_ms: int) -> int:
    """Push the expiry of everything the holder has; how many that is."""
    return _renew.run(tx, by=holder, ttl_ms=ttl_ms)


_OWN = leases.c.holder == sa.bindparam("by")
_renew = Ready(lambda _: leases.update().where(_OWN).values(expires_at=_UNTIL))
_release = Ready(lambda _: leases.update().where(_OWN).values(holder=None, expires_at=0))


def give_back(tx: sa.Connection, fences: Mapping[str, int], holder: str) -> set[str]:
    """Give leases back, in one statement: the names of those that were still the holder's, by their numbers.

    The first statement of the transaction that writes their projects, so that both happen or neither.
    """
    return set(_give_back.column(tx, by=holder, fences=json.dumps(dict(fences)))) if fences else set()


def _build_give_back(dialect: str) -> Any:
    these = sa.text(_FENCES[dialect]).columns(sa.column("name", sa.Text), sa.column("fence", sa.BigInteger)).subquery()
    mine = sa.tuple_(leases.c.name, leases.c.fence).in_(sa.select(these.c.name, these.c.fence))
    return leases.update().where(_OWN, mine).values(holder=None, expires_at=0).returning(leases.c.name)


_give_back = Ready(_build_give_back)
_FENCES = {
    "sqlite": "SELECT key AS name, value AS fence FROM json_each(:fences)",
    "postgresql": "SELECT key AS name, CAST(value AS bigint) AS fence FROM json_each_text(CAST(:fences AS json))",
}


def lost(name: str) -> LostLease:
    return LostLease(f"another run has taken over {name}; nothing was written", hint="its result stands")


def release(tx: sa.Connection, name: str, holder: str) -> None:
    """Give one back, if it is still the holder's."""
    mine = (leases.c.name == name) & (leases.c.holder == holder)
    tx.execute(leases.update().where(mine).values(holder=None, expires_at=0))


def release_all(tx: sa.Connection, holder: str) -> None:
    """Give back whatever the holder still has."""
    _release.run(tx, by=holder)


def is_syncing(tx: sa.Connection, project_id: str, ttl_ms: int) -> bool:
    """Whether somebody holds the project's lease now."""
    return bool(holders(tx, [lease_of(project_id)], ttl_ms))


def syncing(tx: sa.Connection, ttl_ms: int) -> set[str]:
    """Ids of the projects that somebody holds the lease of now."""
    statement = sa.select(leases.c.name).where(leases.c.name.startswith(LEASE_PREFIX), _IS_HELD)
    return {name.removeprefix(LEASE_PREFIX) for name in tx.execute(statement, {"ttl_ms": ttl_ms}).scalars()}
