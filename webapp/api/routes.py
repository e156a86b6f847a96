"""One table of routes: address, method, who may, what it takes and gives. The app and its document are made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import msgspec
from flask import Flask, Response

from webapp import web
from webapp.api.auth import Access, check
from webapp.api.requests import body, no_body, query
from webapp.store.db import Database
from webapp.store.migrate import ensure_migrated

__all__ = ["NoQuery", "Route", "add_routes"]


class NoQuery(msgspec.Struct):
    """No parameters."""


@dataclass(frozen=True)
class Route:
    """One operation. The first line of the view's docstring is its summary, the rest its description.

    view: called with the decoded query, then the decoded body if there is one, then the path's values by name.
    query, body: msgspec structs; whatever they do not name is refused. body None: a body that says something is refused.
    answers: {status: struct of the JSON body}.
    problems: codes of the problem documents it may answer with, besides those every route has.
    """

    method: str
    path: str
    view: Callable[..., Response]
    access: Access
    query: type[msgspec.Struct] = NoQuery
    body: type[msgspec.Struct] | None = None
    answers: Mapping[int, Any] = field(default_factory=dict)
    problems: Sequence[str] = ()
    store: bool = True  # uses the database, which is then brought to this version's tables first


def add_routes(app: Flask, routes: Sequence[Route]) -> None:
    """Put the routes on the app, each behind its own gate."""
    for route in routes:
        name = f"{route.view.__module__.rpartition('.')[2]}.{route.view.__name__}"
        app.add_url_rule(route.path, name, _gated(route), methods=[route.method])


def _gated(route: Route) -> Callable[..., Response]:
    @wraps(route.view)
    def view(**values: Any) -> Response:
        check(route.access)
        given: list[Any] = [query(route.query)]
        if route.body is not None:
            given.append(body(route.body))
        elif route.method != "GET":
            no_body()
        if route.store:
            ensure_migrated(web.get(Database))
        return route.view(*given, **values)

    return view
