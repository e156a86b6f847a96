"""Summing up all days anew changes nothing that anybody is told, whatever happened before."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest

from tests.fakes.answers import public_answers
from tests.fakes.clock import FakeClock
from tests.fakes.service import ADMIN, Service
from tests.fakes.sheet import FakeSheet
from webapp.actions.storage import rebuild_all_days

FIRST = date(2026, 3, 2)
SIZE = 8


class Tinkering:
    """A small sheet, and somebody who edits it and what is stored at random."""

    def __init__(self, service: Service, sheet: FakeSheet, time: FakeClock, seed: int) -> None:
        self.service, self.sheet, self.time = service, sheet, time
        self.dice = random.Random(seed)
        self.views: list[int | None] = [self.dice.randrange(100_000) for _ in range(SIZE)]
        self.away: set[int] = set()
        self.banned: set[int] = set()

    def step(self) -> None:
        acts = [
            self.type,
            self.type,
            self.type,
            self.clear,
            self.leave,
            self.ban,
            self.forget,
            self.correct,
            self.merge,
        ]
        self.dice.choice(acts)()
        if self.dice.random() < 0.6:
            self.sync()
        self.time.forward(hours=self.dice.choice([1, 5, 24, 24, 24, 72]))

    def sync(self) -> None:
        rows: list[list[Any]] = [
            [f"x.com/p{n}", views and views % 1_000, None, None, None, views, "BAN" if n in self.banned else None]
            for n, views in enumerate(self.views)
            if n not in self.away
        ]
        self.sheet.rows("Project A", *rows)
        self.service.sync(force=True)

    def one(self) -> int:
        return self.dice.randrange(SIZE)

    def type(self) -> None:
        for n, views in enumerate(self.views):
            self.views[n] = (views or 500) + self.dice.randrange(500)

    def clear(self) -> None:
        self.views[self.one()] = None

    def leave(self) -> None:
        self.away ^= {self.one()}

    def ban(self) -> None:
        self.banned ^= {self.one()}

    def snapshot(self) -> str:
        """The path of some snapshot, if there is any."""
        rows = self.service.rows(
            "SELECT account_id, day FROM account_snapshots JOIN accounts ON id = account_id "
            "WHERE removed_at IS NULL ORDER BY account_id, day"
        )
        if not rows:
            return "/api/admin/accounts/0/snapshots/2026-03-02"
        row = self.dice.choice(rows)
        return f"/api/admin/accounts/{row['account_id']}/snapshots/{row['day']}"

    def forget(self) -> None:
        """Delete a day of everybody, or of one."""
        path = self.snapshot()
        day = path.rpartition("/")[2]
        ids = [row["id"] for row in self.service.rows("SELECT id FROM accounts")]
        all_of_it = [f"/api/admin/accounts/{account}/snapshots/{day}" for account in ids]
        for one in all_of_it if self.dice.random() < 0.5 else [path]:
            self.service.client.delete(one, headers=ADMIN)

    def correct(self) -> None:
        answer = self.service.client.put(self.snapshot(), json={"views": self.dice.randrange(100_000)}, headers=ADMIN)
        assert answer.status_code in (200, 404)

    def merge(self) -> None:
        rows = self.service.rows("SELECT id FROM accounts WHERE removed_at IS NULL ORDER BY id")
        if len(rows) > SIZE // 2 and self.dice.random() < 0.15:
            one, other = self.dice.sample([row["id"] for row in rows], 2)
            assert self.service.post(f"/api/admin/accounts/{one}/merge", {"into": other}).status_code == 200


@pytest.mark.parametrize("seed", range(2))
def test_days_that_are_summed_up_anew_change_no_answer(
    service: Service, sheet: FakeSheet, time: FakeClock, seed: int
) -> None:
    tinkering = Tinkering(service, sheet, time, seed)
    tinkering.sync()
    for _ in range(40):
        tinkering.step()
    last = time.now.date() + timedelta(days=1)

    before = public_answers(service, FIRST, last)
    assert len(list(rebuild_all_days(service.parts.desk))) == 1
    after = public_answers(service, FIRST, last)

    assert {path for path in before if before[path] != after[path]} == set()
    assert len(after) > 60


def test_days_that_were_wrong_are_mended_and_everybody_is_told(
    service: Service, sheet: FakeSheet, time: FakeClock
) -> None:
    for views in (100, 120):
        sheet.rows("Project A", ["x.com/ann", None, None, None, None, views])
        service.sync()
        time.forward(days=1)
    path = f"/api/projects/{service.project()['id']}/analytics"
    right, revision = service.get(path), service.project()["revision"]

    for spoil in ("UPDATE project_days SET accounts = 7", "DELETE FROM project_days"):
        service.write(spoil)
        list(rebuild_all_days(service.parts.desk))
        assert service.get(path) == right
        revision += 1
        assert service.project()["revision"] == revision
    list(rebuild_all_days(service.parts.desk))
    assert service.project()["revision"] == revision


def test_a_project_without_a_past_is_summed_up_to_nothing(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", ["x.com/ann", None, None, None, None, None])
    service.sync()

    assert list(rebuild_all_days(service.parts.desk)) == [("Project A", 0)]
