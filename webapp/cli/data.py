"""`smart-sync db` and `smart-sync token`."""

from __future__ import annotations

import secrets

import click

from webapp.actions.storage import acknowledge_lost_history, rebuild_all_days
from webapp.cli.root import open_parts
from webapp.cli.terminal import say
from webapp.store.migrate import current_revision, migrate


@click.group()
def db() -> None:
    """The database."""


@db.command()
def upgrade() -> None:
    """Bring the database to this version's tables; does nothing when it is there already."""
    with open_parts(migrated=False) as parts:
        before = current_revision(parts.db)
        changed = migrate(parts.db)
        after = current_revision(parts.db)
    say(f"upgraded from {before or 'nothing'} to {after}" if changed else f"is at {after} already")


@db.command(name="acknowledge-loss")
def acknowledge_loss() -> None:
    """Say that you know of the history that was lost, so that `status` and `doctor` need not tell any more."""
    with open_parts() as parts:
        acknowledged = acknowledge_lost_history(parts.desk.through("cli"))
    say("acknowledged" if acknowledged else "there is nothing to acknowledge")


@db.command(name="rebuild-days")
def rebuild_days() -> None:
    """Sum up every day of every project anew, from its snapshots; for after somebody changed tables by hand."""
    with open_parts() as parts:
        for name, days in rebuild_all_days(parts.desk.through("cli")):
            say(f"{name}: {days} day{'' if days == 1 else 's'}")


@click.group()
def token() -> None:
    """Tokens."""


@token.command()
def new() -> None:
    """Print a fresh token, for SMART_SYNC_ADMIN_TOKEN."""
    say(secrets.token_urlsafe(32))
