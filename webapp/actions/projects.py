"""Projects: make, change, remove, restore."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from webapp.actions.desk import Desk, Edit
from webapp.actions.texts import clean_line, refusal
from webapp.clock import Clock
from webapp.errors import ConfigError, Conflict
from webapp.sources.sheet.open import open_sheet
from webapp.store import projects, spreadsheets
from webapp.store.projects import Project, present_project
from webapp.sync.tabs import same_title

LONGEST_NAME = 200
LONGEST_TITLE = 200
LONGEST_ADDRESS = 2048


def create_project(desk: Desk, values: Mapping[str, Any]) -> Project:
    """A new project. The next sync reads its tab; without one it lives on readings alone.

    values: what its row says, by column; `name` is among them. `spreadsheet` is an address or id, `worksheet_id` a
    number or a text.

    Raises: Invalid; Conflict when another project has the name or the tab.
    """
    row = {**values, "name": clean_line("name", values["name"], LONGEST_NAME)}
    row["spreadsheet"] = _spreadsheet(desk, values.get("spreadsheet"))
    for field in ("worksheet_id", "worksheet_title"):
        if values.get(field) is not None:
            row[field] = clean_line(field, str(values[field]), LONGEST_TITLE)
    _check_dates(values.get("start_date"), values.get("end_date"))
    with desk.edit() as edit:
        _refuse_taken_name(edit.tx, row["name"])
        _refuse_taken_tab(edit.tx, row["spreadsheet"], row.get("worksheet_id"))
        project = projects.add(edit.tx, row, edit.now)
        if project is None:
            raise Conflict("another project has just taken this tab", code="already_exists")
        edit.audit("project.add", f"project:{project.id}", None, row)
        return project


def change_project(desk: Desk, project_id: str, values: Mapping[str, Any]) -> Project:
    """Rename a project, give it another tab, pause or finish it, change its policy, target or dates.

    The Sheet is not touched. values: what shall be different, by column. `name` None: called like its tab again.
    `worksheet_id` or `worksheet_title`: the next sync reads that tab.

    Raises: NotFound; Invalid; Conflict when another project has the name or the tab.
    """
    with desk.edit() as edit:
        project = present_project(projects.lock(edit.tx, project_id))
        if "name" in values:
            values = {**values, **_naming(edit.tx, project, values["name"])}
        if "worksheet_id" in values or "worksheet_title" in values:
            values = {**values, **_binding(edit, project, values)}
        _check_dates(values.get("start_date", project.start_date), values.get("end_date", project.end_date))
        changed = projects.change(edit.tx, project, values, edit.now)
        edit.audit_project("project.change", project, changed)
        return changed


def remove_project(desk: Desk, project_id: str) -> Project:
    """Stop syncing a project and forget its tab. Its history stays, and so does everything in the Sheet.

    Raises: NotFound.
    """
    with desk.edit() as edit:
        return remove_locked(edit, projects.lock(edit.tx, project_id))


def restore_project(desk: Desk, project_id: str) -> Project:
    """Bring a removed project back, with its tab and its history.

    Raises: NotFound; Conflict when another project has its name by now.
    """
    with desk.edit() as edit:
        return restore_locked(edit, projects.lock(edit.tx, project_id))


def remove_locked(edit: Edit, project: Project) -> Project:
    """Remove a project within an action that has locked it."""
    removed = projects.remove(edit.tx, project, edit.now)
    edit.audit_project("project.remove", project, removed)
    return removed


def restore_locked(edit: Edit, project: Project) -> Project:
    """Restore a project within an action that has locked it.

    Raises: Conflict when another project has its name by now.
    """
    if project.removed_at is not None:
        _refuse_taken_name(edit.tx, project.name, but=project.id)
    restored = projects.restore(edit.tx, project, edit.now)
    edit.audit_project("project.restore", project, restored)
    return restored


def _naming(tx: sa.Connection, project: Project, name: str | None) -> dict[str, Any]:
    """The name set by hand, or handed back to the tab."""
    if name is None:
        return {"name": project.tab_title, "name_set": False}
    name = clean_line("name", name, LONGEST_NAME)
    _refuse_taken_name(tx, name, but=project.id)
    return {"name": name, "name_set": True}


def _binding(edit: Edit, project: Project, values: Mapping[str, Any]) -> dict[str, Any]:
    """The tab given by hand: by its id, or by its title, which the next sync looks for. It is read anew.

    Raises: Invalid; Conflict when it is the tab of a project that was not removed.
    """
    found: dict[str, Any] = {"worksheet_id": None, "worksheet_title": None, "sheet_seen": None, "settled": False}
    for field in ("worksheet_id", "worksheet_title"):
        if values.get(field) is not None:
            found[field] = clean_line(field, str(values[field]), LONGEST_TITLE)
    for other in projects.bound_tabs(edit.tx, project.spreadsheet).values():
        if other.id != project.id and _has_tab(other, found["worksheet_id"], found["worksheet_title"]):
            _release_tab(edit, other)
    if found["worksheet_id"] is not None:
        spreadsheets.stop_ignoring(edit.tx, found["worksheet_id"], project.spreadsheet)
    return found


def _has_tab(project: Project, worksheet_id: str | None, title: str | None) -> bool:
    if worksheet_id is not None:
        return project.worksheet_id == worksheet_id
    return same_title(project.tab_title) == same_title(title or "")


def _release_tab(edit: Edit, other: Project) -> None:
    """Take the tab of a project that was removed: nothing is read for it any more."""
    if other.removed_at is None:
        words = f"the tab is that of the project {other.name!r}"
        hint = "a tab belongs to one project; remove that one first"
        raise Conflict(words, code="already_exists", hint=hint, project_id=other.id)
    assert other.worksheet_id is not None  # noqa: S101  it is bound
    spreadsheets.stop_ignoring(edit.tx, other.worksheet_id, other.spreadsheet)
    released = projects.change(edit.tx, other, {"worksheet_id": None}, edit.now)
    edit.audit_project("project.change", other, released)


def _check_dates(start: date | None, end: date | None) -> None:
    if start is not None and end is not None and end < start:
        raise refusal("end_date", f"is before start_date, {start}")


def _refuse_taken_name(tx: sa.Connection, name: str, but: str | None = None) -> None:
    """People, and the command line, tell projects apart by their names."""
    for other in projects.all_listed(tx):
        if other.removed_at is None and other.id != but and same_title(other.name) == same_title(name):
            words = f"a project is called {other.name!r} already"
            raise Conflict(words, code="already_exists", project_id=other.id)


def _refuse_taken_tab(tx: sa.Connection, spreadsheet: str | None, worksheet_id: str | None) -> None:
    if worksheet_id is None:
        return
    other = projects.of_tab(tx, spreadsheet, worksheet_id)
    if other is not None:
        hint = "restore that project" if other.removed_at is not None else "a tab belongs to one project"
        words = f"the tab is that of the project {other.name!r}"
        raise Conflict(words, code="already_exists", hint=hint, project_id=other.id)


def _spreadsheet(desk: Desk, text: str | None) -> str | None:
    """What a project stores of its spreadsheet: None for the default one.

    Raises: Invalid for one that is not configured: no sync could ever read it.
    """
    if text is None:
        return None
    key = clean_line("spreadsheet", text, LONGEST_ADDRESS)
    if "://" in key:
        key = _key_of(key, desk.clock)
    keys = [sheet.key for sheet in desk.engine.sheets]
    if key not in keys:
        raise refusal("spreadsheet", "is not configured", hint="add it to SMART_SYNC_SHEET")
    return None if key == keys[0] else key


def _key_of(address: str, clock: Clock) -> str:
    try:
        return open_sheet(address, credentials=None, api_base=None, clock=clock).key
    except ConfigError:
        raise refusal("spreadsheet", "is no address of a spreadsheet") from None
