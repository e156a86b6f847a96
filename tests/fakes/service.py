"""The whole service over a real database, with a spreadsheet and a clock that the test holds in its hands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.fakes.clock import FakeClock
from tests.fakes.sheet import FakeSheet
from webapp.app import create_app
from webapp.bootstrap import Parts, bootstrap
from webapp.clock import Clock, as_utc
from webapp.config import Settings
from webapp.sources.sheet import SheetSource
from webapp.sources.urls import profile_of
from webapp.store import accounts, tables
from webapp.store.tables import metadata
from webapp.sync.engine import Engine
from webapp.sync.options import Shortcuts

__all__ = ["ADMIN", "TIMES", "TOKEN", "Service"]

TOKEN = "the-admin-token-of-the-tests"
ADMIN = {"Authorization": f"Bearer {TOKEN}"}
# Tables that say when something was done and who has to be told, not what is so.
TIMES = ("sync_runs", "sync_run_projects", "leases", "spreadsheets", "projects", "alerts", "alert_looks")

NO_SHORTCUTS = Shortcuts(**{field.name: False for field in fields(Shortcuts)})


class Service:
    """Verbs for what callers do, and nouns for what the database then says."""

    def __init__(
        self,
        url: str,
        *,
        shortcuts: bool = True,
        keep_answers: bool | None = None,
        sheets: Collection[SheetSource] | None = None,
        lease_s: float = 60.0,
        clock: Clock | None = None,
    ) -> None:
        """keep_answers: as `create_app` takes it; by default as it says, and without other shortcuts not."""
        self.time = FakeClock()
        self.sheet = FakeSheet()
        parts = bootstrap(
            Settings(database_url=url, admin_tokens=(TOKEN,), lease_s=lease_s), clock=clock or self.time.clock
        )
        options = replace(parts.engine.options, shortcuts=Shortcuts() if shortcuts else NO_SHORTCUTS)
        self.engine = Engine(parts.db, [self.sheet] if sheets is None else list(sheets), options, parts.clock)
        settings = replace(parts.settings, sheets=tuple(sheet.key for sheet in self.engine.sheets))
        self.parts: Parts = replace(parts, engine=self.engine, settings=settings)
        self.db = parts.db
        keep_answers = keep_answers if shortcuts else False
        self._how = {} if keep_answers is None else {"keep_answers": keep_answers}

    @cached_property
    def app(self) -> Flask:
        return create_app(self.parts, **self._how)

    @property
    def client(self) -> FlaskClient:
        """A client without a token, for one thread."""
        return self.app.test_client()

    def options(self, **what: Any) -> None:
        """Settings of a sync, as if the service had been started with them."""
        self.engine.options = replace(self.engine.options, **what)

    def close(self) -> None:
        self.parts.background.shut_down(10)
        self.db.close()

    # What callers do

    def post(self, path: str, json: Any = None, **parameters: Any) -> TestResponse:
        return self.client.post(path, json=json, query_string=_said(parameters), headers=ADMIN)

    def trigger(self, headers: dict[str, str] | None = None, **parameters: Any) -> TestResponse:
        """One trigger, and the whole answer."""
        query, all_headers = _said(parameters), ADMIN | (headers or {})
        return self.client.post("/api/admin/smart_sync", query_string=query, headers=all_headers)

    def get(self, path: str, **parameters: Any) -> Any:
        answer = self.client.get(path, query_string=_said(parameters), headers=ADMIN)
        assert answer.status_code == 200, answer.text
        return answer.json

    def sync(self, status: int = 200, **parameters: Any) -> Any:
        """One trigger, and what it was told."""
        answer = self.trigger(**parameters)
        assert answer.status_code == status, answer.text
        return answer.json

    def reading(self, url: str, *, at: datetime | None = None, origin: str = "youtube", **counts: int) -> None:
        """A platform says something of an account."""
        one = {"profile_url": url, "observed_at": (at or self.time.now).isoformat(), "origin": origin, **counts}
        answer = self.post("/api/admin/readings", {"readings": [one]})
        assert answer.json is not None
        assert answer.json["success"], answer.text

    def add_account(self, url: str, project: str = "Project A") -> int:
        """Somebody adds an account over the API."""
        found = profile_of(url)
        row = {"project_id": self.project(project)["id"], "platform": found.platform, "username": found.username}
        row |= {"profile_url": url, "url_key": found.url_key, "discovered": "api", "added_at": self.time.now}
        with self.db.write() as tx:
            return int(tx.execute(tables.accounts.insert().values(row).returning(tables.accounts.c.id)).scalar_one())

    def remove_account(self, url: str) -> None:
        """Somebody removes an account over the API."""
        with self.db.write() as tx:
            accounts.remove_accounts(tx, [self.account(url)["id"]], self.time.now, "api")

    def settle(self) -> None:
        """Wait for what goes on in the background."""
        for thread in list(self.parts.background._threads):
            thread.join(20)

    # What the database says

    def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        with self.db.read() as tx:
            return [dict(row) for row in tx.execute(sa.text(sql), values).mappings()]

    def write(self, sql: str, **values: Any) -> None:
        """Somebody else's hand in the database."""
        with self.db.write() as tx:
            tx.execute(sa.text(sql), values)

    def one(self, sql: str, **values: Any) -> Any:
        """The one value of the one row."""
        (row,) = self.rows(sql, **values)
        (value,) = row.values()
        return value

    def account(self, url: str) -> dict[str, Any]:
        (row,) = self.rows("SELECT * FROM accounts WHERE url_key = :key", key=profile_of(url).url_key)
        return row

    def followers(self, url: str) -> int | None:
        value: int | None = self.account(url)["followers"]
        return value

    def history(self, url: str) -> list[tuple[str, int | None]]:
        """(day, followers), oldest first."""
        sql = "SELECT day, followers FROM account_snapshots WHERE account_id = :id ORDER BY day"
        return [(str(row["day"]), row["followers"]) for row in self.rows(sql, id=self.account(url)["id"])]

    def project(self, name: str = "Project A") -> dict[str, Any]:
        (row,) = self.rows("SELECT * FROM projects WHERE name = :name", name=name)
        return row

    def table(self, name: str) -> list[tuple[Any, ...]]:
        with self.db.read() as tx:
            rows = tx.execute(sa.select(metadata.tables[name])).all()
        return sorted((tuple(row) for row in rows), key=repr)

    def tables(self, without: Collection[str] = ()) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that is stored, to be compared with later."""
        return {name: self.table(name) for name in metadata.tables if name not in without}


def _said(parameters: dict[str, Any]) -> dict[str, str]:
    """Parameters as a caller writes them; `run_async` is `async`, which Python keeps for itself."""
    words = {name.removeprefix("run_"): value for name, value in parameters.items()}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in words.items()}


def moment(value: Any) -> datetime:
    """A time as either database gives it."""
    return as_utc(datetime.fromisoformat(value) if isinstance(value, str) else value)
