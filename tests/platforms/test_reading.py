"""What every platform has of a sync: its own thread and time, its own faults, and readings that are kept as they come."""

from __future__ import annotations

import threading
import time as real_time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.fakes.service import Service, moment
from tests.fakes.sheet import FakeSheet
from tests.platforms.conftest import unread
from webapp.clock import Budget, Stop
from webapp.errors import SourceError, StoreError, TransientSourceError
from webapp.model import NOTHING, Counts
from webapp.sources.http.exchange import Busy
from webapp.sources.platforms import ProfileReading, Quota, QuotaUsedUp, ReadBudget, Reader, Source, Wanted
from webapp.store import leases, platforms, readings
from webapp.store.platforms import UnitsOfDay
from webapp.store.readings import Reading
from webapp.sync import platforms as module
from webapp.sync.platforms import PlatformReads
from webapp.sync.trigger import Trigger

ADA, BOB = "https://www.twitch.tv/ada", "https://www.twitch.tv/bob"
Answer = Callable[[Sequence[Wanted], ReadBudget], Iterator[Sequence[ProfileReading]]]


def fine(accounts: Sequence[Wanted], _: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
    for account in accounts:
        yield [ProfileReading(account.key, Counts(followers=7))]


@dataclass
class FakeReader:
    """A reader without a network. asked: the profiles of each time that it was asked."""

    answer: Answer = fine
    per_call: int = 50
    quota: Quota | None = None
    asked: list[list[str]] = field(default_factory=list)
    closed: int = 0

    def read(self, accounts: Sequence[Wanted], budget: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        self.asked.append([account.key for account in accounts])
        return self.answer(accounts, budget)

    def check(self, budget: ReadBudget) -> str:
        return "it answers"

    def close(self) -> None:
        self.closed += 1


def read_by(service: Service, **readers: Reader) -> None:
    """Have the service read these platforms with these readers."""

    def source(name: str, reader: Reader) -> Source:
        return Source(name, name, lambda _: reader)

    sources = [source(name, reader) for name, reader in readers.items()]
    service.engine.platforms = lambda: sources


def state_of(service: Service, name: str) -> tuple[str, str | None]:
    (row,) = service.rows("SELECT state, code FROM platform_states WHERE name = :name", name=name)
    return row["state"], row["code"]


@pytest.fixture
def reader() -> FakeReader:
    return FakeReader()


@pytest.fixture
def syncing(service: Service, sheet: FakeSheet, reader: FakeReader) -> Service:
    sheet.rows("Project A", [ADA, 1], [BOB, 2])
    service.sync()
    read_by(service, twitch=reader)
    return service


def test_readings_are_merged_by_the_sync_that_reads_them(syncing: Service, reader: FakeReader) -> None:
    assert syncing.sync()["success"]

    assert (syncing.followers(ADA), syncing.followers(BOB), reader.closed) == (7, 7, 1)
    assert syncing.one("SELECT origin FROM observations WHERE source = 'parsed' LIMIT 1") == "twitch"
    assert state_of(syncing, "twitch") == ("ok", None)


def test_one_profile_in_two_projects_is_asked_for_once(syncing: Service, sheet: FakeSheet, reader: FakeReader) -> None:
    sheet.rows("Project B", [ADA, 1])
    syncing.engine.platforms = tuple
    syncing.sync()
    read_by(syncing, twitch=reader)

    syncing.sync()

    assert sorted(reader.asked[0]) == ["twitch:ada", "twitch:bob"]
    assert syncing.one("SELECT count(*) FROM accounts WHERE followers = 7") == 3


def test_what_was_read_before_an_error_is_kept(syncing: Service, reader: FakeReader) -> None:
    def break_off(accounts: Sequence[Wanted], _: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        yield [ProfileReading(accounts[0].key, Counts(followers=7))]
        raise TransientSourceError("Twitch is away", code="network")

    reader.answer = break_off
    assert syncing.sync()["success"]

    assert (syncing.followers(ADA), syncing.followers(BOB)) == (7, 2)
    (row,) = syncing.rows("SELECT state, code, message, accounts, unread, failures FROM platform_states")
    assert row["message"] == "Twitch is away"
    assert (row["state"], row["code"], row["accounts"], row["unread"], row["failures"]) == (
        "degraded",
        "network",
        2,
        1,
        1,
    )


def test_a_platform_that_was_away_rests_and_is_tried_again(syncing: Service, reader: FakeReader) -> None:
    def fail(*_: object) -> Iterator[Sequence[ProfileReading]]:
        raise Busy("too many", code="rate_limited", wait_s=1800.0)

    reader.answer = fail
    syncing.sync()
    syncing.time.forward(minutes=29)
    syncing.sync()
    assert len(reader.asked) == 1
    reader.answer = fine
    syncing.time.forward(minutes=2)

    syncing.sync()

    assert (len(reader.asked), syncing.followers(ADA), state_of(syncing, "twitch")) == (2, 7, ("ok", None))


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (SourceError("the key is wrong", code="key_refused"), ("failed", "key_refused")),
        (QuotaUsedUp("no units", until_tomorrow=True), ("degraded", "quota_used_up")),
        (ZeroDivisionError("a bug"), ("failed", "internal_error")),
    ],
)
def test_whatever_a_reader_raises_is_its_own(
    syncing: Service, reader: FakeReader, error: Exception, state: tuple[str, str]
) -> None:
    def fail(*_: object) -> Iterator[Sequence[ProfileReading]]:
        raise error

    reader.answer = fail
    other = FakeReader()
    read_by(syncing, x=other, twitch=reader)

    answer = syncing.sync()

    assert answer["success"]
    assert not answer["degraded"]
    (warning,) = answer["warnings"]
    assert warning.startswith("platform twitch: ")
    assert state_of(syncing, "twitch") == state
    assert (syncing.followers(ADA), syncing.followers(BOB)) == (1, 2)


def test_a_profile_that_is_not_shown_keeps_its_reading_and_says_why(syncing: Service, reader: FakeReader) -> None:
    def hide(accounts: Sequence[Wanted], _: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        error = SourceError("the account is private", code="private")
        yield [ProfileReading(accounts[0].key, unread=error), ProfileReading(accounts[1].key)]

    syncing.sync()
    reader.answer = hide
    syncing.time.forward(minutes=31)

    syncing.sync()

    assert (syncing.followers(ADA), unread(syncing, ADA)) == (7, "private")
    assert (syncing.followers(BOB), unread(syncing, BOB)) == (7, "hidden")
    syncing.time.forward(minutes=31)
    syncing.sync()
    assert len(reader.asked) == 2  # not asked for again for hours


@pytest.mark.parametrize(("wait_s", "minutes"), [(None, 5), (60.0, 5), (1800.0, 30), (float("inf"), 24 * 60)])
def test_one_place_of_a_platform_is_left_alone_for_as_long_as_it_asks(
    syncing: Service, reader: FakeReader, wait_s: float | None, minutes: int
) -> None:
    """Such as one instance of Mastodon, while the others answer."""

    def answer(accounts: Sequence[Wanted], budget: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        yield [ProfileReading(accounts[0].key, unread=Busy("later", code="upstream_error", wait_s=wait_s))]
        yield from fine(accounts[1:], budget)

    reader.answer = answer

    syncing.sync()

    (row,) = syncing.rows("SELECT since, again_at FROM account_reads WHERE code IS NOT NULL")
    assert moment(row["again_at"]) - moment(row["since"]) == timedelta(minutes=minutes)


def test_what_nobody_asked_for_is_not_kept(syncing: Service, reader: FakeReader) -> None:
    def say_more(accounts: Sequence[Wanted], _: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        yield [ProfileReading("twitch:mallory", Counts(followers=9)), *next(fine(accounts, _))]
        yield [ProfileReading(accounts[0].key, Counts(followers=99))]  # once more

    reader.answer = say_more

    syncing.sync()

    assert (syncing.followers(ADA), syncing.one("SELECT count(*) FROM observations WHERE source = 'parsed'")) == (7, 1)


def test_a_platform_that_hangs_does_not_hold_up_the_sheet(
    syncing: Service, reader: FakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SILENCE_S", 0.05)
    monkeypatch.setattr(module, "GRACE_S", 0.3)
    monkeypatch.setattr(module, "READ_S", 0.1)
    end, other = threading.Event(), FakeReader()

    def hang(accounts: Sequence[Wanted], _: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        end.wait(20)
        yield from fine(accounts, _)

    hanging = FakeReader(hang)
    read_by(syncing, twitch=hanging)
    begun = real_time.monotonic()
    try:
        assert syncing.sync()["success"]
    finally:
        end.set()

    assert real_time.monotonic() - begun < 5
    assert syncing.followers(ADA) == 1
    assert not other.asked
    for thread in threading.enumerate():
        if thread.name == "read-twitch":
            thread.join(10)
    assert hanging.closed == 1


def test_a_platform_ends_with_its_time(syncing: Service, reader: FakeReader) -> None:
    def take_long(accounts: Sequence[Wanted], _: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        for part in fine(accounts, _):
            syncing.time.forward(seconds=200)
            yield part

    reader.answer = take_long

    assert syncing.sync()["success"]

    (row,) = syncing.rows("SELECT state, code, unread FROM platform_states")
    assert row == {"state": "ok", "code": None, "unread": 1}
    assert syncing.one("SELECT count(*) FROM observations WHERE source = 'parsed'") == 1


def test_a_call_that_our_time_ends_is_no_fault_of_a_platform_that_had_answered(
    syncing: Service, reader: FakeReader
) -> None:
    def end(accounts: Sequence[Wanted], _: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        yield next(fine(accounts, _))
        syncing.time.forward(seconds=200)
        raise TransientSourceError("did not answer in time", code="timeout")

    reader.answer = end

    assert syncing.sync()["warnings"] == []

    assert state_of(syncing, "twitch") == ("ok", None)


def test_no_platform_is_read_without_time(syncing: Service, reader: FakeReader) -> None:
    clock = syncing.parts.clock
    started = syncing.engine.start(Trigger(caller="python"))

    list(syncing.engine.run(started.run, Trigger(caller="python"), Budget(0.0, clock)))

    assert not reader.asked


def test_many_readings_are_written_as_they_come(
    syncing: Service, reader: FakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FULL", 1)
    kept: list[int] = []

    def look(accounts: Sequence[Wanted], _: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        for part in fine(accounts, _):
            kept.append(syncing.one("SELECT count(*) FROM observations WHERE source = 'parsed'"))
            yield part

    reader.answer = look

    syncing.sync()

    assert kept == [0, 1]


def test_a_platform_that_another_run_reads_is_left_to_it(syncing: Service, reader: FakeReader) -> None:
    with syncing.db.write() as tx:
        leases.take(tx, ["platform:twitch"], "another", 60_000)

    assert syncing.sync()["success"]

    assert not reader.asked


def test_a_platform_that_could_answer_about_nobody_is_away(syncing: Service, reader: FakeReader) -> None:
    def fail(accounts: Sequence[Wanted], _: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        error = TransientSourceError("its instance is away", code="network")
        yield [ProfileReading(account.key, unread=error) for account in accounts]

    reader.answer = fail

    syncing.sync()

    assert state_of(syncing, "twitch") == ("degraded", "network")
    assert unread(syncing, ADA) == "network"


def test_one_that_our_time_ended_on_is_told_though_nobody_else_was_read(syncing: Service, reader: FakeReader) -> None:
    def hang(accounts: Sequence[Wanted], _: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        error = TransientSourceError("did not answer in time", code="timeout")
        syncing.time.forward(seconds=200)
        yield [ProfileReading(accounts[0].key, unread=error)]

    reader.answer = hang

    syncing.sync()

    assert state_of(syncing, "twitch") == ("degraded", "timeout")
    assert (unread(syncing, ADA), unread(syncing, BOB)) == ("timeout", None)


def test_many_that_are_gone_do_not_keep_others_from_being_read(
    service: Service, sheet: FakeSheet, reader: FakeReader
) -> None:
    def answer(accounts: Sequence[Wanted], _: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        for account in accounts:
            gone = SourceError("is gone", code="gone") if account.key.startswith("twitch:gone") else None
            yield [ProfileReading(account.key, NOTHING if gone else Counts(followers=7), unread=gone)]

    sheet.rows("Project A", *([f"https://www.twitch.tv/gone{number}"] for number in range(12)), [ADA])
    service.sync()
    reader.answer = answer
    read_by(service, twitch=reader)

    service.sync()

    assert (service.followers(ADA), state_of(service, "twitch")) == (7, ("ok", None))
    assert service.one("SELECT count(*) FROM account_reads WHERE code = 'gone'") == 12
    service.time.forward(hours=7)
    service.write("UPDATE accounts SET removed_at = added_at WHERE url_key = 'twitch:ada'")
    service.sync()  # now there are only those
    assert state_of(service, "twitch") == ("ok", None)


def test_a_call_may_be_as_large_as_the_units_that_are_left(syncing: Service, reader: FakeReader) -> None:
    seen: list[int] = []

    def spend(accounts: Sequence[Wanted], budget: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        for _ in range(3):
            seen.append(budget.afford(100))
            budget.spend(seen[-1])
        yield from fine(accounts, budget)

    reader.answer, reader.quota = spend, Quota(48)  # two an hour; it is 10 o'clock

    syncing.sync()

    units = syncing.one("SELECT quota_used FROM platform_states")
    assert seen == [units, 1]
    assert state_of(syncing, "twitch") == ("degraded", "quota_used_up")
    reader.quota = None
    syncing.sync()
    assert seen[2:] == [100, 100, 100]


def test_of_too_many_accounts_some_wait_for_the_next_run(
    syncing: Service, reader: FakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 1)

    syncing.sync()
    syncing.sync()

    assert reader.asked == [["twitch:ada"], ["twitch:bob"]]


def test_a_database_that_is_busy_is_tried_again(
    syncing: Service, reader: FakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = [StoreError("busy", code="database_busy")] * 4
    put = readings.put

    def fail_at_first(tx: sa.Connection, rows: Sequence[Reading]) -> int:
        if errors:
            raise errors.pop()
        return put(tx, rows)

    monkeypatch.setattr(readings, "put", fail_at_first)

    assert syncing.sync()["success"]

    assert (errors, syncing.followers(ADA)) == ([], 7)


def test_one_name_in_two_projects_is_not_read_by_the_id_that_it_had_in_one_of_them(
    syncing: Service, sheet: FakeSheet, reader: FakeReader
) -> None:
    """Who added it later may mean somebody else who has the name by now."""
    wanted: list[list[Wanted]] = []

    def answer(accounts: Sequence[Wanted], _: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        wanted.append([account for account in accounts if account.key == "twitch:ada"])
        for account in accounts:
            old = account.platform_id == "17" or len(wanted) == 1
            yield [ProfileReading(account.key, Counts(followers=17 if old else 18), "17" if old else "18")]

    reader.answer = answer
    syncing.sync()
    sheet.rows("Project B", [ADA, 1])
    syncing.engine.platforms = tuple
    syncing.sync()
    read_by(syncing, twitch=reader)
    syncing.time.forward(minutes=31)

    syncing.sync()
    syncing.sync()

    assert [[account.platform_id for account in asked] for asked in wanted] == [[None], [None], ["17"]]
    found = syncing.rows("SELECT followers FROM accounts WHERE url_key = 'twitch:ada' ORDER BY id")
    assert [row["followers"] for row in found] == [17, 18]


def test_a_database_that_takes_no_readings_is_for_the_run_to_tell(
    syncing: Service, reader: FakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise StoreError("the disk is full", code="disk_full")

    monkeypatch.setattr(readings, "put", fail)

    assert syncing.sync()["success"]

    assert syncing.followers(ADA) == 1


def test_units_are_taken_twice_as_many_at_a_time(syncing: Service, reader: FakeReader) -> None:
    def spend(accounts: Sequence[Wanted], budget: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        for part in fine(accounts, budget):
            for _ in range(5):
                budget.spend(1)
            yield part

    reader.answer, reader.quota = spend, Quota(1_000)

    syncing.sync()

    assert syncing.one("SELECT quota_used FROM platform_states") == 10


def test_units_of_yesterday_are_given_back_and_not_used_today(syncing: Service, reader: FakeReader) -> None:
    used = "SELECT quota_used FROM platform_states"
    kept: list[int] = []

    def spend(accounts: Sequence[Wanted], budget: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        budget.spend(1)
        budget.spend(1)
        budget.spend(1)  # six are taken by now
        kept.append(syncing.one(used))
        syncing.time.now = syncing.time.now.replace(hour=23, minute=59) + timedelta(minutes=2)
        budget.spend(1)
        kept.append(syncing.one(used))
        yield from fine(accounts, budget)

    reader.answer, reader.quota, reader.per_call = spend, Quota(1_000), 1

    syncing.sync()

    assert kept[1] > 0
    assert (str(syncing.one("SELECT quota_day FROM platform_states")), syncing.one(used)) == ("2026-03-03", 1), kept


def test_units_that_somebody_else_took_meanwhile_are_not_granted_twice(syncing: Service) -> None:
    day = syncing.time.now.date()
    with syncing.db.write() as tx:
        platforms.enlist(tx, "x", "x")
        platforms.enlist(tx, "x", "x")
        grant = UnitsOfDay(day, syncing.time.now, until=8, limit=10)
        assert [platforms.reserve(tx, "x", 5, grant) for _ in range(3)] == [5, 3, 0]
        assert platforms.reserve(tx, "x", 5, grant._replace(day=day + timedelta(days=1))) == 5
        assert platforms.reserve(tx, "nobody", 5, grant) == 0


def test_an_id_is_kept_with_the_names_that_can_be_understood(syncing: Service, reader: FakeReader) -> None:
    def name(accounts: Sequence[Wanted], _: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        urls = ("https://www.twitch.tv/countess", "https://www.twitch.tv/", accounts[0].key)
        yield [ProfileReading(accounts[0].key, Counts(followers=7), "17", "countess", urls)]

    reader.answer = name

    syncing.sync()

    assert [row["url_key"] for row in syncing.rows("SELECT url_key FROM account_aliases")] == ["twitch:countess"]
    (row,) = syncing.rows("SELECT platform_id, handle FROM account_reads")
    assert row == {"platform_id": "17", "handle": "countess"}


def test_a_corrected_address_is_read_anew(syncing: Service, reader: FakeReader) -> None:
    def name(accounts: Sequence[Wanted], _: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        yield [ProfileReading(accounts[0].key, Counts(followers=7), "17", "ada2", ("https://www.twitch.tv/ada2",))]

    reader.answer = name
    syncing.sync()
    account = syncing.account(ADA)["id"]
    answer = syncing.post(
        f"/api/admin/accounts/{account}/correct_url", {"profile_url": "https://www.twitch.tv/lovelace"}
    )
    assert answer.status_code == 200, answer.text

    assert not syncing.rows("SELECT * FROM account_reads")
    assert [row["url_key"] for row in syncing.rows("SELECT url_key FROM account_aliases")] == ["twitch:ada"]


def test_a_platform_that_is_not_read_any_more_is_forgotten(syncing: Service, reader: FakeReader) -> None:
    syncing.sync()
    read_by(syncing, x=FakeReader(), twitch=reader)
    syncing.sync()
    assert state_of(syncing, "twitch") == ("ok", None)
    read_by(syncing, mastodon=FakeReader(), twitch=reader)
    syncing.time.forward(minutes=31)
    syncing.write("INSERT INTO platform_states (name) VALUES ('gone')")

    syncing.sync()

    assert [row["name"] for row in syncing.rows("SELECT name FROM platform_states")] == ["twitch"]


def test_a_finished_project_is_not_read(syncing: Service, reader: FakeReader) -> None:
    syncing.write("UPDATE projects SET status = 'finished'")

    syncing.sync(project_id=syncing.project()["id"])

    assert not reader.asked


def test_a_shutdown_ends_a_reader_and_says_nothing_about_its_platform(syncing: Service, reader: FakeReader) -> None:
    stop = Stop(syncing.parts.clock.monotonic)
    seen: list[tuple[bool, bool]] = []

    def look(accounts: Sequence[Wanted], budget: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        stop.request()
        seen.append((budget.stopped, budget.used_up))
        if budget.used_up:
            raise TransientSourceError("no time left", code="timeout")
        yield from fine(accounts, budget)

    reader.answer = look
    started = syncing.engine.start(Trigger(caller="python"))

    list(syncing.engine.run(started.run, Trigger(caller="python"), Budget(None, syncing.parts.clock, stop)))

    assert seen == [(True, True)]
    assert state_of(syncing, "twitch") == ("ok", None)


def test_a_thread_of_a_run_that_breaks_off_is_told_to_stop(
    syncing: Service, reader: FakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[bool] = []

    def look(accounts: Sequence[Wanted], budget: ReadBudget) -> Iterator[Sequence[ProfileReading]]:
        while not budget.stopped:
            real_time.sleep(0.01)
        stopped.append(True)
        yield from fine(accounts, budget)

    def fail(*_: object) -> None:
        raise StoreError("gone", code="database_unavailable")

    reader.answer = look
    monkeypatch.setattr(PlatformReads, "wait", fail)

    syncing.trigger()

    assert stopped == [True]


def test_reading_takes_as_many_statements_for_many_accounts_as_for_few(
    service: Service, sheet: FakeSheet, reader: FakeReader
) -> None:
    def ask(number: int, name: str) -> int:
        sheet.rows(name, *([f"https://www.twitch.tv/{name[-1]}{n}"] for n in range(number)))
        service.engine.platforms = tuple
        service.sync()
        read_by(service, twitch=reader)
        return counted(service, service.project(name)["id"])

    ask(3, "Project A")  # what the first of all does once

    assert ask(300, "Project B") == ask(3, "Project C")


def counted(service: Service, project_id: str) -> int:
    told: list[str] = []

    def tell(*args: object) -> None:
        if "beat" not in str(args[2]):
            told.append(str(args[2]))

    sa.event.listen(sa.Engine, "before_cursor_execute", tell)
    try:
        service.sync(project_id=project_id)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", tell)
    return len([words for words in told if "heartbeat" not in words])
