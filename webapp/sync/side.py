"""The sheet's side of a project: the cells of its tab and what they mean."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from webapp.clock import Budget
from webapp.errors import OutOfTime, SourceError, TransientSourceError
from webapp.model import METRICS
from webapp.sources.sheet import Cells, Grid, Tab
from webapp.sources.sheet.reading import TabReading
from webapp.sources.sheet.rows import PARSER_VERSION, read_tab
from webapp.sync.options import Options


@dataclass(frozen=True)
class SheetSide:
    """What one run learned of a project's tab.

    cells: as read, None when the tab was not read. grid: what they decode to, where that is known already. error: why not, or why what was read is no use.
    degraded: the source is out of reach for now; what it said before stands.
    reading: what the cells mean. rows: accounts in it; a plan takes them out of it.
    unchanged: they are what the stored observations were read from already.
    fingerprint: of everything that decides what the cells mean.
    """

    tab: Tab | None = None
    cells: Cells | None = None
    grid: Grid | None = None
    locale: str | None = None
    error: SourceError | None = None
    degraded: bool = False
    reading: TabReading | None = None
    rows: int = 0
    fingerprint: str | None = None
    unchanged: bool = False


def parse_side(side: SheetSide, seen: str | None, options: Options, budget: Budget, *, force: bool) -> SheetSide:
    """Parse the cells, unless the stored observations were read from the same. seen: the fingerprint of those.

    Raises: OutOfTime when a shutdown ends it, which says nothing about the tab.
    """
    if side.cells is None or side.tab is None:
        return side
    if side.cells.error is not None:
        return _unread(side, side.cells.error, budget)
    fingerprint = _fingerprint(side.cells, side.tab, side.locale, options)
    if options.shortcuts.unchanged_tab and not force and fingerprint == seen:
        return replace(side, fingerprint=fingerprint, unchanged=True)
    try:
        grid = side.cells.rows(budget) if side.grid is None else side.grid
        reading = read_tab(grid, side.tab.title, side.locale, options.aliases, budget)
    except SourceError as error:
        return _unread(side, error, budget)
    if reading.unusable and not reading.rows:
        first = reading.problems[0].message if reading.problems else ""
        words = f"{reading.title}: none of its {reading.unusable} rows could be used. {first}".strip()
        return replace(side, error=SourceError(words, code="no_usable_rows"))
    if force:  # whoever asks knows that the file is whole
        reading = replace(reading, ended=True, loose=None)
    return replace(side, grid=None, fingerprint=fingerprint, reading=reading, rows=len(reading.rows))


def _unread(side: SheetSide, error: SourceError, budget: Budget) -> SheetSide:
    if isinstance(error, OutOfTime) and budget.stopped:
        raise error
    return replace(side, error=error, degraded=isinstance(error, TransientSourceError))


def _fingerprint(cells: Cells, tab: Tab, locale: str | None, options: Options) -> str:
    """A hash of everything that decides what the tab means."""
    settings = repr((PARSER_VERSION, METRICS, tab.title, locale, options.discover, sorted(options.aliases.items())))
    return hashlib.sha256(cells.digest + settings.encode("utf-8", "surrogatepass")).hexdigest()
