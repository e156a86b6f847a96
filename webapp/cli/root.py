"""What all commands have in common: their settings, their parts, how an error is shown."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import click
import msgspec

from webapp import logs
from webapp.bootstrap import Parts, bootstrap
from webapp.cli.terminal import shown
from webapp.config import Settings
from webapp.errors import SmartSyncError
from webapp.store import projects
from webapp.store.db import Database
from webapp.store.migrate import ensure_migrated


class Group(click.Group):
    """Shows our own errors as one line, and exits with 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SmartSyncError as error:
            raise click.ClickException(shown(str(error))) from error


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
