"""One process syncs a large project over and over, another reads it: nobody ever sees two syncs at once."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.read.world import World
from webapp.store.migrate import migrate

ACCOUNTS = 10_000
SECONDS = 3.0

# Each sync gives every account the same number, so that any two numbers in one answer are of one sync.
WRITER = textwrap.dedent(
    """
    import sys
    from webapp.clock import Budget
    from tests.fakes.service import Service
    from webapp.sync.trigger import Trigger

    service = Service(sys.argv[1])
    service.time.now = service.time.now.replace(year=2026, month=3, day=2)
    number = 100
    while True:
        rows = [[f"https://x.com/user{n}", number, number, number, number, number] for n in range(int(sys.argv[2]))]
        service.sheet.rows("Project A", *rows)
        trigger = Trigger(caller="cli")
        for outcome in service.engine.run(service.engine.start(trigger).run, trigger, Budget()):
            assert outcome.result.success, outcome.result
        print(number, flush=True)
        number += 1
        service.time.forward(hours=5)
    """
)


@pytest.fixture
def writer(world: World, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """A process that syncs until the test ends; its first sync is over."""
    url = str(request.getfixturevalue("sqlite_url" if world.service.db.dialect == "sqlite" else "postgres_url"))
    migrate(world.service.db)
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, url, str(ACCOUNTS)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": ""},
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "100"
    yield process
    process.kill()
    process.communicate()


@pytest.mark.own_database
@pytest.mark.usefixtures("processes")
def test_no_reader_ever_sees_a_mix_of_two_syncs(world: World, writer: subprocess.Popen[str]) -> None:
    project = world.service.project()["id"]
    seen: set[int] = set()
    ends = time.monotonic() + SECONDS

    while time.monotonic() < ends or len(seen) < 2:
        page = world.json(f"/api/projects/{project}/accounts", sort="views", limit=1000)["accounts"]
        numbers = {account[metric] for account in page for metric in ("followers", "views")}
        whole = world.json(f"/api/projects/{project}")

        assert (len(page), len(numbers)) == (1000, 1)
        assert whole["total_views"] == ACCOUNTS * (whole["total_likes"] // ACCOUNTS)
        assert whole["total_views"] % ACCOUNTS == 0
        assert whole["total_profiles"] == ACCOUNTS
        seen |= numbers

    stats = world.json(f"/api/projects/{project}/analytics")
    assert stats["total_views"] == sum(group["views"] for group in stats["platform_stats"].values())
    assert all(day["views"] % ACCOUNTS == 0 and day["accounts"] == ACCOUNTS for day in stats["history"])
    assert writer.poll() is None
