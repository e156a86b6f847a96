"""What the last sync found to mend, by kind, each with a way to its cell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from webapp import web
from webapp.dashboard.rendering import SetUp
from webapp.rules.addresses import cell_link
from webapp.rules.problem_kinds import WAITING, ProblemKind, kinds_of
from webapp.rules.words import group_numbers
from webapp.store.projects import Project

PROBLEMS = 30  # that are shown on a page


class Place(NamedTuple):
    """A place in a sheet, such as `Beauty Lab!G14`. link: where to open it; None: it is in a file."""

    text: str
    link: str | None


class ShownProblem(NamedTuple):
    """place None: it is about no single place. parts: its words, and the places that they name."""

    place: Place | None
    parts: Sequence[str | Place]


class ProblemGroup(NamedTuple):
    """Problems of one kind. total: with those that are not shown."""

    kind: ProblemKind
    total: int
    shown: Sequence[ShownProblem]


def place_of(project: Project | None, cell: str | None) -> Place | None:
    """A cell of a project's tab. project None: it is not there any more."""
    if not cell:
        return None
    if project is None:
        return Place(cell, None)
    return Place(cell, cell_link(project.spreadsheet or web.get(SetUp).sheet, project.worksheet_id, cell))


def tab_of(project: Project) -> Place:
    """A project's whole tab."""
    return Place(project.tab_title, cell_link(project.spreadsheet or web.get(SetUp).sheet, project.worksheet_id, None))


def to_mend(project: Project) -> list[Mapping[str, Any]]:
    """The problems of a project but those that are listed by themselves, because somebody decides on them."""
    return [problem for problem in project.problems if problem["code"] not in WAITING]


def problem_groups(
    project: Project | None, problems: Iterable[Mapping[str, Any]], most: int = PROBLEMS
) -> list[ProblemGroup]:
    """The problems by kind, the first of all kinds: so many at most are shown."""
    left, groups = most, []
    for kind, found in kinds_of(problems):
        shown = found[: max(left, 0)]
        left -= len(shown)
        groups.append(ProblemGroup(kind, len(found), [_shown(project, one) for one in shown]))
    return groups


def _shown(project: Project | None, problem: Mapping[str, Any]) -> ShownProblem:
    cell = problem.get("cell")
    words = group_numbers(str(problem["message"]).removeprefix(f"{cell}: "))
    return ShownProblem(place_of(project, cell), _parts(project, words))


def _parts(project: Project | None, words: str) -> list[str | Place]:
    """The words with the cells of the tab that they name as places."""
    if project is None:
        return [words]
    found = re.split(rf"({re.escape(project.tab_title)}![A-Z]{{1,3}}\d+)", words)
    return [(place_of(project, part) or part) if at % 2 else part for at, part in enumerate(found)]
