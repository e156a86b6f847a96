from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.service import ADMIN, Service
from tests.read.world import World
from webapp.model import METRICS

NOTHING = dict.fromkeys(METRICS)
NOW = "2026-03-02T10:00:00.000000Z"


def told(body: Any, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(one[name] for name in names) for one in body["history"]]


def told_of(body: Any, *names: str) -> list[tuple[Any, ...]]:
    """Views of these parts of each day."""
    return [tuple(one[name]["views"] for name in names) for one in body["history"]]


def test_totals_groups_and_profiles_are_the_current_counts(world: World) -> None:
    project = world.project(target_views=400)
    world.account(project, "ann", owner="Ann", topic="food", platform="youtube", views=100, followers=7, videos=2)
    world.account(project, "bob", owner="Ann", topic="games", platform="x", views=250)
    world.account(project, "cid", platform="x")

    body = world.json(f"/api/projects/{project}/analytics")

    assert (body["total_profiles"], body["total_views"], body["total_videos"], body["total_likes"]) == (3, 350, 2, None)
    assert (body["target_views"], body["progress_percent"], body["progress_capped"]) == (400, 87.5, 87.5)
    assert {name: (group["profiles"], group["views"]) for name, group in body["platform_stats"].items()} == {
        "x": (2, 250),
        "youtube": (1, 100),
    }
    assert {name: group["views"] for name, group in body["topic_stats"].items()} == {
        "games": 250,
        "food": 100,
        "": None,
    }
    assert {name: group["views"] for name, group in body["users_stats"].items()} == {"Ann": 350, "": None}
    assert [profile["username"] for profile in body["profiles"]] == ["bob", "ann", "cid"]
    assert (body["growth_24h"]["views"], body["growth"], body["history"], body["as_of"]) == (None, None, [], NOW)


@pytest.mark.parametrize(
    ("views", "target", "expected"),
    [
        pytest.param(9_494, 100, (9494.0, 100.0), id="raw and capped"),
        pytest.param(1, 3, (33.33, 33.33), id="two places"),
        pytest.param(5, 0, (None, None), id="no target of nothing"),
        pytest.param(5, None, (None, None), id="no target"),
        pytest.param(None, 10, (None, None), id="nothing observed"),
        pytest.param(0, 10, (0.0, 0.0), id="a real zero"),
        pytest.param(2**63 - 1, 1, (922337203685477580700.0, 100.0), id="huge"),
    ],
)
def test_progress_is_percent_of_the_target(
    sqlite_world: World, views: int | None, target: int | None, expected: tuple[float | None, float | None]
) -> None:
    project = sqlite_world.project(target_views=target)
    sqlite_world.account(project, "ann", views=views)

    body = sqlite_world.json(f"/api/projects/{project}/analytics")

    assert (body["progress_percent"], body["progress_capped"]) == expected


def test_a_day_on_which_some_metric_grew_was_observed_though_others_were_not(world: World) -> None:
    project = world.project()
    ann = world.account(project, "ann", followers=5, views=15)
    world.snapshots(ann, {"02-27": {"followers": 5, "views": 10}, "02-28": {"views": 12}, "03-02": {"views": 15}})

    body = world.json(f"/api/projects/{project}/analytics")

    assert told(body, "date", "views", "delta", "since", "carried") == [
        ("2026-02-27", 10, 10, None, False),
        ("2026-02-28", 12, 2, "2026-02-27", True),
        ("2026-03-01", 12, 0, "2026-02-28", True),
        ("2026-03-02", 15, 3, "2026-02-28", True),
    ]


def test_history_of_real_syncs_has_a_golden_number_for_every_kind_of_day(service: Service, world: World) -> None:
    ann, bob = ["x.com/ann", None, None, None, None, 1_000], ["x.com/bob", None, None, None, None, 500]
    service.sheet.rows("Project A", ann, bob)
    service.sync()  # 2 March, the first day
    service.time.forward(days=1)
    ann[5], bob[5] = 1_100, 450  # 3 March: one grows, one falls
    service.sheet.rows("Project A", ann, bob)
    service.sync()
    service.time.forward(days=10)
    ann[5] = 2_100  # 13 March, after nine days without a sync
    service.sheet.rows("Project A", ann, bob)
    service.sync()
    service.time.forward(days=1)
    service.sheet.rows("Project A", ann)  # 14 March: bob's row is deleted
    service.sync()
    project = service.project()["id"]

    body = world.json(f"/api/projects/{project}/analytics")

    assert told(body, "date", "views", "delta", "since", "accounts", "carried")[:3] == [
        ("2026-03-02", 1_500, 1_500, None, 2, False),
        ("2026-03-03", 1_550, 50, "2026-03-02", 2, False),
        ("2026-03-04", 1_550, 0, "2026-03-03", 2, True),
    ]
    assert told(body, "date", "views", "delta", "since", "accounts", "carried")[-3:] == [
        ("2026-03-12", 1_550, 0, "2026-03-03", 2, True),
        ("2026-03-13", 2_550, 1_000, "2026-03-03", 2, False),
        ("2026-03-14", 2_100, -450, "2026-03-13", 1, False),
    ]
    assert told_of(body, "growth", "joined", "left")[0] == (None, 1_500, 0)
    assert told_of(body, "growth", "joined", "left")[-2:] == [(1_000, 0, 0), (0, 0, -450)]
    assert (body["growth_24h"]["views"], body["growth_24h"]["left"]["views"]) == (0, -450)
    assert (body["growth"]["from"], body["growth"]["to"], body["growth"]["views"]) == (
        "2026-03-02",
        "2026-03-14",
        1_100,
    )
    assert (body["growth"]["joined"]["views"], body["growth"]["left"]["views"]) == (0, -500)


def test_a_run_before_and_one_after_midnight_belong_to_two_days(service: Service, world: World) -> None:
    service.time.now = service.time.now.replace(hour=23, minute=59, second=30)
    service.sheet.rows("Project A", ["x.com/ann", None, None, None, None, 100])
    service.sync()
    service.time.forward(minutes=1)
    service.sheet.rows("Project A", ["x.com/ann", None, None, None, None, 160])
    service.sync()

    body = world.json(f"/api/projects/{service.project()['id']}/analytics")

    assert told(body, "date", "views", "delta") == [("2026-03-02", 100, 100), ("2026-03-03", 160, 60)]
    assert (body["growth_24h"]["views"], body["growth_24h"]["joined"]["views"]) == (None, 160)


def test_a_late_correction_of_a_past_day_moves_that_day_and_the_next(service: Service, world: World) -> None:
    project = world.project(synced_at=service.time.now, id="late")
    ann = world.account(project, "ann", views=130)
    world.every_day(ann, "02-26", [100, 1_100, 120, 125, 130])
    before = world.json(f"/api/projects/{project}/analytics", start_date="2026-02-26", end_date="2026-03-01")
    put = f"/api/admin/accounts/{ann}/snapshots/2026-02-27"

    answer = service.client.put(put, json={"views": 110}, headers=ADMIN)

    assert answer.status_code == 200, answer.text
    after = world.json(f"/api/projects/{project}/analytics", start_date="2026-02-26", end_date="2026-03-01")
    assert told(before, "views", "delta") == [(100, 100), (1_100, 1_000), (120, -980), (125, 5)]
    assert told(after, "views", "delta") == [(100, 100), (110, 10), (120, 10), (125, 5)]


def test_growth_of_24_hours_is_interpolated_and_says_from_when_to_when(world: World) -> None:
    project = world.project()
    ann = world.account(project, "ann", views=1_000)
    bob = world.account(project, "bob", views=5_000)
    world.snapshots(ann, {"02-28": 700, "03-02": 1_000}, at="10:00")
    world.snapshots(bob, {"03-02": 5_000}, at="10:00")

    body = world.json(f"/api/projects/{project}/analytics")

    assert body["growth_24h"] == {
        "from": "2026-03-01T10:00:00.000000Z",
        "to": NOW,
        "followers": None,
        "likes": None,
        "comments": None,
        "videos": None,
        "views": 150,
        "joined": NOTHING | {"views": 5_000},
        "left": NOTHING | {"views": 0},
    }
    assert [profile["growth_24h"]["views"] for profile in body["profiles"]] == [None, 150]


@pytest.mark.parametrize("likes", [None, 7])
def test_growth_over_days_on_which_a_metric_was_not_seen_is_the_same_whatever_else_was(
    service: Service, world: World, likes: int | None
) -> None:
    typed: list[int | str] = [50_000, 51_000, 52_000, "#REF!", "#REF!", 55_000]
    for days, views in enumerate(typed):
        service.sheet.rows("Project A", ["https://x.com/ann", None, likes, None, None, views])
        service.sync()
        service.time.forward(days=1 if days < 5 else 0)

    found = world.json(f"/api/projects/{service.project()['id']}/analytics")

    assert (found["growth_24h"]["views"], found["history"][-1]["growth"]["views"]) == (1_000, 3_000)


def test_a_value_typed_while_the_sheet_is_out_of_reach_moves_the_moment_of_the_numbers(world: World) -> None:
    project = world.project(changed_at=world.service.time.now.replace(hour=16))
    ann = world.account(project, "ann", views=200)
    world.snapshots(ann, {"03-01": 100}, at="16:00")

    body = world.json(f"/api/projects/{project}/analytics")

    assert (body["as_of"], body["growth_24h"]["views"]) == ("2026-03-02T16:00:00.000000Z", 100)


def test_a_project_that_was_never_synced_has_totals_and_no_growth(world: World) -> None:
    project = world.project(synced_at=None, changed_at=None, checked_at=None)
    world.account(project, "ann", views=5)

    body = world.json(f"/api/projects/{project}/analytics")

    assert (body["as_of"], body["growth_24h"], body["total_views"]) == (None, None, 5)


def test_a_project_without_accounts_answers_nothing_known(world: World) -> None:
    body = world.json(f"/api/projects/{world.project()}/analytics")

    assert (body["total_profiles"], body["total_views"], body["history"], body["profiles"]) == (0, None, [], [])
    assert body["platform_stats"] == {}


def test_filters_narrow_everything_but_the_progress_of_the_project(world: World) -> None:
    project = world.project(target_views=1_000)
    ann = world.account(project, "ann", owner="Ann", platform="youtube", views=100)
    bob = world.account(project, "bob", owner="Bob", platform="x", views=400)
    world.every_day(ann, "03-01", [90, 100])
    world.every_day(bob, "03-01", [350, 400])

    for asked in ({"platform": "YouTube"}, {"owner": "@ann"}):
        body = world.json(f"/api/projects/{project}/analytics", **asked)

        assert (body["total_views"], list(body["platform_stats"]), body["progress_percent"]) == (100, ["youtube"], 50.0)
        assert told(body, "views", "delta", "accounts") == [(90, 90, 1), (100, 10, 1)]
        assert body["growth_24h"]["views"] == 10


def test_the_last_thirty_days_are_the_default_and_other_days_may_be_asked_for(world: World) -> None:
    project = world.project()
    world.every_day(world.account(project, "ann", views=1), "01-01", list(range(61)))
    path = f"/api/projects/{project}/analytics"

    default = world.json(path)
    chosen = world.json(path, start_date="2026-01-10", end_date="2026-01-12")
    ahead = world.json(path, start_date="2026-03-01", end_date="2026-12-31")

    assert told(default, "date")[0] == ("2026-02-01",)
    assert len(default["history"]) == 30
    assert told(chosen, "date", "delta") == [("2026-01-10", 1), ("2026-01-11", 1), ("2026-01-12", 1)]
    assert (ahead["end_date"], told(ahead, "date")) == ("2026-03-02", [("2026-03-01",), ("2026-03-02",)])


def test_days_that_are_all_ahead_have_no_history(world: World) -> None:
    project = world.project()
    world.every_day(world.account(project, "ann"), "03-01", [1, 2])

    assert world.json(f"/api/projects/{project}/analytics", start_date="2027-01-01")["history"] == []


def test_an_account_whose_last_snapshot_is_years_old_still_stands(world: World) -> None:
    project = world.project()
    old, other = world.account(project, "old", views=70), world.account(world.project("Elsewhere"), "other")
    world.snapshots(old, {"01-02": 70})
    world.every_day(other, "01-01", list(range(55)))

    body = world.json(f"/api/projects/{project}/analytics", start_date="2026-02-28", end_date="2026-03-01")

    assert told(body, "views", "carried_accounts", "delta") == [(70, 1, 0), (70, 1, 0)]


def test_an_account_that_is_off_counts_nowhere(world: World) -> None:
    project = world.project()
    ann, ban = world.account(project, "ann", views=6), world.account(project, "ban", mode="off", views=100)
    world.every_day(ann, "03-01", [5, 6])
    world.snapshots(ban, {"03-01": 100})

    body = world.json(f"/api/projects/{project}/analytics")

    assert (body["total_profiles"], body["total_views"], list(body["platform_stats"])) == (1, 6, ["x"])
    assert told(body, "views", "carried") == [(5, False), (6, False)]


def test_sums_beyond_64_bits_are_exact(world: World) -> None:
    project, most = world.project(), 2**63 - 1
    for name in ("a", "b", "c"):
        world.every_day(world.account(project, name, views=most), "03-02", [most])

    body = world.json(f"/api/projects/{project}/analytics")

    assert (body["total_views"], body["history"][0]["views"]) == (3 * most, 3 * most)


def test_the_list_of_profiles_is_bounded(world: World) -> None:
    project = world.project()
    world.crowd(project, 101, "03-01", [7])
    world.account(project, "last", views=2)

    body = world.json(f"/api/projects/{project}/analytics")

    assert (body["total_profiles"], len(body["profiles"]), body["profiles"][-1]["views"]) == (102, 100, 7)


def test_the_history_can_be_had_as_a_table(sqlite_world: World) -> None:
    project = sqlite_world.project()
    sqlite_world.every_day(sqlite_world.account(project, "ann"), "03-01", [100, 90])

    answer = sqlite_world.get(
        f"/api/projects/{project}/analytics", format="csv", fields="date,views,delta,growth", start_date="2026-03-01"
    )

    assert answer.data.decode("utf-8-sig").splitlines() == [
        "date,views,delta,growth_followers,growth_likes,growth_comments,growth_videos,growth_views",
        "2026-03-01,100,100,,,,,",
        "2026-03-02,90,-10,,,,,-10",
    ]


def test_more_than_can_be_gone_through_is_refused(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.api.http.asking.CELLS", 60)
    project = sqlite_world.project()
    for name in ("a", "b", "c"):
        sqlite_world.account(project, name, topic="food" if name == "a" else None)

    assert sqlite_world.get(f"/api/projects/{project}/analytics").status_code == 200  # the whole is kept by day
    answer = sqlite_world.get(f"/api/projects/{project}/analytics", topic="food")

    assert (answer.status_code, answer.json["code"], answer.json["field"]) == (422, "invalid_parameter", "start_date")
    assert "20 days" in answer.json["detail"]


@pytest.mark.parametrize(("accounts", "days"), [(1, 1), (100, 90)])
def test_analytics_takes_at_most_nine_statements_however_many_accounts(world: World, accounts: int, days: int) -> None:
    project = world.project()
    world.crowd(project, accounts, "01-01", list(range(min(days, 60))))

    with world.counted() as statements:
        body = world.json(f"/api/projects/{project}/analytics", start_date="2025-12-03", end_date="2026-03-02")

    assert body["total_profiles"] == accounts
    assert len(statements) <= 9


def test_groups_are_told_apart_as_they_are_asked_for(world: World) -> None:
    project = world.project()
    world.account(project, "a", owner="Ann", topic="Food", views=100)
    world.account(project, "b", owner="ann", topic="food", views=50)
    world.account(project, "c", owner="ann", views=1)

    body = world.json(f"/api/projects/{project}/analytics")
    asked = world.json(f"/api/projects/{project}/analytics", owner="@ANN", topic="FOOD")

    assert {name: group["views"] for name, group in body["users_stats"].items()} == {"ann": 151}
    assert {name: group["views"] for name, group in body["topic_stats"].items()} == {"Food": 150, "": 1}
    assert asked["total_views"] == asked["topic_stats"]["Food"]["views"] == 150
