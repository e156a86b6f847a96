"""The desk at which whoever uses a page is served."""

from __future__ import annotations

from webapp import web
from webapp.actions.desk import Desk


def desk() -> Desk:
    return web.get(Desk).through("page")
