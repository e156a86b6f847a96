"""A project as a whole, from what is kept and what is asked for once, is what its accounts come to one by one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.store.test_movements import World
from webapp.rules.growth import NO_SUMS, Sums
from webapp.store import days, movements, spans
from webapp.store.db import Database
from webapp.store.ends import DayEnd, DaysBack, Present
from webapp.store.movements import WHOLE, Cohort, between, together
from webapp.store.wholes import by_project, crossings, present, since_day, since_moments

BOTH = ("a", "b")


class Followed(World):
    """The same; spans say of each account what its row says, as they do behind every change."""

    def sync(self) -> None:
        super().sync()
        last = max([self.now(), *(span.since for one in BOTH for span in spans.of_scope(self.tx, "project", one))])
        for project in BOTH:
            spans.follow(self.tx, self.ids[project], last)
        days.keep(self.tx, {project: {self.day} for project in BOTH})


@pytest.mark.parametrize("large", [movements.LARGE, 5_000], ids=["mostly", "half"])
@pytest.mark.parametrize("seed", range(3))
def test_wholes_are_what_their_accounts_come_to(
    db: Database, monkeypatch: pytest.MonkeyPatch, seed: int, large: int
) -> None:
    """large: how many of the accounts are added up at once."""
    with db.write() as tx:
        world = Followed(tx, seed)
        for number in range(91):
            world.step()
            if number % 15 == 0:
                world.sync()
                monkeypatch.setattr(movements, "LARGE", large)
                _compare(world)
                monkeypatch.undo()


def _compare(world: Followed) -> None:
    tx, some = world.tx, [world.day - timedelta(days=back) for back in (0, 1, 3, 9, 30)]
    now = by_project(present(tx, BOTH, by=WHOLE))
    for projects in (BOTH, ("a",)):
        for back, found in zip((1, 7), since_moments(tx, projects, (1, 7), now), strict=True):
            assert found == by_project(between(tx, "some", projects, DaysBack(back), Present(), by=WHOLE))
    crossed = crossings(tx, BOTH, some[-1])
    kept = {one: days.sums_of(tx, one, some[-1], world.day) for one in BOTH}
    for day in some:
        then = {one: mine[day] for one, mine in kept.items()}
        assert since_day(tx, DayEnd(day), Present(), then, now, crossed) == _by_accounts(world, day, Present())
        for last in some:
            if day <= last:
                end = {one: mine[last] for one, mine in kept.items()}
                found = since_day(tx, DayEnd(day), DayEnd(last), then, end, crossed)
                assert found == _by_accounts(world, day, DayEnd(last))


def _by_accounts(world: Followed, then: date, now: Present | DayEnd) -> dict[str, Sums]:
    found = by_project(between(world.tx, "some", BOTH, DayEnd(then), now, by=WHOLE))
    return {one: found.get(one, NO_SUMS) for one in BOTH}


@pytest.mark.parametrize("large", [movements.LARGE, 5_000], ids=["mostly", "half"])
def test_the_present_is_told_apart_as_movements_are(db: Database, monkeypatch: pytest.MonkeyPatch, large: int) -> None:
    with db.write() as tx:
        world = Followed(tx, 1)
        for _ in range(60):
            world.step()
        world.sync()
        monkeypatch.setattr(movements, "LARGE", large)

        found = present(tx, BOTH)
        moved = [one for one in between(tx, "all", None, DaysBack(1), Present()) if one.profiles]

    assert sorted(map(_there, found), key=repr) == sorted(map(_there, moved), key=repr)
    assert together(found).movement.total == together(moved).movement.total
    assert together(found).from_nothing() == together(found)


def _there(one: Cohort) -> tuple[object, ...]:
    return (*one[:5], one.sums.total, one.sums.now, one.sums.accounts)
