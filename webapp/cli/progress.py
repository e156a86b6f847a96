"""A sync as it is watched: a line for each project, on a terminal under a progress bar; and how it is interrupted."""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import TYPE_CHECKING

from webapp import logs
from webapp.cli.lines import result_line
from webapp.cli.terminal import one_line, say
from webapp.clock import Stop

if TYPE_CHECKING:
    from webapp.actions import Outcome


@contextlib.contextmanager
def stop_on_signals(stop: Stop, *, grace_s: float = 0.0) -> Iterator[None]:
    """End between two projects, with the run marked, when the terminal or the system says so.

    grace_s: seconds in which a run may go on after SIGTERM. Somebody at the terminal does not want to wait for them.
    """

    def ask(number: int, frame: FrameType | None) -> None:
        del frame
        if stop.requested:
            raise KeyboardInterrupt
        say("ending after this project; once more to end at once", err=True)
        stop.request(grace_s if number == signal.SIGTERM else 0.0)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def print_each(outcomes: Iterable[Outcome], *, total: int | None, log_level: str) -> Iterator[Outcome]:
    """The outcomes, each with its line; on a terminal under a progress bar.

    total: projects that there will be, as far as they are known; None: not known yet.
    """
    if not sys.stderr.isatty():
        for outcome in outcomes:
            say(result_line(outcome.result))
            yield outcome
        return
    yield from _print_under_a_bar(outcomes, total=total, log_level=log_level)


def _print_under_a_bar(outcomes: Iterable[Outcome], *, total: int | None, log_level: str) -> Iterator[Outcome]:
    from rich.console import Console  # noqa: PLC0415  only for people
    from rich.markup import escape  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    level = "DEBUG" if log_level == "DEBUG" else "WARNING"
    # Through the bar's own stream, which is there as soon as the bar is, or log lines and bar would overwrite each
    # other. What went well stands in the lines below already.
    with (
        Progress(*columns, console=console, transient=True, redirect_stdout=sys.stdout.isatty()) as progress,
        logs.shown_on(sys.stderr, level, _says_more_than_its_line),
    ):
        task = progress.add_task("reading the sheet", total=total)
        for outcome in outcomes:
            progress.update(
                task, advance=1, description=escape(one_line(outcome.result.project_name[:30])), refresh=True
            )
            print(one_line(result_line(outcome.result)))  # above the bar; click would write past it, into its line
            yield outcome


@contextlib.contextmanager
def bar(name: str) -> Iterator[Callable[[int, int | None], object]]:
    """Takes how much is done and how much there is, None: nobody knows. On a terminal a bar shows it."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console  # noqa: PLC0415  only for people
    from rich.markup import escape  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(escape(one_line(name[-30:])), total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total, refresh=True)


def _says_more_than_its_line(record: logging.LogRecord) -> bool:
    """Whether a log line tells something that a project's own line on the terminal does not."""
    return bool(record.exc_info) or not hasattr(record, "accounts")
