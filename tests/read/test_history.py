from __future__ import annotations

from typing import Any

import pytest

from tests.read.world import World, day
from webapp.store.standing import _cells, _ranged, _recent, _standing, cells
from webapp.store.statement import Query


def days(body: Any, name: str = "snapshots") -> list[str]:
    return [one["date"][5:] for one in body[name]]


def test_snapshots_are_listed_oldest_first_with_their_time(world: World) -> None:
    ann = world.account(world.project(), "ann")
    world.snapshots(ann, {"02-27": {"views": 1, "followers": 9}, "03-01": 2}, at="23:59:59.000001")

    body = world.json(f"/api/accounts/{ann}/snapshots")

    assert body["snapshots"][0] == {
        "date": "2026-02-27",
        "snapshot_time": "2026-02-27T23:59:59.000001Z",
        "followers": 9,
        "likes": None,
        "comments": None,
        "videos": None,
        "views": 1,
    }
    assert (days(body), body["start_date"], body["end_date"]) == (["02-27", "03-01"], "2026-02-01", "2026-03-02")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({}, ["02-01", "03-01", "03-02"], id="thirty days"),
        pytest.param({"limit": 2}, ["03-01", "03-02"], id="the newest"),
        pytest.param({"limit": 4}, ["01-05", "02-01", "03-01", "03-02"], id="the newest, from far back"),
        pytest.param({"end_date": "2026-02-28", "limit": 1}, ["02-01"], id="the newest up to a day"),
        pytest.param({"start_date": "2026-01-01", "end_date": "2026-02-28"}, ["01-05", "02-01"], id="between days"),
        pytest.param({"start_date": "2026-01-01", "limit": 1}, ["03-02"], id="from a day, limited"),
        pytest.param({"start_date": "2026-03-05"}, [], id="ahead"),
    ],
)
def test_the_days_of_snapshots_can_be_chosen(world: World, asked: dict[str, Any], expected: list[str]) -> None:
    ann = world.account(world.project(), "ann")
    world.snapshots(ann, {"01-05": 1, "02-01": 2, "03-01": 3, "03-02": 4})

    assert days(world.json(f"/api/accounts/{ann}/snapshots", **asked)) == expected


def test_daily_stats_have_start_end_and_growth_of_every_metric(world: World) -> None:
    ann = world.account(world.project(), "ann")
    world.snapshots(
        ann, {"02-20": {"views": 100, "likes": 5}, "02-28": {"views": 90}, "03-02": {"views": 95, "likes": 4}}
    )

    body = world.json(f"/api/accounts/{ann}/daily-stats", start_date="2026-02-28")

    assert days(body, "daily_stats") == ["02-28", "03-01", "03-02"]
    first, gap, last = body["daily_stats"]
    assert (first["views"], first["since"]) == ({"start": 100, "end": 90, "growth": -10}, "2026-02-20")
    assert first["likes"] == {"start": 5, "end": 5, "growth": 0}  # carried
    assert (gap["carried"], gap["views"]) == (True, {"start": 90, "end": 90, "growth": 0})
    assert (last["carried"], last["views"]["growth"], last["since"]) == (False, 5, "2026-02-28")


def test_gaps_name_the_days_and_on_request_the_accounts(world: World) -> None:
    project = world.project()
    ann, bob, gone, ban = (
        world.account(project, "ann"),
        world.account(project, "bob"),
        world.account(project, "gone", removed_at=world.service.time.now.replace(day=1)),
        world.account(project, "ban", mode="off"),
    )
    world.snapshots(ann, {"02-26": 1, "03-01": 2})
    world.snapshots(bob, {"02-26": 1, "02-27": 2, "03-01": 3})
    world.snapshots(gone, {"02-26": 1, "02-27": 1})
    world.snapshots(ban, {"02-26": 1})
    path = f"/api/projects/{project}/gaps"

    short, full = world.json(path), world.json(path, per_account="true")
    one = world.json(path, account_id=bob, start_date="2026-02-28")

    assert short["gaps"] == [
        {"date": "2026-02-27", "accounts": 3, "missing": 1},
        {"date": "2026-02-28", "accounts": 3, "missing": 3},
    ]
    assert ("accounts" in short, short["end_date"]) == (False, "2026-03-01")
    assert [(found["username"], found["dates"]) for found in full["accounts"]] == [
        ("ann", ["2026-02-27", "2026-02-28"]),
        ("bob", ["2026-02-28"]),
        ("gone", ["2026-02-28"]),
    ]
    assert one["gaps"] == [{"date": "2026-02-28", "accounts": 1, "missing": 1}]


def test_days_that_are_kept_by_the_week_are_no_gaps(world: World) -> None:
    project = world.project(weekly_until=day("02-26"))
    world.snapshots(world.account(project, "ann"), {"02-22": 1, "02-26": 1, "03-01": 2})

    found = world.json(f"/api/projects/{project}/gaps")["gaps"]

    assert [gap["date"] for gap in found] == ["2026-02-27", "2026-02-28"]


def test_gaps_of_an_account_of_another_project_are_not_found(world: World) -> None:
    project, stranger = world.project(), world.account(world.project("Other"), "ann")

    answer = world.get(f"/api/projects/{project}/gaps", account_id=stranger)

    assert (answer.status_code, answer.json["code"]) == (404, "account_not_found")


@pytest.mark.parametrize(("asked", "code"), [({"account_id": "0"}, 422), ({"account_id": str(2**63)}, 422)])
def test_gaps_of_an_impossible_account_are_refused(sqlite_world: World, asked: dict[str, str], code: int) -> None:
    assert sqlite_world.get(f"/api/projects/{sqlite_world.project()}/gaps", **asked).status_code == code


def test_a_day_that_is_not_over_is_no_gap(world: World) -> None:
    project = world.project()
    world.snapshots(world.account(project, "ann"), {"03-01": 1})

    assert world.json(f"/api/projects/{project}/gaps")["gaps"] == []
    assert world.json(f"/api/projects/{project}/gaps", start_date="2026-03-02")["gaps"] == []


@pytest.mark.parametrize("path", ["snapshots", "daily-stats"])
def test_histories_can_be_had_as_tables(sqlite_world: World, path: str) -> None:
    ann = sqlite_world.account(sqlite_world.project(), "ann")
    sqlite_world.snapshots(ann, {"03-02": {"views": 5}})

    answer = sqlite_world.get(f"/api/accounts/{ann}/{path}", format="csv", fields="date,views")

    wide = {"snapshots": ["date,views", "2026-03-02,5"], "daily-stats": ["date,views_start,views_end,views_growth"]}
    assert answer.data.decode("utf-8-sig").splitlines()[: len(wide[path])] == wide[path]


QUESTIONS = {
    "cells of a project": _cells("project", times=False),
    "cells of an account": _cells("account", times=True),
    "standing of a project": _standing("project"),
    "standing of an account": _standing("account"),
    "growth of a project": _recent("project", 1),
    "growth of all": _recent("all", 7),
    "ranges of all": _ranged("all"),
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_snapshots_are_asked_for_by_day_and_never_all_read(sqlite_world: World, question: Query) -> None:
    known = {"scope": 1, "first_day": "2026-01-01", "last_day": "2026-03-01", "up_to": "2026-03-01"}
    known |= {"first": "2026-01-01", "last": "2026-03-01", "first_end": "2026-01-02", "last_end": "2026-03-02"}
    sql, values = question.text("sqlite", **known)

    with sqlite_world.service.db.read() as tx:
        plan = [row[-1] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]

    assert [step for step in plan if step.startswith("SCAN") and "snapshots" in step] == []
    assert [
        step for step in plan if step.startswith(("SEARCH", "SCAN")) and "_days" in step and "AUTOMATIC" in step
    ] == []


def test_the_days_of_cells_come_in_order_on_both_databases(world: World) -> None:
    project = world.project()
    for name in ("zoe", "ann", "mia"):
        world.every_day(world.account(project, name), "02-01", list(range(28)))

    with world.service.db.read() as tx:
        found = [str(cell[0]) for cell in cells(tx, "project", project, day("01-30"), day("03-02"))]

    assert len(found) == 3 * 28
    assert found == sorted(found)


def test_an_account_in_an_old_database_is_not_looked_for_in_years_before_it(sqlite_world: World) -> None:
    old, young = sqlite_world.project("Old"), sqlite_world.project("Young")
    sqlite_world.every_day(sqlite_world.account(old, "ann"), "01-01", list(range(60)))
    new = [sqlite_world.account(young, f"a{number}", views=1) for number in range(3)]
    sqlite_world.every_day(new[0], "03-01", [1, 2])

    with sqlite_world.service.db.read() as tx:
        sql = _standing("project")._of("sqlite").sql
        (head, _, tail) = sql.rpartition("SELECT accounts.id, last.day")
        visited = tx.exec_driver_sql(
            head + "SELECT count(*) FROM last_look", ("young", "young", "2026-02-20", "young")
        ).scalar_one()

    assert tail
    assert visited == 3
