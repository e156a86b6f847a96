"""`./dev bench`: every bar with its figure. `./dev bench sync --tabs 10 --rows 1000`: one section, at a size.

Where no section is named, all of them are measured and written to bench/RESULTS.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from bench.databases import KINDS

Options = argparse.Namespace


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--large", action="store_true", help="a sync of 10 x 100,000 accounts and pages of large pasts too"
    )
    parser.set_defaults(run=_measure_all)
    commands = parser.add_subparsers()
    _add_sections(commands)
    _add_more(commands)
    options = parser.parse_args()
    options.run(options)


def _measure_all(options: Options) -> None:
    from bench import overall  # noqa: PLC0415  each section loads what it measures, and no more

    overall.measure(large=options.large)


def _add_sections(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sync = commands.add_parser("sync", help="a whole sync against a bare script and a naive one")
    sync.add_argument("--tabs", type=int, help="with --rows, that size only")
    sync.add_argument("--rows", type=int, help="accounts a tab")
    sync.add_argument("--large", action="store_true", help="10 x 100,000 too")
    sync.add_argument("--latency", type=int, nargs="*", default=(0, 150), help="milliseconds of each call")
    sync.add_argument("--rounds", type=int, default=3, help="fewer where each takes long")
    sync.add_argument("--no-naive", action="store_true", help="leave the naive script out")
    sync.set_defaults(run=_measure_sync)
    read = commands.add_parser("read", help="kept and other answers against a Flask view of constant bytes")
    read.add_argument("--rounds", type=int, default=7)
    read.add_argument("--projects", type=int, default=10)
    read.add_argument("--accounts", type=int, default=100, help="of each project")
    read.add_argument("--large", action="store_true", help="pages of 100,000 accounts and of 200 projects instead")
    read.add_argument("--days", type=int, default=365, help="of a large past")
    read.set_defaults(run=_measure_reads)
    start = commands.add_parser("start", help="gunicorn to the first answer, also at a tenth of a core")
    start.add_argument("--rounds", type=int, default=5)
    start.set_defaults(run=_measure_start)
    memory = commands.add_parser("memory", help="of idle workers, and what a sync takes")
    memory.set_defaults(run=_measure_memory)
    beside = commands.add_parser("beside", help="how long reads take while a sync is at work")
    beside.add_argument("--rounds", type=int, default=5)
    beside.set_defaults(run=_measure_beside)
    growth = commands.add_parser("growth", help="with accounts, projects and days, as an exponent")
    growth.add_argument("--rounds", type=int, default=2)
    growth.set_defaults(run=_measure_growth)
    for section in (sync, read, start, memory, beside, growth):
        section.add_argument("--database", choices=(*KINDS, "both"), default="both")


def _add_more(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """What has no bars."""
    slow = commands.add_parser("slow", help="whether others are answered beside a crowd of slow clients")
    slow.add_argument("--clients", type=int, default=200)
    slow.add_argument("--seconds", type=float, default=60)
    slow.add_argument("--workers", type=int, default=2)
    slow.add_argument("--worker-class", help="another one than the service's own, such as gthread")
    slow.set_defaults(run=_measure_slow)
    worker = commands.add_parser("worker", help="requests a second of our worker against gunicorn's own")
    worker.add_argument("--rounds", type=int, default=7)
    worker.set_defaults(run=_measure_worker)
    year = commands.add_parser("year", help="how large a schedule makes the database")
    year.add_argument("--days", type=int, default=365)
    year.add_argument("--tabs", type=int, default=10)
    year.add_argument("--rows", type=int, default=100, help="accounts a tab")
    year.add_argument("--minutes", type=int, default=30, help="from one sync to the next")
    year.add_argument("--file", type=Path, help="where to leave the database; by default it is thrown away")
    year.set_defaults(run=_measure_year)
    many = commands.add_parser("many", help="many spreadsheets by workers of Celery, within what Google grants")
    many.add_argument("--spreadsheets", type=int, default=200)
    many.add_argument("--tabs", type=int, default=50, help="of each spreadsheet")
    many.add_argument("--rows", type=int, default=10, help="accounts a tab")
    many.add_argument("--workers", type=int, default=2)
    many.set_defaults(run=_measure_many)


def _measure_sync(options: Options) -> None:
    from bench import sync  # noqa: PLC0415
    from bench.google import Size  # noqa: PLC0415

    sizes = (*sync.SIZES, sync.LARGE) if options.large else sync.SIZES
    if options.tabs or options.rows:
        sizes = (Size(options.tabs or 10, options.rows or 100),)
    asked = sync.Asked(sizes, options.latency, options.rounds, _databases(options), naive=not options.no_naive)
    sync.measure(asked)


def _databases(options: Options) -> Sequence[str]:
    return KINDS if options.database == "both" else (options.database,)


def _measure_reads(options: Options) -> None:
    from bench import large, read  # noqa: PLC0415

    if options.large:
        large.measure(100_000, 200, options.days, _databases(options))
        return
    read.measure(options.rounds, options.accounts, options.projects, _databases(options))


def _measure_start(options: Options) -> None:
    from bench import start  # noqa: PLC0415

    start.measure(options.rounds, _databases(options))


def _measure_memory(options: Options) -> None:
    from bench import memory  # noqa: PLC0415

    memory.measure(_databases(options))


def _measure_beside(options: Options) -> None:
    from bench import beside  # noqa: PLC0415

    beside.measure(options.rounds, _databases(options))


def _measure_growth(options: Options) -> None:
    from bench import growth  # noqa: PLC0415

    growth.measure(options.rounds, _databases(options))


def _measure_slow(options: Options) -> None:
    from bench import slow  # noqa: PLC0415

    slow.measure(options.clients, options.seconds, options.workers, options.worker_class)


def _measure_worker(options: Options) -> None:
    from bench import worker  # noqa: PLC0415

    worker.measure(options.rounds)


def _measure_year(options: Options) -> None:
    from bench import year  # noqa: PLC0415

    year.measure(options.days, options.tabs, options.rows, options.minutes, options.file)


def _measure_many(options: Options) -> None:
    from bench import many  # noqa: PLC0415
    from bench.google import Size  # noqa: PLC0415

    many.measure(options.spreadsheets, Size(options.tabs, options.rows), options.workers)


if __name__ == "__main__":
    main()
