"""Accounts: one social profile in a project each, with its current counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from webapp.errors import NotFound
from webapp.model import LARGEST, METRICS, UNKNOWN, Counts, Mode, Profile, Values
from webapp.store import projects
from webapp.store.backends.dialect import counted
from webapp.store.backends.dialect import new_ids as fresh_ids
from webapp.store.statement import Query, Ready, bind_ids, chunks, insert, texts_in, update
from webapp.store.tables import ACCOUNT_THERE, account_aliases, account_reads, accounts, observations
from webapp.store.types import Stamp, native


class Account(NamedTuple):
    """One row of `accounts`, with its current counts. Times are driver values.

    profile_url: as typed. removed_by None: it is in the project now. mode_set: the Status column no longer decides.
    """

    id: int
    project_id: str
    platform: str
    username: str | None
    profile_url: str
    topic: str | None
    owner: str | None
    status: str | None
    mode: Mode
    discovered: Literal["sheet", "api"]
    counts: Counts
    changed_at: Stamp | None
    added_at: Stamp | None
    removed_at: Stamp | None
    removed_by: Literal["sheet", "api"] | None
    url_key: str
    mode_set: bool

    @property
    def counted(self) -> bool:
        """Whether it belongs to its project now and is not switched off."""
        return self.removed_at is None and self.mode != "off"

    @property
    def contribution(self) -> Values:
        """The counts as far as they belong in sums."""
        return self.counts if self.counted else UNKNOWN

    @classmethod
    def of(cls, row: Sequence[Any]) -> Account:
        """From the values of `ACCOUNT_COLUMNS`."""
        return cls._make((*row[:_BEFORE], Counts._make(row[_BEFORE:_AFTER]), *row[_AFTER:]))


_BEFORE = Account._fields.index("counts")
_AFTER = _BEFORE + len(METRICS)
ACCOUNT_COLUMNS = tuple(
    accounts.c[name] for field in Account._fields for name in (METRICS if field == "counts" else (field,))
)
_SELECT = sa.select(*ACCOUNT_COLUMNS)


# Single accounts


def by_id(tx: sa.Connection, account_id: int) -> Account | None:
    """The account, removed or not."""
    row = tx.execute(_SELECT.where(accounts.c.id == account_id)).first() if account_id <= LARGEST else None
    return None if row is None else Account.of(row)


def missing(account_id: int) -> NotFound:
    return NotFound(f"there is no account {account_id}", code="account_not_found")


def get(tx: sa.Connection, account_id: int) -> Account:
    """The account, removed or not.

    Raises: NotFound.
    """
    account = by_id(tx, account_id)
    if account is None:
        raise missing(account_id)
    return account


def lock(tx: sa.Connection, account_id: int) -> Account:
    """The account, removed or not, and the lock of its project.

    Raises: NotFound.
    """
    projects.lock(tx, get(tx, account_id).project_id)
    return get(tx, account_id)  # as it is now that nobody else changes it


def owner_of(tx: sa.Connection, account_id: int) -> str | None:
    """The id of the project of an account, removed or not; None when there is no such account."""
    return None if account_id > LARGEST else tx.execute(_PROJECT_OF, {"of": account_id}).scalar()


_PROJECT_OF = sa.select(accounts.c.project_id).where(accounts.c.id == sa.bindparam("of", type_=accounts.c.id.type))


def aliases(tx: sa.Connection, account_id: int) -> Sequence[str]:
    """The other url_keys that mean the account."""
    statement = sa.select(account_aliases.c.url_key).where(account_aliases.c.account_id == account_id)
    return sorted(tx.execute(statement).scalars())


_aliases = Ready(
    lambda _: (
        sa.select(account_aliases.c.project_id, account_aliases.c.url_key, accounts.c.url_key)
        .join(accounts, accounts.c.id == account_aliases.c.account_id)
        .where(account_aliases.c.project_id.op("IN")(texts_in(sa.bindparam("of"))))
    )
)


_by_key = Query(
    lambda _: sa.select(accounts.c.id).where(
        accounts.c.project_id == sa.bindparam("of"), accounts.c.url_key.op("IN")(texts_in(sa.bindparam("keys")))
    )
)


def ids_by_key(tx: sa.Connection, keys: Mapping[str, Collection[str]]) -> dict[str, set[int]]:
    """{project id: accounts that it has of these keys}. keys: {project id: keys}."""
    found: dict[str, set[int]] = {}
    for project_id, wanted in keys.items():
        for (account_id,) in _by_key.rows(tx, of=project_id, keys=bind_ids(tx, wanted)):
            found.setdefault(project_id, set()).add(account_id)
    return found


def aliases_of(tx: sa.Connection, project_ids: Collection[str]) -> dict[str, dict[str, str]]:
    """The other profile URLs by which rows of the sheet may still call accounts.

    {project id: {other url_key: url_key}}; projects without any are not there.
    """
    found: dict[str, dict[str, str]] = {}
    for project_id, alias, key in _aliases.rows(tx, of=bind_ids(tx, project_ids)):
        found.setdefault(project_id, {})[alias] = key
    return found


def keys_of(tx: sa.Connection, project_ids: Sequence[str]) -> dict[str, set[str]]:
    """{project id: the url_keys of its accounts}; removed accounts are not there."""
    found: dict[str, set[str]] = {project_id: set() for project_id in project_ids}
    for part in chunks(project_ids):
        where = accounts.c.project_id.in_(part) & ACCOUNT_THERE
        for project_id, key in tx.execute(sa.select(accounts.c.project_id, accounts.c.url_key).where(where)):
            found[project_id].add(key)
    return found


def total_of(tx: sa.Connection, project_id: str) -> int:
    """Accounts that are in the project now."""
    statement = sa.select(sa.func.count()).where(accounts.c.project_id == project_id, ACCOUNT_THERE)
    return int(tx.execute(statement).scalar_one())


def claimant(tx: sa.Connection, project_id: str, url_key: str) -> Account | None:
    """The account of the project, removed or not, that has this url_key or had it."""
    had = sa.select(account_aliases.c.account_id).where(
        account_aliases.c.project_id == project_id, account_aliases.c.url_key == url_key
    )
    has = (accounts.c.project_id == project_id) & (accounts.c.url_key == url_key)
    row = tx.execute(_SELECT.where(has | accounts.c.id.in_(had))).first()
    return None if row is None else Account.of(row)


def has_row(tx: sa.Connection, account: Account) -> bool:
    """Whether the sheet has a row for the account, as far as the last sync saw."""
    said = sa.select(observations.c.source).where(
        observations.c.account_id == account.id, observations.c.source == "sheet"
    )
    return account.discovered == "sheet" or tx.execute(said).first() is not None


def of_keys(tx: sa.Connection, keys: Sequence[str], project_id: str | None) -> dict[str, list[int]]:
    """{url_key: account ids}, over all projects or in one, by former addresses too; removed accounts are not there."""
    found: dict[str, list[int]] = {}
    by_alias = sa.select(account_aliases.c.url_key, accounts.c.id).join(
        account_aliases, account_aliases.c.account_id == accounts.c.id
    )
    for part in chunks(keys):
        for statement, key_column in (
            (sa.select(accounts.c.url_key, accounts.c.id), accounts.c.url_key),
            (by_alias, account_aliases.c.url_key),
        ):
            there = statement.where(key_column.in_(part), ACCOUNT_THERE)
            if project_id is not None:
                there = there.where(accounts.c.project_id == project_id)
            for key, account_id in tx.execute(there):
                found.setdefault(key, []).append(account_id)
    return found


def present_ids(tx: sa.Connection, ids: Sequence[int]) -> set[int]:
    """Those of the ids that are accounts now."""
    found: set[int] = set()
    for part in chunks(ids):
        statement = sa.select(accounts.c.id).where(accounts.c.id.in_(part), ACCOUNT_THERE)
        found.update(tx.execute(statement).scalars())
    return found


# Changes by hand


def _profile_columns(profile: Profile) -> dict[str, Any]:
    return {
        "url_key": profile.url_key,
        "platform": profile.platform,
        "username": profile.username,
        "profile_url": profile.url,
    }


def add(tx: sa.Connection, project_id: str, profile: Profile, values: Mapping[str, Any], now: datetime) -> Account:
    """A new account of the project, which stays whether the sheet has a row for it or not."""
    row = _profile_columns(profile) | dict(values) | {"project_id": project_id, "discovered": "api", "added_at": now}
    added = get(tx, tx.execute(accounts.insert().values(**row).returning(accounts.c.id)).scalar_one())
    projects.touch(tx, [project_id], read=True)
    return added


def bring_back(tx: sa.Connection, account: Account, values: Mapping[str, Any]) -> Account:
    """A removed account comes back with its history."""
    values = dict(values) | {"removed_at": None, "removed_by": None, "discovered": "api"}
    return change(tx, account, values)


def remove(tx: sa.Connection, account: Account, now: datetime) -> Account:
    """Out of the project, whatever rows the sheet has; the history stays."""
    if account.removed_by == "api":
        return account
    values = {"removed_at": account.removed_at or now, "removed_by": "api"}
    return change(tx, account, values)


def change(tx: sa.Connection, account: Account, values: Mapping[str, Any]) -> Account:
    after = projects.changes(account, values)
    if not after:
        return account
    tx.execute(accounts.update().where(accounts.c.id == account.id).values(**after))
    projects.touch(tx, [account.project_id], read=True)
    return get(tx, account.id)


def correct_url(tx: sa.Connection, account: Account, profile: Profile, now: datetime) -> Account:
    """Another profile URL, that no other account of the project claims; the old one goes on to mean this account."""
    if profile.url_key == account.url_key:
        return account
    aliases = account_aliases.c
    mine = (aliases.project_id == account.project_id) & (aliases.url_key == profile.url_key)
    # What a platform said of the profile that was meant before is not so of the one that is meant now.
    its = (aliases.account_id == account.id) & (aliases.reason == "platform")
    tx.execute(account_aliases.delete().where(mine | its))
    tx.execute(account_reads.delete().where(account_reads.c.account_id == account.id))
    add_alias(tx, account.project_id, account.url_key, account.id, "corrected", now)
    return change(tx, account, _profile_columns(profile))


def add_alias(tx: sa.Connection, project_id: str, url_key: str, account_id: int, reason: str, now: datetime) -> None:
    row = {"project_id": project_id, "url_key": url_key, "account_id": account_id, "reason": reason, "created_at": now}
    tx.execute(account_aliases.insert().values(**row))


def drop_alias(tx: sa.Connection, account: Account, url_key: str) -> None:
    """This url_key no longer means the account: somebody else has the name now.

    Raises: NotFound.
    """
    mine = (account_aliases.c.account_id == account.id) & (account_aliases.c.url_key == url_key)
    if not counted(tx, account_aliases.delete().where(mine)):
        raise NotFound(f"account {account.id} has no such other name", code="alias_not_found")
    projects.touch(tx, [account.project_id], read=True)


# Changes by a sync


Rows = Sequence[tuple[Any, ...]]


_NEW = (
    "id", "project_id", "platform", "username", "profile_url", "url_key", "topic", "owner", "status", "mode",
    *METRICS, "changed_at", "added_at",
)  # fmt: skip


_DESCRIBED = ("platform", "username", "profile_url", "topic", "owner", "status", "mode")


_add_accounts = insert(accounts, _NEW)
_describe = update(accounts.c.id, _DESCRIBED)
_write_counts = update(accounts.c.id, (*METRICS, "changed_at"))


def new_ids(tx: sa.Connection, count: int) -> Sequence[int]:
    """For so many accounts that will be added in this transaction, rising."""
    return fresh_ids(tx, accounts, count) if count else []


def add_accounts(tx: sa.Connection, rows: Iterable[tuple[Any, ...]], now: datetime) -> None:
    """New accounts of the sheet.

    rows: (id, project id, platform, username, typed, url_key, topic, owner, status, mode, *counts).
    """
    stamp = native(tx, accounts.c.added_at.type, now)
    _add_accounts.run(tx, ((*row, stamp, stamp) for row in rows))


def describe_accounts(tx: sa.Connection, rows: Rows) -> int:
    """(platform, username, profile_url, topic, owner, status, mode, account id)"""
    return _describe.run(tx, rows) if rows else 0


def write_counts(tx: sa.Connection, rows: Iterable[tuple[int, Values]], now: datetime) -> int:
    """Current counts that changed; how many rows the database changed."""
    stamp = native(tx, accounts.c.changed_at.type, now)
    return _write_counts.run(tx, ((*counts, stamp, account) for account, counts in rows))


def remove_accounts(tx: sa.Connection, ids: Sequence[int], now: datetime, by: Literal["sheet", "api"]) -> None:
    """Out of the project from now on; their history stays."""
    for part in chunks(ids):
        tx.execute(accounts.update().where(accounts.c.id.in_(part)).values(removed_at=now, removed_by=by))


def return_accounts(tx: sa.Connection, ids: Sequence[int]) -> None:
    for part in chunks(ids):
        tx.execute(accounts.update().where(accounts.c.id.in_(part)).values(removed_at=None, removed_by=None))
