"""All sections one after the other, each in a process of its own: what they print, and then the bars among it."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.postgres_server import find_binaries

SECTIONS = ("sync", "read", "start", "memory", "beside", "growth")
LARGE = ("sync --large", "read", "read --large", "start", "memory", "beside", "growth")
RESULTS = Path(__file__).with_name("RESULTS.md")
BAR = re.compile(r" (met|MISSED)$")
PACKAGES = ("SQLAlchemy", "Flask", "gunicorn", "gspread", "psycopg")


def measure(*, large: bool) -> None:
    """Print everything, count the bars that are met, and write it down."""
    printed = {section: list(_lines(section)) for section in (LARGE if large else SECTIONS)}
    verdicts = [found[1] for lines in printed.values() for line in lines if (found := BAR.search(line))]
    total = f"{verdicts.count('met')} of {len(verdicts)} bars are met"
    print(total)
    command = "./dev bench --large" if large else "./dev bench"
    RESULTS.write_text(_document(command, total, printed), encoding="utf-8")


def _lines(section: str) -> Iterator[str]:
    """What a section prints, as soon as it does."""
    command = [sys.executable, "-u", "-m", "bench", *section.split()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            yield line.rstrip()
    if process.returncode:
        raise SystemExit(f"bench {section} failed")


def _document(command: str, total: str, printed: dict[str, list[str]]) -> str:
    head = f"# Results\n\n`{command}`, {datetime.now(UTC):%Y-%m-%d}: {total}.\n\n"
    machine = "\n".join(f"- {line}" for line in _machine())
    sections = "\n".join(f"\n## {name}\n\n```\n{chr(10).join(lines)}\n```" for name, lines in printed.items())
    return f"{head}{machine}\n{sections}\n"


def _machine() -> Sequence[str]:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{os.cpu_count()} cores, {_processor()}, {platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {_postgres()}",
        packages,
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown")


def _postgres() -> str:
    binaries = find_binaries()
    if binaries is None:
        return "no PostgreSQL"
    words = subprocess.run([binaries / "postgres", "-V"], check=True, capture_output=True, text=True).stdout
    return f"PostgreSQL {words.split()[2]}"
