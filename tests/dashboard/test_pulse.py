"""What an open page asks every other second."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from tests.dashboard.conftest import OURS, READ, Site
from tests.dashboard.filled import TOKEN, sync
from tests.dashboard.test_alerts import begin
from webapp.access import COOKIE
from webapp.store.db import Database
from webapp.store.tables import sync_runs


def beat(client: FlaskClient) -> str:
    answer = client.get("/pulse")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert len(answer.data) < 100
    at: str = answer.get_json()["at"]
    return at


def test_it_stays_the_same_while_nothing_happens(site: Site) -> None:
    reader = site.visitor(READ)

    assert beat(reader) == beat(reader) == beat(site.visitor(TOKEN))


def test_it_changes_with_a_run_and_at_its_end(site: Site) -> None:
    reader = site.visitor(READ)
    before = beat(reader)
    sync(site.parts)
    ended = beat(reader)
    with site.parts.db.write() as tx:
        latest = sa.select(sync_runs.c.id).order_by(sync_runs.c.started_at.desc()).limit(1).scalar_subquery()
        tx.execute(sync_runs.update().where(sync_runs.c.id == latest).values(state="running"))

    assert len({before, ended, beat(reader)}) == 3


def test_it_changes_when_somebody_changes_something_and_with_alerts(site: Site) -> None:
    boss = site.visitor(TOKEN)
    before = beat(boss)
    number = begin(site)
    alerted = beat(boss)
    boss.post(f"/alerts/{number}/acknowledge", headers=OURS)

    assert len({before, alerted, beat(boss)}) == 3


def test_it_costs_no_transaction_while_nobody_writes(site: Site) -> None:
    reader, begun = site.visitor(READ), []
    original = Database.read

    def read(db: Database) -> Any:
        begun.append(db)
        return original(db)

    before = beat(reader)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "read", read)
        assert beat(reader) == before
        assert begun == []
        begin(site)
        begun.clear()
        assert beat(reader) != before
        assert len(begun) == 2  # whether the session still stands, and what has happened


def test_whoever_signs_out_feels_it_no_more(site: Site) -> None:
    reader = site.visitor(READ)
    beat(reader)
    other = site.app.test_client()
    cookie = reader.get_cookie(COOKIE)
    assert cookie is not None
    other.set_cookie(COOKIE, cookie.value)
    beat(other)

    assert other.post("/sign-out", headers=OURS).status_code == 303

    assert reader.get("/pulse").status_code == 303


def test_nobody_feels_it_without_a_session(site: Site) -> None:
    assert site.visitor().get("/pulse").status_code == 303
