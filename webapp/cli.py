"""The command line. Each command translates in, calls one function, translates out."""

from __future__ import annotations

import contextlib
import json
import secrets
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from types import FrameType
from typing import Any

import click

from webapp import __version__, logs
from webapp.bootstrap import Parts, bootstrap, token_file
from webapp.clock import Budget, Stop, iso
from webapp.config import Settings
from webapp.errors import SmartSyncError
from webapp.store import projects, queries, runs
from webapp.store.migrate import current_revision, ensure_migrated, migrate
from webapp.sync.report import run_report, succeeded, summary
from webapp.sync.trigger import Trigger

__all__ = ["main"]


class Group(click.Group):
    """Shows our own errors as one line, and exits with 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SmartSyncError as error:
            raise click.ClickException(str(error)) from error


def _settings(*, demo: bool = False) -> Settings:
    settings = Settings.from_env()
    logs.set_up(settings.log_level)
    return replace(settings, demo=True, data_dir=settings.data_dir / "demo") if demo else settings


@contextlib.contextmanager
def _parts(*, demo: bool = False, migrated: bool = True) -> Iterator[Parts]:
    parts = bootstrap(_settings(demo=demo), loopback=True)
    try:
        if migrated:
            ensure_migrated(parts.db)
        yield parts
    finally:
        parts.db.close()


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="smart-sync")
def main() -> None:
    """Smart Sync: hand-kept sheets and platform readings, merged, kept per day and served."""


# Serving


@main.command()
@click.option("--demo", is_flag=True, help="Serve the bundled workbook from a database of its own.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port; PORT or 8000 when left out.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes; WEB_CONCURRENCY or 2 when left out.")
def serve(*, demo: bool, host: str, port: int | None, workers: int | None) -> None:
    """Serve the API with gunicorn."""
    from webapp.server import Server, options  # noqa: PLC0415  gunicorn is slow to import

    settings = _settings(demo=demo)
    parts = bootstrap(settings, loopback=host in ("127.0.0.1", "::1", "localhost"))
    ensure_migrated(parts.db)
    if demo:
        _sync_quietly(parts)
    port = port or settings.port
    _greet(parts, host, port)
    parts.db.close()
    Server(parts, options(port, workers or settings.web_concurrency, host)).run()


def _sync_quietly(parts: Parts) -> None:
    trigger = Trigger(caller="cli")
    started = parts.engine.start(trigger)
    if started.how == "fresh":
        for _ in parts.engine.run(started.run, trigger, Budget(None, parts.clock)):
            pass


def _greet(parts: Parts, host: str, port: int) -> None:
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104  only shown
    address = f"http://{shown}:{port}"
    click.echo(f"Smart Sync {__version__} on {address}")
    if parts.settings.admin_tokens:
        click.echo("Token: the one in SMART_SYNC_ADMIN_TOKEN")
        token = "$SMART_SYNC_ADMIN_TOKEN"  # noqa: S105  the shell's variable, not a token
    else:
        token = parts.tokens.admin[0]
        click.echo(f"Token: {token}   (kept in {token_file(parts.settings)})")
    click.echo("Sync now:")
    click.echo(f"  curl -X POST -H 'Authorization: Bearer {token}' {address}/api/admin/smart_sync".replace("'", '"'))
    sys.stdout.flush()


# Syncing


@main.command()
@click.option("--project", "project_id", help="Only this project, by its id.")
@click.option("--due", is_flag=True, help="Only what is due.")
@click.option("--force", is_flag=True, help="Parse unchanged tabs again and accept a tab that shrank.")
@click.option("--dry-run", is_flag=True, help="Show what would change and write nothing.")
@click.option("--budget", type=click.FloatRange(min=0, min_open=True), help="Seconds the run may take.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer of the HTTP endpoint.")
def sync(*, project_id: str | None, due: bool, force: bool, dry_run: bool, budget: float | None, as_json: bool) -> None:
    """Sync all active projects now. Exits with 0 done, 1 failed, 2 in part."""
    trigger = Trigger(caller="cli", project_id=project_id, due=due, force=force, dry_run=dry_run, budget_s=budget)
    with _parts() as parts:
        started = parts.engine.start(trigger)
        if started.how != "fresh":
            click.echo(f"run {started.run.id} is at it already and will see what you have just edited", err=True)
            return
        changes: list[Any] = []
        stop = _stop_on_signals()
        spent = Budget(budget or parts.settings.budget_s, parts.clock, stop)
        outcomes = parts.engine.run(started.run, trigger, spent)
        for outcome in outcomes if as_json else _with_progress(parts, outcomes):
            changes.extend(outcome.changes)
        with parts.db.read() as tx:
            run = runs.by_id(tx, started.run.id)
            results = runs.results_of(tx, started.run.id)
    if run is None:
        raise click.ClickException("the run's record has gone")
    if as_json:
        click.echo(json.dumps(run_report(run, results, changes if dry_run else None), ensure_ascii=False, indent=2))
    else:
        _print_changes(changes)
        _print_run(run)
    sys.exit(0 if succeeded(run) and not run.remaining else (1 if run.state == "failed" else 2))


def _stop_on_signals() -> Stop:
    """End between two projects, with the run marked, when the terminal or the system says so."""
    stop = Stop()

    def ask(number: int, frame: FrameType | None) -> None:
        del number, frame
        if stop.requested:
            raise KeyboardInterrupt
        click.echo("ending after this project; once more to end at once", err=True)
        stop.request(0.0)

    signal.signal(signal.SIGINT, ask)
    signal.signal(signal.SIGTERM, ask)
    return stop


def _with_progress(parts: Parts, outcomes: Iterator[Any]) -> Iterator[Any]:
    """The outcomes, each with its line; on a terminal under a progress bar."""
    if not sys.stderr.isatty():
        for outcome in outcomes:
            click.echo(_line(outcome.result))
            yield outcome
        return
    from rich.console import Console  # noqa: PLC0415  only for people
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with parts.db.read() as tx:
        total = len(projects.active(tx)) or None
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading the sheet", total=total)
        for outcome in outcomes:
            progress.update(task, advance=1, description=outcome.result.project_name[:30])
            progress.console.print(_line(outcome.result), markup=False, highlight=False)
            yield outcome


def _line(result: runs.ProjectResult) -> str:
    if result.skipped:
        return f"skip  {result.project_name}: {result.skipped}"
    word = "ok   " if result.success and not result.degraded else ("part " if result.success else "FAIL ")
    line = (
        f"{word} {result.project_name}: {result.total_accounts} accounts, {result.updated_count} updated, "
        f"{result.snapshot_count} snapshots"
    )
    line += f", {result.problem_count} problems" if result.problem_count else ""
    return f"{line}: {result.error}" if result.error else line


def _print_changes(changes: list[Any]) -> None:
    for change in changes:
        what = f"{change.metric}: {change.old} -> {change.new}" if change.metric else (change.reason or "")
        source = f" ({change.winner}{' ' + change.cell if change.cell else ''})" if change.winner else ""
        click.echo(f"{change.kind:6} {change.profile_url} {what}{source}".rstrip())


def _print_run(run: runs.Run) -> None:
    for warning in run.warnings or ():
        click.echo(f"warning: {warning}")
    if run.error:
        click.echo(f"error: {run.error}")
    click.echo(
        f"{run.state}: {run.success_count} projects done, {run.error_count} failed, {run.skipped_count} skipped, "
        f"{run.remaining} left, {run.api_calls} Sheets calls, {run.seconds or 0:.2f} s, run {run.id}"
    )


# Looking


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(*, as_json: bool) -> None:
    """How it stands: last run, what is stale, whether the sheet answers."""
    with _parts() as parts:
        now = parts.clock.now()
        with parts.db.read() as tx:
            totals = queries.status_totals(tx, now, parts.settings.stale_after)
            last = runs.latest(tx, limit=1)
            sheets = projects.spreadsheet_states(tx)
        storage = parts.db.storage()
    if as_json:
        body = {
            "total_projects": totals.total,
            "active_projects": totals.active,
            "last_success_at": iso(totals.last_success_at),
            "stale_projects": [project["name"] for project in totals.stale],
            "held_values": totals.held,
            "last_run": summary(last[0]) if last else None,
            "storage": storage,
        }
        click.echo(json.dumps(body, ensure_ascii=False, indent=2))
        return
    click.echo(
        f"{totals.active} of {totals.total} projects active, {len(totals.stale)} stale, {totals.held} values held"
    )
    click.echo(f"last success: {iso(totals.last_success_at) or 'never'}")
    if last:
        _print_run(last[0])
    for sheet in sheets:
        click.echo(
            f"sheet {sheet.title or sheet.key}: {sheet.state} since {iso(sheet.since)}"
            + (f": {sheet.message}" if sheet.message else "")
        )
    click.echo(f"database: {storage}")


@main.command(name="runs")
@click.option("--limit", type=click.IntRange(1, 200), default=10, show_default=True)
def list_runs(*, limit: int) -> None:
    """The latest runs, newest first."""
    with _parts() as parts, parts.db.read() as tx:
        found = runs.latest(tx, limit=limit)
    for run in found:
        click.echo(
            f"{iso(run.started_at)}  {run.state:9}  {run.caller:10}  {run.success_count} done, {run.error_count} failed, "
            f"{run.skipped_count} skipped, {run.remaining} left  {run.seconds or 0:.2f} s  {run.id}"
        )
    if not found:
        click.echo("no runs yet")


# Projects


@main.group(name="projects")
def projects_group() -> None:
    """Projects and the tabs they come from."""


@projects_group.command(name="list")
def list_projects() -> None:
    """All projects with their ids and tabs."""
    with _parts() as parts, parts.db.read() as tx:
        rows = queries.project_names(tx)
        left_out = projects.ignored_list(tx)
    for row in rows:
        state = "ignored" if row["removed_at"] else row["status"]
        click.echo(
            f"{row['id']}  {state:8}  {row['name']}  (tab {row['worksheet_title']!r}, gid {row['worksheet_id']})"
        )
    for tab in left_out:
        click.echo(f"ignored tab {tab['title']!r}, gid {tab['worksheet_id']}")


@projects_group.command()
@click.argument("which")
def ignore(*, which: str) -> None:
    """Leave a tab alone from now on: WHICH is a project's id or name, or a tab's gid. Its history is kept."""
    with _parts() as parts, parts.db.write() as tx:
        name = projects.ignore(tx, which, parts.clock.now())
    click.echo(f"{name} is ignored from now on; `smart-sync projects restore` takes it back")


@projects_group.command()
@click.argument("which")
def restore(*, which: str) -> None:
    """Take an ignored tab back: WHICH is the project's id or name, or the tab's gid."""
    with _parts() as parts, parts.db.write() as tx:
        name = projects.restore(tx, which)
    click.echo(f"{name} is synced again from the next run on")


# Database and tokens


@main.group()
def db() -> None:
    """The database."""


@db.command()
def upgrade() -> None:
    """Bring the database to this version's tables; does nothing when it is there already."""
    with _parts(migrated=False) as parts:
        before = current_revision(parts.db)
        changed = migrate(parts.db)
        after = current_revision(parts.db)
    click.echo(f"upgraded from {before or 'nothing'} to {after}" if changed else f"is at {after} already")


@main.group()
def token() -> None:
    """Tokens."""


@token.command()
def new() -> None:
    """Print a fresh token, for SMART_SYNC_ADMIN_TOKEN."""
    click.echo(secrets.token_urlsafe(32))


if __name__ == "__main__":
    main()
