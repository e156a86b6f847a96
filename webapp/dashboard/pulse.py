"""What an open page asks every other second: whether anything has happened, in a few bytes.

While nobody writes, a file is not even asked: it is enough to know that. A server is asked by one statement.
"""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from flask import Response, current_app

from webapp import web
from webapp.dashboard.rendering import SetUp
from webapp.store.db import Database
from webapp.store.tables import IDLE, alerts, audit_log, sync_runs
from webapp.store.watch import Version, Watch

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
MEMORY = "smart_sync.pulse"  # where the app keeps the latest Beat


class Beat(NamedTuple):
    """What was felt when the file was of this version."""

    version: Version
    at: str


def pulse() -> Response:
    """`{"at": text}`: another text once a run has begun or ended, somebody changed something, or an alert came or went."""
    return Response(
        msgspec.json.encode({"at": _at()}), content_type="application/json", headers={"Cache-Control": "no-store"}
    )


def _at() -> str:
    version = web.get(Watch).version() if web.get(SetUp).keep else None  # before it is asked: it may change meanwhile
    known: Beat | None = current_app.extensions.get(MEMORY)
    if known is not None and known.version == version:
        return known.at
    with web.get(Database).read() as tx:
        row = tx.execute(_PULSE).first()
    at = sha256(repr(None if row is None else tuple(row)).encode()).hexdigest()[:16]
    if version is not None:
        current_app.extensions[MEMORY] = Beat(version, at)
    return at
