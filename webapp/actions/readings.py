"""Readings from outside: what a program read of platforms, delivered in a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from webapp.actions.desk import Desk
from webapp.model import METRICS, Counts
from webapp.sources.urls import BadProfile, profile_of
from webapp.store import accounts, readings
from webapp.store.readings import Reading

FUTURE = timedelta(minutes=5)  # clocks differ


@dataclass(frozen=True)
class Delivery:
    """One account's counts as a program delivers them.

    The account is named by its id or its profile URL. A metric that is None keeps its last reading; observed_at None:
    just now. origin: who read it, such as `youtube`.
    """

    account_id: int | None
    profile_url: str | None
    counts: Counts
    observed_at: datetime | None = None
    origin: str | None = None


Outcome = Literal["kept", "older", "unmatched", "invalid"]


class Became(NamedTuple):
    """What became of a delivery. older: what is stored is newer. field, words: of one that is invalid."""

    outcome: Outcome
    field: str | None = None
    words: str = ""


class Delivered(NamedTuple):
    """What became of a batch: of each delivery, and how many observations were kept and left out as older."""

    became: Sequence[Became]
    kept: int
    older: int


def put_readings(desk: Desk, batch: Sequence[Delivery], project_id: str | None = None) -> Delivered:
    """Keep a batch of readings; the next sync merges them. Each is judged by itself, and none is lost silently.

    project_id: look for profile URLs in this project only, else in all.
    """
    judged = [_key(one) for one in batch]
    with desk.edit() as edit:
        by_key = accounts.of_keys(edit.tx, sorted({key for key in judged if isinstance(key, str)}), project_id)
        ids = sorted({one.account_id for one in batch if one.account_id is not None})
        there = accounts.present_ids(edit.tx, ids)
        found = [
            () if isinstance(key, Became) else _found(one, key, by_key, there)
            for one, key in zip(batch, judged, strict=True)
        ]
        times = readings.times(edit.tx, sorted({account for accounts in found for account in accounts}))
        became: list[Became] = []
        rows: list[Reading] = []
        for one, key, accounts_ in zip(batch, judged, found, strict=True):
            mine = [_row(account, one, edit.now) for account in accounts_]
            newer = [row for row in mine if row.observed_at >= times.get(row.account_id, row.observed_at)]
            times |= {row.account_id: row.observed_at for row in newer}
            rows += newer
            became.append(key if isinstance(key, Became) else _outcome(mine, newer))
        kept = readings.put(edit.tx, rows)
    return Delivered(became, kept, sum(map(len, found)) - kept)


def _outcome(mine: Sequence[Reading], newer: Sequence[Reading]) -> Became:
    if not mine:
        return Became("unmatched")
    return Became("kept" if newer else "older")


def _key(one: Delivery) -> str | Became | None:
    """The url_key of what is delivered; None when it names its account by id."""
    if (one.account_id is None) == (one.profile_url is None):
        return Became("invalid", None, "name the account by either account_id or profile_url")
    if all(count is None for count in one.counts):
        return Became("invalid", None, f"has none of {', '.join(METRICS)}")
    if one.profile_url is None:
        return None
    try:
        return profile_of(one.profile_url).url_key
    except BadProfile as error:
        return Became("invalid", "profile_url", f"the profile URL {error}")


def _found(one: Delivery, key: str | None, by_key: Mapping[str, Sequence[int]], there: set[int]) -> Sequence[int]:
    """Ids of the accounts that are meant: the same profile may be in several projects."""
    if key is not None:
        return by_key.get(key, ())
    return [one.account_id] if one.account_id in there else ()


def _row(account_id: int, one: Delivery, now: datetime) -> Reading:
    at = one.observed_at or now
    return Reading(account_id, one.counts, at if at <= now + FUTURE else now, one.origin)
