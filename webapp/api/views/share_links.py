"""Share links: read-only tokens for one project each, to give away and to take back."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import sqlalchemy as sa
from flask import Response

from webapp import web
from webapp.actions import share_links
from webapp.api.http.desk import desk
from webapp.api.http.problems import json_answer
from webapp.api.http.routes import Answer, NoQuery, Route
from webapp.api.shapes import answers
from webapp.clock import iso
from webapp.errors import NotFound
from webapp.store import projects
from webapp.store import share_links as share_link_rows
from webapp.store.db import Database
from webapp.store.share_links import ShareLink


class ShareLinkBody(msgspec.Struct, forbid_unknown_fields=True):
    """What a link is called, so that people know later whom they gave it to."""

    label: (
        Annotated[str, msgspec.Meta(min_length=1, max_length=100, description="whom the link is for, in your words")]
        | None
    ) = None


def list_share_links(_: NoQuery, project_id: str) -> Response:
    """A project's share links, live ones first, without their tokens."""
    with web.get(Database).read() as tx:
        _check_project(tx, project_id)
        links = share_link_rows.of_project(tx, project_id)
    return json_answer({"share_links": [_shown(link) for link in links]}, headers={"Cache-Control": "no-store"})


def create_share_link(_: NoQuery, asked: ShareLinkBody, project_id: str) -> Response:
    """Make a token that only reads this one project. It is shown this once: only its hash is kept."""
    link, token = share_links.create_share_link(desk(), project_id, asked.label)
    return json_answer({"success": True, "share_link": _shown(link), "token": token}, 201)


def revoke_share_link(_: NoQuery, link_id: str) -> Response:
    """Close a share link at once and for good; closing it again changes nothing."""
    link = share_links.revoke_share_link(desk(), link_id)
    return json_answer({"success": True, "share_link": _shown(link)})


def _check_project(tx: sa.Connection, project_id: str) -> None:
    project = projects.by_id(tx, project_id)
    if project is None or project.removed_at is not None:
        raise NotFound(f"there is no project {project_id[:100]!r}", code="project_not_found")


def _shown(link: ShareLink) -> dict[str, Any]:
    return {
        "id": link.id,
        "project_id": link.project_id,
        "label": link.label,
        "created_at": iso(link.created_at),
        "revoked_at": iso(link.revoked_at),
    }


ROUTES = (
    Route(
        "list_share_links",
        "GET",
        "/api/admin/projects/<project_id>/share_links",
        list_share_links,
        "admin",
        answers={200: answers.ShareLinks},
        problems=["project_not_found"],
    ),
    Route(
        "create_share_link",
        "POST",
        "/api/admin/projects/<project_id>/share_links",
        create_share_link,
        "admin",
        body=ShareLinkBody,
        answers={201: Answer(answers.ShareLinkMade, "made; the token is in no later answer")},
        problems=["project_not_found", "too_many_share_links"],
    ),
    Route(
        "revoke_share_link",
        "DELETE",
        "/api/admin/share_links/<link_id>",
        revoke_share_link,
        "admin",
        answers={200: answers.ShareLinkChanged},
        problems=["share_link_not_found"],
    ),
)
