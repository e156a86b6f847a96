"""A year of a schedule, as fast as the machine can: how large the database becomes, and what is in it.

Every so many minutes most accounts have other numbers in a metric or two, as sheets do that programs fill. The clock
and the spreadsheet are ours; the engine and the database are those of the service.
"""

from __future__ import annotations

import hashlib
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from webapp.bootstrap import options_of
from webapp.clock import Budget, Clock
from webapp.config import Settings
from webapp.errors import SourceError
from webapp.sources.sheet import UNLIMITED, Book, Cell, Tab
from webapp.sources.sheet.payload import RowsApart, json_payload
from webapp.store.db import Database, open_database
from webapp.store.migrate import ensure_migrated
from webapp.sync.engine import Engine
from webapp.sync.trigger import Trigger

HEADER: tuple[Cell, ...] = ("Profile URL", "Topic", "Followers", "Likes", "Comments", "Videos", "Views")
FOLLOWERS, VIEWS = 2, 6
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
CHANGED = 0.8  # of the accounts at each sync, in views; of half of them in followers too
BAD = 0.01  # of the rows, whose likes nobody can read
SHOW_EVERY = timedelta(days=30)


@dataclass(frozen=True)
class _Cells:
    tab: Tab
    grid: Sequence[Sequence[Cell]]
    error: SourceError | None = None

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(repr(self.grid).encode()).digest()

    @property
    def size(self) -> int:
        return 100 * len(self.grid)

    def rows(self, budget: Budget = UNLIMITED) -> Sequence[Sequence[Cell]]:
        del budget
        return self.grid

    def apart(self) -> RowsApart | None:
        return json_payload(self.tab, msgspec.json.encode(self.grid)).apart()


@dataclass
class _Sheet:
    """A spreadsheet in memory whose numbers grow."""

    tabs: int
    rows: int
    dice: random.Random = field(default_factory=lambda: random.Random(1))
    key: str = "the-sheet-of-a-year"
    calls: int = 0

    def __post_init__(self) -> None:
        self.grids = {Tab(str(tab), f"Project {tab + 1:02}"): self._made_up(tab) for tab in range(self.tabs)}

    def _made_up(self, tab: int) -> list[list[Cell]]:
        people = (f"https://www.tiktok.com/@someone_{tab}_{row}" for row in range(self.rows))
        return [[url, "Topic", *self._counts()] for url in people]

    def _counts(self) -> list[Cell]:
        dice = self.dice
        counts: list[Cell] = [int(10 ** dice.uniform(3, low)) for low in (6, 6, 4, 3.5, 7)]
        if dice.random() < BAD:
            counts[1] = "ask Ann"
        return counts

    def grow(self) -> None:
        """A few hundred more views for most, a follower or two for some."""
        dice = self.dice
        for grid in self.grids.values():
            for row in grid:
                if dice.random() < CHANGED:
                    row[VIEWS] += dice.randrange(1, 400)  # type: ignore[operator]
                    if dice.random() < 0.5:
                        row[FOLLOWERS] += dice.choice((-1, 1, 2, 3))  # type: ignore[operator]

    def book(self, budget: Budget) -> Book:
        del budget
        return Book("A year", "en_US", tuple(self.grids))

    def plan(self, tabs: Sequence[Tab], sizes: Sequence[int | None]) -> list[int]:
        del sizes
        return [len(tabs)]

    def read(self, tabs: Sequence[Tab], sizes: Sequence[int | None], budget: Budget) -> Iterator[_Cells]:
        del sizes, budget
        for tab in tabs:
            yield _Cells(tab, (HEADER, *map(tuple, self.grids[tab])))


class _Time:
    """The clock of the year."""

    def __init__(self) -> None:
        self.now = BEGIN
        self.clock = Clock(now=lambda: self.now)


def measure(days: int, tabs: int, rows: int, minutes: int, file: Path | None) -> None:
    """Print the size of the file as the days go by, and at the end what takes how much of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = file or Path(folder) / "year.db"
        database = open_database(f"sqlite:///{path.absolute()}")
        ensure_migrated(database)
        began = time.monotonic()
        syncs = _live(database, path, _Sheet(tabs, rows), timedelta(days=days), timedelta(minutes=minutes))
        database.close()
        print(f"{syncs} syncs of {tabs * rows} accounts, {(time.monotonic() - began) / syncs * 1000:.0f} ms each")
        _show_tables(path)


def _live(database: Database, path: Path, sheet: _Sheet, length: timedelta, pause: timedelta) -> int:
    """Sync until the time is over; how often that was."""
    time_ = _Time()
    engine = Engine(database, [sheet], options_of(Settings()), time_.clock)
    shown, syncs, slowest = BEGIN, 0, 0.0
    while time_.now < BEGIN + length:
        began = time.monotonic()
        _sync(engine, time_.clock)
        slowest = max(slowest, time.monotonic() - began)
        syncs += 1
        sheet.grow()
        time_.now += pause
        if time_.now >= shown + SHOW_EVERY or time_.now >= BEGIN + length:
            shown = time_.now
            days = (shown - BEGIN).days
            print(f"  day {days:4}  {_megabytes(path):7.1f} MB   slowest sync {slowest * 1000:.0f} ms", flush=True)
            slowest = 0.0
    return syncs


def _sync(engine: Engine, clock: Clock) -> None:
    trigger = Trigger(due=True)
    started = engine.start(trigger)
    for outcome in engine.run(started.run, trigger, Budget(None, clock)):
        if outcome.result.error_code is not None:
            raise RuntimeError(f"the sync failed: {outcome.result.error}")


def _megabytes(path: Path) -> float:
    files = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists()) / 1e6


def _show_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        free = connection.execute("PRAGMA freelist_count").fetchone()[0] * 4096 / 1e6
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        print(f"  {free:.1f} MB of it are free")
        for name in sorted(names):
            rows = connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            if rows > 100:
                print(f"  {name:20} {rows:9} rows")
