"""How people come in and go out, and who may see a page."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import quote, urlsplit

from flask import Response, g, request
from werkzeug.exceptions import HTTPException

from webapp import web
from webapp.access import COOKIE, SESSION_S, Gate, Role, Sessions, Tokens
from webapp.actions.sessions import end_session
from webapp.dashboard.desk import desk
from webapp.dashboard.rendering import page, plain_error, redirect_to
from webapp.errors import Conflict, Invalid, NotFound, StoreError
from webapp.store.db import Database
from webapp.store.migrate import ensure_migrated

log = logging.getLogger("smart_sync")

FORM_LIMIT = 10_000
RETRY_S = "15"


def guard(view: Callable[..., Response], role: Role = "read") -> Callable[..., Response]:
    """The view for those who may see it; others are sent to sign in. What goes wrong is shown on a page."""

    @wraps(view)
    def shown(**values: Any) -> Response:
        have = _role()
        if have is None:
            return _to_sign_in()
        if request.method == "POST" and not web.sent_by_ours():
            return plain_error(403, "That did not come from here", "The request was sent by another site's page.")
        if role == "admin" and have != "admin":
            return plain_error(403, "This needs the admin token", "You are signed in with a token that only reads.")
        return answer(view, values)

    return shown


def answer(view: Callable[..., Response], values: dict[str, Any]) -> Response:
    """What the view gives; what goes wrong is shown on a page."""
    try:
        ensure_migrated(web.get(Database))
        return view(**values)
    except NotFound as error:
        return plain_error(404, "Not found", error.message, error.hint)
    except Invalid as error:
        return plain_error(422, "That did not work", error.message, error.hint or _way_back())
    except Conflict as error:
        return plain_error(409, "That did not work", error.message, error.hint)
    except HTTPException as error:
        return plain_error(error.code or 500, error.name, error.description or "")
    except Exception as error:
        state = web.get(Database).explain(error)
        if state is None:
            raise
        return _unavailable(state)


def _way_back() -> str | None:
    """What to do about a form that was refused."""
    return "Go back with your browser and correct it." if request.method == "POST" else None


def _unavailable(error: StoreError) -> Response:
    log.warning("[SmartSync] %s", error, extra={"code": error.code})
    ending = error.code == "shutting_down"
    title = "The service is ending" if ending else "The database cannot be read now"
    answer = plain_error(503, title, error.message, error.hint)
    answer.headers["Retry-After"] = RETRY_S
    return answer


def _role() -> Role | None:
    cookie = request.cookies.get(COOKIE)
    role = web.get(Sessions).role(cookie) if cookie else None
    g.signed_in = role is not None
    g.role = role or ("read" if web.get(Tokens).public_reads else None)
    known: Role | None = g.role
    return known


def _to_sign_in() -> Response:
    wanted = request.full_path.rstrip("?") if request.method == "GET" else "/"
    ended = "&ended=1" if COOKIE in request.cookies else ""
    return redirect_to(f"/sign-in?next={quote(wanted)}{ended}")


def show_sign_in() -> Response:
    if _role() is not None and g.signed_in:
        return redirect_to("/")
    return _form(200, "Your session has ended. Sign in again." if request.args.get("ended") else "")


def sign_in() -> Response:
    """Open a session for whoever has a token."""
    request.max_content_length = FORM_LIMIT
    g.role, g.signed_in = None, False
    if not web.sent_by_ours():
        return _form(403, "The form was sent from another page. Try again here.")
    cookie = web.get(Sessions).open(request.form.get("token", "").strip())
    if cookie is None:
        wait = web.get(Gate).wrong(request.remote_addr or "")
        if wait > 0:
            answer = _form(429, f"Too many wrong tokens. Wait {wait:.0f} seconds.")
            answer.headers["Retry-After"] = f"{wait:.0f}"
            return answer
        return _form(401, "This is none of the tokens of this service.")
    answer = redirect_to(_local(request.form.get("next", "/")))
    answer.set_cookie(COOKIE, cookie, max_age=SESSION_S, secure=web.came_encrypted(), httponly=True, samesite="Strict")
    return answer


def leave() -> Response:
    if not web.sent_by_ours():
        return redirect_to("/")
    return answer(_leave, {})


def _leave() -> Response:
    session = web.get(Sessions).of(request.cookies.get(COOKIE, ""))
    if session is not None:
        end_session(desk(), session.id, session.ends)
    answer = redirect_to("/sign-in")
    answer.delete_cookie(COOKIE, secure=web.came_encrypted(), httponly=True, samesite="Strict")
    return answer


def _form(status: int, words: str) -> Response:
    wanted = request.form.get("next") or request.args.get("next") or "/"
    return page("sign_in.html", status, words=words, wanted=_local(wanted))


def _local(address: str) -> str:
    """The address if it is one of ours; the home page instead of any other."""
    parts = urlsplit(address.replace("\\", "/"))
    ours = address.startswith("/") and not address.startswith("//") and not parts.netloc and address.isprintable()
    return address if ours and "\\" not in address else "/"
