"""A short soak on each database; `./dev soak` takes as long as you like."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.director import soak

SECONDS, ROUNDS = 10.0, 3
SEED = 7


@pytest.mark.usefixtures("processes")
@pytest.mark.long
def test_no_promise_is_broken_whatever_breaks(new_database_url: str, tmp_path: Path) -> None:
    database = "sqlite" if new_database_url.startswith("sqlite") else new_database_url
    told: list[str] = []

    soaked = soak(database, SEED, SECONDS, tmp_path, told.append, rounds=ROUNDS)

    assert soaked.violations == [], "\n".join([*told, *soaked.violations])
    assert len(soaked.rounds) >= ROUNDS
    assert soaked.runs > 0
