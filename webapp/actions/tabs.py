"""Tabs that nobody wants as projects, and those that somebody wants back."""

from __future__ import annotations

from webapp.actions.desk import Desk
from webapp.actions.projects import remove_locked, restore_locked
from webapp.errors import NotFound
from webapp.store import projects, spreadsheets


def ignore_tab(desk: Desk, which: str) -> str:
    """Leave a tab alone for good: by project id or name, or by gid. Its project, if any, is removed; history stays.

    Gives its name.

    Raises: NotFound; Invalid when several projects have the name.
    """
    with desk.edit() as edit:
        project = projects.find(edit.tx, which)
        if project is not None:
            return remove_locked(edit, projects.lock(edit.tx, project.id)).name
        if not which.isdigit():
            hint = "`smart-sync projects list` shows ids, names and gids"
            raise projects.missing(which, hint=hint)
        spreadsheets.ignore(edit.tx, None, which, None, edit.now)
        edit.audit("tab.ignore", f"tab:{which}", None, {"worksheet_id": which})
    return f"the tab with gid {which}"


def restore_tab(desk: Desk, which: str) -> str:
    """Take an ignored tab, and its project, back. Gives its name.

    Raises: NotFound; Invalid when several projects have the name; Conflict when another has it by now.
    """
    with desk.edit() as edit:
        project = projects.find(edit.tx, which, removed=True)
        if project is None:
            gone = spreadsheets.stop_ignoring(edit.tx, which, None, anywhere=True)
        else:
            gone = spreadsheets.stop_ignoring(edit.tx, project.worksheet_id or "", project.spreadsheet)
        if project is not None and (gone or project.removed_at is not None):
            return restore_locked(edit, projects.lock(edit.tx, project.id)).name
        if not gone:
            hint = "`smart-sync projects list` shows what is"
            raise NotFound(f"nothing called {which!r} is ignored", hint=hint)
        edit.audit("tab.restore", f"tab:{which}", {"worksheet_id": which}, None)
    return f"the tab with gid {which}"
