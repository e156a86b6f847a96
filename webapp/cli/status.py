"""`smart-sync status` and `smart-sync runs`."""

from __future__ import annotations

import click
import sqlalchemy as sa

from webapp.api.shapes.runs import run_detail
from webapp.api.shapes.status import ReplicaStatus, SyncStatus, status_of_service, sync_status_of
from webapp.cli.lines import print_overdue, print_run, result_line
from webapp.cli.root import open_parts, print_json
from webapp.cli.terminal import say
from webapp.clock import iso
from webapp.errors import NotFound
from webapp.rules.outcomes import run_label
from webapp.rules.platforms import platform_words, unread_words
from webapp.store import runs as run_log
from webapp.store.runs import Run
from webapp.store.status import ServiceStatus, StatusTotals


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(*, as_json: bool) -> None:
    """How it stands: last run, what is stale, whether the sheet answers."""
    with open_parts() as parts:
        settings, now = parts.settings, parts.clock.now()
        found = status_of_service(parts.db, settings, now)
    said = sync_status_of(found, settings, now)
    if as_json:
        print_json(said)
    else:
        _print_status(found, said)
        print_overdue(found.next_turn, now, settings.stale_after)


def _print_status(found: ServiceStatus, said: SyncStatus) -> None:
    _print_totals(found.totals)
    for project in said.failing_projects:
        since = f" since {project.degraded_since}" if project.degraded_since else ""
        say(f"{project.state}: {project.project_name}{since}: {project.error}")
    if said.readings.message:
        say(f"stale: {said.readings.message}")
    say(f"next due: {iso(found.next_turn) or 'nothing'}")
    for run in found.running:
        words = f": {run.error}" if run.error else ""
        say(f"running: {run.done} of {run.total} projects, since {iso(run.started_at)}, run {run.id}{words}")
    if found.last_run and not found.last_run.live:
        print_run(found.last_run)
    _print_sheets(found, said)
    for platform in said.platforms:
        quota = platform.quota
        units = f"; {quota.left} of {quota.limit} units left" if quota else ""
        say(f"platform {platform_words(platform, platform.waiting)}{units}")
        for words in unread_words(platform.name, platform.unread):
            say(f"  {words}")
    storage = found.storage
    if storage["lost_history"]:
        since = iso(storage["lost_history_since"])
        say(f"history lost: noticed {since}: {storage['lost_history']}")
        say("  restore a backup, or end this notice by `smart-sync db acknowledge-loss`")
    say(f"database: {storage['path']} ({storage['kind']}, {storage['durability']})")
    if said.storage.replica:
        say(f"copied to {said.storage.replica.to}: {_replica_words(said.storage.replica)}")


def _replica_words(replica: ReplicaStatus) -> str:
    since = f" since {replica.since}" if replica.since else ""
    return f"{replica.state}{since}{f': {replica.message}' if replica.message else ''}"


def _print_sheets(found: ServiceStatus, said: SyncStatus) -> None:
    if not said.sheet.spreadsheets:
        words = f"; {said.sheet.message}" if said.sheet.message else ""
        say(f"sheet: {said.sheet.state.replace('_', ' ')}{words}")
        return
    for sheet in found.spreadsheets:
        words = f": {sheet.message}" if sheet.message else ""
        say(f"sheet {sheet.title or sheet.key}: {sheet.state} since {iso(sheet.since)}{words}")


def _print_totals(totals: StatusTotals) -> None:
    say(f"{totals.active} of {totals.total} projects active, {len(totals.stale)} stale, {totals.held} values held")
    for project in totals.stale:
        say(f"stale: {project.name}, last success {iso(project.synced_at) or 'never'}")
    say(f"last success: {iso(totals.last_success_at) or 'never'}")


@click.group(invoke_without_command=True)
@click.option("--limit", type=click.IntRange(1, 200), default=10, show_default=True, help="How many to list.")
@click.option("--idle", is_flag=True, help="Also ticks that found nothing to do.")
@click.pass_context
def runs(ctx: click.Context, *, limit: int, idle: bool) -> None:
    """The latest runs, newest first."""
    if ctx.invoked_subcommand is not None:
        return
    with open_parts() as parts, parts.db.read() as tx:
        found = run_log.latest(tx, limit=limit, idle=idle)
    for run in found:
        say(
            f"{iso(run.started_at)}  {run_label(run):9}  {run.caller:10}  {run.success_count} done, {run.error_count} failed, "
            f"{run.skipped_count} skipped, {run.remaining} left  {run.seconds or 0:.2f} s  {run.id}"
        )
        if run.error:
            say(f"      {run.error}")
    if not found:
        say("no runs yet")


@runs.command(name="show")
@click.argument("run_id", metavar="ID", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show_run(*, run_id: str | None, as_json: bool) -> None:
    """One run with every project and its problems: ID or how it begins; the latest run when left out."""
    with open_parts() as parts, parts.db.read() as tx:
        run = _run(tx, run_id)
        results = run_log.results_of(tx, run.id)
    if as_json:
        print_json(run_detail(run, results))
        return
    for result in results:
        say(result_line(result))
        for problem in result.problems:
            say(f"      {problem['message']}")
    print_run(run)


def _run(tx: sa.Connection, run_id: str | None) -> Run:
    """The run with this id; among the last 200 the beginning of one will do.

    Raises: NotFound when there is none, or several begin so.
    """
    exact = run_log.by_id(tx, run_id) if run_id else None
    if exact is not None:
        return exact
    found = [run for run in run_log.latest(tx, limit=200) if run.id.startswith(run_id or "")]
    if not found:
        raise run_log.missing(run_id) if run_id else NotFound("there are no runs yet")
    if run_id and len(found) > 1:
        raise NotFound(f"{len(found)} runs begin with {run_id!r}", hint="give more of the id")
    return found[0]
