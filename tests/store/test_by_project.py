from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from webapp.store import by_project
from webapp.store.by_project import ByProject
from webapp.store.projects import Project

ANN, BEN = Project("a", "Ann"), Project("b", "Ben")


class Finder:
    """Finds how often a project was looked for, and notes which were."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, projects: Sequence[Project]) -> dict[str, int]:
        self.asked.append([one.id for one in projects])
        return {one.id: sum(one.id in asked for asked in self.asked) for one in projects}


def test_only_a_project_that_changed_is_looked_for_again() -> None:
    known, find = ByProject[int](), Finder()
    moved = datetime(2026, 3, 1, tzinfo=UTC)
    changed = [
        replace(BEN, revision=1),
        replace(BEN, revision=1, as_of=moved),
        replace(BEN, revision=1, changed_at=moved),
    ]

    found = [known.of([ANN, one], 0, find) for one in (BEN, BEN, *changed)]

    assert find.asked == [["a", "b"], ["b"], ["b"], ["b"]]
    assert [one["b"] for one in found] == [1, 1, 2, 3, 4]
    assert {one["a"] for one in found} == {1}


def test_what_it_depends_on_besides_makes_all_of_it_unknown() -> None:
    known, find = ByProject[int](), Finder()
    for beside in (0, 0, 1):
        known.of([ANN, BEN], beside, find)

    assert find.asked == [["a", "b"], ["a", "b"]]


def test_what_is_looked_at_anew_is_known_from_then_on() -> None:
    known, find = ByProject[int](), Finder()
    known.of([ANN, BEN], 0, find)

    assert known.of([BEN], 0, find, anew=True) == {"b": 2}
    assert known.of([ANN, BEN], 0, find) == {"a": 1, "b": 2}


def test_nothing_is_asked_about_no_project() -> None:
    find = Finder()

    assert ByProject[int]().of([], 0, find) == {}
    assert find.asked == []


@pytest.mark.parametrize("most", [0, 1])
def test_more_than_may_be_kept_is_forgotten(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_project, "MOST", most)
    known, find = ByProject[int](), Finder()
    known.of([ANN], 0, find)
    known.of([ANN, BEN], 0, find)
    known.of([ANN], 0, find)

    assert find.asked[-1] == ["a"]


def test_without_keeping_all_is_found_anew() -> None:
    known, find = ByProject[int](keep=False), Finder()
    known.of([ANN], 0, find)
    known.of([ANN], 0, find)

    assert find.asked == [["a"], ["a"]]
