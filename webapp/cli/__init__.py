"""The command line. Each command translates in, calls one function, translates out."""

from __future__ import annotations

import click

from webapp import __version__
from webapp.cli.alerts import alerts
from webapp.cli.backups import backup, restore
from webapp.cli.cron import cron
from webapp.cli.data import db, token
from webapp.cli.doctor import doctor
from webapp.cli.doubts import doubts
from webapp.cli.moves import export_, import_
from webapp.cli.projects import projects
from webapp.cli.readings import readings
from webapp.cli.root import Group
from webapp.cli.schedule import schedule
from webapp.cli.serve import serve
from webapp.cli.status import runs, status
from webapp.cli.sync import sync, tick


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="smart-sync")
def main() -> None:
    """Smart Sync: hand-kept sheets and platform readings, merged, kept per day and served."""


for command in (
    *(serve, sync, tick, schedule, status, runs, doctor, projects, doubts, readings, alerts),
    *(backup, restore, export_, import_, db, token, cron),
):
    main.add_command(command)
