"""A soak: faults one after the other, some at once, and after each the question whether every promise was kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from random import Random
from typing import Self

from tests.e2e.google import google
from tests.e2e.harness import Answer
from tests.soak.callers import Callers
from tests.soak.faults import Faults
from tests.soak.promises import OPEN, broken_promises
from tests.soak.servers import Server, call
from tests.soak.stores import open_store
from tests.soak.world import Promised, Sheet, Violations

__all__ = ["Soaked", "soak"]

WORKERS = (2, 1)  # of the servers that share the database
SETTLED_S = 60.0
ENV = {"SMART_SYNC_LEASE_SECONDS": "1", "SMART_SYNC_BUDGET": "6", "SMART_SYNC_INTERVAL_MINUTES": "1"}


@dataclass
class Soaked:
    """rounds: what happened in each, in words."""

    rounds: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    answers: int = 0
    syncs: int = 0
    runs: int = 0
    longest_s: float = 0.0

    def __str__(self) -> str:
        return (
            f"{len(self.rounds)} rounds, {self.answers} answers, {self.syncs} triggers, {self.runs} runs told, "
            f"well again after {self.longest_s:.1f} s at most, {len(self.violations)} violations"
        )


def soak(
    database: str, seed: int, seconds: float, folder: Path, tell: Callable[[str], None], *, rounds: int = 0
) -> Soaked:
    """Until the time is over and so many rounds are done, or a promise is broken. folder: where logs and files stay."""
    with _Soak(database, seed, folder) as one:
        one.begin()
        ends = time.monotonic() + seconds
        while not one.violations.found and (time.monotonic() < ends or len(one.soaked.rounds) < rounds):
            tell(one.play())
        return one.result()


class _Soak:
    def __init__(self, database: str, seed: int, folder: Path) -> None:
        self.violations = Violations()
        self.soaked = Soaked()
        self._dice = Random(seed)
        self._seed = seed
        self._database = database
        self._folder = folder
        self._stack = ExitStack()
        self._promised = Promised()

    def __enter__(self) -> Self:
        book = self._stack.enter_context(google())
        self._store = self._stack.enter_context(open_store(self._database, self._folder))
        self._sheet = Sheet(book, self._seed)
        clock, pages = self._folder / "clock", self._folder / "pages"
        env = {**ENV, "DATABASE_URL": self._store.url, "SOAK_CLOCK": str(clock), "SOAK_PAGES": str(pages)}
        self._servers = [Server(self._folder / f"server-{n}", book, workers, env) for n, workers in enumerate(WORKERS)]
        for server in self._servers:
            self._stack.callback(server.kill)
        self._stack.callback(self._sheet.recover)
        self._callers = Callers(self._servers, self._store, self._sheet, self._promised, self.violations, self._seed)
        self._faults = Faults(self._servers, self._store, self._sheet, clock, self.violations, self._dice)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def begin(self) -> None:
        self._settle()
        found = call("GET", f"{self._servers[0].url}/api/projects")
        assert found is not None
        self._callers.projects = {project["name"]: project["id"] for project in found.json["projects"]}

    def play(self) -> str:
        """One round; what it was, in words."""
        faults = self._faults.draw_some(self._dice.choice([1, 1, 2, 3]))
        words = " + ".join(fault.name for fault in faults)
        with self._callers.at_work():
            with ExitStack() as at_once:
                for fault in faults:
                    time.sleep(self._dice.random() * 0.8)
                    at_once.enter_context(fault.happen())
                time.sleep(0.3 + self._dice.random() * 2)
            self._start_all()
            time.sleep(self._dice.random())
        settled = self._settle()
        self.soaked.rounds.append(words)
        self.soaked.longest_s = max(self.soaked.longest_s, settled)
        for broken in broken_promises(self._servers, self._store, self._sheet, self._promised):
            self.violations.add(broken)
        return f"{len(self.soaked.rounds):4} {settled:5.1f} s  {words}"

    def _start_all(self) -> None:
        for server in self._servers:
            server.start()

    def _settle(self) -> float:
        """Seconds until a trigger says that all is well."""
        began = time.monotonic()
        self._start_all()
        answer: Answer | None = None
        while (spent := time.monotonic() - began) < SETTLED_S:
            answer = call("POST", f"{self._servers[-1].url}/api/admin/smart_sync")
            if _is_well(answer) and not self._store.rows(OPEN):  # a dead run of another kind is waited for, too
                return spent
            time.sleep(0.2)
        self.violations.add(f"no sync went well for {SETTLED_S:.0f} s; the last answer: {str(answer)[:1500]}")
        return spent

    def result(self) -> Soaked:
        for server in self._servers:
            for line in _tracebacks(server.log):
                self.violations.add(f"{server.folder.name}: {line}")
        self.soaked.violations = self.violations.found
        self.soaked.answers, self.soaked.syncs = self._promised.answers, self._promised.syncs
        self.soaked.runs = len(self._promised.runs)
        return self.soaked


def _is_well(answer: Answer | None) -> bool:
    if answer is None or answer.status != HTTPStatus.OK:
        return False
    return answer.json["state"] == "succeeded" and not answer.json["degraded"]


def _tracebacks(log: str) -> Iterator[str]:
    """What the service itself took for a fault of its own."""
    lines = log.splitlines()
    for place, line in enumerate(lines):
        if "Traceback (most recent call last)" in line:
            yield " | ".join(lines[max(0, place - 1) : place + 30])[:3_000]
