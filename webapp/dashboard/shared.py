"""The page that a share link opens: one project, for somebody who has no token of the service, and nothing else.

The link's token leaves the address with the first visit: a cookie that only this page is sent takes it over, so that
no history, no bookmark and no picture of the screen gives it away.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask import Response, g, request

from webapp import web
from webapp.access import Gate
from webapp.clock import Clock
from webapp.config import Settings
from webapp.dashboard.charts import add_up, draw_line
from webapp.dashboard.entrance import answer
from webapp.dashboard.project import AccountListing, ProjectPage, project_page
from webapp.dashboard.questions import PERIODS, links, metric_in_query, span_in_query
from webapp.dashboard.rendering import page, plain_error, redirect_to
from webapp.store import share_links
from webapp.store.db import Database
from webapp.store.heads import head_of

COOKIE = "smart_sync_shared"
KEEP_S = 400 * 24 * 60 * 60  # as long as browsers keep any; the link itself may end earlier
UNSEEN = {"X-Robots-Tag": "noindex, nofollow, noarchive", "Referrer-Policy": "no-referrer"}


def arrive(token: str) -> Response:
    """Take the token of a link over into a cookie, and show the project at an address without it."""
    return answer(_arrive, {"token": token})


def _arrive(token: str) -> Response:
    with web.get(Database).read() as tx:
        project_id = share_links.project_of_token(tx, token, web.get(Clock).now())
    if project_id is None:
        return _closed(token)
    found = redirect_to(f"/shared/{project_id}")
    # Lax: whoever comes from a mail is sent on with it at once.
    found.set_cookie(
        COOKIE,
        token,
        max_age=KEEP_S,
        path=f"/shared/{project_id}",
        secure=web.came_encrypted(),
        httponly=True,
        samesite="Lax",
    )
    return _unseen(found)


def shared_project(project_id: str) -> Response:
    """One project, read-only."""
    return answer(_show, {"project_id": project_id})


def _show(project_id: str) -> Response:
    token, now = request.cookies.get(COOKIE, ""), web.get(Clock).now()
    with web.get(Database).read() as tx:
        if not token or share_links.project_of_token(tx, token, now) != project_id:
            return _closed(token)
        found = _page_of(tx, project_id, now)
    settings, span = web.get(Settings), span_in_query(now.date())
    drawn = draw_line(found.points)
    return _unseen(
        page(
            "shared.html",
            it=found,
            metric=metric_in_query(),
            days=span.days,
            span=span,
            periods=PERIODS,
            chart=drawn,
            together=add_up(found.points),
            brand=settings.share_name,
            logo=settings.share_logo,
            **links(),
        )
    )


def _page_of(tx: sa.Connection, project_id: str, now: datetime) -> ProjectPage:
    head, metric = head_of(tx, project_id), metric_in_query()
    return project_page(tx, head, metric, span_in_query(now.date()), AccountListing(metric), now, web.get(Settings))


def _closed(token: str) -> Response:
    """What is said of a link that opens nothing, whatever the reason."""
    g.role = None
    if token and web.get(Gate).wrong(request.remote_addr or "") > 0:
        return _unseen(plain_error(429, "Too many tries", "Wait a minute, then open the link again."))
    words = "It was revoked, has expired, or is not whole. Ask whoever sent it for another."
    return _unseen(plain_error(404, "This link opens nothing", words))


def _unseen(found: Response) -> Response:
    found.headers.update(UNSEEN)
    return found
