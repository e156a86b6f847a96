"""What the editing routes have in common: their transaction, their texts, the shapes they answer with."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import sqlalchemy as sa

from webapp import web
from webapp.api.http.problems import Problem
from webapp.clock import iso
from webapp.errors import NotFound
from webapp.model import Mode, Profile
from webapp.sources.urls import BadProfile, profile_of
from webapp.store import editing
from webapp.store.db import Database
from webapp.store.editing import AccountRow

T = TypeVar("T")

BIGGEST = 2**63 - 1
BREAKS = {"Cc", "Cs", "Zl", "Zp"}  # control characters, halves of characters, line and paragraph separators

Moment = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
DryRun = Annotated[bool, msgspec.Meta(description="answer what would happen, and change nothing")]
Note = Annotated[str, msgspec.Meta(max_length=500, description="why, for the audit log")]


class DryRunQuery(msgspec.Struct):
    """Whether to try only."""

    dry_run: DryRun = False


class AccountShown(msgspec.Struct):
    """An account as it is now. `aliases`: other url_keys that mean it, in the Sheet or in a request."""

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
    changed_at: Moment | None
    added_at: Moment | None
    removed_at: Moment | None
    removed_by: Literal["sheet", "api"] | None
    aliases: list[str]


class FiveCounts(msgspec.Struct):
    """Counts; null: not observed."""

    followers: int | None
    likes: int | None
    comments: int | None
    videos: int | None
    views: int | None


class AccountAnswer(msgspec.Struct):
    success: bool
    account: AccountShown


@contextmanager
def edit(*, dry_run: bool = False) -> Iterator[sa.Connection]:
    """The transaction of one edit. A dry run does all of it and then takes it back."""
    with web.get(Database).write() as tx:
        trial = tx.begin_nested() if dry_run else None
        yield tx
        if trial is not None:
            trial.rollback()


def invalid(field: str, words: str, **more: Any) -> Problem:
    return Problem(422, "invalid_parameter", f"{field} {words}", field=field, **more)


def line(field: str, text: str, longest: int) -> str:
    """A text of one line that both databases keep as it is, in single spaces.

    Raises: Problem 422.
    """
    if any(unicodedata.category(sign) in BREAKS for sign in text):
        raise invalid(field, "has a line break, a control character or a broken character in it")
    if len(text) > longest:
        raise invalid(field, f"is longer than {longest} characters")
    cleaned = unicodedata.normalize("NFC", " ".join(text.split()))
    if not cleaned:
        raise invalid(field, "is blank")
    return cleaned[:longest]


def note_of(note: str | None) -> str | None:
    return None if note is None else line("note", note, 500)


def given(body: msgspec.Struct, *names: str) -> dict[str, Any]:
    """Those of the members (by default of all) that the body names, null or not.

    Raises: Problem 422 when it names none.
    """
    names = names or body.__struct_fields__
    values = {name: getattr(body, name) for name in names}
    values = {name: value for name, value in values.items() if value is not msgspec.UNSET}
    if not values:
        raise Problem(422, "invalid_parameter", f"nothing to change; name any of {', '.join(names)}")
    return values


def profile_named(field: str, text: str, platform: str | None = None) -> Profile:
    """The profile that a member of a body names.

    Raises: Problem 422.
    """
    try:
        return profile_of(text, platform)
    except BadProfile as error:
        raise invalid(field, error.message) from None


def present(account: AccountRow) -> AccountRow:
    """The account, if it is in its project now.

    Raises: NotFound.
    """
    if account.removed_at is not None:
        raise NotFound(
            f"account {account.id} was removed", code="account_not_found", hint="add its profile URL again first"
        )
    return account


def existing(account: AccountRow, words: str, hint: str) -> Problem:
    return Problem(409, "already_exists", f"{account.profile_url} {words}", account_id=account.id, hint=hint)


def shown(row: Any) -> dict[str, Any]:
    """A row's values as an answer says them."""
    return {name: iso(value) if isinstance(value, datetime) else value for name, value in vars(row).items()}


def account_shown(tx: sa.Connection, account: AccountRow) -> AccountShown:
    return AccountShown(**shown(account), aliases=list(editing.aliases(tx, account.id)))


def account_answer(tx: sa.Connection, account: AccountRow) -> AccountAnswer:
    """The account as it is now, within the transaction that made it so."""
    return AccountAnswer(success=True, account=account_shown(tx, account))
