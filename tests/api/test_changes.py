from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.calls import account_id, call
from tests.fakes.service import ADMIN, Service
from tests.fakes.sheet import FakeSheet

pytestmark = pytest.mark.usefixtures("answers")


def changes(service: Service, **query: Any) -> Any:
    return service.get(f"/api/projects/{service.project()['id']}/changes", **query)


@pytest.fixture(autouse=True)
def synced(service: Service, sheet: FakeSheet) -> None:
    """Ann and Bob, whose numbers grew by a hand and by a platform."""
    sheet.rows("Project A", ["x.com/ann", 1000, 10], ["x.com/bob", 500])
    service.sync()
    sheet.put("Project A!B2", 1100)
    sheet.put("Project A!C2", 11)
    service.reading("x.com/bob", followers=600)
    service.time.forward(hours=1)


def test_a_change_tells_what_it_was_in_which_run_and_from_which_cell(service: Service) -> None:
    run = service.sync()["run_id"]

    found = {change["username"]: change for change in changes(service)["changes"] if change["run_id"] == run}

    assert found["ann"]["metrics"] == {
        "followers": {"old": 1000, "new": 1100, "winner": "sheet", "cell": "Project A!B2"},
        "likes": {"old": 10, "new": 11, "winner": "sheet", "cell": "Project A!C2"},
    }
    assert found["bob"]["metrics"] == {"followers": {"old": 500, "new": 600, "winner": "parsed", "cell": None}}
    assert found["ann"]["changed_at"].startswith("2026-03-02T11:00:00.")
    assert found["ann"]["account_id"] == account_id(service, "x.com/ann")


def test_changes_are_filtered_by_account_and_by_metric(service: Service) -> None:
    service.sync()
    bob = account_id(service, "x.com/bob")

    of_bob = changes(service, account_id=bob)["changes"]
    of_likes = changes(service, metric="likes")["changes"]

    assert {change["account_id"] for change in of_bob} == {bob}
    assert {tuple(change["metrics"]) for change in of_likes} == {("likes",)}
    assert changes(service, account_id=bob, metric="likes")["changes"] == []


def test_a_cell_that_looks_like_a_metric_is_none(service: Service, sheet: FakeSheet) -> None:
    title = 'My "views":[ tab'
    sheet.rename("Project A", title)
    service.sync()

    project = service.rows("SELECT id FROM projects")[0]["id"]
    found = service.get(f"/api/projects/{project}/changes", metric="views")

    assert found["changes"] == []


def test_pages_go_on_where_the_last_one_ended_newest_first(service: Service, sheet: FakeSheet) -> None:
    for followers in range(2000, 2005):
        sheet.put("Project A!B2", followers)
        service.sync()
    everything = [change["id"] for change in changes(service)["changes"]]

    page = changes(service, limit=2)
    found = [page]
    while page["next_cursor"] is not None:
        page = changes(service, limit=2, cursor=page["next_cursor"])
        found.append(page)

    assert everything == sorted(everything, reverse=True)
    assert [change["id"] for page in found for change in page["changes"]] == everything
    assert all(page["changes"] for page in found)


def test_an_unchanged_list_is_not_sent_twice(service: Service) -> None:
    service.sync()
    path = f"/api/projects/{service.project()['id']}/changes"
    first = service.client.get(path, headers=ADMIN)

    again = service.client.get(path, headers=ADMIN | {"If-None-Match": first.headers["ETag"]})

    assert (first.status_code, again.status_code, again.get_data()) == (200, 304, b"")


def test_changes_of_a_removed_project_are_served(service: Service) -> None:
    service.sync()
    call(service, "DELETE", f"/api/admin/projects/{service.project()['id']}")

    assert changes(service)["changes"]


def test_changes_need_a_token(service: Service) -> None:
    assert service.client.get(f"/api/projects/{service.project()['id']}/changes").status_code == 401


def test_corrections_are_listed_newest_first_in_pages(service: Service) -> None:
    project = f"/api/admin/projects/{service.project()['id']}"
    for target in range(5):
        call(service, "PATCH", project, {"target_views": target})

    first = service.get("/api/admin/audit", limit=3)
    rest = service.get("/api/admin/audit", limit=3, cursor=first["next_cursor"])

    listed = [entry["after"]["target_views"] for entry in first["audit"] + rest["audit"]]
    assert listed == [4, 3, 2, 1, 0]
    assert rest["next_cursor"] is None
    assert first["audit"][0]["at"].startswith("2026-03-02T11:00:00.")


def test_a_target_that_nobody_corrected_has_no_corrections(service: Service) -> None:
    assert service.get("/api/admin/audit", target="account:999") == {"audit": [], "next_cursor": None}


def test_changes_are_forgotten_at_the_end_of_a_sync_once_they_are_old(service: Service, sheet: FakeSheet) -> None:
    service.options(keep_changes=timedelta(days=30))
    first = service.sync()["run_id"]
    service.time.forward(days=29)
    sheet.put("Project A!B2", 1200)
    second = service.sync()["run_id"]
    assert {change["run_id"] for change in changes(service)["changes"]} == {first, second}

    service.time.forward(days=2)
    service.sync(dry_run=True)
    assert {change["run_id"] for change in changes(service)["changes"]} == {first, second}
    service.sync()

    assert {change["run_id"] for change in changes(service)["changes"]} == {second}
    followers = service.get(f"/api/accounts/{account_id(service, 'x.com/ann')}/explain")["followers"]
    assert (followers["value"], followers["winner"]) == (1200, "sheet")
