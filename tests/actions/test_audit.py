"""What people change is written down, with the door they came through."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.calls import account_id, call
from tests.fakes.service import TOKEN, Service
from tests.fakes.sheet import FakeSheet
from webapp.actions.held import accept_held, reject_held
from webapp.actions.pins import delete_pin, put_pin
from webapp.actions.projects import remove_project
from webapp.actions.tabs import ignore_tab, restore_tab
from webapp.store import audit
from webapp.store.audit import AuditEntry

ANN = "https://x.com/ann"
OURS = {"Sec-Fetch-Site": "same-origin"}


def entries(service: Service) -> list[AuditEntry]:
    """Oldest first."""
    with service.db.read() as tx:
        return audit.latest(tx, limit=100)[::-1]


def written(service: Service) -> list[tuple[str, str | None]]:
    return [(entry.action, entry.door) for entry in entries(service)]


@pytest.fixture(autouse=True)
def synced(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN, 1000])
    service.sync()


@pytest.fixture
def held(service: Service) -> int:
    """A reading of Ann's that waits for a decision."""
    service.reading(ANN, followers=5000)
    service.sync()
    service.time.forward(days=4)
    service.reading(ANN, followers=90_000)
    service.sync()
    (row,) = service.get("/api/admin/held")["held"]
    return int(row["id"])


def test_a_pin_and_its_end_are_written_down(service: Service) -> None:
    ann = account_id(service, ANN)

    put_pin(service.parts.desk, ann, "followers", 700, note="bought")
    put_pin(service.parts.desk, ann, "followers", 800)
    delete_pin(service.parts.desk, ann, "followers")

    first, second, last = entries(service)
    pin = {"metric": "followers", "value": 700, "until": None, "note": "bought"}
    assert (first.action, first.target, first.before, first.after, first.note) == (
        "pin.put", f"account:{ann}", None, pin, "bought",
    )  # fmt: skip
    assert (second.before, second.after["value"]) == (pin, 800)
    assert (last.action, last.before["value"], last.after) == ("pin.delete", 800, None)


@pytest.mark.parametrize("decision", ["accept", "reject"])
def test_a_decision_on_a_held_reading_is_written_down(service: Service, held: int, decision: str) -> None:
    {"accept": accept_held, "reject": reject_held}[decision](service.parts.desk, held)

    (entry,) = entries(service)
    assert (entry.action, entry.target) == (f"held.{decision}", f"account:{account_id(service, ANN)}")
    assert (entry.before["value"], entry.before["state"], entry.after["state"]) == (90_000, "held", f"{decision}ed")


def test_a_tab_that_is_ignored_and_restored_is_written_down(service: Service) -> None:
    desk = service.parts.desk.through("cli")

    for which in ("Project A", "42"):
        ignore_tab(desk, which)
        restore_tab(desk, which)

    assert written(service) == [
        ("project.remove", "cli"), ("project.restore", "cli"), ("tab.ignore", "cli"), ("tab.restore", "cli"),
    ]  # fmt: skip


def test_a_project_comes_back_under_no_name_that_another_has_by_now(service: Service, sheet: FakeSheet) -> None:
    desk = service.parts.desk
    first = service.project()["id"]
    remove_project(desk, first)
    call(service, "POST", "/api/admin/projects", {"name": "Project A"}, 201)

    with pytest.raises(Exception, match="a project is called 'Project A' already"):
        restore_tab(desk, first)


def test_what_changes_nothing_is_not_written_down(service: Service) -> None:
    path = f"/api/admin/projects/{service.project()['id']}"

    call(service, "PATCH", path, {"status": "active"})
    call(service, "PUT", f"{path}/auto_sync", {"enabled": True})

    assert written(service) == []


def test_the_door_is_that_of_the_request(service: Service, held: int) -> None:
    """Whether the button of a page sends a form or its script calls the API."""
    page = service.client
    page.post("/sign-in", data={"token": TOKEN}, headers=OURS)
    path = f"/projects/{service.project()['id']}/auto_sync"

    answers: list[Any] = [
        page.post(path, data={"interval_minutes": "45"}, headers=OURS),
        page.put(f"/api/admin{path}", json={"interval_minutes": 60}, headers=OURS),
        page.post(f"/held/{held}/reject", headers=OURS),
        service.post(f"/api/admin/held/{held}/accept"),
    ]

    assert [answer.status_code for answer in answers] == [303, 200, 303, 200]
    assert written(service) == [
        ("project.auto_sync", "page"), ("project.auto_sync", "page"), ("held.reject", "page"), ("held.accept", "http"),
    ]  # fmt: skip
