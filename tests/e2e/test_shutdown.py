"""Servers that are told to end, or to start anew, while they sync."""

from __future__ import annotations

import errno
import signal
import socket
from pathlib import Path

from tests.e2e.google import Google
from tests.e2e.harness import Service, later, serving, until

# Wide enough that the tabs do not fit into one call, so that there is a moment between two projects.
WIDE = "n" * 50_000
TABS = ("Project A", "Project B", "Project C")


def fill(sheet: Google, followers: int) -> None:
    for title in TABS:
        sheet.tab(title, 30, followers, note=WIDE)


def told(service: Service) -> bool:
    """Whether a worker has been told to end: from then on it takes no more triggers."""
    return "Handling signal: term" in service.log


def test_a_sync_that_fits_the_grace_is_finished_before_the_server_ends(sheet: Google, tmp_path: Path) -> None:
    fill(sheet, 100)
    with serving(tmp_path, sheet, "--grace", "20", workers=2) as service:
        with sheet.gate() as gate:
            caller = service.sync_later()
            gate.wait()
            service.signal(signal.SIGTERM)
            until(lambda: told(service))

        assert caller.result().status == 200
        assert service.exit() == 0
        assert set(service.states().values()) == {"succeeded"}
        assert service.followers() == {title: {100} for title in TABS}


def test_a_server_that_ends_lets_nobody_wait_for_it(sheet: Google, tmp_path: Path) -> None:
    fill(sheet, 100)
    with serving(tmp_path, sheet, "--grace", "20", workers=2) as service:
        with sheet.gate() as gate:
            caller = service.sync_later()
            gate.wait()
            service.signal(signal.SIGTERM)
            until(lambda: _refuses(service))
            assert not caller.done()

        assert caller.result().status == 200


def _refuses(service: Service) -> bool:
    """Whether a balancer would go to the next server at once."""
    with socket.socket() as client:
        client.settimeout(2)
        return client.connect_ex(("127.0.0.1", int(service.url.rpartition(":")[2]))) == errno.ECONNREFUSED


def test_a_sync_longer_than_the_grace_is_cancelled_between_two_projects(sheet: Google, tmp_path: Path) -> None:
    fill(sheet, 100)
    with serving(tmp_path, sheet) as service:
        assert service.sync().status == 200
    fill(sheet, 200)
    with serving(tmp_path, sheet, "--grace", "3") as service:
        with sheet.gate(tab=TABS[1]) as gate:
            caller = service.sync_later()
            gate.wait()
            service.signal(signal.SIGTERM)
            answer = caller.result()
        code = service.exit()

        assert (answer.status, answer.json["state"], answer.json["error_code"]) == (503, "cancelled", "shutting_down")
        assert answer.headers["Retry-After"].isdigit()
        assert not answer.json["success"]
        done = answer.json["success_count"]
        assert (done, answer.json["remaining"]) in ((1, 2), (2, 1))
        assert code == 0
        assert service.rows("SELECT name FROM leases WHERE holder IS NOT NULL") == []
        assert sorted(map(sorted, service.followers().values())) == [[100]] * (3 - done) + [[200]] * done
        assert service.rows("SELECT state FROM spreadsheets") == ["ok"]
        assert service.sound()


def test_a_sync_in_the_background_is_cancelled_as_well(sheet: Google, tmp_path: Path) -> None:
    fill(sheet, 100)
    with serving(tmp_path, sheet, "--grace", "3") as service:
        with sheet.gate(tab=TABS[1]) as gate:
            run_id = service.sync(run_async=True).json["run_id"]
            gate.wait()
            service.signal(signal.SIGTERM)
            code = later(service.exit).result()

        assert code == 0
        assert service.states() == {run_id: "cancelled"}
        assert service.rows("SELECT name FROM leases WHERE holder IS NOT NULL") == []
        assert len(service.followers()) in (1, 2)


def test_a_sync_in_the_background_that_fits_the_grace_is_finished(sheet: Google, tmp_path: Path) -> None:
    fill(sheet, 100)
    with serving(tmp_path, sheet, "--grace", "20") as service:
        with sheet.gate() as gate:
            run_id = service.sync(run_async=True).json["run_id"]
            gate.wait()
            service.signal(signal.SIGTERM)
            until(lambda: told(service))

        assert service.exit() == 0
        assert service.states() == {run_id: "succeeded"}


def test_ctrl_c_ends_a_sync_at_once(sheet: Google, tmp_path: Path) -> None:
    fill(sheet, 100)
    with serving(tmp_path, sheet, "--grace", "60") as service:
        with sheet.gate() as gate:
            run_id = service.sync(run_async=True).json["run_id"]
            gate.wait()
            service.signal(signal.SIGINT)
            code = service.exit()

        assert code == 0
        assert service.states() == {run_id: "cancelled"}


def test_a_reload_lets_the_old_workers_finish_and_nothing_overlaps(sheet: Google, tmp_path: Path) -> None:
    fill(sheet, 100)
    with serving(tmp_path, sheet, "--grace", "20") as service:
        with sheet.gate() as gate:
            caller = service.sync_later()
            gate.wait()
            (run_id,) = service.states()
            service.signal(signal.SIGHUP)
            until(lambda: len(service.workers) == 2)
            joined = until(lambda: answer if (answer := service.sync()).status == 202 else None)

        assert joined.json["run_id"] == run_id
        assert caller.result().status == 200
        assert until(lambda: service.sync().json["run_id"] != run_id)
        assert set(service.states().values()) == {"succeeded"}
        assert service.sound()
