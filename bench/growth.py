"""How syncs and reads grow: the exponent e of CPU = a * n ^ e, fitted over three sizes. 1 is in step, 0 is not at all.

The CPU of a database's server is counted too. The bars are those of SQLite.
"""

from __future__ import annotations

import math
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from flask.testing import FlaskClient

from bench.bars import DAYS_APART, IN_STEP, STEPS, show
from bench.databases import KINDS, SQLITE, Kind, offered
from bench.google import Google, Size, served
from bench.ours import Ours
from bench.past import age
from bench.side import cpu_s
from bench.sync import SHARE, measure_size, sides_of
from webapp.access import Tokens
from webapp.app import create_app

BY_ACCOUNTS = (Size(10, 100), Size(10, 1_000), Size(10, 10_000))
BY_PROJECTS = (Size(10, 100), Size(30, 100), Size(90, 100))
BY_DAYS = (30, 120, 480)
DAYS_SIZE = Size(10, 100)
REPEATS = 3
READS = {
    "projects": "/api/projects",
    "accounts of a project": "/api/projects/{}/accounts",
    "analytics of a project": "/api/projects/{}/analytics",
    "home": "/",
    "page of a project": "/projects/{}",
}


def measure(rounds: int, databases: Sequence[str] = KINDS) -> None:
    """Print the exponents, with accounts, with projects and with days."""
    with offered(databases) as kinds:
        for what, sizes in (("accounts", BY_ACCOUNTS), ("projects", BY_PROJECTS)):
            print(f"growth with {what}, {', '.join(map(str, sizes))}")
            figures = [measure_size(size, 0, rounds, sides_of(kinds)[1:]) for size in sizes]
            for step in STEPS:
                print(f" sync, {step}")
                for kind in kinds:
                    cpu = [statistics.median(taken.cpu for taken in of_size[step, kind.name]) for of_size in figures]
                    _show(kind, [size.accounts for size in sizes], cpu, IN_STEP)
        print(f"growth with days, {', '.join(map(str, BY_DAYS))} of {DAYS_SIZE} accounts")
        aged = {kind: [_of_age(days, kind) for days in BY_DAYS] for kind in kinds}
        for what in (*(f"sync, {step}" for step in STEPS[1:]), *READS):
            print(f" {what}")
            for kind in kinds:
                _show(kind, BY_DAYS, [of_days[what] for of_days in aged[kind]], DAYS_APART)


def _show(kind: Kind, sizes: Sequence[int], cpu: Sequence[float], bar: float) -> None:
    slope = statistics.linear_regression(list(map(math.log, sizes)), list(map(math.log, cpu))).slope
    times = ", ".join(f"{seconds * 1000:.1f}" for seconds in cpu)
    met = slope <= bar if kind is SQLITE else None
    show(kind.name, f"n ^ {slope:5.2f}   CPU {times} ms", f"n ^ {bar}", met=met)


def _of_age(days: int, kind: Kind) -> Mapping[str, float]:
    """Seconds of CPU of syncs and of reads that nothing was kept of, where there are so many days."""
    with served(DAYS_SIZE) as google, tempfile.TemporaryDirectory() as folder:
        url = kind.empty(Path(folder), "ours")
        ours = Ours(google.url, url, DAYS_SIZE)
        ours.sync()
        age(ours.parts.db, days)
        ours.sync()
        kind.settle(url)
        figures = {f"sync, {step}": _sync_cpu(ours, google, step, kind) for step in STEPS[1:]}
        app = create_app(replace(ours.parts, tokens=Tokens((), (), True)), keep_answers=False)
        client = app.test_client()
        one = client.get("/api/projects").get_json()["projects"][0]["id"]
        figures |= {what: _read_cpu(client, path.format(one), kind) for what, path in READS.items()}
        ours.close()
        return figures


def _sync_cpu(ours: Ours, google: Google, step: str, kind: Kind) -> float:
    taken = []
    for number in range(REPEATS):
        if step == STEPS[1]:
            google.edit(SHARE, number)
        taken.append(_once(ours.sync, kind))
    return statistics.median(taken)


def _read_cpu(client: FlaskClient, path: str, kind: Kind) -> float:
    answer = client.get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}")
    return statistics.median(_once(partial(client.get, path), kind) for _ in range(REPEATS))


def _once(work: Callable[[], object], kind: Kind) -> float:
    begun = cpu_s(kind)
    work()
    return cpu_s(kind) - begun
