"""`smart-sync projects`: projects and the tabs they come from."""

from __future__ import annotations

import click

from webapp.actions.tabs import ignore_tab, restore_tab
from webapp.cli.root import open_parts
from webapp.cli.terminal import say
from webapp.store import projects as project_rows
from webapp.store import spreadsheets


@click.group()
def projects() -> None:
    """Projects and the tabs they come from."""


@projects.command(name="list")
def list_projects() -> None:
    """All projects with their ids and tabs."""
    with open_parts() as parts, parts.db.read() as tx:
        rows = project_rows.all_listed(tx)
        left_out = spreadsheets.ignored_list(tx)
    for row in rows:
        state = "ignored" if row.removed_at else row.status
        say(f"{row.id}  {state:8}  {row.name}  (tab {row.worksheet_title!r}, gid {row.worksheet_id})")
    for tab in left_out:
        say(f"ignored tab {tab['title']!r}, gid {tab['worksheet_id']}")


@projects.command()
@click.argument("which")
def ignore(*, which: str) -> None:
    """Leave a tab alone from now on: WHICH is a project's id or name, or a tab's gid. Its history is kept."""
    with open_parts() as parts:
        name = ignore_tab(parts.desk.through("cli"), which)
    say(f"{name} is ignored from now on; `smart-sync projects restore` takes it back")


@projects.command()
@click.argument("which")
def restore(*, which: str) -> None:
    """Take an ignored tab back: WHICH is the project's id or name, or the tab's gid."""
    with open_parts() as parts:
        name = restore_tab(parts.desk.through("cli"), which)
    say(f"{name} is synced again from the next run on")
