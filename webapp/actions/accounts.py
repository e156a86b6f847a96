"""A project's accounts: add, change, remove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from webapp.actions.desk import Desk
from webapp.actions.texts import clean_line, parse_profile, refusal
from webapp.errors import Conflict, NotFound
from webapp.model import Mode, Profile
from webapp.rules.modes import mode_of
from webapp.store import accounts, projects
from webapp.store.accounts import Account
from webapp.store.projects import present_project

LONGEST_TEXT = 255  # as in a cell of the Sheet


@dataclass(frozen=True)
class EditedAccount:
    """An account as an action leaves it. aliases: the other url_keys that mean it. new: it was not known before."""

    account: Account
    aliases: Sequence[str]
    new: bool = False


def edited_account(tx: sa.Connection, account: Account, *, new: bool = False) -> EditedAccount:
    """The account with its aliases, as the transaction sees them."""
    return EditedAccount(account, accounts.aliases(tx, account.id), new)


def create_account(
    desk: Desk,
    project_id: str,
    *,
    profile_url: str | None = None,
    platform: str | None = None,
    username: str | None = None,
    owner: str | None = None,
    topic: str | None = None,
    mode: Mode | None = None,
) -> EditedAccount:
    """Add an account to a project, or bring a removed one back with its history.

    It is named by its profile URL, or by platform and username. It stays in the project whether the Sheet has a row
    for it or not; where it has one, the row's words win.

    Raises: NotFound; Invalid; Conflict when it is in the project already.
    """
    profile = _profile(profile_url, platform, username)
    values = _texts({name: text for name, text in (("owner", owner), ("topic", topic)) if text is not None})
    if mode is not None:
        values |= {"mode": mode, "mode_set": True}
    with desk.edit() as edit:
        project = present_project(projects.lock(edit.tx, project_id))
        known = accounts.claimant(edit.tx, project.id, profile.url_key)
        if known is not None and known.removed_at is None:
            raise account_conflict(known, "is in the project already", "change it instead")
        if known is None:
            account = accounts.add(edit.tx, project.id, profile, values, edit.now)
            names = ("url_key", "platform", "username", "profile_url", *values)
            edit.audit("account.add", f"account:{account.id}", None, {name: getattr(account, name) for name in names})
        else:
            with edit.moving(project.id, [known.id]):
                account = accounts.bring_back(edit.tx, known, values)
            edit.audit_account("account.return", known, account)
        return edited_account(edit.tx, account, new=known is None)


def change_account(desk: Desk, account_id: int, values: Mapping[str, Any]) -> EditedAccount:
    """Change who owns an account, its topic, or how it is counted.

    values: what shall be different of `owner`, `topic` and `mode`. A mode overrides the Status column; None: the
    column decides again.

    Raises: NotFound; Invalid; Conflict for what the account's row in the Sheet says.
    """
    values = _texts(values)
    with desk.edit() as edit:
        account = present_account(accounts.lock(edit.tx, account_id))
        _leave_to_the_sheet(edit.tx, account, values)
        if "mode" in values:
            mode = values["mode"]
            values |= {"mode": mode or mode_of(account.status), "mode_set": mode is not None}
        with edit.moving(account.project_id, [account.id]):
            changed = accounts.change(edit.tx, account, values)
        edit.audit_account("account.change", account, changed)
        return edited_account(edit.tx, changed)


def remove_account(desk: Desk, account_id: int) -> EditedAccount:
    """Take an account out of its project; rows of the Sheet no longer bring it back. Its history stays.

    Raises: NotFound.
    """
    with desk.edit() as edit:
        account = accounts.lock(edit.tx, account_id)
        with edit.moving(account.project_id, [account.id]):
            removed = accounts.remove(edit.tx, account, edit.now)
        edit.audit_account("account.remove", account, removed)
        return edited_account(edit.tx, removed)


def present_account(account: Account) -> Account:
    """The account, if it is in its project now.

    Raises: NotFound.
    """
    if account.removed_at is not None:
        words = f"account {account.id} was removed"
        raise NotFound(words, code="account_not_found", hint="add its profile URL again first")
    return account


def account_conflict(account: Account, words: str, hint: str) -> Conflict:
    """What to raise when a profile belongs to an account already."""
    return Conflict(f"{account.profile_url} {words}", code="already_exists", hint=hint, account_id=account.id)


def _profile(profile_url: str | None, platform: str | None, username: str | None) -> Profile:
    if profile_url is not None:
        if platform is not None or username is not None:
            raise refusal("profile_url", "is enough; leave platform and username out")
        return parse_profile("profile_url", profile_url)
    if platform is None or username is None:
        raise refusal("profile_url", "is missing; give it, or platform and username")
    return parse_profile("username", username, platform)


def _texts(values: Mapping[str, Any]) -> dict[str, Any]:
    """Owner and topic as the Sheet's cells would be kept: one person is one text, with or without the @."""
    cleaned = dict(values)
    if values.get("topic") is not None:
        cleaned["topic"] = clean_line("topic", values["topic"], LONGEST_TEXT)
    if values.get("owner") is not None:
        owner = clean_line("owner", values["owner"], LONGEST_TEXT).removeprefix("@")
        cleaned["owner"] = clean_line("owner", owner, LONGEST_TEXT)
    return cleaned


def _leave_to_the_sheet(tx: sa.Connection, account: Account, values: Mapping[str, Any]) -> None:
    """Refuse what the next reading of the account's row would undo."""
    fields = [name for name in ("owner", "topic") if name in values and values[name] != getattr(account, name)]
    if fields and accounts.has_row(tx, account):
        words = f"the account has a row in the Sheet, which says its {' and '.join(fields)}"
        hint = "change it there; add the column if there is none"
        raise Conflict(words, field=fields[0], code="kept_in_sheet", hint=hint)
