"""Who has the right to sync, on a clock that is set by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.database_clock import database_clock
from webapp.model import LEASE_PREFIX
from webapp.store import leases
from webapp.store.db import Database

NOW, TTL_MS = 10**12, 1_000
ANN, BEN = f"{LEASE_PREFIX}ann", f"{LEASE_PREFIX}ben"


class Clock:
    def __init__(self) -> None:
        self.now = NOW


@pytest.fixture
def clock() -> Iterator[Clock]:
    """What the database takes for the time, in milliseconds."""
    clock = Clock()
    with database_clock(lambda: clock.now):
        yield clock


def take(db: Database, *names: str, holder: str = "run 1", ttl_ms: int = TTL_MS) -> dict[str, int]:
    with db.write() as tx:
        return leases.take(tx, names, holder, ttl_ms)


def holders(db: Database, *names: str) -> dict[str, str]:
    with db.read() as tx:
        return leases.holders(tx, names, TTL_MS)


def test_a_lease_is_held_until_the_moment_it_ends(db: Database, clock: Clock) -> None:
    take(db, ANN)

    clock.now += TTL_MS - 1
    assert holders(db, ANN, BEN) == {ANN: "run 1"}
    clock.now += 1
    assert holders(db, ANN, BEN) == {}


def test_a_lease_may_end_twice_its_time_ahead_and_no_later(db: Database, clock: Clock) -> None:
    take(db, ANN, ttl_ms=2 * TTL_MS)

    assert holders(db, ANN) == {ANN: "run 1"}
    clock.now -= 1
    assert holders(db, ANN) == {}


def test_only_what_nobody_holds_is_taken_and_each_taking_counts_on(db: Database, clock: Clock) -> None:
    assert take(db, ANN) == {ANN: 1}
    assert take(db, ANN, BEN, holder="run 2") == {BEN: 1}
    clock.now += TTL_MS
    assert take(db, ANN, holder="run 2") == {ANN: 2}
    assert holders(db, ANN, BEN) == {ANN: "run 2"}


def test_any_number_of_names_is_asked_for_at_once(db: Database, clock: Clock) -> None:
    names = [f"{LEASE_PREFIX}{n}" for n in range(40_000)]

    assert take(db, *names) == dict.fromkeys(names, 1)
    assert holders(db, *names, BEN) == dict.fromkeys(names, "run 1")
    with db.read() as tx:
        assert leases.free(tx, [*names, BEN], TTL_MS) == {BEN}
        assert leases.free(tx, [], TTL_MS) == set()


def test_whoever_beats_holds_on_to_all_it_has(db: Database, clock: Clock) -> None:
    take(db, ANN, BEN)
    take(db, f"{LEASE_PREFIX}other", holder="run 2")

    clock.now += TTL_MS - 1
    with db.write() as tx:
        assert leases.renew(tx, "run 1", TTL_MS) == 2
    clock.now += TTL_MS - 1
    assert holders(db, ANN, BEN, f"{LEASE_PREFIX}other") == {ANN: "run 1", BEN: "run 1"}


@pytest.mark.parametrize(
    ("name", "holder", "fence"), [(ANN, "run 1", 2), (ANN, "run 2", 1), (BEN, "run 1", 1)], ids=["fence", "by", "of"]
)
def test_a_lease_is_only_given_back_by_its_holder(
    db: Database, clock: Clock, name: str, holder: str, fence: int
) -> None:
    take(db, ANN)

    with db.write() as tx:
        assert leases.give_back(tx, {name: fence}, holder) == set()

    words = leases.lost(name)
    assert (f"{name}; nothing was written" in str(words), words.hint) == (True, "its result stands")
    assert holders(db, ANN) == {ANN: "run 1"}


def test_a_lease_that_is_given_back_is_free_for_others_and_keeps_its_number(db: Database, clock: Clock) -> None:
    take(db, ANN, BEN)

    with db.write() as tx:
        assert leases.give_back(tx, {ANN: 1, BEN: 2}, "run 1") == {ANN}
    assert holders(db, ANN, BEN) == {BEN: "run 1"}
    with db.write() as tx:
        leases.release_all(tx, "run 1")
        assert leases.renew(tx, "run 1", TTL_MS) == 0
    assert take(db, ANN, BEN, holder="run 2") == {ANN: 2, BEN: 2}


def test_only_leases_of_projects_say_that_one_is_synced(db: Database, clock: Clock) -> None:
    take(db, ANN, "pruning")

    with db.read() as tx:
        assert leases.syncing(tx, TTL_MS) == {"ann"}
        assert leases.is_syncing(tx, "ann", TTL_MS)
        assert not leases.is_syncing(tx, "ben", TTL_MS)
