"""What an open page asks every other second: whether anything has happened, in a few bytes and one statement."""

from __future__ import annotations

from hashlib import sha256

import msgspec
import sqlalchemy as sa
from flask import Response

from webapp import web
from webapp.store.db import Database
from webapp.store.tables import IDLE, alerts, audit_log, sync_runs

_LATEST = (
    sa.select(sync_runs.c.id)
    .where(sa.text(f"NOT ({IDLE})"))
    .order_by(sync_runs.c.started_at.desc(), sync_runs.c.id.desc())
)
_PULSE = sa.select(
    sync_runs.c.id,
    sync_runs.c.state,
    sa.select(sa.func.max(audit_log.c.id)).scalar_subquery(),
    sa.select(sa.func.max(alerts.c.id)).scalar_subquery(),
    sa.select(sa.func.count()).where(alerts.c.state == "open").scalar_subquery(),
).where(sync_runs.c.id == _LATEST.limit(1).scalar_subquery())


def pulse() -> Response:
    """`{"at": text}`: another text once a run has begun or ended, somebody changed something, or an alert came or went."""
    with web.get(Database).read() as tx:
        row = tx.execute(_PULSE).first()
    at = sha256(repr(None if row is None else tuple(row)).encode()).hexdigest()[:16]
    return Response(
        msgspec.json.encode({"at": at}), content_type="application/json", headers={"Cache-Control": "no-store"}
    )
