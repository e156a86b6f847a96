"""The desk at which a request is served."""

from __future__ import annotations

from flask import g

from webapp import web
from webapp.actions.desk import Desk


def desk() -> Desk:
    """As whoever sent this request comes to it: from a page of ours, whose session it carries, or over HTTP."""
    return web.get(Desk).through("page" if g.get("by_session") else "http")
