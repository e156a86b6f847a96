"""Accounts whose rows come, go and return; and tabs that lose more than anybody would delete on purpose."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.service import TIMES, Service
from tests.fakes.sheet import FakeSheet

pytestmark = pytest.mark.shortcuts

ANN = "https://x.com/ann"
BEN = "https://x.com/ben"
CID = "https://x.com/cid"
Row = list[str | int | None]


def many(count: int, start: int = 0) -> list[Row]:
    return [[f"https://x.com/user{number}", 100 + number, number] for number in range(start, start + count)]


def test_a_deleted_row_takes_its_account_out_and_keeps_its_history(
    service: Service, sheet: FakeSheet, time: FakeClock
) -> None:
    sheet.rows("Project A", [ANN, 1], [BEN, 2], [CID, 3])
    service.sync()
    time.forward(days=1)

    sheet.rows("Project A", [ANN, 1], [CID, 3])
    result = service.sync()["results"][0]

    assert (result["total_accounts"], result["snapshot_count"]) == (2, 2)
    assert service.account(BEN)["removed_at"] is not None
    assert service.history(BEN) == [("2026-03-02", 2)]


def test_an_account_returns_with_its_row_and_its_history(service: Service, sheet: FakeSheet, time: FakeClock) -> None:
    sheet.rows("Project A", [ANN, 1], [BEN, 2], [CID, 3])
    service.sync()
    first = service.account(BEN)["id"]
    sheet.rows("Project A", [ANN, 1], [CID, 3])
    service.sync()
    time.forward(days=1)

    sheet.rows("Project A", [ANN, 1], [BEN, 20], [CID, 3])
    result = service.sync()["results"][0]

    assert (service.account(BEN)["id"], service.account(BEN)["removed_at"]) == (first, None)
    assert (result["updated_count"], result["total_accounts"]) == (1, 3)
    assert service.history(BEN) == [("2026-03-02", 2), ("2026-03-03", 20)]


def test_an_account_that_is_gone_stays_gone_while_the_tab_is_unchanged(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1], [BEN, 2], [CID, 3])
    service.sync()
    sheet.rows("Project A", [ANN, 1], [CID, 3])
    service.sync()

    service.reading(ANN, followers=9)
    result = service.sync()["results"][0]

    assert result["total_accounts"] == 2
    assert service.account(BEN)["removed_at"] is not None


def test_an_account_added_over_the_api_keeps_its_readings_without_a_row(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    service.sync()
    service.add_account(BEN)
    service.reading(BEN, followers=70)
    assert service.sync()["results"][0]["total_accounts"] == 2
    assert service.followers(BEN) == 70

    sheet.rows("Project A", [ANN, 1], [BEN, 90])
    service.sync()
    assert service.followers(BEN) == 90

    sheet.rows("Project A", [ANN, 1])
    service.sync()
    assert (service.followers(BEN), service.account(BEN)["removed_at"]) == (70, None)


def test_an_account_removed_over_the_api_stays_removed(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1], [BEN, 2])
    service.sync()
    service.remove_account(BEN)
    sheet.rows("Project A", [ANN, 1], [BEN, 9])

    for _ in range(2):
        result = service.sync()["results"][0]
        assert (result["total_accounts"], result["skips"]["removed"]) == (1, 1)
    assert (service.followers(BEN), service.account(BEN)["removed_by"]) == (2, "api")


def test_an_account_removed_over_the_api_is_nothing_to_tell_once_its_row_is_gone(
    service: Service, sheet: FakeSheet
) -> None:
    sheet.rows("Project A", [ANN, 1], [BEN, 2])
    service.sync()
    service.remove_account(BEN)
    sheet.rows("Project A", [ANN, 3])

    result = service.sync()["results"][0]

    assert (result["total_accounts"], result["removed_count"], result["problems"]) == (1, 0, [])
    assert "removed" not in result["skips"]
    assert service.account(BEN)["removed_by"] == "api"


def test_a_row_with_another_name_topic_or_owner_describes_its_account_anew(service: Service, sheet: FakeSheet) -> None:
    header = ("Link", "@Username", "Topic", "Status", "Followers")
    sheet.rows("Project A", [ANN, "@Olga", "food", "ok", 1], header=header)
    service.sync()

    sheet.rows("Project A", ["x.com/ANN", "Piotr", "cars", "OLD", 1], header=header)
    result = service.sync()["results"][0]

    ann = service.account(ANN)
    assert (ann["owner"], ann["topic"], ann["status"], ann["profile_url"]) == ("Piotr", "cars", "OLD", "x.com/ANN")
    assert (result["total_accounts"], result["updated_count"]) == (1, 0)


def test_the_same_account_in_two_projects_is_two_accounts(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1])
    sheet.rows("Project B", [ANN, 2])
    service.sync()

    service.reading(ANN, followers=5, likes=6)
    service.sync()

    assert service.rows("SELECT followers, likes FROM accounts") == [{"followers": 5, "likes": 6}] * 2


def test_rows_that_are_no_accounts_are_skipped_and_counted(service: Service, sheet: FakeSheet) -> None:
    sheet.rows(
        "Project A", [ANN, 1], ["TOTAL", 1], ["https://x.com/ann/status/12", 5], [None, 9], [None, None], ["Stars"]
    )

    result = service.sync()["results"][0]

    assert result["total_accounts"] == 1
    assert result["skips"] == {"no_url": 3, "bad_url": 1}
    assert [p["cell"] for p in result["problems"]] == ["Project A!A4", "Project A!A5"]


# Guards


@pytest.mark.parametrize("left", [0, 1, 4])
def test_a_tab_that_lost_most_of_its_rows_changes_nothing(service: Service, sheet: FakeSheet, left: int) -> None:
    sheet.rows("Project A", *many(10))
    service.sync()
    before = service.tables(without=TIMES)

    sheet.rows("Project A", *many(left))
    for _ in range(2):
        result = service.sync()["results"][0]
        assert (result["success"], result["degraded"], result["total_accounts"]) == (False, True, 10)
        assert (result["error_code"], result["error"]) == ("sheet_shrank", result["problems"][0]["message"])
        assert [p["code"] for p in result["problems"]] == ["sheet_shrank"]
    assert service.tables(without=TIMES) == before


def test_a_guarded_tab_makes_no_snapshot_on_a_new_day_but_takes_readings(
    service: Service, sheet: FakeSheet, time: FakeClock
) -> None:
    sheet.rows("Project A", *many(12))
    service.sync()
    time.forward(days=1)
    sheet.rows("Project A", *many(2))

    service.reading("https://x.com/user7", followers=5000)
    result = service.sync()["results"][0]

    assert (result["updated_count"], result["snapshot_count"]) == (1, 1)
    assert service.history("https://x.com/user7")[-1] == ("2026-03-03", 5000)
    assert service.history("https://x.com/user1") == [("2026-03-02", 101)]


def test_force_applies_a_tab_that_shrank(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", *many(10))
    service.sync()
    sheet.rows("Project A", *many(1))
    service.sync()

    result = service.sync(force=True)["results"][0]

    assert (result["degraded"], result["total_accounts"], result["problems"]) == (False, 1, [])
    assert service.sync()["results"][0]["problems"] == []


def test_half_of_the_rows_may_go(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", *many(10))
    service.sync()

    sheet.rows("Project A", *many(5))
    result = service.sync()["results"][0]

    assert (result["degraded"], result["total_accounts"]) == (False, 5)


def test_a_small_tab_may_lose_most_of_its_rows(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", *many(9))
    service.sync()

    sheet.rows("Project A", *many(1))

    assert service.sync()["results"][0]["total_accounts"] == 1


def test_a_small_tab_that_lost_all_its_rows_changes_nothing(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", *many(3))
    service.sync()
    before = service.tables(without=TIMES)

    sheet.rows("Project A")
    result = service.sync()["results"][0]

    assert (result["degraded"], [p["code"] for p in result["problems"]]) == (True, ["sheet_shrank"])
    assert service.tables(without=TIMES) == before


def test_rows_without_numbers_are_guarded_too(service: Service, sheet: FakeSheet) -> None:
    urls: list[Row] = [[f"https://x.com/user{number}"] for number in range(20)]
    sheet.rows("Project A", *urls)
    service.sync()

    sheet.rows("Project A", *urls[:3])
    result = service.sync()["results"][0]

    assert (result["total_accounts"], [p["code"] for p in result["problems"]]) == (20, ["sheet_shrank"])


def test_a_header_without_rows_is_fine_before_there_were_any(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A")

    result = service.sync()["results"][0]

    assert (result["success"], result["degraded"], result["total_accounts"]) == (True, False, 0)


def test_one_column_that_lost_most_of_its_values_changes_nothing(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", *many(10))
    service.sync()
    before = service.tables(without=TIMES)

    sheet.rows(
        "Project A",
        *([url, followers, likes if place < 4 else None] for place, (url, followers, likes) in enumerate(many(10))),
    )
    result = service.sync()["results"][0]

    assert [(p["code"], p["cell"]) for p in result["problems"]] == [("column_shrank", "Project A!C")]
    assert service.tables(without=TIMES) == before
    service.sync(force=True)
    assert service.one("SELECT count(likes) FROM accounts") == 4


def test_a_restored_tab_is_no_longer_degraded(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", *many(10))
    service.sync()
    sheet.rows("Project A")
    service.sync()
    assert service.project()["degraded_since"] is not None

    sheet.rows("Project A", *many(10))
    result = service.sync()["results"][0]

    assert (result["degraded"], result["problems"], result["updated_count"]) == (False, [], 0)
    assert service.project()["degraded_since"] is None


def test_columns_moved_to_other_places_are_no_loss(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", *many(10))
    service.sync()

    sheet.rows(
        "Project A",
        *([likes, url, followers] for url, followers, likes in many(10)),
        header=("Likes", "Link", "Followers"),
    )
    result = service.sync()["results"][0]

    assert (result["degraded"], result["updated_count"]) == (False, 0)


def test_a_result_says_how_many_accounts_came_and_went(service: Service) -> None:
    rows: list[list[str | int]] = [[f"x.com/name{number}", 1, 2, 3, 4, 5] for number in range(4)]
    service.sheet.rows("Project A", *rows)
    service.sheet.rows("Project B", ["x.com/ada", 1, 2, 3, 4, 5])

    def counts(**how: Any) -> list[tuple[int, int]]:
        body = service.sync(**how)
        together = body["added_count"], body["removed_count"]
        assert together == tuple(sum(r[name] for r in body["results"]) for name in ("added_count", "removed_count"))
        if not body["dry_run"]:
            kept = service.get(f"/api/admin/runs/{body['run_id']}")
            assert (kept["added_count"], kept["removed_count"]) == together
            assert [r["added_count"] for r in kept["results"]] == [r["added_count"] for r in body["results"]]
        return [(r["added_count"], r["removed_count"]) for r in body["results"]]

    assert counts(dry_run=True) == [(4, 0), (1, 0)]
    assert counts() == [(4, 0), (1, 0)]
    assert counts() == [(0, 0), (0, 0)]
    service.sheet.rows("Project A", *rows[:3])
    assert counts(dry_run=True) == [(0, 1), (0, 0)]
    assert counts() == [(0, 1), (0, 0)]
    service.sheet.rows("Project A", *rows, ["x.com/new", 1, 2, 3, 4, 5])
    assert counts() == [(2, 0), (0, 0)]


def test_the_result_of_one_project_says_who_came(service: Service) -> None:
    service.sheet.rows("Project A", ["x.com/ada", 1, 2, 3, 4, 5])
    service.sync()
    service.sheet.rows("Project A", ["x.com/ann", 1, 2, 3, 4, 5])

    one = service.sync(project_id=service.project()["id"])

    assert (one["added_count"], one["removed_count"]) == (1, 1)


@pytest.mark.parametrize("made_one", ["merged", "corrected"])
def test_two_rows_that_became_one_account_are_named_like_any_other_double(
    service: Service, sheet: FakeSheet, made_one: str
) -> None:
    header = ("Link", "Followers", "Topic")
    sheet.rows("Project A", [BEN, 20, "News"], [ANN, "n/a here", None], [BEN, 5, None], header=header)
    service.sync()
    ann, ben = (service.account(url)["id"] for url in (ANN, BEN))
    if made_one == "merged":
        assert service.post(f"/api/admin/accounts/{ben}/merge", {"into": ann}).status_code == 200
    else:
        service.write("DELETE FROM accounts WHERE id = :id", id=ben)
        service.post(f"/api/admin/accounts/{ann}/correct_url", {"profile_url": "https://x.com/anna"})
        service.post(f"/api/admin/accounts/{ann}/correct_url", {"profile_url": BEN})

    for _ in range(2):  # and again while the tab is unchanged
        result = service.sync()["results"][0]
        doubles = [one for one in result["problems"] if one["code"] == "duplicate_row"]

        assert [one["cell"] for one in doubles] == ["Project A!A4", "Project A!A3"]
        assert "the same account as Project A!A2;" in doubles[1]["message"]
        assert result["skips"]["duplicate_row"] == 2
        (account,) = service.rows("SELECT * FROM accounts WHERE removed_at IS NULL")
        assert (account["id"], account["followers"], account["topic"]) == (ann, 20, "News")
    assert service.one("SELECT origin FROM observations") == "Project A!2,4,3"


LIKED = ("Link", "Followers", "Likes")


def told(service: Service) -> dict[str, Any]:
    """{metric: [new, cell]} of what changed last."""
    page = service.get(f"/api/projects/{service.project()['id']}/changes", limit=1)
    return {name: [one["new"], one["cell"]] for name, one in page["changes"][0]["metrics"].items()}


def test_of_rows_that_repeat_each_number_is_told_where_it_stands(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 100, 5], [BEN, 7, 7], [ANN, 900, 1], header=LIKED)
    service.sync()

    sheet.rows("Project A", [ANN, 100, 6], [BEN, 7, 7], [ANN, 950, 1], header=LIKED)
    preview = service.sync(dry_run=True)["changes"]
    service.sync()

    assert {one["metric"]: one["cell"] for one in preview} == {"followers": "Project A!B4", "likes": "Project A!C2"}
    assert told(service) == {"followers": [950, "Project A!B4"], "likes": [6, "Project A!C2"]}


def test_an_odd_number_is_told_where_it_stands(service: Service, sheet: FakeSheet, time: FakeClock) -> None:
    sheet.rows("Project A", [ANN, 100, 5], [ANN, 900, 1], header=LIKED)
    for _ in range(5):
        service.sync()
        time.forward(days=1)

    sheet.rows("Project A", [ANN, 100, 5], [ANN, 99_000, 1], header=LIKED)
    problems = service.sync()["results"][0]["problems"]

    assert [one["cell"] for one in problems if one["code"] == "implausible_value"] == ["Project A!B3"]


def test_what_a_log_says_of_an_earlier_day_is_told_there(service: Service, sheet: FakeSheet) -> None:
    header = ("Date", *LIKED)
    sheet.rows("Project A", ["2026-03-01", ANN, 1, 5], ["2026-03-02", ANN, 2, None], header=header)
    service.sync()

    sheet.rows("Project A", ["2026-03-01", ANN, 1, 6], ["2026-03-02", ANN, 3, None], header=header)
    service.sync()

    assert told(service) == {"followers": [3, "Project A!C3"], "likes": [6, "Project A!D2"]}


def test_of_rows_that_are_not_read_again_each_is_told(service: Service, sheet: FakeSheet, time: FakeClock) -> None:
    sheet.rows("Project A", [ANN, 100, 5], [ANN, 200, 1], header=LIKED)
    service.sync()
    service.reading(ANN, followers=300)
    service.sync()
    time.forward(hours=1)

    service.reading(ANN, followers=150)
    service.sync()

    # Which of them it is is known to who reads the tab anyway.
    assert told(service)["followers"] in ([200, "Project A!B2,B3"], [200, "Project A!B3"])


@pytest.mark.parametrize("first", [BEN, CID])
def test_two_former_addresses_of_one_account_come_in_the_order_of_the_sheet(
    service: Service, sheet: FakeSheet, first: str
) -> None:
    header = ("Link", "Followers", "Topic")
    sheet.rows("Project A", [ANN, 1, None], header=header)
    service.sync()
    ann = service.account(ANN)["id"]
    second = CID if first == BEN else BEN
    for url in (first, second, "https://x.com/dan"):
        service.post(f"/api/admin/accounts/{ann}/correct_url", {"profile_url": url})

    sheet.rows("Project A", [BEN, 2, "News"], [CID, 3, "Food"], header=header)
    service.sync()

    assert service.one("SELECT topic FROM accounts") == "News"
    assert service.one("SELECT origin FROM observations") == "Project A!2,3"

    sheet.rows("Project A", ["https://x.com/dan", 1, None], [CID, 3, "Food"], [BEN, 2, "Art"], header=header)
    problems = service.sync()["results"][0]["problems"]

    assert service.one("SELECT topic FROM accounts") == "Food"
    assert service.one("SELECT origin FROM observations") == "Project A!2,3,4"
    assert [one["cell"] for one in problems] == ["Project A!A3", "Project A!A4"]


def test_a_day_of_a_log_that_is_to_come_counts_once_it_has_come(
    service: Service, sheet: FakeSheet, time: FakeClock
) -> None:
    header = ("Date", "Link", "Followers")
    sheet.rows("Project A", ["2026-03-02", ANN, 5], ["2026-03-05", ANN, 9], header=header)

    problems = service.sync()["results"][0]["problems"]
    assert [one["code"] for one in problems] == ["invalid_date", "log_layout"]
    assert service.account(ANN)["followers"] == 5

    time.forward(days=3)
    service.sync()
    assert service.account(ANN)["followers"] == 9
