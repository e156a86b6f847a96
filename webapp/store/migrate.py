"""Bring the schema of a database to this code's, once, however many processes start together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from webapp.errors import StoreError
from webapp.store import lost_history
from webapp.store.db import Database
from webapp.store.revision import HEAD_REVISION, newer_schema, revision_of
from webapp.store.tables import metadata

if TYPE_CHECKING:
    from alembic.config import Config

SCRIPTS = Path(__file__).parent / "migrations"


def ensure_migrated(db: Database) -> None:
    """Migrate at the first use of a `Database`; look again when its file was replaced, and then make no new one.

    One that is empty where another had been is noticed here.

    Raises: StoreError.
    """
    if db.migrated == db.generation:
        return
    migrate(db, create=db.migrated is None)
    lost_history.notice(db)
    db.migrated = db.generation


def migrate(db: Database, *, create: bool = True) -> bool:
    """Whether there was anything to do. Several may call this at once: one migrates, the others wait.

    All of it is one transaction: interrupted, it leaves the old schema, and the next call does it all.

    create: whether to make a SQLite file, and its folder, where there is none.

    Raises: StoreError, `schema_newer` when a later version of this code has migrated the database.
    """
    if current_revision(db) == HEAD_REVISION:
        return False
    with db.migrating(create=create) as tx:
        return upgrade(tx)


def current_revision(db: Database) -> str | None:
    """The name of the last script that ran; None for a database without tables, or without a file."""
    try:
        with db.read() as tx:
            return revision_of(tx)
    except StoreError as error:
        if error.code in {"schema_missing", "database_missing"}:
            return None
        raise


def upgrade(tx: Connection, to: str = "head") -> bool:
    """Run the scripts that have not run yet, up to one of them; whether there were any."""
    from alembic import command  # noqa: PLC0415  see HEAD_REVISION
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415

    before = MigrationContext.configure(tx).get_current_revision()
    if before == HEAD_REVISION:
        return False
    config = _config(tx)
    _refuse_newer(config, before)
    if before is None:
        _refuse_others_tables(tx)
    command.upgrade(config, to)
    _check_references(tx)
    return True


def _config(tx: Connection) -> Config:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = tx
    return config


def _refuse_newer(config: Config, revision: str | None) -> None:
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise newer_schema("The database", revision)


def _refuse_others_tables(tx: Connection) -> None:
    """Tables with our names and without our history belong to another program."""
    taken = sorted(set(inspect(tx).get_table_names()) & set(metadata.tables))
    if taken:
        raise StoreError(
            f"The database already has tables that Smart Sync did not make: {', '.join(taken)}",
            code="schema_foreign",
            hint="give Smart Sync a database of its own; smart-sync import takes over the numbers of another one",
        )


def _check_references(tx: Connection) -> None:
    """Migrations of SQLite run without foreign keys, because rebuilding a table with them empties its children."""
    if tx.dialect.name != "sqlite":
        return
    broken = tx.execute(text("PRAGMA foreign_key_check")).all()
    if broken:
        tables = ", ".join(sorted({row[0] for row in broken}))
        raise StoreError(
            f"Rows of {tables} refer to rows that are not there; nothing was changed",
            code="schema_broken",
            hint="restore a backup, or delete these rows: PRAGMA foreign_key_check lists them",
        )
