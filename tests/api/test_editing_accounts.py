from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.calls import account_id, call, code_of
from tests.fakes.service import Service
from tests.fakes.sheet import FakeSheet

pytestmark = pytest.mark.usefixtures("answers")

HEADER = ("Link", "Followers", "Status", "Owner", "Topic")


def add(service: Service, status: int = 201, **body: Any) -> Any:
    path = f"/api/admin/projects/{service.project()['id']}/accounts"
    return call(service, "POST", path, body, status)["account"]


def change(service: Service, url: str, **body: Any) -> Any:
    return call(service, "PATCH", f"/api/admin/accounts/{account_id(service, url)}", body)["account"]


def remove(service: Service, url: str) -> Any:
    return call(service, "DELETE", f"/api/admin/accounts/{account_id(service, url)}")["account"]


@pytest.fixture(autouse=True)
def synced(service: Service, sheet: FakeSheet) -> None:
    """A project with Ann, who has a row in the sheet."""
    sheet.rows("Project A", ["x.com/ann", 1000, "", "Olga", "Music"], header=HEADER)
    service.sync()


@pytest.mark.parametrize(
    "named",
    [{"profile_url": "http://www.x.com/Bob/?s=21"}, {"platform": "Twitter", "username": "@Bob"}],
    ids=["by URL", "by platform and username"],
)
def test_an_account_is_added(service: Service, named: Any) -> None:
    account = add(service, **named, owner=" @Ivan ", topic="Food", mode="manual")

    assert account["profile_url"] == "https://x.com/Bob"
    assert (account["platform"], account["username"], account["url_key"]) == ("x", "Bob", "x:bob")
    assert (account["owner"], account["topic"]) == ("Ivan", "Food")
    assert (account["mode"], account["mode_set"], account["discovered"]) == ("manual", True, "api")
    assert account["followers"] is None


def test_an_account_without_a_row_stays_with_its_readings(service: Service) -> None:
    add(service, profile_url="x.com/bob")
    service.reading("x.com/bob", followers=7)

    service.sync()

    assert service.followers("x.com/bob") == 7
    assert service.account("x.com/bob")["removed_at"] is None


def test_an_account_takes_the_row_that_the_sheet_has_for_it_already(service: Service, sheet: FakeSheet) -> None:
    service.options(discover=False)
    sheet.rows("Project A", ["x.com/ann", 1000], ["x.com/bob", 50], header=HEADER)
    service.sync()
    add(service, profile_url="x.com/bob")

    service.sync()

    assert service.followers("x.com/bob") == 50


def test_an_account_that_is_there_is_not_added_twice(service: Service) -> None:
    path = f"/api/admin/projects/{service.project()['id']}/accounts"

    answer = service.post(path, {"profile_url": "https://twitter.com/ANN/"})

    assert answer.status_code == 409
    assert answer.json is not None
    assert (answer.json["code"], answer.json["account_id"]) == ("already_exists", account_id(service, "x.com/ann"))


# Removing


def test_the_row_of_a_removed_account_is_skipped_and_counted(service: Service, sheet: FakeSheet) -> None:
    remove(service, "x.com/ann")

    (unchanged,) = service.sync()["results"]
    sheet.put("Project A!B2", 2000)
    (changed,) = service.sync()["results"]

    assert (unchanged["skips"]["removed"], changed["skips"]["removed"]) == (1, 1)
    assert changed["total_accounts"] == 0
    assert service.followers("x.com/ann") == 1000


def test_a_removed_account_keeps_its_history_and_gets_no_more(service: Service) -> None:
    removed = remove(service, "x.com/ann")
    service.time.forward(days=1)
    service.sync()

    assert removed["removed_by"] == "api"
    assert service.history("x.com/ann") == [("2026-03-02", 1000)]


def test_adding_a_removed_account_brings_it_back_with_its_history(service: Service, sheet: FakeSheet) -> None:
    removed = remove(service, "x.com/ann")
    sheet.put("Project A!B2", 2000)
    service.sync()

    returned = add(service, status=200, profile_url="x.com/ann", mode="auto")
    service.sync()

    assert returned["id"] == removed["id"]
    assert (returned["removed_at"], returned["removed_by"], returned["mode_set"]) == (None, None, True)
    assert service.followers("x.com/ann") == 2000
    assert service.history("x.com/ann") == [("2026-03-02", 1000)]


def test_an_account_whose_row_has_gone_comes_back_to_stay(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", ["x.com/bob", 1], header=HEADER)
    service.sync()
    gone = service.account("x.com/ann")["removed_by"]

    add(service, status=200, profile_url="x.com/ann")
    service.sync()

    assert gone == "sheet"
    assert service.account("x.com/ann")["removed_at"] is None


def test_an_account_whose_row_has_gone_can_be_kept_from_coming_back(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", ["x.com/bob", 1], header=HEADER)
    service.sync()
    remove(service, "x.com/ann")
    sheet.rows("Project A", ["x.com/bob", 1], ["x.com/ann", 3000], header=HEADER)

    service.sync()

    assert service.account("x.com/ann")["removed_by"] == "api"


def test_removing_twice_is_removing_once(service: Service) -> None:
    assert remove(service, "x.com/ann") == remove(service, "x.com/ann")


def test_a_removed_account_is_not_changed(service: Service) -> None:
    remove(service, "x.com/ann")
    path = f"/api/admin/accounts/{account_id(service, 'x.com/ann')}"

    assert code_of(service, "PATCH", path, {"mode": "off"})[:2] == (404, "account_not_found")
    assert code_of(service, "POST", f"{path}/correct_url", {"profile_url": "x.com/bob"})[:2] == (
        404,
        "account_not_found",
    )


# Changing


def test_the_mode_that_was_set_beats_the_status_column(service: Service, sheet: FakeSheet) -> None:
    change(service, "x.com/ann", mode="off")
    sheet.put("Project A!C2", "OLD")
    service.sync()

    account = service.account("x.com/ann")
    assert (account["mode"], account["status"]) == ("off", "OLD")


def test_a_mode_handed_back_is_what_the_status_column_says(service: Service, sheet: FakeSheet) -> None:
    sheet.put("Project A!C2", "OLD")
    service.sync()
    change(service, "x.com/ann", mode="auto")

    back = change(service, "x.com/ann", mode=None)
    sheet.put("Project A!C2", "BAN")
    service.sync()

    assert (back["mode"], back["mode_set"]) == ("manual", False)
    assert service.account("x.com/ann")["mode"] == "off"


@pytest.mark.shortcuts
def test_another_mode_is_merged_by_the_next_sync_of_an_unchanged_tab(service: Service) -> None:
    service.reading("x.com/ann", followers=1050)
    service.sync()
    change(service, "x.com/ann", mode="manual")

    service.sync()

    assert service.followers("x.com/ann") == 1000


def test_owner_and_topic_of_an_account_without_a_row_are_changed(service: Service) -> None:
    add(service, profile_url="x.com/bob", topic="Food")

    changed = change(service, "x.com/bob", owner="Ivan", topic=None)
    service.sync()

    assert (changed["owner"], changed["topic"]) == ("Ivan", None)
    assert service.account("x.com/bob")["owner"] == "Ivan"


@pytest.mark.parametrize("field", ["owner", "topic"])
def test_what_the_sheet_says_is_changed_in_the_sheet(service: Service, field: str) -> None:
    path = f"/api/admin/accounts/{account_id(service, 'x.com/ann')}"

    assert code_of(service, "PATCH", path, {field: "Someone"}) == (409, "kept_in_sheet", field)
    assert call(service, "PATCH", path, {"owner": "Olga", "topic": "Music", "mode": "off"})["account"]["mode"] == "off"


def test_a_change_counts_the_revision_up_and_leaves_what_stood_before(service: Service) -> None:
    before = service.project()["revision"]
    account = change(service, "x.com/ann", mode="off")

    (entry,) = service.get("/api/admin/audit", target=f"account:{account['id']}")["audit"]
    assert service.project()["revision"] == before + 1
    assert entry["before"] == {"mode": "auto", "mode_set": False}
    assert entry["after"] == {"mode": "off", "mode_set": True}


def test_a_change_to_what_is_so_already_leaves_no_trace(service: Service) -> None:
    before = service.tables()

    change(service, "x.com/ann", owner="@Olga")

    assert service.tables() == before
