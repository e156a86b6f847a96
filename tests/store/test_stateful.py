"""Leases and share links beside simple models of them, through whatever happens in whatever order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.fakes.database_clock import database_clock
from webapp.model import LEASE_PREFIX
from webapp.store import leases, share_links, tables
from webapp.store.db import Database

STEPS = settings(max_examples=12, stateful_step_count=25, deadline=None)
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
TTL_MS = 1_000
PROJECTS, HOLDERS = ("a", "b", "c"), ("run 1", "run 2", "run 3")
MOST_LINKS = 3

projects = st.sampled_from(PROJECTS)
holders = st.sampled_from(HOLDERS)
jumps = st.one_of(st.integers(0, 3 * TTL_MS), st.integers(-(10**9), 10**9))


class Held:
    """A lease in the model."""

    def __init__(self) -> None:
        self.holder: str | None = None
        self.fence = 0
        self.expires_at = 0

    def is_held(self, now: int) -> bool:
        return now < self.expires_at <= now + 2 * TTL_MS


class Leases(RuleBasedStateMachine):
    """db: a database whose clock is `self.now`, in milliseconds."""

    def __init__(self, db: Database, turn: Callable[[Callable[[], int]], None]) -> None:
        super().__init__()
        self.db = db
        self.now = 10**12
        self.model = {name: Held() for name in PROJECTS}
        self.given: list[tuple[str, str, int]] = []  # (project, holder, fence) of every lease that anybody ever got
        turn(lambda: self.now)
        with db.write() as tx:
            tx.execute(tables.leases.delete())

    @rule(by=jumps)
    def time_passes_or_jumps(self, by: int) -> None:
        self.now += by

    @rule(names=st.sets(projects, min_size=1), holder=holders)
    def take(self, names: set[str], holder: str) -> None:
        free = {name for name in names if not self.model[name].is_held(self.now)}
        with self.db.write() as tx:
            fences = leases.take(tx, _named(names), holder, TTL_MS)
        for name in free:
            one = self.model[name]
            one.holder, one.fence, one.expires_at = holder, one.fence + 1, self.now + TTL_MS
            self.given.append((name, holder, one.fence))
        assert fences == {LEASE_PREFIX + name: self.model[name].fence for name in free}

    @rule(holder=holders)
    def beat(self, holder: str) -> None:
        mine = [one for one in self.model.values() if one.holder == holder]
        for one in mine:
            one.expires_at = self.now + TTL_MS
        with self.db.write() as tx:
            assert leases.renew(tx, holder, TTL_MS) == len(mine)

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        """Whoever was overtaken finds out before it has written anything."""
        name, holder, fence = data.draw(st.sampled_from(self.given))
        one = self.model[name]
        may_write = (one.holder, one.fence) == (holder, fence)
        with self.db.write() as tx:
            given = leases.give_back(tx, {LEASE_PREFIX + name: fence}, holder)
        assert given == ({LEASE_PREFIX + name} if may_write else set())
        if may_write:
            one.holder, one.expires_at = None, 0

    @rule(holder=holders)
    def end(self, holder: str) -> None:
        for one in self.model.values():
            if one.holder == holder:
                one.holder, one.expires_at = None, 0
        with self.db.write() as tx:
            leases.release_all(tx, holder)

    @invariant()
    def everybody_sees_who_is_synced(self) -> None:
        held = {name for name, one in self.model.items() if one.is_held(self.now)}
        with self.db.read() as tx:
            assert leases.syncing(tx, TTL_MS) == held
            assert leases.free(tx, _named(PROJECTS), TTL_MS) == _named(set(PROJECTS) - held)
            assert {name for name in PROJECTS if leases.is_syncing(tx, name, TTL_MS)} == held


def _named(names: Any) -> set[str]:
    return {LEASE_PREFIX + name for name in names}


def test_leases_have_one_holder_whatever_clocks_do(db: Database) -> None:
    clocks: list[Callable[[], int]] = []

    def now() -> int:
        return clocks[-1]()

    with database_clock(now):
        run_state_machine_as_test(lambda: Leases(db, clocks.append), settings=STEPS)  # type: ignore[arg-type]  # takes what makes one, too


class ShareLinks(RuleBasedStateMachine):
    """The model: {token: (project, link, when it was made, when it was closed)}."""

    def __init__(self, db: Database) -> None:
        super().__init__()
        self.db = db
        self.now = NOW
        self.links: dict[str, tuple[str, str, datetime, datetime | None]] = {}
        with db.write() as tx:
            tx.execute(tables.share_links.delete())
            tx.execute(tables.projects.delete())
            tx.execute(tables.projects.insert(), [{"id": name, "name": name} for name in PROJECTS])

    def live(self, project: str) -> int:
        return sum(of == project and closed is None for of, _, _, closed in self.links.values())

    @rule(project=projects)
    def share(self, project: str) -> None:
        self.now += timedelta(seconds=1)
        room = self.live(project) < MOST_LINKS
        with self.db.write() as tx:
            added = share_links.add(tx, project, None, self.now)
        assert (added is not None) == room
        if added is not None:
            link, token = added
            assert token not in self.links
            self.links[token] = project, link.id, self.now, None

    @precondition(lambda self: self.links)
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        self.now += timedelta(seconds=1)
        token = data.draw(st.sampled_from(list(self.links)))
        project, link, made, closed = self.links[token]
        self.links[token] = project, link, made, closed or self.now
        with self.db.write() as tx:
            found = share_links.revoke(tx, link, self.now)
        assert found is not None
        assert (found.project_id, found.revoked_at) == (project, closed or self.now)

    @rule(project=projects)
    def a_project_goes_and_takes_its_links_along(self, project: str) -> None:
        self.links = {token: row for token, row in self.links.items() if row[0] != project}
        with self.db.write() as tx:
            tx.execute(tables.projects.delete().where(tables.projects.c.id == project))
            tx.execute(tables.projects.insert().values(id=project, name=project))

    @invariant()
    def tokens_open_what_they_are_for(self) -> None:
        with self.db.read() as tx:
            for token, (project, _, _, closed) in self.links.items():
                assert share_links.project_of_token(tx, token, self.now) == (None if closed else project)
            assert share_links.project_of_token(tx, "share_of_nobody", self.now) is None

    @invariant()
    def a_list_has_live_ones_first_then_the_newest(self) -> None:
        with self.db.read() as tx:
            for project in PROJECTS:
                mine = [(made, link, closed) for of, link, made, closed in self.links.values() if of == project]
                mine.sort(key=lambda one: (one[2] is not None, -one[0].timestamp()))
                assert [link.id for link in share_links.of_project(tx, project)] == [link for _, link, _ in mine]


def test_share_links_open_their_project_until_they_are_closed(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share_links, "LIVE_LINKS", MOST_LINKS)

    run_state_machine_as_test(lambda: ShareLinks(db), settings=STEPS)  # type: ignore[arg-type]  # takes what makes one, too
