"""The application: parts in, a Flask app out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask, Response

from webapp import api, dashboard, web
from webapp.access import Sessions
from webapp.api.http.front import Front
from webapp.api.http.memory import Memory
from webapp.api.http.openapi import Document
from webapp.api.http.packing import Packing
from webapp.api.views.events import Streams
from webapp.api.views.projects import ProjectsMemory
from webapp.bootstrap import Parts
from webapp.store.ended_sessions import SessionEnds
from webapp.store.watch import Watch

if TYPE_CHECKING:
    from webapp.doctor.case import Diagnosis

MAX_BODY = 4 * 1024 * 1024
HARD = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cache-Control", "no-store"),
)


def create_app(parts: Parts, *, keep_answers: bool = True) -> Flask:
    """The app over these parts. Imports and reads nothing else; opens nothing.

    keep_answers: whether to give an answer again that is known to be the same; else each is made anew.
    """
    app = Flask("webapp", static_folder=None)
    app.url_rule_class = web.Address
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.url_map.merge_slashes = False  # by a redirect, which `curl --fail` takes for a success
    routes = api.routes(get_trigger=parts.settings.get_trigger)
    document = Document(routes, public_reads=parts.settings.public_reads)
    watch = Watch(parts.db)
    memory = Memory(watch=watch) if keep_answers else Memory(0)
    ends = SessionEnds(parts.db, watch if keep_answers else None)
    shared = [
        memory,
        watch,
        ProjectsMemory(keep=keep_answers),
        parts.settings,
        parts.clock,
        parts.db,
        parts.engine,
        parts.background,
        parts.tokens,
        parts.gate,
        parts.ping,
        parts.desk,
        document,
        Streams(),
        Sessions(parts.tokens, parts.clock, ends.is_ended),
        dashboard.Doctor(_examine),
        dashboard.SetUp(parts.settings.configured, parts.reader, keep_answers, _default_sheet(parts)),
    ]
    web.provide(app, shared)
    api.register(app, routes)
    dashboard.register(app)
    app.after_request(harden)
    if keep_answers:
        front = Front(app.wsgi_app, memory, parts.db, parts.tokens, parts.clock)
        app.wsgi_app = front  # type: ignore[method-assign]
    app.wsgi_app = Packing(web.WithoutSlash(app.wsgi_app))  # type: ignore[method-assign]
    return app


def _default_sheet(parts: Parts) -> str | None:
    return parts.engine.sheets[0].key if parts.engine.sheets else None


def _examine() -> Iterable[Diagnosis]:
    """What an examination of this service finds."""
    from webapp.doctor.examination import examine  # noqa: PLC0415  few ever ask for it

    return examine()


def harden(response: Response) -> Response:
    """The answer with what all say to browsers: believe the type, frame nothing, send no referrer, run nothing."""
    there = {name.lower() for name, _ in response.headers}
    for name, value in HARD:
        if name.lower() not in there:
            response.headers.add(name, value)
    return response
