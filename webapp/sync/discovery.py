"""New projects: what becomes of a tab that nobody has yet."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from webapp.errors import OutOfTime, SourceError
from webapp.model import lease_of
from webapp.sources.sheet import Cells, Grid, Tab
from webapp.sources.sheet.headers import find_header
from webapp.store import leases, projects
from webapp.store.projects import NewProject, Project
from webapp.sync.live import LiveRun
from webapp.sync.turns import Turn

log = logging.getLogger("smart_sync")


def find_grid(run: LiveRun, tab: Tab, cells: Cells) -> Grid | None:
    """The rows of a tab that looks like a project; None, with a warning, when it does not, or cannot be read.

    Raises: OutOfTime when a shutdown ended it.
    """
    try:
        if cells.error is not None:
            raise cells.error
        apart = cells.apart() if run.options.shortcuts.changed_rows else None
        grid = cells.rows(run.budget) if apart is None else apart
    except SourceError as error:
        if isinstance(error, OutOfTime) and run.cut_short:
            raise
        run.leave_unread(SourceError(f"tab {tab.title!r}: {error.message}", code=error.code, hint=error.hint))
        return None
    try:
        find_header(grid, run.options.aliases)
    except SourceError as error:
        why = f": {error}" if error.code == "header_unsure" else ""
        run.warn(f"tab {tab.title!r} has no header that is understood and was left out{why}")
        return None
    return grid


def create(run: LiveRun, key: str | None, tabs: Sequence[Tab]) -> dict[str, Turn]:
    """Projects, with their leases, for tabs that nobody has yet: {tab id: turn}, without those that another run made.

    key: what projects of this spreadsheet store.

    Raises: LostLease; StoreError.
    """
    if run.dry:
        return {tab.id: Turn(_project_to_be(tab, key), None) for tab in tabs}
    with run.writing() as tx:
        new = [NewProject(_name_of(tab), tab.id, tab.title) for tab in tabs]
        made = projects.create(tx, new, run.now(), spreadsheet=key)
        fences = leases.take(tx, [lease_of(project.id) for project in made], run.id, run.options.lease_ms)
    run.total += len(made)
    for project in made:
        log.info("[SmartSync] found a new project", extra={"run_id": run.id, "project": project.name})
    return {str(project.worksheet_id): Turn(project, fences[lease_of(project.id)]) for project in made}


def _name_of(tab: Tab) -> str:
    return tab.title.strip() or tab.id


def _project_to_be(tab: Tab, key: str | None) -> Project:
    """The project that a dry run would make."""
    return Project(f"new:{tab.id}", _name_of(tab), spreadsheet=key, worksheet_id=tab.id, worksheet_title=tab.title)
