"""The progress of a run as Server-Sent Events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes.service import ADMIN, Service
from webapp.api.views.events import Streams

PATH = "/api/admin/runs/{}/events"


@pytest.fixture
def service(sqlite_service: Service) -> Service:
    return sqlite_service


def events(text: str) -> list[tuple[str, str, dict[str, Any]]]:
    """(id, event, data) of a stream's events."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in fields:
            found.append((fields["id"], fields["event"], json.loads(fields["data"])))
    return found


def live_run(service: Service, done: int, total: int) -> str:
    """A run that another process is working at."""
    run_id = str(service.sync()["run_id"])
    sql = "UPDATE sync_runs SET state = 'running', phase = 'merge', done = :done, total = :total WHERE id = :id"
    service.write(sql, id=run_id, done=done, total=total)
    return run_id


def test_a_run_that_is_over_says_so_once_and_then_nothing(service: Service) -> None:
    service.sheet.rows("Project A", ["x.com/ann", 1000])
    run_id = service.sync()["run_id"]

    answer = service.client.get(PATH.format(run_id), headers=ADMIN)
    ((event_id, name, data),) = events(answer.text)
    again = service.client.get(PATH.format(run_id), headers=ADMIN | {"Last-Event-ID": event_id})

    assert (answer.content_type, name, data["percent"]) == ("text/event-stream", "end", 100)
    assert data["run"]["state"] == "succeeded"
    assert (again.status_code, again.text) == (204, "")


def test_a_live_run_is_followed_for_a_minute_without_repeating_itself(service: Service) -> None:
    run_id = live_run(service, 3, 10)
    before = service.time.now

    answer = service.client.get(PATH.format(run_id), headers=ADMIN)

    ((_, name, data),) = events(answer.text)
    assert (name, data["percent"], data["phase"], data["done"], data["total"]) == ("progress", 30, "merge", 3, 10)
    assert 60 <= (service.time.now - before).total_seconds() < 63
    assert ": still at it" in answer.text


def test_the_percentage_never_falls_and_is_100_only_at_the_end(service: Service) -> None:
    run_id = live_run(service, 10, 10)
    shares = [(10, 10), (10, 40), (39, 40)]

    seen, shown = "", []
    for done, total in shares:
        service.write("UPDATE sync_runs SET done = :done, total = :total", done=done, total=total)
        answer = service.client.get(PATH.format(run_id), headers=ADMIN | {"Last-Event-ID": seen})
        ((seen, _, data),) = events(answer.text)
        shown.append(data["percent"])

    assert shown == [99, 99, 99]


def test_a_browser_that_comes_back_is_told_only_what_is_new(service: Service) -> None:
    run_id = live_run(service, 3, 10)
    ((seen, _, _),) = events(service.client.get(PATH.format(run_id), headers=ADMIN).text)

    same = service.client.get(PATH.format(run_id), headers=ADMIN | {"Last-Event-ID": seen}).text
    service.write("UPDATE sync_runs SET done = 4")
    moved = service.client.get(PATH.format(run_id), headers=ADMIN | {"Last-Event-ID": seen})

    assert events(same) == []
    assert [data["done"] for _, _, data in events(moved.text)] == [4]


def test_streams_are_few_and_leave_room_for_readers(service: Service) -> None:
    run_id = live_run(service, 3, 10)
    streams: Streams = service.app.extensions["smart_sync"][Streams]
    opened = [service.client.get(PATH.format(run_id), headers=ADMIN, buffered=False) for _ in range(streams.limit)]

    refused = service.client.get(PATH.format(run_id), headers=ADMIN)
    for answer in opened:
        answer.close()
    allowed = service.client.get(PATH.format(run_id), headers=ADMIN)

    assert (refused.status_code, refused.json and refused.json["code"]) == (503, "too_many_streams")
    assert int(refused.headers["Retry-After"]) > 0
    assert allowed.status_code == 200


def test_an_unknown_run_has_no_events(service: Service) -> None:
    answer = service.client.get(PATH.format("nobody"), headers=ADMIN)

    assert (answer.status_code, answer.json and answer.json["code"]) == (404, "run_not_found")
    assert service.client.get(PATH.format("nobody")).status_code == 401


@pytest.mark.parametrize("garbage", ["-", "99999999999-x", "٣-running", "x" * 5000])
def test_any_last_event_id_is_put_up_with(service: Service, garbage: str) -> None:
    run_id = live_run(service, 3, 10)

    answer = service.client.get(PATH.format(run_id), headers=ADMIN | {"Last-Event-ID": garbage})

    assert [data["percent"] >= 30 for _, _, data in events(answer.text)] == [True]
