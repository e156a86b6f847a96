"""Spreadsheets, wherever they are kept: Google, a folder of CSV files, an .xlsx file, a published CSV URL.

Reading is two steps: cells from somewhere (a `SheetSource` of this package), then what they mean (`rows`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from webapp.clock import Budget
from webapp.errors import SourceError

if TYPE_CHECKING:
    from webapp.sources.sheet.payload import RowsApart

# A cell as its source types it. Booleans stay booleans; None and "" are both blank.
Cell = str | int | float | bool | None

# Rows from row 1, ragged: trailing blank cells may be missing.
Grid = Sequence[Sequence[Cell]]

UNLIMITED = Budget()

MOST_COLUMNS = 52  # of a tab that are read, as far as AZ


@dataclass(frozen=True, slots=True)
class Tab:
    """One worksheet. `id` outlives a rename (Google: the gid; files: the file or sheet name)."""

    id: str
    title: str
    rows: int = 0
    columns: int = 0
    hidden: bool = False
    grid: bool = True  # False: a chart or connected sheet, which has no cells to read
    fault: SourceError | None = None  # why it is left alone, whatever is in it


@dataclass(frozen=True, slots=True)
class Book:
    """What a spreadsheet says of itself.

    locale: like `en_US`; None where the source has none. notes: what beside the tabs is not read, in words.
    unopened: how the ids of tabs begin that nobody could look for, each with why.
    """

    title: str
    locale: str | None
    tabs: tuple[Tab, ...]
    notes: tuple[str, ...] = ()
    unopened: tuple[tuple[str, SourceError], ...] = ()

    def why_unseen(self, tab_id: str) -> SourceError | None:
        """Why nobody knows whether the tab is there; None where somebody does."""
        return next((why for beginning, why in self.unopened if tab_id.startswith(beginning)), None)


class Cells(Protocol):
    """The cells of one tab, read but not necessarily decoded yet."""

    @property
    def tab(self) -> Tab: ...

    @property
    def digest(self) -> bytes:
        """A hash of the tab's cells alone: equal exactly when the cells are (up to the hash)."""

    @property
    def size(self) -> int:
        """Bytes of the decoded payload, which helps to plan the next read."""

    @property
    def error(self) -> SourceError | None:
        """Why this one tab could not be read while its siblings could; None when it was."""

    def rows(self, budget: Budget = UNLIMITED) -> Grid:
        """Decodes on each call; keep the result.

        Raises: SourceError `bad_response` when the payload is no grid of cells, `too_large`; OutOfTime.
        """

    def apart(self) -> RowsApart | None:
        """The rows one by one, for who wants to read few of them; None where they do not come so.

        Raises: as `rows`.
        """


class SheetSource(Protocol):
    """One spreadsheet.

    key: what projects store as their `spreadsheet`: the id, the URL or the path, without secrets.
    """

    @property
    def key(self) -> str: ...

    @property
    def calls(self) -> int:
        """Calls made so far to the API behind, token calls aside; files make none."""

    def book(self, budget: Budget) -> Book:
        """Title, locale and tabs. Google: one `spreadsheets.get` with a field mask.

        Raises: SourceError, TransientSourceError.
        """

    def plan(self, tabs: Sequence[Tab], sizes: Sequence[int | None]) -> list[int]:
        """How many of the tabs each call of `read` brings, in order. Whoever has taken those waits for the next call."""

    def read(self, tabs: Sequence[Tab], sizes: Sequence[int | None], budget: Budget) -> Iterator[Cells]:
        """The tabs' cells in the order given, whole tabs per call, as few calls as the payload allows.

        sizes: decoded bytes of each tab when it was last read, None if never; only for planning the calls.
        A tab that has gone since `book` comes back with its own `error`.

        Raises: SourceError, TransientSourceError, at the first tab that cannot be read.
        """
