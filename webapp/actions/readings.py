"""Readings from outside: what a program read of platforms, delivered in a batch."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import sqlalchemy as sa

from webapp.actions.desk import Desk
from webapp.model import METRICS, NOTHING, Counts
from webapp.rules.words import utc
from webapp.sources.urls import BadProfile, profile_of
from webapp.store import accounts, projects, readings
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


Outcome = Literal["kept", "unchanged", "older", "unmatched", "invalid"]


class Became(NamedTuple):
    """What became of a delivery. unchanged: it is stored already. older: what is stored, or delivered with it, is newer.

    field: what is wrong in one that is invalid. words: why one is invalid or unmatched.
    """

    outcome: Outcome
    field: str | None = None
    words: str = ""


class Delivered(NamedTuple):
    """What became of a batch: of each delivery, and of how many observations."""

    became: Sequence[Became]
    kept: int
    unchanged: int
    older: int


Target = str | int  # the url_key of what is delivered, or the account's id


def put_readings(desk: Desk, batch: Sequence[Delivery], project_id: str | None = None) -> Delivered:
    """Keep a batch of readings; the next sync merges them. Each is judged by itself, and none is lost silently.

    In which order they stand does not matter, nor whether they were delivered before; of two of the same moment the
    last one counts. project_id: look for profile URLs in this project only, else in all.

    Raises: NotFound.
    """
    now = desk.clock.now()
    targets = [_target(one, now) for one in batch]  # before anybody has to wait for the transaction
    with desk.edit() as edit:
        if project_id is not None:
            projects.get(edit.tx, project_id)
        found = _found(edit.tx, {target for target in targets if not isinstance(target, Became)}, project_id)
        rows = [
            (place, _row(account_id, one, edit.now))
            for place, (one, target) in enumerate(zip(batch, targets, strict=True))
            if not isinstance(target, Became)
            for account_id in found[target]
        ]
        newest = _without_older([row for _, row in rows])
        stored = readings.latest(edit.tx, sorted({row.account_id for row in newest}))
        outcomes = [_outcome(row, stored.get(row.account_id)) for row in newest]
        new = [row for row, outcome in zip(newest, outcomes, strict=True) if outcome == "kept"]
        kept = readings.put(edit.tx, sorted(new, key=_moment))
        reasons = _reasons(edit.tx, [target for target, ids in found.items() if not ids])
    best = {
        place: outcome
        for outcome in ("older", "unchanged", "kept")  # of an account in several projects the last of these
        for (place, _), each in zip(rows, outcomes, strict=True)
        if each == outcome
    }
    became = [
        target if isinstance(target, Became) else reasons.get(target) or Became(best[place])
        for place, target in enumerate(targets)
    ]
    older = outcomes.count("older") + len(new) - kept  # another process was faster
    return Delivered(became, kept, outcomes.count("unchanged"), older)


def _target(one: Delivery, now: datetime) -> Target | Became:
    if all(count is None for count in one.counts):
        return Became("invalid", None, f"has none of {', '.join(METRICS)}")
    if one.observed_at is not None and one.observed_at > now + FUTURE:
        return Became("invalid", "observed_at", f"observed_at: is in the future; here it is {utc(now)}")
    match one.account_id, one.profile_url:
        case int(account_id), None:
            return account_id
        case None, str(url):
            return _key(url)
        case _:
            return Became("invalid", None, "name the account by either account_id or profile_url")


def _key(url: str) -> str | Became:
    try:
        return profile_of(url).url_key
    except BadProfile as error:
        return Became("invalid", "profile_url", f"the profile URL {error}")


def _found(tx: sa.Connection, targets: Collection[Target], project_id: str | None) -> Mapping[Target, Sequence[int]]:
    """The ids of the accounts that are meant: the same profile may be in several projects, and nowhere."""
    keys, ids = _apart(targets)
    there = accounts.present_ids(tx, ids)
    by_id = {id_: [id_] if id_ in there else [] for id_ in ids}
    by_key = accounts.of_keys(tx, keys, project_id)
    return by_id | {key: by_key.get(key, []) for key in keys}


def _apart(targets: Collection[Target]) -> tuple[Sequence[str], Sequence[int]]:
    keys = sorted(target for target in targets if isinstance(target, str))
    return keys, sorted(target for target in targets if isinstance(target, int))


def _row(account_id: int, one: Delivery, now: datetime) -> Reading:
    return Reading(account_id, one.counts, one.observed_at or now, one.origin)


def _moment(row: Reading) -> datetime:
    return row.observed_at


def _without_older(rows: Sequence[Reading]) -> Sequence[Reading]:
    """The rows without what others of the same account say of a later moment: None for each such count."""
    last: dict[tuple[int, str], int] = {}  # the place of who says a metric of an account last
    for place in sorted(range(len(rows)), key=lambda place: rows[place].observed_at):
        account_id, counts = rows[place].account_id, rows[place].counts
        last |= {
            (account_id, metric): place for metric, count in zip(METRICS, counts, strict=True) if count is not None
        }
    return [
        row._replace(
            counts=Counts._make(
                count if last.get((row.account_id, metric)) == place else None
                for metric, count in zip(METRICS, row.counts, strict=True)
            )
        )
        for place, row in enumerate(rows)
    ]


def _outcome(row: Reading, stored: Reading | None) -> Outcome:
    if row.counts == NOTHING or (stored is not None and row.observed_at < stored.observed_at):
        return "older"
    if stored is None or row.observed_at > stored.observed_at:
        return "kept"
    is_stored = all(new in {None, old} for new, old in zip(row.counts, stored.counts, strict=True))
    return "unchanged" if is_stored else "kept"


def _reasons(tx: sa.Connection, targets: Collection[Target]) -> Mapping[Target, Became]:
    """Why each of what fits no account does."""
    elsewhere = readings.elsewhere(tx, *_apart(targets))
    return {target: Became("unmatched", None, _reason(target, elsewhere.get(target))) for target in targets}


def _reason(target: Target, there: readings.Elsewhere | None) -> str:
    if there is None:
        return f"no account has this {'id' if isinstance(target, int) else 'address'}"
    if there.removed:
        return f"the account was removed from {there.project_name}"
    return f"the account is in {there.project_name}, and not in the project that is named"
