"""The HTTP interface: each module lists its routes, `register` puts them on the app."""

from __future__ import annotations

from flask import Flask

from webapp.api import admin, corrections, health, problems, readings, runs
from webapp.api.routes import Route, add_routes

__all__ = ["ROUTES", "register"]

ROUTES: tuple[Route, ...] = (
    *admin.ROUTES,
    *runs.ROUTES,
    *corrections.ROUTES,
    *readings.ROUTES,
    *health.ROUTES,
)


def register(app: Flask) -> None:
    """Put every route and every error answer on the app."""
    problems.register(app)
    add_routes(app, ROUTES)
