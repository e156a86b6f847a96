"""How a server is set up, and how its processes begin and end; what needs no process of its own."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Response, request
from gunicorn.config import Config

from webapp import server
from webapp.app import create_app
from webapp.bootstrap import Parts, admin_tokens, bootstrap
from webapp.clock import Clock, Stop
from webapp.config import Settings
from webapp.errors import ConfigError, StoreError
from webapp.server import Server, options
from webapp.store import storage
from webapp.store.migrate import current_revision, migrate
from webapp.store.revision import HEAD_REVISION
from webapp.sync.background import Background

TOKEN = "the-admin-token-of-the-tests"


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    made = bootstrap(Settings(data_dir=tmp_path / "data", admin_tokens=(TOKEN,)))
    yield made
    made.db.close()


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[logging.LogRecord]:
    """What the product's logger is given."""
    records: list[logging.LogRecord] = []
    monkeypatch.setattr(logging.getLogger("smart_sync"), "handle", records.append)
    return records


def test_a_made_up_token_is_kept_also_where_an_earlier_start_was_killed_before_it_wrote(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, data_dir_set=True)
    (tmp_path / "admin_token").touch()

    made, kept = [list(admin_tokens(settings, loopback=False)) for _ in range(2)]

    assert made == kept == [(tmp_path / "admin_token").read_text().strip()]


def test_first_starts_at_the_same_instant_keep_one_token(tmp_path: Path) -> None:
    starts = 6
    barrier = threading.Barrier(starts)

    def start(turn: int) -> Sequence[str]:
        settings = Settings(data_dir=tmp_path / str(turn), data_dir_set=True)
        barrier.wait()
        return admin_tokens(settings, loopback=False)

    with ThreadPoolExecutor(starts) as pool:
        for turn in range(50):
            made = set(pool.map(start, [turn] * starts))

            assert made == {((tmp_path / str(turn) / "admin_token").read_text().strip(),)}


@pytest.mark.parametrize("kept", ["short", "ключ-от-квартиры-и-дачи", "a-token-of-some\nlength-in-two-lines"])
def test_a_kept_token_that_is_none_stops_the_start_without_being_shown(tmp_path: Path, kept: str) -> None:
    (tmp_path / "admin_token").write_bytes(kept.encode("cp1251"))

    with pytest.raises(ConfigError, match="admin_token holds no token") as caught:
        admin_tokens(Settings(data_dir=tmp_path, data_dir_set=True), loopback=False)

    assert kept[:5] not in str(caught.value)
    assert "remove it" in str(caught.value)


@dataclass
class Worker:
    """What gunicorn hands to hooks."""

    wsgi: Any
    pid: int = field(default_factory=os.getpid)
    grace: int = 30

    @property
    def cfg(self) -> Any:
        return SimpleNamespace(graceful_timeout=self.grace)


class TestSettings:
    def test_gunicorn_knows_every_one_of_them(self) -> None:
        known = Config().settings

        for name, value in options(8000, 2).items():
            assert name in known
            if value is not None:
                known[name].set(value)

    def test_the_module_has_exactly_these_for_gunicorn(self) -> None:
        assert vars(server).keys() & Config().settings.keys() == options(8000, 2).keys()

    @pytest.mark.parametrize(
        ("host", "bind"),
        [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80"), ("localhost", "localhost:80")],
    )
    def test_addresses_of_either_kind(self, host: str, bind: str) -> None:
        assert options(80, 1, host)["bind"] == bind

    def test_a_worker_that_waits_for_its_end_is_not_taken_for_hung(self) -> None:
        for grace in (1, 30, 300):
            chosen = options(80, 1, grace_s=grace)
            assert chosen["timeout"] > chosen["graceful_timeout"] == grace

    def test_memory_is_used_for_signs_of_life_only_where_it_can_be(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "access", lambda path, mode: False)

        assert options(80, 1)["worker_tmp_dir"] is None

    def test_a_server_of_parts_takes_them_and_leaves_out_what_gunicorn_does_not_know(self, parts: Parts) -> None:
        made = Server(parts, options(8123, 3) | {"a_setting_of_tomorrow": 1})

        assert (made.cfg.workers, made.cfg.threads, made.cfg.address) == (3, 8, [("0.0.0.0", 8123)])
        assert made.load().test_client().get("/health").status_code == 200


class TestBeforeTheFork:
    @pytest.mark.usefixtures("processes")
    def test_the_database_is_migrated_and_no_connection_is_left(self, parts: Parts) -> None:
        app = create_app(parts)

        server.on_starting(SimpleNamespace(app=SimpleNamespace(wsgi=lambda: app)))

        assert current_revision(parts.db) == HEAD_REVISION
        parts.db.close()
        assert sorted(path.name for path in parts.settings.data_dir.iterdir()) == [
            "smart_sync.db",
            "smart_sync.db.migrate-lock",
        ]

    @pytest.mark.parametrize(("kind", "level"), [("durable", "INFO"), ("ephemeral", "WARNING"), ("unknown", "WARNING")])
    def test_it_is_told_where_the_data_is(
        self,
        parts: Parts,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        log: list[logging.LogRecord],
        kind: str,
        level: str,
    ) -> None:
        monkeypatch.setattr(storage, "durability", lambda _: kind)
        migrate(parts.db)
        caplog.set_level(logging.INFO, "smart_sync")

        server.on_starting(SimpleNamespace(app=SimpleNamespace(wsgi=partial(create_app, parts))))

        (told,) = (record for record in log if "the data is in" in record.getMessage())
        assert told.levelname == level
        assert str(parts.settings.data_dir) in told.getMessage()

    @pytest.mark.usefixtures("processes")
    def test_no_connection_crosses_it(self, parts: Parts) -> None:
        app = create_app(parts)
        server.on_starting(SimpleNamespace(app=SimpleNamespace(wsgi=lambda: app)))

        assert not [path for path in open_files() if parts.settings.data_dir in path.parents]

    def test_what_workers_are_asked_first_is_asked_once_for_all(self, parts: Parts) -> None:
        app = create_app(parts)
        told: list[tuple[str, int]] = []
        app.after_request(lambda answer: note(told, request.path, answer))
        migrate(parts.db)

        server.on_starting(SimpleNamespace(app=SimpleNamespace(wsgi=lambda: app)))

        assert told == [("/health", 200), ("/api/projects", 200)]

    def test_what_is_loaded_is_left_alone_by_the_collectors_of_the_workers(
        self, parts: Parts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told: list[str] = []
        monkeypatch.setattr(gc, "freeze", lambda: told.append("freeze"))

        server.when_ready(SimpleNamespace(app=SimpleNamespace(wsgi=partial(create_app, parts))))

        assert told == ["freeze"]

    def test_beside_other_threads_no_child_is_made(self, parts: Parts) -> None:
        end = threading.Event()
        other = threading.Thread(target=end.wait)
        other.start()
        try:
            server.on_starting(SimpleNamespace(app=SimpleNamespace(wsgi=partial(create_app, parts))))
        finally:
            end.set()
            other.join()

        assert current_revision(parts.db) == HEAD_REVISION

    @pytest.mark.usefixtures("processes")
    def test_what_goes_wrong_in_the_child_is_told_by_the_parent(
        self, parts: Parts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> bool:
            raise StoreError("the schema is broken", code="schema_broken")

        monkeypatch.setattr(server, "migrate", fail)
        monkeypatch.setattr(server, "ensure_migrated", fail)

        with pytest.raises(RuntimeError, match="the schema is broken"):
            server.on_starting(SimpleNamespace(app=SimpleNamespace(wsgi=partial(create_app, parts))))

    def test_a_database_that_somebody_has_to_mend_ends_the_start(self, parts: Parts) -> None:
        parts.settings.data_dir.mkdir()
        (parts.settings.data_dir / "smart_sync.db").write_bytes(b"no database at all" * 100)

        with pytest.raises(RuntimeError, match=r"is damaged, or is no database \(stop the service"):
            server.on_starting(SimpleNamespace(app=SimpleNamespace(wsgi=partial(create_app, parts))))


class TestAWorker:
    def test_the_database_is_opened_in_memory_that_no_other_worker_shares(
        self, parts: Parts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before, handler = sys.getswitchinterval(), signal.getsignal(signal.SIGTERM)
        opened: list[threading.Thread] = []
        monkeypatch.setattr(server, "_open", lambda db: opened.append(threading.current_thread()))
        try:
            server.post_worker_init(Worker(create_app(parts)))
        finally:
            sys.setswitchinterval(before)
            signal.signal(signal.SIGTERM, handler)

        assert len(opened) == 1
        assert opened != [threading.main_thread()]

    def test_a_sync_lets_readers_go_on_soon(self, parts: Parts) -> None:
        before, handler = sys.getswitchinterval(), signal.getsignal(signal.SIGTERM)
        try:
            server.post_worker_init(Worker(create_app(parts)))
            assert sys.getswitchinterval() == pytest.approx(0.0001)
        finally:
            sys.setswitchinterval(before)
            signal.signal(signal.SIGTERM, handler)


class TestTheEnd:
    def test_a_worker_that_is_told_to_end_tells_its_syncs_first(self, parts: Parts) -> None:
        told: list[bool] = []
        stop = parts.background.stop
        interval = sys.getswitchinterval()
        before = signal.signal(signal.SIGTERM, lambda *_: told.append(stop.requested))
        try:
            server.post_worker_init(Worker(create_app(parts)))
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            signal.signal(signal.SIGTERM, before)
            sys.setswitchinterval(interval)

        assert told == [True]
        assert 20 < stop.left() <= 28

    @pytest.mark.parametrize(("grace", "left"), [(30, 28), (8, 6), (4, 3), (1, 0.75)])
    def test_some_of_the_grace_is_kept_for_answers(self, parts: Parts, grace: int, left: float) -> None:
        server.worker_exit(None, Worker(create_app(parts), grace=grace))

        assert left - 0.5 < parts.background.stop.left() <= left

    def test_ctrl_c_leaves_no_time(self, parts: Parts) -> None:
        server.worker_int(Worker(create_app(parts)))

        assert parts.background.stop.left() <= 0

    def test_the_master_is_not_told_to_end_by_a_worker_that_has_gone(self, parts: Parts) -> None:
        server.worker_exit(None, Worker(create_app(parts), pid=1))

        assert not parts.background.stop.requested

    def test_a_worker_that_never_had_an_app_ends_without_a_word(self) -> None:
        server.worker_exit(None, SimpleNamespace(pid=os.getpid()))


class TestBackground:
    def test_work_in_progress_is_waited_for(self) -> None:
        background = Background(Stop())
        done: list[str] = []
        background.submit(lambda: until_stopped(background.stop, done), "work")

        assert background.shut_down(30)
        assert done == ["stopped"]

    def test_work_that_does_not_end_in_time_is_told(self) -> None:
        background = Background(Stop())
        end, ended = threading.Event(), threading.Event()
        background.submit(lambda: ended.set() if end.wait() else None, "work")

        assert not background.shut_down(0)
        end.set()
        assert ended.wait(30)

    def test_work_that_fails_is_logged_and_no_longer_waited_for(self, log: list[logging.LogRecord]) -> None:
        background = Background(Stop())
        background.submit(fail, "run-1")

        assert background.shut_down(30)
        (record,) = log
        assert (record.levelname, vars(record)["work"]) == ("ERROR", "run-1")
        assert record.exc_info is not None


class TestStop:
    def test_the_shortest_time_counts(self) -> None:
        now = [0.0]
        stop = Stop(lambda: now[0])

        assert (stop.requested, stop.left()) == (False, float("inf"))
        stop.request(10)
        stop.request(20)
        now[0] = 4
        assert (stop.requested, stop.left()) == (True, 6)
        stop.request(1)
        assert stop.left() == 1


def open_files() -> list[Path]:
    return [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]


def until_stopped(stop: Stop, done: list[str]) -> None:
    while not stop.requested:
        Clock().sleep(0.001)
    done.append("stopped")


def note(told: list[tuple[str, int]], path: str, answer: Response) -> Response:
    told.append((path, answer.status_code))
    return answer


def fail() -> None:
    raise ValueError("work of a bad kind")
