"""`smart-sync db` and `smart-sync token`."""

from __future__ import annotations

import secrets
import sys

import click

from webapp.actions.storage import acknowledge_lost_history, rebuild_all_days, thin_history
from webapp.cli.root import open_parts
from webapp.cli.terminal import say
from webapp.errors import ConfigError
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


@db.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def thin(*, dry_run: bool, yes: bool) -> None:
    """Of weeks older than SMART_SYNC_WEEKLY_AFTER_MONTHS keep only what they end with. It cannot be undone.

    What each week ends with, and how much it grew, stays as it was. From then on each sync goes on with it.
    """
    with open_parts() as parts:
        months = parts.settings.weekly_after
        if months is None:
            raise ConfigError("SMART_SYNC_WEEKLY_AFTER_MONTHS: is not set, so every day is kept for ever")
        desk = parts.desk.through("cli")
        if not dry_run and not yes:
            total = sum(gone for _, gone in thin_history(desk, months, dry_run=True))
            if not _is_wanted(total):
                raise click.ClickException("nothing was changed")
        for name, gone in thin_history(desk, months, dry_run=dry_run):
            say(f"{name}: {gone:,} snapshots {'would go' if dry_run else 'gone'}")


def _is_wanted(snapshots: int) -> bool:
    if not snapshots:
        return True
    if not sys.stdin.isatty():
        raise click.UsageError(f"{snapshots:,} snapshots would go, for good; make a backup, then say --yes")
    return click.confirm(f"{snapshots:,} snapshots will go, for good. Is there a backup?", default=False)


@click.group()
def token() -> None:
    """Tokens."""


@token.command()
def new() -> None:
    """Print a fresh token, for SMART_SYNC_ADMIN_TOKEN."""
    say(secrets.token_urlsafe(32))
