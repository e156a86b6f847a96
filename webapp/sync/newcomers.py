"""Rows that become accounts, written so many at a time that few are kept beside what is written: there may be a million."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, groupby, islice, repeat
from operator import itemgetter
from typing import TypeAlias

import sqlalchemy as sa

from webapp.model import NOTHING, Values
from webapp.rules.addresses import rows_address
from webapp.rules.growth import ALL, NO_SUMS, Sums, counting, joined_sums
from webapp.store import accounts, observations, snapshots, spans
from webapp.store.types import WHEN, native
from webapp.sync.plan import Plan, Taken
from webapp.sync.row_prints import RowPrints

AT_ONCE = 5_000

# The id of the account, and those of its project and tab. As bare tuples, which cost least.
New: TypeAlias = tuple[int, str, str, Taken]


@dataclass
class Added:
    """What became of a project's newcomers.

    ids: theirs. updated: how many have counts. counts: whether any counts for a metric. prints: the rows of the tab, now
    with those that are quiet. created: the snapshots that they got. shown: these have all that they count for. sums: what
    the newcomers amount to, where there is nobody else.
    """

    ids: Sequence[int]
    prints: RowPrints | None
    updated: int = 0
    counts: bool = False
    created: int = 0
    shown: bool = False
    sums: Sums | None = None

    @property
    def all_sums(self) -> Sums | None:
        """The sums of the project's first day, where it has all that there can be."""
        return self.sums if self.shown else None


def add_newcomers(
    tx: sa.Connection,
    plans: Mapping[str, Plan],
    prints: Mapping[str, RowPrints | None],
    now: datetime,
    at: datetime,
    day: date | None,
) -> dict[str, Added]:
    """{project id: what became of its newcomers}, which are taken out of the plans.

    at: since when they count. day: of which they get snapshots; None: somebody else sees to it.
    """
    ids, start = accounts.new_ids(tx, sum(len(plan.newcomers) for plan in plans.values())), 0
    added: dict[str, Added] = {}
    for project_id, plan in plans.items():
        end = start + len(plan.newcomers)
        sums = NO_SUMS if plan.first else None
        added[project_id] = Added(ids[start:end], prints[project_id], shown=day is not None, sums=sums)
        start = end
    coming = chain.from_iterable(_come(project_id, plan, added[project_id]) for project_id, plan in plans.items())
    while part := [*islice(coming, AT_ONCE)]:
        bits = [spans.counting_bits(row.counts, mode, removed=False) for _, _, _, (mode, _, row) in part]
        _write(tx, part, now)
        spans.begin(tx, zip(map(_ID, part), bits, strict=True), at)
        if day is not None:
            snapshots.add_new(tx, _snapshots(part, bits), day, at)
        for project_id, mine in groupby(zip(part, bits, strict=True), lambda pair: pair[0][1]):
            _note([*mine], added[project_id], shown=day is not None)
    return added


_ID = itemgetter(0)


def _come(project_id: str, plan: Plan, added: Added) -> Iterator[New]:
    return zip(added.ids, repeat(project_id), repeat(plan.newcomers.title), plan.newcomers.take(), strict=False)


def _write(tx: sa.Connection, part: Sequence[New], now: datetime) -> None:
    stamp = native(tx, WHEN, now)
    rows = (
        (i, project_id, platform, name, row.typed, key, row.topic, row.owner, row.status, mode, *row.counts)
        for i, project_id, _, (mode, _, row) in part
        for platform, key, name, _ in (row.profile,)
    )
    accounts.add_accounts(tx, rows, now)
    said = (
        (i, "sheet", *row.counts, stamp, rows_address(title, row.row, row.more), None, row.unread & ALL, 0)
        for i, _, title, (_, _, row) in part
        if row.counts != NOTHING
    )
    observations.put_sheet(tx, said)


def _snapshots(part: Sequence[New], bits: Sequence[int]) -> Iterator[tuple[int, Values]]:
    """Of those that count, with the values that were read: nobody has said anything else of them yet."""
    for (i, _, _, (_, _, row)), counting_for in zip(part, bits, strict=True):
        if shown := counting_for & ~row.unread:
            yield i, counting(row.counts, shown)


def _note(part: Sequence[tuple[New, int]], added: Added, *, shown: bool) -> None:
    """What is to be known of some newcomers of one project, once they are written.

    part: each with the bits of what it counts for. shown: whether they have got snapshots.
    """
    rows = [(row, bits) for (_, _, _, (_, _, row)), bits in part]
    added.counts = added.counts or any(bits for _, bits in rows)
    added.updated += sum(row.counts != NOTHING for row, _ in rows)
    if shown:
        added.created += sum(bits & ~row.unread != 0 for row, bits in rows)
        added.shown = added.shown and not any(bits & row.unread for row, bits in rows)
    if added.shown and added.sums is not None:
        added.sums = added.sums.plus(joined_sums([row.counts for row, bits in rows if bits]))
    if added.prints is not None:
        added.prints = added.prints.having({row.row: i for (i, _, _, (_, quiet, row)), _ in part if quiet})
