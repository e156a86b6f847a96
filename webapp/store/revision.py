"""Which schema a database has, and whether this code knows it."""

from __future__ import annotations

from sqlalchemy import Connection, text

from webapp.errors import StoreError

# What the newest script is called. Alembic, slow to import, is not asked while the database says the same.
HEAD_REVISION = "0001"
REVISION = "SELECT version_num FROM alembic_version"


def revision_of(tx: Connection) -> str | None:
    """The name of the last script that ran. Raises: StoreError for a database without tables."""
    return tx.execute(text(REVISION)).scalar_one_or_none()


def is_newer(revision: str | None) -> bool:
    """Whether a later version of this code has migrated the database."""
    return revision is not None and revision > HEAD_REVISION


def newer_schema(place: str, revision: str | None) -> StoreError:
    """What to raise for a database that this code is too old for."""
    return StoreError(
        f"{place} has schema {revision}, made by a later version of Smart Sync; this one knows {HEAD_REVISION}",
        code="schema_newer",
        hint="run that version again, or restore the backup from before its upgrade",
    )
