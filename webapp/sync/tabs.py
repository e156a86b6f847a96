"""Which tabs of a spreadsheet are projects, and which could become one. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from webapp.rules.heirs import by_name
from webapp.sources.sheet import Book, Tab
from webapp.store.projects import Project

COPY = re.compile(r"^(copy of |копия )|\(copy\)$|_conflict\w*$", re.IGNORECASE)


@dataclass(frozen=True)
class Tabs:
    """How tabs and projects go together.

    bound: {project id: its tab}. taken_by_name: unbound projects that a tab's title fits. heirs: projects whose tab has
    gone, and the one that goes on for it. absent: projects whose tab has gone for good, missing: those of them that are
    wanted. candidates: tabs nobody has yet; left_out: why others are no candidates, in words; faulty: those that would be
    candidates but for their names.
    """

    bound: Mapping[str, Tab]
    taken_by_name: Mapping[str, Tab]
    heirs: Mapping[str, Tab]
    absent: Sequence[Project]
    missing: Sequence[Project]
    candidates: Sequence[Tab]
    left_out: Sequence[str]
    faulty: Sequence[Tab]


def same_title(title: str) -> str:
    """Titles that people would call the same: whatever the case, the spaces and the way letters are composed."""
    return " ".join(unicodedata.normalize("NFKC", title).casefold().split())


def assign(
    book: Book,
    wanted: Sequence[Project],
    taken: Mapping[str, Project],
    unbound: Sequence[Project],
    ignored: Collection[str],
) -> Tabs:
    """Match tabs and projects: by gid, then unbound projects, and those whose tab has gone, by a title that is unique.

    wanted: the projects this run syncs. taken: {gid: project} of all projects, whatever their status.
    """
    by_id: dict[str, Tab] = {}
    for tab in book.tabs:
        by_id.setdefault(tab.id, tab)
    bound = {p.id: by_id[p.worksheet_id] for p in wanted if p.worksheet_id in by_id}
    free = [tab for tab in by_id.values() if tab.grid and tab.id not in taken and tab.id not in ignored]
    named = _by_title([tab for tab in free if tab.fault is None], unbound)
    rest = [tab for tab in free if tab not in named.values()]
    gone = [project for id_, project in taken.items() if id_ not in by_id and _goes_on(project)]
    heirs = _by_title([tab for tab in rest if tab.fault is None], gone)
    absent = [project for project in gone if project.id not in heirs]
    lost = {p.id for p in wanted if p.worksheet_id is not None and p.worksheet_id not in by_id} - set(heirs)
    missing = [project for project in wanted if project.id in lost]
    candidates: list[Tab] = []
    left_out = [f"tab {tab.title!r} has the id of another tab and was left out" for tab in _doubles(book, by_id)]
    faulty: list[Tab] = []
    for tab in rest:
        if tab in heirs.values():
            continue
        if tab.hidden:
            left_out.append(f"tab {tab.title!r} is hidden and was left out")
        elif COPY.search(tab.title.strip()):
            left_out.append(f"tab {tab.title!r} looks like a copy and was left out")
        else:
            (candidates if tab.fault is None else faulty).append(tab)
    return Tabs(bound, named, heirs, absent, missing, candidates, left_out, faulty)


def _doubles(book: Book, by_id: Mapping[str, Tab]) -> list[Tab]:
    """Tabs that cannot be told from an earlier one. No program makes them; a broken answer or workbook may."""
    return [tab for tab in book.tabs if by_id[tab.id] is not tab]


def _goes_on(project: Project) -> bool:
    """Whether another tab may go on for the project's. One that nobody has seen yet is waited for."""
    return project.removed_at is None and project.status != "finished" and project.worksheet_title is not None


def _by_title(free: Sequence[Tab], projects: Sequence[Project]) -> dict[str, Tab]:
    tabs = {tab.id: tab for tab in free}
    wanted = {project.id: same_title(project.tab_title) for project in projects}
    found = by_name(wanted, [(tab.id, same_title(tab.title)) for tab in free])
    return {project: tabs[tab] for project, tab in found.items()}
