"""The container image: what it is made from, what is in it, and how it runs."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from tests.deploy.image import DOCKERFILE, Stage, ignore_rules, is_ignored, steps
from tests.e2e.google import BOOK_ID, Google, google
from tests.e2e.harness import TOKEN, free_port, request, until
from tests.e2e.redis_server import redis_server
from tests.postgres_server import roomy_folder
from tests.reference import ROOT
from webapp.config import every_setting

STEPS = steps(DOCKERFILE.read_text(encoding="utf-8"))
COMPOSE = ROOT / "deploy" / "compose.yml"
OWNER = 10001


# What it says


def test_steps_that_go_over_lines_are_one() -> None:
    assert steps("# a\nFROM x\nENV a=1 \\\n    b=2\n\nRUN y\n") == [("FROM", "x"), ("ENV", "a=1 b=2"), ("RUN", "y")]


def test_the_base_is_the_python_that_is_locked_for_and_can_be_pinned() -> None:
    (argument,) = (rest for word, rest in STEPS if word == "ARG")

    assert re.fullmatch(r"PYTHON_IMAGE=python:3\.11(\.\d+)?-slim-\w+", argument)
    assert {rest.partition(" AS ")[0] for word, rest in STEPS if word == "FROM"} == {"${PYTHON_IMAGE}"}


def test_no_step_takes_a_secret_or_something_that_nobody_pinned() -> None:
    for word, rest in STEPS:
        named = {setting.name for setting in every_setting() if setting.secret and setting.name in rest}
        assert not named, (word, rest)
        assert word != "ADD", rest
        assert not re.search(r"\b(apt-get|curl|wget|git)\b", rest) or word == "HEALTHCHECK", rest
        if "pip " in rest and " install " in rest:
            assert "--require-hashes" in rest
            assert rest.endswith("-r requirements/base.txt")


def test_it_ends_as_a_user_that_is_not_root() -> None:
    last = max(place for place, step in enumerate(STEPS) if step.word == "FROM")
    after = dict(STEPS[last:])

    assert after["USER"] == f"{OWNER}:{OWNER}"
    assert [word for word, _ in STEPS[last:]].index("USER") < [word for word, _ in STEPS[last:]].index("CMD")
    assert "VOLUME" not in after  # some hosts refuse it, and it would hide who owns /data


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("webapp/app.py", False),
        ("webapp/dashboard/static/app.css", False),
        ("requirements/base.txt", False),
        ("requirements/dev.txt", True),
        ("webapp/__pycache__/app.cpython-311.pyc", True),
        ("webapp/sync/__pycache__/run.cpython-311.pyc", True),
        (".env", True),
        ("deploy/.env", True),
        ("data/smart_sync.db", True),
        (".git/config", True),
        ("key-credentials.json", True),
    ],
)
def test_a_builder_is_given_nothing_but_the_program(path: str, ignored: bool) -> None:
    assert is_ignored(path, ignore_rules()) == ignored


# What it makes


@contextmanager
def volume() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="volume-", dir=roomy_folder()) as folder:
        Path(folder).chmod(0o700)
        os.chown(folder, OWNER, OWNER)
        yield Path(folder)


@contextmanager
def container(
    image: Stage, data: Path, command: Sequence[str], env: Mapping[str, str]
) -> Iterator[subprocess.Popen[str]]:
    """A command of the image at work: without rights, on a read-only root, with nothing but /data and memory to write to."""
    with image.start(command, env=env, volume=data) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def test_nobody_but_root_may_change_the_program_and_no_pip_is_left(image: Stage) -> None:
    for path in image.path("/app").rglob("*"):
        assert path.stat().st_uid == 0
        assert path.is_symlink() or not path.stat().st_mode & 0o022
    assert not image.path("/opt/venv/bin/pip").exists()
    assert image.path("/data").stat().st_uid == OWNER
    assert image.path("/data").stat().st_mode & 0o777 == 0o700


def test_all_of_the_program_is_compiled_and_nothing_else_of_the_repository_is_in_it(image: Stage) -> None:
    sources = list(image.path("/app/webapp").rglob("*.py"))

    compiled = {path.parent.parent / f"{path.name.split('.')[0]}.py" for path in image.path("/app").rglob("*.pyc")}

    assert len(sources) > 200
    assert set(sources) == compiled
    assert [path.name for path in image.path("/app").iterdir()] == ["webapp"]
    assert (ROOT / "webapp" / "demo").is_dir()
    assert image.path("/app/webapp/demo").is_dir()


@pytest.mark.long
def test_it_serves_read_only_without_rights_and_its_check_notices(image: Stage) -> None:
    port = str(free_port())
    url = f"http://127.0.0.1:{port}"
    with volume() as data, google() as sheet:
        sheet.tab("Project A", 3, 100)
        env = google_env(sheet) | {"PORT": port, "SMART_SYNC_ADMIN_TOKEN": TOKEN}
        with container(image, data, image.command, env) as process:
            until(lambda: _healthy(url, process))
            status = request("GET", f"{url}/api/admin/sync_status").json
            synced = request("POST", f"{url}/api/admin/smart_sync").json
            seen = Path(f"/proc/{_python_of(process.pid)}/status").read_text(encoding="ascii")
            well = image.run(image.check, env=env, volume=data)[0]
            began = time.monotonic()
            os.kill(_python_of(process.pid), signal.SIGTERM)
            code = process.wait(40)
        sick = image.run(image.check, env=env, volume=data)[0]
        told = {path.name: path.stat().st_uid for path in data.iterdir()}

    assert (synced["success"], synced["success_count"]) == (True, 1)
    assert status["storage"]["path"] == "/data/smart_sync.db"
    assert re.findall(r"^(?:Uid|CapEff|CapBnd|NoNewPrivs):\s+(\S+)", seen, re.MULTILINE) == [
        str(OWNER),
        "0" * 16,
        "0" * 16,
        "1",
    ]
    assert (well, sick) == (0, 1)
    assert code == 0
    assert time.monotonic() - began < 30
    assert set(told.values()) == {OWNER}


def _healthy(url: str, process: subprocess.Popen[str]) -> bool:
    assert process.poll() is None, process.stdout.read() if process.stdout else ""
    try:
        return request("GET", f"{url}/health", token=None).status == 200
    except OSError:
        return False


def _python_of(pid: int) -> int:
    """The program: each of those that prepare its place becomes the next one."""
    until(lambda: "gunicorn" in Path(f"/proc/{pid}/cmdline").read_text())
    return pid


def test_the_commands_are_there_and_say_what_is_wrong_before_anything_is_set(image: Stage) -> None:
    with volume() as data:
        refused, words = image.run(image.command, env={"SMART_SYNC_ADMIN_TOKEN": "short"}, volume=data)
        missed, found = image.run(["smart-sync", "doctor"], volume=data)

    assert (refused, missed) == (1, 0), words + found
    assert "SMART_SYNC_ADMIN_TOKEN" in words
    assert "sheet: none configured" in found
    assert "/data can be written" in found


def command_of(service: str) -> list[str]:
    """What a container of the compose file runs."""
    command: list[str] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"][service]["command"]
    return command


def google_env(sheet: Google) -> dict[str, str]:
    env = {"SMART_SYNC_SHEETS_API": sheet.url, "GOOGLE_API_KEY": "a-key-of-the-tests", "SMART_SYNC_SHEET": BOOK_ID}
    return env | {"SMART_SYNC_PLATFORMS": "none"}


def states(data: Path) -> list[str]:
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"file:{data}/smart_sync.db?mode=ro", uri=True)) as connection,
    ):
        return [state for (state,) in connection.execute("SELECT state FROM sync_runs")]
    return []


def end(process: subprocess.Popen[str]) -> str:
    """All it printed, once it has ended well after SIGTERM."""
    os.kill(process.pid, signal.SIGTERM)
    printed, _ = process.communicate(timeout=40)
    assert process.returncode == 0, printed
    return printed


def test_the_clock_of_the_compose_file_works_in_it(image: Stage) -> None:
    with volume() as data, google() as sheet:
        sheet.tab("Project A", 3, 100)
        with container(image, data, command_of("clock"), google_env(sheet)) as clock:
            until(lambda: states(data) == ["succeeded"])
            printed = end(clock)

    assert "[SmartSync] sync ended" in printed


@pytest.mark.long
def test_the_clock_tells_the_worker_of_the_compose_file(image: Stage, tmp_path: Path) -> None:
    with volume() as data, google() as sheet, redis_server(tmp_path) as redis:
        sheet.tab("Project A", 3, 100)
        env = google_env(sheet) | {"SMART_SYNC_MODE": "celery", "REDIS_URL": redis}
        with container(image, data, command_of("clock"), env) as clock:
            until(lambda: states(data) == ["queued"])
            with container(image, data, command_of("worker"), env) as worker:
                until(lambda: states(data) == ["succeeded"])
                worked = end(worker)
            told = end(clock)

    assert "[SmartSync] sync ended" in worked
    assert "[SmartSync] sync ended" not in told


# Where there is a builder


@pytest.mark.long
@pytest.mark.usefixtures("processes")
def test_a_builder_builds_it_and_it_serves() -> None:
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "info"], capture_output=True, check=False).returncode:
        pytest.skip("nobody builds images on this machine")
    name = f"smart-sync-test-{os.getpid()}"
    build = [docker, "build", "--quiet", "--tag", name, "--file", str(DOCKERFILE), str(ROOT)]
    subprocess.run(build, check=True, env={**os.environ, "DOCKER_BUILDKIT": "1"})
    port = free_port()
    options = [
        "--rm",
        "--detach",
        "--name",
        name,
        "--read-only",
        "--cap-drop=ALL",
        "--tmpfs=/tmp",
        "--volume",
        f"{name}:/data",
    ]
    given = ["--publish", f"127.0.0.1:{port}:8000", "--env", f"SMART_SYNC_ADMIN_TOKEN={TOKEN}"]
    try:
        subprocess.run([docker, "run", *options, *given, name], check=True, capture_output=True)
        url = f"http://127.0.0.1:{port}"
        until(lambda: request("GET", f"{url}/health", token=None).status == 200)
        assert request("GET", f"{url}/api/admin/sync_status").json["storage"]["path"] == "/data/smart_sync.db"
    finally:
        for words in (["rm", "--force", name], ["volume", "rm", name], ["image", "rm", name]):
            subprocess.run([docker, *words], check=False, capture_output=True)
