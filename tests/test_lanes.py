"""The lane a test is in follows from its fixtures."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests import lanes


@pytest.fixture
def through_another(processes: None) -> None:
    """Whoever asks for this asks for what it asks for."""


def test_a_test_without_slow_fixtures_is_fast(request: pytest.FixtureRequest) -> None:
    assert not lanes.is_slow(request.node)


def test_a_fixture_that_asks_for_a_slow_one_makes_a_test_slow(
    request: pytest.FixtureRequest, through_another: None
) -> None:
    assert lanes.is_slow(request.node)
    assert request.node.get_closest_marker("processes")


def test_a_kind_of_database_decides_for_itself(request: pytest.FixtureRequest, database_url: str) -> None:
    assert lanes.is_slow(request.node) == database_url.startswith("postgresql")


def test_coverage_is_measured_in_the_fast_lane(request: pytest.FixtureRequest, database_url: str) -> None:
    assert lanes.is_measured(request.node) == (not database_url.startswith("postgresql"))
    assert bool(request.node.get_closest_marker("no_cover")) == (not lanes.is_measured(request.node))


def test_every_way_to_start_a_process_is_heard(processes: None) -> None:
    with lanes.Starts().hear() as heard:
        subprocess.run([sys.executable, "-c", ""], check=True)
        assert os.system("exit 3") != 0
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)

    within = "os.posix_spawn"  # how some versions of Python do what `subprocess` asks for
    assert [words.split()[0] for words in heard if not words.startswith(within)] == [
        "subprocess.Popen", "os.system", "os.fork",
    ]  # fmt: skip
