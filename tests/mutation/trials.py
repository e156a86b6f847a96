"""Whether the tests notice a fault. Two ways: put into what is imported already, or imported with it."""

from __future__ import annotations

import functools
import gc
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import CodeType, FunctionType

import pytest

from tests.mutation.operators import Mutant, tree_with
from tests.mutation.process import Child, Mutated, run_pytest, start
from tests.mutation.reach import Reach, is_near

__all__ = ["Swaps", "Trial", "import_trial", "is_noticed", "trial_of"]

PATIENCE_S, FACTOR = 20.0, 6.0  # beside what the tests take by themselves; the machine may be busy
START_S = 600.0
NO_TESTS = 5  # pytest's exit code
NO_FIT = 6


@dataclass(frozen=True)
class Trial:
    """One fault and the tests that have to notice it."""

    number: int
    path: Path
    mutant: Mutant
    tests: list[str]
    near: list[str]
    seconds: float

    def code(self) -> CodeType:
        source = self.path.read_text(encoding="utf-8")
        return compile(tree_with(source, self.mutant), str(self.path), "exec")


def trial_of(number: int, path: Path, mutant: Mutant, reach: Reach) -> Trial:
    tests = reach.tests(path, mutant)
    near = [test for test in tests if is_near(test, path)]
    return Trial(number, path, mutant, tests, near, PATIENCE_S + FACTOR * sum(reach.seconds[test] for test in tests))


def import_trial(trial: Trial, tests: Sequence[str], scratch: Path) -> Child:
    """These tests of a module that is imported with the fault. For processes that have imported none of ours."""
    name = f"import-{trial.number}"

    def work() -> int:
        if not tests:
            return NO_TESTS
        sys.meta_path.insert(0, Mutated(trial.path, trial.code()))
        files = sorted({test.split("::")[0] for test in tests})
        return run_pytest(["-x", "-p", "no:cov", *files], [_Selection(tests)], scratch / name)

    return start(work, trial.seconds, scratch / f"{name}.log")


def is_noticed(child: Child) -> bool:
    return child.wait() not in (0, NO_TESTS)


class _Selection:
    """Runs these tests alone, in this order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._order = {test: place for place, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self._order), key=lambda item: self._order[item.nodeid]
        )


class Swaps:
    """A process that has collected all tests, and tries faults inside functions by swapping their code."""

    def __init__(self, trials: Sequence[Trial], scratch: Path, name: str) -> None:
        self._trials = trials
        self._answers = scratch / f"{name}.jsonl"
        self._log = scratch / f"{name}.log"
        files = sorted({test.split("::")[0] for trial in trials for test in trial.tests})
        loop = _Loop(trials, self._answers, scratch / f"{name}-one.log")
        work = functools.partial(run_pytest, ["-p", "no:cov", *files], [loop], scratch / name)
        self._answers.write_text("")
        self._child = start(work, sum(trial.seconds for trial in trials) + START_S, self._log)

    def left(self) -> tuple[list[Trial], list[Trial]]:
        """Those that nothing has noticed, and those that could not be tried in this way, once all are.

        Raises: RuntimeError when the process ended before that.
        """
        self._child.wait()
        codes = dict(json.loads(line) for line in self._answers.read_text(encoding="utf-8").splitlines())
        if len(codes) != len(self._trials):
            raise RuntimeError(
                f"{len(codes)} answers of {len(self._trials)}:\n{self._log.read_text(encoding='utf-8')[-3000:]}"
            )
        unnoticed, unfit = ([one for one in self._trials if codes[one.number] == code] for code in (0, NO_FIT))
        return unnoticed, unfit


class _Loop:
    """In place of running all tests once: for each fault those that may notice it, in a process of their own."""

    def __init__(self, trials: Sequence[Trial], answers: Path, log: Path) -> None:
        self._trials = trials
        self._answers = answers
        self._log = log
        self._failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._failed = self._failed or report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        with self._answers.open("a", encoding="utf-8", buffering=1) as answers:
            for trial in self._trials:
                chosen = [items[test] for test in trial.tests if test in items]
                code = start(functools.partial(self._run, trial, chosen), trial.seconds, self._log).wait()
                answers.write(json.dumps([trial.number, code]) + "\n")
        return True

    def _run(self, trial: Trial, items: list[pytest.Item]) -> int:
        if not swap(trial.code(), trial.path):
            return NO_FIT
        for item, upcoming in pairwise([*items, None]):
            assert item is not None
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=upcoming)
            if self._failed:
                return 1
        return 0


def swap(module: CodeType, path: Path) -> bool:
    """Give the functions of a module that is imported the code they have in this one; False when one does not fit, or
    there are none."""
    new: dict[tuple[str, int], CodeType | None] = {}
    for key, code in _codes(module):
        new[key] = None if key in new else code  # two of one name in one line cannot be told apart
    gc.unfreeze()
    things = gc.get_objects()
    gc.freeze()
    any_fits = False
    for thing in things:
        if isinstance(thing, functools._lru_cache_wrapper) and str(thing.__module__).startswith("webapp"):
            thing.cache_clear()
        if isinstance(thing, FunctionType) and thing.__code__.co_filename == str(path):
            fitting = new.get((thing.__code__.co_qualname, thing.__code__.co_firstlineno))
            if fitting is None or fitting.co_freevars != thing.__code__.co_freevars:
                return False
            thing.__code__ = fitting
            any_fits = True
    return any_fits


def _codes(code: CodeType) -> Iterator[tuple[tuple[str, int], CodeType]]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield (constant.co_qualname, constant.co_firstlineno), constant
            yield from _codes(constant)
