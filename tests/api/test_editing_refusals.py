"""What the editing routes refuse, and by which field."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.calls import account_id, call, code_of
from tests.fakes.service import Service

pytestmark = pytest.mark.usefixtures("answers")

PROJECTS = "/api/admin/projects"
BIGGEST = 2**63 - 1


@pytest.fixture
def served(sqlite_service: Service) -> Service:
    """A project with Ann and Bob, who have a snapshot of 2 March; and another project with Cat."""
    sqlite_service.sheet.rows("Project A", ["x.com/ann", 1000], ["x.com/bob", 500])
    sqlite_service.sheet.rows("Project B", ["x.com/cat", 1])
    sqlite_service.sync()
    return sqlite_service


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, None),
        ({"name": "C", "colour": "red"}, None),
        ({"name": 5}, "name"),
        ({"name": ""}, "name"),
        ({"name": " \u00a0 "}, "name"),
        ({"name": "a" * 201}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "a\u0000b"}, "name"),
        ({"name": "a\ud800b"}, "name"),
        ({"name": "a\u2028b"}, "name"),
        ({"name": "C", "worksheet_title": "a\u0000"}, "worksheet_title"),
        ({"name": "C", "worksheet_id": "\u0000"}, "worksheet_id"),
        ({"name": "C", "worksheet_id": True}, "worksheet_id"),
        ({"name": "C", "worksheet_id": -1}, "worksheet_id"),
        ({"name": "C", "spreadsheet": "another"}, "spreadsheet"),
        ({"name": "C", "spreadsheet": "https://example.com/a.csv"}, "spreadsheet"),
        ({"name": "C", "spreadsheet": "http://[::1"}, "spreadsheet"),
        ({"name": "C", "target_views": -1}, "target_views"),
        ({"name": "C", "target_views": BIGGEST + 1}, "target_views"),
        ({"name": "C", "target_views": "5"}, "target_views"),
        ({"name": "C", "target_views": True}, "target_views"),
        ({"name": "C", "target_views": 5.5}, "target_views"),
        ({"name": "C", "merge_policy": "min"}, "merge_policy"),
        ({"name": "C", "status": "removed"}, "status"),
        ({"name": "C", "start_date": "2026-02-30"}, "start_date"),
        ({"name": "C", "start_date": "10000-01-01"}, "start_date"),
        ({"name": "C", "start_date": "2026-03-02", "end_date": "2026-03-01"}, "end_date"),
        ({"name": "C", "interval_minutes": 0}, "interval_minutes"),
        ({"name": "C", "auto_sync": "yes"}, "auto_sync"),
    ],
    ids=lambda value: ascii(value)[:60],
)
def test_a_project_that_can_not_be(sqlite_service: Service, body: Any, field: str | None) -> None:
    assert code_of(sqlite_service, "POST", PROJECTS, body) == (422, "invalid_parameter", field)
    assert sqlite_service.table("projects") == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, None),
        ({"name": ""}, "name"),
        ({"status": None}, "status"),
        ({"merge_policy": None}, "merge_policy"),
        ({"removed_at": None}, None),
        ({"start_date": "2026-03-02", "end_date": "2026-03-01"}, "end_date"),
    ],
    ids=ascii,
)
def test_a_change_of_a_project_that_can_not_be(served: Service, body: Any, field: str | None) -> None:
    path = f"{PROJECTS}/{served.project()['id']}"

    assert code_of(served, "PATCH", path, body) == (422, "invalid_parameter", field)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "profile_url"),
        ({"platform": "x"}, "profile_url"),
        ({"username": "dan"}, "profile_url"),
        ({"profile_url": "x.com/dan", "username": "dan"}, "profile_url"),
        ({"profile_url": 5}, "profile_url"),
        ({"profile_url": ""}, "profile_url"),
        ({"profile_url": "https://x.com/dan/status/1"}, "profile_url"),
        ({"profile_url": "https://x.com/d\u0000n"}, "profile_url"),
        ({"profile_url": "https://example.com/\ud800"}, "profile_url"),
        ({"profile_url": "javascript:alert(1)"}, "profile_url"),
        ({"profile_url": "https://example.com/" + "a" * 10_000}, "profile_url"),
        ({"platform": "nowhere", "username": "dan"}, "username"),
        ({"platform": "x", "username": "\ud800"}, "username"),
        ({"profile_url": "x.com/dan", "owner": "a\tb"}, "owner"),
        ({"profile_url": "x.com/dan", "owner": " @ "}, "owner"),
        ({"profile_url": "x.com/dan", "topic": "a" * 256}, "topic"),
        ({"profile_url": "x.com/dan", "mode": "never"}, "mode"),
    ],
    ids=lambda value: ascii(value)[:60],
)
def test_an_account_that_can_not_be(served: Service, body: Any, field: str) -> None:
    path = f"{PROJECTS}/{served.project()['id']}/accounts"

    assert code_of(served, "POST", path, body) == (422, "invalid_parameter", field)
    assert served.one("SELECT COUNT(*) FROM accounts") == 3


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, None), ({"mode": "never"}, "mode"), ({"owner": 5}, "owner"), ({"followers": 5}, None)],
    ids=ascii,
)
def test_a_change_of_an_account_that_can_not_be(served: Service, body: Any, field: str | None) -> None:
    path = f"/api/admin/accounts/{account_id(served, 'x.com/ann')}"

    assert code_of(served, "PATCH", path, body) == (422, "invalid_parameter", field)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, None),
        ({"into": 0}, "into"),
        ({"into": True}, "into"),
        ({"into": "2"}, "into"),
        ({"into": 2, "note": "a\u0000"}, "note"),
        ({"into": 2, "dry_run": "yes"}, "dry_run"),
    ],
    ids=ascii,
)
def test_a_merge_that_can_not_be(served: Service, body: Any, field: str | None) -> None:
    path = f"/api/admin/accounts/{account_id(served, 'x.com/ann')}/merge"

    assert code_of(served, "POST", path, body) == (422, "invalid_parameter", field)


@pytest.mark.parametrize("into", ["x.com/ann", "x.com/cat"], ids=["itself", "an account of another project"])
def test_only_two_accounts_of_one_project_are_merged(served: Service, into: str) -> None:
    path = f"/api/admin/accounts/{account_id(served, 'x.com/ann')}/merge"

    found = code_of(served, "POST", path, {"into": account_id(served, into)})

    assert found == (422, "invalid_parameter", "into")


@pytest.mark.parametrize("into", [999, 2**63])
def test_nothing_is_merged_into_an_account_that_is_not_there(served: Service, into: int) -> None:
    path = f"/api/admin/accounts/{account_id(served, 'x.com/ann')}/merge"

    assert code_of(served, "POST", path, {"into": into})[:2] == (404, "account_not_found")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, None),
        ({"note": "nothing else"}, None),
        ({"views": -1}, "views"),
        ({"views": 2**63}, "views"),
        ({"views": 1.5}, "views"),
        ({"views": "1"}, "views"),
        ({"views": True}, "views"),
        ({"clicks": 1}, None),
        ({"followers": None, "likes": None}, "followers"),
        ({"views": 1, "note": "\ud800"}, "note"),
        ({"views": 1, "note": "a" * 501}, "note"),
    ],
    ids=lambda value: ascii(value)[:60],
)
def test_counts_of_a_day_that_can_not_be(served: Service, body: Any, field: str | None) -> None:
    path = f"/api/admin/accounts/{account_id(served, 'x.com/ann')}/snapshots/2026-03-02"

    assert code_of(served, "PUT", path, body) == (422, "invalid_parameter", field)
    assert served.history("x.com/ann") == [("2026-03-02", 1000)]


@pytest.mark.parametrize("day", ["2026-02-30", "0000-01-01", "10000-01-01", "20260302", "2026-3-2", "today"])
def test_a_day_that_is_none(served: Service, day: str) -> None:
    path = f"/api/admin/accounts/{account_id(served, 'x.com/ann')}/snapshots/{day}"

    assert code_of(served, "DELETE", path) == (422, "invalid_parameter", "day")
    assert code_of(served, "PUT", path, {"views": 1}) == (422, "invalid_parameter", "day")


@pytest.mark.parametrize("url_key", ["x:nobody", "x:'; --", "x" * 4000])
def test_a_name_that_the_account_has_not_got(served: Service, url_key: str) -> None:
    path = f"/api/admin/accounts/{account_id(served, 'x.com/ann')}/aliases"

    assert code_of(served, "DELETE", path, url_key=url_key)[:2] == (404, "alias_not_found")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "1001"),
        ("limit", "abc"),
        ("limit", "-1"),
        ("cursor", "0"),
        ("cursor", str(2**63)),
        ("account_id", str(2**63)),
        ("metric", "clicks"),
        ("metric", ""),
        ("sort", "id"),
    ],
)
def test_a_query_for_changes_that_can_not_be(served: Service, name: str, value: str) -> None:
    path = f"/api/projects/{served.project()['id']}/changes"

    assert code_of(served, "GET", path, **{name: value}) == (422, "invalid_parameter", name)


@pytest.mark.parametrize("project_id", ["nobody", "' OR 1=1", "x" * 4000, "%ff"])
def test_a_project_that_is_not_there(service: Service, project_id: str) -> None:
    path = f"{PROJECTS}/{project_id}"
    calls: list[tuple[str, str, Any]] = [
        ("PATCH", path, {"status": "active"}),
        ("DELETE", path, None),
        ("POST", f"{path}/restore", None),
        ("POST", f"{path}/accounts", {"profile_url": "x.com/ann"}),
        ("GET", f"/api/projects/{project_id}/changes", None),
    ]

    assert {code_of(service, *one)[:2] for one in calls} == {(404, "project_not_found")}


@pytest.mark.parametrize("number", [999, 2**63 - 1, 2**63, 10**30])
def test_an_account_that_is_not_there(service: Service, number: int) -> None:
    path = f"/api/admin/accounts/{number}"
    calls: list[tuple[str, str, Any]] = [
        ("PATCH", path, {"mode": "off"}),
        ("DELETE", path, None),
        ("POST", f"{path}/merge", {"into": 1}),
        ("POST", f"{path}/correct_url", {"profile_url": "x.com/b"}),
        ("PUT", f"{path}/snapshots/2026-03-02", {"views": 1}),
        ("DELETE", f"{path}/snapshots/2026-03-02", None),
    ]

    assert {code_of(service, *one)[:2] for one in calls} == {(404, "account_not_found")}
    assert code_of(service, "DELETE", f"{path}/aliases", url_key="x:b")[:2] == (404, "account_not_found")


def test_editing_needs_the_admin_token(sqlite_service: Service) -> None:
    calls = [("POST", PROJECTS), ("PATCH", f"{PROJECTS}/a"), ("DELETE", f"{PROJECTS}/a"), ("GET", "/api/admin/audit")]

    found = {sqlite_service.client.open(path, method=method, json={}).status_code for method, path in calls}

    assert found == {401}


def test_a_change_is_not_made_by_half(served: Service) -> None:
    path = f"{PROJECTS}/{served.project()['id']}"

    found = code_of(served, "PATCH", path, {"status": "paused", "name": "Project B"})

    assert found[:2] == (409, "already_exists")
    assert call(served, "PATCH", path, {"status": "active"})["project"]["status"] == "active"
    assert served.get("/api/admin/audit")["audit"] == []
