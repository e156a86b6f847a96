"""Readings from outside: what a program read of platforms, delivered in a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from webapp.actions.desk import Desk
from webapp.errors import Invalid
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


@dataclass(frozen=True)
class Delivered:
    """What became of a batch. unmatched: places in it of what fits no account. older: what is stored is newer."""

    kept: int
    older: int
    unmatched: Sequence[int]


def put_readings(desk: Desk, batch: Sequence[Delivery], project_id: str | None = None) -> Delivered:
    """Keep a batch of readings; the next sync merges them. What fits no account is listed, never lost silently.

    project_id: look for profile URLs in this project only, else in all.

    Raises: Invalid.
    """
    keys = [_key(one, place) for place, one in enumerate(batch)]
    with desk.edit() as edit:
        by_key = accounts.of_keys(edit.tx, sorted({key for key in keys if key}), project_id)
        ids = sorted({one.account_id for one in batch if one.account_id is not None})
        there = accounts.present_ids(edit.tx, ids)
        found = [_found(one, key, by_key, there) for one, key in zip(batch, keys, strict=True)]
        rows = [
            _row(account_id, one, edit.now)
            for one, accounts in zip(batch, found, strict=True)
            for account_id in accounts
        ]
        kept = readings.put(edit.tx, rows)
    return Delivered(kept, len(rows) - kept, [place for place, accounts in enumerate(found) if not accounts])


def _key(one: Delivery, place: int) -> str | None:
    """The url_key of what is delivered; None when it names its account by id."""
    if (one.account_id is None) == (one.profile_url is None):
        raise _refusal(place, "name the account by either account_id or profile_url")
    if all(count is None for count in one.counts):
        raise _refusal(place, f"has none of {', '.join(METRICS)}")
    if one.profile_url is None:
        return None
    try:
        return profile_of(one.profile_url).url_key
    except BadProfile as error:
        raise _refusal(place, f"profile_url {error}") from None


def _refusal(place: int, words: str) -> Invalid:
    return Invalid(f"readings[{place}]: {words}", field=f"readings[{place}]", code="invalid_parameter")


def _found(one: Delivery, key: str | None, by_key: Mapping[str, Sequence[int]], there: set[int]) -> Sequence[int]:
    """Ids of the accounts that are meant: the same profile may be in several projects."""
    if key is not None:
        return by_key.get(key, ())
    return [one.account_id] if one.account_id in there else ()


def _row(account_id: int, one: Delivery, now: datetime) -> Reading:
    at = one.observed_at or now
    return Reading(account_id, one.counts, at if at <= now + FUTURE else now, one.origin)
