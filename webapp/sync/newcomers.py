"""Rows that become accounts, written so many at a time that few are kept beside what is written: there may be a million."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, groupby, islice, repeat
from operator import itemgetter
from typing import TypeAlias

import sqlalchemy as sa

from webapp.model import NOTHING
from webapp.rules.addresses import rows_address
from webapp.rules.growth import ALL
from webapp.store import accounts, observations, spans
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
    with those that are quiet.
    """

    ids: Sequence[int]
    prints: RowPrints | None
    updated: int = 0
    counts: bool = False


def add_newcomers(
    tx: sa.Connection, plans: Mapping[str, Plan], prints: Mapping[str, RowPrints | None], now: datetime, at: datetime
) -> dict[str, Added]:
    """{project id: what became of its newcomers}, which are taken out of the plans.

    at: since when they count.
    """
    ids, start = accounts.new_ids(tx, sum(len(plan.newcomers) for plan in plans.values())), 0
    added: dict[str, Added] = {}
    for project_id, plan in plans.items():
        end = start + len(plan.newcomers)
        added[project_id] = Added(ids[start:end], prints[project_id])
        start = end
    coming = chain.from_iterable(_come(project_id, plan, added[project_id]) for project_id, plan in plans.items())
    while part := [*islice(coming, AT_ONCE)]:
        _write(tx, part, now, at)
        for project_id, mine in groupby(part, itemgetter(1)):
            _note([*mine], added[project_id])
    return added


def _come(project_id: str, plan: Plan, added: Added) -> Iterator[New]:
    return zip(added.ids, repeat(project_id), repeat(plan.newcomers.title), plan.newcomers.take(), strict=False)


def _write(tx: sa.Connection, part: Sequence[New], now: datetime, at: datetime) -> None:
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
    bits = ((i, spans.counting_bits(row.counts, mode, removed=False)) for i, _, _, (mode, _, row) in part)
    spans.begin(tx, bits, at)


def _note(part: Sequence[New], added: Added) -> None:
    """What is to be known of some newcomers of one project, once they are written."""
    bits = (spans.counting_bits(row.counts, mode, removed=False) for _, _, _, (mode, _, row) in part)
    added.counts = added.counts or any(bits)
    added.updated += sum(row.counts != NOTHING for _, _, _, (_, _, row) in part)
    if added.prints is not None:
        added.prints = added.prints.having({row.row: i for i, _, _, (_, quiet, row) in part if quiet})
