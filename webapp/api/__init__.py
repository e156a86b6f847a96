"""The HTTP interface: each module lists its routes, `register` puts them on the app."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask

from webapp.api import (
    admin,
    changes,
    corrections,
    cors,
    docs,
    editing,
    events,
    health,
    openapi,
    problems,
    read,
    readings,
    runs,
    schedule,
    sharing,
)
from webapp.api.routes import Route, add_routes

__all__ = ["ROUTES", "register", "routes"]

ROUTES: tuple[Route, ...] = (
    *admin.ROUTES,
    *runs.ROUTES,
    *events.ROUTES,
    *schedule.ROUTES,
    *corrections.ROUTES,
    *readings.ROUTES,
    *sharing.ROUTES,
    *editing.ROUTES,
    *changes.ROUTES,
    *read.ROUTES,
    *health.ROUTES,
    *openapi.ROUTES,
    *docs.ROUTES,
)


def routes(*, get_trigger: bool = False) -> Sequence[Route]:
    """The routes of one service. get_trigger: with the one that starts a sync by GET."""
    return (*ROUTES, admin.GET_TRIGGER) if get_trigger else ROUTES


def register(app: Flask, routes: Sequence[Route] = ROUTES) -> None:
    """Put the routes and every error answer on the app."""
    problems.register(app)
    add_routes(app, routes)
    cors.register(app, routes)
