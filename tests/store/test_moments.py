"""What most accounts came to at a moment is added up at once; together with the others it is what all come to."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
import sqlalchemy as sa

from tests.store.test_days import START, noon
from tests.store.test_movements import rule
from webapp.model import METRICS
from webapp.store import days, moments, movements
from webapp.store.db import Database
from webapp.store.ends import DayEnd, DaysBack, Present
from webapp.store.heads import all_heads
from webapp.store.moments import look_back
from webapp.store.movements import WHOLE, between
from webapp.store.standing import recent
from webapp.store.tables import account_snapshots, account_spans, accounts, projects
from webapp.store.wholes import by_project, crossings, present, since_day, since_moments

BOTH = ("a", "b")
BACK = (1, 7)
DAYS = 12
LAST = START + timedelta(days=DAYS)
AS_OF = noon(LAST, 17) + timedelta(seconds=1234, microseconds=5)


class Crowd:
    """Two projects whose accounts nearly all have the usual snapshots."""

    def __init__(self, tx: sa.Connection, seed: int = 0, size: int = 30) -> None:
        self.tx = tx
        self.dice = random.Random(seed)
        self.ids: dict[str, list[int]] = {one: [] for one in BOTH}
        for name in BOTH:
            tx.execute(projects.insert().values(id=name, name=name, as_of=AS_OF))
        for number in range(size):
            self.join("a" if number % 3 else "b", START)

    def join(self, project: str, since: Any, bits: int | None = None) -> int:
        """An account with snapshots of all days from one on."""
        bits = self.dice.choice([31, 31, 17]) if bits is None else bits
        name = f"{project}{len(self.ids[project])}"
        row: dict[str, Any] = {"project_id": project, "profile_url": name, "url_key": name, **self.counts(bits)}
        account = int(self.tx.execute(accounts.insert().values(row).returning(accounts.c.id)).scalar_one())
        self.ids[project].append(account)
        span = {"account_id": account, "since": noon(since, 3), "metrics": bits}
        self.tx.execute(account_spans.insert().values(span))
        for number in range((since - START).days, DAYS + 1):
            day = START + timedelta(days=number)
            row = {"account_id": account, "day": day, "snapshot_time": noon(day, 9), **self.counts(bits)}
            self.tx.execute(account_snapshots.insert().values(row))
        return account

    def counts(self, bits: int) -> dict[str, int | None]:
        known = [self.dice.randrange(10**9) if bits >> place & 1 else None for place in range(len(METRICS))]
        return dict(zip(METRICS, known, strict=True))

    def mar(self) -> None:
        """Something about some account is odd."""
        project = self.dice.choice(BOTH)
        account = self.dice.choice(self.ids[project])
        day = LAST - timedelta(days=self.dice.choice([0, 1, 2, 6, 7, 8]))
        mine = (account_snapshots.c.account_id == account) & (account_snapshots.c.day == day)
        moment = noon(day, self.dice.randrange(24))
        match self.dice.randrange(7):
            case 0:
                self.tx.execute(account_snapshots.delete().where(mine))
            case 1:
                self.tx.execute(account_snapshots.update().where(mine).values(snapshot_time=moment))
            case 2:
                values: dict[str, Any] = {self.dice.choice(METRICS): self.dice.choice([None, 5, 1 << 40])}
                self.tx.execute(account_snapshots.update().where(mine).values(values))
            case 3:
                self.join(project, day)
            case 4:
                if self.end(account, moment):
                    self.tx.execute(accounts.update().where(accounts.c.id == account).values(removed_at=moment))
            case 5:
                if self.end(account, moment):
                    again = {"account_id": account, "since": moment + timedelta(seconds=1), "metrics": 16}
                    self.tx.execute(account_spans.insert().values(again))
                    less = dict.fromkeys(METRICS[:-1]) | {METRICS[-1]: 77}
                    self.tx.execute(accounts.update().where(accounts.c.id == account).values(less))
            case _:
                row = {METRICS[-1]: self.dice.choice([1 << 33, (1 << 33) - 1])}
                self.tx.execute(accounts.update().where(accounts.c.id == account).values(row))

    def end(self, account: int, moment: datetime) -> bool:
        """Whether it counted then, and ceased to."""
        open_ = (account_spans.c.account_id == account) & account_spans.c.until.is_(None)
        ended = account_spans.update().where(open_, account_spans.c.since < moment).values(until=moment)
        return bool(self.tx.execute(ended).rowcount)

    def sync(self, moment: datetime) -> None:
        self.tx.execute(projects.update().values(as_of=moment))
        for project in BOTH:
            days.rebuild(self.tx, project)


def compare(tx: sa.Connection) -> None:
    now = by_project(present(tx, BOTH, by=WHOLE))
    for back, found in zip(BACK, since_moments(tx, BOTH, BACK, now), strict=True):
        assert found == by_project(between(tx, "some", BOTH, DaysBack(back), Present(), by=WHOLE))


@pytest.mark.parametrize("large", [movements.LARGE, 0], ids=["mostly", "never"])
@pytest.mark.parametrize("seed", range(3))
def test_a_few_odd_accounts_among_many_are_looked_at_apart(
    db: Database, monkeypatch: pytest.MonkeyPatch, seed: int, large: int
) -> None:
    """large: how many of the accounts are usual."""
    monkeypatch.setattr(movements, "LARGE", large)
    with db.write() as tx:
        crowd = Crowd(tx, seed)
        for number in range(10):
            crowd.sync(AS_OF - timedelta(hours=crowd.dice.randrange(24)))
            compare(tx)
            usual = [one.usual for moment in look_back(tx, BOTH, BACK) for one in moment.values()]
            assert number or [one is not None for one in usual] == [bool(large)] * 4
            crowd.mar()


@pytest.mark.parametrize("dense", [0, 1_000], ids=["by account", "by range"])
def test_accounts_are_found_by_a_range_of_ids_or_one_by_one(
    db: Database, monkeypatch: pytest.MonkeyPatch, dense: int
) -> None:
    monkeypatch.setattr(moments, "DENSE", dense)
    moments._look_back.cache_clear()
    with db.write() as tx:
        crowd = Crowd(tx)
        crowd.sync(AS_OF)

        (found, _) = look_back(tx, BOTH, BACK)
        compare(tx)

    assert {one: moment.usual for one, moment in found.items()} == {"a": 20, "b": 10}
    moments._look_back.cache_clear()


def test_one_account_with_times_of_its_own_does_not_tell_the_usual_ones(db: Database) -> None:
    with db.write() as tx:
        crowd = Crowd(tx)
        for day in (LAST - timedelta(days=number) for number in range(DAYS)):
            mine = (account_snapshots.c.account_id == crowd.ids["a"][0]) & (account_snapshots.c.day == day)
            tx.execute(account_snapshots.update().where(mine).values(snapshot_time=noon(day, 11)))
        crowd.sync(AS_OF)

        found = [moment["a"].usual for moment in look_back(tx, BOTH, BACK)]
        compare(tx)

    assert found == [19, 19]


def test_one_statement_tells_where_nobody_is_odd(db: Database) -> None:
    asked: list[str] = []
    with db.write() as tx:
        Crowd(tx).sync(AS_OF)
        now = by_project(present(tx, BOTH, by=WHOLE))
        sa.event.listen(tx, "before_cursor_execute", lambda *values: asked.append(values[2]))

        since_moments(tx, BOTH, BACK, now)

    assert len(asked) == 1


def test_who_began_to_count_is_told_with_the_moment_and_nobody_else_is_looked_for(db: Database) -> None:
    asked: list[str] = []
    with db.write() as tx:
        crowd = Crowd(tx)
        new = crowd.join("a", LAST)
        crowd.sync(AS_OF)
        now = by_project(present(tx, BOTH, by=WHOLE))
        sa.event.listen(tx, "before_cursor_execute", lambda *values: asked.append(values[2]))

        since_moments(tx, BOTH, BACK, now)

        assert len(asked) == 1 + len(BACK)
        assert [(one["a"].begun_ids, one["b"].begun_ids) for one in look_back(tx, BOTH, BACK)] == [([new], [])] * 2
        compare(tx)


def test_behind_the_last_snapshot_the_present_counts(db: Database) -> None:
    with db.write() as tx:
        crowd = Crowd(tx, size=4)
        tx.execute(account_snapshots.delete().where(account_snapshots.c.day >= LAST - timedelta(days=1)))
        crowd.sync(AS_OF)

        day, week = look_back(tx, BOTH, BACK)
        compare(tx)

    assert [one.usual for one in (*day.values(), *week.values())] == [None, None, 2, 2]


def test_before_the_first_snapshot_nobody_counts(db: Database) -> None:
    with db.write() as tx:
        crowd = Crowd(tx, size=4)
        tx.execute(account_snapshots.delete().where(account_snapshots.c.day < LAST))
        crowd.sync(AS_OF)

        found = [one for moment in look_back(tx, BOTH, BACK) for one in moment.values()]
        compare(tx)

    assert {(one.usual, one.stayed.then) for one in found} == {(None, (0,) * len(METRICS))}


def test_snapshots_that_are_years_apart_are_no_usual_ones(db: Database) -> None:
    with db.write() as tx:
        crowd = Crowd(tx, size=4)
        tx.execute(account_snapshots.delete().where(account_snapshots.c.day.notin_([START, LAST])))
        long_ago = {"day": START.replace(year=2019), "snapshot_time": noon(START.replace(year=2019))}
        tx.execute(account_snapshots.update().where(account_snapshots.c.day == START).values(long_ago))
        tx.execute(account_spans.update().values(since=noon(START.replace(year=2019))))
        crowd.sync(AS_OF)

        found = [one.usual for moment in look_back(tx, BOTH, BACK) for one in moment.values()]
        compare(tx)

    assert found == [None] * 4


def test_projects_without_accounts_or_without_a_sync_have_nothing_usual(db: Database) -> None:
    with db.write() as tx:
        Crowd(tx, size=3).sync(AS_OF)
        tx.execute(projects.insert().values(id="c", name="c", as_of=AS_OF))
        tx.execute(projects.update().where(projects.c.id == "a").values(as_of=None))
        tx.execute(accounts.update().where(accounts.c.project_id == "b").values(removed_at=AS_OF))
        tx.execute(account_spans.update().values(until=AS_OF))

        found, _ = look_back(tx, (*BOTH, "c"), BACK)
        compare(tx)

        assert [present(tx, [one], by=WHOLE) for one in ("b", "c")] == [[], []]

    assert {one: moment.usual for one, moment in found.items()} == {"a": None, "b": None}


def test_snapshots_of_a_moment_are_gone_through_in_their_order(sqlite_db: Database) -> None:
    """From one to the next of a day, and to the other day by account; nothing is read that is of another day."""
    values = {"large": movements.LARGE, "scope": '["a"]'}
    sql, parameters = moments._look_back(BACK).text("sqlite", **values)
    with sqlite_db.read() as tx:
        plan = [row[-1] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)]

    places = [
        at for at, step in enumerate(plan) if step.startswith("SEARCH before USING PRIMARY KEY (day=? AND account_id>?")
    ]
    assert len(places) == len(BACK)
    for at in places:
        assert plan[at + 1] == "SEARCH accounts USING INTEGER PRIMARY KEY (rowid=?)"
        assert plan[at + 2] == "SEARCH after USING PRIMARY KEY (day=? AND account_id=?)"
        assert plan[at + 3].startswith("SEARCH span USING PRIMARY KEY (account_id=?")
    assert not [step for step in plan if step.startswith("SCAN") and ("snapshots" in step or "accounts" in step)]


def test_where_nobody_counted_at_first_all_have_joined_and_no_account_is_looked_at(db: Database) -> None:
    asked: list[str] = []
    before, last = START - timedelta(days=9), LAST - timedelta(days=1)
    with db.write() as tx:
        Crowd(tx).sync(AS_OF)
        crossed = crossings(tx, BOTH, before)
        at_first, at_last = (days.sums_at(tx, BOTH, day) for day in (before, last))
        now = by_project(present(tx, BOTH, by=WHOLE))
        sa.event.listen(tx, "before_cursor_execute", lambda *values: asked.append(values[2]))

        to_last = since_day(tx, DayEnd(before), DayEnd(last), at_first, at_last, crossed)
        to_now = since_day(tx, DayEnd(before), Present(), at_first, now, crossed)

        assert asked == []
        assert to_last == by_project(between(tx, "some", BOTH, DayEnd(before), DayEnd(last), by=WHOLE))
        assert to_now == by_project(between(tx, "some", BOTH, DayEnd(before), Present(), by=WHOLE))


def test_accounts_that_came_together_are_told_together(db: Database) -> None:
    with db.write() as tx:
        crowd = Crowd(tx, size=12)
        late = crowd.join("a", LAST)

        (found,) = crossings(tx, ["a"], START)
        every = crossings(tx, ["a"], START - timedelta(days=1))

    assert (found.ids, found.since, found.until) == (str(late), noon(LAST, 3), None)
    assert sorted(len(one.ids.split(",")) for one in every) == [1, 8]


def test_each_account_stood_where_all_its_snapshots_say(db: Database) -> None:
    with db.write() as tx:
        crowd = Crowd(tx, size=12)
        for number in range(25):
            if number % 6 == 0:
                crowd.sync(AS_OF - timedelta(hours=crowd.dice.randrange(24)))
                as_of = {one.id: one.as_of for one in all_heads(tx)}
                for project, back in product(BOTH, BACK):
                    for one in recent(tx, "project", project, back, as_of):
                        assert one.then == rule(tx, one.account, back, as_of[project])
            crowd.mar()
