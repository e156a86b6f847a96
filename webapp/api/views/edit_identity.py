"""Which profile an account is: a corrected URL, two accounts that are one, a name that somebody else has now."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from flask import Response

from webapp.actions import identity
from webapp.api.http.desk import desk
from webapp.api.http.problems import json_answer
from webapp.api.http.routes import NoQuery, Route
from webapp.api.views.editing import (
    AccountAnswer,
    AccountShown,
    DryRun,
    FiveCounts,
    Note,
    account_answer,
    account_shown,
)


class UrlCorrection(msgspec.Struct, forbid_unknown_fields=True):
    """The profile URL that the account should have had."""

    profile_url: str
    dry_run: DryRun = False
    note: Note | None = None


class UrlAnswer(msgspec.Struct):
    """The account before and after; its `aliases` are the names it goes on to be known by."""

    success: bool
    dry_run: bool
    before: AccountShown
    account: AccountShown


class Merge(msgspec.Struct, forbid_unknown_fields=True):
    """Which account goes on."""

    into: Annotated[int, msgspec.Meta(ge=1, description="id of another account of the project")]
    dry_run: DryRun = False
    note: Note | None = None


class DayKept(msgspec.Struct):
    """A day that both have a snapshot of: what stays, and what goes to the audit log."""

    day: date
    kept: FiveCounts
    left_out: FiveCounts


class MergeAnswer(msgspec.Struct):
    """source: the account as it was, which is no more. account: the one that goes on, as it is now.

    days_taken: days that only the source had a snapshot of. observations_taken, pins_taken: what only it had.
    aliases_taken: url_keys that mean the account from now on.
    """

    success: bool
    dry_run: bool
    source: AccountShown
    account: AccountShown
    days_taken: list[date]
    days_kept: list[DayKept]
    observations_taken: list[str]
    pins_taken: list[str]
    aliases_taken: list[str]


class AliasQuery(msgspec.Struct):
    """Which of an account's other names."""

    url_key: Annotated[str, msgspec.Meta(min_length=1, max_length=4096, description="one of the account's `aliases`")]


def correct_url(_: NoQuery, asked: UrlCorrection, account_id: int) -> Response:
    """Give an account the profile URL it should have had. Its history stays.

    The old URL goes on to mean the account, so the Sheet's row still counts until somebody corrects it, and after.
    """
    done = identity.correct_url(desk(), account_id, asked.profile_url, note=asked.note, dry_run=asked.dry_run)
    before, after = account_shown(done.before), account_shown(done.after)
    return json_answer(UrlAnswer(success=True, dry_run=asked.dry_run, before=before, account=after))


def merge_account(_: NoQuery, asked: Merge, account_id: int) -> Response:
    """Merge an account, which may have been removed, into another of its project, with all its history.

    The other takes over every day, observation and pin that it has not got itself; where both have one, its own
    stays and the audit log keeps the rest. The account itself is then no more: its URLs mean the other one.
    """
    done = identity.merge_account(desk(), account_id, asked.into, note=asked.note, dry_run=asked.dry_run)
    merged = done.merged
    answer = MergeAnswer(
        success=True,
        dry_run=asked.dry_run,
        source=account_shown(done.source),
        account=account_shown(done.target),
        days_taken=list(merged.days_taken),
        days_kept=[DayKept(day.day, FiveCounts(*day.kept), FiveCounts(*day.left_out)) for day in merged.days_kept],
        observations_taken=list(merged.observations_taken),
        pins_taken=list(merged.pins_taken),
        aliases_taken=list(merged.aliases_taken),
    )
    return json_answer(answer)


def delete_alias(asked: AliasQuery, account_id: int) -> Response:
    """Let a former URL of an account mean nobody: somebody else has the name now."""
    return json_answer(account_answer(identity.drop_alias(desk(), account_id, asked.url_key)))


ROUTES = (
    Route(
        "correct_url",
        "POST",
        "/api/admin/accounts/<int:account_id>/correct_url",
        correct_url,
        "admin",
        body=UrlCorrection,
        answers={200: UrlAnswer},
        problems=("account_not_found", "already_exists"),
    ),
    Route(
        "merge_account",
        "POST",
        "/api/admin/accounts/<int:account_id>/merge",
        merge_account,
        "admin",
        body=Merge,
        answers={200: MergeAnswer},
        problems=("account_not_found",),
    ),
    Route(
        "delete_alias",
        "DELETE",
        "/api/admin/accounts/<int:account_id>/aliases",
        delete_alias,
        "admin",
        query=AliasQuery,
        answers={200: AccountAnswer},
        problems=("account_not_found", "alias_not_found"),
    ),
)
