"""Why a count is what it is: whose it is, and where that stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from webapp.model import METRICS, Metric
from webapp.rules.addresses import cells_of
from webapp.rules.merge import Winner, policy_of, verdict
from webapp.store.accounts import Account
from webapp.store.observations import Sources
from webapp.store.projects import Project

UNREADABLE = ("invalid_number", "cut_cell")


@dataclass(frozen=True)
class SourcedCount:
    """A count and whose it is. winner None: nobody's. why: in words, with cell addresses.

    unreadable: what is said of the cells that could not be read, by cell.
    """

    value: int | None
    winner: Winner | None
    why: str
    unreadable: Mapping[str, str]


def columns_of(project: Project) -> Mapping[Metric, str]:
    """{metric: its column in the tab}, as last read."""
    return project.sheet_columns or {}


def sheet_cells(project: Project, sources: Sources, metric: Metric) -> list[str]:
    """The cells of the tab that say a metric of an account."""
    sheet = sources.observed.get("sheet")
    return cells_of(sheet.origin if sheet else None, columns_of(project).get(metric))


def unreadable_cells(project: Project) -> dict[str, str]:
    """{cell: what is said of it}, of those that could not be read as counts."""
    found = (problem for problem in project.problems if problem["code"] in UNREADABLE and problem.get("cell"))
    return {one["cell"]: str(one["message"]).removeprefix(f"{one['cell']}: ") for one in found}


def sourced_count(
    account: Account, project: Project, sources: Sources, metric: Metric, unreadable: Mapping[str, str]
) -> SourcedCount:
    """One metric of an account as it is now. unreadable: as `unreadable_cells` gives it."""
    place = METRICS.index(metric)
    sheet = sources.observed.get("sheet")
    parsed = sources.observed.get("parsed")
    policy = policy_of(project.merge_policy, account.mode)
    typed = sheet.counts[place] if sheet else None
    found = verdict(typed, sources.believed[place], policy, sources.pins.get(metric))
    cells = sheet_cells(project, sources, metric)
    unread = {cell: unreadable[cell] for cell in cells if cell in unreadable}
    nobody = "; ".join(f"{cell} could not be read: {words}" for cell, words in unread.items())
    why = {
        "sheet": ", ".join(cells) or "the Sheet",
        "parsed": f"read by {(parsed.origin if parsed else None) or 'a program'}",
        "pin": "pinned by a person",
        None: nobody or "nobody observed it",
    }[found.winner]
    return SourcedCount(account.counts[place], found.winner, why, unread)
