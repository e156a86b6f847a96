"""Which tabs of a spreadsheet are projects, and which could become one. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from webapp.sources.sheet import Book, Tab
from webapp.store.projects import Project

COPY = re.compile(r"^(copy of |копия )|\(copy\)$|_conflict\w*$", re.IGNORECASE)


@dataclass(frozen=True)
class Tabs:
    """bound: {project id: its tab}; taken_by_name: unbound projects that a tab's title fits; missing: projects whose
    tab has gone; candidates: tabs nobody has yet; left_out: why others are no candidates, in words."""

    bound: Mapping[str, Tab]
    taken_by_name: Mapping[str, Tab]
    missing: Sequence[Project]
    candidates: Sequence[Tab]
    left_out: Sequence[str]


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
    """Match tabs and projects: by gid, then unbound projects by a title that is unique.

    wanted: the projects this run syncs. taken: {gid: project} of all projects, whatever their status.
    """
    by_id = {tab.id: tab for tab in book.tabs}
    bound = {p.id: by_id[p.worksheet_id] for p in wanted if p.worksheet_id in by_id}
    missing = [p for p in wanted if p.worksheet_id is not None and p.worksheet_id not in by_id]
    free = [tab for tab in book.tabs if tab.grid and tab.id not in taken and tab.id not in ignored]
    named = _by_title(free, unbound)
    candidates: list[Tab] = []
    left_out: list[str] = []
    for tab in free:
        if tab in named.values():
            continue
        if tab.hidden:
            left_out.append(f"tab {tab.title!r} is hidden and was left out")
        elif COPY.search(tab.title.strip()):
            left_out.append(f"tab {tab.title!r} looks like a copy and was left out")
        else:
            candidates.append(tab)
    return Tabs(bound, named, missing, candidates, left_out)


def _by_title(free: Sequence[Tab], unbound: Sequence[Project]) -> dict[str, Tab]:
    titles = [same_title(tab.title) for tab in free]
    names = [same_title(project.worksheet_title or project.name) for project in unbound]
    return {
        project.id: free[titles.index(name)]
        for project, name in zip(unbound, names, strict=True)
        if titles.count(name) == 1 and names.count(name) == 1
    }
