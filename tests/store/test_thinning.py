"""Old history by the week: whatever is asked of the ends of weeks is answered as before."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa

from webapp.errors import StoreError
from webapp.model import Counts
from webapp.rules.history import Span
from webapp.store import days, movements, snapshots, spans, tables, thinning
from webapp.store.db import Database
from webapp.store.ends import DayEnd
from webapp.store.standing import standing_at

NOW = datetime(2025, 9, 1, 12, tzinfo=UTC)
MONDAY = date(2025, 3, 3)
ONE = timedelta(days=1)
UNTIL = date(2025, 5, 25)  # the last Sunday that is over three months ago
WEEKS = 16
LAST = MONDAY + (WEEKS * 7 - 1) * ONE
SUNDAYS = [MONDAY + (7 * week + 6) * ONE for week in range(-1, WEEKS)]


def fill(db: Database, project_id: str, seed: int) -> None:
    """Six accounts with gaps in days and metrics, that come, go and return."""
    chance = random.Random(seed)
    with db.write() as tx:
        tx.execute(tables.projects.insert().values(id=project_id, name=project_id))
        for number in range(6):
            row = {"project_id": project_id, "profile_url": str(number), "url_key": str(number)}
            account = tx.execute(tables.accounts.insert().values(row).returning(tables.accounts.c.id)).scalar_one()
            first = chance.randrange(40)
            seen = {}
            for place in range(first, WEEKS * 7):
                counts = Counts(*(chance.choice([None, chance.randrange(1000)]) for _ in range(5)))
                if chance.random() < 0.7 and counts != Counts():
                    at = datetime.combine(MONDAY + place * ONE, time(chance.randrange(24)), UTC)
                    seen[at.date()] = (at, counts)
            snapshots.fill_days(tx, account, seen)
            since = min(at for at, _ in seen.values())
            turns = sorted(since + chance.randrange(1, 90) * ONE for _ in range(2))
            if chance.random() < 0.5 and turns[0] < turns[1]:
                found = [Span(account, since, turns[0], 31), Span(account, turns[1], None, 15)]
            else:
                found = [Span(account, since, None, 31)]
            spans.replace(tx, account, found)
        days.rebuild(tx, project_id)


def ends(db: Database, project_id: str) -> list[Any]:
    """What there is to say of the ends of weeks, and of how they grew."""
    with db.read() as tx:
        found: list[Any] = []
        for before, sunday in pairwise(SUNDAYS):
            sums = days.sums_of(tx, project_id, sunday, sunday)[sunday]
            stood = {one: values for one, (_, values) in standing_at(tx, "project", project_id, sunday).items()}
            moved = movements.of_projects(tx, [project_id], DayEnd(before), DayEnd(sunday)).get(project_id)
            found.append((sunday, sums.known_total, sums.accounts, stood, moved and moved.movement))
        return found


def thin(db: Database, project_id: str, until: date = UNTIL) -> int:
    gone, done = 0, False
    while not done:
        with db.write() as tx:
            taken, done = thinning.step(tx, project_id, until, NOW)
        gone += taken
    return gone


def count(db: Database) -> int:
    with db.read() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(tables.account_snapshots)).scalar_one())


@pytest.mark.parametrize("seed", range(2))
def test_ends_of_weeks_stay_as_they_were_and_sums_are_those_of_what_is_left(db: Database, seed: int) -> None:
    fill(db, "p", seed)
    fill(db, "other", seed + 10)
    before, others, rows = ends(db, "p"), ends(db, "other"), count(db)

    gone = thin(db, "p")

    assert gone > 50
    assert count(db) == rows - gone
    assert ends(db, "p") == before
    assert ends(db, "other") == others
    assert thin(db, "p") == 0
    with db.write() as tx:
        assert not days.rebuild(tx, "p").mended
        (revision,) = tx.execute(sa.select(tables.projects.c.revision).where(tables.projects.c.id == "p")).scalars()
        assert 8 < revision <= 12  # counted up for each week in which something went


def test_days_that_are_young_enough_stay(sqlite_db: Database) -> None:
    db = sqlite_db
    fill(db, "p", 1)

    def young() -> list[Any]:
        with db.read() as tx:
            mine = tables.account_snapshots.select().where(tables.account_snapshots.c.day > UNTIL)
            return sorted(map(tuple, tx.execute(mine)), key=repr)

    before = young()
    thin(db, "p")

    assert young() == before


def test_nothing_goes_before_somebody_has_begun(sqlite_db: Database) -> None:
    db = sqlite_db
    fill(db, "p", 1)
    rows = count(db)

    assert thinning.go_on(db, NOW, None) == 0
    assert thinning.go_on(db, NOW, 3) == 0
    assert count(db) == rows
    with db.read() as tx:
        assert thinning.waiting_projects(tx, UNTIL) == thinning.Waiting(["p"], min(row[0] for row in days_of(tx)))
        assert thinning.waiting_projects(tx, MONDAY - ONE) is None


def days_of(tx: sa.Connection) -> list[Any]:
    return list(tx.execute(sa.select(tables.project_days.c.day)).all())


def test_what_was_begun_goes_on_as_weeks_become_old(sqlite_db: Database) -> None:
    db = sqlite_db
    fill(db, "p", 1)
    thin(db, "p", UNTIL - 14 * ONE)
    before = ends(db, "p")

    assert thinning.go_on(db, NOW, 3, lambda: True) == 0
    assert thinning.go_on(db, NOW, 3) > 5
    assert thinning.go_on(db, NOW, 3) == 0
    assert ends(db, "p") == before


def test_a_project_that_has_nothing_old_is_begun_by_itself(sqlite_db: Database) -> None:
    db = sqlite_db
    fill(db, "p", 1)
    early = datetime.combine(MONDAY, time(), UTC) + 60 * ONE

    assert thinning.go_on(db, early, 3) == 0
    assert thinning.go_on(db, NOW, 3) > 50
    with db.read() as tx:
        assert thinning.waiting_projects(tx, UNTIL) is None


def test_a_call_makes_so_many_steps_at_most(sqlite_db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    db = sqlite_db
    fill(db, "p", 1)
    thin(db, "p", MONDAY - ONE)
    monkeypatch.setattr(thinning, "STEPS", 2)
    first = thinning.go_on(db, NOW, 3)

    assert 0 < first < thinning.go_on(db, NOW, 3) + first


def test_a_database_that_cannot_do_it_is_no_failure(sqlite_db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StoreError("busy", code="database_busy")

    db = sqlite_db
    fill(db, "p", 1)
    thin(db, "p", MONDAY - ONE)
    monkeypatch.setattr(thinning, "step", fail)

    assert thinning.go_on(db, NOW, 3) == 0
