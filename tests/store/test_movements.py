"""What the database adds up is what the accounts come to one by one."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
import sqlalchemy as sa

from tests.store.test_days import START, Past, noon
from webapp.model import METRICS, UNKNOWN
from webapp.rules.growth import Point, counting, difference, sums, value_at
from webapp.rules.sorting import group_by
from webapp.store import days, movements
from webapp.store.accounts import Account
from webapp.store.db import Database
from webapp.store.ends import DayEnd, DaysBack, End, Never, Present
from webapp.store.heads import all_heads
from webapp.store.movements import WHOLE, Cohort, between, grown, together
from webapp.store.spans import of_scope as spans_of
from webapp.store.standing import Scope, everybody, ranged, recent
from webapp.store.tables import account_snapshots, account_spans, accounts, doubts, projects


class World(Past):
    """The same, with current counts, modes, removed accounts and syncs."""

    def sync(self) -> None:
        for name in ("a", "b"):
            if self.dice.random() < 0.9:
                self.tx.execute(projects.update().where(projects.c.id == name).values(as_of=self.now()))
            for account in self.ids[name]:
                row: dict[str, Any] = {
                    "mode": self.dice.choice(["auto", "auto", "off"]),
                    "removed_at": None,
                    **self.counts(),
                }
                if self.dice.random() < 0.2:
                    row["removed_at"] = self.now()
                self.doubt(account)
                row |= {name: self.dice.choice([None, "x", "y"]) for name in ("topic", "owner")}
                self.tx.execute(accounts.update().where(accounts.c.id == account).values(row))

    def doubt(self, account: int) -> None:
        """Some of what is typed now is in doubt, and some was."""
        self.tx.execute(doubts.delete().where(doubts.c.account_id == account))
        for metric in METRICS:
            if self.dice.random() < 0.2:
                row: dict[str, Any] = {
                    "account_id": account,
                    "metric": metric,
                    "day": self.day,
                    "typed": 1,
                    "credible": 9,
                }
                row |= {"since": self.now(), "observed_at": self.now(), "state": self.dice.choice(["open", "timed"])}
                self.tx.execute(doubts.insert().values(row))

    def ends(self) -> list[tuple[End, Present | DayEnd]]:
        some: list[DayEnd] = [DayEnd(self.day - timedelta(days=back)) for back in (0, 1, 3, 9)]
        starts: list[End] = [DaysBack(1), DaysBack(7), Never(), *some]
        found: list[tuple[End, Present | DayEnd]] = [(then, Present()) for then in starts]
        found += [(Never(), now) for now in some]
        return [*found, *((then, now) for then, now in product(some, some) if then.day <= now.day)]


def one_by_one(tx: sa.Connection, scope: Scope, of: str | None, then: End, now: Present | DayEnd) -> list[Cohort]:
    """The plain rule."""
    as_of = {project.id: project.as_of for project in all_heads(tx)}
    people = [*everybody(tx, scope, of, removed=True)]

    def values(end: End) -> dict[int, tuple[int | None, ...]]:
        match end:
            case DayEnd(day):
                return {row.account.id: row.last for row in ranged(tx, scope, of, day, day)}
            case DaysBack(number):
                return {row.account.id: row.then for row in recent(tx, scope, of, number, as_of)}
            case Never():
                return {one.id: UNKNOWN for one in people}
            case _:
                return {one.id: one.counts if one.counted else UNKNOWN for one in people}

    before, after = values(then), values(now)
    found = []
    for key, mine in group_by(people, _alike).items():
        added = sums((before[one.id], after[one.id]) for one in mine)
        found.append(Cohort(*key, sum(one.counted for one in mine), added))
    return found


def rule(tx: sa.Connection, account: Account, back: int, as_of: datetime | None) -> tuple[int | None, ...]:
    """What an account stood at so many days before, by all its snapshots."""
    if as_of is None:
        return UNKNOWN
    rows = tx.execute(account_snapshots.select().where(account_snapshots.c.account_id == account.id)).mappings()
    points = [Point(row["snapshot_time"], tuple(row[metric] for metric in METRICS)) for row in rows]
    mine = sa.select(doubts.c.metric).where(doubts.c.account_id == account.id, doubts.c.state == "open")
    doubted = {METRICS.index(metric) for metric in tx.execute(mine).scalars()}
    believed = tuple(None if i in doubted else count for i, count in enumerate(account.contribution))
    points = [*sorted(one for one in points if one.at <= as_of), Point(as_of, believed)]
    moment = as_of - timedelta(days=back)
    spans = spans_of(tx, "account", account.id)
    mask = next((span.metrics for span in spans if span.covers(moment)), 0)
    return counting(value_at(moment, points), mask)


def _alike(account: Account) -> tuple[str, str, str | None, str | None]:
    return account.project_id, account.platform, account.topic, account.owner


def plain(cohorts: list[Cohort]) -> list[Cohort]:
    """In one order; what has no value of the day is another matter."""
    bare = [one._replace(sums=one.sums._replace(carried=0)) for one in cohorts]
    return sorted(bare, key=repr)


@pytest.mark.parametrize("large", [movements.LARGE, 5_000, 0], ids=["mostly", "half", "never"])
@pytest.mark.parametrize("seed", range(3))
def test_added_up_at_once_and_one_by_one_are_the_same(
    db: Database, monkeypatch: pytest.MonkeyPatch, seed: int, large: int
) -> None:
    """large: how many of the accounts are added up at once."""
    monkeypatch.setattr(movements, "LARGE", large)
    with db.write() as tx:
        world = World(tx, seed)
        for number in range(61):
            world.step()
            if number % 20 == 0:
                world.sync()
                for then, now in world.ends():
                    for scope, of in (("project", "a"), ("all", None)):
                        expected = one_by_one(tx, scope, of, then, now)  # type: ignore[arg-type]
                        found = between(tx, scope, of, then, now)  # type: ignore[arg-type]
                        assert plain(found) == plain(expected), (number, then, now)
                        whole = between(tx, scope, of, then, now, by=WHOLE)  # type: ignore[arg-type]
                        assert together(whole) == together(found)


@pytest.mark.parametrize("large", [movements.LARGE, 5_000], ids=["mostly", "half"])
@pytest.mark.parametrize("seed", range(2))
def test_growth_of_each_account_is_the_difference_of_its_ends(
    db: Database, monkeypatch: pytest.MonkeyPatch, seed: int, large: int
) -> None:
    monkeypatch.setattr(movements, "LARGE", large)
    with db.write() as tx:
        world = World(tx, seed)
        for number in range(61):
            world.step()
            if number % 20 == 0:
                world.sync()
                as_of = {project.id: project.as_of for project in all_heads(tx)}
                there = {one.id for one in everybody(tx, "project", "a")}
                daily = {one.account.id: difference(one.now, one.then) for one in recent(tx, "project", "a", 1, as_of)}
                ends = world.day - timedelta(days=9), world.day
                ranging = {row.account.id: difference(row.last, row.first) for row in ranged(tx, "project", "a", *ends)}
                for place, metric in enumerate(METRICS):
                    found = grown(tx, "a", DaysBack(1), Present(), metric)
                    assert found == {one: growth[place] for one, growth in daily.items() if one in there}
                    found = grown(tx, "a", DayEnd(ends[0]), DayEnd(ends[1]), metric)
                    assert found == {one: growth[place] for one, growth in ranging.items() if one in there}


@pytest.mark.parametrize("seed", range(3))
def test_moments_lie_between_what_was_observed_around_them(db: Database, seed: int) -> None:
    with db.write() as tx:
        world = World(tx, seed)
        for number in range(61):
            world.step()
            if number % 10 == 0:
                world.sync()
                as_of = {project.id: project.as_of for project in all_heads(tx)}
                for back in (1, 7):
                    for one in recent(tx, "project", "a", back, as_of):
                        assert one.then == rule(tx, one.account, back, as_of["a"]), (number, back, one.account)


def test_most_accounts_are_added_up_at_once(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movements._Cohorts, "add_accounts", None)
    with db.write() as tx:
        tx.execute(projects.insert().values(id="a", name="a", as_of=noon(START + timedelta(days=8))))
        for name in ("u", "v"):
            row: dict[str, Any] = {
                "project_id": "a",
                "profile_url": name,
                "url_key": name,
                **dict.fromkeys(METRICS, 90),
            }
            account = tx.execute(accounts.insert().values(row).returning(accounts.c.id)).scalar_one()
            tx.execute(account_spans.insert().values(account_id=account, since=noon(START), metrics=31))
            for number in range(9):
                day = START + timedelta(days=number)
                row = {"account_id": account, "day": day, "snapshot_time": noon(day, 6 if name == "u" else 18)}
                tx.execute(account_snapshots.insert().values(row | dict.fromkeys(METRICS, 10 * number)))
        days.rebuild(tx, "a")

        daily, weekly = (together(between(tx, "project", "a", DaysBack(n), Present())).movement for n in (1, 7))
        range_ = together(between(tx, "project", "a", DayEnd(START), DayEnd(START + timedelta(days=8)))).movement

    assert daily.growth == (180 - (73 + 68),) * 5  # at noon a quarter and three quarters of the way
    assert weekly.growth == (180 - (13 + 8),) * 5
    assert range_.growth == (160,) * 5


def test_who_was_not_observed_on_a_day_is_added_up_at_once_too(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movements._Cohorts, "add_accounts", None)
    with db.write() as tx:
        tx.execute(projects.insert().values(id="a", name="a", as_of=noon(START + timedelta(days=8))))
        for name, seen in (("u", range(9)), ("v", (0, 2, 5))):
            row: dict[str, Any] = {
                "project_id": "a",
                "profile_url": name,
                "url_key": name,
                **dict.fromkeys(METRICS, 90),
            }
            account = tx.execute(accounts.insert().values(row).returning(accounts.c.id)).scalar_one()
            tx.execute(account_spans.insert().values(account_id=account, since=noon(START), metrics=31))
            for number in seen:
                row = {
                    "account_id": account,
                    "day": START + timedelta(days=number),
                    **dict.fromkeys(METRICS, 10 * number),
                }
                tx.execute(account_snapshots.insert().values(row | {"snapshot_time": noon(row["day"])}))
        days.rebuild(tx, "a")

        daily, weekly = (together(between(tx, "project", "a", DaysBack(n), Present())).movement for n in (1, 7))
        (range_,) = between(
            tx, "project", "a", DayEnd(START + timedelta(days=1)), DayEnd(START + timedelta(days=8)), by=WHOLE
        )

    assert daily.growth == (180 - (70 + 77),) * 5  # two thirds of the way from 50 to the 90 of now
    assert weekly.growth == (180 - (10 + 10),) * 5
    assert range_.sums.movement.growth == (130 - (10 + 0),) * 5
    assert range_.sums.carried == 1


def test_a_snapshot_at_the_very_end_of_a_day_is_of_its_last_second(db: Database) -> None:
    """As those are whose run crossed midnight."""
    end = noon(START) + timedelta(hours=12, microseconds=-1)
    with db.write() as tx:
        tx.execute(projects.insert().values(id="a", name="a", as_of=noon(START, 18) + timedelta(days=2)))
        row: dict[str, Any] = {"project_id": "a", "profile_url": "u", "url_key": "u", **dict.fromkeys(METRICS, 0)}
        account = tx.execute(accounts.insert().values(row).returning(accounts.c.id)).scalar_one()
        tx.execute(account_spans.insert().values(account_id=account, since=end, metrics=31))
        for number in range(3):
            row = {"account_id": account, "day": START + timedelta(days=number)}
            row |= {
                "snapshot_time": end + timedelta(days=number) if number < 2 else noon(START, 18) + timedelta(days=2)
            }
            tx.execute(account_snapshots.insert().values(row | dict.fromkeys(METRICS, number * 86_400)))
        days.rebuild(tx, "a")

        (alone,) = recent(tx, "project", "a", 1, {"a": noon(START, 18) + timedelta(days=2)})
        (whole,) = between(tx, "project", "a", DaysBack(1), Present())

    assert alone.then == (64_801,) * 5  # 18 hours and one second after the end of the first day
    assert whole.sums.growth == (-64_801,) * 5
