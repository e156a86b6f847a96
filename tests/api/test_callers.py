"""What the trigger owes to callers with ways of their own: GET only, or a delivery that is repeated."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.fakes.service import ADMIN, TOKEN, Service
from webapp.access import COOKIE, Sessions
from webapp.app import create_app
from webapp.clock import iso
from webapp.errors import SourceError

pytestmark = pytest.mark.usefixtures("answers")

PATH = "/api/admin/smart_sync"
JOB = "smart-sync"


@pytest.fixture
def service(sqlite_service: Service) -> Service:
    sqlite_service.sheet.rows("Project A", ["x.com/ann", 1000])
    return sqlite_service


@pytest.fixture
def getting(service: Service) -> FlaskClient:
    """A client of the service where GET may start a sync."""
    settings = replace(service.parts.settings, get_trigger=True)
    return create_app(replace(service.parts, settings=settings)).test_client()


def told(answer: TestResponse) -> Any:
    """The JSON of an answer."""
    return answer.json


def runs(service: Service) -> int:
    return int(service.one("SELECT COUNT(*) FROM sync_runs"))


# GET


def test_get_starts_nothing_unless_a_setting_says_so(service: Service) -> None:
    answer = service.client.get(PATH, headers=ADMIN)

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST, OPTIONS"
    assert "use POST" in told(answer)["detail"]
    assert runs(service) == 0


def test_get_syncs_where_the_setting_says_so(service: Service, getting: FlaskClient) -> None:
    answer = getting.get(PATH, query_string={"summary": "true"}, headers=ADMIN)

    assert (answer.status_code, told(answer)["success_count"]) == (200, 1)
    assert answer.headers["Cache-Control"] == "no-store"
    assert service.followers("x.com/ann") == 1000


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer undefined"}, {"Cookie": "a=b"}], ids=str)
def test_get_without_the_token_starts_nothing(service: Service, getting: FlaskClient, headers: dict[str, str]) -> None:
    assert getting.get(PATH, headers=headers).status_code == 401
    assert runs(service) == 0


def test_a_session_of_the_dashboard_starts_nothing_by_get(service: Service, getting: FlaskClient) -> None:
    cookie = Sessions(service.parts.tokens, service.parts.clock).open(TOKEN)
    assert cookie is not None
    getting.set_cookie(COOKIE, cookie)
    assert getting.get("/api/admin/sync_status").status_code == 200

    assert getting.get(PATH).status_code == 401
    assert runs(service) == 0


def test_head_never_starts_anything(service: Service, getting: FlaskClient) -> None:
    for client in (service.client, getting):
        answer = client.head(PATH, headers=ADMIN)

        assert answer.status_code == 405
        assert "POST" in answer.headers["Allow"]
    assert runs(service) == 0


def test_the_document_tells_of_get_only_where_it_is_taken(service: Service, getting: FlaskClient) -> None:
    documents = [told(client.get("/openapi.json"))["paths"][PATH] for client in (service.client, getting)]

    assert [sorted(document) for document in documents] == [["post"], ["get", "post"]]


# One delivery of Cloud Scheduler


def deliver(service: Service, at: datetime | str, job: str = JOB, **parameters: str) -> Any:
    """A call as Cloud Scheduler makes it for the schedule's time `at`."""
    time = at if isinstance(at, str) else str(iso(at))
    headers = ADMIN | {"X-CloudScheduler-JobName": job, "X-CloudScheduler-ScheduleTime": time}
    answer = service.client.post(PATH, query_string={"summary": "true"} | parameters, headers=headers)
    return told(answer) | {"status": answer.status_code}


def test_a_repeated_delivery_is_answered_by_the_run_it_got(service: Service) -> None:
    at = service.time.now
    service.time.forward(seconds=2)
    first = deliver(service, at)
    service.time.forward(minutes=4)

    again = deliver(service, at)

    assert again["run_id"] == first["run_id"]
    assert (again["replayed"], again["status"]) == (True, 200)


def test_the_next_delivery_is_a_run_of_its_own(service: Service) -> None:
    first = deliver(service, service.time.now)
    service.time.forward(minutes=5)

    assert deliver(service, service.time.now)["run_id"] != first["run_id"]


def test_a_forced_run_does_not_swallow_the_scheduled_one(service: Service) -> None:
    at = service.time.now + timedelta(minutes=10)
    forced = deliver(service, at)
    service.time.forward(minutes=10)

    scheduled = deliver(service, at)

    assert scheduled["run_id"] != forced["run_id"]


def test_a_delivery_that_failed_is_tried_again_in_earnest(service: Service) -> None:
    at = service.time.now
    service.sheet.offline(SourceError("the sheet is not shared", code="forbidden"))
    assert deliver(service, at)["status"] == 502
    service.sheet.online()
    service.time.forward(seconds=30)

    again = deliver(service, at)

    assert (again["status"], again["success"]) == (200, True)


@pytest.mark.parametrize(
    ("job", "parameters"), [("other", {}), (JOB, {"force": "true"})], ids=["another job", "another address"]
)
def test_jobs_of_the_same_minute_do_not_answer_for_each_other(
    service: Service, job: str, parameters: dict[str, str]
) -> None:
    first = deliver(service, service.time.now)

    other = deliver(service, service.time.now, job, **parameters)

    assert (other["status"], other["run_id"] != first["run_id"]) == (200, True)


@pytest.mark.parametrize(
    "at", ["", "soon", "2026-03-02", "0001-01-01T00:00:00+23:59", "2020-01-01T00:00:00Z", "9" * 99]
)
def test_a_time_that_says_nothing_of_this_delivery_is_left_aside(service: Service, at: str) -> None:
    first, second = deliver(service, at), deliver(service, at)

    assert (first["status"], second["status"]) == (200, 200)
    assert first["run_id"] != second["run_id"]


def test_a_key_of_the_callers_own_goes_first(service: Service) -> None:
    time = str(iso(service.time.now))
    headers = ADMIN | {"X-CloudScheduler-JobName": JOB, "X-CloudScheduler-ScheduleTime": time}
    keys = [{"Idempotency-Key": "one"}, {"Idempotency-Key": "two"}]

    ids = [told(service.client.post(PATH, headers=headers | key))["run_id"] for key in keys]

    assert len(set(ids)) == 2
