"""The worker over real sockets, in a thread of the test: what clients get, and what slow ones take from others."""

from __future__ import annotations

import errno
import io
import json
import os
import resource
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from gunicorn.config import Config

from webapp.serving import lobby, outlet, worker
from webapp.serving.lobby import Pace, Room
from webapp.serving.worker import PatientWorker

GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
BYE = b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
POST = b"POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"POST /echo HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
HALVES = (GET[:20], POST[:-3], CHUNKED + b"5\r\nhel", b"")
PATIENCE_S = 20.0
MB = 1024 * 1024
App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Log:
    """What gunicorn's logger is for."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def warning(self, text: str, *values: object, **_: object) -> None:
        self.lines.append(text % values)

    error = exception = warning

    def info(self, *_: object) -> None: ...

    debug = access = info


@dataclass
class Served:
    """A worker at work."""

    worker: PatientWorker
    address: Any
    log: Log
    thread: threading.Thread
    clients: ExitStack = field(default_factory=ExitStack)

    def client(self, said: bytes = b"", *, narrow: bool = False) -> socket.socket:
        """One more client, which has said this."""
        made = self.clients.enter_context(socket.socket(*_family(self.address)))
        if narrow:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        made.settimeout(PATIENCE_S)
        made.connect(self.address)
        made.sendall(said)
        return made

    def ask(self, said: bytes = BYE) -> Answer:
        """The answer to somebody who has no part in it all."""
        with self.client(said) as client:
            return answer(client)

    def refuses(self) -> bool:
        """Whether nobody is let in any more."""
        with socket.socket(*_family(self.address)) as client:
            return client.connect_ex(self.address) == errno.ECONNREFUSED

    def stop(self) -> None:
        self.worker.alive = False
        self.worker.method_queue.defer(lambda: None)

    def until(self, what: Callable[[], object]) -> None:
        ends = time.monotonic() + PATIENCE_S
        while not what():
            assert time.monotonic() < ends, "in vain"
            time.sleep(0.002)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> tuple[int, str]:
        """Its status and code; it is a problem document, after which the connection is closed."""
        assert self.headers["content-type"] == "application/problem+json"
        assert self.headers["connection"] == "close"
        assert self.headers["x-content-type-options"] == "nosniff"
        found = json.loads(self.body)
        assert found["status"] == self.status
        return self.status, found["code"]


def _family(address: Any) -> tuple[int, int]:
    return (socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX), socket.SOCK_STREAM


def answer(client: socket.socket, *, head_only: bool = False) -> Answer:
    """The next answer of the connection."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        data += (got := client.recv(1))
        assert got, f"hung up after {data!r}"
    first, *lines = data.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = b"" if head_only else take(client, int(headers.get("content-length", "0")))
    return Answer(int(first.split()[1]), headers, body)


def take(client: socket.socket, count: int) -> bytes:
    found = bytearray()
    while len(found) < count:
        found += (got := client.recv(min(count - len(found), MB)))
        assert got, "hung up"
    return bytes(found)


def hung_up(client: socket.socket) -> bool:
    """Whether the service hangs up without one more word."""
    try:
        return client.recv(1) == b""
    except ConnectionError:
        return True


def hello(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Says hello, or what it is asked for."""
    path = environ["PATH_INFO"]
    if path == "/echo":
        body = environ["wsgi.input"].read()
    elif path == "/large":
        body = b"x" * 20 * MB
    elif path == "/file":
        start("200 OK", [("Content-Length", "10")])
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](io.BytesIO(b"from a file"[:10]))
        return wrapped
    elif path == "/broken":
        raise ValueError("broken")
    elif path == "/half":
        return _half(start)
    else:
        body = b"hello"
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def _half(start: Callable[..., Any]) -> Iterator[bytes]:
    start("200 OK", [("Content-Length", "10")])
    yield b"hello"
    raise ValueError("broken off")


@contextmanager
def serving(app: App = hello, path: Path | None = None, **options: Any) -> Iterator[Served]:
    """A worker with one thread for requests, unless the options say otherwise. path: of a socket in a folder."""
    cfg, log = Config(), Log()
    for name, value in {"threads": 1, "keepalive": 5, **options}.items():
        cfg.set(name, value)
    with socket.socket(*_family(str(path) if path else ())) as listener:
        listener.bind(str(path) if path else ("127.0.0.1", 0))
        listener.listen(1000)
        made = PatientWorker(1, os.getppid(), [listener], None, 30, cfg, log)
        made.tpool = made.get_thread_pool()
        made.poller = selectors.DefaultSelector()
        made.method_queue.init()
        made.wsgi = app
        thread = threading.Thread(target=made.run)
        served = Served(made, listener.getsockname(), log, thread)
        thread.start()
        try:
            yield served
        finally:
            served.clients.close()
            served.stop()
            thread.join(PATIENCE_S)
            made.tpool.shutdown()
            made.tmp.close()
            assert not thread.is_alive()
            assert (len(made.lobby), made.nr_conns) == (0, 0)


@pytest.fixture
def served() -> Iterator[Served]:
    with serving() as running:
        yield running


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds are a fifth of one."""
    monkeypatch.setattr(worker, "ARRIVE", Pace(0.2, MB))
    monkeypatch.setattr(outlet, "TAKE", Pace(0.2, 64 * MB))
    monkeypatch.setattr(worker, "LEAVE_S", 0.2)


class TestRequests:
    def test_a_connection_is_used_again(self, served: Served) -> None:
        client = served.client()
        for said, body in [(GET, b"hello"), (POST, b"hello"), (GET, b"hello")]:
            client.sendall(said)
            assert answer(client).body == body

        client.sendall(BYE)
        assert answer(client).headers["connection"] == "close"
        assert hung_up(client)

    def test_requests_that_come_at_once_are_answered_in_turn(self, served: Served) -> None:
        client = served.client(POST + POST.replace(b"hello", b"again") + b"HEAD" + GET[3:] + BYE)

        assert [answer(client).body for _ in range(2)] == [b"hello", b"again"]
        assert answer(client, head_only=True).headers["content-length"] == "5"
        assert answer(client).body == b"hello"
        assert hung_up(client)

    def test_a_request_may_come_byte_by_byte(self, served: Served) -> None:
        for said in (POST, CHUNKED + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"):
            client = served.client()
            for at in range(len(said)):
                client.sendall(said[at : at + 1])
            assert answer(client).body == b"hello"

    def test_an_old_client_is_answered_and_left(self, served: Served) -> None:
        client = served.client(b"GET / HTTP/1.0\r\n\r\n")

        assert answer(client).body == b"hello"
        assert hung_up(client)

    def test_who_asks_whether_to_go_on_is_told_once(self, served: Served) -> None:
        client = served.client(POST.removesuffix(b"hello").replace(b"Host", b"Expect: 100-continue\r\nHost"))

        assert answer(client).status == 100
        client.sendall(b"hello")
        assert answer(client).body == b"hello"

    def test_a_client_that_has_said_all_may_close_its_side(self, served: Served) -> None:
        client = served.client(POST)
        client.shutdown(socket.SHUT_WR)

        assert answer(client).body == b"hello"
        assert hung_up(client)

    def test_a_file_is_sent(self, served: Served) -> None:
        assert served.ask(BYE.replace(b"GET /", b"GET /file")).body == b"from a fil"

    def test_a_body_of_megabytes_comes_as_a_whole(self, served: Served) -> None:
        said = POST.replace(b": 5", b": 4194304").removesuffix(b"hello") + b"x" * 4 * MB

        assert served.ask(said).body == b"x" * 4 * MB

    def test_a_socket_in_a_folder_does_as_well(self, tmp_path: Path) -> None:
        with serving(path=tmp_path / "socket") as served:
            assert served.ask().body == b"hello"
            assert served.ask(b"BREW\r\n\r\n").problem == (400, "bad_request")

    def test_what_is_not_plain_http_is_left_to_gunicorn(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with serving() as served:
            monkeypatch.setattr(worker, "_is_plain", lambda cfg: False)
            assert served.ask().body == b"hello"
            assert served.ask(b"BREW\r\n\r\n").problem == (400, "bad_request")
            served.until(lambda: served.worker.nr_conns == 0)

    @pytest.mark.parametrize(("option", "value"), [("certfile", "c.pem"), ("http2_cleartext", "upgrade")])
    def test_who_serves_something_else_is_told_what_it_costs(self, option: str, value: str) -> None:
        cfg, log = Config(), Log()
        PatientWorker.check_config(cfg, log)
        assert not log.lines
        cfg.set(option, value)

        PatientWorker.check_config(cfg, log)

        assert "Slow clients hold threads" in log.lines[0]


class TestRefusals:
    @pytest.mark.parametrize(
        ("said", "problem"),
        [
            (b"GET / HTTP/1.1\nHost: here\n\n", (400, "bad_request")),
            (b"\x16\x03\x01\x02\x00\x01\n", (400, "bad_request")),
            (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", (414, "url_too_long")),
            (GET[:-2] + b"X: " + b"x" * 9000 + b"\r\n\r\n", (431, "head_too_large")),
            (GET[:-2] + b"Expect: more\r\n\r\n", (417, "http_417")),
            (GET[:-2] + b"Transfer-Encoding: odd\r\n\r\n", (501, "http_501")),
            (GET[:-2] + b"SCRIPT_NAME: /elsewhere\r\n\r\n", (400, "bad_request")),
            (CHUNKED + b"what\r\n", (400, "bad_request")),
            (CHUNKED + b"5\r\nhello!\r\n", (400, "bad_request")),
            (CHUNKED + b"1\r\nx\r\n" * 20_000, (400, "bad_request")),
            (POST.replace(b": 5", b": 4194305"), (413, "body_too_large")),
            (CHUNKED + b"500000\r\n" + b"x" * 5 * MB + b"\r\n", (413, "body_too_large")),
            (GET.replace(b"GET /", b"GET /broken"), (500, "internal_error")),
        ],
        ids=lambda value: repr(value)[:50],
    )
    def test_are_problems_like_all_others(self, served: Served, said: bytes, problem: tuple[int, str]) -> None:
        client = served.client(said)

        assert answer(client).problem == problem
        assert hung_up(client)

    def test_are_said_once_whatever_the_client_goes_on_to_say(self, served: Served) -> None:
        client = served.client(b"BREW\r\n\r\n")
        assert answer(client).status == 400

        client.sendall(GET + b"BREW\r\n\r\n")

        assert hung_up(client)
        assert len(served.log.lines) == 1

    def test_name_who_it_was_and_what(self, served: Served) -> None:
        served.ask(b"BREW\r\n\r\n")
        served.ask(GET.replace(b"GET /", b"GET /broken"))

        assert served.log.lines[0] == "Invalid request from ip=127.0.0.1: Invalid HTTP request line: 'BREW'"
        assert served.log.lines[1] == "Error handling request"

    def test_an_answer_that_broke_off_is_no_whole_one(self, served: Served) -> None:
        client = served.client(GET.replace(b"GET /", b"GET /half"))

        assert answer(client, head_only=True).status == 200
        assert take(client, 5) == b"hello"
        assert hung_up(client)


@pytest.mark.usefixtures("hasty")
class TestTime:
    @pytest.mark.parametrize("said", HALVES[:-1])
    def test_a_request_that_does_not_arrive_in_time_is_given_up(self, served: Served, said: bytes) -> None:
        client = served.client(said)

        assert answer(client).problem == (408, "request_timeout")
        assert hung_up(client)

    def test_a_byte_now_and_then_buys_none(self, served: Served) -> None:
        client = served.client(GET[:3])
        began = time.monotonic()
        while time.monotonic() < began + 0.15:
            client.sendall(b"x")
            time.sleep(0.03)

        assert answer(client).problem == (408, "request_timeout")
        assert time.monotonic() < began + 2

    def test_who_never_says_anything_is_left_without_a_word(self) -> None:
        with serving(keepalive=0) as served:
            assert hung_up(served.client())

    def test_who_has_an_answer_and_asks_no_more_is_left_without_a_word(self) -> None:
        with serving(keepalive=1) as served:
            client = served.client(GET)
            assert answer(client).status == 200
            assert hung_up(client)

    def test_who_takes_no_answer_is_left(self, served: Served) -> None:
        client = served.client(GET.replace(b"GET /", b"GET /large"), narrow=True)
        served.until(lambda: served.worker.nr_conns == 1)

        served.until(lambda: served.worker.nr_conns == 0)

        with pytest.raises((AssertionError, ConnectionError)):
            take(client, 20 * MB)

    def test_how_many_were_left_is_told_now_and_then(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        assert answer(served.client(HALVES[0])).status == 408
        served.until(lambda: served.log.lines)
        assert served.log.lines == ["Slow clients were left: 1 did not finish their request in time"]

        assert answer(served.client(HALVES[1])).status == 408
        served.ask()
        assert len(served.log.lines) == 1

        monkeypatch.setattr(worker, "REPORT_EVERY_S", 0)
        served.ask()
        served.until(lambda: served.log.lines[1:] == served.log.lines[:1])

    def test_who_has_an_answer_and_does_not_hang_up_is_left(self, served: Served) -> None:
        client = served.client(BYE)
        assert answer(client).status == 200

        served.until(lambda: served.worker.nr_conns == 0)


class TestOthers:
    def test_are_answered_whoever_is_slow(self) -> None:
        with serving(worker_connections=1000) as served:
            for said in HALVES * 20:
                served.client(said)
            for _ in range(3):
                served.client(GET.replace(b"GET /", b"GET /large") * 2, narrow=True)
                served.client(b"GET / HTTP/1.0\r\n\r\n")
            slow = 83  # the last three have their answer and are left before long
            served.until(lambda: served.worker.nr_conns >= slow)

            for _ in range(20):
                assert served.ask().body == b"hello"
                assert served.ask(POST).body == b"hello"

            assert served.worker.nr_conns >= slow

    def test_of_too_many_unfinished_requests_the_oldest_goes(self) -> None:
        with serving(worker_connections=10) as served:
            first, second = served.client(GET[:20]), served.client(POST[:-3])
            served.until(lambda: len(served.worker.lobby) == 2)
            served.client(CHUNKED[:-3])

            assert answer(first).problem == (503, "crowded_out")
            assert hung_up(first)
            second.sendall(b"llo")
            assert answer(second).body == b"hello"

    def test_of_too_many_silent_clients_the_oldest_goes_without_a_word(self) -> None:
        with serving(worker_connections=10) as served:
            first, *_ = (served.client() for _ in range(3))

            assert hung_up(first)
            assert served.ask().body == b"hello"

    def test_of_too_many_bytes_the_oldest_go(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lobby, "MAX_ASKED", 3 * MB // 2)
        large = POST.replace(b": 5", b": 1100000").removesuffix(b"hello") + b"x" * MB
        first = served.client(large)
        served.until(lambda: any(guest.asked >= MB for guest in list(served.worker.lobby._where)))
        second = served.client(large)

        assert answer(first).problem == (503, "crowded_out")
        second.sendall(b"x" * (1_100_000 - MB))
        assert len(answer(second).body) == 1_100_000

    def test_nothing_is_kept_of_who_had_to_go_and_stays(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lobby, "MAX_ASKED", MB)
        client = served.client(POST.replace(b": 5", b": 4000000") + b"x" * 2 * MB)
        assert answer(client).problem == (503, "crowded_out")

        (guest,) = served.worker.lobby._where

        served.until(lambda: served.worker.lobby.room_of(guest) is Room.LEAVING)
        assert guest.asked == 0

    @pytest.mark.parametrize(("files", "connections"), [(1024, 896), (20_000, 1000), (50, 5), (-1, 1000)])
    def test_leave_files_to_the_work(self, files: int, connections: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))

        with serving() as served:
            assert served.worker.worker_connections == connections
            assert served.ask().body == b"hello"

    def test_come_in_when_there_are_no_more_files(self, served: Served) -> None:
        quiet = served.client()
        served.until(lambda: len(served.worker.lobby) == 1)
        listener, refused = served.worker.sockets[0], threading.Event()

        class Full(socket.socket):
            def accept(self) -> Any:
                if not refused.is_set():
                    refused.set()
                    raise OSError(errno.EMFILE, "no more files")
                return listener.accept()

            def getsockname(self) -> Any:
                return listener.getsockname()

        accept, full = served.worker.accept, served.clients.enter_context(Full())
        poller, changed = served.worker.poller, threading.Event()
        served.worker.method_queue.defer(poller.modify, listener, selectors.EVENT_READ, lambda _: accept(full))
        served.worker.method_queue.defer(changed.set)
        assert changed.wait(PATIENCE_S)

        assert served.ask().body == b"hello"
        assert refused.is_set()
        assert hung_up(quiet)


class TestTheEnd:
    @pytest.fixture(autouse=True)
    def short(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(worker.STOPPING_S, Room.QUIET, 0.3)
        monkeypatch.setitem(worker.STOPPING_S, Room.ARRIVING, 0.3)

    def test_what_a_thread_has_begun_is_answered(self) -> None:
        begun, go_on = threading.Event(), threading.Event()

        def slow(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            begun.set()
            assert go_on.wait(PATIENCE_S)
            return hello(environ, start)

        with serving(slow) as served:
            idle, client = served.client(), served.client(GET)
            assert begun.wait(PATIENCE_S)
            served.stop()
            assert hung_up(idle)
            assert served.thread.is_alive()

            go_on.set()

            assert answer(client).body == b"hello"

    def test_who_came_before_is_answered_and_who_comes_later_is_refused_at_once(self) -> None:
        begun, go_on, standing, on = (threading.Event() for _ in range(4))

        def slow(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            begun.set()
            assert go_on.wait(PATIENCE_S)
            return hello(environ, start)

        def stand() -> None:
            standing.set()
            assert on.wait(PATIENCE_S)

        with serving(slow) as served:
            first = served.client(GET)
            assert begun.wait(PATIENCE_S)
            served.worker.method_queue.defer(stand)
            assert standing.wait(PATIENCE_S)
            waiting = [served.client(GET) for _ in range(3)]  # let in by the system, and not looked at yet
            served.stop()
            on.set()

            served.until(served.refuses)
            go_on.set()

            assert [answer(client).body for client in (first, *waiting)] == [b"hello"] * 4

    def test_a_request_that_is_almost_there_is_answered_and_the_connection_closed(self, served: Served) -> None:
        client = served.client(POST[:-1])
        served.until(lambda: len(served.worker.lobby) == 1)
        served.stop()
        client.sendall(POST[-1:])

        found = answer(client)

        assert (found.body, found.headers["connection"]) == (b"hello", "close")

    def test_one_that_is_not_does_not_hold_it_up(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(worker, "ARRIVE", Pace(3600, 1))
        client = served.client(POST[:-1])
        served.until(lambda: len(served.worker.lobby) == 1)
        served.stop()

        assert answer(client).problem == (408, "request_timeout")
        client.close()
        served.thread.join(PATIENCE_S)
        assert not served.thread.is_alive()

    def test_an_answer_is_taken_to_its_end(self, served: Served) -> None:
        client = served.client(BYE.replace(b"GET /", b"GET /large"))
        assert answer(client, head_only=True).status == 200
        served.stop()

        assert len(take(client, 20 * MB)) == 20 * MB
        assert hung_up(client)

    def test_one_that_nobody_takes_does_not_hold_it_up(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(worker.STOPPING_S, Room.SENDING, 0.3)
        for said in (GET, GET * 2):
            served.client(said.replace(b"GET /", b"GET /large"), narrow=True)
        served.until(
            lambda: (
                [served.worker.lobby.room_of(guest) for guest in list(served.worker.lobby._where)] == [Room.SENDING] * 2
            )
        )

        served.stop()

        served.thread.join(PATIENCE_S)
        assert not served.thread.is_alive()
