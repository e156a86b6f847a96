"""What is in `deploy/` is text for other programs; where a test starts one of them it says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deploy.image import Stage, built, can_stack


@pytest.fixture(scope="session")
def image(processes: None) -> Iterator[Stage]:
    """What our Dockerfile makes, over the file system of this machine."""
    if not can_stack():
        pytest.skip("this user may not lay files over those of this machine")
    with built() as stage:
        yield stage
