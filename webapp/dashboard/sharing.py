"""The share links of a project: made, listed and revoked."""

from __future__ import annotations

from flask import Response, request

from webapp import web
from webapp.actions.share_links import create_share_link, revoke_share_link
from webapp.clock import Clock
from webapp.config import Settings
from webapp.dashboard.desk import desk
from webapp.dashboard.fields import end_of_day_in, text_in
from webapp.dashboard.rendering import page, redirect_to
from webapp.store import share_links
from webapp.store.db import Database
from webapp.store.heads import head_of
from webapp.store.projects import present_project


def links_of(project_id: str) -> Response:
    """The links there are, live ones first."""
    return _show(project_id)


def share(project_id: str) -> Response:
    """Make a link, and show its address this once."""
    token = create_share_link(desk(), project_id, text_in("label"), end_of_day_in("until"))[1]
    base = web.get(Settings).base_url or request.host_url.rstrip("/")
    return _show(project_id, f"{base}/share/{token}")


def _show(project_id: str, address: str | None = None) -> Response:
    with web.get(Database).read() as tx:
        project = present_project(head_of(tx, project_id))
        found = share_links.of_project(tx, project_id)
    now = web.get(Clock).now()
    live = [link for link in found if link.is_live(now)]
    return page(
        "sharing.html", project=project, live=live, over=[one for one in found if one not in live], made=address
    )


def revoke(link_id: str) -> Response:
    """Close a link at once and for good."""
    return redirect_to(f"/projects/{revoke_share_link(desk(), link_id).project_id}/share")
