"""Reads of large pasts: one project of very many accounts, and many projects, each answer made anew.

The past is laid out by the database itself, so that millions of snapshots take seconds.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from flask.testing import FlaskClient

from webapp.access import COOKIE, Sessions
from webapp.app import create_app
from webapp.bootstrap import bootstrap
from webapp.config import Settings
from webapp.model import METRICS
from webapp.store.db import open_database
from webapp.store.migrate import ensure_migrated

__all__ = ["measure"]

TOKEN = "bench-token-of-no-consequence"
FORM = "%Y-%m-%d %H:%M:%S.%f"
ROUNDS = 3
PEOPLE = """
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :size - 1)
    INSERT INTO accounts (project_id, platform, username, profile_url, url_key, topic, owner, added_at,
        followers, likes, comments, videos, views)
    SELECT :project, substr('tiktokyoutubereddit', 1 + i % 3 * 6, 6), 'someone_' || i, :project || i, :project || i,
        'topic ' || i % 7, 'owner ' || i % 11, :began, i * 7919 % 1000000 + 1000000, i * 7907 % 50000, i % 3000, i % 500,
        i * 104729 % 10000000 + 1000000
    FROM n"""
SNAPSHOTS = """
    INSERT INTO account_snapshots (day, account_id, snapshot_time, followers, likes, comments, videos, views)
    SELECT :day, id, :moment, followers - 800 * :back, likes, comments, videos, views - 900 * :back
    FROM accounts ORDER BY id"""
DAY = """
    SELECT project_id, sum(s.followers), sum(s.likes), sum(s.comments), sum(s.videos), sum(s.views)
    FROM account_snapshots s CROSS JOIN accounts a ON a.id = s.account_id WHERE s.day = ? GROUP BY project_id"""


class Bar(NamedTuple):
    """What is asked for, and the seconds of CPU it may take; None: there is no bar."""

    name: str
    path: str
    seconds: float | None


ONE = "/api/projects/project-0"
OF_ONE = (
    Bar("analytics", f"{ONE}/analytics", 0.5),
    Bar("home", "/", 0.5),
    Bar("page of the project", "/projects/project-0", 0.5),
    Bar("list of accounts", f"{ONE}/accounts", 0.02),
    Bar("list by what views grew by", f"{ONE}/accounts?sort=growth_views", None),
    Bar("totals", "/api/totals", None),
)
OF_MANY = (Bar("home", "/", 0.2), Bar("totals", "/api/totals", None), Bar("projects", "/api/projects", None))


def measure(accounts: int, projects: int, days: int) -> None:
    """Print what each page costs of one project of so many accounts, and of so many projects of 100."""
    with tempfile.TemporaryDirectory() as folder:
        for name, number, size, bars in (("one", 1, accounts, OF_ONE), ("many", projects, 100, OF_MANY)):
            path = Path(folder) / f"{name}.db"
            lay_out(path, number, size, days)
            print(f"{number} projects of {size} accounts and {days} days, CPU of an answer that is made anew")
            for bar in bars:
                _show(bar, path)
            path.unlink()


def _show(bar: Bar, path: Path) -> None:
    client = _visitor(path)
    used = []
    for turn in range(ROUNDS + 1):  # the first compiles statements and pages
        began = time.process_time()
        answer = client.get(bar.path)
        if answer.status_code != 200:
            raise RuntimeError(f"{bar.path} answered {answer.status_code}")
        if turn:
            used.append(time.process_time() - began)
    taken = statistics.median(used)
    says = "" if bar.seconds is None else f"   bar {bar.seconds:.2f} s  {'met' if taken <= bar.seconds else 'MISSED'}"
    print(f"  {bar.name:28} {taken:6.3f} s{says}")


def _visitor(path: Path) -> FlaskClient:
    settings = Settings.from_env({"DATABASE_URL": f"sqlite:///{path}", "SMART_SYNC_ADMIN_TOKEN": TOKEN})
    client = create_app(bootstrap(settings), keep_answers=False).test_client()
    client.set_cookie(COOKIE, client.application.extensions["smart_sync"][Sessions].open(TOKEN))
    return client


def lay_out(path: Path, projects: int, size: int, days: int) -> None:
    database = open_database(f"sqlite:///{path}")
    ensure_migrated(database)
    database.close()
    now = datetime.now(UTC)
    began = (now - timedelta(days=days, hours=1)).strftime(FORM)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN")
        for number in range(projects):
            name, moment = f"project-{number}", now.strftime(FORM)
            connection.execute(
                "INSERT INTO projects (id, name, revision, synced_at, checked_at, changed_at, as_of)"
                " VALUES (?, ?, 1, ?, ?, ?, ?)",
                (name, name, *[moment] * 4),
            )
            connection.execute(PEOPLE, {"size": size, "project": name, "began": began})
        connection.execute("INSERT INTO account_spans SELECT id, ?, NULL, 31 FROM accounts", (began,))
        _add_days(connection, now, size, days)
        connection.execute("COMMIT")


def _add_days(connection: sqlite3.Connection, now: datetime, size: int, days: int) -> None:
    before: dict[str, tuple[int, ...]] = {}
    none, all_ = [0] * len(METRICS), [size] * len(METRICS)
    for back in range(days, -1, -1):
        moment = now - timedelta(days=back)
        day = {"day": str(moment.date()), "moment": moment.strftime(FORM), "back": back}
        connection.execute(SNAPSHOTS, day)
        for project, *total in connection.execute(DAY, (day["day"],)).fetchall():
            was = before.get(project)
            grown = [a - b for a, b in zip(total, was, strict=True)] if was else none
            counts = [all_, all_ if was else none, all_ if was else none]
            sums = json.dumps([total, grown, none if was else total, none, *counts])
            connection.execute("INSERT INTO project_days VALUES (?, ?, ?, ?, 0)", (project, day["day"], sums, size))
            before[project] = tuple(total)
