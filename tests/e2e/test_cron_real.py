"""What is printed for callers, in the hands of the real programs: cron, systemd, a shell and curl."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from tests.e2e.google import Google, google
from tests.e2e.harness import TOKEN, Service, environment, run, serving
from tests.programs import need
from webapp.cron.call import Call
from webapp.cron.callers import snippet
from webapp.cron.callers.crontab import crontab_line
from webapp.cron.crontab import block
from webapp.cron.curl import curl_config
from webapp.cron.every import calendar, parse_every

CRON = ("-m", "webapp.cli", "cron")
SCHEDULES = ["1m", "5m", "30m", "2h", "24h", "*/10 8-18 * * mon-fri", "0 0 29 2 *", "7,37 * 1-7 1,7 *"]


def done(*arguments: str | Path, text: str = "") -> tuple[int, str]:
    """(exit code, all that was printed)."""
    ended = subprocess.run(
        arguments, input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False
    )
    return ended.returncode, ended.stdout


# systemd


def units(folder: Path, url: str, every: str) -> list[Path]:
    """The units that the printed script would write, written by it elsewhere."""
    script = snippet("systemd", url, every=every)[1]
    folders = {"/etc/systemd/system/": f"{folder}/", "/etc/smart-sync": f"{folder}/secret"}
    inert = "systemctl() { :; }\n" + script
    for path, other in folders.items():
        inert = inert.replace(f"> {path}", f"> {other}").replace(f"-m 700 {path}", f"-m 700 {other}")
    assert done("/bin/sh", "-eu", "-c", inert.replace("$SMART_SYNC_ADMIN_TOKEN", TOKEN)) == (0, "")
    return sorted(folder.glob("smart-sync-tick.*"))


@pytest.mark.parametrize("every", ["5m", "15 3 * * 1-5"])
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path, every: str) -> None:
    analyze = need("systemd-analyze")

    service, timer = units(tmp_path, "https://sync.example.com/x%20y", every)

    assert done(analyze, "verify", "--man=no", service, timer) == (0, "")
    assert (tmp_path / "secret" / "header").read_text() == f"Authorization: Bearer {TOKEN}\n"
    assert (tmp_path / "secret" / "header").stat().st_mode & 0o777 == 0o600
    assert TOKEN not in service.read_text()
    assert "x%%20y" in service.read_text()


@pytest.mark.parametrize("every", SCHEDULES)
def test_systemd_understands_every_schedule(every: str) -> None:
    analyze = need("systemd-analyze")
    fields = parse_every(every).fields
    assert fields is not None

    code, words = done(analyze, "calendar", calendar(fields))

    assert (code, "Next elapse: never" in words) == (0, False), words


# cron


@pytest.mark.parametrize("every", SCHEDULES)
def test_cron_takes_our_lines(tmp_path: Path, every: str) -> None:
    crontab = need("crontab")
    call = Call("http://127.0.0.1:8000/x%20y", parse_every(every), config=f"{tmp_path}/100%/cron.curl")
    file = tmp_path / "crontab"
    file.write_bytes(block(call, "/usr/bin/curl"))

    code, words = done(crontab, "-n", file)

    assert code == 0, words


@pytest.fixture(scope="module")
def book() -> Iterator[Google]:
    with google() as opened:
        opened.tab("Project A", 5, 100)
        yield opened


@pytest.fixture(scope="module")
def service(book: Google, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    need("curl")
    with serving(tmp_path_factory.mktemp("cron"), book) as running:
        yield running


def as_cron_does(line: str) -> tuple[int, str]:
    """Run a crontab's line: the command after five fields, up to the first bare percent sign."""
    command = line.split(None, 5)[5]
    assert "%" not in command.replace("\\%", "")
    return done("/bin/sh", "-c", command.replace("\\%", "%"))


def line_for(url: str, folder: Path, token: str = TOKEN) -> str:
    """The printed line, and its file where it looks for it; the folder's name is as awkward as can be."""
    odd = folder / """100% "it's" $HOME `id`"""
    odd.mkdir(parents=True)
    (odd / "cron.curl").write_text(curl_config(token))
    return crontab_line(Call(url, parse_every("5m"), config=str(odd / "cron.curl")), "curl")


def test_the_line_syncs_and_is_silent(service: Service, tmp_path: Path) -> None:
    before = service.states()

    assert as_cron_does(line_for(service.url, tmp_path)) == (0, "")

    (new,) = service.states().keys() - before.keys()
    assert service.states()[new] == "succeeded"
    assert json.loads(service.rows("SELECT params FROM sync_runs WHERE id = ?", new)[0])["due"] is True


def test_the_line_says_why_when_it_fails(service: Service, tmp_path: Path) -> None:
    code, words = as_cron_does(line_for(service.url, tmp_path, token="a-wrong-token-of-the-tests"))

    assert code == 1
    assert "401" in words
    assert '"code":"unauthorized"' in words


def test_a_redirect_is_a_failure(httpserver: HTTPServer, tmp_path: Path) -> None:
    need("curl")
    httpserver.expect_request("/api/admin/smart_sync").respond_with_data(
        "", 301, headers={"Location": httpserver.url_for("/elsewhere")}
    )

    code, words = as_cron_does(line_for(httpserver.url_for("").rstrip("/"), tmp_path))

    assert code == 1
    assert "redirects" in words
    assert [request.path for request, _ in httpserver.log] == ["/api/admin/smart_sync"]


def test_a_service_that_is_away_is_a_failure(tmp_path: Path) -> None:
    need("curl")

    code, words = as_cron_does(line_for("http://127.0.0.1:9", tmp_path))

    assert code == 1
    assert "curl: (7)" in words


FAKE = """\
#!/bin/sh
case $1 in
-l) cat "$CRONTAB_FILE" 2>/dev/null || { echo "no crontab for you" >&2; exit 1; } ;;
-) cat > "$CRONTAB_FILE" ;;
esac
"""


def test_installed_tried_called_and_removed(service: Service, tmp_path: Path) -> None:
    (tmp_path / "crontab").write_text(FAKE)
    (tmp_path / "crontab").chmod(0o755)
    more = {"PORT": service.url.rpartition(":")[2], "CRONTAB_FILE": str(tmp_path / "lines")}
    env = environment(service.folder, env=more | {"PATH": f"{tmp_path}:{os.environ['PATH']}"})

    installed = run(tmp_path, *CRON, "install", "--yes", env=env)

    assert installed.returncode == 0, installed.stdout
    assert "a trial without writing went through" in installed.stdout
    (line,) = [line for line in (tmp_path / "lines").read_text().splitlines() if not line.startswith("#")]
    assert as_cron_does(line) == (0, "")
    assert run(tmp_path, *CRON, "status", env=env).returncode == 0
    assert run(tmp_path, *CRON, "remove", "--yes", env=env).returncode == 0
    assert (tmp_path / "lines").read_text() == ""
    assert run(tmp_path, *CRON, "status", env=env).returncode == 3
