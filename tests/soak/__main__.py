"""`./dev soak`: the service while everything around it breaks, for as long as you like."""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.postgres_server import find_binaries, postgres_server
from tests.soak.director import soak


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no server of ours is left
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    with _database(options.database) as url:
        again = f"./dev soak --minutes {options.minutes:g} --seed {options.seed} --database {options.database}"
        print(again, flush=True)
        soaked = soak(url, options.seed, options.minutes * 60, folder, lambda words: print(words, flush=True))
    print(soaked)
    if not soaked.violations:
        shutil.rmtree(folder)
        return 0
    for words in soaked.violations:
        print(f"VIOLATION in round {len(soaked.rounds)}: {words}")
    print(f"Logs and files are in {folder}. The same faults in the same order: {again}")
    return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="which faults come")
    parser.add_argument(
        "--database",
        default="sqlite",
        help="`sqlite`, `postgres` for a server of its own, or the URL of an empty PostgreSQL database to be used up",
    )
    return parser.parse_args()


@contextmanager
def _database(said: str) -> Iterator[str]:
    if said != "postgres":
        yield said
        return
    binaries = find_binaries()
    if binaries is None:
        sys.exit("There is no PostgreSQL on this machine; give the URL of an empty database of yours")
    with postgres_server(binaries) as server:
        server.execute("CREATE DATABASE soak")
        yield server.url("soak")


if __name__ == "__main__":
    sys.exit(main())
