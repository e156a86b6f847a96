"""What is said to a request that the application never sees: the same problem documents as everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from gunicorn.http import errors

from webapp.api.http.codes import CODES
from webapp.api.http.problems import RETRY_AFTER_S, problem
from webapp.app import harden
from webapp.serving.arrival import BodyTooLarge

MAX_WORDS = 200


@dataclass(frozen=True)
class Refusal:
    """An answer before which nothing ran, and after which the connection is closed."""

    status: int
    code: str
    detail: str

    def encode(self) -> bytes:
        headers = {"Connection": "close", "Date": formatdate(usegmt=True)}
        if self.status == 503:  # noqa: PLR2004
            headers["Retry-After"] = str(RETRY_AFTER_S)
        response = harden(problem(self.status, self.code, self.detail, headers=headers))
        lines = [f"HTTP/1.1 {response.status}", *(f"{name}: {value}" for name, value in response.headers)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + response.get_data()


def _plain(code: str) -> Refusal:
    return Refusal(CODES[code].status, code, CODES[code].meaning)


LATE = _plain("request_timeout")
CROWDED = _plain("crowded_out")
TOO_LARGE = _plain("body_too_large")
BROKEN = _plain("internal_error")

# By kind of error; the first that fits. Whatever else gunicorn raises while it reads a request is 400.
REFUSALS: Sequence[tuple[type[Exception], int, str]] = (
    (errors.InvalidResponseHeader, 500, "internal_error"),
    (errors.InvalidResponseHeaderName, 500, "internal_error"),
    (errors.LimitRequestLine, 414, "url_too_long"),
    (errors.LimitRequestHeaders, 431, "head_too_large"),
    (errors.ForbiddenProxyRequest, 403, "http_403"),
    (errors.ExpectationFailed, 417, "http_417"),
    (errors.UnsupportedTransferCoding, 501, "http_501"),
    (errors.ParseException, 400, "bad_request"),
)


def refusal_of(error: Any) -> Refusal:
    """What to answer to an error of a request that gunicorn or a thread of it came upon."""
    if isinstance(error, BodyTooLarge):
        return TOO_LARGE
    for kind, status, code in REFUSALS:
        if isinstance(error, kind):
            return BROKEN if status == BROKEN.status else Refusal(status, code, str(error)[:MAX_WORDS])
    return BROKEN
