"""A run as an iterator of its projects' outcomes.

The endpoint lists them, the command line draws a progress bar from them. All network reads of a project come before
its one write transaction; every fact about the run is in the database, so any worker can answer for it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa

from webapp.sources.sheet import SheetSource
from webapp.store import projects, schedule, spreadsheets
from webapp.store.projects import Project
from webapp.sync.admission import NO_SHEETS
from webapp.sync.collector import seldom_collected
from webapp.sync.ending import close, ending
from webapp.sync.fanout import key_of
from webapp.sync.heart import Heart
from webapp.sync.live import LiveRun, Outcome
from webapp.sync.memory import given_back
from webapp.sync.results import skip_project
from webapp.sync.spreadsheet import sync_spreadsheet

log = logging.getLogger("smart_sync")

# A spreadsheet, None for projects of one that is not configured, and the projects to sync of it.
Group = tuple[SheetSource | None, list[Project]]


def outcomes(run: LiveRun) -> Iterator[Outcome]:
    """Sync what the run's trigger asked for. Yields each project's outcome once it is written.

    The run is closed when the iterator ends, however it ends. A trigger that came meanwhile makes one more pass:
    projects then come again, with what that pass changed.

    Raises: StoreError when the database cannot go on.
    """
    log.info("[SmartSync] sync started", extra={"run_id": run.id, "caller": run.trigger.caller, **run.trigger.params})
    heart = Heart(run.db, run.id, run.options.lease_ms, run.progress, run.budget)
    with seldom_collected(), given_back(), ending(run), heart:
        while not run.closed:
            yield from _sync_all(run)
            close(run, force=run.budget.used_up or run.dry)


def _sync_all(run: LiveRun) -> Iterator[Outcome]:
    """One pass: every project once."""
    run.begin_pass()
    with run.db.read() as tx:
        wanted = _projects_to_sync(tx, run)
        left_out = [] if run.trigger.due or run.trigger.project_id else projects.left_out(tx, all_=run.trigger.all)
        left_out = _of_spreadsheet(run, left_out)
        sheets = _sheets_to_search(tx, run)
    for project in left_out:
        yield from skip_project(run, project, "paused" if project.status == "paused" else "auto_sync_off")
    groups = _groups(run.sheets, wanted, sheets)
    run.total = sum(len(group) for _, group in groups)
    with _reading_platforms(run, wanted):
        for source, group in groups:
            if run.budget.used_up:
                run.remaining += len(group) or 1  # a spreadsheet whose tabs nobody has seen yet
            else:
                yield from sync_spreadsheet(run, source, group)
    _advise(run)


@contextmanager
def _reading_platforms(run: LiveRun, wanted: Sequence[Project]) -> Iterator[None]:
    """Read the platforms meanwhile: once a run, and not at all in a dry one, which changes nothing."""
    if not run.sources or run.dry or run.reading:
        yield
        return
    from webapp.sync.platforms import PlatformReads  # noqa: PLC0415  which most syncs do without

    reads = PlatformReads(run)
    try:
        reads.begin([project.id for project in wanted if project.status != "finished"])
        run.before_merge = reads.wait
        yield
        reads.finish()
    finally:
        reads.cancel()


def _projects_to_sync(tx: sa.Connection, run: LiveRun) -> list[Project]:
    trigger = run.trigger
    found = schedule.projects_to_sync(
        tx,
        run.now(),
        run.options.interval_minutes,
        project_id=trigger.project_id,
        due_only=trigger.due,
        all_=trigger.all,
    )
    return _of_spreadsheet(run, found)


def _of_spreadsheet(run: LiveRun, found: list[Project]) -> list[Project]:
    """Those of the spreadsheet that is meant."""
    key = run.trigger.spreadsheet
    if key is None:
        return found
    keys = [sheet.key for sheet in run.sheets]
    return [project for project in found if key_of(project, keys) == key]


def _sheets_to_search(tx: sa.Connection, run: LiveRun) -> Sequence[SheetSource]:
    """The spreadsheets to look through for new tabs, whoever is synced: all of them, or those that are due."""
    if run.trigger.project_id:
        return []
    sheets = [sheet for sheet in run.sheets if run.trigger.spreadsheet in (None, sheet.key)]
    if not run.trigger.due:
        return sheets
    due = spreadsheets.due(tx, run.now(), run.options.interval_minutes, [sheet.key for sheet in sheets])
    return [sheet for sheet in sheets if sheet.key in due]


def _groups(
    configured: Sequence[SheetSource], wanted: Sequence[Project], sheets: Sequence[SheetSource]
) -> Sequence[Group]:
    """Projects by spreadsheet, the longest-waiting first; then the spreadsheets to be asked without any."""
    sources: dict[str | None, SheetSource] = {sheet.key: sheet for sheet in reversed(configured)}
    if configured:
        sources[None] = configured[0]
    groups: dict[int, Group] = {}
    for project in wanted:
        source = sources.get(project.spreadsheet)
        groups.setdefault(id(source), (source, []))[1].append(project)
    for sheet in sheets:
        groups.setdefault(id(sheet), (sheet, []))
    return list(groups.values())


def _advise(run: LiveRun) -> None:
    if not run.sheets:
        run.warn(NO_SHEETS)
    elif not (run.results or run.remaining or run.unread or run.unopened or run.trigger.due):
        run.warn("no projects: no tab with a recognisable header was found")
