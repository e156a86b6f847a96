"""What the editing routes have in common: the shapes they take and answer with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec

from webapp.actions.accounts import EditedAccount
from webapp.api.http.problems import Problem
from webapp.model import Mode
from webapp.store.types import as_text

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


def shown(row: object, names: Iterable[str]) -> dict[str, Any]:
    """Those of a row's values as an answer says them."""
    return {name: as_text(getattr(row, name)) if name.endswith("_at") else getattr(row, name) for name in names}


def account_shown(edited: EditedAccount) -> AccountShown:
    account = edited.account
    names = [name for name in AccountShown.__struct_fields__ if name in account._fields]
    return AccountShown(**shown(account, names), **account.counts._asdict(), aliases=list(edited.aliases))


def account_answer(edited: EditedAccount) -> AccountAnswer:
    """The account as the action left it."""
    return AccountAnswer(success=True, account=account_shown(edited))
