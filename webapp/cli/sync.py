"""`smart-sync sync` and `smart-sync tick`."""

from __future__ import annotations

import sys
from functools import partial

import click

from webapp.actions import Trigger
from webapp.actions.desk import Desk
from webapp.actions.trigger import RunOutcome, finish_run, outcome_of, start_sync
from webapp.api.shapes.runs import run_report
from webapp.cli.lines import print_changes, print_run
from webapp.cli.progress import print_each, stop_on_signals
from webapp.cli.root import open_parts, print_json, project_id_of
from webapp.cli.terminal import say
from webapp.rules.outcomes import exit_code
from webapp.store import schedule
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
        project_id = None if which is None else project_id_of(desk.db, which)
        trigger = Trigger("cli", project_id, due=due, all=everybody, force=force, dry_run=dry_run, budget_s=budget)
        started = start_sync(desk, trigger)
        fresh = started.how == "fresh"
        found = _finish(desk, started.run, trigger, quiet=as_json) if fresh else outcome_of(desk, started.run.id)
    if as_json:
        print_json(run_report(found.run, found.results, changes=found.changes, how=started.how))
    elif fresh:
        print_changes(found.changes or ())
        print_run(found.run)
    elif found.run.live and found.run.error:
        say(f"run {found.run.id} is at it already: {found.run.error}")
    else:
        say(f"run {found.run.id} is at it already and will see what you have just edited")
    sys.exit(exit_code(found.run))


@click.command()
@click.option("--budget", type=click.FloatRange(min=0, min_open=True), help="Seconds the run may take.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer of the HTTP endpoint.")
@click.pass_context
def tick(ctx: click.Context, *, budget: float | None, as_json: bool) -> None:
    """Sync what is due: `sync --due`, for a crontab line a minute. Exits as `sync` does."""
    ctx.invoke(sync, which=None, due=True, everybody=False, force=False, dry_run=False, budget=budget, as_json=as_json)


def _finish(desk: Desk, run: Run, trigger: Trigger, *, quiet: bool) -> RunOutcome:
    """Work the run off, before people's eyes unless they want it quiet."""
    with stop_on_signals(desk.background.stop):
        if quiet:
            return finish_run(desk, run, trigger)
        show = partial(print_each, total=_how_many(desk, trigger), log_level=desk.settings.log_level)
        return finish_run(desk, run, trigger, follow=show)


def _how_many(desk: Desk, trigger: Trigger) -> int | None:
    """Projects this run will come to, as far as they are known; None: not known yet."""
    with desk.db.read() as tx:
        known = schedule.projects_to_sync(
            tx,
            desk.clock.now(),
            desk.settings.interval_minutes,
            project_id=trigger.project_id,
            due_only=trigger.due,
            all_=trigger.all,
        )
    return len(known) or None
