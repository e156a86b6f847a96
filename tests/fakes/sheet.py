"""A spreadsheet in memory that people edit, rename, hide and break."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from webapp.clock import Budget
from webapp.errors import SourceError
from webapp.sources.sheet import UNLIMITED, Book, Cell, Tab
from webapp.sources.sheet.payload import RowsApart, json_payload

__all__ = ["HEADER", "FakeCells", "FakeSheet"]

HEADER: tuple[Cell, ...] = ("Link", "Followers", "Likes", "Comments", "Videos", "Views", "Status")


@dataclass(frozen=True)
class FakeCells:
    """What one tab said at one moment."""

    tab: Tab
    grid: tuple[tuple[Cell, ...], ...]
    error: SourceError | None = None

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(repr(self.grid).encode("utf-8", "surrogatepass")).digest()

    @property
    def size(self) -> int:
        return len(repr(self.grid))

    def rows(self, budget: Budget = UNLIMITED) -> Sequence[Sequence[Cell]]:
        del budget
        return self.grid

    def apart(self) -> RowsApart | None:
        try:
            return json_payload(self.tab, msgspec.json.encode(self.grid)).apart()
        except UnicodeEncodeError:
            return None


@dataclass
class FakeSheet:
    """A `SheetSource` with verbs.

    on_book: called when somebody asks for the tabs. on_read: called when a tab has been read, before it is handed over.
    reads: the titles of the tabs of each read.
    """

    key: str = "the-sheet"
    locale: str | None = "en_US"
    title: str = "The sheet"
    calls: int = 0
    on_book: Callable[[], object] = int
    on_read: Callable[[Tab], object] = lambda _: None
    reads: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._tabs: dict[str, Tab] = {}
        self._grids: dict[str, list[list[Cell]]] = {}
        self._down: SourceError | None = None
        self.apart = False  # whether each tab takes a call of its own
        self._breaks: dict[str, SourceError] = {}
        self._broken: dict[str, SourceError] = {}
        self._last = 0

    # What people do

    def tab(self, title: str, *, hidden: bool = False, chart: bool = False) -> Tab:
        """Add an empty tab at the end."""
        self._last += 1
        tab = Tab(str(self._last), title, hidden=hidden, grid=not chart)
        self._tabs[tab.id], self._grids[tab.id] = tab, []
        return tab

    def rows(self, title: str, *rows: Sequence[Cell], header: Sequence[Cell] | None = HEADER) -> None:
        """Make these all the rows of a tab, below a header; the tab is added if it is not there."""
        tab = self._find(title) or self.tab(title)
        self._grids[tab.id] = [list(row) for row in ((header, *rows) if header is not None else rows)]

    def put(self, cell: str, value: Cell) -> None:
        """Type into a cell: `put("Project A!B2", 1000)`."""
        title, _, place = cell.rpartition("!")
        letters, number = re.fullmatch(r"([A-Z])(\d+)", place).groups()  # type: ignore[union-attr]
        grid = self._grids[self._existing(title).id]
        row = grid[int(number) - 1]
        column = ord(letters) - ord("A")
        row.extend([None] * (column + 1 - len(row)))
        row[column] = value

    def rename(self, title: str, new: str) -> None:
        self._change(title, title=new)

    def hide(self, title: str) -> None:
        self._change(title, hidden=True)

    def delete(self, title: str) -> None:
        del self._tabs[self._existing(title).id]

    def sort(self, title: str) -> None:
        """Turn the rows below the header around."""
        grid = self._grids[self._existing(title).id]
        grid[1:] = grid[:0:-1]

    # What goes wrong

    def offline(self, error: SourceError) -> None:
        """The spreadsheet does not even tell its tabs."""
        self._down = error

    def online(self) -> None:
        """Everything works again."""
        self._down = None
        self._breaks.clear()
        self._broken.clear()

    def breaks_at(self, title: str, error: SourceError) -> None:
        """Reading gives out at this tab; those before it are read."""
        self._breaks[self._existing(title).id] = error

    def broken(self, title: str, error: SourceError) -> None:
        """Only this one tab cannot be read."""
        self._broken[self._existing(title).id] = error

    # What a sync asks

    def book(self, budget: Budget) -> Book:
        self.calls += 1
        self.on_book()
        if self._down is not None:
            raise self._down
        return Book(self.title, self.locale, tuple(self._tabs.values()))

    def plan(self, tabs: Sequence[Tab], sizes: Sequence[int | None]) -> list[int]:
        return [1] * len(tabs) if self.apart else [len(tabs)]

    def read(self, tabs: Sequence[Tab], sizes: Sequence[int | None], budget: Budget) -> Iterator[FakeCells]:
        self.calls += 1
        self.reads.append([tab.title for tab in tabs])
        for tab in tabs:
            if tab.id in self._breaks:
                raise self._breaks[tab.id]
            grid = tuple(tuple(row) for row in self._grids[tab.id])
            self.on_read(tab)
            yield FakeCells(tab, grid, self._broken.get(tab.id))

    def _find(self, title: str) -> Tab | None:
        return next((tab for tab in self._tabs.values() if tab.title == title), None)

    def _existing(self, title: str) -> Tab:
        found = self._find(title)
        assert found is not None, f"there is no tab {title!r}"
        return found

    def _change(self, which: str, **what: str | bool) -> None:
        tab = self._existing(which)
        self._tabs[tab.id] = replace(tab, **what)  # type: ignore[arg-type]
