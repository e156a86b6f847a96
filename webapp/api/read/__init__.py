"""What frontends live on: projects, accounts, history. Reads the database and nothing else, and changes nothing."""

from __future__ import annotations

from webapp.api.read import accounts, analytics, explain, history, projects, totals

__all__ = ["ROUTES"]

ROUTES = (
    *projects.ROUTES,
    *accounts.ROUTES,
    *analytics.ROUTES,
    *history.ROUTES,
    *explain.ROUTES,
    *totals.ROUTES,
)
