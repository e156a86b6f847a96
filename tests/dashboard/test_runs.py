"""The pages of runs: by outcome, how long they took, and what each changed, from the cell to the number."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from tests.dashboard.conftest import Site
from tests.dashboard.filled import TOKEN, sync
from tests.dashboard.test_pages import text_of
from webapp.store.tables import accounts, projects, sync_runs


@pytest.fixture
def boss(site: Site) -> FlaskClient:
    return site.visitor(TOKEN)


def run_ids(boss: FlaskClient, path: str = "/runs") -> list[str]:
    """Of the table, in its order."""
    return re.findall(r'<th scope="row"><a href="/runs/([^"]+)"', boss.get(path).get_data(as_text=True))


def put_state(site: Site, run_id: str, **values: object) -> None:
    with site.parts.db.write() as tx:
        tx.execute(sync_runs.update().where(sync_runs.c.id == run_id).values(values))


def test_runs_are_shown_by_outcome(site: Site, boss: FlaskClient) -> None:
    first, second, *_ = run_ids(boss)
    put_state(site, first, state="failed")
    put_state(site, second, degraded=True)

    assert run_ids(boss, "/runs?outcome=failed") == [first]
    assert run_ids(boss, "/runs?outcome=degraded") == [second]
    assert first not in run_ids(boss, "/runs?outcome=succeeded")
    assert second not in run_ids(boss, "/runs?outcome=succeeded")
    assert run_ids(boss, "/runs?outcome=nonsense") == run_ids(boss)
    assert "No run was abandoned. Show all" in text_of(boss, "/runs?outcome=abandoned")


def test_each_run_has_a_bar_as_long_as_it_took(site: Site, boss: FlaskClient) -> None:
    first, second, *_ = run_ids(boss)
    put_state(site, first, seconds=10.0, state="failed")
    put_state(site, second, seconds=5.0)

    page = boss.get("/runs").get_data(as_text=True)

    assert re.search(r'<rect class="failed" x="\d+" y="0.0" width="14" height="60.0"', page)
    assert re.search(r'<rect class="succeeded" x="\d+" y="30.0" width="14" height="30.0"', page)
    assert "failed, 10" in page


def test_a_run_says_what_it_changed_from_the_cell_to_the_number(site: Site, boss: FlaskClient) -> None:
    with site.parts.db.write() as tx:  # as if these were new
        tx.execute(accounts.update().values(followers=5, views=6))
        tx.execute(projects.update().values(settled=False, sheet_seen=None, rows_seen=None))
    sync(site.parts)
    (run_id, *_) = run_ids(boss)

    words = text_of(boss, f"/runs/{run_id}")

    assert "What changed Account Project Metric Before After From" in words
    assert re.search(r"Beauty Lab (views|followers) [56] [\d,]{5,} the Sheet Beauty Lab![A-Z]\d+", words)
    assert re.search(r"mira.glow Beauty Lab views 6 [\d,]{5,} the platform", words)


def test_a_run_that_changed_nothing_says_so(site: Site, boss: FlaskClient) -> None:
    sync(site.parts)
    (run_id, *_) = run_ids(boss)

    assert "What changed No number changed, or it is longer ago than changes are kept." in text_of(
        boss, f"/runs/{run_id}"
    )
