"""The sheet's side of a project: the cells of its tab and what they mean."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from webapp.clock import Budget
from webapp.errors import OutOfTime, SourceError, TransientSourceError
from webapp.model import METRICS
from webapp.sources.sheet import Cells, Grid, Tab
from webapp.sources.sheet.headers import Header, find_header
from webapp.sources.sheet.payload import RowsApart
from webapp.sources.sheet.reading import TabReading
from webapp.sources.sheet.rows import PARSER_VERSION, read_tab
from webapp.sync.live import LiveRun
from webapp.sync.options import Options
from webapp.sync.row_prints import RowPrints


@dataclass(frozen=True)
class SheetSide:
    """What one run learned of a project's tab.

    cells: as read, None when the tab was not read, or nobody will have to read it once more. size: of the cells in
    bytes, None when the tab was not read. grid: what they decode to, where that is known already. error: why not, or
    why what was read is no use.
    degraded: the source is out of reach for now; what it said before stands.
    reading: what the cells mean. rows: accounts in it; a plan takes them out of it.
    unchanged: they are what the stored observations were read from already.
    fingerprint: of everything that decides what the cells mean. prints: the rows; NOBODY's were read, the others are of
    accounts for which they say what they said. None: they are not known one by one.
    """

    tab: Tab | None = None
    cells: Cells | None = None
    size: int | None = None
    grid: Grid | None = None
    locale: str | None = None
    error: SourceError | None = None
    degraded: bool = False
    reading: TabReading | None = None
    rows: int = 0
    fingerprint: str | None = None
    unchanged: bool = False
    prints: RowPrints | None = None

    @property
    def leaves_out(self) -> bool:
        """Whether rows were not read because they say what they said."""
        return self.reading is not None and self.reading.unread > 0


Known = Callable[[], RowPrints | None]


def parse_side(
    side: SheetSide, seen: str | None, options: Options, budget: Budget, *, force: bool, known: Known = lambda: None
) -> SheetSide:
    """Parse the cells, unless the stored observations were read from the same. seen: the fingerprint of those.

    known: looks up what is remembered of their rows; those that have not changed are not read.

    Raises: OutOfTime when a shutdown ends it, which says nothing about the tab.
    """
    if side.cells is None or side.tab is None:
        return side
    if side.cells.error is not None:
        return _unread(side, side.cells.error, budget)
    fingerprint = _fingerprint(side.cells, side.tab, side.locale, options)
    if options.shortcuts.unchanged_tab and not force and fingerprint == seen:
        return replace(side, cells=None, grid=None, fingerprint=fingerprint, unchanged=True)
    try:
        reading, prints = _read(side, side.cells, side.tab.title, options, budget, None if force else known())
    except SourceError as error:
        return _unread(side, error, budget)
    if reading.unusable and not reading.rows and not reading.unread:
        first = reading.problems[0].message if reading.problems else ""
        words = f"{reading.title}: none of its {reading.unusable} rows could be used. {first}".strip()
        return replace(side, error=SourceError(words, code="no_usable_rows"))
    if force:  # whoever asks knows that the file is whole
        reading = replace(reading, ended=True, loose=None)
    seen_as = None if reading.waits else fingerprint  # which is to be read anew
    rows, cells = len(reading.rows) + reading.unread, side.cells if reading.unread else None
    return replace(side, cells=cells, grid=None, fingerprint=seen_as, reading=reading, rows=rows, prints=prints)


def reread(side: SheetSide, run: LiveRun) -> SheetSide:
    """All rows, where some were left out.

    Raises: as `parse_side`.
    """
    whole = replace(side, reading=None, prints=None)
    return parse_side(whole, None, run.options, run.budget, force=run.trigger.force)


def _read(
    side: SheetSide, cells: Cells, title: str, options: Options, budget: Budget, known: RowPrints | None
) -> tuple[TabReading, RowPrints | None]:
    """What the cells mean; of rows that are known and have not changed only that they are there."""
    apart = _apart(side.grid, cells) if options.shortcuts.changed_rows else None
    if apart is None:
        grid = cells.rows(budget) if side.grid is None else side.grid
        return read_tab(grid, title, side.locale, options.aliases, budget), None
    header = find_header(apart, options.aliases, title)
    head, hashes = _head(title, side.locale, options, header), apart.hashes()
    is_known = known is not None and known.head == head
    prints = known.follow(hashes) if known is not None and is_known else RowPrints.of(head, hashes)
    only = prints.unread() if is_known else None
    # Each row goes before the next one comes: all at once take ten times the room of their bytes.
    reading = read_tab(apart, title, side.locale, options.aliases, budget, header=header, only=only)
    if not reading.unread or not reading.divided:
        return reading, prints
    return read_tab(apart, title, side.locale, options.aliases, budget, header=header), RowPrints.of(head, hashes)


def _apart(grid: Grid | None, cells: Cells) -> RowsApart | None:
    """grid: what somebody has made of the cells before."""
    return grid if isinstance(grid, RowsApart) else cells.apart()


def _unread(side: SheetSide, error: SourceError, budget: Budget) -> SheetSide:
    if isinstance(error, OutOfTime) and budget.stopped:
        raise error
    return replace(side, error=error, degraded=isinstance(error, TransientSourceError))


def _fingerprint(cells: Cells, tab: Tab, locale: str | None, options: Options) -> str:
    """A hash of everything that decides what the tab means."""
    settings = _settings(tab.title, locale, options)
    return hashlib.sha256(cells.digest + settings.encode("utf-8", "surrogatepass")).hexdigest()


def _head(title: str, locale: str | None, options: Options, header: Header) -> bytes:
    """A hash of everything beside a row that decides what it means."""
    text = _settings(title, locale, options) + repr(header)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _settings(title: str, locale: str | None, options: Options) -> str:
    return repr((PARSER_VERSION, METRICS, title, locale, options.discover, sorted(options.aliases.items())))
