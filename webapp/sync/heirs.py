"""A project whose tab has gone, and the tab that goes on for it because it has the same accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from webapp.errors import SourceError
from webapp.rules.heirs import by_accounts
from webapp.sources.sheet import Book, Cells, SheetSource, Tab
from webapp.sources.sheet.rows import read_tab
from webapp.store import accounts
from webapp.store.projects import Project
from webapp.sync.live import LiveRun
from webapp.sync.tabs import Tabs


def add_heirs(run: LiveRun, source: SheetSource, book: Book, tabs: Tabs, share: float) -> Tabs:
    """Give each project the tab of which exactly one has its accounts. share: of the budget to read with.

    The cells are read for it, which costs a call only while a tab is missing and another is nobody's.
    """
    absent = {project.id: project for project in tabs.absent}
    candidates = {tab.id: tab for tab in tabs.candidates}
    if not absent or not candidates:
        return tabs
    found = by_accounts(_accounts(run, absent), _rows(run, source, book, tabs.candidates, share))
    heirs = {project: candidates[tab] for project, tab in found.items()}
    return replace(
        tabs,
        heirs={**tabs.heirs, **heirs},
        absent=[project for project in tabs.absent if project.id not in heirs],
        missing=[project for project in tabs.missing if project.id not in heirs],
        candidates=[tab for tab in tabs.candidates if tab.id not in found.values()],
    )


def _accounts(run: LiveRun, absent: Mapping[str, Project]) -> dict[str, set[str]]:
    with run.db.read() as tx:
        return accounts.keys_of(tx, list(absent))


def _rows(run: LiveRun, source: SheetSource, book: Book, tabs: Sequence[Tab], share: float) -> dict[str, set[str]]:
    """The accounts in each tab, as far as it can be read; why it cannot, is said where it becomes a project."""
    found: dict[str, set[str]] = {}
    try:
        for tab, cells in zip(tabs, source.read(tabs, [None] * len(tabs), run.budget.part(share)), strict=True):
            found[tab.id] = _keys(run, book, cells)
    except SourceError:
        return {}
    return found


def _keys(run: LiveRun, book: Book, cells: Cells) -> set[str]:
    if cells.error is not None:
        return set()
    aliases = run.options.aliases
    try:
        return set(read_tab(cells.rows(run.budget), cells.tab.title, book.locale, aliases, run.budget).rows)
    except SourceError:
        return set()
