"""Snapshots that tests write straight into the table: give them what syncs would have kept beside them."""

from __future__ import annotations

import sqlalchemy as sa

from webapp.model import METRICS
from webapp.store import days
from webapp.store.tables import account_snapshots, account_spans, accounts, projects

__all__ = ["follow_past"]

_KNOWN = [  # now, or on some day
    sa.func.count(account_snapshots.c[metric]) + sa.func.count(accounts.c[metric]) > 0 for metric in METRICS
]
_PAST = (
    sa.select(
        accounts.c.id,
        accounts.c.added_at,
        accounts.c.removed_at,
        accounts.c.mode,
        sa.func.min(account_snapshots.c.snapshot_time),
        *_KNOWN,
    )
    .select_from(accounts.outerjoin(account_snapshots, account_snapshots.c.account_id == accounts.c.id))
    .group_by(accounts.c.id, accounts.c.added_at, accounts.c.removed_at, accounts.c.mode)
)


def follow_past(tx: sa.Connection, *, anew: bool = False) -> None:
    """Let each account without spans count from its first snapshot on, and sum up the days. anew: all accounts."""
    if anew:
        tx.execute(account_spans.delete())
    for account, added, gone, mode, first, *known in tx.execute(
        _PAST.where(accounts.c.id.not_in(sa.select(account_spans.c.account_id)))
    ).all():
        bits = sum(1 << place for place, there in enumerate(known) if there)
        if bits and mode != "off":
            since = min(filter(None, (added, first)))
            row = {"account_id": account, "since": since, "until": gone, "metrics": bits}
            tx.execute(account_spans.insert().values(row))
    for project in tx.execute(sa.select(projects.c.id)).scalars().all():
        days.rebuild(tx, project)
