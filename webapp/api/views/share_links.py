"""Share links: read-only tokens for one project each, to give away and to take back."""

from __future__ import annotations

from flask import Response

from webapp import actions, web
from webapp.api.http.desk import desk
from webapp.api.http.problems import json_answer
from webapp.api.http.routes import Answer, NoQuery, Route
from webapp.api.shapes.sharing import (
    ShareLinkAnswer,
    ShareLinkCreate,
    ShareLinkCreated,
    ShareLinkList,
    share_link_out,
)
from webapp.store import share_links as share_link_rows
from webapp.store.db import Database
from webapp.store.heads import head_of
from webapp.store.projects import present_project


def list_share_links(_: NoQuery, project_id: str) -> Response:
    """A project's share links, live ones first, without their tokens."""
    with web.get(Database).read() as tx:
        present_project(head_of(tx, project_id))
        links = share_link_rows.of_project(tx, project_id)
    return json_answer(ShareLinkList([share_link_out(link) for link in links]), headers={"Cache-Control": "no-store"})


def create_share_link(_: NoQuery, asked: ShareLinkCreate, project_id: str) -> Response:
    """Make a token that only reads this one project. It is shown this once: only its hash is kept."""
    link, token = actions.share_links.create_share_link(desk(), project_id, asked.label, asked.expires_at)
    return json_answer(
        ShareLinkCreated(success=True, share_link=share_link_out(link), token=token, path=f"/share/{token}"), 201
    )


def revoke_share_link(_: NoQuery, link_id: str) -> Response:
    """Close a share link at once and for good; closing it again changes nothing."""
    link = actions.share_links.revoke_share_link(desk(), link_id)
    return json_answer(ShareLinkAnswer(success=True, share_link=share_link_out(link)))


ROUTES = (
    Route(
        "list_share_links",
        "sharing",
        "GET",
        "/api/admin/projects/<project_id>/share_links",
        list_share_links,
        "admin",
        answers={200: ShareLinkList},
        problems=["project_not_found"],
    ),
    Route(
        "create_share_link",
        "sharing",
        "POST",
        "/api/admin/projects/<project_id>/share_links",
        create_share_link,
        "admin",
        body=ShareLinkCreate,
        answers={201: Answer(ShareLinkCreated, "made; the token is in no later answer")},
        problems=["project_not_found", "too_many_share_links"],
    ),
    Route(
        "revoke_share_link",
        "sharing",
        "DELETE",
        "/api/admin/share_links/<link_id>",
        revoke_share_link,
        "admin",
        answers={200: ShareLinkAnswer},
        problems=["share_link_not_found"],
    ),
)
