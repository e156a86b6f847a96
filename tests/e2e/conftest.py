"""A spreadsheet for every test, and folders that another user can enter."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.google import Google, google


@pytest.fixture(autouse=True)
def with_processes(processes: None) -> None:
    """Every test in this folder is one of processes."""


@pytest.fixture
def sheet() -> Iterator[Google]:
    with google() as opened:
        yield opened
