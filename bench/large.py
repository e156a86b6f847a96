"""Reads of large pasts: one project of very many accounts, and many projects, each answer made anew.

The past is laid out by the database itself, so that millions of snapshots take seconds.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from flask.testing import FlaskClient

from bench.bars import show
from bench.databases import KINDS, SQLITE, Kind, offered
from bench.side import cpu_s
from webapp.access import COOKIE, Sessions
from webapp.app import create_app
from webapp.bootstrap import bootstrap
from webapp.config import Settings
from webapp.model import METRICS
from webapp.store import tables
from webapp.store.db import normalise_url, open_database
from webapp.store.migrate import ensure_migrated
from webapp.store.types import Count, Day, UtcDateTime

TOKEN = "bench-token-of-no-consequence"
ROUNDS = 3
A_DAY = {"followers": 800, "views": 900}  # by which each account grows
PEOPLE = """
    INSERT INTO accounts (project_id, platform, username, profile_url, url_key, topic, owner, added_at,
        followers, likes, comments, videos, views)
    WITH RECURSIVE n(i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < :last)
    SELECT :project, substr('tiktokyoutubereddit', CAST(1 + i % 3 * 6 AS INTEGER), 6), 'someone_' || i,
        :project || CAST(i AS TEXT), :project || CAST(i AS TEXT), 'topic ' || i % 7, 'owner ' || i % 11, :began,
        i * 7919 % 1000000 + 1000000, i * 7907 % 50000, i % 3000, i % 500, i * 104729 % 10000000 + 1000000
    FROM n"""
SPANS = "INSERT INTO account_spans (account_id, since, metrics) SELECT id, :began, 31 FROM accounts"
SNAPSHOTS = """
    INSERT INTO account_snapshots (day, account_id, snapshot_time, followers, likes, comments, videos, views)
    SELECT :day, id, :moment, followers - :fewer, likes, comments, videos, views - :unseen FROM accounts ORDER BY id"""


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


def measure(accounts: int, projects: int, days: int, databases: Sequence[str] = KINDS) -> None:
    """Print what each page costs of one project of so many accounts, and of so many projects of 100."""
    with offered(databases, large=True) as kinds, tempfile.TemporaryDirectory() as folder:
        for number, size, bars in ((1, accounts, OF_ONE), (projects, 100, OF_MANY)):
            print(f"{number} projects of {size} accounts and {days} days, CPU of an answer that is made anew")
            taken: dict[Kind, list[float]] = {}
            for kind in kinds:
                url = kind.empty(Path(folder), "large")
                lay_out(url, number, size, days)
                kind.settle(url)
                taken[kind] = [_cpu_s(bar.path, url, kind) for bar in bars]
            for place, bar in enumerate(bars):
                print(f" {bar.name}")
                for kind in kinds:
                    _show(kind, taken[kind][place], bar.seconds)


def _cpu_s(path: str, url: str, kind: Kind) -> float:
    used = []
    with _visitor(url) as client:
        for turn in range(ROUNDS + 1):  # the first compiles statements and pages
            began = cpu_s(kind)
            answer = client.get(path)
            if answer.status_code != 200:
                raise RuntimeError(f"{path} answered {answer.status_code}")
            if turn:
                used.append(cpu_s(kind) - began)
    return statistics.median(used)


def _show(kind: Kind, taken: float, limit: float | None) -> None:
    met = taken <= limit if limit is not None and kind is SQLITE else None
    show(kind.name, f"{taken:6.3f} s", f"{limit:.2f} s" if limit else "", met=met)


@contextmanager
def _visitor(url: str) -> Iterator[FlaskClient]:
    parts = bootstrap(Settings.from_env({"DATABASE_URL": url, "SMART_SYNC_ADMIN_TOKEN": TOKEN}))
    client = create_app(parts, keep_answers=False).test_client()
    client.set_cookie(COOKIE, client.application.extensions["smart_sync"][Sessions].open(TOKEN))
    yield client
    parts.db.close()


def lay_out(url: str, projects: int, size: int, days: int) -> None:
    """Put a past into an empty database: each account grows by the same from day to day, and all are there all along."""
    database = open_database(url)
    ensure_migrated(database)
    database.close()
    now = datetime.now(UTC)
    names = [f"project-{number}" for number in range(projects)]
    engine = sa.create_engine(normalise_url(url), poolclass=sa.NullPool)
    with engine.begin() as tx, _in_bulk(tx):
        times = dict.fromkeys(("synced_at", "checked_at", "changed_at", "as_of"), now)
        tx.execute(tables.projects.insert(), [{"id": name, "name": name, "revision": 1, **times} for name in names])
        began = {"began": now - timedelta(days=days)}
        for name in names:
            tx.execute(_typed(PEOPLE), {"project": name, "last": size - 1} | began)
        tx.execute(_typed(SPANS), began)
        for back in range(days, -1, -1):
            moment = now - timedelta(days=back)
            less = {"fewer": A_DAY["followers"] * back, "unseen": A_DAY["views"] * back}
            tx.execute(_typed(SNAPSHOTS), {"day": moment.date(), "moment": moment} | less)
        tx.execute(tables.project_days.insert(), _days_of(tx, now.date(), size, days))


def _typed(sql: str) -> sa.TextClause:
    """PostgreSQL has to be told what the values are."""
    named: list[sa.BindParameter[Any]] = [
        sa.bindparam(name, type_=type_) for name, type_ in TYPES.items() if f":{name}" in sql
    ]
    return sa.text(sql).bindparams(*named)


TYPES: dict[str, Any] = {
    "project": sa.Text(),
    "last": Count(),
    "began": UtcDateTime(),
    "moment": UtcDateTime(),
    "day": Day(),
}
TYPES |= {"fewer": Count(), "unseen": Count()}


@contextmanager
def _in_bulk(tx: sa.Connection) -> Iterator[None]:
    """Without a look at foreign keys row by row, and with the index at the end: on PostgreSQL they take most of the time."""
    if tx.dialect.name == "sqlite":
        tx.exec_driver_sql("PRAGMA synchronous=OFF")
        yield
        return
    tx.exec_driver_sql("SET LOCAL session_replication_role = replica")
    for index in tables.account_snapshots.indexes:
        index.drop(tx)
    yield
    for index in tables.account_snapshots.indexes:
        index.create(tx)


def _days_of(tx: sa.Connection, today: date, size: int, days: int) -> Sequence[Mapping[str, object]]:
    """What the projects amounted to on each day, without a look at the snapshots: they are in step."""
    accounts = tables.accounts
    sums = sa.select(accounts.c.project_id, *(sa.func.sum(accounts.c[metric]) for metric in METRICS))
    grown = [A_DAY.get(metric, 0) * size for metric in METRICS]
    none, all_ = [0] * len(METRICS), [size] * len(METRICS)
    rows = []
    for project, *last in tx.execute(sums.group_by(accounts.c.project_id)):
        for back in range(days, -1, -1):
            total = [int(now) - back * more for now, more in zip(last, grown, strict=True)]
            first = back == days
            came = [total, none, total, none, all_, none, none] if first else [total, grown, none, none, *[all_] * 3]
            day = {"project_id": project, "day": today - timedelta(days=back), "sums": came}
            rows.append(day | {"accounts": size, "carried": 0})
    return rows
