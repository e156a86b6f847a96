from __future__ import annotations

import csv
from typing import Any

import pytest

from tests.read.world import World


@pytest.fixture
def agency(world: World) -> World:
    """Two projects and two people over three days."""
    one, two = world.project("One"), world.project("Two")
    gone = world.project("Gone", removed_at=world.service.time.now)
    laid: list[tuple[str, str, dict[str, Any], list[int]]] = [
        (one, "a", {"owner": "Ann", "platform": "x", "topic": "food"}, [100, 110, 130]),
        (two, "b", {"owner": "Ann", "platform": "youtube"}, [1_000, 1_000, 900]),
        (two, "c", {"owner": "Bob", "platform": "x"}, [5, 6, 7]),
        (gone, "d", {"owner": "Ann", "platform": "x"}, [10**6, 10**6, 10**6]),
    ]
    for project, name, values, views in laid:
        world.every_day(world.account(project, name, views=views[-1], **values), "02-28", views)
    return world


def told(body: Any) -> list[tuple[Any, ...]]:
    return [
        (group["key"], group["profiles"], group["views"], group["growth"] and group["growth"]["views"])
        for group in body["groups"]
    ]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({"group_by": "owner"}, [("Ann", 2, 1_030, -70), ("Bob", 1, 7, 2)], id="owner"),
        pytest.param({"group_by": "platform"}, [("youtube", 1, 900, -100), ("x", 2, 137, 32)], id="platform"),
        pytest.param({"group_by": "topic"}, [(None, 2, 907, -98), ("food", 1, 130, 30)], id="topic"),
        pytest.param({}, [("two", 2, 907, -98), ("one", 1, 130, 30)], id="project"),
        pytest.param({"group_by": "owner", "platform": "X"}, [("Ann", 1, 130, 30), ("Bob", 1, 7, 2)], id="filtered"),
        pytest.param({"project_id": "one"}, [("one", 1, 130, 30)], id="one project"),
        pytest.param({"end_date": "2026-03-01"}, [("two", 2, 1_006, 1), ("one", 1, 110, 10)], id="up to a day"),
    ],
)
def test_totals_of_all_projects_by_group_over_days(
    agency: World, asked: dict[str, str], expected: list[tuple[Any, ...]]
) -> None:
    assert told(agency.json("/api/totals", start_date="2026-02-28", **asked)) == expected


@pytest.mark.parametrize("asked", [{}, {"owner": "@ANN"}])
def test_a_person_spelled_in_two_ways_is_one_group(world: World, asked: dict[str, str]) -> None:
    project = world.project()
    for name, owner in (("a", "ann"), ("b", "Ann"), ("c", "Ann")):
        world.every_day(world.account(project, name, owner=owner, views=1), "02-28", [1, 1, 1])

    body = world.json("/api/totals", group_by="owner", start_date="2026-02-28", **asked)

    assert told(body) == [("Ann", 3, 3, 0)]
    assert body["groups"][0]["name"] == "Ann"


def test_ids_of_projects_are_told_apart_by_their_capitals(world: World) -> None:
    for project in (world.project("One", id="one"), world.project("Two", id="ONE")):
        world.every_day(world.account(project, "ann", views=1), "02-28", [1, 1, 1])

    body = world.json("/api/totals", start_date="2026-02-28")

    assert {group["key"] for group in body["groups"]} == {"one", "ONE"}


def test_everything_together_and_the_names_of_projects(agency: World) -> None:
    body = agency.json("/api/totals", start_date="2026-02-28")

    assert (body["total"]["profiles"], body["total"]["views"], body["growth"]["views"]) == (3, 1_037, -68)
    assert (body["growth"]["from"], body["growth"]["to"]) == ("2026-02-28", "2026-03-02")
    assert ([group["name"] for group in body["groups"]], body["group_count"]) == (["Two", "One"], 2)


def test_without_a_baseline_there_is_no_growth(agency: World) -> None:
    body = agency.json("/api/totals", start_date="2026-02-20", group_by="owner")

    assert told(body)[0] == ("Ann", 2, 1_030, None)
    assert (body["growth"]["views"], body["growth"]["joined"]["views"]) == (None, 1_037)


def test_an_account_counts_until_the_day_before_it_was_removed(world: World) -> None:
    project = world.project()
    ann = world.account(project, "ann", removed_at=world.service.time.now.replace(day=1))
    world.every_day(ann, "02-26", [10, 20, 30, 40])

    before = world.json("/api/totals", start_date="2026-02-26", end_date="2026-02-28")
    after = world.json("/api/totals", start_date="2026-02-26", end_date="2026-03-01")

    assert told(before) == [(project, 1, 30, 20)]
    assert (told(after), after["total"]["profiles"]) == ([(project, 0, None, None)], 0)
    assert (after["growth"]["views"], after["growth"]["left"]["views"]) == (None, -10)


def test_totals_take_two_statements(agency: World) -> None:
    with agency.counted() as statements:
        agency.json("/api/totals", group_by="owner")

    assert len(statements) == 2


def test_groups_can_be_had_as_a_table(agency: World) -> None:
    answer = agency.get("/api/totals", group_by="owner", start_date="2026-02-28", format="csv", fields="key,views")

    assert answer.data.decode("utf-8-sig").splitlines() == ["key,views", "Ann,1030", "Bob,7"]


def test_what_joined_and_left_a_group_are_columns_of_its_table(agency: World) -> None:
    answer = agency.get("/api/totals.csv", group_by="owner", start_date="2026-02-20", fields="key,growth")

    first, *_ = csv.DictReader(answer.data.decode("utf-8-sig").splitlines())
    assert list(first)[:3] == ["key", "growth_from", "growth_to"]
    assert list(first)[-2:] == ["growth_left_videos", "growth_left_views"]
    assert (first["growth_views"], first["growth_joined_views"], first["growth_left_views"]) == ("", "1030", "0")


@pytest.mark.parametrize(
    ("asked", "status", "field"),
    [
        ({"group_by": "color"}, 422, "group_by"),
        ({"project_id": "none"}, 404, None),
        ({"start_date": "2026-03-05", "end_date": "2026-03-01"}, 422, "start_date"),
    ],
)
def test_bad_questions_of_totals_are_refused(
    world: World, asked: dict[str, str], status: int, field: str | None
) -> None:
    answer = world.get("/api/totals", **asked)

    assert (answer.status_code, answer.json.get("field")) == (status, field)


def test_no_projects_come_to_nothing(world: World) -> None:
    body = world.json("/api/totals")

    assert (body["groups"], body["total"]["profiles"], body["growth"]["views"]) == ([], 0, None)
