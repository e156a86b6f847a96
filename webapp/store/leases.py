"""The right to sync a project: one row with an expiry and a number that only grows.

Whoever writes a project checks the number inside its write transaction, so a run that was paused past its lease and
wakes up cannot write over the run that took its place. All times are the database's own, in milliseconds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import sqlalchemy as sa

from webapp.errors import LostLease
from webapp.model import LEASE_PREFIX, lease_of
from webapp.store.backends.dialect import counted, insert_for, now_ms
from webapp.store.statement import bind_ids
from webapp.store.tables import leases

BATCH = 2_000  # SQLite takes 32,766 parameters a statement


def in_force(tx: sa.Connection, expires_at: sa.ColumnElement[int], ttl_ms: int) -> sa.ColumnElement[bool]:
    """Neither expired, nor set further ahead than any honest holder could: by a clock that has jumped since."""
    now = now_ms(tx)
    return (expires_at > now) & (expires_at <= now + 2 * ttl_ms)


def _is_held(tx: sa.Connection, ttl_ms: int) -> sa.ColumnElement[bool]:
    return in_force(tx, leases.c.expires_at, ttl_ms)


def free(tx: sa.Connection, names: Collection[str], ttl_ms: int) -> set[str]:
    """Which of the names nobody holds. A plain read: it waits for no writer."""
    taken: set[str] = set()
    for part in _batches(names):
        held = sa.select(leases.c.name).where(leases.c.name.in_(part), _is_held(tx, ttl_ms))
        taken.update(tx.execute(held).scalars())
    return set(names) - taken


def holders(tx: sa.Connection, names: Collection[str], ttl_ms: int) -> dict[str, str]:
    """{name: who holds it} of those that somebody holds."""
    found: dict[str, str] = {}
    for part in _batches(names):
        held = sa.select(leases.c.name, leases.c.holder).where(leases.c.name.in_(part), _is_held(tx, ttl_ms))
        found.update((name, holder) for name, holder in tx.execute(held))
    return found


def take(tx: sa.Connection, names: Collection[str], holder: str, ttl_ms: int) -> dict[str, int]:
    """Take all that are free, in one statement: {name: fence}. What others hold is simply not in the answer."""
    if not names:
        return {}
    until = now_ms(tx) + ttl_ms
    each = sa.text(_EACH[tx.dialect.name]).columns(sa.column("name", sa.Text)).subquery()
    rows = sa.select(each.c.name, sa.literal(holder), sa.literal_column("1"), until).where(sa.true())
    statement = insert_for(tx, leases).from_select(["name", "holder", "fence", "expires_at"], rows)
    statement = statement.on_conflict_do_update(
        index_elements=["name"],
        set_={"fence": leases.c.fence + 1, "holder": holder, "expires_at": until},
        where=~_is_held(tx, ttl_ms),
    ).returning(leases.c.name, leases.c.fence)
    return {name: fence for name, fence in tx.execute(statement, {"names": bind_ids(tx, names)})}  # noqa: C416  rows


_EACH = {
    "sqlite": "SELECT value AS name FROM json_each(:names)",
    "postgresql": "SELECT unnest(CAST(:names AS text[])) AS name",
}


def renew(tx: sa.Connection, holder: str, ttl_ms: int) -> int:
    """Push the expiry of everything the holder has; how many that is."""
    return counted(tx, leases.update().where(leases.c.holder == holder).values(expires_at=now_ms(tx) + ttl_ms))


def give_back(tx: sa.Connection, fences: Mapping[str, int], holder: str) -> set[str]:
    """Give leases back, in one statement: the names of those that were still the holder's, by their numbers.

    The first statement of the transaction that writes their projects, so that both happen or neither.
    """
    mine = (leases.c.holder == holder) & sa.tuple_(leases.c.name, leases.c.fence).in_(fences.items())
    given = leases.update().where(mine).values(holder=None, expires_at=0).returning(leases.c.name)
    return set(tx.execute(given).scalars()) if fences else set()


def lost(name: str) -> LostLease:
    return LostLease(f"another run has taken over {name}; nothing was written", hint="its result stands")


def release(tx: sa.Connection, name: str, holder: str) -> None:
    """Give one back, if it is still the holder's."""
    mine = (leases.c.name == name) & (leases.c.holder == holder)
    tx.execute(leases.update().where(mine).values(holder=None, expires_at=0))


def release_all(tx: sa.Connection, holder: str) -> None:
    """Give back whatever the holder still has."""
    tx.execute(leases.update().where(leases.c.holder == holder).values(holder=None, expires_at=0))


def is_syncing(tx: sa.Connection, project_id: str, ttl_ms: int) -> bool:
    """Whether somebody holds the project's lease now."""
    held = sa.select(sa.literal(1)).where(leases.c.name == lease_of(project_id), _is_held(tx, ttl_ms))
    return tx.execute(held).first() is not None


def syncing(tx: sa.Connection, ttl_ms: int) -> set[str]:
    """Ids of the projects that somebody holds the lease of now."""
    statement = sa.select(leases.c.name).where(leases.c.name.startswith(LEASE_PREFIX), _is_held(tx, ttl_ms))
    return {name.removeprefix(LEASE_PREFIX) for name in tx.execute(statement).scalars()}


def _batches(names: Collection[str]) -> Iterable[list[str]]:
    ordered = sorted(names)
    return (ordered[i : i + BATCH] for i in range(0, len(ordered), BATCH))
