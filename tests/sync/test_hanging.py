"""A run that hangs: it is taken over, and nobody is told meanwhile that all is well."""

from __future__ import annotations

import time as real_time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.fakes.gate import Gate
from tests.fakes.service import Service
from tests.fakes.sheet import FakeSheet
from tests.sync.meeting import begun, states
from webapp.clock import Clock

ANN = "https://x.com/ann"
BEN = "https://x.com/ben"
BUDGET_S = 30.0


@pytest.fixture
def two() -> FakeSheet:
    """A spreadsheet of two projects."""
    sheet = FakeSheet()
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 1])
    return sheet


def served(url: str, two: FakeSheet, lease_s: float) -> Iterator[Service]:
    """With time that passes."""
    made = Service(url, sheets=[two], lease_s=lease_s, clock=Clock())
    yield made
    made.close()


@pytest.fixture
def brief(database_url: str, two: FakeSheet, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Hearts beat for a moment only; budgets are long, so that others can end."""
    monkeypatch.setattr("webapp.sync.heart.MARGIN_S", 0.2 - BUDGET_S)
    monkeypatch.setattr("webapp.sync.heart.SILENCE_S", 0.5)
    yield from served(database_url, two, 0.5)


@pytest.fixture
def impatient(database_url: str, two: FakeSheet, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A run is stalled after a moment, and its heart goes on."""
    monkeypatch.setattr("webapp.rules.outcomes.STALLED_S", 0.1)
    yield from served(database_url, two, 4.0)


@pytest.mark.parametrize("budget", [{"budget": BUDGET_S}, {}], ids=["with a budget", "without one"])
def test_a_run_that_hangs_is_taken_over_by_the_next_trigger(
    brief: Service, two: FakeSheet, pool: ThreadPoolExecutor, budget: dict[str, Any]
) -> None:
    gate = two.on_book = Gate()
    hanging = begun(brief, pool, gate, **budget)
    two.on_book = int

    answers = [brief.trigger(**budget)]
    while answers[-1].json["run_id"] == answers[0].json["run_id"] and len(answers) < 200:  # type: ignore[index]
        real_time.sleep(0.05)
        answers.append(brief.trigger(**budget))
    gate.open()

    assert (answers[-1].status_code, answers[-1].json["success"]) == (200, True)  # type: ignore[index]
    assert states(brief) == ["abandoned", "succeeded"]
    assert (hanging.result().status_code, brief.followers(ANN)) == (503, 1)


def test_who_joins_a_run_that_shows_no_progress_is_not_told_that_all_is_well(
    impatient: Service, two: FakeSheet, pool: ThreadPoolExecutor
) -> None:
    gate = two.on_book = Gate()
    hanging = begun(impatient, pool, gate)

    first, answer = impatient.trigger(), impatient.trigger()
    while answer.json["success"]:  # type: ignore[index]
        real_time.sleep(0.02)
        answer = impatient.trigger()
    strict = impatient.trigger(strict=True)
    gate.open()
    hanging.result()

    assert (first.status_code, first.json["success"]) == (202, True)  # type: ignore[index]
    assert answer.status_code == 202
    assert answer.json is not None
    assert (answer.json["coalesced"], answer.json["error_code"]) == (True, "stalled")
    assert answer.json["error"].startswith("no sign of progress for ")
    assert (strict.status_code, strict.json["success"]) == (502, False)  # type: ignore[index]


def test_a_project_that_a_run_without_progress_holds_is_no_success_for_others(
    impatient: Service, two: FakeSheet, pool: ThreadPoolExecutor
) -> None:
    impatient.sync()
    gate = two.on_book = Gate()
    hanging = begun(impatient, pool, gate)
    of_one = impatient.project()["id"]

    first, answer = impatient.trigger(project_id=of_one), impatient.trigger(project_id=of_one)
    while answer.json["success"]:  # type: ignore[index]
        real_time.sleep(0.02)
        answer = impatient.trigger(project_id=of_one)
    gate.open()
    hanging.result()

    assert (first.status_code, first.json["skipped"]) == (200, "already_running")  # type: ignore[index]
    assert (answer.status_code, answer.json["error_code"]) == (502, "stalled")  # type: ignore[index]
    assert " is at it: no sign of progress for " in answer.json["error"]  # type: ignore[index]
