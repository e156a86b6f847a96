"""What browsers may do from pages of other origins: read, where the settings name their origin. Nothing by default."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from flask import Flask, Response, request

from webapp import web
from webapp.api.http.routes import Route
from webapp.config import Settings

# What a script of another origin may read of an answer besides its body, and send besides what browsers always allow.
EXPOSED = "ETag, Last-Modified, Link, Location, Retry-After"
ASKED = "Authorization, If-None-Match"
REMEMBERED_S = 600


def register(app: Flask, routes: Sequence[Route]) -> None:
    """Answer preflights and mark answers of the read routes. Tokens travel in a header, so cookies are never allowed."""
    readable = {route.path for route in routes if route.access == "read"}

    def allow(response: Response) -> Response:
        return _mark(response, readable)

    app.after_request(allow)


def _mark(response: Response, readable: Collection[str]) -> Response:
    origins = web.get(Settings).cors_origins
    if not origins or request.url_rule is None or request.url_rule.rule not in readable:
        return response
    origin = request.headers.get("Origin")
    everyone = "*" in origins
    if not everyone:
        response.vary.add("Origin")
    if origin is None or not (everyone or origin in origins):
        return response
    response.headers["Access-Control-Allow-Origin"] = "*" if everyone else origin
    response.headers["Access-Control-Expose-Headers"] = EXPOSED
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        response.headers["Access-Control-Allow-Methods"] = "GET"
        response.headers["Access-Control-Allow-Headers"] = ASKED
        response.headers["Access-Control-Max-Age"] = str(REMEMBERED_S)
    return response
