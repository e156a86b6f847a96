from __future__ import annotations

import csv
from typing import Any

import pytest

from tests.fakes.service import TOKEN, Service
from tests.read.world import World
from webapp.access import COOKIE, Sessions
from webapp.model import METRICS


def test_the_list_carries_totals_growth_and_freshness_of_every_project(world: World) -> None:
    one, two = world.project("One", target_views=200), world.project("two")
    world.every_day(world.account(one, "ann", views=150, followers=3), "03-01", [100, 150])
    world.every_day(world.account(one, "bob", views=50), "03-01", [20, 50])
    world.account(two, "cid", removed_at=world.service.time.now, views=9)

    first, second = world.json("/api/projects")["projects"]

    assert (first["name"], first["total_profiles"], first["total_views"], first["total_followers"]) == (
        "One",
        2,
        200,
        3,
    )
    assert (first["progress_percent"], first["growth_24h"]["views"]) == (100.0, 80)
    assert (first["growth_24h"]["from"], first["growth_24h"]["to"]) == (
        "2026-03-01T10:00:00.000000Z",
        "2026-03-02T10:00:00.000000Z",
    )
    assert (first["synced_at"], first["stale"]) == ("2026-03-02T10:00:00.000000Z", False)
    assert (second["total_profiles"], second["total_views"], second["growth_24h"]["views"]) == (0, None, None)
    assert world.json(f"/api/projects/{one}") == first


def test_each_project_grows_up_to_its_own_last_sync(world: World) -> None:
    fresh = world.project("Fresh")
    old = world.project("Old", synced_at=world.service.time.now.replace(month=1), changed_at=None)
    world.every_day(world.account(fresh, "ann", views=9), "02-28", [1, 4, 9])
    world.every_day(world.account(old, "bob", views=70), "01-01", [10, 70])

    grown = {one["id"]: one["growth_24h"] for one in world.json("/api/projects")["projects"]}

    assert (grown["fresh"]["views"], grown["old"]["views"], grown["old"]["to"][:10]) == (5, 60, "2026-01-02")


def test_a_project_without_accounts_grows_as_its_analytics_say(world: World) -> None:
    world.project("Synced")
    world.project("New", synced_at=None, checked_at=None, changed_at=None)

    for one in world.json("/api/projects")["projects"]:
        body = world.json(f"/api/projects/{one['id']}/analytics")

        assert (one["growth_24h"] is None) == (one["name"] == "New")
        assert [one[name] for name in ("growth_24h", "growth_7d")] == [body["growth_24h"], body["growth_7d"]]


@pytest.mark.parametrize("projects", [1, 30])
def test_a_home_page_is_one_request_and_three_statements(world: World, projects: int) -> None:
    for number in range(projects):
        world.crowd(world.project(f"p{number}"), 3, "03-01", [1, 2])

    with world.counted() as statements:
        body = world.json("/api/projects")

    assert [one["total_views"] for one in body["projects"]] == [6] * projects
    assert len(statements) == 3


def test_the_home_page_names_a_program_that_has_stopped_and_its_project_alone(service: Service, world: World) -> None:
    for name in ("ann", "ben"):
        world.account(world.project(f"Of {name}"), name)
        service.reading(f"x.com/{name}", views=5, origin=f"reader of {name}")
    service.time.forward(days=3)
    service.reading("x.com/ben", views=6, origin="reader of ben")
    visitor = service.app.test_client()
    visitor.set_cookie(COOKIE, service.app.extensions["smart_sync"][Sessions].open(TOKEN) or "")

    texts = [visitor.get("/").text for _ in range(2)]

    assert [("reader of ann" in text, "reader of ben" in text) for text in texts] == [(True, False)] * 2


@pytest.mark.parametrize(
    ("values", "hours", "stale"),
    [
        pytest.param({}, 0, False, id="just synced"),
        pytest.param({}, 2, True, id="long ago"),
        pytest.param({"synced_at": None}, 0, True, id="never"),
        pytest.param({"interval_minutes": 180}, 2, False, id="synced seldom"),
        pytest.param({"status": "paused"}, 2, True, id="paused"),
        pytest.param({"status": "finished"}, 2, False, id="finished"),
    ],
)
def test_stale_is_what_is_too_old_to_trust(
    sqlite_world: World, values: dict[str, Any], hours: int, stale: bool
) -> None:
    project = sqlite_world.project(**values)
    sqlite_world.service.time.forward(hours=hours)

    assert sqlite_world.json(f"/api/projects/{project}")["stale"] is stale
    assert sqlite_world.json("/api/projects")["projects"][0]["stale"] is stale


def test_freshness_changes_the_tag_although_no_number_has_changed(service: Service, world: World) -> None:
    project = world.project()
    first = world.get(f"/api/projects/{project}")
    unchanged = world.get(f"/api/projects/{project}", headers={"If-None-Match": first.headers["ETag"]})
    service.time.forward(hours=5)

    late = world.get(f"/api/projects/{project}", headers={"If-None-Match": first.headers["ETag"]})

    assert (unchanged.status_code, late.status_code, late.json["stale"]) == (304, 200, True)


def test_projects_can_be_had_as_a_table(sqlite_world: World) -> None:
    sqlite_world.account(sqlite_world.project("=A"), "ann", views=4)

    answer = sqlite_world.get("/api/projects", format="csv", fields="name,total_views")

    assert answer.data.decode("utf-8-sig").splitlines() == ["name,total_views", "'=A,4"]


def test_a_table_of_projects_has_a_column_for_every_number(sqlite_world: World) -> None:
    project = sqlite_world.project()
    sqlite_world.every_day(sqlite_world.account(project, "ann", views=120), "02-28", [100, 110, 120])
    sqlite_world.account(project, "bob", views=5)
    body = sqlite_world.json("/api/projects")["projects"][0]

    answer = sqlite_world.get("/api/projects.csv", fields="growth_7d,name,growth_24h")

    header, line = csv.reader(answer.data.decode("utf-8-sig").splitlines())
    growth = ["from", "to", *METRICS, *(f"{part}_{metric}" for part in ("joined", "left") for metric in METRICS)]
    assert header == [*(f"growth_7d_{one}" for one in growth), "name", *(f"growth_24h_{one}" for one in growth)]
    cells = dict(zip(header, line, strict=True))
    assert cells["growth_24h_joined_views"] == str(body["growth_24h"]["joined"]["views"])
    assert cells["growth_24h_left_views"] == str(body["growth_24h"]["left"]["views"])
    assert (cells["growth_7d_joined_followers"], body["growth_7d"]["joined"]["followers"]) == ("", None)


def test_projects_are_listed_by_name_in_any_script(world: World) -> None:
    for name in ("zebra", "Émile", "apple", "Яна", "Banana"):
        world.project(name)

    assert [one["name"] for one in world.json("/api/projects")["projects"]] == [
        "apple",
        "Banana",
        "zebra",
        "Émile",
        "Яна",
    ]
