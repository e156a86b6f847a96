"""The demo, as it is served."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.tour import Demo, demo_on


@pytest.fixture
def demo(sqlite_url: str) -> Iterator[Demo]:
    """The demo on a database of this test's own, synced once."""
    demo = demo_on(sqlite_url)
    yield demo
    demo.parts.db.close()


@pytest.fixture(scope="session")
def quiet_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One demo for all tests that change nothing in it."""
    demo = demo_on(f"sqlite:///{tmp_path_factory.mktemp('demo')}/demo.db")
    yield demo
    demo.parts.db.close()
