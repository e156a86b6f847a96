"""`smart-sync readings`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

import click

from webapp.cli.progress import bar
from webapp.cli.root import open_parts, project_id_of
from webapp.cli.terminal import say
from webapp.errors import SmartSyncError, SourceError

if TYPE_CHECKING:
    from webapp.actions.desk import Desk
    from webapp.sources.delivered import FileReading

AT_ONCE = 10_000
SHOWN = 20


@click.group()
def readings() -> None:
    """What programs read of platforms."""


@readings.command(name="import")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--project", "which", help="Look for profile URLs in this project only: its name or id.")
@click.option("--origin", default="import", show_default=True, help="Who read them, where the file does not say.")
def import_(file: str, which: str | None, origin: str) -> None:
    """Take readings from FILE: CSV with columns named as in a sheet, JSON, or a JSON object in each line (NDJSON).

    Columns of a CSV may also be `account_id`, `observed_at` and `origin`. `-` reads from stdin. The next sync merges
    them. Each reading is judged by itself; exit code 2 says that some could not be used. Readings that say when they
    were read may be taken again: it changes nothing.
    """
    with ExitStack() as stack:
        desk = stack.enter_context(open_parts()).desk.through("cli")
        project_id = None if which is None else project_id_of(desk.db, which)
        tally, name = _Tally(), "stdin" if file == "-" else file
        opened = stack.enter_context(_open(file))
        try:
            with bar(name) as show:
                for batch in _batches(_read(opened, name)):
                    tally.add(_deliver(desk, batch, project_id, origin))
                    show(tally.received, None)
        except (SmartSyncError, KeyboardInterrupt):
            if tally.received:  # is stored, whatever came then
                tally.report(so_far=True)
            raise
    tally.report()
    if tally.wrong:
        sys.exit(2)


def _read(opened: BinaryIO, name: str) -> Iterator[FileReading]:
    from webapp.api.http.batches import parse  # noqa: PLC0415  nothing else here reads files
    from webapp.sources.delivered import read_readings  # noqa: PLC0415

    return read_readings(opened, name, parse)


def _open(file: str) -> AbstractContextManager[BinaryIO]:
    try:
        return cast("AbstractContextManager[BinaryIO]", click.open_file(file, "rb"))
    except OSError as error:
        raise SourceError(f"{file}: {error.strerror}", code="bad_file") from error


class _Part(NamedTuple):
    """What became of a batch. problems: a line for each reading that could not be used."""

    received: int
    kept: int
    unchanged: int
    older: int
    problems: Sequence[str]


class _Tally:
    def __init__(self) -> None:
        self.received = self.kept = self.unchanged = self.older = self.wrong = 0
        self.problems: list[str] = []  # the first

    def add(self, part: _Part) -> None:
        self.received += part.received
        self.kept += part.kept
        self.unchanged += part.unchanged
        self.older += part.older
        self.wrong += len(part.problems)
        self.problems += part.problems[: SHOWN - len(self.problems)]

    def report(self, *, so_far: bool = False) -> None:
        for words in self.problems:
            say(words)
        if self.wrong > SHOWN:
            say(f"and {self.wrong - SHOWN:,} more")
        stored = f"{self.kept:,} kept, {self.unchanged:,} unchanged, {self.older:,} older than what is stored"
        noun = f"{self.received:,} reading{'' if self.received == 1 else 's'}{' so far' if so_far else ''}"
        say(f"{noun}: {stored}, {self.wrong:,} not used")


def _batches(items: Iterable[FileReading]) -> Iterator[list[FileReading]]:
    waiting = iter(items)
    while batch := list(islice(waiting, AT_ONCE)):
        yield batch


def _deliver(desk: Desk, batch: Sequence[FileReading], project_id: str | None, origin: str) -> _Part:
    from webapp.actions.readings import Delivery, put_readings  # noqa: PLC0415
    from webapp.api.http.batches import Wrong, judge  # noqa: PLC0415
    from webapp.api.shapes.readings import ReadingItem  # noqa: PLC0415
    from webapp.model import Counts  # noqa: PLC0415

    problems: list[str] = []
    good: list[tuple[str, Delivery]] = []
    for place, value, wrong in batch:
        if isinstance(value, dict):
            value.setdefault("origin", origin)
        item = Wrong(None, wrong) if wrong is not None else judge(value, ReadingItem)
        if isinstance(item, Wrong):
            problems.append(f"{place}: {item.words}")
        else:
            counts = Counts._make(item.counts)
            one = Delivery(item.account_id, item.profile_url, counts, item.observed_at, item.origin or origin)
            good.append((place, one))
    done = put_readings(desk, [one for _, one in good], project_id)
    for (place, one), became in zip(good, done.became, strict=True):
        if became.outcome == "invalid":
            problems.append(f"{place}: {became.words}")
        elif became.outcome == "unmatched":
            problems.append(f"{place}: fits no account: {one.profile_url or one.account_id}: {became.words}")
    return _Part(len(batch), done.kept, done.unchanged, done.older, problems)
