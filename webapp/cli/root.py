"""What all commands have in common: their settings, their parts, how an error is shown."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import click
import msgspec

from webapp import logs
from webapp.bootstrap import Parts, bootstrap
from webapp.cli.terminal import say, shown
from webapp.config import Settings
from webapp.errors import SmartSyncError
from webapp.store import projects
from webapp.store.copies import NO_ROOM
from webapp.store.db import Database, open_database
from webapp.store.migrate import ensure_migrated, migrate


class Group(click.Group):
    """Shows our own errors as one line, and exits with 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SmartSyncError as error:
            raise click.ClickException(shown(str(error))) from error
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            where = error.filename or "the disk that the output goes to"
            raise click.ClickException(f"there is no space left on {where}") from error


def read_settings(*, demo: bool = False) -> Settings:
    """What is set, with logging as it says.

    Raises: ConfigError.
    """
    settings = Settings.from_env()
    logs.set_up(settings.log_level, file=settings.log_file, secrets=settings.secrets)
    if demo:  # never in the database of real numbers
        return replace(settings, demo=True, data_dir=settings.data_dir / "demo", database_url="")
    return settings


@contextlib.contextmanager
def open_parts(*, migrated: bool = True) -> Iterator[Parts]:
    """The parts of a service that serves nobody, for as long as a command takes.

    Raises: ConfigError; StoreError.
    """
    parts = bootstrap(read_settings(), serving=False)
    try:
        if migrated:
            ensure_migrated(parts.db)
        yield parts
    except Exception as error:
        parts.db.blame(error)
        raise
    finally:
        parts.db.close()


@contextlib.contextmanager
def open_database_alone(*, migrated: bool = True, create: bool = False) -> Iterator[Database]:
    """The configured database without the other parts, so that nothing else has to be right for it.

    create: whether a file that is not there may be made.

    Raises: ConfigError; StoreError.
    """
    db = open_database(read_settings().database)
    try:
        if migrated:
            migrate(db, create=create)
        yield db
    except Exception as error:
        db.blame(error)
        raise
    finally:
        db.close()


def confirm_by_name(db: Database) -> bool:
    """Whether somebody at a terminal types the name of what is to be replaced; False where nobody can be asked."""
    if not sys.stdin.isatty():
        return False
    name = db.storage().rpartition("/")[2]
    say(f"{db.storage()} holds something, and all of it will be replaced.")
    if click.prompt(f"Type {name} to go on", default="", show_default=False) != name:
        raise click.ClickException("nothing was changed")
    return True


def project_id_of(db: Database, which: str) -> str:
    """Of the project that somebody names by its id or its name.

    Raises: NotFound; StoreError.
    """
    with db.read() as tx:
        project = projects.find(tx, which)
    if project is None:
        raise projects.missing(which, hint="`smart-sync projects list` shows ids and names")
    return project.id


def print_json(body: Any) -> None:
    click.echo(json.dumps(msgspec.to_builtins(body), ensure_ascii=False, indent=2))
