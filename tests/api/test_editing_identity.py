from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.fakes.calls import account_id, call, code_of
from tests.fakes.service import ADMIN, Service
from tests.fakes.sheet import FakeSheet

pytestmark = pytest.mark.usefixtures("answers")


def correct(service: Service, url: str, new: str, **body: Any) -> Any:
    path = f"/api/admin/accounts/{account_id(service, url)}/correct_url"
    return call(service, "POST", path, {"profile_url": new, **body})


def merge(service: Service, url: str, into: str, **body: Any) -> Any:
    path = f"/api/admin/accounts/{account_id(service, url)}/merge"
    return call(service, "POST", path, {"into": account_id(service, into), **body})


def keys(service: Service) -> list[str]:
    return [row["url_key"] for row in service.rows("SELECT url_key FROM accounts ORDER BY url_key")]


@pytest.fixture(autouse=True)
def synced(service: Service, sheet: FakeSheet) -> None:
    """Ann and Bob in the sheet, with a day of history."""
    sheet.rows("Project A", ["x.com/ann", 1000, 10], ["x.com/bob", 500])
    service.sync()


# Correcting a URL


def test_a_corrected_account_goes_on_with_its_old_row(service: Service, sheet: FakeSheet) -> None:
    corrected = correct(service, "x.com/ann", "https://x.com/anna")
    sheet.put("Project A!B2", 1100)
    service.time.forward(days=1)

    (result,) = service.sync()["results"]

    assert (corrected["account"]["url_key"], corrected["account"]["aliases"]) == ("x:anna", ["x:ann"])
    assert keys(service) == ["x:anna", "x:bob"]
    assert result["total_accounts"] == 2
    assert service.history("x.com/anna") == [("2026-03-02", 1000), ("2026-03-03", 1100)]


def test_a_corrected_account_goes_on_when_its_row_is_corrected_too(service: Service, sheet: FakeSheet) -> None:
    correct(service, "x.com/ann", "x.com/anna")
    sheet.put("Project A!A2", "x.com/anna")
    sheet.put("Project A!B2", 1100)

    service.sync()

    assert keys(service) == ["x:anna", "x:bob"]
    assert service.followers("x.com/anna") == 1100


def test_a_correction_is_taken_back_by_correcting_again(service: Service) -> None:
    correct(service, "x.com/ann", "x.com/anna")

    back = correct(service, "x.com/anna", "x.com/ann")["account"]

    assert (back["url_key"], back["aliases"]) == ("x:ann", ["x:anna"])


def test_the_same_profile_is_no_correction(service: Service) -> None:
    before = service.tables()

    answer = correct(service, "x.com/ann", "https://twitter.com/ANN?s=20")

    assert answer["before"] == answer["account"]
    assert service.tables() == before


def test_a_url_of_another_account_is_refused_with_the_way_out(service: Service) -> None:
    path = f"/api/admin/accounts/{account_id(service, 'x.com/ann')}/correct_url"

    answer = service.post(path, {"profile_url": "x.com/bob"})

    assert answer.status_code == 409
    assert answer.json is not None
    assert (answer.json["code"], answer.json["account_id"]) == ("already_exists", account_id(service, "x.com/bob"))
    assert "merge" in answer.json["hint"]


def test_a_former_url_of_another_account_is_refused_too(service: Service) -> None:
    correct(service, "x.com/bob", "x.com/robert")

    path = f"/api/admin/accounts/{account_id(service, 'x.com/ann')}/correct_url"
    assert code_of(service, "POST", path, {"profile_url": "x.com/bob"})[:2] == (409, "already_exists")


def test_a_former_url_can_be_given_up_to_somebody_else(service: Service, sheet: FakeSheet) -> None:
    correct(service, "x.com/ann", "x.com/anna")
    number = account_id(service, "x.com/anna")
    sheet.rows("Project A", ["x.com/anna", 1000], ["x.com/ann", 3])

    account = call(service, "DELETE", f"/api/admin/accounts/{number}/aliases", url_key="x:ann")["account"]
    service.sync()

    assert account["aliases"] == []
    assert (service.followers("x.com/anna"), service.followers("x.com/ann")) == (1000, 3)
    assert code_of(service, "DELETE", f"/api/admin/accounts/{number}/aliases", url_key="x:ann")[:2] == (
        404,
        "alias_not_found",
    )


def test_a_tried_correction_changes_nothing(service: Service) -> None:
    before = service.tables()

    tried = correct(service, "x.com/ann", "x.com/anna", dry_run=True)
    untouched = service.tables()
    done = correct(service, "x.com/ann", "x.com/anna")

    assert untouched == before
    assert tried["dry_run"] is True
    assert tried | {"dry_run": False} == done


# Merging


def test_the_row_of_a_merged_account_counts_for_the_other(service: Service, sheet: FakeSheet) -> None:
    merge(service, "x.com/bob", "x.com/ann")

    (result,) = service.sync()["results"]
    before = service.followers("x.com/ann")
    sheet.put("Project A!B3", 1200)
    service.sync()

    assert keys(service) == ["x:ann"]
    assert result["total_accounts"] == 1
    assert (before, service.followers("x.com/ann")) == (1000, 1200)


def test_a_handle_renamed_by_its_owner_keeps_its_history(service: Service, sheet: FakeSheet) -> None:
    sheet.put("Project A!A2", "x.com/anna")
    sheet.put("Project A!B2", 1100)
    service.time.forward(days=1)
    service.sync()

    answer = merge(service, "x.com/ann", "x.com/anna")
    service.sync()

    assert answer["source"]["removed_by"] == "sheet"
    assert answer["days_taken"] == ["2026-03-02"]
    assert answer["account"]["added_at"] == answer["source"]["added_at"]
    assert answer["account"]["aliases"] == answer["aliases_taken"] == ["x:ann"]
    assert service.history("x.com/anna") == [("2026-03-02", 1000), ("2026-03-03", 1100)]


def test_a_day_that_both_have_is_the_larger_one_and_the_other_goes_to_the_audit_log(service: Service) -> None:
    kept, gone = account_id(service, "x.com/ann"), account_id(service, "x.com/bob")

    answer = merge(service, "x.com/bob", "x.com/ann", note="the same person")

    (both,) = answer["days_kept"]
    (entry,) = service.get("/api/admin/audit", target=f"account:{kept}")["audit"]
    assert (both["day"], both["kept"]["followers"], both["left_out"]["followers"]) == ("2026-03-02", 1000, 500)
    assert service.history("x.com/ann") == [("2026-03-02", 1000)]
    assert entry["note"] == "the same person"
    assert entry["before"]["account"]["url_key"] == "x:bob"
    assert entry["before"]["account_snapshots"][0]["followers"] == 500
    assert entry["before"]["observations"][0]["followers"] == 500
    assert service.get("/api/admin/audit", target=f"account:{gone}")["audit"][0]["after"] == {"into": kept}


def test_the_smaller_account_takes_the_days_of_the_larger_and_history_counts_them_as_one(service: Service) -> None:
    kept = account_id(service, "x.com/bob")
    path = f"/api/projects/{service.project()['id']}/analytics"
    before = service.get(path)["history"][-1]

    answer = merge(service, "x.com/ann", "x.com/bob")

    (both,) = answer["days_kept"]
    (entry,) = service.get("/api/admin/audit", target=f"account:{kept}")["audit"]
    (day,) = service.get(path)["history"]
    assert (both["kept"]["followers"], both["left_out"]["followers"]) == (1000, 1000)
    assert service.history("x.com/bob") == [("2026-03-02", 1000)]
    assert entry["before"]["replaced_snapshots"][0]["followers"] == 500
    assert (before["followers"], before["accounts"], day["followers"], day["accounts"]) == (1500, 2, 1000, 1)


@pytest.mark.shortcuts
def test_what_only_the_other_has_is_taken_over(service: Service, sheet: FakeSheet) -> None:
    service.reading("x.com/bob", followers=2000, views=5)
    service.sync()
    bob = account_id(service, "x.com/bob")
    call(service, "PUT", f"/api/admin/accounts/{bob}/pins/likes", {"value": 77})
    call(service, "PUT", f"/api/admin/accounts/{bob}/pins/videos", {"value": 3})
    call(service, "PUT", f"/api/admin/accounts/{account_id(service, 'x.com/ann')}/pins/videos", {"value": 4})

    answer = merge(service, "x.com/bob", "x.com/ann")
    service.sync()

    account = service.account("x.com/ann")
    assert (answer["observations_taken"], answer["pins_taken"]) == (["parsed"], ["likes"])
    assert [account[metric] for metric in ("followers", "likes", "videos", "views")] == [2000, 77, 4, 5]
    assert service.rows("SELECT account_id, followers, views FROM accepted_readings") == [
        {"account_id": account["id"], "followers": 2000, "views": 5}
    ]


@pytest.mark.shortcuts
def test_a_held_reading_goes_with_the_reading(service: Service) -> None:
    service.reading("x.com/bob", followers=5000)
    service.sync()
    service.time.forward(days=4)
    service.reading("x.com/bob", followers=90_000)
    service.sync()

    merge(service, "x.com/bob", "x.com/ann")
    service.sync()

    (held,) = service.get("/api/admin/held")["held"]
    assert (held["account_id"], held["value"]) == (account_id(service, "x.com/ann"), 90_000)
    assert service.followers("x.com/ann") == 5000


@pytest.mark.shortcuts
def test_the_own_reading_stays(service: Service) -> None:
    service.reading("x.com/ann", followers=1500)
    service.reading("x.com/bob", followers=2000)
    service.sync()

    answer = merge(service, "x.com/bob", "x.com/ann")
    service.sync()

    assert answer["observations_taken"] == []
    assert service.followers("x.com/ann") == 1500


def test_former_names_of_a_merged_account_mean_the_other(service: Service, sheet: FakeSheet) -> None:
    correct(service, "x.com/bob", "x.com/robert")
    sheet.put("Project A!B3", 1200)

    answer = merge(service, "x.com/robert", "x.com/ann")
    service.sync()

    assert answer["account"]["aliases"] == ["x:bob", "x:robert"]
    assert (keys(service), service.followers("x.com/ann")) == (["x:ann"], 1200)


def test_what_changed_of_a_merged_account_is_told_of_the_other(service: Service, sheet: FakeSheet) -> None:
    sheet.put("Project A!B3", 501)
    service.sync()
    before = service.get(f"/api/projects/{service.project()['id']}/changes")["changes"]

    merge(service, "x.com/bob", "x.com/ann")

    after = service.get(f"/api/projects/{service.project()['id']}/changes")["changes"]
    assert [change["id"] for change in after] == [change["id"] for change in before]
    assert {change["account_id"] for change in after} == {account_id(service, "x.com/ann")}


def test_adding_the_url_of_a_merged_account_names_the_one_it_is_now(service: Service) -> None:
    merge(service, "x.com/bob", "x.com/ann")

    answer = service.post(f"/api/admin/projects/{service.project()['id']}/accounts", {"profile_url": "x.com/bob"})

    assert answer.status_code == 409
    assert answer.json is not None
    assert answer.json["account_id"] == account_id(service, "x.com/ann")


def test_a_tried_merge_tells_all_and_changes_nothing(service: Service) -> None:
    before = service.tables()

    tried = merge(service, "x.com/bob", "x.com/ann", dry_run=True)
    untouched = service.tables()
    done = merge(service, "x.com/bob", "x.com/ann")

    assert untouched == before
    assert tried["dry_run"] is True
    assert tried | {"dry_run": False} == done


def test_a_merge_counts_the_revision_up(service: Service) -> None:
    before = service.project()["revision"]

    merge(service, "x.com/bob", "x.com/ann")

    assert service.project()["revision"] == before + 1


def test_two_that_are_merged_into_each_other_at_once_leave_one(service: Service) -> None:
    ann, bob = account_id(service, "x.com/ann"), account_id(service, "x.com/bob")
    clients = [service.client, service.client.application.test_client()]
    start = Barrier(2)

    def merge_at_once(client: FlaskClient, gone: int, into: int) -> int:
        start.wait()
        return client.post(f"/api/admin/accounts/{gone}/merge", json={"into": into}, headers=ADMIN).status_code

    with ThreadPoolExecutor(2) as threads:
        statuses = list(threads.map(merge_at_once, clients, (ann, bob), (bob, ann)))

    assert sorted(statuses) == [200, 404]
    assert service.one("SELECT COUNT(*) FROM accounts") == 1


def test_nothing_is_merged_into_a_removed_account(service: Service) -> None:
    ann, bob = account_id(service, "x.com/ann"), account_id(service, "x.com/bob")
    call(service, "DELETE", f"/api/admin/accounts/{ann}")

    assert code_of(service, "POST", f"/api/admin/accounts/{bob}/merge", {"into": ann})[:2] == (404, "account_not_found")
