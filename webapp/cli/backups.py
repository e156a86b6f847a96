"""`smart-sync backup` and `smart-sync restore`."""

from __future__ import annotations

from pathlib import Path

import click

from webapp.cli.progress import bar
from webapp.cli.root import confirm_by_name, open_database_alone
from webapp.cli.terminal import say


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
def backup(file: Path, *, force: bool) -> None:
    """Copy the whole database into FILE while the service goes on; for a SQLite file.

    The copy is looked through before it gets its name. PostgreSQL has `pg_dump`; `export` works for both.
    """
    from webapp.actions.backups import back_up  # noqa: PLC0415  nothing else needs it

    with open_database_alone(migrated=False) as db, bar(file.name) as advance:
        size = back_up(db, file, overwrite=force, advance=advance)
    say(f"{file}: {size:,} bytes")


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace a database that holds anything, without asking.")
def restore(file: Path, *, force: bool) -> None:
    """Put the backup in FILE in the place of the SQLite database. The service has to be stopped.

    It is looked through and brought up to date beside the database first, so that there is always a whole one. A
    database that holds anything is replaced only after its name was typed, or with --force.
    """
    from webapp.actions.backups import has_something_to_lose  # noqa: PLC0415
    from webapp.actions.backups import restore as put_back  # noqa: PLC0415

    with open_database_alone(migrated=False) as db:
        agreed = force or not has_something_to_lose(db) or confirm_by_name(db)
        with bar(file.name) as advance:
            put_back(db, file, overwrite=agreed, advance=advance)
        say(f"{db.storage()} is what {file} holds")
