"""Errors as RFC 9457 problem details. No answer of ours is ever HTML, a traceback or a driver's message."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from webapp import web
from webapp.api.shapes.problems import ProblemOut
from webapp.errors import Conflict, Invalid, NotFound, SmartSyncError, SourceError, StoreError
from webapp.store.db import Database

log = logging.getLogger("smart_sync")

RETRY_AFTER_S = 15
CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    414: "url_too_long",
    415: "unsupported_media_type",
}


STATUSES: Sequence[tuple[type[SmartSyncError], int]] = (
    (StoreError, 503),
    (NotFound, 404),
    (Invalid, 422),
    (Conflict, 409),
    (SourceError, 502),
)


class HttpProblem(Exception):
    """An answer that a view raises: the status, a stable code, words, and what else the body should say."""

    def __init__(
        self, status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = more


def json_answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    response = Response(msgspec.json.encode(body), status, content_type="application/json")
    response.headers.update(dict(headers or {}))
    return response


def problem(status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """A problem document; members that are None are left out."""
    body = ProblemOut(
        type=f"urn:smart-sync:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
        **{name: value for name, value in more.items() if value is not None},
    )
    response = json_answer(body, status, headers)
    response.content_type = "application/problem+json"
    return response


def register(app: Flask) -> None:
    """Answer every error of the app as a problem."""
    app.register_error_handler(HttpProblem, _answer_view)
    app.register_error_handler(SmartSyncError, _answer_own)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_bug)


def _answer_view(error: HttpProblem) -> Response:
    return problem(error.status, error.code, error.detail, headers=error.headers, **error.more)


def _answer_own(error: SmartSyncError) -> Response:
    status = next((status for kind, status in STATUSES if isinstance(error, kind)), None)
    if status is None:
        return _answer_bug(error)
    headers = {}
    if isinstance(error, StoreError):
        log.error("[SmartSync] %s", error, extra={"code": error.code})
        headers = {"Retry-After": str(RETRY_AFTER_S)}
    more = {"hint": error.hint, "field": getattr(error, "field", None), **getattr(error, "about", {})}
    return problem(status, error.code, error.message, headers=headers, **more)


def _answer_http(error: HTTPException) -> Response:
    status = error.code or 500
    if isinstance(error, MethodNotAllowed):
        allowed = sorted(set(error.valid_methods or ()) - {"OPTIONS"})
        detail = f"{request.method} does nothing here; use {' or '.join(allowed)}"
        return problem(405, "method_not_allowed", detail, headers={"Allow": ", ".join([*allowed, "OPTIONS"])})
    if status == 404 or status < 400:  # noqa: PLR2004  werkzeug raises redirects too
        return problem(404, "not_found", "there is nothing at this address")
    return problem(status, CODES.get(status, f"http_{status}"), error.description or HTTPStatus(status).phrase)


def _answer_bug(error: Exception) -> Response:
    state = web.get(Database).explain(error)
    if state is not None:
        return _answer_own(state)
    log.error("[SmartSync] a request failed", exc_info=error, extra={"method": request.method})
    return problem(500, "internal_error", "something went wrong that is no fault of the request; the log says more")
