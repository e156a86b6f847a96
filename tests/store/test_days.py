"""What is kept of each day is what the plain rule makes of the same snapshots and spans, whatever happens."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from webapp.model import METRICS, Counts
from webapp.rules.growth import Sums
from webapp.rules.history import ONE, ProjectDay, history
from webapp.store import accounts as account_rows
from webapp.store import days, merging, spans
from webapp.store.days import MetricSums
from webapp.store.db import Database
from webapp.store.standing import cells, standing_at
from webapp.store.tables import account_snapshots, account_spans, accounts, project_days, projects

START = date(2026, 3, 1)


def noon(day: date, hour: int = 12) -> datetime:
    return datetime.combine(day, time(hour), UTC)


class Past:
    """Two projects whose accounts come, go, are counted, missed and corrected at random."""

    def __init__(self, tx: sa.Connection, seed: int) -> None:
        self.tx = tx
        self.dice = random.Random(seed)
        self.day = START
        for name in ("a", "b"):
            tx.execute(projects.insert().values(id=name, name=name))
        self.ids: dict[str, list[int]] = {"a": [], "b": []}
        self.named = 0

    def step(self) -> None:
        project = self.dice.choice(["a", "a", "a", "b"])
        if self.dice.random() < 0.02:
            self.merge(project)
            return
        act = self.dice.choice([self.join, self.snapshot, self.snapshot, self.correct, self.change, self.pass_days])
        if act in (self.correct, self.change) and self.ids[project]:
            since = self.day - timedelta(days=6)
            with days.adjusting(self.tx, project, self.ids[project][:2], since, self.day):
                act(project)
            return
        touched = act(project)
        if touched is not None:
            days.keep(self.tx, {project: {touched}})

    def counts(self) -> dict[str, int | None]:
        return {metric: self.dice.choice([None, self.dice.randrange(10_000)]) for metric in METRICS}

    def bits(self) -> int:
        return self.dice.choice([0, 1, 3, 31, 31, 16])

    def join(self, project: str) -> date | None:
        if len(self.ids[project]) >= 6:
            return None
        self.named += 1
        name = f"{project}{self.named}"
        row = {"project_id": project, "profile_url": name, "url_key": name}
        account = self.tx.execute(accounts.insert().values(row).returning(accounts.c.id)).scalar_one()
        self.ids[project].append(account)
        spans.put(self.tx, [(account, self.bits())], self.now())
        return self.day

    def now(self) -> datetime:
        return noon(self.day, self.dice.randrange(24)) + timedelta(seconds=self.dice.randrange(3600))

    def snapshot(self, project: str) -> date | None:
        for account in self.ids[project]:
            if self.dice.random() < 0.7:
                self.put(account, self.day)
        return self.day

    def put(self, account: int, day: date) -> None:
        mine = (account_snapshots.c.account_id == account) & (account_snapshots.c.day == day)
        self.tx.execute(account_snapshots.delete().where(mine))
        row = {"account_id": account, "day": day, "snapshot_time": noon(day), **self.counts()}
        self.tx.execute(account_snapshots.insert().values(row))

    def correct(self, project: str) -> date | None:
        if not self.ids[project]:
            return None
        day = self.day - timedelta(days=self.dice.randrange(6))
        account = self.dice.choice(self.ids[project][:2])
        mine = (account_snapshots.c.account_id == account) & (account_snapshots.c.day == day)
        if self.dice.random() < 0.3:
            self.tx.execute(account_snapshots.delete().where(mine))
        else:
            self.put(account, day)
        return day

    def change(self, project: str) -> date | None:
        if not self.ids[project]:
            return None
        last = self.tx.execute(sa.select(sa.func.max(account_spans.c.since), sa.func.max(account_spans.c.until))).one()
        now = max([self.now(), *(moment for moment in last if moment)])
        spans.put(self.tx, [(self.dice.choice(self.ids[project][:2]), self.bits())], now)
        return self.day

    def merge(self, project: str) -> None:
        """The two that came last are one."""
        if len(self.ids[project]) < 3:
            return
        into, source = self.ids[project][-2:]
        with days.adjusting(
            self.tx, project, [into, source], days.first_of(self.tx, [into, source]) or self.day, self.day
        ):
            merging.merge(self.tx, account_rows.lock(self.tx, source), account_rows.lock(self.tx, into), self.now())
        self.ids[project].pop()

    def pass_days(self, _: str) -> date | None:
        self.day += timedelta(days=self.dice.choice([1, 1, 1, 2, 4]))
        return None


def plainly(tx: sa.Connection, project: str, start: date, end: date) -> list[ProjectDay]:
    before = standing_at(tx, "project", project, start - ONE)
    return history(
        start, end, before, cells(tx, "project", project, start, end), spans.of_scope(tx, "project", project)
    )


@pytest.fixture
def operations(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("operations"))


@pytest.mark.parametrize("seed", range(6))
def test_kept_days_are_those_of_the_plain_rule(db: Database, seed: int, operations: int) -> None:
    with db.write() as tx:
        past = Past(tx, seed)
        for number in range(operations):
            past.step()
            if number % 25 == 0:
                since = START if number % 500 == 0 else max(START, past.day - timedelta(days=100))
                for project in ("a", "b"):
                    assert days.of_project(tx, project, since, past.day) == plainly(tx, project, since, past.day)

        for project in ("a", "b"):
            middle = START + (past.day - START) // 2
            assert days.of_project(tx, project, middle, past.day) == plainly(tx, project, middle, past.day)
            kept = days.of_project(tx, project, START, past.day)
            assert kept == plainly(tx, project, START, past.day)
            days.rebuild(tx, project)
            assert days.of_project(tx, project, START, past.day) == kept
        for since in (START, middle):
            by_metric = [days.of_metric(tx, ["a", "b"], place, since, past.day) for place in range(len(METRICS))]
            for project in ("a", "b"):
                sums = days.sums_of(tx, project, since, past.day)
                for place, found in enumerate(by_metric):
                    assert found[project] == [metric_of(one, place) for one in sums.values()]
                assert days.sums_at(tx, [project], past.day) == {project: sums[past.day]}


def metric_of(one: Sums, place: int) -> MetricSums:
    parts = (part[place] for part in (one.total, one.growth, one.joined, one.left, one.now))
    return MetricSums._make([*parts, one.accounts, one.carried, any(one.growth)])


def test_days_before_what_was_touched_stay_as_they_are(db: Database) -> None:
    with db.write() as tx:
        for name in "ab":
            tx.execute(projects.insert().values(id=name, name=name))
        days.keep(tx, {"a": {START}, "b": {START}})
        tx.execute(project_days.update().values(accounts=7))
        days.keep(tx, {"a": {START}, "b": {START + ONE}})

        known = tx.execute(sa.select(project_days.c.project_id, project_days.c.day, project_days.c.accounts)).all()

    assert {tuple(row) for row in known} == {("a", START, 0), ("b", START, 7), ("b", START + ONE, 0)}


def test_sums_that_no_database_adds_exactly_are_exact(db: Database) -> None:
    most = 2**63 - 1
    with db.write() as tx:
        tx.execute(projects.insert().values(id="a", name="a"))
        for name in "xyz":
            row = {"project_id": "a", "profile_url": name, "url_key": name}
            account = tx.execute(accounts.insert().values(row).returning(accounts.c.id)).scalar_one()
            spans.put(tx, [(account, 1)], noon(START))
            snapshot = {"account_id": account, "day": START, "snapshot_time": noon(START), "followers": most}
            tx.execute(account_snapshots.insert().values(snapshot))
        days.keep(tx, {"a": {START}})

        (found,) = days.of_project(tx, "a", START, START)

    assert found.total == Counts(followers=3 * most)
