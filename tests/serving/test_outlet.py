"""Answers go as far as the client takes them, and no thread waits for the rest."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator
from threading import Thread

import pytest

from webapp.clock import Clock
from webapp.serving import outlet
from webapp.serving.lobby import Pace
from webapp.serving.outlet import MAX_AHEAD, Outlet

MB = 1024 * 1024


@pytest.fixture
def pair() -> Iterator[tuple[Outlet, socket.socket]]:
    ours, theirs = socket.socketpair()
    theirs.settimeout(10)
    with theirs:
        made = Outlet(ours, Clock())
        yield made, theirs
        made.close()


def take(client: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        found += client.recv(count - len(found))
    return found


def test_a_small_answer_goes_at_once(pair: tuple[Outlet, socket.socket]) -> None:
    made, client = pair
    made.sendall(b"head ")
    assert made.send(b"body") == 4

    assert (made.kept, made.flush()) == (0, True)
    assert take(client, 9) == b"head body"


def test_a_large_one_is_kept_and_goes_in_order(pair: tuple[Outlet, socket.socket]) -> None:
    made, client = pair
    data = bytes(range(256)) * 20_000
    made.sendall(data)
    made.sendall(b"the end")

    assert 0 < made.kept < len(data)
    assert not made.flush()
    found = b""
    while not made.flush():
        found += client.recv(MB)
    assert found + take(client, len(data) + 7 - len(found)) == data + b"the end"
    assert made.kept == 0


def test_what_the_client_takes_buys_it_time(pair: tuple[Outlet, socket.socket]) -> None:
    made, client = pair
    made.sendall(b"x" * 4 * MB)
    before = made.deadline

    client.recv(MB)
    made.flush()

    assert made.deadline > before


def test_a_file_is_an_answer_like_others(pair: tuple[Outlet, socket.socket]) -> None:
    made, client = pair

    assert made.sendfile(io.BytesIO(b"0123456789"), 2, 3) == 3
    assert made.sendfile(io.BytesIO(b"0123456789")) == 10
    assert take(client, 13) == b"2340123456789"


def test_a_thread_that_goes_on_producing_waits_for_its_client(pair: tuple[Outlet, socket.socket]) -> None:
    made, client = pair
    taken: list[bytes] = []
    reader = Thread(target=lambda: taken.append(take(client, 16 * MB)))
    made.sendall(b"x" * 10 * MB)
    reader.start()

    for _ in range(12):
        made.sendall(b"x" * (MB // 2))
        assert made.kept <= MAX_AHEAD + MB // 2
    while not made.flush():
        pass
    reader.join()

    assert taken == [b"x" * 16 * MB]


def test_and_not_for_ever(pair: tuple[Outlet, socket.socket], monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = pair
    monkeypatch.setattr(outlet, "TAKE", Pace(0.05, MB))
    made.sendall(b"x" * 10 * MB)

    with pytest.raises(BrokenPipeError):
        made.sendall(b"x")
    assert made.kept == 0


def test_a_client_that_has_gone_is_an_error(pair: tuple[Outlet, socket.socket]) -> None:
    made, client = pair
    client.close()

    with pytest.raises(ConnectionError):
        made.sendall(b"x")


def test_an_answer_that_broke_off_is_not_finished(pair: tuple[Outlet, socket.socket]) -> None:
    made, _ = pair
    made.sendall(b"x" * 2 * MB)

    with pytest.raises(OSError, match="broke off"):
        made.shutdown(socket.SHUT_WR)
    assert made.kept == 0


def test_it_never_blocks(pair: tuple[Outlet, socket.socket]) -> None:
    made, _ = pair
    made.setblocking(True)
    made.settimeout(None)

    assert made.gettimeout() == 0
    with pytest.raises(BlockingIOError):
        made.recv(1)
