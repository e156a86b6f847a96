"""Fetching what comes next while what came before is worked on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")


def fetch_ahead(fetches: Sequence[Callable[[], T]], ahead: int) -> Generator[T, None, None]:
    """What the fetches give, in their order; so many are under way while what has come is worked on.

    Only the second is begun with the first, because what is wrong with one is mostly wrong with all. All but the first
    run in other threads.
    Whoever stops asking waits for those that were begun.

    Raises: what a fetch raises, in its turn; those that were not begun then never are.
    """
    waiting = deque(_Fetch(one) for one in fetches[1:2])
    try:
        for place, fetch in enumerate(fetches):
            found = waiting.popleft().result() if place else fetch()
            begun = place + 1 + len(waiting)
            waiting.extend(_Fetch(one) for one in fetches[begun : place + 1 + ahead])
            yield found
    finally:
        for one in waiting:
            one.thread.join()


class _Fetch(Generic[T]):
    def __init__(self, fetch: Callable[[], T]) -> None:
        self.future: Future[T] = Future()
        self.thread = Thread(target=self._run, args=(fetch,), daemon=True, name="smart-sync-fetch")
        self.thread.start()

    def result(self) -> T:
        return self.future.result()

    def _run(self, fetch: Callable[[], T]) -> None:
        try:
            self.future.set_result(fetch())
        except BaseException as error:  # noqa: BLE001  raised where the result is asked for
            self.future.set_exception(error)
