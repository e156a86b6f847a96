"""Share links: read-only tokens for one project each. Only a token's hash is kept."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from webapp.store.statement import delete_some
from webapp.store.tables import PROJECT_THERE, projects, share_links

LONGEST_LABEL = 100
LIVE_LINKS = 100  # per project; so that a list of them always fits one answer


SHOWN = 200


@dataclass(frozen=True)
class ShareLink:
    """One row of `share_links`: its token opens the project until it expires or is revoked. None: never, or not yet."""

    id: str
    project_id: str
    label: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


_COLUMNS = [share_links.c[name] for name in ShareLink.__dataclass_fields__]


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _live(now: datetime) -> sa.ColumnElement[bool]:
    lasts = share_links.c.expires_at.is_(None) | (share_links.c.expires_at > now)
    return share_links.c.revoked_at.is_(None) & lasts


def add(
    tx: sa.Connection, project_id: str, label: str | None, now: datetime, expires_at: datetime | None = None
) -> tuple[ShareLink, str] | None:
    """A new link and its token, which cannot be had again. None when the project has as many as it may have."""
    live = sa.select(sa.func.count()).where(share_links.c.project_id == project_id, _live(now))
    if tx.execute(live).scalar_one() >= LIVE_LINKS:
        return None
    token = f"share_{secrets.token_urlsafe(32)}"
    link = ShareLink(str(uuid.uuid4()), project_id, label, now, expires_at, None)
    tx.execute(share_links.insert().values(**link.__dict__, token_hash=_hash(token)))
    return link, token


def of_project(tx: sa.Connection, project_id: str) -> list[ShareLink]:
    """The project's links, live ones first, then newest first."""
    statement = (
        sa.select(*_COLUMNS)
        .where(share_links.c.project_id == project_id)
        .order_by(share_links.c.revoked_at.is_not(None), share_links.c.created_at.desc(), share_links.c.id)
        .limit(SHOWN)
    )
    return [ShareLink(*row) for row in tx.execute(statement)]


def by_id(tx: sa.Connection, link_id: str) -> ShareLink | None:
    """The link, live or not."""
    row = tx.execute(sa.select(*_COLUMNS).where(share_links.c.id == link_id)).first()
    return None if row is None else ShareLink(*row)


def revoke(tx: sa.Connection, link_id: str, now: datetime) -> ShareLink | None:
    """Close a link for good; one that is closed stays as it is. None when there is no such link."""
    live = share_links.update().where(share_links.c.id == link_id, share_links.c.revoked_at.is_(None))
    tx.execute(live.values(revoked_at=now))
    return by_id(tx, link_id)


def project_of_token(tx: sa.Connection, token: str, now: datetime) -> str | None:
    """The project that this token opens; None for a token that is unknown, has expired or was revoked.

    None too while the project is removed: nobody sees its links then, to revoke them.
    """
    meant = sa.select(share_links.c.project_id).join(projects, projects.c.id == share_links.c.project_id)
    return tx.execute(meant.where(share_links.c.token_hash == _hash(token), _live(now), PROJECT_THERE)).scalar()


_before = sa.bindparam("before", type_=share_links.c.expires_at.type)
_forget = delete_some(share_links, (share_links.c.revoked_at < _before) | (share_links.c.expires_at < _before))


def forget(tx: sa.Connection, before: datetime, most: int) -> int:
    """Remove links that were revoked or expired before a moment; how many."""
    return _forget.run(tx, before=before, most=most)
