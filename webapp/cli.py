"""The command line. Each command translates in, calls one function, translates out."""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import signal
import sys
from collections.abc import Collection, Iterator
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from types import FrameType
from typing import Any

import click

from webapp import __version__, logs
from webapp.bootstrap import Parts, bootstrap, token_file
from webapp.cli_cron import cron
from webapp.clock import Budget, Stop, iso
from webapp.config import Settings
from webapp.errors import NotFound, SmartSyncError
from webapp.rules.due import TOLERANCE, overdue, schedule_of, simulate
from webapp.rules.outcomes import exit_code
from webapp.rules.words import from_now
from webapp.store import projects, runs, schedule, spreadsheets, ticks
from webapp.store.migrate import current_revision, ensure_migrated, migrate
from webapp.store.status import StatusTotals
from webapp.store.status import totals as totals_of
from webapp.store.storage import storage_of
from webapp.sync.report import one, run_report, summary
from webapp.sync.trigger import Trigger
from webapp.sync.watch import at_once, watched


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
    if demo:  # never in the database of real numbers
        return replace(settings, demo=True, data_dir=settings.data_dir / "demo", database_url="")
    return settings


@contextlib.contextmanager
def _parts(*, migrated: bool = True) -> Iterator[Parts]:
    parts = bootstrap(_settings(), serving=False)
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
@click.option(
    "--grace", type=click.IntRange(1, 3600), default=30, show_default=True, help="Seconds to end in after SIGTERM."
)
def serve(*, demo: bool, host: str, port: int | None, workers: int | None, grace: int) -> None:
    """Serve the API with gunicorn."""
    from webapp.server import Server, options  # noqa: PLC0415  gunicorn is slow to import

    settings = _settings(demo=demo)
    parts = bootstrap(settings, loopback=host in ("127.0.0.1", "::1", "localhost"))
    if demo:
        ensure_migrated(parts.db)
        _sync_quietly(parts)
        parts.db.close()
    port = port or settings.port
    served = options(port, workers or settings.web_concurrency, host, grace_s=grace, log_level=settings.log_level)
    Server(parts, served | {"when_ready": lambda _: _greet(parts, host, port)}).run()


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
    if not parts.settings.sheets and not parts.settings.demo:
        click.echo("Sheet: none yet; set SMART_SYNC_SHEET, then `smart-sync doctor` tells whether it can be read")
    click.echo("Sync now:")
    click.echo(f"  curl -X POST -H 'Authorization: Bearer {token}' {address}/api/admin/smart_sync".replace("'", '"'))
    sys.stdout.flush()


# Syncing


@main.command()
@click.option("--project", "which", metavar="WHICH", help="Only this project, by its id or name.")
@click.option("--due", is_flag=True, help="Only what is due.")
@click.option("--force", is_flag=True, help="Parse unchanged tabs again and accept a tab that shrank.")
@click.option("--dry-run", is_flag=True, help="Show what would change and write nothing.")
@click.option("--budget", type=click.FloatRange(min=0, min_open=True), help="Seconds the run may take.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer of the HTTP endpoint.")
def sync(*, which: str | None, due: bool, force: bool, dry_run: bool, budget: float | None, as_json: bool) -> None:
    """Sync all active projects now. Exits with 0 done, 1 failed, 2 in part."""
    with _parts() as parts:
        project_id = _project_id(parts, which) if which else None
        trigger = Trigger(caller="cli", project_id=project_id, due=due, force=force, dry_run=dry_run, budget_s=budget)
        started = parts.engine.start(trigger)
        changes: list[Any] = []
        if started.how == "fresh":
            watching = watched(parts.ping, parts.db, started.run, trigger, at_once)
            with _stopped_by_signals() as stop, watching:
                spent = Budget(budget or parts.settings.budget_s, parts.clock, stop)
                outcomes = parts.engine.run(started.run, trigger, spent)
                for outcome in outcomes if as_json else _with_progress(parts, trigger, outcomes):
                    changes.extend(outcome.changes)
        with parts.db.read() as tx:
            run = runs.by_id(tx, started.run.id) or started.run
            results = runs.results_of(tx, run.id)
    if as_json:
        report = run_report(run, results, changes if dry_run else None)
        _print_json(report if started.how == "fresh" else report | {started.how: True})
    elif started.how == "fresh":
        _print_changes(changes)
        _print_run(run)
    else:
        click.echo(f"run {run.id} is at it already and will see what you have just edited")
    sys.exit(exit_code(run))


def _project_id(parts: Parts, which: str) -> str:
    with parts.db.read() as tx:
        project = projects.find(tx, which)
    if project is None:
        raise NotFound(f"there is no project {which!r}", hint="`smart-sync projects list` shows ids and names")
    if project.removed_at is not None:
        raise NotFound(f"{project.name} is ignored", hint=f"`smart-sync projects restore {project.id}` takes it back")
    return project.id


def _print_json(body: Any) -> None:
    click.echo(json.dumps(body, ensure_ascii=False, indent=2))


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[Stop]:
    """End between two projects, with the run marked, when the terminal or the system says so."""
    stop = Stop()

    def ask(number: int, frame: FrameType | None) -> None:
        del number, frame
        if stop.requested:
            raise KeyboardInterrupt
        click.echo("ending after this project; once more to end at once", err=True)
        stop.request(0.0)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _with_progress(parts: Parts, trigger: Trigger, outcomes: Iterator[Any]) -> Iterator[Any]:
    """The outcomes, each with its line; on a terminal under a progress bar."""
    if not sys.stderr.isatty():
        for outcome in outcomes:
            click.echo(_line(outcome.result))
            yield outcome
        return
    from rich.console import Console  # noqa: PLC0415  only for people
    from rich.markup import escape  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, redirect_stdout=sys.stdout.isatty()) as progress:
        # Through the bar's own stream, or log lines and bar would overwrite each other. What went well stands in the
        # lines below already.
        logs.set_up("DEBUG" if parts.settings.log_level == "DEBUG" else "WARNING", sys.stderr)
        logging.getLogger("smart_sync").handlers[0].addFilter(_says_more_than_its_line)
        task = progress.add_task("reading the sheet", total=_how_many(parts, trigger))
        for outcome in outcomes:
            progress.update(task, advance=1, description=escape(outcome.result.project_name[:30]), refresh=True)
            print(_line(outcome.result))  # above the bar; click would write past it, into its line
            yield outcome
    logs.set_up(parts.settings.log_level)


def _says_more_than_its_line(record: logging.LogRecord) -> bool:
    """Whether a log line tells something that a project's own line on the terminal does not."""
    return bool(record.exc_info) or not hasattr(record, "accounts")


def _how_many(parts: Parts, trigger: Trigger) -> int | None:
    """Projects this run will come to, as far as they are known; None: not known yet."""
    with parts.db.read() as tx:
        if trigger.project_id:
            return 1
        known = (
            schedule.due(tx, parts.clock.now() + TOLERANCE, parts.settings.interval_minutes)
            if trigger.due
            else projects.active(tx)
        )
    return len(known) or None


def _line(result: runs.ProjectResult) -> str:
    if result.skipped:
        return f"skip  {result.project_name}: {result.skipped}"
    if not result.success:
        return f"FAIL  {result.project_name}: {result.error}"
    line = (
        f"{'part' if result.degraded else 'ok':4}  {result.project_name}: {result.total_accounts} accounts, "
        f"{result.updated_count} updated, {result.snapshot_count} snapshots"
    )
    if result.problem_count:
        line += f", {result.problem_count} problem{'s' if result.problem_count > 1 else ''}"
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


# The schedule

CALLS_A_READ = 2  # to the Sheets API: the tabs there are, and their cells
CALLS_A_MINUTE = 60  # that Google allows one user


@main.command()
@click.option("--budget", type=click.FloatRange(min=0, min_open=True), help="Seconds the run may take.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer of the HTTP endpoint.")
@click.pass_context
def tick(ctx: click.Context, *, budget: float | None, as_json: bool) -> None:
    """Sync what is due: `sync --due`, for a crontab line a minute. Exits as `sync` does."""
    ctx.invoke(sync, which=None, due=True, force=False, dry_run=False, budget=budget, as_json=as_json)


@main.group(name="schedule")
def schedule_group() -> None:
    """When projects are synced by themselves."""


@schedule_group.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_schedule(*, as_json: bool) -> None:
    """Who is synced when, what is next, and how it went last."""
    with _parts() as parts:
        now, minutes = parts.clock.now(), parts.settings.interval_minutes
        with parts.db.read() as tx:
            seen, turn = ticks.last(tx), schedule.earliest_turn(tx)
            planned = schedule.scheduled(tx)
            due = {project.id for project in schedule.due(tx, now + TOLERANCE, minutes)}
    late = overdue(turn, now)
    if as_json:
        body = {"last_tick_at": iso(seen.seen_at) if seen else None, "overdue_by_seconds": late}
        _print_json(body | {"projects": [_planned_json(project, minutes, due) for project in planned]})
        return
    click.echo(f"last tick: {from_now(seen.seen_at, now)}" if seen else "last tick: none yet; let a cron run `tick`")
    if late > parts.settings.stale_after * 60 and turn is not None:
        click.echo(f"overdue: the first turn was {from_now(turn, now)}, and nobody has asked for it")
    width = max((len(project.name) for project in planned), default=0)
    for project in planned:
        words = schedule_of(project, minutes).words
        click.echo(f"{project.name:{width}}  {words}, next {_next(project, now, due)}; {_last(project, now)}")


def _planned_json(project: projects.Project, minutes: int, due: Collection[str]) -> dict[str, Any]:
    return {
        "project_id": project.id,
        "project_name": project.name,
        "status": project.status,
        "enabled": project.auto_sync,
        "schedule": schedule_of(project, minutes).words,
        "next_sync_at": iso(project.next_sync_at),
        "due": project.id in due,
        "last_sync_at": iso(project.synced_at),
        "failures": project.failures,
        "last_error": project.last_error,
    }


def _next(project: projects.Project, now: datetime, due: Collection[str]) -> str:
    if project.status != "active":
        return f"never ({project.status})"
    if not project.auto_sync:
        return "never (off)"
    if project.id in due or project.next_sync_at is None:
        return "at the next tick"
    return from_now(project.next_sync_at, now)


def _last(project: projects.Project, now: datetime) -> str:
    """How the last sync of a project went."""
    done = f"last success {from_now(project.synced_at, now)}" if project.synced_at else "never synced"
    if not project.failures:
        return done
    failures = "1 failure" if project.failures == 1 else f"{project.failures} failures"
    return f"{done}, {failures} since: {project.last_error}"


@schedule_group.command(name="test")
@click.option("--hours", type=click.IntRange(1, 168), default=24, show_default=True, help="How far to look ahead.")
@click.option("--every", type=click.IntRange(1, 1440), default=1, show_default=True, help="Minutes between two ticks.")
def test_schedule(*, hours: int, every: int) -> None:
    """Show which project would be synced when. Nothing is read or written."""
    with _parts() as parts:
        start, minutes = parts.clock.now().replace(second=0, microsecond=0), parts.settings.interval_minutes
        with parts.db.read() as tx:
            planned = [project for project in schedule.scheduled(tx) if project.auto_sync]
        active = [project for project in planned if project.status == "active"]
    step = timedelta(minutes=every)
    reads: list[int] = []
    for moment, synced in simulate(active, minutes, start, ticks=hours * 60 // every, every=step):
        click.echo(f"{moment:%Y-%m-%d %H:%M} UTC  {', '.join(project.name for project in synced)}")
        reads.append(len({project.spreadsheet for project in synced}))
    most = CALLS_A_READ * max(reads, default=0)
    click.echo(
        f"{len(reads)} runs in {hours} hours, about {CALLS_A_READ * sum(reads)} Sheets calls, at most {most} in one"
    )
    if most > CALLS_A_MINUTE:
        click.echo(f"warning: Google allows {CALLS_A_MINUTE} calls a minute; spread the projects' schedules")


# Looking


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(*, as_json: bool) -> None:
    """How it stands: last run, what is stale, whether the sheet answers."""
    with _parts() as parts:
        settings = parts.settings
        with parts.db.read() as tx:
            totals = totals_of(tx, parts.clock.now(), settings.stale_after)
            live = runs.live_runs(tx, int(settings.lease_s * 1000))
            last = runs.latest(tx, limit=1, idle=False)
            sheets = spreadsheets.listed(tx)
        storage = storage_of(parts.db)
    if as_json:
        _print_json(
            {
                "total_projects": totals.total,
                "active_projects": totals.active,
                "last_success_at": iso(totals.last_success_at),
                "next_due_at": iso(totals.next_due_at),
                "stale_projects": [project["name"] for project in totals.stale],
                "held_values": totals.held,
                "running": [summary(run) for run in live],
                "last_run": summary(last[0]) if last else None,
                "spreadsheets": [_sheet_json(sheet) for sheet in sheets],
                "storage": storage,
                "version": __version__,
            }
        )
        return
    _print_totals(totals)
    for run in live:
        click.echo(f"running: {run.done} of {run.total} projects, since {iso(run.started_at)}, run {run.id}")
    if last and not last[0].live:
        _print_run(last[0])
    for sheet in sheets:
        words = f": {sheet.message}" if sheet.message else ""
        click.echo(f"sheet {sheet.title or sheet.key}: {sheet.state} since {iso(sheet.since)}{words}")
    click.echo(f"database: {storage['path']} ({storage['kind']}, {storage['durability']})")


def _sheet_json(sheet: spreadsheets.Spreadsheet) -> dict[str, Any]:
    return asdict(sheet) | {"since": iso(sheet.since), "checked_at": iso(sheet.checked_at)}


def _print_totals(totals: StatusTotals) -> None:
    click.echo(
        f"{totals.active} of {totals.total} projects active, {len(totals.stale)} stale, {totals.held} values held"
    )
    for project in totals.stale:
        click.echo(f"stale: {project['name']}, last success {iso(project['synced_at']) or 'never'}")
    click.echo(f"last success: {iso(totals.last_success_at) or 'never'}")
    click.echo(f"next due: {iso(totals.next_due_at) or 'nothing'}")


@main.group(name="runs", invoke_without_command=True)
@click.option("--limit", type=click.IntRange(1, 200), default=10, show_default=True, help="How many to list.")
@click.option("--idle", is_flag=True, help="Also ticks that found nothing to do.")
@click.pass_context
def runs_group(ctx: click.Context, *, limit: int, idle: bool) -> None:
    """The latest runs, newest first."""
    if ctx.invoked_subcommand is not None:
        return
    with _parts() as parts, parts.db.read() as tx:
        found = runs.latest(tx, limit=limit, idle=idle)
    for run in found:
        click.echo(
            f"{iso(run.started_at)}  {run.state:9}  {run.caller:10}  {run.success_count} done, {run.error_count} failed, "
            f"{run.skipped_count} skipped, {run.remaining} left  {run.seconds or 0:.2f} s  {run.id}"
        )
    if not found:
        click.echo("no runs yet")


@runs_group.command(name="show")
@click.argument("run_id", metavar="ID", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show_run(*, run_id: str | None, as_json: bool) -> None:
    """One run with every project and its problems: ID or how it begins; the latest run when left out."""
    with _parts() as parts, parts.db.read() as tx:
        run = _run(tx, run_id)
        results = runs.results_of(tx, run.id)
    if as_json:
        report = summary(run) | {"warnings": list(run.warnings or ())}
        _print_json(report | {"results": [one(result, problems=len(result.problems)) for result in results]})
        return
    for result in results:
        click.echo(_line(result))
        for problem in result.problems:
            click.echo(f"      {problem['message']}")
    _print_run(run)


def _run(tx: Any, run_id: str | None) -> runs.Run:
    """The run with this id; among the last 200 the beginning of one will do.

    Raises: NotFound when there is none, or several begin so.
    """
    exact = runs.by_id(tx, run_id) if run_id else None
    if exact is not None:
        return exact
    found = [run for run in runs.latest(tx, limit=200) if run.id.startswith(run_id or "")]
    if not found:
        raise NotFound(f"there is no run {run_id!r}" if run_id else "there are no runs yet")
    if run_id and len(found) > 1:
        raise NotFound(f"{len(found)} runs begin with {run_id!r}", hint="give more of the id")
    return found[0]


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(*, as_json: bool) -> None:
    """Look at every part and say how to mend what is wrong. Exits with 1 when something has failed."""
    from webapp.doctor import Finding, examine  # noqa: PLC0415  nothing else needs its imports

    findings: list[Finding] = []
    for finding in examine():
        findings.append(finding)
        if not as_json:
            click.echo(f"{finding.level:4}  {finding.what}: {finding.words}")
            if finding.fix:
                click.echo(f"      fix: {finding.fix}")
    failed = any(finding.level == "FAIL" for finding in findings)
    if as_json:
        _print_json({"success": not failed, "findings": [asdict(finding) for finding in findings]})
    sys.exit(int(failed))


# Projects


@main.group(name="projects")
def projects_group() -> None:
    """Projects and the tabs they come from."""


@projects_group.command(name="list")
def list_projects() -> None:
    """All projects with their ids and tabs."""
    with _parts() as parts, parts.db.read() as tx:
        rows = projects.all_listed(tx)
        left_out = spreadsheets.ignored_list(tx)
    for row in rows:
        state = "ignored" if row.removed_at else row.status
        click.echo(f"{row.id}  {state:8}  {row.name}  (tab {row.worksheet_title!r}, gid {row.worksheet_id})")
    for tab in left_out:
        click.echo(f"ignored tab {tab['title']!r}, gid {tab['worksheet_id']}")


@projects_group.command()
@click.argument("which")
def ignore(*, which: str) -> None:
    """Leave a tab alone from now on: WHICH is a project's id or name, or a tab's gid. Its history is kept."""
    with _parts() as parts, parts.db.write() as tx:
        name = projects.ignore_tab(tx, which, parts.clock.now())
    click.echo(f"{name} is ignored from now on; `smart-sync projects restore` takes it back")


@projects_group.command()
@click.argument("which")
def restore(*, which: str) -> None:
    """Take an ignored tab back: WHICH is the project's id or name, or the tab's gid."""
    with _parts() as parts, parts.db.write() as tx:
        name = projects.restore_tab(tx, which, parts.clock.now())
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


main.add_command(cron)

if __name__ == "__main__":
    main()
