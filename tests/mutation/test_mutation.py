"""The faults that are made, and that the table of those with a reason is about the code there is."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import CodeType, FunctionType

import pytest

from tests.mutation.named import NAMED
from tests.mutation.operators import mutants_of, tree_with
from tests.mutation.process import ROOT, start
from tests.mutation.trials import swap

SOURCE = '''"""A module."""
LIMIT = 3

def is_big(number, unit="m", *, exact: bool = False) -> int | None:
    """Whether it is."""
    if not exact and number + 1 > LIMIT:
        raise ValueError("it is far too big")
    return number
'''


def changes(source: str) -> list[str]:
    return [mutant.words for mutant in mutants_of(source)]


def test_each_place_is_changed_in_each_way_that_could_be_a_slip() -> None:
    assert [(mutant.place, mutant.line, mutant.at_import) for mutant in mutants_of(SOURCE)][:3] == [
        ("module", 2, True),
        ("is_big", 4, True),
        ("is_big", 4, True),
    ]
    assert changes(SOURCE) == [
        "3 -> 4",
        "False -> True",
        "'m' -> 'XXm'",
        "not exact and number + 1 > LIMIT -> not exact or number + 1 > LIMIT",
        "not exact -> exact",
        "number + 1 > LIMIT -> number + 1 >= LIMIT",
        "number + 1 > LIMIT -> number + 1 <= LIMIT",
        "number + 1 -> number - 1",
        "1 -> 2",
        "raise ValueError('it is far too big') -> pass",
        "return number -> return None",
    ]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("a < b", ["a < b -> pass", "a < b -> a <= b", "a < b -> a >= b"]),
        ("x = [n for n in s if n]", ["for n in s if n -> for n in s"]),
        ("if a: b = c", ["if a: b = c -> if not a: b = c"]),
        ("total += n", ["total += n -> pass"]),
        ("x = -n", ["-n -> n"]),
        ("x = None", []),
        ("from a import b", []),
        ("x: 'Literal' = y", []),
        ("zip(a, b, strict=True)", ["zip(a, b, strict=True) -> pass"]),
        ("def f() -> bool: return x", []),
        ("x = f'{a}!{b} is it'", ["'!' -> ''"]),
    ],
)
def test_faults_of_a_line(source: str, words: list[str]) -> None:
    assert [found.replace("\n", " ") for found in changes(source)] == words


def test_a_fault_is_the_only_change() -> None:
    whole = ast.unparse(ast.parse(SOURCE)).splitlines()

    for mutant in mutants_of(SOURCE):
        changed = ast.unparse(tree_with(SOURCE, mutant)).splitlines()
        assert sum(line not in changed for line in whole) == 1, mutant


def test_a_function_that_is_imported_gets_the_fault(tmp_path: Path) -> None:
    path = tmp_path / "sums.py"
    source = "def add(a, b):\n    return a + b\n"
    scope: dict[str, FunctionType] = {}
    exec(compile(source, str(path), "exec"), scope)
    (minus,) = (mutant for mutant in mutants_of(source) if mutant.now == "a - b")
    code = compile(tree_with(source, minus), str(path), "exec")
    assert isinstance(code, CodeType)

    assert swap(code, path)

    assert scope["add"](3, 1) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing ends with what began it")
@pytest.mark.usefixtures("processes")
def test_what_a_run_has_begun_ends_with_it(tmp_path: Path) -> None:
    read, write = os.pipe()  # is at its end once everybody who may write to it has ended

    def begin_another() -> int:
        start(wait_for_ever, 60, tmp_path / "inner.log")
        os.write(write, b"begun")
        return wait_for_ever()

    def wait_for_ever() -> int:
        signal.pause()
        return 0

    outer = start(begin_another, 60, tmp_path / "outer.log")
    os.close(write)
    assert os.read(read, 9) == b"begun"

    os.kill(outer.pid, signal.SIGKILL)

    assert os.read(read, 9) == b""
    assert outer.wait() == -signal.SIGKILL
    os.close(read)


@pytest.mark.parametrize(
    ("source", "fits"),
    [
        ("def both(a, b):\n    return sum(n for n in a), sum(n for n in b)\n", True),  # the parts come with the whole
        ("both, other = (lambda a: a), (lambda a: -a)\n", False),
    ],
    ids=["parts of a function", "functions"],
)
def test_only_functions_that_can_be_told_apart_get_faults(tmp_path: Path, source: str, fits: bool) -> None:
    path = tmp_path / "sums.py"
    scope: dict[str, FunctionType] = {}
    exec(compile(source, str(path), "exec"), scope)
    code = compile(source, str(path), "exec")
    assert isinstance(code, CodeType)

    assert swap(code, path) is fits


def test_a_fault_with_a_reason_is_one_of_those_that_are_made() -> None:
    for module, place, words in NAMED:
        source = (ROOT / module).read_text(encoding="utf-8")
        assert (place, words) in {(mutant.place, mutant.words) for mutant in mutants_of(source)}, module


@pytest.mark.parametrize(
    ("module", "words"), [("webapp.store.leases", "there is no webapp.store.leases"), ("webapp/cli", "nothing there")]
)
@pytest.mark.usefixtures("processes")
def test_what_cannot_be_tried_is_said(module: str, words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutation", module], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, words in done.stdout + done.stderr) == (2, True)
