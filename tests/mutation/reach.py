"""Which tests run which lines, and how long each of them takes."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

import coverage
import pytest

from tests.mutation.operators import Mutant
from tests.mutation.process import ROOT, run_pytest, start

__all__ = ["Reach", "is_near", "measure_reach"]

PATIENCE_S = 3_600.0
ENOUGH_S = 20.0  # of tests for one fault
IMPORT = "import"


@dataclass
class Reach:
    """seconds: {test: how long it takes}. lines: {file: {line: tests}}; `IMPORT` stands for the import of the module."""

    seconds: dict[str, float]
    lines: dict[str, dict[int, list[str]]] = field(default_factory=dict)

    def tests(self, path: Path, mutant: Mutant) -> list[str]:
        """The tests that may notice the fault: those that run its line, or all that reach the file when it runs at
        import; those of the module's own folder first, the quick ones first. Not more than `ENOUGH_S` of them."""
        lines = self.lines.get(str(path), {})
        found = set(lines.get(mutant.line, [])) - {IMPORT}
        if self.is_import(path, mutant):
            found = {test for tests in lines.values() for test in tests} - {IMPORT} or set(self.seconds)
        ordered = sorted(found, key=lambda test: (not is_near(test, path), self.seconds.get(test, 0.0), test))
        spent = accumulate(self.seconds.get(test, 0.0) for test in ordered)
        return [test for test, seconds in zip(ordered, spent, strict=True) if seconds < ENOUGH_S]

    def is_import(self, path: Path, mutant: Mutant) -> bool:
        """Whether the fault takes part in the import of the module."""
        return mutant.at_import or IMPORT in self.lines.get(str(path), {}).get(mutant.line, [])


def is_near(test: str, path: Path) -> bool:
    """Whether a test stands in the folder of the module's station, in a file that is named like it or its folder."""
    station = path.relative_to(ROOT / "webapp").parts[0]
    stem = Path(test.split("::", 1)[0]).stem.removeprefix("test_")
    return test.startswith(f"tests/{station}/") and (stem in path.parts or stem == path.stem or station == "rules")


class _Recorder:
    """Tells coverage which test is running, and notes how long each takes."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self._measured = measured
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._measured.switch_context(nodeid)

    def pytest_runtest_logfinish(self) -> None:
        self._measured.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] += report.duration
        if report.failed:
            sys.stderr.write(f"FAILED without any fault: {report.nodeid}\n")


def measure_reach(folders: list[str], files: list[Path], scratch: Path) -> Reach:
    """Run the tests of these folders once.

    Raises: RuntimeError when they fail as the code is.
    """
    answer = scratch / "reach.json"
    log = scratch / "reach.log"

    def work() -> int:
        measured = coverage.Coverage(data_file=None, include=[str(path) for path in files], config_file=False)
        recorder = _Recorder(measured)
        measured.start()
        code = run_pytest(["-p", "no:cov", *folders], [recorder], scratch / "tests")
        measured.stop()
        data = measured.get_data()
        lines = {path: data.contexts_by_lineno(path) for path in data.measured_files()}
        found = {
            path: {line: [test or IMPORT for test in tests] for line, tests in by_line.items()}
            for path, by_line in lines.items()
        }
        answer.write_text(json.dumps({"seconds": recorder.seconds, "lines": found}), encoding="utf-8")
        return code

    if start(work, PATIENCE_S, log).wait() != 0:
        raise RuntimeError(f"the tests fail as the code is:\n{log.read_text(encoding='utf-8')[-3000:]}")
    found = json.loads(answer.read_text(encoding="utf-8"))
    lines = {path: {int(line): tests for line, tests in by_line.items()} for path, by_line in found["lines"].items()}
    return Reach(found["seconds"], lines)
