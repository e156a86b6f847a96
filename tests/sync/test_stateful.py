"""Runs and snapshots beside simple models of them, through whatever happens in whatever order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.fakes.clock import MONDAY
from tests.fakes.database_clock import database_clock
from tests.fakes.service import Service
from webapp.clock import Clock
from webapp.errors import Invalid
from webapp.model import RunState
from webapp.store import runs, tables
from webapp.store.db import Database
from webapp.sync.admission import Admission
from webapp.sync.options import Options
from webapp.sync.trigger import How, Trigger

STEPS = settings(max_examples=12, stateful_step_count=25, deadline=None)
TTL = timedelta(seconds=60)
TTL_MS = 60_000
A_DAY = timedelta(hours=24)
TRIGGERS = [Trigger(all=all_, force=force) for all_ in (False, True) for force in (False, True)]

triggers = st.sampled_from(TRIGGERS)
keys = st.sampled_from([None, None, "one", "two"])
moments = st.sampled_from([1, 59, 61, 61, 119, 121, -61, 3_600, -3_600, 90_000, -90_000]).map(
    lambda seconds: timedelta(seconds=seconds)
)


@dataclass
class Began:
    """A run in the model. read: whether it has begun to read; again: whether it makes one more pass."""

    id: str
    trigger: Trigger
    beat: datetime
    state: str = "running"
    read: bool = False
    again: bool = False

    def is_alive(self, now: datetime) -> bool:
        return self.state == "running" and now - TTL < self.beat <= now + TTL


class Runs(RuleBasedStateMachine):
    """Triggers with and without keys, runs that read, beat, end or die, and clocks that jump."""

    def __init__(self, db: Database, turn: Callable[[Callable[[], datetime]], None]) -> None:
        super().__init__()
        self.db = db
        self.now = MONDAY
        self.began: list[Began] = []
        self.keys: dict[str, tuple[Began, Trigger, datetime]] = {}
        turn(lambda: self.now)
        clock = Clock(now=lambda: self.now)
        self.admission = Admission(db, ["book"], Options(lease_ms=TTL_MS), clock)
        with db.write() as tx:
            tx.execute(tables.sync_runs.delete())

    def live_like(self, trigger: Trigger) -> Began | None:
        return next((one for one in self.began if one.is_alive(self.now) and one.trigger == trigger), None)

    def of_key(self, key: str | None) -> tuple[Began, Trigger] | None:
        if key not in self.keys or abs(self.now - self.keys[key][2]) > A_DAY:
            return None
        return self.keys[key][:2]

    def close_dead(self) -> None:
        for one in self.began:
            if one.state == "running" and not one.is_alive(self.now):
                one.state = "abandoned"

    @rule(by=moments)
    def time_passes_or_jumps(self, by: timedelta) -> None:
        self.now += by

    @rule(trigger=triggers, key=keys)
    def ask(self, trigger: Trigger, key: str | None) -> None:
        self.ask_with(trigger, key)

    @precondition(lambda self: self.keys)
    @rule(data=st.data(), later=moments)
    def ask_again_with_its_key_later(self, data: st.DataObject, later: timedelta) -> None:
        """As somebody does who has not heard an answer."""
        key = data.draw(st.sampled_from(list(self.keys)))
        self.now += later
        self.ask_with(self.keys[key][1], key)

    def ask_with(self, trigger: Trigger, key: str | None) -> None:
        asked = Trigger(all=trigger.all, force=trigger.force, idempotency_key=key)
        known = self.of_key(key)
        if known is not None and known[1] != trigger:
            with pytest.raises(Invalid):
                self.admission.start(asked)
            return
        started = self.admission.start(asked)
        expected, how = (known[0], self.repeat(known[0])) if known else self.admit(trigger, key, started.run.id)
        assert (started.run.id, started.how, started.run.state) == (expected.id, how, expected.state)

    def repeat(self, run: Began) -> How:
        """A key that stands for a run; of a dead one it is told that it is dead."""
        if run.is_alive(self.now):
            return "coalesced"
        if run.state == "running":
            self.close_dead()
        return "replayed"

    def admit(self, trigger: Trigger, key: str | None, new_id: str) -> tuple[Began, How]:
        live = self.live_like(trigger)
        if live is not None and key is None and (not live.read or live.again):
            return live, "coalesced"
        self.close_dead()
        how: How = "coalesced"
        if live is None:
            assert new_id not in {one.id for one in self.began}
            live, how = Began(new_id, trigger, self.now), "fresh"
            self.began.append(live)
        else:
            live.again = live.again or live.read
        if key is not None:  # which forgets those of other days, also for a clock that goes back to them
            self.keys = {one: known for one, known in self.keys.items() if abs(self.now - known[2]) <= A_DAY}
            self.keys[key] = live, trigger, self.now
        return live, how

    @precondition(lambda self: self.began)
    @rule(data=st.data())
    def beat(self, data: st.DataObject) -> None:
        """Whoever was taken for dead hears it."""
        one = data.draw(st.sampled_from(self.began))
        with self.db.write() as tx:
            assert runs.beat(tx, one.id, {"done": 1}) == (one.state == "running")
        if one.state == "running":
            one.beat = self.now

    @precondition(lambda self: self.began)
    @rule(data=st.data())
    def begin_to_read(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.began))
        with self.db.write() as tx:
            assert runs.begin_pass(tx, one.id, self.now) == (one.state == "running")
        if one.state == "running":
            one.read, one.again = True, False

    @precondition(lambda self: self.began)
    @rule(data=st.data(), state=st.sampled_from(["succeeded", "failed", "cancelled"]))
    def end(self, data: st.DataObject, state: RunState) -> None:
        """The first end stands."""
        one = data.draw(st.sampled_from(self.began))
        with self.db.write() as tx:
            assert runs.close(tx, one.id, state, {"finished_at": self.now}) == (one.state == "running")
        if one.state == "running":
            one.state = state

    @invariant()
    def the_log_says_what_is_so(self) -> None:
        alive = {one.id for one in self.began if one.is_alive(self.now)}
        with self.db.read() as tx:
            rows = {row.id: row for row in runs.latest(tx, limit=1_000)}
            assert {row.id for row in runs.live_runs(tx, TTL_MS)} == alive
        assert {id_: row.state for id_, row in rows.items()} == {one.id: one.state for one in self.began}
        for one in self.began:
            assert rows[one.id].live == (rows[one.id].finished_at is None)
            if one.state == "running":
                assert rows[one.id].again == one.again

    @invariant()
    def one_live_run_answers_for_a_trigger(self) -> None:
        identities = [one.trigger for one in self.began if one.state == "running"]
        assert all(identities.count(trigger) == 1 for trigger in identities)


def test_each_trigger_is_answered_by_the_right_run_whatever_clocks_do(db: Database) -> None:
    clocks: list[Callable[[], datetime]] = []
    with database_clock(lambda: (clocks[-1]() - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)):
        run_state_machine_as_test(lambda: Runs(db, clocks.append), settings=STEPS)  # type: ignore[arg-type]  # takes what makes one, too


METRICS = ("followers", "views")
numbers = count()


class Snapshots(RuleBasedStateMachine):
    """Two accounts whose cells are typed, blanked and taken away, while days pass and somebody corrects history.

    The model: {account: {day: {metric: value}}}, each value the first that was read on its day, or what was put there.
    """

    def __init__(self, service: Service) -> None:
        super().__init__()
        self.service = service
        number = next(numbers)
        self.names = [f"e{number}a", f"e{number}b"]
        self.cells: dict[str, dict[str, int | None]] = {
            name: {"followers": 1_000, "views": None} for name in self.names
        }
        self.present = set(self.names)
        self.model: dict[str, dict[str, dict[str, int]]] = {name: {} for name in self.names}
        service.time.now = service.time.now.replace(hour=1) + timedelta(days=1)
        self.sync()

    def lay(self) -> None:
        rows = [
            [f"x.com/{name}", self.cells[name]["followers"], None, None, None, self.cells[name]["views"]]
            for name in self.names
            if name in self.present
        ]
        self.service.sheet.rows("Project A", *rows)

    @property
    def day(self) -> str:
        return self.service.time.now.date().isoformat()

    @rule()
    def sync(self) -> None:
        self.lay()
        self.service.sync(force=True)  # or losing one of two rows would be doubted
        for name in self.present:
            read = {metric: value for metric, value in self.cells[name].items() if value is not None}
            if read:
                taken = self.model[name].setdefault(self.day, {})
                self.model[name][self.day] = read | taken

    @rule(place=st.integers(0, 1), metric=st.sampled_from(METRICS), percent=st.integers(-9, 9))
    def type(self, place: int, metric: str, percent: int) -> None:
        cells = self.cells[self.names[place]]
        cells[metric] = (cells[metric] or 1_000) * (100 + percent) // 100

    @rule(place=st.integers(0, 1), metric=st.sampled_from(METRICS))
    def blank(self, place: int, metric: str) -> None:
        self.cells[self.names[place]][metric] = None

    @rule(place=st.integers(0, 1))
    def take_the_row_away_or_put_it_back(self, place: int) -> None:
        self.present ^= {self.names[place]}
        self.present = self.present or {self.names[place]}

    @rule(hours=st.sampled_from([1, 5, 23, 49]))
    def time_passes(self, hours: int) -> None:
        self.service.time.forward(hours=hours)

    @precondition(lambda self: any(self.model.values()))
    @rule(data=st.data(), value=st.integers(900, 1_100))
    def correct(self, data: st.DataObject, value: int) -> None:
        name, day = self.draw(data)
        answer = self.service.client.put(self.path(name, day), json={"followers": value}, headers=self.admin)
        assert answer.status_code == 200, answer.text
        self.model[name][day]["followers"] = value

    @precondition(lambda self: any(self.model.values()))
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        name, day = self.draw(data)
        answer = self.service.client.delete(self.path(name, day), headers=self.admin)
        assert answer.status_code == 200, answer.text
        del self.model[name][day]

    admin = {"Authorization": "Bearer the-admin-token-of-the-tests"}  # noqa: RUF012  nobody changes it

    def draw(self, data: st.DataObject) -> tuple[str, str]:
        return data.draw(st.sampled_from([(name, day) for name, days in self.model.items() for day in days]))

    def path(self, name: str, day: str) -> str:
        account = self.service.account(f"x.com/{name}")["id"]
        return f"/api/admin/accounts/{account}/snapshots/{day}"

    @invariant()
    def history_is_what_was_read_first_on_each_day(self) -> None:
        rows = self.service.rows(
            "SELECT username, day, s.followers, s.views FROM account_snapshots s JOIN accounts ON id = account_id"
        )
        mine = [row for row in rows if row["username"] in self.names]
        found: dict[str, dict[str, dict[str, int]]] = {name: {} for name in self.names}
        for row in mine:
            values = {metric: row[metric] for metric in METRICS if row[metric] is not None}
            found[row["username"]][str(row["day"])] = values
        assert found == self.model
        assert len(mine) == sum(map(len, found.values()))


def test_a_day_keeps_what_was_read_first_whatever_is_typed_later(service: Service) -> None:
    run_state_machine_as_test(lambda: Snapshots(service), settings=STEPS)  # type: ignore[arg-type]  # takes what makes one, too
