"""Spans: when an account counts in totals and history, and for which metrics."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import sqlalchemy as sa

from webapp.model import METRICS, Counts, Mode
from webapp.rules.doubts import HISTORY
from webapp.rules.growth import mask_of
from webapp.rules.history import Span
from webapp.store.statement import Bulk, Query, bind_ids, ids_in, insert
from webapp.store.tables import account_spans, accounts
from webapp.store.types import WHEN, Count, as_moment, native

_NAMES = ("account_id", "since", "metrics")
_open = insert(account_spans, _NAMES)


def counting_bits(counts: Counts, mode: Mode, *, removed: bool) -> int:
    """The bits of the metrics for which an account counts as it is now."""
    return 0 if removed or mode == "off" else mask_of(counts)


def put(tx: sa.Connection, changed: Sequence[tuple[int, int]], now: datetime) -> None:
    """From now on these accounts count for other metrics: (account id, bits); none: they no longer count."""
    if not changed:
        return
    stamp = native(tx, WHEN, now)
    _drop.run(tx, [(account_id, stamp) for account_id, _ in changed])
    _close.run(tx, [(stamp, account_id) for account_id, _ in changed])
    begin(tx, changed, now)


def begin(tx: sa.Connection, changed: Iterable[tuple[int, int]], now: datetime) -> None:
    """From now on these accounts, which did not count, count for these metrics: (account id, bits)."""
    stamp = native(tx, WHEN, now)
    begun = [(account_id, stamp, bits) for account_id, bits in changed if bits]
    if begun:
        _open.run(tx, begun)


def replace(tx: sa.Connection, account_id: int, found: Sequence[Span]) -> None:
    """Give an account exactly these spans."""
    tx.execute(account_spans.delete().where(account_spans.c.account_id == account_id))
    if found:
        tx.execute(account_spans.insert(), [span._asdict() for span in found])


def follow(tx: sa.Connection, account_ids: Collection[int], now: datetime) -> set[int]:
    """Make the spans of these accounts say what their rows say now; those of them for which that was a change."""
    if not account_ids:
        return set()
    new, other = [], []
    for account_id, mode, removed_at, bits_before, since, *counts in _known.rows(tx, ids=bind_ids(tx, account_ids)):
        bits = counting_bits(Counts._make(counts), mode, removed=removed_at is not None)
        if since is None and bits:
            new.append((account_id, bits))
        elif bits != (bits_before or 0):
            other.append((account_id, bits))
    begin(tx, new, now)
    put(tx, other, now)
    return {account_id for account_id, _ in (*new, *other)}


def _build_known(_: str) -> sa.Select[Any]:
    """Accounts with the metrics of their open span, and the beginning of any of their spans."""
    still = account_spans.alias("still")
    any_ = sa.select(sa.func.max(account_spans.c.since)).where(account_spans.c.account_id == accounts.c.id)
    columns = [accounts.c.id, accounts.c.mode, accounts.c.removed_at, still.c.metrics, any_.scalar_subquery()]
    columns += [accounts.c[metric] for metric in METRICS]
    joined = accounts.outerjoin(still, (still.c.account_id == accounts.c.id) & still.c.until.is_(None))
    return sa.select(*columns).select_from(joined).where(accounts.c.id.op("IN")(ids_in(sa.bindparam("ids"))))


_known = Query(_build_known)


def _build_drop(_: Any) -> sa.UpdateBase:
    mine = account_spans.c.account_id == sa.bindparam("account", type_=Count())
    return account_spans.delete().where(mine, account_spans.c.since >= sa.bindparam("now", type_=WHEN))


def _build_close(_: Any) -> sa.UpdateBase:
    mine = account_spans.c.account_id == sa.bindparam("account", type_=Count())
    now = sa.bindparam("now", type_=WHEN)
    return account_spans.update().where(mine, account_spans.c.until.is_(None)).values(until=now)


_drop = Bulk(_build_drop, ("account", "now"))  # begun by a clock that was ahead, or at this very moment
_close = Bulk(_build_close, ("now", "account"))


class Counted(NamedTuple):
    """When a metric of an account counted. first: for the first time. since, until: the last time, without a break."""

    first: datetime
    since: datetime
    until: datetime | None

    def has_history(self, now: datetime) -> bool:
        """Whether it has counted long enough for its last value to say what can follow."""
        return now - self.first >= HISTORY


def counted(spans: Iterable[Span]) -> dict[int, Counted]:
    """{place of the metric: when it counted}. spans: of one account, in their order."""
    found: dict[int, Counted] = {}
    for span in spans:
        for place in range(len(METRICS)):
            if span.metrics >> place & 1:
                before = found.get(place)
                first = before.first if before else span.since
                since = before.since if before and before.until == span.since else span.since
                found[place] = Counted(first, since, span.until)
    return found


def of_scope(tx: sa.Connection, where: str, of: str | int) -> Iterator[Span]:
    """The spans of one account, or of a project's accounts, those of an account in their order."""
    for account_id, since, until, metrics in _of_scope(where).rows(tx, scope=of):
        begun = as_moment(since)
        assert begun is not None  # noqa: S101  never null
        yield Span(account_id, begun, as_moment(until), metrics)


def by_account(tx: sa.Connection, where: str, of: str | int) -> dict[int, list[Span]]:
    """{account id: its spans in their order}; accounts without any are not there."""
    return {account_id: [*spans] for account_id, spans in groupby(of_scope(tx, where, of), attrgetter("account_id"))}


@cache
def _of_scope(where: str) -> Query:
    statement = sa.select(*(account_spans.c[name] for name in Span._fields)).order_by(
        account_spans.c.account_id, account_spans.c.since
    )
    if where == "account":
        statement = statement.where(account_spans.c.account_id == sa.bindparam("scope", type_=Count()))
    else:
        mine = sa.select(accounts.c.id).where(accounts.c.project_id == sa.bindparam("scope", type_=sa.Text()))
        statement = statement.where(account_spans.c.account_id.in_(mine))
    return Query(lambda _: statement)


def at_moment(span: sa.FromClause, moment: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Which span of an account counts at a moment."""
    open_then = span.c.until.is_(None) | (span.c.until > moment)
    return (span.c.account_id == accounts.c.id) & (span.c.since <= moment) & open_then


def on_account(span: sa.FromClause, moment: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Which span of an account counts just before a moment."""
    open_then = span.c.until.is_(None) | (span.c.until >= moment)
    return (span.c.account_id == accounts.c.id) & (span.c.since < moment) & open_then
