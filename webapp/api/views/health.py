"""Whether the process lives, and whether it can do its work."""

from __future__ import annotations

from flask import Response

from webapp import __version__, web
from webapp.api.http.codes import STORE_CODES
from webapp.api.http.problems import json_answer
from webapp.api.http.routes import NoQuery, Route
from webapp.api.shapes.service import Health, Ready
from webapp.store.db import Database
from webapp.store.migrate import ensure_migrated


def get_health(_: NoQuery) -> Response:
    """The process answers. Asks nothing else, so that a busy database does not get it restarted."""
    return json_answer(Health("ok", __version__), headers={"Cache-Control": "no-store"})


def get_ready(_: NoQuery) -> Response:
    """The database answers and has the tables of this version; 503 with the reason when not."""
    db = web.get(Database)
    ensure_migrated(db)
    with db.read() as tx:
        tx.exec_driver_sql("SELECT 1 FROM projects LIMIT 1")
    return json_answer(Ready("ready", __version__), headers={"Cache-Control": "no-store"})


ROUTES = (
    Route("get_health", "service", "GET", "/health", get_health, "public", answers={200: Health}, store=False),
    Route(
        "get_ready",
        "service",
        "GET",
        "/ready",
        get_ready,
        "public",
        answers={200: Ready},
        problems=STORE_CODES,
        store=False,
    ),
)
