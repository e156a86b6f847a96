"""New projects: what becomes of a tab that nobody has yet."""

from __future__ import annotations

import logging

from webapp.errors import OutOfTime, SourceError
from webapp.model import lease_of
from webapp.sources.sheet import Cells, Tab
from webapp.sources.sheet.rows import has_header
from webapp.store import leases, projects
from webapp.store.projects import Project
from webapp.sync.live import LiveRun
from webapp.sync.turns import Turn

log = logging.getLogger("smart_sync")


def discover(run: LiveRun, key: str | None, tab: Tab, cells: Cells) -> Turn | None:
    """A project, and its lease, for a tab that looks like one; None, with a warning, when it does not.

    key: what projects of this spreadsheet store.

    Raises: OutOfTime when a shutdown ended it; LostLease; StoreError.
    """
    if not _is_project(run, tab, cells):
        return None
    name = tab.title.strip() or tab.id
    if run.dry:
        return Turn(_project_to_be(name, tab, key), None)
    return _create(run, name, key, tab)


def _is_project(run: LiveRun, tab: Tab, cells: Cells) -> bool:
    """Whether the tab has a header; if not, or if it cannot be read, that is said."""
    try:
        if cells.error is not None:
            raise cells.error
        fits = has_header(cells.rows(run.budget), run.options.aliases)
    except SourceError as error:
        if isinstance(error, OutOfTime) and run.cut_short:
            raise
        run.leave_unread(SourceError(f"tab {tab.title!r}: {error.message}", code=error.code, hint=error.hint))
        return False
    if not fits:
        run.warn(f"tab {tab.title!r} has no header that is understood and was left out")
    return fits


def _create(run: LiveRun, name: str, key: str | None, tab: Tab) -> Turn | None:
    """None when another run has just made it."""
    with run.writing() as tx:
        project_id = projects.create(tx, name, run.now(), spreadsheet=key, worksheet_id=tab.id, title=tab.title)
        if project_id is None:
            return None
        fences = leases.take(tx, [lease_of(project_id)], run.id, run.options.lease_ms)
        project = projects.by_id(tx, project_id)
    assert project is not None  # noqa: S101  it was made in that transaction
    run.total += 1
    log.info("[SmartSync] found a new project", extra={"run_id": run.id, "project": name})
    return Turn(project, fences[lease_of(project_id)])


def _project_to_be(name: str, tab: Tab, key: str | None) -> Project:
    """The project that a dry run would make."""
    return Project(f"new:{tab.id}", name, spreadsheet=key, worksheet_id=tab.id, worksheet_title=tab.title)
