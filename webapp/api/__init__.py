"""The HTTP interface: each view lists its routes, `register` puts them on the app."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask

from webapp.api.http import cors, docs, openapi, problems
from webapp.api.http.routes import Route, add_routes
from webapp.api.views import (
    accounts,
    alerts,
    analytics,
    changes,
    corrections,
    edit_accounts,
    edit_identity,
    edit_projects,
    edit_snapshots,
    events,
    explain,
    health,
    history,
    projects,
    readings,
    runs,
    schedule,
    share_links,
    smart_sync,
    sync_status,
    totals,
)

ROUTES: tuple[Route, ...] = (
    *smart_sync.ROUTES,
    *sync_status.ROUTES,
    *runs.ROUTES,
    *events.ROUTES,
    *schedule.ROUTES,
    *corrections.ROUTES,
    *readings.ROUTES,
    *share_links.ROUTES,
    *alerts.ROUTES,
    *edit_projects.ROUTES,
    *edit_accounts.ROUTES,
    *edit_identity.ROUTES,
    *edit_snapshots.ROUTES,
    *changes.ROUTES,
    *projects.ROUTES,
    *accounts.ROUTES,
    *analytics.ROUTES,
    *history.ROUTES,
    *explain.ROUTES,
    *totals.ROUTES,
    *health.ROUTES,
    *openapi.ROUTES,
    *docs.ROUTES,
)


def routes(*, get_trigger: bool = False) -> Sequence[Route]:
    """The routes of one service. get_trigger: with the one that starts a sync by GET."""
    return (*ROUTES, smart_sync.GET_TRIGGER) if get_trigger else ROUTES


def register(app: Flask, routes: Sequence[Route] = ROUTES) -> None:
    """Put the routes and every error answer on the app."""
    problems.register(app)
    add_routes(app, routes)
    cors.register(app, routes)
