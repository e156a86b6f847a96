"""`smart-sync sync` and `smart-sync tick`."""

from __future__ import annotations

import contextlib
import sys

import click

from webapp.actions import PlannedChange, Trigger
from webapp.actions.desk import Desk
from webapp.actions.trigger import outcome_of, start_sync, work_off
from webapp.api.shapes.runs import run_report
from webapp.cli.lines import print_changes, print_run
from webapp.cli.progress import print_each, stop_on_signals
from webapp.cli.root import open_parts, print_json
from webapp.rules.due import TOLERANCE
from webapp.rules.outcomes import exit_code
from webapp.store import projects, schedule
from webapp.store.runs import Run


@click.command()
@click.option("--project", "which", metavar="WHICH", help="Only this project, by its id or name.")
@click.option("--due", is_flag=True, help="Only what is due.")
@click.option("--all", "everybody", is_flag=True, help="Also projects whose automatic sync is off.")
@click.option("--force", is_flag=True, help="Parse unchanged tabs again and accept a tab that shrank.")
@click.option("--dry-run", is_flag=True, help="Show what would change and write nothing.")
@click.option("--budget", type=click.FloatRange(min=0, min_open=True), help="Seconds the run may take.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer of the HTTP endpoint.")
def sync(
    *, which: str | None, due: bool, everybody: bool, force: bool, dry_run: bool, budget: float | None, as_json: bool
) -> None:
    """Sync the active projects now that are synced by themselves. Exits with 2 when anything failed."""
    with open_parts() as parts:
        desk = parts.desk.through("cli")
        project_id = _project_id(desk, which) if which else None
        trigger = Trigger("cli", project_id, due=due, all=everybody, force=force, dry_run=dry_run, budget_s=budget)
        started = start_sync(desk, trigger)
        changes = _work_off(desk, started.run, trigger, quiet=as_json) if started.how == "fresh" else []
        run, results = outcome_of(desk, started.run.id)
    if as_json:
        print_json(run_report(run, results, changes=changes if dry_run else None, how=started.how))
    elif started.how == "fresh":
        print_changes(changes)
        print_run(run)
    else:
        click.echo(f"run {run.id} is at it already and will see what you have just edited")
    sys.exit(exit_code(run))


@click.command()
@click.option("--budget", type=click.FloatRange(min=0, min_open=True), help="Seconds the run may take.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer of the HTTP endpoint.")
@click.pass_context
def tick(ctx: click.Context, *, budget: float | None, as_json: bool) -> None:
    """Sync what is due: `sync --due`, for a crontab line a minute. Exits as `sync` does."""
    ctx.invoke(sync, which=None, due=True, everybody=False, force=False, dry_run=False, budget=budget, as_json=as_json)


def _project_id(desk: Desk, which: str) -> str:
    with desk.db.read() as tx:
        project = projects.find(tx, which)
    if project is None:
        raise projects.missing(which, hint="`smart-sync projects list` shows ids and names")
    return project.id


def _work_off(desk: Desk, run: Run, trigger: Trigger, *, quiet: bool) -> list[PlannedChange]:
    """Work the run off before people's eyes; what a dry run would change."""
    changes: list[PlannedChange] = []
    with stop_on_signals(desk.background.stop), contextlib.closing(work_off(desk, run, trigger)) as outcomes:
        total = None if quiet else _how_many(desk, trigger)
        for outcome in outcomes if quiet else print_each(outcomes, total=total, log_level=desk.settings.log_level):
            changes.extend(outcome.changes)
    return changes


def _how_many(desk: Desk, trigger: Trigger) -> int | None:
    """Projects this run will come to, as far as they are known; None: not known yet."""
    if trigger.project_id:
        return 1
    with desk.db.read() as tx:
        known = (
            schedule.due(tx, desk.clock.now() + TOLERANCE, desk.settings.interval_minutes)
            if trigger.due
            else projects.wanted(tx, all_=trigger.all)
        )
    return len(known) or None
