"""Many callers of one server: they never see an error, and never cause a second sync that nobody needs."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.google import Google, google
from tests.e2e.harness import TOKEN, Service, serving, until


@pytest.fixture(scope="module")
def book() -> Iterator[Google]:
    with google() as opened:
        opened.tab("Project A", 20, 100)
        yield opened


@pytest.fixture(scope="module")
def service(book: Google, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("triggers"), book, workers=2) as running:
        assert running.sync().status == 200
        yield running


def test_64_triggers_at_once_are_one_run_that_sees_the_last_edit(service: Service, book: Google) -> None:
    before = service.states()
    asked = book.asked("tabs")

    with book.gate() as gate:
        first = service.sync_later()
        gate.wait()
        others = [service.sync_later() for _ in range(62)]
        answers = [other.result() for other in others]
        book.put("Project A", 2, 777)
        last = service.sync()
    answers += [first.result(), last]

    (run_id,) = service.states().keys() - before.keys()
    assert {answer.json["run_id"] for answer in answers} == {run_id}
    assert Counter(answer.status for answer in answers) == {202: 63, 200: 1}
    assert service.ended(run_id)["state"] == "succeeded"
    assert book.asked("tabs") - asked == 2
    assert 777 in service.followers()["Project A"]


def test_triggers_that_nobody_holds_up_end_without_an_error(service: Service, book: Google) -> None:
    before = service.states()

    answers = [later.result() for later in [service.sync_later() for _ in range(64)]]

    assert {answer.status for answer in answers} <= {200, 202}
    new = service.states().keys() - before.keys()
    assert {answer.json["run_id"] for answer in answers} == new
    assert {service.ended(run_id)["state"] for run_id in new} == {"succeeded"}


def test_triggers_for_single_projects_all_end_too(service: Service, book: Google) -> None:
    for number in range(30):
        book.tab(f"Single {number:02}", 2, 5)
    assert service.sync().status == 200
    projects = service.rows("SELECT id FROM projects")

    waiting = [service.sync_later(project_id=project, run_async=True) for project in projects]
    answers = [later.result() for later in waiting]

    assert {answer.status for answer in answers} <= {200, 202}
    ends = [service.ended(answer.json["run_id"]) for answer in answers]
    assert {end["state"] for end in ends} == {"succeeded"}, ends


def test_a_caller_that_hangs_up_does_not_end_the_sync(service: Service, book: Google) -> None:
    book.put("Project A", 3, 888)
    before = service.states()
    parts = urlsplit(service.url)

    with book.gate() as gate, socket.create_connection((str(parts.hostname), parts.port or 0)) as caller:
        caller.sendall(
            b"POST /api/admin/smart_sync HTTP/1.1\r\nHost: here\r\n"
            b"Authorization: Bearer " + TOKEN.encode() + b"\r\nContent-Length: 0\r\n\r\n"
        )
        gate.wait()

    (run_id,) = service.states().keys() - before.keys()
    assert service.ended(run_id)["state"] == "succeeded"
    assert 888 in service.followers()["Project A"]


def test_reads_are_answered_while_a_sync_waits_for_the_sheet(service: Service, book: Google) -> None:
    with book.gate() as gate:
        under_way = service.sync_later()
        gate.wait()

        status = service.get("/api/admin/sync_status")
        asked_again = [service.get("/api/admin/sync_status").status for _ in range(20)]
        assert not under_way.done()

    assert status.status == 200
    assert len(status.json["running"]) == 1
    assert set(asked_again) == {200}
    assert under_way.result().status == 200


def test_progress_of_a_run_can_be_read_from_any_worker(service: Service, book: Google) -> None:
    with book.gate() as gate:
        run_id = service.sync(run_async=True).json["run_id"]
        gate.wait()
        shown = until(lambda: (run := service.run(run_id))["total"] and run)

    assert (shown["phase"], shown["done"], shown["finished_at"]) == ("read", 0, None)
    assert service.ended(run_id)["done"] == shown["total"]


def test_a_second_server_on_the_same_database_does_not_sync_what_the_first_does(
    service: Service, book: Google, tmp_path: Path
) -> None:
    with (
        serving(tmp_path, book, env={"SMART_SYNC_DATA_DIR": str(service.folder / "data")}) as second,
        book.gate() as gate,
    ):
        first = service.sync_later()
        gate.wait()
        answer = second.sync()
        other = second.sync(force=True)
        gate.open()

        assert (answer.status, answer.json["run_id"]) == (202, first.result().json["run_id"])
        assert {result["skipped"] for result in other.json["results"]} == {"already_running"}
