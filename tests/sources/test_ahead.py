"""Fetching ahead."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from webapp.sources.ahead import fetch_ahead


def test_results_come_in_their_order_however_long_each_takes() -> None:
    second = threading.Event()

    def slow() -> str:
        assert second.wait(10)
        return "b"

    def quick() -> str:
        second.set()
        return "c"

    assert [*fetch_ahead([lambda: "a", slow, quick], 2)] == ["a", "b", "c"]


def test_an_error_comes_in_its_turn_and_nothing_behind_it_is_begun() -> None:
    begun: list[int] = []

    def fetch(number: int) -> Callable[[], int]:
        def do() -> int:
            begun.append(number)
            if number == 1:
                raise ZeroDivisionError
            return number

        return do

    found = fetch_ahead([fetch(number) for number in range(6)], 2)

    assert next(found) == 0
    with pytest.raises(ZeroDivisionError):
        next(found)
    assert sorted(begun) == [0, 1, 2]


def test_one_fetch_needs_no_thread() -> None:
    (found,) = fetch_ahead([threading.current_thread], 2)

    assert found is threading.current_thread()


def test_the_second_is_begun_with_the_first_and_the_others_behind_it() -> None:
    begun: list[int] = []
    second = threading.Event()

    def first() -> int:
        assert second.wait(10)
        begun.append(0)
        return 0

    def fetch(number: int) -> Callable[[], int]:
        def do() -> int:
            begun.append(number)
            second.set()
            return number

        return do

    found = fetch_ahead([first, *(fetch(number) for number in range(1, 5))], 3)

    assert next(found) == 0
    assert begun[:2] == [1, 0]
    assert [*found] == [1, 2, 3, 4]


def test_where_the_first_fails_only_the_second_was_begun() -> None:
    begun: list[int] = []

    def fail() -> None:
        raise ZeroDivisionError

    def fetch(number: int) -> Callable[[], None]:
        return lambda: begun.append(number)

    with pytest.raises(ZeroDivisionError):
        next(fetch_ahead([fail, *(fetch(number) for number in range(1, 5))], 4))

    assert begun == [1]
