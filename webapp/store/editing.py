"""What people change by hand: projects, their accounts, single snapshots.

Whoever changes something has locked its project, as a sync does before it writes. Every change counts the project's
revision up, tells the next sync to merge, and to read the tab again where its rows may mean other accounts than before,
and leaves an audit row. A change that changes nothing leaves no trace.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal

import sqlalchemy as sa

from webapp.errors import NotFound
from webapp.model import METRICS, Counts, Mode, Policy, Profile
from webapp.store.backends.dialect import counted, insert_for
from webapp.store.changes import audit
from webapp.store.tables import (
    accepted_readings,
    account_aliases,
    account_snapshots,
    accounts,
    count_changes,
    held_observations,
    ignored_tabs,
    observations,
    pins,
    projects,
)

BIGGEST = 2**63 - 1


@dataclass(frozen=True)
class ProjectRow:
    """What of a project can be edited, and what tells it apart. spreadsheet None: the default one."""

    id: str
    name: str
    name_set: bool
    status: Literal["active", "paused", "finished"]
    spreadsheet: str | None
    worksheet_id: str | None
    worksheet_title: str | None
    merge_policy: Policy
    auto_sync: bool
    interval_minutes: int | None
    target_views: int | None
    start_date: date | None
    end_date: date | None
    revision: int
    created_at: datetime | None
    updated_at: datetime | None
    removed_at: datetime | None


@dataclass(frozen=True)
class AccountRow:
    """An account without its history. removed_by None: it is in the project now."""

    id: int
    project_id: str
    platform: str
    username: str | None
    profile_url: str
    url_key: str
    topic: str | None
    owner: str | None
    status: str | None
    mode: Mode
    mode_set: bool
    discovered: Literal["sheet", "api"]
    followers: int | None
    likes: int | None
    comments: int | None
    videos: int | None
    views: int | None
    changed_at: datetime | None
    added_at: datetime | None
    removed_at: datetime | None
    removed_by: Literal["sheet", "api"] | None


_PROJECT = sa.select(*(projects.c[name] for name in ProjectRow.__dataclass_fields__))
_ACCOUNT = sa.select(*(accounts.c[name] for name in AccountRow.__dataclass_fields__))
_COUNTS = [account_snapshots.c[metric] for metric in METRICS]


def _touch(tx: sa.Connection, project_id: str, *, merge: bool = False, read: bool = False) -> None:
    """What a read answers has changed. merge: the next sync merges again; read: it reads an unchanged tab again too."""
    values: dict[str, Any] = {"revision": projects.c.revision + 1}
    if merge or read:
        values["settled"] = False
    if read:
        values["sheet_seen"] = None
    tx.execute(projects.update().where(projects.c.id == project_id).values(values))


def _differences(row: ProjectRow | AccountRow, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of the values those that are not so yet: as they are, and as they shall be."""
    after = {name: value for name, value in values.items() if getattr(row, name) != value}
    return {name: getattr(row, name) for name in after}, after


# Projects


def locked_project(tx: sa.Connection, project_id: str) -> ProjectRow:
    """The project, removed or not, and its lock.

    Raises: NotFound.
    """
    row = None
    if "\x00" not in project_id:  # PostgreSQL does not even compare with it
        row = tx.execute(_PROJECT.where(projects.c.id == project_id).with_for_update()).first()
    if row is None:
        raise NotFound(f"there is no project {project_id[:100]!r}", code="project_not_found")
    return ProjectRow(*row)


def project_of_tab(tx: sa.Connection, spreadsheet: str | None, worksheet_id: str) -> ProjectRow | None:
    """The project that a tab belongs to, removed or not."""
    same = projects.c.spreadsheet.is_(None) if spreadsheet is None else projects.c.spreadsheet == spreadsheet
    row = tx.execute(_PROJECT.where(same, projects.c.worksheet_id == worksheet_id)).first()
    return None if row is None else ProjectRow(*row)


def add_project(tx: sa.Connection, values: Mapping[str, Any], now: datetime) -> ProjectRow | None:
    """A new project, with its name set by hand; None when another has just taken its tab."""
    row = {"id": str(uuid.uuid4()), "name_set": True, **values, "created_at": now, "updated_at": now}
    if not counted(tx, insert_for(tx, projects).values(row).on_conflict_do_nothing()):
        return None
    added = locked_project(tx, row["id"])
    _forget_ignored(tx, added)
    audit(tx, "project.add", f"project:{added.id}", None, dict(values), now)
    return added


def _forget_ignored(tx: sa.Connection, project: ProjectRow) -> None:
    mine = (ignored_tabs.c.spreadsheet == (project.spreadsheet or "")) & (
        ignored_tabs.c.worksheet_id == project.worksheet_id
    )
    tx.execute(ignored_tabs.delete().where(mine))


def change_project(
    tx: sa.Connection, project: ProjectRow, values: Mapping[str, Any], now: datetime, action: str = "project.change"
) -> ProjectRow:
    before, after = _differences(project, values)
    if not after:
        return project
    tx.execute(projects.update().where(projects.c.id == project.id).values(**after, updated_at=now))
    _touch(tx, project.id, merge="merge_policy" in after)
    audit(tx, action, f"project:{project.id}", before, after, now)
    return locked_project(tx, project.id)


def remove_project(tx: sa.Connection, project: ProjectRow, now: datetime) -> ProjectRow:
    """No longer synced, and not found again in its tab; everything that is stored of it stays."""
    if project.removed_at is not None:
        return project
    if project.worksheet_id is not None:
        tab = {"spreadsheet": project.spreadsheet or "", "worksheet_id": project.worksheet_id}
        row = tab | {"title": project.worksheet_title, "ignored_at": now}
        tx.execute(insert_for(tx, ignored_tabs).values(row).on_conflict_do_nothing())
    return change_project(tx, project, {"removed_at": now}, now, "project.remove")


def restore_project(tx: sa.Connection, project: ProjectRow, now: datetime) -> ProjectRow:
    """As if it had never been removed."""
    _forget_ignored(tx, project)
    return change_project(tx, project, {"removed_at": None}, now, "project.restore")


# Accounts


def account_by_id(tx: sa.Connection, account_id: int) -> AccountRow:
    """The account, removed or not.

    Raises: NotFound.
    """
    row = None
    if account_id <= BIGGEST:
        row = tx.execute(_ACCOUNT.where(accounts.c.id == account_id)).first()
    if row is None:
        raise NotFound(f"there is no account {account_id}", code="account_not_found")
    return AccountRow(*row)


def locked_account(tx: sa.Connection, account_id: int) -> AccountRow:
    """The account, removed or not, and the lock of its project.

    Raises: NotFound.
    """
    locked_project(tx, account_by_id(tx, account_id).project_id)
    return account_by_id(tx, account_id)  # as it is now that nobody else changes it


def aliases(tx: sa.Connection, account_id: int) -> Sequence[str]:
    """The other url_keys that mean the account."""
    statement = sa.select(account_aliases.c.url_key).where(account_aliases.c.account_id == account_id)
    return sorted(tx.execute(statement).scalars())


def claimant(tx: sa.Connection, project_id: str, url_key: str) -> AccountRow | None:
    """The account of the project, removed or not, that has this url_key or had it."""
    had = sa.select(account_aliases.c.account_id).where(
        account_aliases.c.project_id == project_id, account_aliases.c.url_key == url_key
    )
    has = (accounts.c.project_id == project_id) & (accounts.c.url_key == url_key)
    row = tx.execute(_ACCOUNT.where(has | accounts.c.id.in_(had))).first()
    return None if row is None else AccountRow(*row)


def has_row(tx: sa.Connection, account: AccountRow) -> bool:
    """Whether the sheet has a row for the account, as far as the last sync saw."""
    said = sa.select(observations.c.source).where(
        observations.c.account_id == account.id, observations.c.source == "sheet"
    )
    return account.discovered == "sheet" or tx.execute(said).first() is not None


def _described(profile: Profile) -> dict[str, Any]:
    return {
        "url_key": profile.url_key,
        "platform": profile.platform,
        "username": profile.username,
        "profile_url": profile.url,
    }


def add_account(
    tx: sa.Connection, project_id: str, profile: Profile, values: Mapping[str, Any], now: datetime
) -> AccountRow:
    """A new account of the project, which stays whether the sheet has a row for it or not."""
    described = _described(profile) | dict(values)
    row = described | {"project_id": project_id, "discovered": "api", "added_at": now}
    added = account_by_id(tx, tx.execute(accounts.insert().values(**row).returning(accounts.c.id)).scalar_one())
    _touch(tx, project_id, read=True)
    audit(tx, "account.add", f"account:{added.id}", None, described, now)
    return added


def return_account(tx: sa.Connection, account: AccountRow, values: Mapping[str, Any], now: datetime) -> AccountRow:
    """A removed account comes back with its history."""
    values = dict(values) | {"removed_at": None, "removed_by": None, "discovered": "api"}
    return _changed(tx, account, values, now, "account.return")


def remove_account(tx: sa.Connection, account: AccountRow, now: datetime) -> AccountRow:
    """Out of the project, whatever rows the sheet has; the history stays."""
    if account.removed_by == "api":
        return account
    values = {"removed_at": account.removed_at or now, "removed_by": "api"}
    return _changed(tx, account, values, now, "account.remove")


def change_account(tx: sa.Connection, account: AccountRow, values: Mapping[str, Any], now: datetime) -> AccountRow:
    return _changed(tx, account, values, now, "account.change")


def _changed(
    tx: sa.Connection,
    row: AccountRow,
    values: Mapping[str, Any],
    now: datetime,
    action: str,
    note: str | None = None,
) -> AccountRow:
    before, after = _differences(row, values)
    if not after:
        return row
    tx.execute(accounts.update().where(accounts.c.id == row.id).values(**after))
    _touch(tx, row.project_id, read=True)
    audit(tx, action, f"account:{row.id}", before, after, now, note)
    return account_by_id(tx, row.id)


def correct_url(
    tx: sa.Connection, account: AccountRow, profile: Profile, now: datetime, note: str | None = None
) -> AccountRow:
    """Another profile URL, that no other account of the project claims; the old one goes on to mean this account."""
    if profile.url_key == account.url_key:
        return account
    mine = (account_aliases.c.project_id == account.project_id) & (account_aliases.c.url_key == profile.url_key)
    tx.execute(account_aliases.delete().where(mine))
    _add_alias(tx, account.project_id, account.url_key, account.id, "corrected", now)
    return _changed(tx, account, _described(profile), now, "account.correct_url", note)


def _add_alias(tx: sa.Connection, project_id: str, url_key: str, account_id: int, reason: str, now: datetime) -> None:
    row = {"project_id": project_id, "url_key": url_key, "account_id": account_id, "reason": reason, "created_at": now}
    tx.execute(account_aliases.insert().values(**row))


def drop_alias(tx: sa.Connection, account: AccountRow, url_key: str, now: datetime) -> AccountRow:
    """This url_key no longer means the account: somebody else has the name now.

    Raises: NotFound.
    """
    mine = (account_aliases.c.account_id == account.id) & (account_aliases.c.url_key == url_key)
    if not counted(tx, account_aliases.delete().where(mine)):
        raise NotFound(f"account {account.id} has no such other name", code="alias_not_found")
    _touch(tx, account.project_id, read=True)
    audit(tx, "account.drop_alias", f"account:{account.id}", {"url_key": url_key}, None, now)
    return account


# Two accounts that are one


@dataclass(frozen=True)
class BothDays:
    """A day that both accounts have a snapshot of: what the account keeps, and what is left out."""

    day: date
    kept: Counts
    left_out: Counts


@dataclass(frozen=True)
class Merged:
    """What an account took over from another, which is no more."""

    days_taken: Sequence[date]
    days_kept: Sequence[BothDays]
    observations_taken: Sequence[str]
    pins_taken: Sequence[str]
    aliases_taken: Sequence[str]


def merge_accounts(
    tx: sa.Connection, source: AccountRow, target: AccountRow, now: datetime, note: str | None = None
) -> Merged:
    """The target takes over what it has not got itself; the source's row goes, and its url_keys mean the target.

    Where both have something (a day, an observation, a pin), the target's stays and the source's is written into the
    audit row, with everything else that goes. The row has to go: its url_key would still claim its row of the sheet.
    """
    days_taken = _take(tx, account_snapshots, account_snapshots.c.day, source, target)
    days_kept = _both_days(tx, source, target)
    observed = _take(tx, observations, observations.c.source, source, target)
    if "parsed" in observed:  # what was believed and held of readings belongs to them
        tx.execute(accepted_readings.delete().where(accepted_readings.c.account_id == target.id))
        _move(tx, accepted_readings, source, target)
        _take(tx, held_observations, held_observations.c.metric, source, target)
    merged = Merged(
        days_taken,
        days_kept,
        observed,
        _take(tx, pins, pins.c.metric, source, target),
        sorted([*aliases(tx, source.id), source.url_key]),
    )
    _move(tx, count_changes, source, target)
    _move(tx, account_aliases, source, target)
    _bury(tx, source, target, merged, now, note)
    return merged


def _move(tx: sa.Connection, table: sa.Table, source: AccountRow, target: AccountRow) -> None:
    tx.execute(table.update().where(table.c.account_id == source.id).values(account_id=target.id))


def _take(
    tx: sa.Connection, table: sa.Table, key: sa.Column[Any], source: AccountRow, target: AccountRow
) -> Sequence[Any]:
    """Move the rows whose key the target has not; their keys, in order."""
    own = table.alias()
    taken = sa.select(own.c[key.name]).where(own.c.account_id == target.id)
    statement = table.update().where(table.c.account_id == source.id, key.not_in(taken)).values(account_id=target.id)
    return sorted(tx.execute(statement.returning(key)).scalars())


def _both_days(tx: sa.Connection, source: AccountRow, target: AccountRow) -> Sequence[BothDays]:
    mine, theirs = account_snapshots.alias(), account_snapshots
    statement = (
        sa.select(theirs.c.day, *(mine.c[metric] for metric in METRICS), *_COUNTS)
        .join(mine, (mine.c.day == theirs.c.day) & (mine.c.account_id == target.id))
        .where(theirs.c.account_id == source.id)
        .order_by(theirs.c.day)
    )
    return [BothDays(row[0], Counts(*row[1:6]), Counts(*row[6:])) for row in tx.execute(statement)]


def _bury(
    tx: sa.Connection, source: AccountRow, target: AccountRow, merged: Merged, now: datetime, note: str | None
) -> None:
    """Write down what is left of the source, delete it, and let its names mean the target."""
    tables = (account_snapshots, observations, accepted_readings, held_observations, pins)
    left = {table.name: _rows_of(tx, table, source) for table in tables}
    before = {"account": asdict(source), "added_at": target.added_at} | {
        name: rows for name, rows in left.items() if rows
    }
    audit(tx, "account.merge", f"account:{target.id}", before, {"from": source.id, **asdict(merged)}, now, note)
    audit(tx, "account.merged", f"account:{source.id}", None, {"into": target.id}, now, note)
    tx.execute(accounts.delete().where(accounts.c.id == source.id))
    _add_alias(tx, target.project_id, source.url_key, target.id, "merged", now)
    added = min(filter(None, (source.added_at, target.added_at)), default=None)
    tx.execute(accounts.update().where(accounts.c.id == target.id).values(added_at=added))
    _touch(tx, target.project_id, read=True)


def _rows_of(tx: sa.Connection, table: sa.Table, account: AccountRow) -> list[dict[str, Any]]:
    return [dict(row) for row in tx.execute(sa.select(table).where(table.c.account_id == account.id)).mappings()]


# Single snapshots


def _snapshot(tx: sa.Connection, account: AccountRow, day: date) -> Counts:
    where = (account_snapshots.c.account_id == account.id, account_snapshots.c.day == day)
    row = tx.execute(sa.select(*_COUNTS).where(*where)).first()
    if row is None:
        raise NotFound(f"account {account.id} has no snapshot of {day}", code="snapshot_not_found")
    return Counts(*row)


def correct_snapshot(
    tx: sa.Connection,
    account: AccountRow,
    day: date,
    values: Mapping[str, int | None],
    now: datetime,
    note: str | None = None,
) -> tuple[Counts, Counts]:
    """Other counts for one day; what is not among the values stays. The counts before and after.

    Raises: NotFound.
    """
    before = _snapshot(tx, account, day)
    after = before._replace(**values)
    if after != before:
        mine = (account_snapshots.c.account_id == account.id) & (account_snapshots.c.day == day)
        tx.execute(account_snapshots.update().where(mine).values(**values))
        _touch(tx, account.project_id)
        _audit_snapshot(tx, "snapshot.correct", account, day, before, after, now, note)
    return before, after


def remove_snapshot(tx: sa.Connection, account: AccountRow, day: date, now: datetime) -> Counts:
    """Forget one day; its counts.

    Raises: NotFound.
    """
    before = _snapshot(tx, account, day)
    mine = (account_snapshots.c.account_id == account.id) & (account_snapshots.c.day == day)
    tx.execute(account_snapshots.delete().where(mine))
    _touch(tx, account.project_id)
    _audit_snapshot(tx, "snapshot.remove", account, day, before, None, now, None)
    return before


def _audit_snapshot(
    tx: sa.Connection,
    action: str,
    account: AccountRow,
    day: date,
    before: Counts,
    after: Counts | None,
    now: datetime,
    note: str | None,
) -> None:
    then = {"day": day, **before._asdict()}
    audit(
        tx, action, f"account:{account.id}", then, None if after is None else {"day": day, **after._asdict()}, now, note
    )
