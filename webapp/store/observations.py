"""Observations: what the sheet and the platforms say of each account now, and what was believed of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from operator import itemgetter
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from webapp.model import METRICS, NOTHING, Mode, Values
from webapp.rules.merge import pin_in_force
from webapp.store import pins
from webapp.store.statement import Query, bind_ids, chunks, ids_in, if_any, listed, texts_in, unlisted, upsert
from webapp.store.tables import ACCOUNT_THERE, accepted_readings, accounts, observations
from webapp.store.types import Stamp


class Observation(NamedTuple):
    """What one source says of an account. observed_at: since when it has said so."""

    source: Literal["sheet", "parsed"]
    counts: Values
    observed_at: Stamp
    origin: str | None
    note: str | None

    @classmethod
    def of(cls, row: Sequence[Any]) -> Observation:
        """From the values of `_OBSERVED`."""
        return cls(row[0], tuple(row[1 : 1 + len(METRICS)]), *row[1 + len(METRICS) :])


_OBSERVED = ("source", *METRICS, "observed_at", "origin", "note")


@dataclass
class Sources:
    """What decides an account's counts. pins: {metric: value}, those in force."""

    observed: dict[str, Observation] = field(default_factory=dict)
    believed: Values = NOTHING
    pins: dict[str, int] = field(default_factory=dict)


def sources_of(tx: sa.Connection, ids: Collection[int], now: datetime) -> dict[int, Sources]:
    """{account id: its sources}, for a page of accounts."""
    found = {account_id: Sources() for account_id in ids}
    observed = sa.select(observations.c.account_id, *(observations.c[name] for name in _OBSERVED))
    for account_id, *row in tx.execute(observed.where(observations.c.account_id.in_(ids))):
        found[account_id].observed[row[0]] = Observation.of(row)
    believed = sa.select(accepted_readings.c.account_id, *_values(accepted_readings))
    for account_id, *row in tx.execute(believed.where(accepted_readings.c.account_id.in_(ids))):
        found[account_id].believed = tuple(row)
    for pin in pins.of_accounts(tx, ids):
        if pin_in_force(pin.until, now):
            found[pin.account_id].pins[pin.metric] = pin.value
    return found


# Everything a sync needs to know of a project


sheet = observations.alias("sheet")


parsed = observations.alias("parsed")


accepted = accepted_readings.alias("accepted")


class Stored(NamedTuple):
    """An account with its observations, as the driver gives them; times are driver values, flags 0 or 1."""

    id: int
    url_key: str
    platform: str
    username: str | None
    profile_url: str
    topic: str | None
    owner: str | None
    status: str | None
    mode: Mode
    mode_set: int
    discovered: str
    added_at: Any
    removed_by: str | None  # None: the account is there
    sheet_at: Any
    sheet_origin: str | None
    sheet_note: str | None
    unread: int  # bits of the metrics: whose cells could not be read, that are in doubt, whose readings are held
    doubted: int
    parsed_at: Any
    parsed_origin: str | None
    held: int
    known: Values  # current merged counts
    sheet: Values
    parsed: Values
    accepted: Values


def _values(table: Any) -> list[Any]:
    return [table.c[metric] for metric in METRICS]


_plain = (
    accounts.c.id,
    accounts.c.url_key,
    accounts.c.platform,
    accounts.c.username,
    accounts.c.profile_url,
    accounts.c.topic,
    accounts.c.owner,
    accounts.c.status,
    accounts.c.mode,
    accounts.c.mode_set,
    accounts.c.discovered,
    accounts.c.added_at,
    sa.case((accounts.c.removed_at.is_not(None), sa.func.coalesce(accounts.c.removed_by, "sheet"))),
    sheet.c.observed_at,
    sheet.c.origin,
    sheet.c.note,
    sa.func.coalesce(sheet.c.unread, 0),
    sa.func.coalesce(sheet.c.doubted, 0),
    parsed.c.observed_at,
    parsed.c.origin,
    sa.func.coalesce(accepted.c.held, 0),
)


_of_projects = accounts.c.project_id.op("IN")(texts_in(sa.bindparam("of")))


def _state(*but: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return (
        sa.select(*_plain, *_values(accounts), *_values(sheet), *_values(parsed), *_values(accepted))
        .add_columns(accounts.c.project_id)
        .select_from(accounts)
        .outerjoin(sheet, (sheet.c.account_id == accounts.c.id) & (sheet.c.source == sa.literal_column("'sheet'")))
        .outerjoin(parsed, (parsed.c.account_id == accounts.c.id) & (parsed.c.source == sa.literal_column("'parsed'")))
        .outerjoin(accepted, accepted.c.account_id == accounts.c.id)
        .where(_of_projects, *but)
    )


_all_state = Query(lambda _: _state())


_some_state = Query(lambda _: _state(accounts.c.id.op("IN")(ids_in(sa.bindparam("only")))))
_ids = Query(lambda dialect: sa.select(listed(dialect, accounts.c.id)).where(_of_projects))
_placed_ids = Query(
    lambda _: sa.select(accounts.c.id).where(_of_projects).order_by(accounts.c.project_id, accounts.c.url_key)
)
_how_many: list[Any] = [sa.func.count(), sa.func.sum(accounts.c.id)]
_sum = Query(lambda _: sa.select(*_how_many).where(_of_projects))


PLAIN = len(_plain)


WIDTH = len(METRICS)
KNOWN, SHEET, PARSED, ACCEPTED = (slice(start, start + WIDTH) for start in range(PLAIN, PLAIN + 4 * WIDTH, WIDTH))


class Split(NamedTuple):
    """Accounts of some projects: by project those of no interest, and others that are; there may be more of these."""

    quiet: Sequence[Collection[int]] = ()
    open: Collection[int] = ()

    @property
    def leaves_out(self) -> bool:
        """Whether any account is of no interest."""
        return any(self.quiet)


NO_SPLIT = Split()


def stored_accounts(tx: sa.Connection, project_id: str, split: Split = NO_SPLIT) -> Iterator[Stored]:
    """Every account the project ever had, removed ones too, without those of no interest, in no particular order."""
    return (account for _, account in _stored(tx, [project_id], split))


def stored_by_project(
    tx: sa.Connection, project_ids: Collection[str], split: Split = NO_SPLIT
) -> dict[str, list[Stored]]:
    """{project id: the same}, for projects that are small together; projects without any are not there."""
    found: dict[str, list[Stored]] = {}
    for project_id, account in _stored(tx, project_ids, split):
        found.setdefault(project_id, []).append(account)
    return found


def _stored(tx: sa.Connection, project_ids: Collection[str], split: Split) -> Iterator[tuple[str, Stored]]:
    asked = {"of": bind_ids(tx, project_ids)}
    if split.leaves_out:
        only = _open_ids(tx, asked, split)
        rows: Iterator[tuple[Any, ...]] = chain.from_iterable(
            _some_of(tx, asked, part) for part in chunks(_in_order(tx, asked, only), MANY)
        )
    else:
        rows = _all_state.rows(tx, **asked)
    for row in rows:
        # Spelled out: one generator per account costs as much as the row itself.
        yield row[-1], Stored._make((*row[:PLAIN], row[KNOWN], row[SHEET], row[PARSED], row[ACCEPTED]))


def _in_order(tx: sa.Connection, asked: Mapping[str, Any], ids: Collection[int]) -> Sequence[int]:
    """The ids as SQLite would give their accounts, where they are too many to be sorted once they are loaded."""
    if len(ids) <= MANY:
        return [*ids]
    wanted = {*ids}
    return [one for (one,) in _placed_ids.rows(tx, **asked) if one in wanted]


def _some_of(tx: sa.Connection, asked: Mapping[str, Any], ids: Sequence[int]) -> Iterable[Any]:
    return sorted(_some_state.rows(tx, **asked, only=bind_ids(tx, ids)), key=_place)


MANY = 5_000  # accounts that are loaded at once, as their rows take ten times the room of what a plan has of them
# By project and url_key, as SQLite gives all of them; of some it would sort what it has yet to look up.
_place = itemgetter(-1, 1)


def _open_ids(tx: sa.Connection, asked: Mapping[str, Any], split: Split) -> Collection[int]:
    """All but the quiet ones. They are listed only where there are others than those known: no account is ever deleted."""
    ((number, total),) = _sum.rows(tx, **asked)
    known = (*split.quiet, split.open)
    if (number, total) == (sum(map(len, known)), sum(map(sum, known))):
        return split.open
    return {one for (ids,) in _ids.rows(tx, **asked) for one in unlisted(ids)}.difference(*split.quiet)


_differs = sa.or_(*(parsed.c[m].is_not(None) & parsed.c[m].is_distinct_from(accepted.c[m]) for m in METRICS))


_gone = parsed.c.account_id.is_(None) & accepted.c.account_id.is_not(None)


def _build_changed(_: str) -> sa.Select[Any]:
    said: sa.Select[Any] = sa.select(sa.literal_column("1")).where(
        observations.c.source == sa.literal_column("'parsed'")
    )
    any_ = said.exists() | sa.select(accepted_readings.c.account_id).exists()
    joined = if_any(accounts, any_).outerjoin(
        parsed, (parsed.c.account_id == accounts.c.id) & (parsed.c.source == sa.literal_column("'parsed'"))
    )
    joined = joined.outerjoin(accepted, accepted.c.account_id == accounts.c.id)
    return sa.select(accounts.c.project_id, accounts.c.id).select_from(joined).where(_of_projects, _differs | _gone)


_changed = Query(_build_changed)


def changed_readings(tx: sa.Connection, project_ids: Collection[str]) -> dict[str, set[int]]:
    """{project id: the accounts whose reading says something else than the last merge believed, or has gone}."""
    found: dict[str, set[int]] = {}
    for project_id, account_id in _changed.rows(tx, of=bind_ids(tx, project_ids)) if project_ids else ():
        found.setdefault(project_id, set()).add(account_id)
    return found


def totals(tx: sa.Connection, project_id: str) -> dict[str, int]:
    """{`sheet` or `parsed`: accounts in the project that this source says something of}."""
    here = observations.join(accounts, accounts.c.id == observations.c.account_id)
    count = sa.select(observations.c.source, sa.func.count()).select_from(here).group_by(observations.c.source)
    there = (accounts.c.project_id == project_id) & ACCOUNT_THERE
    found = {source: int(number) for source, number in tx.execute(count.where(there))}
    return {"sheet": 0, "parsed": 0} | found


def metric_totals(tx: sa.Connection, project_id: str) -> tuple[int, Values]:
    """How many accounts the sheet last had, with or without numbers, and how many values of each metric."""
    statement = (
        sa.select(sa.func.count(), *(sa.func.count(sheet.c[metric]) for metric in METRICS))
        .select_from(accounts)
        .outerjoin(sheet, (sheet.c.account_id == accounts.c.id) & (sheet.c.source == "sheet"))
        .where(accounts.c.project_id == project_id, ACCOUNT_THERE)
        .where((accounts.c.discovered == "sheet") | sheet.c.account_id.is_not(None))
    )
    total, *values = tx.execute(statement).one()
    return total, tuple(values)


# Changes by a sync


Rows = Sequence[tuple[Any, ...]]


_put_observation = upsert(observations, ("account_id", "source"), without=["same_since"])
_put_accepted = upsert(accepted_readings, ("account_id",))


def put_sheet(tx: sa.Connection, rows: Iterable[tuple[Any, ...]]) -> int:
    """What the sheet says: (account id, "sheet", *counts, driver time since when, origin, note,
    bits of the metrics that could not be read, bits of those in doubt)."""
    return _put_observation.run(tx, rows)


def believe_sheet(tx: sa.Connection, account_id: int, place: int) -> None:
    """What the sheet says of a metric, by its place, is no longer in doubt."""
    mine = (
        observations.c.account_id == account_id,
        observations.c.source == "sheet",
        observations.c.doubted.op("&")(1 << place) != 0,
    )
    tx.execute(observations.update().where(*mine).values(doubted=observations.c.doubted - (1 << place)))


def drop_sheet(tx: sa.Connection, ids: Sequence[int]) -> None:
    """The sheet says nothing of these accounts any more."""
    for part in chunks(ids):
        tx.execute(observations.delete().where(observations.c.account_id.in_(part), observations.c.source == "sheet"))


def put_accepted(tx: sa.Connection, rows: Sequence[tuple[int, Values, int]]) -> None:
    """The readings that the merge believed, and bits of those that it did not."""
    if rows:
        _put_accepted.run(tx, [(account, *counts, held) for account, counts, held in rows])


def drop_accepted(tx: sa.Connection, ids: Sequence[int]) -> None:
    for part in chunks(ids):
        tx.execute(accepted_readings.delete().where(accepted_readings.c.account_id.in_(part)))
