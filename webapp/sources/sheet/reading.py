"""What a tab says, once its cells are read."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from webapp.model import Counts, Metric, Problem, Profile, SkipReason, larger
from webapp.rules.growth import mask_of

TEXTS = ("owner", "topic", "status")


class SheetRow(NamedTuple):
    """One account of a tab.

    row: number of its row as the sheet shows it, from 1; `more` the others that say something of it. places: of each
    metric the row that says it, where that may be another.
    counts: what its cells say; None where a cell is blank or was not read.
    unread: bit i is set when METRICS[i] could not be read (bad cell, missing or doubled column): the last good stays.
    The bits behind those are for TEXTS.
    typed: the profile URL as typed.
    """

    row: int
    profile: Profile
    counts: Counts
    unread: int
    typed: str
    owner: str | None
    topic: str | None
    status: str | None
    more: tuple[int, ...] = ()
    places: tuple[int, ...] = ()

    def row_of(self, place: int) -> int:
        """The row that says a metric."""
        return self.places[place] if self.places else self.row

    def with_repeat(self, again: SheetRow) -> SheetRow:
        """One row of two of one account: the larger of each count, the first text that is not blank."""
        counts = Counts._make(map(larger, self.counts, again.counts))
        unread = (self.unread | again.unread) & ~mask_of(counts)
        places = self.places_beside(again, [new != old for new, old in zip(counts, self.counts, strict=True)])
        more = (*self.more, again.row, *again.more)
        return self.with_texts(again)._replace(counts=counts, unread=unread, more=more, places=places)

    def places_beside(self, other: SheetRow, theirs: Iterable[bool]) -> tuple[int, ...]:
        """The row of each metric, where some are what another row says."""
        return tuple((other if is_theirs else self).row_of(place) for place, is_theirs in enumerate(theirs))

    def with_texts(self, other: SheetRow) -> SheetRow:
        """The row with the texts of another where its own are blank."""
        return self._replace(
            owner=self.owner or other.owner, topic=self.topic or other.topic, status=self.status or other.status
        )


@dataclass(frozen=True)
class TabReading:
    """The accounts of one tab by `url_key`, in the sheet's order, and what was wrong.

    columns: the letter of each metric's column; a metric without one is not tracked by this tab.
    unusable: rows that are of some account and name none that is understood, or could not be read.
    torn: some row could not be read at all, and nobody knows whose it is: an account without a row may be there.
    ended: whether the table ends its last line, as files do that are whole; loose: if not, the account whose cell is
    the last one, and which of METRICS and TEXTS it is of: it may be half a cell. stub: the cell, if it is the one that
    names the account: it may be half a name, or nothing of it yet. stops: the file ends in the middle of a row.
    headers: the names in the header, from the left. names: that of each metric's column; others: those that mean
    nothing, by the letter of their column. named_in: the letter of the column that names the accounts.
    divided: another table begins below the first, or links of another platform:
    what a row means depends on where it stands.
    waits: counts were left out because their day is to come: the same cells may say more then.
    odd: of those by `url_key` whose rows are not understood all by themselves: something was noted, or other rows matter.
    unread: how many rows of accounts were left unread, because they say what they said before.
    """

    title: str
    rows: dict[str, SheetRow]
    columns: Mapping[Metric, str]
    problems: tuple[Problem, ...] = ()
    skips: Mapping[SkipReason, int] = field(default_factory=dict)
    unusable: int = 0
    torn: bool = False
    ended: bool = True
    loose: tuple[str, str] | None = None
    stub: str | None = None
    stops: bool = False
    waits: bool = False
    divided: bool = False
    headers: tuple[str, ...] = ()
    names: Mapping[Metric, str] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)
    named_in: str = ""
    odd: Container[str] = ()
    unread: int = 0
