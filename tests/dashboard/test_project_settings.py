"""The settings of a project, by forms: what is typed is what it has from then on."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from tests.dashboard.conftest import OURS, READ, Site
from tests.dashboard.filled import TOKEN
from tests.dashboard.test_pages import project_id, text_of
from webapp.store.tables import projects

FORM = {"name": "Beauty Lab", "status": "active", "merge_policy": "max"}


@pytest.fixture
def boss(site: Site) -> FlaskClient:
    return site.visitor(TOKEN)


def row(site: Site, mine: str) -> Any:
    with site.parts.db.read() as tx:
        return tx.execute(sa.select(projects).where(projects.c.id == mine)).one()


def post(client: FlaskClient, path: str, **fields: str) -> Any:
    return client.post(path, data=fields, headers=OURS)


def test_what_is_typed_is_what_it_has(site: Site, boss: FlaskClient) -> None:
    mine = project_id(site)
    typed = FORM | {"name": "Beauty", "status": "paused", "merge_policy": "sheet", "target_views": "12,000 000"}

    answer = post(boss, f"/projects/{mine}/change", **typed, start_date="2026-01-01", end_date="2026-12-31")

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/projects/{mine}/settings")
    found = row(site, mine)
    assert (found.name, found.name_set, found.status, found.merge_policy) == ("Beauty", True, "paused", "sheet")
    assert (found.target_views, str(found.start_date), str(found.end_date)) == (12_000_000, "2026-01-01", "2026-12-31")
    page = boss.get(f"/projects/{mine}/settings").get_data(as_text=True)
    assert 'value="Beauty"' in page
    assert 'value="12,000,000"' in page


@pytest.mark.parametrize(
    "typed", ["1234567", "1,234,567", "1.234.567", "1 234 567", "1\u00a0234\u202f567", "12,34,567"]
)
def test_a_target_may_be_typed_with_separators_of_thousands(site: Site, boss: FlaskClient, typed: str) -> None:
    mine = project_id(site)

    post(boss, f"/projects/{mine}/change", **FORM | {"target_views": typed})

    assert row(site, mine).target_views == 1_234_567


def test_what_is_left_empty_is_none_and_the_name_is_the_tabs_again(site: Site, boss: FlaskClient) -> None:
    mine = project_id(site)
    post(boss, f"/projects/{mine}/change", **FORM | {"name": "Beauty", "target_views": "5"})

    post(boss, f"/projects/{mine}/change", **FORM | {"name": ""})

    found = row(site, mine)
    assert (found.name, found.name_set, found.target_views) == ("Beauty Lab", False, None)


def test_what_is_left_as_it_was_served_stays_as_somebody_else_has_it(site: Site, boss: FlaskClient) -> None:
    mine = project_id(site)
    page = boss.get(f"/projects/{mine}/settings").get_data(as_text=True)
    served = dict(re.findall(r'name="(was_\w+)" value="([^"]*)"', page))
    post(boss, f"/projects/{mine}/change", **FORM | {"status": "paused", "target_views": "77"})
    typed = {field.removeprefix("was_"): value for field, value in served.items()} | {"name": "Beauty"}

    post(boss, f"/projects/{mine}/change", **served | typed)

    found = row(site, mine)
    assert (found.name, found.status, found.target_views) == ("Beauty", "paused", 77)


def test_a_name_that_is_left_as_it_is_stays_the_tabs(site: Site, boss: FlaskClient) -> None:
    mine = project_id(site)

    post(boss, f"/projects/{mine}/change", **FORM)

    assert not row(site, mine).name_set


@pytest.mark.parametrize(
    "typed",
    [
        {"name": "Street Food"},
        {"status": "asleep"},
        {"merge_policy": "min"},
        {"target_views": "many"},
        {"target_views": "1.5"},
        {"target_views": "12,34"},
        {"start_date": "yesterday"},
        {"start_date": "2026-12-31", "end_date": "2026-01-01"},
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    site: Site, boss: FlaskClient, typed: dict[str, str]
) -> None:
    mine = project_id(site)
    before = row(site, mine)

    answer = post(boss, f"/projects/{mine}/change", **FORM | typed)

    assert answer.status_code in {409, 422}
    assert row(site, mine) == before


def test_it_is_synced_by_an_interval_or_at_times_of_a_zone(site: Site, boss: FlaskClient) -> None:
    mine = project_id(site)
    post(boss, f"/projects/{mine}/schedule", enabled="true", cron="0 9 * * 1-5", timezone="Europe/Berlin")
    found = row(site, mine)
    assert (found.cron, found.timezone, found.auto_sync) == ("0 9 * * 1-5", "Europe/Berlin", True)
    assert "Its next turns: in" in text_of(boss, f"/projects/{mine}/settings")

    post(boss, f"/projects/{mine}/schedule", interval_minutes="45")
    found = row(site, mine)
    assert (found.cron, found.interval_minutes, found.auto_sync) == (None, 45, False)

    post(boss, f"/projects/{mine}/schedule", enabled="true")
    assert row(site, mine).interval_minutes is None


@pytest.mark.parametrize(
    "typed",
    [{"cron": "whenever"}, {"timezone": "Nowhere/Town"}, {"interval_minutes": "0"}, {"interval_minutes": "1.5"}],
)
def test_a_schedule_that_is_none_is_refused(site: Site, boss: FlaskClient, typed: dict[str, str]) -> None:
    assert post(boss, f"/projects/{project_id(site)}/schedule", **typed).status_code == 422


def test_it_is_removed_once_its_name_is_typed(site: Site, boss: FlaskClient) -> None:
    mine = project_id(site)
    assert post(boss, f"/projects/{mine}/remove", name="Beauty").status_code == 422
    assert row(site, mine).removed_at is None

    assert post(boss, f"/projects/{mine}/remove", name="Beauty Lab").headers["Location"] == "/"

    assert row(site, mine).removed_at is not None
    assert "Beauty Lab" not in text_of(boss, "/")


def test_who_only_reads_changes_nothing(site: Site) -> None:
    reader, mine = site.visitor(READ), project_id(site)

    assert reader.get(f"/projects/{mine}/settings").status_code == 403
    for what in ("change", "schedule", "remove"):
        assert post(reader, f"/projects/{mine}/{what}", **FORM).status_code == 403
    assert f"/projects/{mine}/settings" not in reader.get(f"/projects/{mine}").get_data(as_text=True)
