"""A past that a test lays out by hand: projects, accounts and their snapshots, written straight into the tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from tests.fakes.past import follow_past
from tests.fakes.service import ADMIN, Service
from webapp.model import METRICS
from webapp.store import days, spans
from webapp.store.tables import account_snapshots, accounts, projects

__all__ = ["World", "day"]


def day(text: str) -> date:
    """`03-05` of the year of the tests."""
    return date.fromisoformat(f"2026-{text}")


class World:
    """Verbs that write rows, and what readers then get."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.statements: list[str] = []
        self.told = False  # whether spans and days say what the rows say
        service.client.get("/ready")  # the first use looks at the schema, which is no part of any question
        sa.event.listen(service.db._engine, "before_cursor_execute", self._note)

    # What there is

    def project(self, name: str = "Project A", **values: Any) -> str:
        """A project that was synced just now; answers its id, which is its name in lower case with dashes."""
        now = self.service.time.now
        row: dict[str, Any] = {"id": name.lower().replace(" ", "-"), "name": name, "synced_at": now, "checked_at": now}
        row |= {"changed_at": now, "created_at": now, "updated_at": now, "revision": 1}
        row |= values
        row.setdefault("as_of", max(filter(None, (row["synced_at"], row["changed_at"])), default=None))
        self._insert(projects, [row])
        return str(row["id"])

    def account(self, project: str, name: str, **values: Any) -> int:
        row = {
            "project_id": project,
            "platform": "x",
            "username": name,
            "profile_url": f"https://x.com/{name}",
            "url_key": f"x:{name}",
            "added_at": self.service.time.now,
        }
        with self.service.db.write() as tx:
            self.told = False
            return int(tx.execute(accounts.insert().values(row | values).returning(accounts.c.id)).scalar_one())

    def crowd(self, project: str, size: int, first: str, values: list[int]) -> None:
        """So many accounts that are alike, with views of one day after the other."""
        row = {"project_id": project, "platform": "x", "views": values[-1], "added_at": self.service.time.now}
        names = [f"{project}-{number}" for number in range(size)]
        people = [row | {"username": name, "profile_url": f"https://x.com/{name}", "url_key": name} for name in names]
        self._insert(accounts, people)
        with self.service.db.read() as tx:
            ids = tx.execute(sa.select(accounts.c.id).where(accounts.c.url_key.in_(names))).scalars().all()
        days = [day(first) + timedelta(days=n) for n in range(len(values))]
        self._insert(
            account_snapshots,
            [
                {"day": one, "account_id": i, "snapshot_time": datetime.combine(one, time(10), UTC), "views": value}
                for one, value in zip(days, values, strict=True)
                for i in ids
            ],
        )

    def snapshots(self, account: int, past: Mapping[str, int | Mapping[str, int] | None], at: str = "10:00") -> None:
        """`{"03-01": 100}`: views of days; other metrics as `{"03-01": {"followers": 5}}`."""
        rows = []
        for text, counts in past.items():
            moment = datetime.combine(day(text), time.fromisoformat(at), UTC)
            known = counts if isinstance(counts, Mapping) else {"views": counts}
            full = dict.fromkeys(METRICS) | dict(known)
            rows.append({"day": day(text), "account_id": account, "snapshot_time": moment, **full})
        self._insert(account_snapshots, rows)

    def every_day(self, account: int, first: str, values: list[int]) -> None:
        """Views of one day after the other."""
        days = [day(first) + timedelta(days=n) for n in range(len(values))]
        self.snapshots(account, {one.isoformat()[5:]: value for one, value in zip(days, values, strict=True)})

    def change(self, project: str, **values: Any) -> None:
        """Change the project's own row, as every writer does: with a new revision."""
        with self.service.db.write() as tx:
            statement = projects.update().where(projects.c.id == project)
            tx.execute(statement.values(revision=projects.c.revision + 1, **values))

    def change_account(self, account: int, **values: Any) -> None:
        self.tell()
        with self.service.db.write() as tx:
            mine = accounts.c.id == account
            tx.execute(accounts.update().where(mine).values(**values))
            spans.follow(tx, [account], values.get("removed_at") or self.service.time.now)
            project = tx.execute(sa.select(accounts.c.project_id).where(mine)).scalar_one()
            days.rebuild(tx, project)
            tx.execute(projects.update().where(projects.c.id == project).values(revision=projects.c.revision + 1))

    def _insert(self, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            self.told = False
            with self.service.db.write() as tx:
                tx.execute(table.insert(), rows)

    def tell(self) -> None:
        """Give spans to the accounts that have none, from their first snapshot on, and sum up the days."""
        if self.told:
            return
        self.told = True
        with self.service.db.write() as tx:
            follow_past(tx)

    # What readers get

    def get(self, path: str, *, headers: Any = None, **parameters: Any) -> Any:
        self.tell()
        return self.service.client.get(path, query_string=parameters or None, headers=ADMIN | (headers or {}))

    def json(self, path: str, **parameters: Any) -> Any:
        answer = self.get(path, **parameters)
        assert answer.status_code == 200, answer.text
        return answer.json

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """The statements that the database is given meanwhile; a reader's BEGIN is none."""
        self.tell()
        found: list[str] = []
        before = len(self.statements)
        yield found
        found.extend(text for text in self.statements[before:] if not text.startswith("BEGIN"))

    def _note(self, connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        self.statements.append(statement)
