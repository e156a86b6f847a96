"""Processes that are killed or frozen in the middle of a sync: nothing half written, nobody has to clear up."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.e2e.google import Google
from tests.e2e.harness import Service, environment, frozen, later, serving, until

SHORT_LEASE = {"SMART_SYNC_LEASE_SECONDS": "1"}
# Wide enough that three tabs do not fit into one call, so that there is a moment between two projects.
WIDE = "n" * 50_000
TABS = ("Project A", "Project B", "Project C")


def fill(sheet: Google, followers: int, *, note: str = "") -> None:
    for title in TABS:
        sheet.tab(title, 30, followers, note=note)


def taken_over(service: Service, run_id: str) -> str:
    """Trigger like a cron until another run answers; its id."""

    def another() -> str | None:
        answer = service.sync()
        assert answer.status in {200, 202}, answer
        return answer.json["run_id"] if answer.json["run_id"] != run_id else None

    return until(another)


def test_a_killed_worker_is_replaced_and_its_run_taken_over(sheet: Google, tmp_path: Path) -> None:
    fill(sheet, 100)
    with serving(tmp_path, sheet, env=SHORT_LEASE) as service:
        assert service.sync().status == 200
        fill(sheet, 200)
        with sheet.gate() as gate:
            caller = service.sync_later()
            gate.wait()
            (run_id,) = service.rows("SELECT id FROM sync_runs WHERE state = 'running'")
            os.kill(service.workers[-1], signal.SIGKILL)
            with pytest.raises(OSError, match=r"closed connection|reset"):
                caller.result()
            until(service.ready)
            at_once = service.sync()

        next_run = taken_over(service, run_id)

        assert (at_once.status, at_once.json["run_id"]) == (202, run_id)
        assert service.ended(next_run)["state"] == "succeeded"
        assert service.states()[run_id] == "abandoned"
        assert service.followers() == {title: {200} for title in TABS}
        assert service.rows("SELECT count(*) FROM account_snapshots") == [90]
        assert service.sound()


def test_whatever_moment_all_processes_are_killed_at_each_project_is_old_or_new(sheet: Google, tmp_path: Path) -> None:
    fill(sheet, 0, note=WIDE)
    with serving(tmp_path, sheet) as service:
        assert service.sync().status == 200
    for held, new in zip(TABS, (100, 200, 300), strict=True):
        fill(sheet, new, note=WIDE)
        calls = len(sheet.calls)

        with serving(tmp_path, sheet, env=SHORT_LEASE) as service:
            with sheet.gate(tab=held) as gate:
                service.sync_later(run_async=True)
                gate.wait()
                service.kill()
            asked = [titles for call, titles in sheet.calls[calls:] if call == "cells"]

            assert {len(titles) for titles in asked} == {1}
            for title, values in service.followers().items():
                assert values in ({new - 100}, {new} if title != held else {new - 100})
            assert service.sound()

        with serving(tmp_path, sheet, env=SHORT_LEASE) as service:
            (run_id,) = service.rows("SELECT id FROM sync_runs WHERE state = 'running'")
            next_run = taken_over(service, run_id)
            assert service.ended(next_run)["state"] == "succeeded"
            assert service.states()[run_id] == "abandoned"
            assert service.followers() == {title: {new} for title in TABS}


def test_a_frozen_worker_that_wakes_up_writes_nothing(sheet: Google, tmp_path: Path) -> None:
    fill(sheet, 100)
    shared = {"SMART_SYNC_DATA_DIR": str(tmp_path / "one" / "data"), **SHORT_LEASE}
    with serving(tmp_path / "one", sheet, env=shared) as one, serving(tmp_path / "two", sheet, env=shared) as two:
        assert one.sync().status == 200
        fill(sheet, 200)
        with sheet.gate() as gate:
            caller = one.sync_later()
            gate.wait()
            (dead,) = one.rows("SELECT id FROM sync_runs WHERE state = 'running'")
            with frozen(one):
                gate.open()  # the answer that waits for it has 200
                fill(sheet, 300)
                sheet.tab("Project D", 5, 300)
                next_run = taken_over(two, dead)
                state = two.ended(next_run)["state"]
                fill(sheet, 400)
            answer = caller.result()

        assert state == "succeeded"
        assert (answer.status, answer.json["run_id"], answer.json["state"]) == (503, dead, "abandoned")
        assert one.states()[dead] == "abandoned"
        assert one.followers() == {title: {300} for title in (*TABS, "Project D")}
        assert two.sync().json["success"]
        assert one.followers()["Project A"] == {400}
        assert one.sound()


def test_a_frozen_worker_finds_no_projects_after_its_run_was_closed(sheet: Google, tmp_path: Path) -> None:
    sheet.tab("Project A", 5, 100)
    shared = {"SMART_SYNC_DATA_DIR": str(tmp_path / "one" / "data"), **SHORT_LEASE}
    with serving(tmp_path / "one", sheet, env=shared) as one, serving(tmp_path / "two", sheet, env=shared) as two:
        with sheet.gate() as gate, sheet.gate("tabs", skip=1) as other:
            caller = one.sync_later()
            gate.wait()
            (dead,) = one.rows("SELECT id FROM sync_runs WHERE state = 'running'")
            with frozen(one):
                gate.open()
                taking_over = later(partial(taken_over, two, dead))
                other.wait()
            answer = caller.result()
            found_by_the_dead = one.rows("SELECT name FROM projects")
        next_run = taking_over.result()

        assert (answer.status, answer.json["state"]) == (503, "abandoned")
        assert found_by_the_dead == []
        assert two.ended(next_run)["state"] == "succeeded"
        assert one.states() == {dead: "abandoned", next_run: "succeeded"}
        assert one.followers() == {"Project A": {100}}


def test_a_frozen_sheet_of_a_dead_run_leaves_no_trace(sheet: Google, tmp_path: Path) -> None:
    fill(sheet, 100)
    with serving(tmp_path, sheet, env=SHORT_LEASE) as service:
        assert service.sync().status == 200
        with sheet.gate("tabs") as gate:
            service.sync_later(run_async=True)
            gate.wait()
            service.kill()

    with serving(tmp_path, sheet, env=SHORT_LEASE) as service:
        (dead,) = service.rows("SELECT id FROM sync_runs WHERE state = 'running'")
        taken_over(service, dead)
        status = service.get("/api/admin/sync_status").json

        assert status["running"] == []
        assert status["sheet"]["state"] == "ok"
        assert service.rows("SELECT name FROM leases WHERE holder IS NOT NULL") == []


def test_units_of_a_quota_that_a_killed_process_had_taken_stay_counted(httpserver: HTTPServer, tmp_path: Path) -> None:
    asked, end = threading.Event(), threading.Event()

    def answer(_: Request) -> Response:
        asked.set()
        end.wait(20)
        return Response("{}", content_type="application/json")

    httpserver.expect_request("/youtube/v3/channels").respond_with_handler(answer)
    folder = tmp_path / "sheet"
    folder.mkdir()
    channels = [f"https://www.youtube.com/channel/UC{number:022d},1" for number in range(120)]
    (folder / "Project A.csv").write_text("\n".join(["Link,Followers", *channels, ""]))
    platform = {"YOUTUBE_API_KEY": "a-key-of-youtube", "SMART_SYNC_YOUTUBE_API": httpserver.url_for("").rstrip("/")}
    env = environment(tmp_path, env={"SMART_SYNC_SHEET": str(folder), "SMART_SYNC_PLATFORMS": "youtube", **platform})
    command = [sys.executable, "-m", "webapp.cli", "sync"]
    subprocess.run(command, cwd=tmp_path, env=env, check=True, capture_output=True, timeout=60)
    with subprocess.Popen(
        command, cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        assert asked.wait(30)
        process.send_signal(signal.SIGKILL)
        end.set()

    with closing(sqlite3.connect(tmp_path / "data" / "smart_sync.db")) as db:
        assert db.execute("SELECT name, quota_used FROM platform_states").fetchall() == [("youtube", 3)]
