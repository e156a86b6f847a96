"""A large sync leaves no memory behind that nothing is in, and a small one does not look for any."""

from __future__ import annotations

import ctypes
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.fakes.service import Service
from tests.fakes.sheet import FakeSheet
from webapp.sync import memory
from webapp.sync.memory import given_back, resident

MB = 1 << 20


@pytest.fixture
def trims(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the C library was asked for."""
    asked: list[int] = []
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(malloc_trim=asked.append))
    return asked


@pytest.fixture
def grows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look finds a byte more than is given back as a rule."""
    sizes = iter(range(0, 1 << 40, memory.GROWN + 1))
    monkeypatch.setattr(memory, "resident", lambda: next(sizes))


def test_what_nothing_is_in_any_more_goes_back_to_the_system() -> None:
    with given_back():
        before = resident()
        blocks = [bytes(2_000) for _ in range(60_000)]
        last = bytes(2_000)  # which the library could not get below by itself
        taken = resident() - before
        del blocks

    assert taken > 60 * MB  # where some was free already, less than all
    assert resident() - before < taken / 2
    assert last


@pytest.mark.usefixtures("grows")
def test_a_sync_that_took_much_gives_it_back(service: Service, sheet: FakeSheet, trims: list[int]) -> None:
    sheet.rows("Project A", ["x.com/ann", 1])

    assert service.sync()["success"]
    assert trims == [0]


@pytest.mark.usefixtures("grows")
def test_a_sync_that_fails_gives_it_back_too(trims: list[int]) -> None:
    with pytest.raises(RuntimeError), given_back():
        raise RuntimeError

    assert trims == [0]


def test_what_is_freed_lies_ready_from_the_first_sync_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(mallopt=lambda *given: asked.append(given)))
    memory._keep_room.cache_clear()

    for _ in range(2):
        with given_back():
            pass

    assert asked == [(memory.TOP_PAD, memory.ROOM)]


def test_a_small_sync_asks_for_nothing(service: Service, sheet: FakeSheet, trims: list[int]) -> None:
    sheet.rows("Project A", ["x.com/ann", 1])

    assert service.sync()["success"]
    assert trims == []


@pytest.mark.usefixtures("grows")
def test_another_c_library_keeps_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())

    with given_back():
        done = True

    assert done


def test_where_the_system_does_not_say_nothing_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(memory, "STATM", tmp_path / "statm")

    assert resident() == 0
