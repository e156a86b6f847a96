"""Who may call what. Every route says its access; nothing is open unless it says `public`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Literal

from flask import g, request

from webapp import web
from webapp.access import COOKIE, Gate, Role, Sessions, Tokens, bearer
from webapp.api.http.problems import HttpProblem
from webapp.clock import Clock
from webapp.store import accounts, share_links
from webapp.store.db import Database
from webapp.store.migrate import ensure_migrated

Access = Literal["public", "read", "admin"]

SHARE_TOKEN = re.compile(r"share_[A-Za-z0-9_-]{43}")


def check(access: Access, values: Mapping[str, Any]) -> None:
    """Let the request pass, or not. Runs before the query, the body and the view.

    values: those of the path, by name; a share token opens only paths that name its project or one of its accounts.

    Raises: HttpProblem 401 without a valid token, 403 for a token that does not reach this far, 429 to an address that
    keeps sending wrong ones; StoreError when a share token cannot be looked up.
    """
    if access == "public":
        return
    tokens, token = web.get(Tokens), bearer(request.headers.get("Authorization", ""))
    session = _session()
    g.by_session = session is not None
    if session == "admin" or tokens.opens("admin", token) or (access == "read" and tokens.public_reads):
        return
    if session == "read" or tokens.opens("read", token):
        _refuse_more_than_reading(access)
        return
    if not SHARE_TOKEN.fullmatch(token) or not _opens(access, values, token):
        raise _refusal(access)


def _session() -> Role | None:
    """What the dashboard's session may, where a request has one and no token; a change has to come from our pages."""
    if "HTTP_COOKIE" not in request.environ or "Authorization" in request.headers:
        return None
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        return None
    safe = request.method in ("GET", "HEAD")
    if not safe and not web.sent_by_ours():
        return None
    return web.get(Sessions).role(cookie)


def shared_project() -> str | None:
    """The id of the only project that this request may see; None when it may see all."""
    project_id: str | None = g.get("shared_project")
    return project_id


def _refuse_more_than_reading(access: Access) -> None:
    if access == "admin":
        raise _forbidden("this token only reads; this needs the admin token")


def _opens(access: Access, values: Mapping[str, Any], token: str) -> bool:
    """Whether it is a share token that opens this path; False when it is none of ours."""
    db = web.get(Database)
    ensure_migrated(db)
    with db.read() as tx:
        shared = share_links.project_of_token(tx, token, web.get(Clock).now())
        if shared is None:
            return False
        asked = values.get("project_id")
        if "account_id" in values:
            asked = accounts.owner_of(tx, values["account_id"])
    _refuse_more_than_reading(access)
    if asked != shared:
        # The same words whether the other project is there or not.
        raise _forbidden("this share token opens one project only", project_id=shared)
    g.shared_project = shared
    return True


def _forbidden(detail: str, **more: Any) -> HttpProblem:
    return HttpProblem(403, "forbidden", detail, **more)


def _refusal(access: Access) -> HttpProblem:
    given = request.headers.get("Authorization", "").strip()
    wait = web.get(Gate).wrong(request.remote_addr or "") if given else 0.0
    if wait > 0:
        return HttpProblem(
            429,
            "too_many_wrong_tokens",
            "too many wrong tokens from this address",
            headers={"Retry-After": str(math.ceil(wait))},
        )
    kind, setting = (
        ("the admin", "SMART_SYNC_ADMIN_TOKEN") if access == "admin" else ("a read", "SMART_SYNC_READ_TOKEN")
    )
    return HttpProblem(
        401,
        "unauthorized",
        f"this needs {kind} token in the header `Authorization: Bearer <token>`",
        hint=f"the token is {setting}, or the admin token printed at the first start; never put it into the URL",
        headers={"WWW-Authenticate": 'Bearer realm="smart-sync"'},
    )
