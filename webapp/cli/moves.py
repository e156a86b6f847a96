"""`smart-sync export` and `smart-sync import`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import cast

import click

from webapp.cli.progress import bar
from webapp.cli.root import confirm_by_name, open_database_alone
from webapp.cli.terminal import say
from webapp.clock import Clock
from webapp.errors import SourceError
from webapp.store.db import Database


@click.command(name="export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path, allow_dash=True))
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
def export_(file: Path, *, force: bool) -> None:
    """Write the whole database into FILE, from which `import` fills SQLite or PostgreSQL alike; `-` is stdout.

    The service goes on meanwhile. The file is compressed text: a line with what it is, then a line for each row.
    """
    from webapp.actions.moves import export_all  # noqa: PLC0415  nothing else needs it
    from webapp.store import copies  # noqa: PLC0415

    if str(file) == "-":
        if sys.stdout.isatty():
            raise click.UsageError("FILE: a terminal cannot show it; name a file, or pipe it on")
        with open_database_alone() as db:
            export_all(db, sys.stdout.buffer, Clock())
        return
    if file.exists() and not force:
        raise copies.name_conflict(file)
    with open_database_alone() as db, copies.place_beside(file, "partial") as new:
        try:
            with new.open("wb") as opened, bar(file.name) as show:
                size = export_all(db, opened, Clock(), show)
        except OSError as error:
            raise copies.refusal(file, error) from error
        copies.keep_as(new, file, overwrite=force)
    say(f"{file}: {size:,} bytes")


@click.command(name="import")
@click.argument("file")
@click.option("--force", is_flag=True, help="Empty a database that holds projects first, without asking.")
@click.option("--earlier", is_flag=True, help="FILE is the database of the earlier app, or its PostgreSQL URL.")
@click.option("--drop-zeros/--keep-zeros", default=None, help="Of the earlier app: values that are 0 after more.")
@click.option("--dry-run", is_flag=True, help="Of the earlier app: only say what would be taken.")
def import_(file: str, *, force: bool, earlier: bool, drop_zeros: bool | None, dry_run: bool) -> None:
    """Fill the database with what `export` wrote into FILE, from SQLite or PostgreSQL; `-` is stdin.

    All of it is one transaction: a file that is cut short or was changed leaves the database as it was. One that holds
    projects is emptied only after its name was typed, or with --force.

    With --earlier projects, accounts and days of the earlier app are added to what is there, and again what has come
    since.
    """
    if earlier:
        from webapp.cli.earlier import import_earlier  # noqa: PLC0415  once in a lifetime

        import_earlier(file, drop_zeros=drop_zeros, dry_run=dry_run)
        return
    if dry_run or drop_zeros is not None:
        raise click.UsageError("--dry-run, --drop-zeros and --keep-zeros go with --earlier")
    from webapp.actions.moves import import_all  # noqa: PLC0415

    with _opened(file) as opened, open_database_alone(create=True) as db:
        agreed = force or _is_agreed(db, asking=file != "-")
        with bar(file) as show:
            head = import_all(db, opened, overwrite=agreed, advance=show)
    say(f"{head.rows:,} rows of {len(head.tables)} tables, as they were at {head.made_at}")


def _is_agreed(db: Database, *, asking: bool) -> bool:
    """Whether a database that holds anything may be emptied, as somebody at a terminal says by typing its name."""
    from webapp.actions.moves import has_something_to_lose  # noqa: PLC0415

    return asking and has_something_to_lose(db) and confirm_by_name(db)


@contextmanager
def _opened(file: str) -> Iterator[BufferedReader]:
    try:
        opened = click.open_file(file, "rb")
    except OSError as error:
        raise SourceError(f"{file}: {error.strerror}", code="bad_file") from None
    with opened:
        yield cast("BufferedReader", opened)
