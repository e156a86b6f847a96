"""One table of routes: address, method, who may, what it takes and gives. The app and its document are made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, Literal

import msgspec
from flask import Flask, Response, current_app, request

from webapp import web
from webapp.api.http.auth import Access, check
from webapp.api.http.requests import decode_body, decode_query, refuse_body
from webapp.store.db import Database
from webapp.store.migrate import ensure_migrated

# What operations are sorted by, for readers and for generated clients; `openapi.TAGS` says what each is about.
Tag = Literal[
    "sync", "schedule", "projects", "accounts", "history", "readings", "corrections", "sharing", "alerts", "service"
]


class NoQuery(msgspec.Struct):
    """No parameters."""


@dataclass(frozen=True)
class Answer:
    """One answer of a route as its document tells of it.

    body: struct of the JSON body; None: there is no body.
    words: when it is given; the status' own phrase when left out.
    headers: names of headers it carries besides `Cache-Control`; `openapi.HEADERS` says what they mean.
    media: other content types in which the same is had, such as `text/csv`.
    """

    body: Any = None
    words: str = ""
    headers: Sequence[str] = ()
    media: Sequence[str] = ()


@dataclass(frozen=True)
class Route:
    """One operation. The first line of the view's docstring is its summary, the rest its description.

    name: the operation's id in the document, which generated clients call it by: chosen once, at most three words.
    tag: what it is listed under.
    view: called with the decoded query, then the decoded body if there is one, then the path's values by name.
    query, body: msgspec structs; whatever they do not name is refused. body None: a body that says something is refused.
    decode: reads the body where it may come in other forms too, which the view's docstring tells of: generated clients
    know one form of each body.
    answers: {status: struct of the JSON body, or an Answer}.
    problems: codes of the problem documents it may answer with, besides those every route has; `codes` knows them all.
    headers: names of request headers it heeds; `openapi.REQUEST_HEADERS` says what they mean.
    fixed: parameters of the query whose value the address itself says; nobody may send them.
    """

    name: str
    tag: Tag
    method: str
    path: str
    view: Callable[..., Response]
    access: Access
    query: type[msgspec.Struct] = NoQuery
    body: type[msgspec.Struct] | None = None
    answers: Mapping[int, Any] = field(default_factory=dict)
    problems: Sequence[str] = ()
    headers: Sequence[str] = ()
    fixed: dict[str, str] = field(default_factory=dict)
    decode: Callable[[], Any] | None = None
    store: bool = True  # uses the database, which is then brought to this version's tables first


def as_csv(route: Route, name: str, lines: str = "The lines") -> Route:
    """The lines of a route as a table, at its address with `.csv` behind it. lines: what is in the table.

    An address of its own, because a generated client reads one kind of answer from each operation.
    """

    @wraps(route.view)
    def view(*given: Any, **values: Any) -> Response:
        return route.view(*given, **values)

    view.__doc__ = f"""{lines} of `{route.name}` as a table that a spreadsheet program opens.

    UTF-8 with a byte order mark; no cell begins like a formula. `format=csv` at the other address gives the same.
    """
    headers = (*route.answers[200].headers, "Content-Disposition")
    answer = Answer(words="the table", headers=headers, media=("text/csv",))
    return replace(
        route,
        name=name,
        path=f"{route.path}.csv",
        view=view,
        fixed={"format": "csv"},
        answers={**route.answers, 200: answer},
    )


def add_routes(app: Flask, routes: Sequence[Route]) -> None:
    """Put the routes on the app, each behind its own gate."""
    for route in routes:
        app.add_url_rule(route.path, route.name, _gate(route), methods=[route.method])
    app.before_request(_answer_options)


def _answer_options() -> Response | None:
    """OPTIONS names the methods of an address; it needs no token, reads nothing and answers no body."""
    if request.method != "OPTIONS" or request.routing_exception is not None:
        return None
    answer = current_app.make_default_options_response()
    answer.status_code = 204
    answer.headers["Allow"] = ", ".join(sorted(answer.allow))
    del answer.headers["Content-Type"]
    return answer


def _gate(route: Route) -> Callable[..., Response]:
    for kind in filter(None, (route.query, route.body)):
        msgspec.json.Decoder(kind)  # two threads that are the first to come to a type crash msgspec 0.22

    @wraps(route.view)
    def view(**values: Any) -> Response:
        check(route.access, values)
        given: list[Any] = [decode_query(route.query, route.fixed)]
        if route.body is not None:
            given.append(route.decode() if route.decode is not None else decode_body(route.body))
        elif route.method != "GET":
            refuse_body()
        if route.store:
            ensure_migrated(web.get(Database))
        return route.view(*given, **values)

    return view
