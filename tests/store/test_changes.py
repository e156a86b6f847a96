"""What is kept of changed counts says afterwards what it was told, however compactly it is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from webapp.model import LARGEST, METRICS, NOTHING, Counts
from webapp.rules.addresses import cell_of
from webapp.rules.merge import WINNERS, Winner
from webapp.store import changes
from webapp.store.changes import ChangeBatch, Changed
from webapp.store.db import Database
from webapp.store.tables import accounts, change_batches, count_changes, projects

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
PEOPLE = 4

values = st.none() | st.integers(0, 2_000) | st.sampled_from([LARGEST])
counts = st.builds(Counts, *[values] * len(METRICS))
tabs = st.sampled_from(["A", "My! tab", "Б"])
origins = st.builds(
    lambda tab, rows: f"{tab}!{rows}", tabs, st.sampled_from(["0", "7", "17", "17,31", "007", "9999999999"])
)
odd_origins = st.sampled_from(
    ["A!B17,31", "x.com/ann", "B7", "!B7", "!7", "A!B7", "A!B007", "A!B9999999999", "A\nB!C3", "A\nB!3", "17", ""]
)
LETTERS = ("B", "C", "", "AA", "F")
Told: TypeAlias = tuple[Counts, Counts, list[Winner | None], str, tuple[int, ...]]


@st.composite
def told(draw: st.DrawFn) -> Told:
    """What the counts were and are, who won each, and where the sheet says so."""
    old, new = draw(st.tuples(counts, counts).filter(lambda pair: pair[0] != pair[1]))
    winners = draw(st.lists(st.sampled_from(WINNERS), min_size=len(METRICS), max_size=len(METRICS)))
    places = st.just(()) | st.tuples(*[st.sampled_from([17, 31])] * len(METRICS))
    return old, new, winners, draw(origins | odd_origins), draw(places)


def changed(account_id: int, one: Told) -> Changed:
    old, new, winners, origin, places = one
    bits = sum(WINNERS.index(winner) << 2 * place for place, winner in enumerate(winners) if old[place] != new[place])
    is_sheets = any(winner == "sheet" and old[place] != new[place] for place, winner in enumerate(winners))
    return Changed(account_id, old, new, bits, origin if is_sheets else None, places)


def meant(one: Told) -> dict[str, list[Any]]:
    """{metric: [old, new, winner, cell]}."""
    *sides, origin, places = one
    rows = places or [None] * len(METRICS)
    return {
        metric: [old, new, winner, cell_of(origin, letters, row) if winner == "sheet" else None]
        for metric, letters, row, old, new, winner in zip(METRICS, LETTERS, rows, *sides, strict=True)
        if old != new
    }


def viewed(account_id: int, old: int, new: int, row: int | None = None) -> Changed:
    """Other views, by the platform or by a row of the tab A."""
    winner = WINNERS.index("parsed" if row is None else "sheet") << 2 * METRICS.index("views")
    before, after = NOTHING._replace(views=old), NOTHING._replace(views=new)
    return Changed(account_id, before, after, winner, None if row is None else f"A!{row}")


def batch(*rows: Changed) -> dict[str, ChangeBatch]:
    return {"p": ChangeBatch(LETTERS, rows)}


batches = st.lists(st.dictionaries(st.integers(1, PEOPLE), told(), min_size=1), min_size=1, max_size=4)


@pytest.fixture
def people(db: Database) -> list[int]:
    """Ids of the accounts of the project `p`, the first of them the least."""
    with db.write() as tx:
        tx.execute(projects.insert().values(id="p", name="Project A"))
        row = {"project_id": "p", "profile_url": "https://x.com/ann"}
        rows = [row | {"url_key": f"x:{number}"} for number in range(PEOPLE)]
        tx.execute(accounts.insert(), rows)
        return sorted(tx.execute(sa.select(accounts.c.id)).scalars())


def row_count(tx: sa.Connection) -> int:
    return int(tx.execute(sa.select(sa.func.count()).select_from(count_changes)).scalar_one())


def of_project(tx: sa.Connection, **asked: Any) -> list[tuple[int, Any]]:
    return [(row.account_id, row.changes) for row in changes.of_project(tx, "p", **{"limit": 100, **asked})]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(batches, st.sampled_from(METRICS), st.integers(1, 3))
def test_what_was_told_is_read_again(db: Database, people: list[int], said: list[Any], metric: Any, limit: int) -> None:
    with db.write() as tx:
        tx.execute(change_batches.delete())
        for number, these in enumerate(said):
            rows = [changed(people[account - 1], one) for account, one in these.items()]
            changes.add(tx, f"run {number}", batch(*rows), NOW + timedelta(minutes=number))
    expected = [
        (people[account - 1], meant(these[account])) for these in reversed(said) for account in sorted(these)[::-1]
    ]

    with db.read() as tx:
        pages = [changes.of_project(tx, "p", limit=limit)]
        while len(pages[-1]) == limit:
            pages.append(changes.of_project(tx, "p", limit=limit, before=pages[-1][-1].id))
        found = [row for page in pages for row in page]

        assert [(row.account_id, row.changes) for row in found] == expected
        assert [list(row.changes) for row in found] == [list(one) for _, one in expected]
        ids = [row.id for row in found]
        assert ids == sorted(set(ids), reverse=True)
        first = people[0]
        assert of_project(tx, account_id=first) == [one for one in expected if one[0] == first]
        assert of_project(tx, metric=metric) == [one for one in expected if metric in one[1]]
        latest = changes.of_account(tx, "p", first)
        assert [one for _, one in latest] == [one for account, one in expected if account == first]


def test_who_is_merged_keeps_the_changes_of_both(db: Database, people: list[int]) -> None:
    one, other = {"views": [1, 2, "sheet", "A!F2"]}, {"views": [3, 4, "sheet", "A!F3"]}
    with db.write() as tx:
        changes.add(tx, "run", batch(viewed(people[0], 1, 2, 2), viewed(people[1], 3, 4, 3)), NOW)
        changes.move(tx, "p", people[0], people[1])

    with db.read() as tx:
        assert of_project(tx, account_id=people[1]) == [(people[1], other), (people[1], one)]
        assert of_project(tx, account_id=people[0]) == []


def test_a_changed_count_of_a_sync_takes_few_bytes(sqlite_db: Database) -> None:
    """What makes the file grow: 800 of 1,000 accounts at each sync, in one metric or two."""
    with sqlite_db.write() as tx:
        tx.execute(projects.insert().values(id="p", name="Project A"))
        before = tx.execute(sa.text("PRAGMA page_count")).scalar_one()
        for sync in range(50):
            rows = []
            for account in range(100_000, 100_080):
                views = 40_000 * account % 9_999_999 + 50 * sync
                one = viewed(account, views, views + 50, account - 99_998)
                if account % 2:
                    old = Counts(followers=20_000 + sync, views=views)
                    new = Counts(followers=20_001 + sync, views=views + 50)
                    winners = one.winners | WINNERS.index("parsed") << 2 * METRICS.index("followers")
                    one = one._replace(old=old, new=new, winners=winners)
                rows.append(one)
            at = NOW + timedelta(minutes=30 * sync)
            changes.add(tx, "b6f0a3a4-5c3b-4a55-9d5e-5d4b2a1c0f3e", batch(*rows), at)
        after = tx.execute(sa.text("PRAGMA page_count")).scalar_one()

    assert (after - before) * 4096 / (50 * 80) < 60


def test_the_oldest_are_forgotten_and_no_more_at_once_than_was_said(db: Database, people: list[int]) -> None:
    with db.write() as tx:
        for day in range(4):
            rows = [viewed(account, day, day + 1) for account in people]
            changes.add(tx, "run", batch(*rows), NOW + timedelta(days=day))
        until = NOW + timedelta(days=2)

        steps = [changes.forget(tx, until, 3) for _ in range(5)]

    assert steps == [3, 3, 3, 1, 0]  # two batches of four, and what they had in common
    with db.read() as tx:
        assert [one["views"][1] for _, one in of_project(tx)] == [4] * PEOPLE + [3] * PEOPLE
        assert row_count(tx) == 2 * PEOPLE


def test_with_a_project_go_its_changes(db: Database, people: list[int]) -> None:
    with db.write() as tx:
        pinned = viewed(people[0], 1, 2)._replace(winners=WINNERS.index("pin") << 2 * METRICS.index("views"))
        changes.add(tx, "run", batch(pinned), NOW)
        tx.execute(projects.delete())

        assert row_count(tx) == 0
