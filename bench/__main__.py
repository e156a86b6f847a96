"""`python -m bench sync --tabs 10 --rows 1000`: what to measure, and at what size."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    _add_sync(commands.add_parser("sync", help="a whole sync against a bare script and a naive one"))
    start = commands.add_parser("start", help="gunicorn to the first answer, against bare Flask and SQLAlchemy")
    start.add_argument("--rounds", type=int, default=5)
    slow = commands.add_parser("slow", help="whether others are answered beside a crowd of slow clients")
    slow.add_argument("--clients", type=int, default=200)
    slow.add_argument("--seconds", type=float, default=60)
    slow.add_argument("--workers", type=int, default=2)
    slow.add_argument("--worker-class", help="another one than the service's own, such as gthread")
    read = commands.add_parser("read", help="kept and other answers against a Flask view of constant bytes")
    read.add_argument("--rounds", type=int, default=7)
    read.add_argument("--projects", type=int, default=10)
    read.add_argument("--accounts", type=int, default=100, help="of each project")
    worker = commands.add_parser("worker", help="requests a second of our worker against gunicorn's own")
    worker.add_argument("--rounds", type=int, default=7)
    year = commands.add_parser("year", help="how large a schedule makes the database")
    year.add_argument("--days", type=int, default=365)
    year.add_argument("--tabs", type=int, default=10)
    year.add_argument("--rows", type=int, default=100, help="accounts a tab")
    year.add_argument("--minutes", type=int, default=30, help="from one sync to the next")
    year.add_argument("--file", type=Path, help="where to leave the database; by default it is thrown away")
    asked = parser.parse_args()
    if asked.what == "slow":
        from bench import slow as slowly  # noqa: PLC0415

        slowly.measure(asked.clients, asked.seconds, asked.workers, asked.worker_class)
    elif asked.what == "worker":
        from bench import worker as working  # noqa: PLC0415

        working.measure(asked.rounds)
    elif asked.what == "read":
        from bench import read as reading  # noqa: PLC0415

        reading.measure(asked.rounds, asked.accounts, asked.projects)
    elif asked.what == "year":
        from bench import year as of_a_year  # noqa: PLC0415

        of_a_year.measure(asked.days, asked.tabs, asked.rows, asked.minutes, asked.file)
    elif asked.what == "sync":
        from bench import sync as syncing  # noqa: PLC0415

        syncing.measure(_sync_asked(asked))
    else:
        from bench import start as starting  # noqa: PLC0415

        starting.measure(asked.rounds)


def _add_sync(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tabs", type=int, help="with --rows, that size only")
    parser.add_argument("--rows", type=int, help="accounts a tab")
    parser.add_argument("--large", action="store_true", help="10 x 100,000 too")
    parser.add_argument("--latency", type=int, nargs="*", default=(0, 150), help="milliseconds of each call")
    parser.add_argument("--rounds", type=int, default=5, help="fewer where each takes long")
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--no-naive", action="store_true", help="leave the naive script out")


def _sync_asked(options: argparse.Namespace) -> Any:
    from bench.google import Size  # noqa: PLC0415
    from bench.sync import LARGE, SIZES, Asked  # noqa: PLC0415

    sizes: Sequence[Size] = (*SIZES, LARGE) if options.large else SIZES
    if options.tabs or options.rows:
        sizes = (Size(options.tabs or 10, options.rows or 100),)
    databases = ("sqlite", "postgres") if options.database == "both" else (options.database,)
    return Asked(sizes, options.latency, options.rounds, databases, naive=not options.no_naive)


if __name__ == "__main__":
    main()
