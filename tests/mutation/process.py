"""Runs of pytest in processes that have everything imported but what is ours: they begin after a tenth of the time."""

from __future__ import annotations

import ctypes
import importlib
import importlib.abc
import importlib.machinery
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from hypothesis import settings

from tests import lanes

__all__ = ["ROOT", "Child", "Mutated", "import_others", "run_pytest", "start"]

ROOT = Path(__file__).parents[2]
OURS = ("webapp", "tests")
EXAMPLES = 20
PR_SET_PDEATHSIG = 1
MEMORY = 3 << 30  # bytes; a fault may make a list that never ends
QUIET = ["-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:playwright"]
STEADY = ["--hypothesis-seed=0", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
LOADED = "import sys, tests.conftest, tests.read.world; print(*sys.modules)"


def import_others() -> None:
    """Import every package of others that the tests import, and none of our modules."""
    listed = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in listed.stdout.split():
        if name.split(".")[0] not in (*OURS, "__main__"):
            try:
                importlib.import_module(name)
            except ImportError:  # a part of a package that only the package itself can import
                continue


class Mutated(importlib.abc.MetaPathFinder):
    """Gives one of our modules in another form."""

    def __init__(self, path: Path, code: CodeType) -> None:
        self._name = ".".join(path.with_suffix("").relative_to(ROOT).parts).removesuffix(".__init__")
        self._path = path
        self._code = code

    def find_spec(self, fullname: str, *_: Any) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        return spec_from_file_location(fullname, self._path, loader=_Loader(fullname, str(self._path), self._code))


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        return self._code


def run_pytest(options: Sequence[str], plugins: Iterable[object], folder: Path) -> int:
    """The exit code of pytest in this process; folder: for files of its tests."""
    return int(pytest.main([*QUIET, *STEADY, f"--basetemp={folder}", *options], plugins=[_Lane(), *plugins]))


class _Lane:
    """Which tests are asked: all that are not slow, though they be many. Properties have few examples, and no deadline:
    a busy machine is not a fault that tests notice."""

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        settings.register_profile("patient", max_examples=EXAMPLES, deadline=None)
        settings.load_profile("patient")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if not lanes.is_slow(item)]


@dataclass
class Child:
    """A process that does one thing, and the latest moment at which it has to have done it."""

    pid: int
    until: float
    code: int | None = None

    def poll(self) -> int | None:
        """Its exit code; -9 when it was late and had to be killed. None while it runs."""
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > self.until:
                self.kill()
        return self.code

    def wait(self) -> int:
        """Its exit code, once it is over."""
        while (code := self.poll()) is None:
            time.sleep(0.005)
        return code

    def kill(self) -> None:
        os.killpg(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        self.code = os.waitstatus_to_exitcode(status)


def start(work: Callable[[], int], seconds: float, log: Path) -> Child:
    """The work in a process of its own group, whose exit code it gives. What it prints goes to the log."""
    sys.stdout.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _be_child(work, log, parent)
    with suppress(OSError):  # it has done so itself, or is over
        os.setpgid(pid, pid)
    return Child(pid, time.monotonic() + seconds)


def _be_child(work: Callable[[], int], log: Path, parent: int) -> None:
    code = 70
    try:
        os.setpgid(0, 0)
        if sys.platform == "linux":  # a run that is stopped leaves nothing at work
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # it ended before it was asked to be told of
                os._exit(code)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for number in (1, 2):
            os.dup2(descriptor, number)
        code = work()
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001  a process that was forked never goes back to its parent's work
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(code)
