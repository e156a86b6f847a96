"""Accounts as platforms know them: whose turn it is to be read, the platform's own ids, and why one could not be read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from webapp.store.statement import Bulk, Query, bind_ids, chunks, in_order, texts_in, upsert
from webapp.store.tables import ACCOUNT_THERE, account_aliases, account_reads, accounts, observations
from webapp.store.types import native


class ReadTurn(NamedTuple):
    """An account whose turn it is. platform_id, handle: as the platform gave them; code: why it could not be read last."""

    account_id: int
    project_id: str
    platform: str
    url_key: str
    username: str | None
    platform_id: str | None
    handle: str | None
    code: str | None


def _build_turns(dialect: str) -> sa.Select[Any]:
    parsed = (observations.c.account_id == accounts.c.id) & (observations.c.source == sa.literal_column("'parsed'"))
    before, now = (sa.bindparam(name, type_=observations.c.observed_at.type) for name in ("before", "now"))
    # What cannot be read comes behind the others, or it would keep them from being read at all.
    tried_at = sa.func.coalesce(account_reads.c.since, observations.c.observed_at)
    asked = _accounts_in_order() if dialect == "sqlite" else accounts
    statement = (
        sa.select(
            accounts.c.id,
            accounts.c.project_id,
            accounts.c.platform,
            accounts.c.url_key,
            accounts.c.username,
            account_reads.c.platform_id,
            account_reads.c.handle,
            account_reads.c.code,
        )
        .select_from(
            asked.outerjoin(account_reads, account_reads.c.account_id == accounts.c.id).outerjoin(observations, parsed)
        )
        .where(ACCOUNT_THERE, accounts.c.mode == sa.literal_column("'auto'"))
        .where(observations.c.observed_at.is_(None) | (observations.c.observed_at < before))
        .where(account_reads.c.again_at.is_(None) | (account_reads.c.again_at <= now))
        .order_by(tried_at.is_not(None), tried_at, accounts.c.id)
    )
    if dialect == "sqlite":
        return statement
    of = accounts.c.project_id.op("IN")(texts_in(sa.bindparam("of")))
    return statement.where(of, accounts.c.platform.op("IN")(texts_in(sa.bindparam("platforms"))))


def _accounts_in_order() -> sa.FromClause:
    """The accounts of projects and platforms, by the one index that has the keys of a project in their order.

    A key begins with its platform, so a project without accounts of it costs one look. The texts of PostgreSQL are not
    in that order.
    """
    projects, platforms = (
        sa.func.json_each(sa.bindparam(name)).table_valued("value", name=f"each_{name}") for name in ("of", "platforms")
    )
    key, platform = accounts.c.url_key, platforms.c.value
    mine = (key >= platform.concat(":")) & (key < platform.concat(";")) & (accounts.c.platform == platform)
    every = in_order(projects, platforms, sa.true())
    return in_order(every, accounts, (accounts.c.project_id == projects.c.value) & mine)


_turns = Query(_build_turns)


def turns(
    tx: sa.Connection, project_ids: Collection[str], platforms: Collection[str], before: datetime, now: datetime
) -> Iterator[ReadTurn]:
    """The accounts of these projects and platforms that programs read and whose turn it is, never asked for and oldest first.

    before: of those that were read, the ones whose last reading is older.
    """
    kind = observations.c.observed_at.type
    values = {"of": bind_ids(tx, project_ids), "platforms": bind_ids(tx, platforms)}
    stamps = {"before": native(tx, kind, before), "now": native(tx, kind, now)}
    return (ReadTurn._make(row) for row in _turns.rows(tx, **values, **stamps))


def platforms_there(tx: sa.Connection) -> set[str]:
    """Platforms of which there are accounts that programs read."""
    there = sa.select(accounts.c.platform).distinct().where(ACCOUNT_THERE, accounts.c.mode == "auto")
    return set(tx.execute(there).scalars())


class AccountRead(NamedTuple):
    """What is kept of an account beside its counts. code: why it could not be read; None: it could."""

    account_id: int
    source: str | None
    platform_id: str | None
    handle: str | None
    code: str | None = None
    message: str | None = None
    since: datetime | None = None
    again_at: datetime | None = None


_put = upsert(account_reads, ["account_id"])


def put(tx: sa.Connection, reads: Sequence[AccountRead]) -> None:
    kind = account_reads.c.since.type
    rows = [(*one[:6], native(tx, kind, one.since), native(tx, kind, one.again_at)) for one in reads]
    if rows:
        _put.run(tx, rows)


def _build_alias(insert: Any) -> sa.UpdateBase:
    names = ("project_id", "url_key", "account_id", "created_at")
    values = {name: sa.bindparam(name, type_=account_aliases.c[name].type) for name in names}
    statement = insert(account_aliases).values(reason=sa.literal_column("'platform'"), **values)
    return statement.on_conflict_do_nothing()  # type: ignore[no-any-return]


_alias = Bulk(_build_alias, ("project_id", "url_key", "account_id", "created_at"))


def add_aliases(tx: sa.Connection, names: Mapping[tuple[str, str], int], now: datetime) -> None:
    """Let url_keys mean accounts, {(project id, url_key): account id}; those that accounts have are left out."""
    if not names:
        return
    has: set[tuple[str, str]] = set()
    mine = accounts.c.project_id.in_({project_id for project_id, _ in names})
    for part in chunks(sorted({key for _, key in names})):
        taken = sa.select(accounts.c.project_id, accounts.c.url_key).where(mine, accounts.c.url_key.in_(part))
        has.update((project_id, key) for project_id, key in tx.execute(taken))
    stamp = native(tx, account_aliases.c.created_at.type, now)
    rows = [(*name, account_id, stamp) for name, account_id in names.items() if name not in has]
    if rows:
        _alias.run(tx, rows)


def why_unread(tx: sa.Connection, account_id: int) -> AccountRead | None:
    """What is kept of an account that could not be read; None where it could, or nobody has tried."""
    columns = [account_reads.c[name] for name in AccountRead._fields]
    mine = (account_reads.c.account_id == account_id) & account_reads.c.code.is_not(None)
    row = tx.execute(sa.select(*columns).where(mine)).first()
    return AccountRead._make(row) if row else None


class UnreadAccounts(NamedTuple):
    """Accounts that a platform could not be read for, for one reason. message: of one of them."""

    source: str
    code: str
    accounts: int
    message: str | None


def unread(tx: sa.Connection, project_id: str | None = None) -> list[UnreadAccounts]:
    """By platform and reason, of all accounts that programs read or of those of a project."""
    mine = sa.true() if project_id is None else accounts.c.project_id == project_id
    statement = (
        sa.select(account_reads.c.source, account_reads.c.code, sa.func.count(), sa.func.min(account_reads.c.message))
        .join(accounts, accounts.c.id == account_reads.c.account_id)
        .where(account_reads.c.code.is_not(None), ACCOUNT_THERE, accounts.c.mode == "auto", mine)
        .group_by(account_reads.c.source, account_reads.c.code)
        .order_by(account_reads.c.source, account_reads.c.code)
    )
    return [UnreadAccounts(*row) for row in tx.execute(statement)]
