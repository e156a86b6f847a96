"""A database with a past: projects, accounts and a snapshot of each day, as syncs would have left them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from webapp.model import METRICS
from webapp.store import days, spans
from webapp.store.db import Database, open_database
from webapp.store.migrate import ensure_migrated
from webapp.store.tables import account_snapshots, account_spans, accounts, projects

DAYS = 30


def fill(url: str, projects_there: int, size: int) -> None:
    """So many projects of so many accounts, called `project-0` and so on, with 30 days behind them."""
    db = open_database(url)
    ensure_migrated(db)
    now = datetime.now(UTC)
    for number in range(projects_there):
        _fill_project(db, f"project-{number}", size, now)
    db.close()


def age(db: Database, length: int) -> None:
    """Give every account so many days more, on which its counts were those of today."""
    now = datetime.now(UTC)
    snapshots, today = account_snapshots, now.date()
    with db.write() as tx:
        for back in range(1, length + 1):
            day = sa.literal(today - timedelta(days=back), snapshots.c.day.type)
            moment = sa.literal(now - timedelta(days=back), snapshots.c.snapshot_time.type)
            given = {"day": day, "snapshot_time": moment}
            columns = [given.get(column.name, column) for column in snapshots.c]
            of_today = sa.select(*columns).where(snapshots.c.day == today)
            tx.execute(snapshots.insert().from_select(list(snapshots.c), of_today))
        tx.execute(account_spans.update().values(since=now - timedelta(days=length)))
        for project in list(tx.execute(sa.select(projects.c.id)).scalars()):
            days.rebuild(tx, project)


def _fill_project(db: Database, project: str, size: int, now: datetime) -> None:
    began = now - timedelta(days=DAYS)
    times: dict[str, object] = dict.fromkeys(
        ("synced_at", "checked_at", "changed_at", "created_at", "updated_at", "as_of"), now
    )
    counts: dict[str, object] = {metric: 1000 * place for place, metric in enumerate(METRICS, 1)}
    names = [f"{project}-{number}" for number in range(size)]
    with db.write() as tx:
        tx.execute(projects.insert(), [{"id": project, "name": project, "revision": 1, **times}])
        row: dict[str, object] = {"project_id": project, "platform": "x", "added_at": began, **counts}
        people = [
            row
            | {"username": name, "profile_url": f"https://x.com/{name}", "url_key": f"x:{name}"}
            | {"topic": f"topic {place % 7}", "owner": f"owner {place % 11}"}
            for place, name in enumerate(names)
        ]
        tx.execute(accounts.insert(), people)
        ids = list(tx.execute(accounts.select().where(accounts.c.project_id == project)).scalars())
        for back in range(DAYS, -1, -1):
            moment = now - timedelta(days=back)
            of_day = [{"day": moment.date(), "account_id": one, "snapshot_time": moment, **counts} for one in ids]
            tx.execute(account_snapshots.insert(), of_day)
        spans.follow(tx, ids, began)
        days.rebuild(tx, project)
