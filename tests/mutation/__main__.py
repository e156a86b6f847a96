"""`./dev mutate [module ...]`: how many of the faults that somebody could make the tests notice.

Each trial puts one fault into one module and runs the tests that reach the line, until one of them fails. Big modules
are sampled, by a seed that is printed. Prints the score of each module and every fault that nothing noticed. Ends with
1 where the score is below the bar, or where such a fault has no reason in `tests/mutation/named.py`.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.mutation.named import NAMED
from tests.mutation.operators import Mutant, mutants_of
from tests.mutation.process import ROOT, Child, import_others
from tests.mutation.reach import Reach, measure_reach
from tests.mutation.trials import Swaps, Trial, import_trial, is_noticed, trial_of

TARGETS = ["webapp/rules", "webapp/sources/counts.py", "webapp/sources/urls", "webapp/store/leases.py"]
# Whose tests may notice what is wrong in a station.
TESTS = {
    "rules": ["tests/rules", "tests/sync", "tests/read", "tests/dashboard", "tests/api/test_outcomes.py"],
    "sources": ["tests/sources"],
    "store": ["tests/store", "tests/sync"],
}
BAR = 0.90
MOST = 250  # faults of one module
MEMORY = Path("/dev/shm")


def main() -> int:
    options = _options()
    print(f"seed {options.seed}, at most {options.most} faults of a module", flush=True)
    files = list(_files(options.modules or TARGETS))
    scratch = Path(tempfile.mkdtemp(prefix="mutation-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None))
    os.environ["PYTEST_DEBUG_TEMPROOT"] = str(scratch)
    import_others()
    try:
        return _report([score for station in TESTS for score in _scores(station, files, options, scratch)])
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev mutate", description=__doc__.split("\n", 1)[0])
    parser.add_argument("modules", nargs="*", metavar="module", help=f"files or folders; else {', '.join(TARGETS)}")
    parser.add_argument("--seed", type=int, default=1, help="which faults of a big module are tried")
    parser.add_argument("--most", type=int, default=MOST, help="how many faults of a module are tried")
    parser.add_argument("--place", help="only faults of this function or class")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes try them")
    options = parser.parse_args()
    for module in options.modules:
        if not (ROOT / module).exists():
            parser.error(f"there is no {module}; name a file such as webapp/store/leases.py")
    return options


def _files(targets: Sequence[str]) -> Iterator[Path]:
    for target in targets:
        path = ROOT / target
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


class Score:
    """What became of the faults of one module."""

    def __init__(self, path: Path, tried: int, survivors: Sequence[Mutant]) -> None:
        self.path = path.relative_to(ROOT)
        self.tried = tried
        self.survivors = survivors

    @property
    def killed(self) -> int:
        return self.tried - len(self.survivors)

    def reason(self, mutant: Mutant) -> str | None:
        return NAMED.get((str(self.path), mutant.place, mutant.words))


def _scores(station: str, files: Sequence[Path], options: argparse.Namespace, scratch: Path) -> Iterator[Score]:
    """The scores of a station's modules; printed as they come."""
    mine = [path for path in files if path.is_relative_to(ROOT / "webapp" / station)]
    if not mine:
        return
    started = time.monotonic()
    reach = measure_reach(TESTS[station], mine, scratch)
    print(f"{station}: {len(reach.seconds)} tests in {time.monotonic() - started:.0f} s", flush=True)
    for path in mine:
        chosen = _sample(mutants_of(path.read_text(encoding="utf-8")), options)
        if chosen:
            started = time.monotonic()
            score = Score(path, len(chosen), _survivors(path, chosen, reach, options.jobs, scratch))
            _show(score, time.monotonic() - started)
            yield score


def _sample(mutants: Sequence[Mutant], options: argparse.Namespace) -> list[Mutant]:
    mine = [mutant for mutant in mutants if options.place in (None, mutant.place)]
    chosen = random.Random(options.seed).sample(range(len(mine)), min(options.most, len(mine)))
    return [mine[number] for number in sorted(chosen)]


def _survivors(path: Path, mutants: Sequence[Mutant], reach: Reach, jobs: int, scratch: Path) -> list[Mutant]:
    """By swapping where that can be done, for it is much quicker; by import whatever tests may only notice then."""
    trials = [trial_of(number, path, mutant, reach) for number, mutant in enumerate(mutants)]
    swapped = [trial for trial in trials if not trial.mutant.at_import]
    shares = [Swaps(share, scratch, f"swaps-{n}") for n in range(jobs) if (share := swapped[n::jobs])]
    left = [share.left() for share in shares]
    unnoticed, unfit = ([trial for some in left for trial in some[side]] for side in (0, 1))
    rest = [trial for trial in trials if trial.mutant.at_import] + unfit
    rest += [trial for trial in unnoticed if reach.is_import(path, trial.mutant)]
    rest = _unnoticed([(trial, trial.near) for trial in rest], jobs, scratch)  # a few files are soon collected
    survivors = _unnoticed([(trial, trial.tests) for trial in rest], jobs, scratch)
    survivors += [trial for trial in unnoticed if not reach.is_import(path, trial.mutant)]
    return [trial.mutant for trial in sorted(survivors, key=lambda trial: trial.number)]


def _unnoticed(trials: Sequence[tuple[Trial, list[str]]], jobs: int, scratch: Path) -> list[Trial]:
    """Tried by importing the module with each fault, some at a time."""
    survivors = []
    for first in range(0, len(trials), jobs):
        batch = trials[first : first + jobs]
        children: list[Child] = [import_trial(trial, tests, scratch) for trial, tests in batch]
        survivors += [trial for (trial, _), child in zip(batch, children, strict=True) if not is_noticed(child)]
    return survivors


def _show(score: Score, seconds: float) -> None:
    print(f"{_line(str(score.path), score.killed, score.tried)}  {seconds:4.0f} s")
    for mutant in score.survivors:
        reason = score.reason(mutant)
        said = f"named: {reason}" if reason else "SURVIVED"
        print(f"    {mutant.line} {mutant.place}: {mutant.words}  {said}")
    sys.stdout.flush()


def _line(name: str, killed: int, tried: int) -> str:
    return f"{name:40} {killed:5} of {tried:5}  {100 * killed / tried:5.1f} %"


def _report(scores: Sequence[Score]) -> int:
    killed, tried = sum(score.killed for score in scores), sum(score.tried for score in scores)
    nameless = [mutant for score in scores for mutant in score.survivors if score.reason(mutant) is None]
    if not tried:
        print("nothing there has faults to try: no code of " + ", ".join(TESTS))
        return 2
    print(_line("all", killed, tried) + f"  {len(nameless)} survivors without a reason")
    return int(bool(nameless) or any(score.killed < BAR * score.tried for score in scores))


if __name__ == "__main__":
    sys.exit(main())
