"""From nothing to the first answer, and the reasons for which a start is refused."""

from __future__ import annotations

import json
import re
import shlex
import socket
import sqlite3
import stat
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.google import Google
from tests.e2e.harness import CLI, TOKEN, environment, free_port, request, run, serving
from tests.programs import need
from webapp import __version__

MASTER = ("-m", "gunicorn", "-c", "python:webapp.server", "webapp.wsgi:app")
ENTRIES = pytest.mark.parametrize("entry", [CLI, MASTER], ids=["smart-sync serve", "gunicorn"])


def printed_command(log: str) -> list[str]:
    """The curl line a person would copy."""
    (line,) = re.findall(r"^  (curl .*)$", log, re.MULTILINE)
    return shlex.split(line)


def test_the_demo_answers_to_the_command_it_prints(tmp_path: Path) -> None:
    need("curl")
    with serving(tmp_path, None, "--demo", workers=3, env={"SMART_SYNC_ADMIN_TOKEN": ""}) as service:
        command = printed_command(service.log)
        done = subprocess.run([*command, "-sS", "-f"], capture_output=True, text=True, check=True, timeout=60)
        kept = (tmp_path / "data" / "demo" / "admin_token").read_text().strip()
        answers = [service.get("/api/admin/sync_status", token=kept) for _ in range(12)]

        assert '"success":true' in done.stdout
        assert service.url in service.log
        assert f"Token: {kept}" in service.log
        assert f"Authorization: Bearer {kept}" in command
        assert {answer.status for answer in answers} == {200}
        assert answers[0].json["total_projects"] == 3
        assert service.get("/api/admin/sync_status").status == 401


def test_an_address_of_ipv6_is_printed_as_browsers_take_it(tmp_path: Path) -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    with serving(tmp_path, None, "--host", "::1", host="[::1]") as service:
        assert f" on {service.url}\n" in service.log
        assert service.url in printed_command(service.log)[-1]


@pytest.mark.parametrize("demo", [True, False], ids=["demo", "a sheet"])
def test_the_greeting_stands_alone_and_log_lines_come_after_it(tmp_path: Path, sheet: Google, demo: bool) -> None:
    options = ["--demo"] if demo else []
    with serving(tmp_path, None if demo else sheet, *options, env={"SMART_SYNC_ADMIN_TOKEN": ""}) as service:
        greeting, rest = service.log.splitlines()[:4], service.log.splitlines()[4:]

    assert greeting[0] == f"Smart Sync {__version__} on {service.url}"
    assert greeting[1].startswith("Token: ")
    assert greeting[2] == "Sync now:"
    assert greeting[3].startswith("  curl -X POST ")
    (data,) = (line for line in rest if "[SmartSync] the data is in " in line)
    told = json.loads(data)
    assert (told["level"], told["durability"] == "durable") in [("INFO", True), ("WARNING", False)]
    assert {json.loads(line)["level"] for line in rest if line != data} == {"INFO"}
    assert ("[SmartSync] sync ended" in service.log) == demo
    assert service.log.count("Starting gunicorn") == service.log.count("Booting worker") == 1


@pytest.mark.parametrize("given", [["--port", "{port}"], []], ids=["--port", "PORT"])
def test_a_port_that_is_taken_is_said_in_one_line_before_anything_starts(tmp_path: Path, given: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        options = [word.format(port=port) for word in given]

        ended = run(tmp_path, *CLI, "--demo", *options, env=environment(tmp_path, env={"PORT": str(port)}))

    assert ended.returncode == 1
    (line,) = ended.stdout.splitlines()
    assert re.fullmatch(rf"Error: port {port} is taken \(choose another with --port, such as --port \d+\)", line)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("host", ["203.0.113.5", "no-such-host.invalid", "::ffff"])
def test_an_address_of_another_machine_is_refused_in_one_line(tmp_path: Path, host: str) -> None:
    ended = run(tmp_path, *CLI, "--host", host, env=environment(tmp_path, env={"PORT": str(free_port())}))

    assert ended.returncode == 1
    (line,) = ended.stdout.splitlines()
    assert line.startswith("Error: cannot listen on port ")
    assert f" of {host}: " in line
    assert "--host" in line


def test_a_token_that_was_made_up_is_private_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "data" / "admin_token"
    with serving(tmp_path, None, env={"SMART_SYNC_ADMIN_TOKEN": ""}) as service:
        first = path.read_text().strip()
        mode = stat.S_IMODE(path.stat().st_mode)
    with serving(tmp_path, None, env={"SMART_SYNC_ADMIN_TOKEN": ""}) as service:
        answer = service.sync(token=first)

    assert mode == 0o600
    assert answer.status == 200
    assert path.read_text().strip() == first


def test_the_log_has_one_line_a_project_and_nothing_private(tmp_path: Path, sheet: Google) -> None:
    forged = "Project B\n{}\u2028\u202e\x1b[31m\nERROR [SmartSync] forged"
    sheet.tab("Project A", 2, 4_815_162_342)
    sheet.tab(forged, 2, 4_815_162_342)
    with serving(tmp_path, sheet, env={"LOG_LEVEL": "INFO"}) as service:
        assert service.sync().status == 200
        assert service.get("/api/admin/sync_status", token="not-the-token-of-anybody").status == 401
        log = service.log

    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    completed = [line["project"] for line in lines if line["message"].startswith("[SmartSync] completed for ")]
    assert sorted(completed) == ["Project A", forged]
    assert {line["level"] for line in lines if "durability" not in line} == {"INFO"}
    assert not [line for line in log.splitlines() if line.startswith("ERROR")]
    assert "$SMART_SYNC_ADMIN_TOKEN" in log
    for secret in (TOKEN, "a-key-of-the-tests", "not-the-token-of-anybody", "4815162342", "account1"):
        assert secret not in log


def test_gunicorn_takes_its_settings_from_the_module(tmp_path: Path, sheet: Google) -> None:
    sheet.tab("Project A", 2, 100)
    with serving(tmp_path, sheet, program=MASTER, workers=3) as service:
        answer = service.sync()
        log = service.log

        assert answer.status == 200
        assert len(service.workers) == 3
        assert "PatientWorker" in log
        assert log.count("Context impl") == 0
        service.signal(15)
        assert service.exit() == 0


def test_the_server_starts_without_a_database_that_comes_up_later(tmp_path: Path) -> None:
    away = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}
    with serving(tmp_path, None, program=MASTER, ready="/health", env=away) as service:
        answer = service.get("/ready", token=None)

    assert (answer.status, answer.json["code"]) == (503, "database_unreachable")
    assert answer.headers["Retry-After"].isdigit()


@ENTRIES
def test_all_settings_that_can_not_be_used_are_named_together(tmp_path: Path, entry: tuple[str, ...]) -> None:
    wrong = {"PORT": "eighty", "SMART_SYNC_BUDGET": "soon", "SMART_SYNC_ADMIN_TOKEN": "short", "SMART_SYNC_SHEEET": "x"}

    ended = run(tmp_path, *entry, env=environment(tmp_path, env=wrong))

    assert ended.returncode == 1
    (line,) = ended.stdout.strip().splitlines()
    assert line.startswith("Error: ")
    for name in wrong:
        assert f"{name}: " in line
    assert "did you mean SMART_SYNC_SHEET?" in line
    assert "at least 16" in line


@pytest.mark.parametrize("entry", [(*CLI, "--host", "0.0.0.0"), MASTER], ids=["smart-sync serve", "gunicorn"])
def test_without_a_token_nobody_else_is_served(tmp_path: Path, entry: tuple[str, ...]) -> None:
    env = environment(tmp_path, env={"SMART_SYNC_ADMIN_TOKEN": "", "SMART_SYNC_DATA_DIR": ""})

    ended = run(tmp_path, *entry, env=env)

    assert ended.returncode == 1
    (line,) = ended.stdout.strip().splitlines()
    assert line.startswith("Error: SMART_SYNC_ADMIN_TOKEN: is not set")
    offered = re.search(r"set it, for example (SMART_SYNC_ADMIN_TOKEN=(\S+)),", line)
    assert offered is not None
    assert len(offered[2]) >= 32


@ENTRIES
def test_a_database_of_a_later_version_is_refused_in_one_line(tmp_path: Path, entry: tuple[str, ...]) -> None:
    with serving(tmp_path, None) as service:
        pass
    with closing(sqlite3.connect(service.database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    ended = run(tmp_path, *entry, env=environment(tmp_path, env={"PORT": str(free_port())}))

    assert ended.returncode == 1
    assert "Traceback" not in ended.stdout
    assert "9999" in ended.stdout


def test_health_needs_no_token_and_no_database(tmp_path: Path) -> None:
    with serving(tmp_path, None) as service:
        service.database.unlink()

        assert request("GET", f"{service.url}/health", token=None).status == 200
        assert request("GET", f"{service.url}/ready", token=None).status == 503


@ENTRIES
def test_all_lines_also_go_to_the_log_file_also_after_a_rotation(
    tmp_path: Path, sheet: Google, entry: tuple[str, ...]
) -> None:
    file, old = tmp_path / "sync.log", tmp_path / "sync.log.1"
    env = {"SMART_SYNC_LOG_FILE": str(file)}
    with serving(tmp_path, sheet, program=entry, workers=2, env=env) as service:
        service.sync()
        file.rename(old)
        service.sync()
        first, second = (path.read_text(encoding="utf-8").splitlines() for path in (old, file))

    lines = [json.loads(line)["message"] for line in first]
    assert sum("Starting gunicorn" in line for line in lines) == 1
    assert lines.count("[SmartSync] sync ended") == 1
    assert [json.loads(line)["message"] for line in second].count("[SmartSync] sync ended") == 1
    assert all(line in service.log for line in second)


@ENTRIES
def test_a_log_file_that_cannot_be_written_stops_the_start_in_one_line(tmp_path: Path, entry: tuple[str, ...]) -> None:
    env = environment(tmp_path, env={"SMART_SYNC_LOG_FILE": str(tmp_path), "PORT": str(free_port())})

    ended = run(tmp_path, *entry, env=env)

    assert ended.returncode != 0
    assert f"SMART_SYNC_LOG_FILE: {tmp_path} cannot be written: Is a directory" in ended.stdout
    assert "Traceback" not in ended.stdout
