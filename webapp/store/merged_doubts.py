"""The doubts of two accounts that are one: what is doubted of either is doubted of the account that goes on.

They count as one from the start, so what is in doubt of one of them keeps both out of history. On a day on which only
one of them was in doubt the other one says what its snapshots say; the larger value counts, as anywhere else.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import groupby

import sqlalchemy as sa

from webapp.model import METRICS, UNKNOWN, larger
from webapp.rules.doubts import implausible
from webapp.rules.history import Past
from webapp.store import doubts
from webapp.store.doubts import DoubtedDay

Sides = list[tuple[DoubtedDay | None, int | None]]  # of each account, with what it counted for by its snapshots


def take_over(tx: sa.Connection, ids: tuple[int, int], pasts: tuple[Past, Past]) -> list[tuple[date, int]]:
    """Give the first account the doubts of both; the second one is about to go with its own.

    The days and places of the metrics of which nothing is credible.
    """
    known = [{(one.day, one.place): one for one in doubts.of_account(tx, account_id)} for account_id in ids]
    rows: list[DoubtedDay] = []
    silent: list[tuple[date, int]] = []
    for place in range(len(METRICS)):
        days = sorted({day for side in known for day, of in side if of == place})
        merged = []
        for day in days:
            sides = [(side.get((day, place)), past.stood(day)[place]) for side, past in zip(known, pasts, strict=True)]
            merged.append(_merge(sides)._replace(account_id=ids[0]))
        kept = list(_in_doubt(merged))
        rows += kept
        silent += [(one.day, place) for one in kept if _is_silent(one, known, pasts)]
    doubts.drop(tx, [(ids[0], place) for place in range(len(METRICS))])
    doubts.put(tx, rows)
    return silent


def _merge(sides: Sides) -> DoubtedDay:
    """One day of both."""
    doubted = [one for one, _ in sides if one is not None]
    first = max(doubted, key=lambda one: (one.state == "open", one.typed))
    typed, credible, value = first.typed, first.credible, None
    for one, stood in sides:
        typed = larger(typed, stood if one is None else one.typed) or typed
        credible = larger(credible, stood if one is None else one.credible) or credible
        value = larger(value, stood if one is None or one.value is None else one.value)
    if all(one.value is None for one in doubted):  # the day was written before, and stays so whatever comes of it
        value = None
    return first._replace(typed=typed, credible=credible, value=value)


def _in_doubt(days: Iterable[DoubtedDay]) -> Iterable[DoubtedDay]:
    """Every doubt with one credible value; none that is no doubt by it."""
    for ended, group in groupby(days, key=lambda one: one.decided_at):
        rows = list(group)
        credible = rows[-1].credible
        if ended is not None or implausible(credible, rows[-1].typed):
            yield from (one._replace(credible=credible) for one in rows)


def _is_silent(one: DoubtedDay, known: list[dict[tuple[date, int], DoubtedDay]], pasts: tuple[Past, Past]) -> bool:
    """Whether those in doubt have no value of the day, neither from before the doubt nor by a reading."""
    if one.decided_at is not None or one.value is None:
        return False
    doubted = [past for side, past in zip(known, pasts, strict=True) if (one.day, one.place) in side]
    return all(past.days.get(one.day, UNKNOWN)[one.place] is None for past in doubted)
