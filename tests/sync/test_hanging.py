"""A run that hangs: it is taken over, and nobody is told meanwhile that all is well."""

from __future__ import annotations

import time as real_time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.fakes.gate import Gate
from tests.fakes.service import Service
from tests.fakes.sheet import FakeSheet
from webapp.clock import Clock

ANN = "https://x.com/ann"
BEN = "https://x.com/ben"


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as threads:
        yield threads


@pytest.fixture
def two() -> FakeSheet:
    """A spreadsheet of two projects."""
    sheet = FakeSheet()
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [BEN, 1])
    return sheet


def begun(service: Service, pool: ThreadPoolExecutor, gate: Gate, **parameters: Any) -> Future[TestResponse]:
    """A trigger in another thread that has come to the gate."""
    answer = pool.submit(service.trigger, **parameters)
    gate.wait_for_somebody()
    return answer


def states(service: Service) -> list[str]:
    return [row["state"] for row in service.rows("SELECT state FROM sync_runs ORDER BY started_at")]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hearts go on for a moment only, and a run is stalled after another."""
    monkeypatch.setattr("webapp.sync.heart.MARGIN_S", 0.2)
    monkeypatch.setattr("webapp.sync.heart.SILENCE_S", 0.5)
    monkeypatch.setattr("webapp.rules.outcomes.STALLED_S", 0.3)


def real_service(url: str, two: FakeSheet) -> Service:
    return Service(url, sheets=[two], lease_s=0.5, clock=Clock())


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("budget", [{"budget": 0.2}, {}], ids=["with a budget", "without one"])
def test_a_run_that_hangs_is_taken_over_by_the_next_trigger(
    database_url: str, two: FakeSheet, pool: ThreadPoolExecutor, budget: dict[str, Any]
) -> None:
    service = real_service(database_url, two)
    gate = two.on_book = Gate()
    hanging = begun(service, pool, gate, **budget)
    two.on_book = int

    answers = [service.trigger(**budget)]
    while answers[-1].json["run_id"] == answers[0].json["run_id"] and len(answers) < 200:  # type: ignore[index]
        real_time.sleep(0.05)
        answers.append(service.trigger(**budget))
    gate.open()

    assert (answers[-1].status_code, answers[-1].json["success"]) == (200, True)  # type: ignore[index]
    assert states(service) == ["abandoned", "succeeded"]
    assert (hanging.result().status_code, service.followers(ANN)) == (503, 1)
    service.close()


@pytest.mark.usefixtures("impatient")
def test_who_joins_a_run_that_shows_no_progress_is_not_told_that_all_is_well(
    database_url: str, two: FakeSheet, pool: ThreadPoolExecutor
) -> None:
    service = real_service(database_url, two)
    gate = two.on_book = Gate()
    hanging = begun(service, pool, gate)

    first, answer = service.trigger(), service.trigger()
    while answer.json["success"]:  # type: ignore[index]
        real_time.sleep(0.02)
        answer = service.trigger()
    strict = service.trigger(strict=True)
    gate.open()
    hanging.result()

    assert (first.status_code, first.json["success"]) == (202, True)  # type: ignore[index]
    assert answer.status_code == 202
    assert answer.json is not None
    assert (answer.json["coalesced"], answer.json["error_code"]) == (True, "stalled")
    assert answer.json["error"].startswith("no sign of progress for ")
    assert (strict.status_code, strict.json["success"]) == (502, False)  # type: ignore[index]
    service.close()


@pytest.mark.usefixtures("impatient")
def test_a_project_that_a_run_without_progress_holds_is_no_success_for_others(
    database_url: str, two: FakeSheet, pool: ThreadPoolExecutor
) -> None:
    service = real_service(database_url, two)
    service.sync()
    gate = two.on_book = Gate()
    hanging = begun(service, pool, gate)
    of_one = service.project()["id"]

    first, answer = service.trigger(project_id=of_one), service.trigger(project_id=of_one)
    while answer.json["success"]:  # type: ignore[index]
        real_time.sleep(0.02)
        answer = service.trigger(project_id=of_one)
    gate.open()
    hanging.result()

    assert (first.status_code, first.json["skipped"]) == (200, "already_running")  # type: ignore[index]
    assert (answer.status_code, answer.json["error_code"]) == (502, "stalled")  # type: ignore[index]
    assert " is at it: no sign of progress for " in answer.json["error"]  # type: ignore[index]
    service.close()
