"""Share links: read-only tokens for one project each, to give away and to take back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from webapp.actions.desk import Desk, Edit
from webapp.actions.texts import clean_line, refusal
from webapp.errors import Invalid, NotFound
from webapp.store import projects, share_links
from webapp.store.projects import present_project
from webapp.store.share_links import ShareLink


def create_share_link(
    desk: Desk, project_id: str, label: str | None, expires_at: datetime | None = None
) -> tuple[ShareLink, str]:
    """A link that only reads this one project, and its token, which cannot be had again: only its hash is kept.

    Raises: NotFound; Invalid for a label that is no line of text, an end that is over, or when the project has as many
        live links as it may have.
    """
    if expires_at is not None and expires_at <= desk.clock.now():
        raise refusal("expires_at", "has to be in the future")
    label = None if label is None else clean_line("label", label, share_links.LONGEST_LABEL)
    with desk.edit() as edit:
        project = present_project(projects.lock(edit.tx, project_id))
        added = share_links.add(edit.tx, project.id, label, edit.now, expires_at)
        if added is None:
            words = f"the project has {share_links.LIVE_LINKS} live share links"
            raise Invalid(words, code="too_many_share_links", hint="revoke some")
        edit.audit("share_link.add", f"project:{project.id}", None, _values(added[0]))
        return added


def revoke_share_link(desk: Desk, link_id: str) -> ShareLink:
    """Close a share link at once and for good; closing it again changes nothing.

    Raises: NotFound.
    """
    with desk.edit() as edit:
        link = _lock(edit, link_id)
        if link.revoked_at is not None:
            return link
        share_links.revoke(edit.tx, link.id, edit.now)
        edit.audit("share_link.revoke", f"project:{link.project_id}", _values(link), None)
        return replace(link, revoked_at=edit.now)


def _lock(edit: Edit, link_id: str) -> ShareLink:
    """The link, and the lock of its project.

    Raises: NotFound.
    """
    link = share_links.by_id(edit.tx, link_id)
    if link is None:
        raise NotFound(f"there is no share link {link_id[:100]!r}", code="share_link_not_found")
    projects.lock(edit.tx, link.project_id)
    return share_links.by_id(edit.tx, link_id) or link


def _values(link: ShareLink) -> dict[str, Any]:
    ends = {} if link.expires_at is None else {"expires_at": link.expires_at}
    return {"id": link.id, "label": link.label, **ends}
