"""Runs that wait for a worker, one spreadsheet at a time, and the reads that all share."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.service import Service
from tests.fakes.sheet import FakeSheet
from webapp.app import create_app
from webapp.bootstrap import pace_of
from webapp.clock import Budget, Clock, Stop
from webapp.config import Settings
from webapp.errors import ConfigError, OutOfTime, StoreError, TransientSourceError
from webapp.store import google_calls, runs
from webapp.sync.fanout import by_spreadsheet
from webapp.sync.pace import SharedPace
from webapp.sync.queue import Queue, celery_app, unreachable
from webapp.sync.trigger import Trigger


class Shelf:
    """A queue that keeps what is put; broken: nobody can be told."""

    def __init__(self) -> None:
        self.put_: list[tuple[str, dict[str, Any]]] = []
        self.broken = False

    def put(self, run_id: str, params: dict[str, Any]) -> None:
        if self.broken:
            raise StoreError("the Redis at REDIS_URL cannot be reached", code="queue_unavailable", hint="see")
        self.put_.append((run_id, dict(params)))


@pytest.fixture
def books(database_url: str) -> Iterator[Service]:
    """A service of two spreadsheets."""
    first, second = FakeSheet(), FakeSheet(key="the-other-sheet", title="The other")
    made = Service(database_url, sheets=[first, second])
    first.rows("Project A", ["x.com/ann", 1000])
    second.rows("Project B", ["x.com/bob", 500])
    made.sync()
    yield made
    made.close()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def queued(service: Service, shelf: Shelf) -> Service:
    """A service whose runs wait for a worker."""
    service.sheet.rows("Project A", ["x.com/ann", 1000])
    service.parts.__dict__["desk"] = replace(service.parts.desk, queue=shelf)  # type: ignore[arg-type]
    service.__dict__["app"] = create_app(service.parts)
    return service


def trigger(service: Service, headers: dict[str, str] | None = None, **asked: Any) -> tuple[int, Any]:
    """(status, body)."""
    answer = service.trigger(headers, **asked)
    return answer.status_code, answer.json


def work_off(service: Service, trigger: Trigger) -> None:
    started = service.engine.start(trigger)
    for _ in service.engine.run(started.run, trigger, Budget(None, service.parts.clock)):
        pass


# One spreadsheet


def test_a_trigger_for_one_spreadsheet_leaves_the_others_alone(books: Service) -> None:
    first, second = books.engine.sheets
    assert isinstance(first, FakeSheet)
    assert isinstance(second, FakeSheet)
    first.put("Project A!B2", 1100)
    second.put("Project B!B2", 600)
    first.rows("Project C", ["x.com/cid", 7])
    second.rows("Project D", ["x.com/dan", 8])

    work_off(books, Trigger(spreadsheet="the-other-sheet"))

    assert (books.followers("x.com/ann"), books.followers("x.com/bob")) == (1000, 600)
    assert {row["name"] for row in books.rows("SELECT name FROM projects")} == {"Project A", "Project B", "Project D"}
    work_off(books, Trigger(spreadsheet=first.key))
    assert books.followers("x.com/ann") == 1100
    assert books.followers("x.com/cid") == 7


def test_projects_of_a_spreadsheet_that_is_gone_go_with_the_default_one(books: Service) -> None:
    books.write("UPDATE projects SET spreadsheet = 'gone' WHERE name = 'Project B'")

    work_off(books, Trigger(spreadsheet=books.engine.sheets[0].key))

    assert books.project("Project B")["last_error"].startswith("the spreadsheet 'gone' of this project is not")


def test_what_is_due_of_one_spreadsheet(books: Service) -> None:
    books.time.forward(minutes=31)
    books.sheet = books.engine.sheets[1]  # type: ignore[assignment]
    books.sheet.put("Project B!B2", 700)

    work_off(books, Trigger(spreadsheet=books.engine.sheets[0].key, due=True))
    assert books.followers("x.com/bob") == 500
    work_off(books, Trigger(spreadsheet=books.engine.sheets[1].key, due=True))

    assert books.followers("x.com/bob") == 700


def shares(service: Service, trigger: Trigger) -> list[str | None]:
    """The spreadsheets of the triggers that share what one asks for; None: all."""
    keys = [sheet.key for sheet in service.engine.sheets]
    with service.db.read() as tx:
        found = by_spreadsheet(tx, trigger, keys, service.time.now, service.engine.options.interval_minutes)
    assert [replace(one, spreadsheet=None) for one in found] == [trigger] * len(found)
    return [one.spreadsheet for one in found]


def test_everything_is_shared_by_spreadsheet(books: Service, service: Service) -> None:
    assert shares(books, Trigger(force=True)) == [sheet.key for sheet in books.engine.sheets]
    assert shares(service, Trigger()) == [None]


def test_of_what_is_due_only_spreadsheets_that_have_something_due_are_asked_for(books: Service) -> None:
    first, second = (sheet.key for sheet in books.engine.sheets)
    assert shares(books, Trigger(due=True)) == [None]

    books.write("UPDATE projects SET next_sync_at = NULL WHERE name = 'Project B'")
    assert shares(books, Trigger(due=True)) == [second]
    books.write("UPDATE projects SET spreadsheet = 'gone' WHERE name = 'Project B'")
    assert shares(books, Trigger(due=True)) == [first]
    books.time.forward(minutes=31)
    assert shares(books, Trigger(due=True)) == [first, second]


def test_triggers_for_different_spreadsheets_answer_for_themselves() -> None:
    one, other = Trigger(spreadsheet="a"), Trigger(spreadsheet="b")

    assert len({one.identity, other.identity, Trigger().identity}) == 3
    assert Trigger.of_params("celery", one.params) == Trigger(caller="celery", spreadsheet="a")
    assert Trigger.of_params("celery", Trigger(due=True).params) == Trigger(caller="celery", due=True)


# Waiting for a worker


def test_a_trigger_is_answered_at_once_and_waits_for_a_worker(queued: Service, shelf: Shelf) -> None:
    status, body = trigger(queued)

    assert (status, body["state"]) == (202, "queued")
    assert shelf.put_ == [(body["run_id"], Trigger().params)]
    assert queued.rows("SELECT * FROM projects") == []


def test_one_that_waits_answers_for_whoever_asks_meanwhile(queued: Service, shelf: Shelf) -> None:
    _, first = trigger(queued)
    queued.time.forward(minutes=119)
    _, second = trigger(queued)

    assert (second["run_id"], second["state"]) == (first["run_id"], "queued")
    assert [run_id for run_id, _ in shelf.put_] == [first["run_id"]] * 2  # the first may have died with its worker
    shelf.broken = True
    assert trigger(queued)[0] == 202


def test_one_that_waits_is_taken_by_whoever_works_by_himself(queued: Service, shelf: Shelf) -> None:
    run_id = trigger(queued)[1]["run_id"]
    queued.parts.__dict__["desk"] = replace(queued.parts.desk, queue=None)
    queued.__dict__["app"] = create_app(queued.parts)

    status, body = trigger(queued, {"Idempotency-Key": "monday"})

    assert (status, body["run_id"], body["state"]) == (200, run_id, "succeeded")
    assert queued.followers("x.com/ann") == 1000


def test_only_one_worker_takes_it(queued: Service, shelf: Shelf) -> None:
    run_id = trigger(queued)[1]["run_id"]

    assert queued.engine.claim(run_id)
    assert not queued.engine.claim(run_id)
    assert not queued.engine.claim("none")
    with queued.db.read() as tx:
        run = runs.get(tx, run_id)
    for _ in queued.engine.run(run, Trigger(), Budget(None, queued.parts.clock)):
        pass

    assert queued.get(f"/api/admin/runs/{run_id}")["state"] == "succeeded"
    assert queued.followers("x.com/ann") == 1000
    assert not queued.engine.claim(run_id)


def test_one_is_at_work_while_its_worker_gives_signs_of_life(queued: Service) -> None:
    def at_work() -> bool:
        with queued.db.read() as tx:
            return runs.is_at_work(tx, run_id, 60_000)

    run_id = trigger(queued)[1]["run_id"]
    assert not at_work()
    queued.engine.claim(run_id)
    assert at_work()
    queued.write("UPDATE sync_runs SET heartbeat = heartbeat - 61000")
    assert not at_work()


def test_one_is_made_up_for_by_a_later_one_that_was_asked_for_the_same(queued: Service) -> None:
    def made_up_for() -> bool:
        with queued.db.read() as tx:
            return runs.is_made_up_for(tx, runs.get(tx, run_id))

    run_id = trigger(queued)[1]["run_id"]
    queued.write("UPDATE sync_runs SET heartbeat = heartbeat - 7201000")
    queued.time.forward(minutes=121)
    work_off(queued, Trigger(force=True))
    assert not made_up_for()
    work_off(queued, Trigger())
    assert made_up_for()


def test_one_that_waits_for_too_long_is_given_up_and_another_takes_its_place(queued: Service) -> None:
    first = trigger(queued)[1]["run_id"]
    queued.write("UPDATE sync_runs SET heartbeat = heartbeat - 7201000")

    _, second = trigger(queued)

    assert second["run_id"] != first
    assert queued.get(f"/api/admin/runs/{first}")["state"] == "abandoned"


def test_a_call_that_finds_nothing_due_waits_for_nobody(queued: Service, shelf: Shelf) -> None:
    queued.engine.claim(trigger(queued)[1]["run_id"])
    work_off(queued, Trigger(force=True))
    shelf.put_.clear()

    status, body = trigger(queued, due=True)

    assert (status, body["state"], shelf.put_) == (200, "succeeded", [])


def test_a_dry_run_is_answered_by_whoever_is_asked(queued: Service, shelf: Shelf) -> None:
    status, body = trigger(queued, dry_run=True)

    assert (status, shelf.put_) == (200, [])
    assert body["changes"]


def test_where_nobody_can_be_told_nothing_was_started(queued: Service, shelf: Shelf) -> None:
    shelf.broken = True
    status, body = trigger(queued, {"Idempotency-Key": "monday"})

    assert (status, body["code"]) == (503, "queue_unavailable")
    (row,) = queued.rows("SELECT state, error_code FROM sync_runs")
    assert (row["state"], row["error_code"]) == ("failed", "queue_unavailable")

    shelf.broken = False
    status, body = trigger(queued, {"Idempotency-Key": "monday"})
    assert (status, body["state"]) == (202, "queued")


# The reads that all share


def take(service: Service, name: str = "account", per_minute: int = 3) -> int:
    with service.db.write() as tx:
        return google_calls.take(tx, name, per_minute)


def test_so_many_reads_are_made_in_any_minute_and_no_more(service: Service) -> None:
    assert [take(service) for _ in range(3)] == [0, 0, 0]
    assert 0 < take(service) <= google_calls.WINDOW_MS
    assert take(service, "another") == 0
    service.write("UPDATE google_calls SET recent = '[]' WHERE name = 'account'")
    assert take(service) == 0


def test_reads_of_a_minute_ago_are_forgotten(service: Service) -> None:
    for _ in range(3):
        take(service)
    (row,) = service.rows("SELECT recent FROM google_calls")
    earlier = [at - google_calls.WINDOW_MS for at in _numbers(row["recent"])]
    service.write("UPDATE google_calls SET recent = :recent", recent=str(earlier))

    assert take(service) == 0
    assert len(_numbers(service.one("SELECT recent FROM google_calls"))) == 1


def test_reads_from_the_future_are_none(service: Service) -> None:
    take(service)
    (at,) = _numbers(service.one("SELECT recent FROM google_calls"))
    service.write("UPDATE google_calls SET recent = :recent", recent=str([at + 10**9] * 3))

    assert take(service) == 0


def test_reads_count_though_the_clock_was_set_back_a_little(service: Service) -> None:
    take(service)
    (at,) = _numbers(service.one("SELECT recent FROM google_calls"))
    service.write("UPDATE google_calls SET recent = :recent", recent=str([at + 30_000, at, at]))

    assert google_calls.WINDOW_MS - 10_000 < take(service) <= google_calls.WINDOW_MS
    assert take(service, per_minute=1) > google_calls.WINDOW_MS


def test_whoever_asks_at_the_same_instant_is_counted(service: Service) -> None:
    with ThreadPoolExecutor(max_workers=8) as pool:
        waits = list(pool.map(lambda _: take(service, per_minute=20), range(40)))

    assert waits.count(0) == 20


def _numbers(kept: Any) -> list[int]:
    found: list[int] = json.loads(kept) if isinstance(kept, str) else kept
    return found


def test_whoever_comes_too_late_waits_for_his_turn(sqlite_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = iter([2500, 0])
    monkeypatch.setattr(google_calls, "take", lambda *_: next(waits))
    clock = sqlite_service.time
    pace = SharedPace(sqlite_service.db, "account", 3, clock.clock)

    pace(Budget(60, clock.clock))

    assert 2.5 <= sum(clock.slept) < 4


def test_a_turn_after_the_end_of_the_budget_is_none(sqlite_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(google_calls, "take", lambda *_: 30_000)
    pace = SharedPace(sqlite_service.db, "account", 3, sqlite_service.time.clock)

    with pytest.raises(TransientSourceError, match="the 3 reads a minute that Google grants are used up") as error:
        pace(Budget(20, sqlite_service.time.clock))

    assert error.value.code == "rate_limited"


def test_a_turn_after_a_shutdown_leaves_the_project_to_the_next_run(queued: Service) -> None:
    stop = queued.parts.background.stop
    stop.request(5)
    clock = queued.parts.clock
    queued.sheet.offline(OutOfTime("the 3 reads a minute are used up for 30 s", code="rate_limited"))

    started = queued.engine.start(Trigger())
    for _ in queued.engine.run(started.run, Trigger(), Budget(60, clock, stop)):
        pass

    assert queued.get(f"/api/admin/runs/{started.run.id}")["state"] == "cancelled"


def test_a_turn_after_a_shutdown_is_none(sqlite_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = Stop(sqlite_service.time.clock.monotonic)
    stop.request(5)
    monkeypatch.setattr(google_calls, "take", lambda *_: 30_000)
    pace = SharedPace(sqlite_service.db, "account", 3, sqlite_service.time.clock)

    with pytest.raises(OutOfTime):
        pace(Budget(600, sqlite_service.time.clock, stop))


def test_a_shutdown_ends_the_wait(sqlite_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = Stop(sqlite_service.time.clock.monotonic)
    waits = iter([30_000, 0])
    monkeypatch.setattr(google_calls, "take", lambda *_: next(waits))
    clock = replace(sqlite_service.time.clock, sleep=lambda _: stop.request(5))
    pace = SharedPace(sqlite_service.db, "account", 3, clock)

    pace(Budget(600, clock, stop))

    assert stop.requested


def test_reads_are_counted_where_workers_share_them(sqlite_service: Service) -> None:
    celery = Settings(mode="celery", redis_url="redis://r/0", google_api_key="a-key")
    db, clock = sqlite_service.db, Clock()

    assert isinstance(pace_of(celery, db, clock), SharedPace)
    assert isinstance(pace_of(Settings(google_api_key="a-key", google_reads=10), db, clock), SharedPace)
    assert pace_of(Settings(google_api_key="a-key"), db, clock) is None
    assert pace_of(replace(celery, google_api_key=""), db, clock) is None
    assert celery.google_reads_per_minute == 60


# Settings


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("redis://localhost:6379", "redis://localhost:6379/0"),
        ("redis://localhost:6379/3", "redis://localhost:6379/3"),
        ("'redis://:pass@host:1/0'", "redis://:pass@host:1/0"),
        ('"rediss://default:p%40ss@host.example:6380"', "rediss://default:p%40ss@host.example:6380/0"),
        ("redis://localhost/", "redis://localhost/0"),
    ],
)
def test_addresses_of_redis_as_panels_give_them(text: str, url: str) -> None:
    assert Settings.from_env({"REDIS_URL": text}).redis_url == url


@pytest.mark.parametrize(
    "text",
    [
        "localhost:6379",
        "http://localhost:6379",
        "redis:///0",
        "redis://host:port",
        "redis://host:99999",
        "redis://host/abc",
        "redis://host/12345678",
        "rediss://host?ssl_cert_reqs=none",
        "redis://host #x",
    ],
)
def test_what_is_no_address_of_redis_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ConfigError, match="REDIS_URL: ") as refused:
        Settings.from_env({"REDIS_URL": text})

    assert text not in str(refused.value)


def test_celery_needs_a_redis_and_celery(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="REDIS_URL: is not set; SMART_SYNC_MODE=celery needs"):
        Settings.from_env({"SMART_SYNC_MODE": "celery"})
    monkeypatch.setattr("webapp.config.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match="install smart-sync with the extra `celery`"):
        Settings.from_env({"SMART_SYNC_MODE": "celery", "REDIS_URL": "redis://r"})


def test_a_password_of_redis_is_seen_nowhere() -> None:
    settings = Settings.from_env({"REDIS_URL": "redis://:a-secret%21word@host/0"})

    assert "secret" not in repr(settings)
    assert {"a-secret%21word", "a-secret!word"} <= set(settings.secrets)


# Celery's side of it


def test_tasks_are_json_acknowledged_when_done_and_nobody_asks_for_results() -> None:
    conf = celery_app("redis://:word@host:1/0").conf

    assert (conf.task_serializer, conf.accept_content, conf.task_ignore_result) == ("json", ["json"], True)
    assert (conf.task_acks_late, conf.task_reject_on_worker_lost, conf.worker_prefetch_multiplier) == (True, True, 1)
    assert conf.broker_transport_options["visibility_timeout"] > conf.task_time_limit > 600
    assert not conf.broker_use_ssl


def test_certificates_are_checked_wherever_there_is_tls() -> None:
    assert celery_app("rediss://host:1/0").conf.broker_use_ssl == {"ssl_cert_reqs": ssl.CERT_REQUIRED}


def test_what_is_put_is_a_runs_id_and_what_it_was_asked() -> None:
    queue = Queue("memory://")
    queue.check()
    queue.put("a-run", Trigger(due=True).params)

    with queue.app.connection_for_read() as connection:
        message = connection.SimpleQueue("smart_sync").get(timeout=2)
    assert message.headers["task"] == "webapp.tasks.work_off_run"
    assert message.payload[0] == ["a-run", Trigger(due=True).params]
    assert queue.workers(0.1) == []


@pytest.mark.parametrize(
    "ask", [lambda queue: queue.check(), lambda queue: queue.put("a", {}), lambda queue: queue.workers(0.1)]
)
def test_a_redis_that_is_not_there_is_told_without_its_address(ask: Callable[[Queue], object]) -> None:
    with pytest.raises(StoreError, match="the Redis at REDIS_URL cannot be reached") as error:
        ask(Queue("redis://:a-secret@127.0.0.1:1/0"))

    assert error.value.code == "queue_unavailable"
    assert "a-secret" not in str(error.value)


@pytest.mark.parametrize(("budget_s", "limit_s"), [(None, 900), (60.0, 900), (3600.0, 3900)])
def test_no_task_is_broken_off_before_its_run_has_used_its_budget(budget_s: float | None, limit_s: float) -> None:
    conf = celery_app("redis://host:1/0", budget_s).conf

    assert conf.task_time_limit == limit_s
    assert conf.broker_transport_options["visibility_timeout"] == 2 * limit_s


class AuthenticationError(Exception):
    """As the client of Redis has one."""


@pytest.mark.parametrize(
    ("first", "words"),
    [
        (AuthenticationError("invalid password a-secret"), "it refuses the password"),
        (ConnectionRefusedError("127.0.0.1"), "nothing listens there"),
        (ssl.SSLCertVerificationError("for a-secret.example"), "its certificate is not trusted, or of another host"),
        (ArithmeticError("a-secret"), "KeyError"),
    ],
)
def test_why_a_redis_cannot_be_reached_is_told_in_words_of_ours(first: Exception, words: str) -> None:
    error = KeyError("a-secret")
    error.__cause__ = ValueError("a-secret")
    error.__cause__.__context__ = first

    found = unreachable(error)

    assert found.message == f"the Redis at REDIS_URL cannot be reached: {words}"
    assert "a-secret" not in str(found)
