"""The cycle collector is called seldom while syncs are at work, and not a moment longer."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.fakes.service import Service
from tests.fakes.sheet import FakeSheet
from webapp.sync.collector import SELDOM, seldom_collected
from webapp.sync.side import parse_side

USUAL = (700, 10, 10)


@pytest.fixture(autouse=True)
def _usual() -> Iterator[None]:
    of_tests = gc.get_threshold()
    gc.set_threshold(*USUAL)
    yield
    gc.set_threshold(*of_tests)


def test_it_is_called_seldom_until_the_last_of_those_inside_has_left() -> None:
    with ExitStack() as last:
        with seldom_collected():
            last.enter_context(seldom_collected())
        assert gc.get_threshold() == (SELDOM, 10, 10)

    assert gc.get_threshold() == USUAL


def test_it_is_never_called_more_often_than_before() -> None:
    gc.set_threshold(2 * SELDOM, 3, 4)

    with seldom_collected():
        assert gc.get_threshold() == (2 * SELDOM, 3, 4)
    assert gc.get_threshold() == (2 * SELDOM, 3, 4)


def test_a_sync_calls_it_seldom(service: Service, sheet: FakeSheet, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[tuple[int, int, int]] = []

    def look(*given: Any, **more: Any) -> Any:
        found.append(gc.get_threshold())
        return parse_side(*given, **more)

    monkeypatch.setattr("webapp.sync.batch.parse_side", look)
    sheet.rows("Project A", ["x.com/ann", 1])

    assert service.sync()["success"]
    assert found == [(SELDOM, 10, 10)]
    assert gc.get_threshold() == USUAL
