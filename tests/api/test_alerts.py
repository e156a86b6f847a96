"""Alerts over the API: seen, acknowledged, muted, tried out; and numbers that are watched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from tests.fakes.receiver import Receiver
from tests.fakes.service import ADMIN, Service
from tests.fakes.told import SECRET, until
from webapp.bootstrap import mail_of
from webapp.clock import iso
from webapp.config import Settings


@pytest.fixture
def hook(httpserver: HTTPServer) -> Receiver:
    return Receiver(httpserver)


@pytest.fixture
def api(sqlite_service: Service, hook: Receiver) -> Iterator[Service]:
    """A service with a project, that tells a webhook."""
    settings: Settings = replace(
        sqlite_service.parts.settings,
        private_targets=True,
        own_url="https://sync.example",
        webhook_urls=(hook.url,),
        webhook_secrets=(SECRET,),
    )
    sqlite_service.parts = replace(sqlite_service.parts, settings=settings)
    sqlite_service.options(mail=mail_of(settings))
    sqlite_service.sheet.rows("Project A", ["x.com/ann", 1000])
    sqlite_service.sync()
    yield sqlite_service
    sqlite_service.parts.background.stop.request()


def fail(api: Service) -> None:
    api.sheet.rows("Project A")
    api.time.forward(minutes=30)
    api.sync()


def listed(api: Service, **asked: Any) -> Any:
    return api.get("/api/admin/alerts", **asked)


def put(api: Service, body: dict[str, Any]) -> Any:
    return api.client.put("/api/admin/alerts/mutes", json=body, headers=ADMIN)


def delete(api: Service, path: str, **asked: str) -> Any:
    return api.client.delete(path, query_string=asked, headers=ADMIN)


def test_an_alert_says_what_since_when_how_bad_what_to_do_and_where(api: Service) -> None:
    assert listed(api)["alerts"] == []
    fail(api)

    (alert,) = listed(api)["alerts"]
    assert alert["title"] == "Project A: a tab lost too much at once"
    assert (alert["rule"], alert["level"], alert["state"]) == ("guard", "problem", "open")
    assert alert["what"].startswith("Project A: 1 of 1 accounts have lost their rows")
    assert alert["advice"] == "mend the tab, or sync with force"
    assert alert["page_url"] == f"https://sync.example/projects/{api.project()['id']}"
    assert alert["opened_at"] >= alert["since"]
    assert (alert["closed_at"], alert["acknowledged_at"], alert["muted"]) == (None, None, False)


def test_alerts_are_found_by_state_project_and_rule(api: Service) -> None:
    fail(api)
    api.sync(force=True)
    api.time.forward(hours=1)
    api.sync()

    assert listed(api)["alerts"] == []
    (closed,) = listed(api, state="closed", project_id=api.project()["id"], rule="guard")["alerts"]
    assert closed["closed_at"] > closed["opened_at"]
    assert listed(api, state="all", rule="stale")["alerts"] == []
    assert len(listed(api, state="all")["alerts"]) == 1


def test_an_alert_is_acknowledged_by_somebody_once(api: Service) -> None:
    fail(api)
    (alert,) = listed(api)["alerts"]
    assert listed(api)["unacknowledged"] == 1

    first = api.post(f"/api/admin/alerts/{alert['id']}/acknowledge", by="Ann")
    again = api.post(f"/api/admin/alerts/{alert['id']}/acknowledge", by="Bob")

    assert first.json is not None
    assert first.json["alert"]["acknowledged_by"] == "Ann"
    assert again.json is not None
    assert again.json["alert"]["acknowledged_by"] == "Ann"
    assert again.json["alert"]["state"] == "open"
    assert listed(api)["unacknowledged"] == 0
    assert [row["action"] for row in api.rows("SELECT action FROM audit_log")] == ["alert.acknowledge"]


def test_without_a_name_the_door_is_named(api: Service) -> None:
    fail(api)
    (alert,) = listed(api)["alerts"]

    answer = api.post(f"/api/admin/alerts/{alert['id']}/acknowledge")

    assert answer.json is not None
    assert answer.json["alert"]["acknowledged_by"] == "http"


def test_an_alert_that_is_not_there(api: Service) -> None:
    answer = api.post("/api/admin/alerts/77/acknowledge")

    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (404, "alert_not_found")


@pytest.mark.parametrize("what", ["rule", "project", "both", "all"])
def test_what_is_muted_is_kept_and_told_to_nobody(api: Service, what: str) -> None:
    body = {"rule": "guard"} if what in ("rule", "both") else {}
    body |= {"project_id": api.project()["id"]} if what in ("project", "both") else {}
    assert put(api, body).status_code == 200

    fail(api)

    (alert,) = listed(api)["alerts"]
    assert alert["muted"] is True
    assert api.one("SELECT count(*) FROM alert_deliveries WHERE event = 'alert.opened'") == 0
    assert listed(api)["mutes"] == [{"rule": None, "project_id": None, "until": None} | body]


def test_what_is_still_open_when_a_mute_ends_is_told_then(api: Service) -> None:
    until = iso(api.time.now + timedelta(hours=2))
    put(api, {"rule": "guard", "until": until})
    fail(api)
    assert listed(api)["mutes"][0]["until"] == until

    api.time.forward(hours=2)
    api.sync()

    assert listed(api)["mutes"] == []
    assert api.one("SELECT count(*) FROM alert_deliveries WHERE event = 'alert.opened'") == 1


def test_a_mute_is_taken_back(api: Service) -> None:
    put(api, {"rule": "guard"})

    assert delete(api, "/api/admin/alerts/mutes", rule="guard").status_code == 200
    assert delete(api, "/api/admin/alerts/mutes", rule="guard").status_code == 200
    fail(api)

    assert listed(api)["alerts"][0]["muted"] is False
    assert [row["action"] for row in api.rows("SELECT action FROM audit_log ORDER BY id")] == [
        "alert.mute",
        "alert.unmute",
    ]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"rule": "nonsense"}, 422, "invalid_parameter"),
        ({"project_id": "none"}, 404, "project_not_found"),
        ({"until": "2020-01-01T00:00:00Z"}, 422, "invalid_parameter"),
        ({"until": "2099-01-01T00:00:00Z"}, 422, "invalid_parameter"),
        ({"until": "2026-03-02T10:00:00"}, 422, "invalid_parameter"),
    ],
)
def test_a_mute_that_is_none(api: Service, body: dict[str, Any], status: int, code: str) -> None:
    answer = put(api, body)

    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_a_test_message_is_sent_at_once_and_said_where_it_arrives(api: Service, hook: Receiver) -> None:
    hook.got.clear()
    good = api.post("/api/admin/alerts/test")
    hook.status = 500
    bad = api.post("/api/admin/alerts/test")

    label = hook.url.removesuffix("hook") + "…"
    assert (good.status_code, good.json) == (200, {"success": True, "recipients": [{"label": label, "error": None}]})
    assert bad.status_code == 502
    assert bad.json == {
        "success": False,
        "recipients": [{"label": label, "error": "the webhook's address failed with status 500"}],
    }
    assert [event for event in hook.events if event == "test"] == ["test", "test"]


def test_a_test_that_arrives_ends_that_somebody_is_left_alone(api: Service, hook: Receiver) -> None:
    hook.status = 410
    api.time.forward(hours=1)
    api.sync(force=True)
    until(lambda: listed(api)["recipients"][0]["refused"])
    assert listed(api)["recipients"][0]["refused"] == "the webhook's address answered 410: it is gone"
    hook.status = 204

    api.post("/api/admin/alerts/test")

    assert listed(api)["recipients"][0]["refused"] is None


def test_where_nobody_is_told_a_test_says_so(sqlite_service: Service) -> None:
    answer = sqlite_service.post("/api/admin/alerts/test")

    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (422, "no_recipients")
    assert "SMART_SYNC_NOTIFY" in answer.json["hint"]


# Numbers that are watched


def watch(api: Service, **body: Any) -> Any:
    path = f"/api/admin/projects/{api.project()['id']}/thresholds"
    return api.post(path, {"metric": "followers", "kind": "above", "value": 5000} | body)


def test_a_number_that_crosses_its_line_is_an_alert_until_it_is_back(api: Service) -> None:
    answer = watch(api)
    assert answer.status_code == 201
    number = answer.json["threshold"]["id"]
    assert [one["id"] for one in api.get("/api/admin/thresholds")["thresholds"]] == [number]

    api.sheet.rows("Project A", ["x.com/ann", 5200])
    api.sync()
    (alert,) = listed(api)["alerts"]
    assert (alert["rule"], alert["level"]) == ("threshold", "risk")
    assert alert["what"] == "followers reached 5,200 (limit 5,000)"

    delete(api, f"/api/admin/thresholds/{number}")
    for _ in range(2):
        api.time.forward(hours=1)
        api.sync()

    assert listed(api)["alerts"] == []
    assert api.get("/api/admin/thresholds")["thresholds"] == []


def test_a_number_of_one_account(api: Service) -> None:
    account = api.account("x.com/ann")["id"]
    assert watch(api, account_id=account, kind="below", value=980).status_code == 201
    api.sheet.rows("Project A", ["x.com/ann", 950])

    api.sync()

    (alert,) = listed(api, rule="threshold")["alerts"]
    assert alert["what"] == "ann: followers fell to 950 (limit 980)"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"account_id": 999}, 404, "account_not_found"),
        ({"kind": "sideways"}, 422, "invalid_parameter"),
        ({"metric": "karma"}, 422, "invalid_parameter"),
        ({"value": -1}, 422, "invalid_parameter"),
        ({"value": 2**63}, 422, "invalid_parameter"),
    ],
)
def test_a_number_that_cannot_be_watched(api: Service, body: dict[str, Any], status: int, code: str) -> None:
    answer = watch(api, **body)

    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_how_much_one_account_has_fallen_is_not_watched(api: Service) -> None:
    answer = watch(api, account_id=api.account("x.com/ann")["id"], kind="fallen", value=5)

    assert (answer.status_code, answer.json["field"]) == (422, "account_id")


def test_an_account_of_another_project_is_not_there(api: Service) -> None:
    api.sheet.rows("Project B", ["x.com/bob", 7])
    api.sync()

    answer = watch(api, account_id=api.account("x.com/bob")["id"])

    assert (answer.status_code, answer.json["code"]) == (404, "account_not_found")


def test_a_project_has_as_many_as_it_may_have(api: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.actions.alerts.PER_PROJECT", 1)
    watch(api)

    answer = watch(api)

    assert (answer.status_code, answer.json["code"]) == (422, "too_many_thresholds")


def test_a_watched_number_that_is_not_there(api: Service) -> None:
    answer = delete(api, "/api/admin/thresholds/77")

    assert (answer.status_code, answer.json["code"]) == (404, "threshold_not_found")
