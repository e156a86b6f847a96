"""What an outside monitor is told of runs, and that nothing of it ever touches the sync."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.fakes.service import ADMIN, Service
from webapp.alerts.ping import Ping
from webapp.app import create_app
from webapp.bootstrap import Parts
from webapp.config import Settings
from webapp.errors import ConfigError, SourceError, StoreError, TransientSourceError
from webapp.store import runs
from webapp.sync.trigger import Trigger
from webapp.sync.watch import at_once, watch

SECRET = "a-secret-check"


class Monitor:
    """A monitor that keeps what it is told: (what, the run's id, words)."""

    def __init__(self, server: HTTPServer) -> None:
        self.told: list[tuple[str, str, str]] = []
        self.status = 200
        self.url = server.url_for(f"/{SECRET}")
        server.expect_request("/", method="POST").respond_with_handler(self._take)
        for what in ("", "/start", "/fail"):
            server.expect_request(f"/{SECRET}{what}", method="POST").respond_with_handler(self._take)

    def _take(self, request: Request) -> Response:
        what = request.path.removeprefix(f"/{SECRET}")
        self.told.append((what, request.args["rid"], request.get_data(as_text=True)))
        return Response("OK", self.status)

    @property
    def events(self) -> list[str]:
        return [what or "success" for what, _, _ in self.told]


class Watched:
    """A service that pings; its answers are given once the pings are through."""

    def __init__(self, service: Service, **settings: Any) -> None:
        self.service = service
        self.parts: Parts = replace(service.parts, settings=replace(service.parts.settings, **settings))
        self.client = create_app(self.parts).test_client()

    def sync(self, **parameters: str) -> Any:
        answer = self.client.post("/api/admin/smart_sync", query_string=parameters, headers=ADMIN)
        self.settle()
        return answer

    def settle(self) -> None:
        for thread in threading.enumerate():
            if thread.name.startswith(("ping-", "run-")):
                thread.join(30)


@pytest.fixture
def monitor(httpserver: HTTPServer) -> Monitor:
    return Monitor(httpserver)


@pytest.fixture
def pinging(sqlite_service: Service, monitor: Monitor) -> Iterator[Watched]:
    sqlite_service.sheet.rows("Project A", ["x.com/ann", 1000])
    service = Watched(sqlite_service, ping_url=monitor.url, private_targets=True)
    yield service
    service.settle()


def test_a_run_is_told_at_its_start_and_at_its_end(pinging: Watched, monitor: Monitor) -> None:
    run_id = pinging.sync().json["run_id"]

    assert str(UUID(run_id)) == run_id
    (start, end) = monitor.told
    assert start == ("/start", run_id, "")
    assert end[:2] == ("", run_id)
    assert end[2].startswith("succeeded: 1 project done, 0 failed, 0 skipped, 0 left")


def test_a_run_in_the_background_is_told_too(pinging: Watched, monitor: Monitor) -> None:
    answer = pinging.sync(**{"async": "true"})
    pinging.settle()

    assert answer.status_code == 202
    assert monitor.events == ["/start", "success"]


def test_a_call_that_finds_nothing_due_is_a_sign_of_life(pinging: Watched, monitor: Monitor) -> None:
    pinging.sync()
    monitor.told.clear()

    pinging.sync(due="true")

    assert monitor.events == ["/start", "success"]


def test_a_failure_is_told_with_its_reason(pinging: Watched, monitor: Monitor) -> None:
    pinging.sync()
    monitor.told.clear()
    pinging.service.sheet.offline(SourceError("the sheet is not shared", code="forbidden"))

    pinging.sync()

    assert monitor.events == ["/start", "/fail"]
    assert "1 failed" in monitor.told[-1][2]


def test_a_call_that_finds_nothing_due_does_not_make_good_what_failed(pinging: Watched, monitor: Monitor) -> None:
    pinging.sync()
    pinging.service.sheet.rows("Project A")
    pinging.sync(due="true")
    pinging.service.time.forward(minutes=31)
    for _ in range(4):  # it is tried again at once, then after 2, 4, ... minutes
        pinging.sync(due="true")
    monitor.told.clear()

    pinging.sync(due="true")
    pinging.sync(force="true")
    pinging.sync(due="true")

    assert monitor.events == ["/start", "/fail", "/start", "success", "/start", "success"]
    assert monitor.told[1][2].startswith("succeeded: 0 projects done")
    assert "still failing: Project A: " in monitor.told[1][2]
    assert "1 of 1 accounts have lost their rows" in monitor.told[1][2]


def test_a_project_whose_automatic_sync_is_off_is_nobodys_failure(pinging: Watched, monitor: Monitor) -> None:
    pinging.sync()
    pinging.service.sheet.rows("Project A")
    pinging.sync()
    pinging.service.write("UPDATE projects SET auto_sync = :off", off=False)
    monitor.told.clear()

    pinging.sync(due="true")

    assert monitor.events == ["/start", "success"]


def test_many_projects_that_fail_are_named_in_part(pinging: Watched, monitor: Monitor) -> None:
    for name in "BCDE":
        pinging.service.sheet.rows(f"Project {name}", [f"x.com/{name}", 1000])
    pinging.sync()
    for name in "ABCDE":
        pinging.service.sheet.rows(f"Project {name}")
    pinging.sync()
    pinging.sync(due="true")
    monitor.told.clear()

    pinging.sync(due="true")

    assert monitor.events == ["/start", "/fail"]
    assert monitor.told[1][2].endswith("; and 2 more")


def test_an_outage_is_a_degraded_success_at_first_and_then_a_failure_with_its_reason(
    pinging: Watched, monitor: Monitor
) -> None:
    pinging.sync()
    monitor.told.clear()
    pinging.service.sheet.offline(TransientSourceError("the Sheets API answered 503", code="upstream_error"))

    pinging.sync()
    pinging.service.time.forward(hours=3)
    pinging.sync()

    assert monitor.events == ["/start", "success", "/start", "/fail"]
    short, long = monitor.told[1][2], monitor.told[3][2]
    assert short.startswith("degraded: 1 project done")
    assert "Project A: the Sheets API answered 503" in short
    assert long.startswith("partial: 0 projects done, 1 failed")
    assert "Project A: the Sheets API answered 503; nothing of the sheet was read since" in long


def test_a_tab_that_shrank_is_told_as_a_failure(pinging: Watched, monitor: Monitor) -> None:
    pinging.sync()
    monitor.told.clear()
    pinging.service.sheet.rows("Project A")

    pinging.sync()

    assert monitor.events == ["/start", "/fail"]
    assert "1 of 1 accounts have lost their rows" in monitor.told[-1][2]


@pytest.mark.parametrize("how", ["dry_run", "project_id"])
def test_what_is_not_the_regular_call_is_not_taken_for_it(pinging: Watched, monitor: Monitor, how: str) -> None:
    pinging.sync()
    project = str(pinging.service.project()["id"])
    monitor.told.clear()

    pinging.sync(**{how: {"dry_run": "true", "project_id": project}[how]})

    assert monitor.told == []


def test_no_address_means_no_ping(sqlite_service: Service, monitor: Monitor) -> None:
    Watched(sqlite_service, private_targets=True).sync()

    assert monitor.told == []


@pytest.mark.parametrize(("status", "tries"), [(500, 2), (429, 1), (404, 1), (301, 1)])
def test_a_monitor_that_fails_changes_nothing_and_is_asked_twice_at_most(
    pinging: Watched, monitor: Monitor, status: int, tries: int
) -> None:
    monitor.status = status

    answer = pinging.sync()

    assert (answer.status_code, answer.json["success"]) == (200, True)
    assert monitor.events == ["/start"] * tries + ["success"] * tries


def test_a_ping_that_fails_is_logged_without_its_address(
    pinging: Watched, monitor: Monitor, caplog: pytest.LogCaptureFixture
) -> None:
    monitor.status = 404

    with caplog.at_level(logging.DEBUG, logger="smart_sync"):
        pinging.sync()

    lines = [f"{record.message} {vars(record)}" for record in caplog.records if record.name == "smart_sync"]
    assert any("a ping was not sent" in line and "status_404" in line for line in lines)
    assert SECRET not in "".join(lines)


def test_a_private_address_is_not_pinged_unless_allowed(
    sqlite_service: Service, monitor: Monitor, caplog: pytest.LogCaptureFixture
) -> None:
    answer = Watched(sqlite_service, ping_url=monitor.url).sync()

    assert answer.status_code == 200
    assert monitor.told == []
    assert "private_address" in {getattr(record, "code", None) for record in caplog.records}


def test_other_words_of_the_address_are_kept() -> None:
    sent: list[str] = []
    ping = Ping("https://hc.example/key/slug/?create=1", lambda url, _: sent.append(url))

    ping.begin("run", at_once)(lambda: (False, ""))

    assert sent == [
        "https://hc.example/key/slug/start?create=1&rid=run",
        "https://hc.example/key/slug/fail?create=1&rid=run",
    ]


def test_an_end_never_overtakes_its_start() -> None:
    sent: list[str] = []
    waiting: list[Any] = []
    ping = Ping("https://hc.example/c", lambda url, _: sent.append(url))
    end = ping.begin("run", lambda work, _: waiting.append(work))
    end(lambda: (True, ""))

    threads = [threading.Thread(target=work) for work in reversed(waiting)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sent == ["https://hc.example/c/start?rid=run", "https://hc.example/c?rid=run"]


def test_a_system_without_threads_still_syncs(sqlite_service: Service) -> None:
    def no_thread(*_: Any) -> None:
        raise RuntimeError("can't start new thread")

    ping = Ping("https://hc.example/c", lambda *_: None)
    trigger = Trigger()
    run = sqlite_service.engine.start(trigger).run

    with watch(ping, sqlite_service.db, run, trigger, no_thread):
        done = True

    assert done


def test_a_run_that_ends_without_a_word_is_told_as_failed(sqlite_service: Service) -> None:
    sent: list[tuple[str, bytes]] = []
    ping = Ping("https://hc.example/c", lambda url, body: sent.append((url, body)))
    trigger = Trigger()
    run = sqlite_service.engine.start(trigger).run

    with pytest.raises(ZeroDivisionError), watch(ping, sqlite_service.db, run, trigger, at_once):
        raise ZeroDivisionError

    assert sent[-1] == (f"https://hc.example/c/fail?rid={run.id}", b"the run ended without a word")


def test_a_run_whose_end_cannot_be_read_is_reported_as_failed(
    sqlite_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, bytes]] = []
    ping = Ping("https://hc.example/c", lambda url, body: sent.append((url, body)))
    trigger = Trigger()
    run = sqlite_service.engine.start(trigger).run

    def broken(*_: Any) -> None:
        raise StoreError("The file has gone", code="database_replaced")

    with watch(ping, sqlite_service.db, run, trigger, at_once):
        monkeypatch.setattr(runs, "by_id", broken)

    words = b"the run's end could not be read: database_replaced"
    assert sent[-1] == (f"https://hc.example/c/fail?rid={run.id}", words)


@pytest.mark.parametrize(
    "text",
    ["hc-ping.com/x", "ftp://a/x", "https:///x", "https://u:p@a/x", "https://a/x y", "https://a:x/", "https://a/#f"],
)
def test_an_address_that_is_none_stops_the_start_without_being_shown(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Settings.from_env({"SMART_SYNC_PING_URL": text})

    assert "SMART_SYNC_PING_URL: is not an address" in str(refused.value)
    assert text not in str(refused.value)


def test_the_address_is_not_shown_with_the_settings() -> None:
    assert SECRET not in repr(Settings.from_env({"SMART_SYNC_PING_URL": f"https://hc-ping.com/{SECRET}"}))
