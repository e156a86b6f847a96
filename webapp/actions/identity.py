"""Which profile an account is: a corrected URL, two accounts that are one, a name that somebody else has now."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from webapp.actions.accounts import EditedAccount, account_conflict, edited_account, present_account
from webapp.actions.desk import Desk
from webapp.actions.texts import clean_note, parse_profile, refusal
from webapp.store import accounts, days, merging
from webapp.store.merging import Merged


@dataclass(frozen=True)
class CorrectedUrl:
    """An account before and after it got another profile URL."""

    before: EditedAccount
    after: EditedAccount


@dataclass(frozen=True)
class MergedAccounts:
    """source: the account as it was, which is no more. target: the one that goes on, as it is now."""

    source: EditedAccount
    target: EditedAccount
    merged: Merged


def correct_url(
    desk: Desk, account_id: int, profile_url: str, *, note: str | None = None, dry_run: bool = False
) -> CorrectedUrl:
    """Give an account the profile URL it should have had. Its history stays.

    The old URL goes on to mean the account, so the Sheet's row still counts until somebody corrects it, and after.

    Raises: NotFound; Invalid; Conflict when the URL is another account's.
    """
    profile, note = parse_profile("profile_url", profile_url), clean_note(note)
    with desk.edit(dry_run=dry_run) as edit:
        account = present_account(accounts.lock(edit.tx, account_id))
        before = edited_account(edit.tx, account)
        other = accounts.claimant(edit.tx, account.project_id, profile.url_key)
        if other is not None and other.id != account.id:
            raise account_conflict(other, "is another account of the project", "merge the two instead")
        corrected = accounts.correct_url(edit.tx, account, profile, edit.now)
        edit.audit_account("account.correct_url", account, corrected, note)
        return CorrectedUrl(before, edited_account(edit.tx, corrected))


def merge_account(
    desk: Desk, account_id: int, into: int, *, note: str | None = None, dry_run: bool = False
) -> MergedAccounts:
    """Merge an account, which may have been removed, into another of its project, with all its history.

    Both count as one from the start: of each day and metric the larger value. Of observations and pins the other takes
    over what it has not got itself; the audit log keeps the rest. The account is then no more: its URLs mean the other.

    Raises: NotFound; Invalid.
    """
    if into == account_id:
        raise refusal("into", "has to be another account")
    note = clean_note(note)
    with desk.edit(dry_run=dry_run) as edit:
        source = accounts.lock(edit.tx, account_id)
        target = present_account(accounts.get(edit.tx, into))
        if target.project_id != source.project_id:
            raise refusal("into", "is an account of another project")
        before = edited_account(edit.tx, source)
        both = (source.id, target.id)
        with edit.moving(target.project_id, both, days.first_of(edit.tx, both)):
            merged = merging.merge(edit.tx, source, target, edit.now)
        taken = asdict(merged)
        left = taken.pop("left")
        edit.audit("account.merge", f"account:{target.id}", left, {"from": source.id, **taken}, note)
        edit.audit("account.merged", f"account:{source.id}", None, {"into": target.id}, note)
        after = edited_account(edit.tx, accounts.get(edit.tx, target.id))
        return MergedAccounts(before, after, merged)


def drop_alias(desk: Desk, account_id: int, url_key: str) -> EditedAccount:
    """Let a former URL of an account mean nobody: somebody else has the name now.

    Raises: NotFound.
    """
    with desk.edit() as edit:
        account = accounts.lock(edit.tx, account_id)
        accounts.drop_alias(edit.tx, account, url_key)
        edit.audit("account.drop_alias", f"account:{account.id}", {"url_key": url_key}, None)
        return edited_account(edit.tx, account)
