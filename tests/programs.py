"""Programs that some tests use and some machines lack. `python -m tests.programs` names the packages to install."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import postgres_server

MISSING = "this machine has no "
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


class Program(NamedTuple):
    """find: where it is, None when the machine lacks it. package: what brings it on Debian."""

    find: Callable[[], str | Path | None]
    package: str


def find_chromium() -> str | None:
    """What the variable CHROMIUM says, or the first of the usual names on PATH.

    Raises: ValueError when the variable names no program.
    """
    wanted = os.environ.get("CHROMIUM")
    if wanted and not shutil.which(wanted):
        raise ValueError(f"CHROMIUM: {wanted!r} is no program")
    return next(filter(None, map(shutil.which, [wanted] if wanted else CHROMIUM)), None)


def find_driver() -> Path | None:
    """What leads the browser, in Playwright's package; None when it does not start.

    It is linked with one library more than a bare Debian has.
    """
    package = importlib.util.find_spec("playwright")
    if package is None or package.origin is None:
        return None
    driver = Path(package.origin).parent / "driver" / "node"
    done = subprocess.run([driver, "--version"], check=False, capture_output=True)
    return driver if done.returncode == 0 else None


def _on_path(name: str) -> Callable[[], str | None]:
    return lambda: shutil.which(name)


PROGRAMS = {
    "caddy": Program(_on_path("caddy"), "caddy"),
    "chromium": Program(find_chromium, "chromium"),
    "crontab": Program(_on_path("crontab"), "cron"),
    "curl": Program(_on_path("curl"), "curl"),
    "libatomic": Program(find_driver, "libatomic1"),
    "logrotate": Program(_on_path("logrotate"), "logrotate"),
    "nginx": Program(_on_path("nginx"), "nginx-light"),
    "pgbouncer": Program(_on_path("pgbouncer"), "pgbouncer"),
    "npm": Program(_on_path("npm"), "npm"),
    "openssl": Program(_on_path("openssl"), "openssl"),
    "postgres": Program(postgres_server.find_binaries, "postgresql"),
    "redis-server": Program(_on_path("redis-server"), "redis-server"),
    "systemd-analyze": Program(_on_path("systemd-analyze"), "systemd"),
}


def need(name: str) -> str:
    """The path of a program; without it the test is left out, or fails where CI is set."""
    found = PROGRAMS[name].find()
    if found is None:
        words = f"{MISSING}{name}"
        if os.environ.get("CI"):
            pytest.fail(words, pytrace=False)
        pytest.skip(words)
    return str(found)


def summary(skipped: Iterable[pytest.TestReport]) -> Iterator[str]:
    """A line for each program for want of which tests were left out, of all that were skipped."""
    reasons = Counter(str(report.longrepr[2]) for report in skipped if isinstance(report.longrepr, tuple | list))
    for reason, tests in sorted(reasons.items()):
        _, found, name = reason.partition(MISSING)
        if found:
            yield f"{tests} {'test' if tests == 1 else 'tests'} for want of {name}: apt-get install {PROGRAMS[name].package}"


def missing() -> dict[str, str]:
    """{program that this machine lacks: its package}."""
    return {name: program.package for name, program in PROGRAMS.items() if program.find() is None}


if __name__ == "__main__":
    try:
        print(*missing().values())  # noqa: T201  for `./dev`
    except ValueError as error:
        sys.exit(str(error))
