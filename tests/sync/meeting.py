"""Triggers that meet: one that is held at a gate, and what became of all."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from werkzeug.test import TestResponse

from tests.fakes.gate import Gate
from tests.fakes.service import Service


def begun(service: Service, pool: ThreadPoolExecutor, gate: Gate, **parameters: Any) -> Future[TestResponse]:
    """A trigger in another thread that has come to the gate."""
    answer = pool.submit(service.trigger, **parameters)
    gate.wait_for_somebody()
    return answer


def states(service: Service) -> list[str]:
    return [row["state"] for row in service.rows("SELECT state FROM sync_runs ORDER BY started_at")]
