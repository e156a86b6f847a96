from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.calls import call, code_of
from tests.fakes.service import ADMIN, Service
from tests.fakes.sheet import FakeSheet

pytestmark = pytest.mark.usefixtures("answers")

PROJECTS = "/api/admin/projects"
BIGGEST = 2**63 - 1


def add(service: Service, **body: Any) -> Any:
    return call(service, "POST", PROJECTS, body, 201)["project"]


def change(service: Service, project: Any, **body: Any) -> Any:
    return call(service, "PATCH", f"{PROJECTS}/{project['id']}", body)["project"]


def remove(service: Service, project: Any) -> Any:
    return call(service, "DELETE", f"{PROJECTS}/{project['id']}")["project"]


def restore(service: Service, project: Any) -> Any:
    return call(service, "POST", f"{PROJECTS}/{project['id']}/restore")["project"]


def audit(service: Service, project: Any) -> Any:
    return service.get("/api/admin/audit", target=f"project:{project['id']}")["audit"]


@pytest.fixture
def synced(service: Service, sheet: FakeSheet) -> Any:
    """A project that was found in the sheet."""
    sheet.rows("Project A", ["x.com/ann", 1000])
    service.sync()
    return service.project()


def test_a_project_is_made_with_what_it_is_given(service: Service) -> None:
    asked = {
        "name": "  Spring   Campaign ",
        "target_views": 5_000_000,
        "merge_policy": "sheet",
        "status": "paused",
        "start_date": "2026-03-01",
        "end_date": "2026-03-31",
        "interval_minutes": 60,
        "auto_sync": False,
    }

    project = add(service, **asked)

    assert project | asked | {"name": "Spring Campaign"} == project
    assert project["name_set"] is True
    assert project["removed_at"] is None
    assert service.project("Spring Campaign")["id"] == project["id"]


def test_a_new_project_takes_the_tab_of_its_name_at_the_next_sync(service: Service, sheet: FakeSheet) -> None:
    project = add(service, name="project  a")
    sheet.rows("Project A", ["x.com/ann", 1000])

    result = service.sync()

    assert [one["project_id"] for one in result["results"]] == [project["id"]]
    assert service.followers("x.com/ann") == 1000
    assert service.rows("SELECT name FROM projects") == [{"name": "project  a".replace("  ", " ")}]


def test_a_new_project_takes_the_tab_it_names_by_gid(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", ["x.com/ann", 1000])
    project = add(service, name="Ours", worksheet_id=1, spreadsheet=sheet.key)

    service.sync(project_id=project["id"])

    assert service.followers("x.com/ann") == 1000
    assert service.project("Ours")["worksheet_title"] == "Project A"
    assert project["spreadsheet"] is None


def test_a_project_without_a_tab_lives_on_readings(service: Service) -> None:
    project = add(service, name="No tab")
    call(service, "POST", f"{PROJECTS}/{project['id']}/accounts", {"profile_url": "x.com/ann"}, 201)
    service.reading("x.com/ann", followers=7)

    service.sync(project_id=project["id"])

    assert service.followers("x.com/ann") == 7


def test_a_tab_belongs_to_one_project(service: Service, synced: Any) -> None:
    assert code_of(service, "POST", PROJECTS, {"name": "B", "worksheet_id": synced["worksheet_id"]}) == (
        409,
        "already_exists",
        None,
    )


@pytest.mark.parametrize("name", ["Project A", "project a", " PROJECT  A"])
def test_no_two_projects_have_one_name(service: Service, synced: Any, name: str) -> None:
    other = add(service, name="B")

    assert code_of(service, "POST", PROJECTS, {"name": name})[:2] == (409, "already_exists")
    assert code_of(service, "PATCH", f"{PROJECTS}/{other['id']}", {"name": name})[:2] == (409, "already_exists")
    assert change(service, synced, name="PROJECT A")["name"] == "PROJECT A"


def test_a_project_named_by_hand_keeps_its_name_when_its_tab_is_renamed(
    service: Service, sheet: FakeSheet, synced: Any
) -> None:
    changed = change(service, synced, name="Ours")
    sheet.rename("Project A", "Project Z")
    service.sync()

    assert changed["name_set"] is True
    assert service.project("Ours")["worksheet_title"] == "Project Z"


def test_a_name_is_handed_back_to_the_tab(service: Service, sheet: FakeSheet, synced: Any) -> None:
    change(service, synced, name="Ours")
    changed = change(service, synced, name=None)
    sheet.rename("Project A", "Project Z")
    service.sync()

    assert (changed["name"], changed["name_set"]) == ("Project A", False)
    assert service.project("Project Z")["id"] == synced["id"]


@pytest.mark.parametrize("status", ["paused", "finished"])
def test_a_project_that_is_not_active_is_not_synced(
    service: Service, sheet: FakeSheet, synced: Any, status: str
) -> None:
    change(service, synced, status=status)
    sheet.put("Project A!B2", 2000)
    service.sync()
    before = service.followers("x.com/ann")

    change(service, synced, status="active")
    service.sync()

    assert (before, service.followers("x.com/ann")) == (1000, 2000)


@pytest.mark.shortcuts
def test_another_policy_is_merged_by_the_next_sync_of_an_unchanged_tab(service: Service, synced: Any) -> None:
    service.reading("x.com/ann", followers=1050)
    service.sync()
    change(service, synced, merge_policy="sheet")

    service.sync()

    assert service.followers("x.com/ann") == 1000


def test_target_and_dates_are_set_and_taken_away(service: Service, synced: Any) -> None:
    set_ = change(service, synced, target_views=BIGGEST, start_date="2026-01-01", end_date="2026-01-01")
    gone = change(service, synced, target_views=None, start_date=None, end_date=None)

    assert (set_["target_views"], set_["start_date"], set_["end_date"]) == (BIGGEST, "2026-01-01", "2026-01-01")
    assert (gone["target_views"], gone["start_date"], gone["end_date"]) == (None, None, None)


def test_a_change_counts_the_revision_up_and_leaves_what_stood_before(service: Service, synced: Any) -> None:
    changed = change(service, synced, target_views=5)

    (entry,) = audit(service, synced)
    assert changed["revision"] == synced["revision"] + 1
    assert (entry["action"], entry["before"], entry["after"]) == (
        "project.change",
        {"target_views": None},
        {"target_views": 5},
    )


def test_a_change_to_what_is_so_already_leaves_no_trace(service: Service, synced: Any) -> None:
    before = service.tables()

    change(service, synced, status="active", merge_policy="max", end_date=None)

    assert service.tables() == before


def test_dates_can_not_be_reversed_by_changing_one_of_them(service: Service, synced: Any) -> None:
    change(service, synced, start_date="2026-03-02")

    assert code_of(service, "PATCH", f"{PROJECTS}/{synced['id']}", {"end_date": "2026-03-01"}) == (
        422,
        "invalid_parameter",
        "end_date",
    )


# Removing


def test_a_removed_project_is_not_synced_and_not_found_again(service: Service, sheet: FakeSheet, synced: Any) -> None:
    removed = remove(service, synced)
    sheet.put("Project A!B2", 2000)

    result = service.sync()

    assert removed["removed_at"] is not None
    assert result["results"] == []
    assert service.followers("x.com/ann") == 1000
    assert service.one("SELECT COUNT(*) FROM projects") == 1


def test_a_removed_project_keeps_its_history(service: Service, synced: Any) -> None:
    remove(service, synced)

    assert service.history("x.com/ann") == [("2026-03-02", 1000)]


def test_the_tab_of_a_removed_project_is_ignored_under_another_name_too(
    service: Service, sheet: FakeSheet, synced: Any
) -> None:
    remove(service, synced)
    sheet.rename("Project A", "Project Z")

    service.sync()

    assert service.one("SELECT COUNT(*) FROM projects") == 1


def test_a_restored_project_goes_on_where_it_was(service: Service, sheet: FakeSheet, synced: Any) -> None:
    remove(service, synced)
    sheet.put("Project A!B2", 2000)
    restored = restore(service, synced)

    service.sync()

    assert restored["removed_at"] is None
    assert service.table("ignored_tabs") == []
    assert service.followers("x.com/ann") == 2000


def test_restoring_leaves_other_ignored_tabs_alone(service: Service, synced: Any) -> None:
    service.write(
        "INSERT INTO ignored_tabs (spreadsheet, worksheet_id) VALUES ('other', :id)", id=synced["worksheet_id"]
    )
    remove(service, synced)

    restore(service, synced)

    assert [row[0] for row in service.table("ignored_tabs")] == ["other"]


def test_a_tab_that_was_ignored_is_no_longer_when_a_project_is_made_of_it(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", ["x.com/ann", 1000])
    service.write("INSERT INTO ignored_tabs (spreadsheet, worksheet_id) VALUES ('', '1')")

    add(service, name="Ours", worksheet_id="1")
    service.sync()

    assert service.table("ignored_tabs") == []
    assert service.followers("x.com/ann") == 1000


def test_removing_and_restoring_twice_is_removing_and_restoring_once(service: Service, synced: Any) -> None:
    assert remove(service, synced) == remove(service, synced)
    assert restore(service, synced) == restore(service, synced)
    assert [entry["action"] for entry in audit(service, synced)] == ["project.restore", "project.remove"]


def test_a_removed_project_is_restored_before_it_is_changed(service: Service, synced: Any) -> None:
    remove(service, synced)

    path = f"{PROJECTS}/{synced['id']}"
    assert code_of(service, "PATCH", path, {"status": "paused"})[:2] == (404, "project_not_found")
    assert code_of(service, "POST", f"{path}/accounts", {"profile_url": "x.com/bob"})[:2] == (404, "project_not_found")
    assert code_of(service, "POST", PROJECTS, {"name": "B", "worksheet_id": synced["worksheet_id"]})[0] == 409


def test_the_name_of_a_removed_project_is_free_until_it_is_restored(service: Service, synced: Any) -> None:
    remove(service, synced)
    add(service, name="Project A")

    assert code_of(service, "POST", f"{PROJECTS}/{synced['id']}/restore")[:2] == (409, "already_exists")


@pytest.mark.parametrize(
    "name", ["<script>", "=1+1", "O'Brien; --", "emoji \U0001f469\u200d\U0001f4bb", "имя", "\uffff"]
)
def test_any_other_name_is_kept_as_it_is(service: Service, name: str) -> None:
    assert add(service, name=name)["name"] == name
    assert service.project(name)["name"] == name


def test_the_address_of_a_configured_spreadsheet_means_it(sqlite_url: str) -> None:
    first, second = FakeSheet("1" * 30), FakeSheet("2" * 30)
    service = Service(sqlite_url, sheets=[first, second])
    address = f"https://docs.google.com/spreadsheets/d/{second.key}/edit#gid=0"

    assert add(service, name="A", spreadsheet=address)["spreadsheet"] == second.key
    assert add(service, name="B", spreadsheet=second.key)["spreadsheet"] == second.key
    assert add(service, name="C")["spreadsheet"] is None
    service.close()


# Another tab by hand


def test_a_project_is_given_another_tab_by_its_title(service: Service, sheet: FakeSheet, synced: Any) -> None:
    sheet.delete("Project A")
    sheet.rows("Spring", ["x.com/ann", 2000], ["x.com/ben", 1], ["x.com/cid", 1])
    service.options(discover=False)
    assert service.sync(status=502)["results"][0]["error_code"] == "tab_missing"

    changed = change(service, synced, worksheet_title=" Spring ")
    result = service.sync()["results"][0]

    assert (changed["worksheet_id"], changed["worksheet_title"]) == (None, "Spring")
    assert (result["project_id"], result["project_name"]) == (synced["id"], "Spring")
    assert (service.followers("x.com/ann"), service.project("Spring")["worksheet_id"]) == (2000, "2")
    assert audit(service, synced)[0]["action"] == "project.change"


@pytest.mark.parametrize("worksheet_id", [2, "2"])
def test_a_project_is_given_another_tab_by_its_gid(
    service: Service, sheet: FakeSheet, synced: Any, worksheet_id: int | str
) -> None:
    sheet.rows("Spring", ["x.com/ann", 2000])
    service.options(discover=False)

    changed = change(service, synced, worksheet_id=worksheet_id)
    result = service.sync()["results"][0]

    assert (changed["worksheet_id"], changed["worksheet_title"]) == ("2", None)
    assert (result["project_name"], service.followers("x.com/ann")) == ("Spring", 2000)


def test_the_tab_of_another_project_is_not_taken(service: Service, sheet: FakeSheet, synced: Any) -> None:
    sheet.rows("Project B", ["x.com/ben", 1])
    service.sync()
    other = service.project("Project B")

    for body in ({"worksheet_id": "2"}, {"worksheet_title": "project b"}):
        answer = service.client.patch(f"{PROJECTS}/{synced['id']}", json=body, headers=ADMIN)

        assert (answer.status_code, answer.json and answer.json["code"]) == (409, "already_exists")
        assert "remove that one first" in answer.text

    remove(service, other)
    change(service, synced, worksheet_title="Project B")
    result = service.sync()["results"][0]

    assert (result["project_id"], result["project_name"]) == (synced["id"], "Project B")


@pytest.mark.parametrize(
    "body", [{"worksheet_title": ""}, {"worksheet_title": None}, {"worksheet_id": ""}, {"worksheet_id": -1}]
)
def test_a_tab_needs_a_name(service: Service, synced: Any, body: dict[str, Any]) -> None:
    answer = service.client.patch(f"{PROJECTS}/{synced['id']}", json=body, headers=ADMIN)

    assert answer.status_code == 422


def test_a_tab_that_is_not_there_is_said_at_the_next_sync(service: Service, synced: Any) -> None:
    service.options(discover=False)
    change(service, synced, worksheet_id="99")

    result = service.sync(status=502)["results"][0]

    assert result["error_code"] == "tab_missing"
