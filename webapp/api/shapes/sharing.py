"""Share links: read-only tokens for one project each."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Struct

from webapp.api.shapes.fields import Time, says
from webapp.api.shapes.rows import from_row
from webapp.store.share_links import LONGEST_LABEL, ShareLink


class ShareLinkCreate(Struct, forbid_unknown_fields=True):
    """What a link is called, so that people know later whom they gave it to."""

    label: (
        Annotated[
            str, msgspec.Meta(min_length=1, max_length=LONGEST_LABEL, description="whom the link is for, in your words")
        ]
        | None
    ) = None
    expires_at: Annotated[datetime, msgspec.Meta(tz=True, description="its end; none when left out")] | None = None


class ShareLinkOut(Struct):
    """A share link without its token."""

    id: str
    project_id: str
    label: str | None
    created_at: Time
    expires_at: Annotated[Time | None, says("null: it has no end of its own")]
    revoked_at: Annotated[Time | None, says("null: nobody has revoked it")]


class ShareLinkList(Struct):
    share_links: list[ShareLinkOut]


class ShareLinkCreated(Struct):
    success: bool
    share_link: ShareLinkOut
    token: Annotated[str, says("opens the project's reads; shown this once")]
    path: Annotated[str, says("address of the project's page for people, below that of the service; holds the token")]


class ShareLinkAnswer(Struct):
    success: bool
    share_link: ShareLinkOut


def share_link_out(link: ShareLink) -> ShareLinkOut:
    return from_row(ShareLinkOut, link)
