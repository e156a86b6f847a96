"""What one call asks for: ranges in A1 notation, and which tabs share a call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote_plus, urlencode

from webapp.rules.addresses import column_letters
from webapp.sources.sheet import MOST_COLUMNS, Tab

API = "https://sheets.googleapis.com"
LONGEST_URL = 8_000
LARGEST_PAYLOAD = 2_500_000  # before it is compressed to a quarter; Google advises to stay below 2 MB

# With `range` in the mask an empty tab answers with something, so that answers stay as many as questions.
READ = {"valueRenderOption": "UNFORMATTED_VALUE", "fields": "valueRanges(range,values)"}

_PLAIN = "'!:"  # what A1 notation is made of stays as it is, since every character counts
_DEFAULT_ROWS = 1000  # a new tab has them whether they are used or not, so they say nothing about its size
_DEFAULT_SIZE = 10_000
_CELL_SIZE = 12
_COLUMNS_USED = 10

_AHEAD = 4  # Google takes its time: five calls on their way take little longer than one
_AHEAD_OF_HUGE = 2


def query(params: Mapping[str, object]) -> str:
    """The query as it is sent."""
    return urlencode({**params, "prettyPrint": "false"}, doseq=True, safe=_PLAIN + "(),")


def range_of(tab: Tab) -> str:
    """The whole tab in A1 notation, its title quoted, at most MOST_COLUMNS columns wide."""
    title = tab.title.replace("'", "''")
    last = column_letters(min(tab.columns or MOST_COLUMNS, MOST_COLUMNS) - 1)
    return f"'{title}'!A1:{last}{tab.rows}" if tab.rows else f"'{title}'!A:{last}"


def chunks(tabs: Sequence[Tab], sizes: Sequence[int | None], room: int) -> Iterator[list[Tab]]:
    """Tabs that share a call: their ranges fit the room in the URL, their planned bytes the payload."""
    chunk: list[Tab] = []
    planned = length = 0
    for tab, size in zip(tabs, sizes, strict=True):
        cost = _planned_size(tab, size)
        width = len("&ranges=") + len(quote_plus(range_of(tab), safe=_PLAIN))
        if chunk and (planned + cost > LARGEST_PAYLOAD or length + width > room):
            yield chunk
            chunk, planned, length = [], 0, 0
        chunk.append(tab)
        planned, length = planned + cost, length + width
    if chunk:
        yield chunk


def how_far_ahead(tabs: Sequence[Tab], sizes: Sequence[int | None]) -> int:
    """How many calls are made while the answer of another is worked on: their answers wait in memory."""
    huge = any(_planned_size(tab, size) > LARGEST_PAYLOAD for tab, size in zip(tabs, sizes, strict=True))
    return _AHEAD_OF_HUGE if huge else _AHEAD


def _planned_size(tab: Tab, size: int | None) -> int:
    """size: when it was last read, if it was."""
    if size is not None:
        return size
    if not tab.grid:
        return 0
    if tab.rows <= _DEFAULT_ROWS:
        return _DEFAULT_SIZE
    return tab.rows * _CELL_SIZE * min(tab.columns, _COLUMNS_USED)
