"""Which profile an account is: a corrected URL, two accounts that are one, a name that somebody else has now."""

from __future__ import annotations

from typing import Annotated

import msgspec
from flask import Response

from webapp import actions
from webapp.api.http.desk import desk
from webapp.api.http.problems import json_answer
from webapp.api.http.routes import NoQuery, Route
from webapp.api.shapes.corrections import AccountMerge, MergeAnswer, MergedDay, UrlAnswer, UrlCorrection
from webapp.api.shapes.counts import CountsOut
from webapp.api.shapes.editing import AccountAnswer, account_record
from webapp.api.views.editing import account_answer


class AliasQuery(msgspec.Struct):
    """Which of an account's other names."""

    url_key: Annotated[str, msgspec.Meta(min_length=1, max_length=4096, description="one of the account's `aliases`")]


def correct_url(_: NoQuery, asked: UrlCorrection, account_id: int) -> Response:
    """Give an account the profile URL it should have had. Its history stays.

    The old URL goes on to mean the account, so the Sheet's row still counts until somebody corrects it, and after.
    """
    done = actions.identity.correct_url(desk(), account_id, asked.profile_url, note=asked.note, dry_run=asked.dry_run)
    before, after = (
        account_record(done.before.account, done.before.aliases),
        account_record(done.after.account, done.after.aliases),
    )
    return json_answer(UrlAnswer(success=True, dry_run=asked.dry_run, before=before, account=after))


def merge_account(_: NoQuery, asked: AccountMerge, account_id: int) -> Response:
    """Merge an account, which may have been removed, into another of its project, with all its history.

    The other takes over every day, observation and pin that it has not got itself; where both have one, its own
    stays and the audit log keeps the rest. The account itself is then no more: its URLs mean the other one.
    """
    done = actions.identity.merge_account(desk(), account_id, asked.into, note=asked.note, dry_run=asked.dry_run)
    merged = done.merged
    answer = MergeAnswer(
        success=True,
        dry_run=asked.dry_run,
        source=account_record(done.source.account, done.source.aliases),
        account=account_record(done.target.account, done.target.aliases),
        days_taken=list(merged.days_taken),
        days_kept=[MergedDay(day.day, CountsOut(day.kept), CountsOut(day.left_out)) for day in merged.days_kept],
        observations_taken=list(merged.observations_taken),
        pins_taken=list(merged.pins_taken),
        aliases_taken=list(merged.aliases_taken),
    )
    return json_answer(answer)


def delete_alias(asked: AliasQuery, account_id: int) -> Response:
    """Let a former URL of an account mean nobody: somebody else has the name now."""
    return json_answer(account_answer(actions.identity.drop_alias(desk(), account_id, asked.url_key)))


ROUTES = (
    Route(
        "correct_url",
        "corrections",
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
        "corrections",
        "POST",
        "/api/admin/accounts/<int:account_id>/merge",
        merge_account,
        "admin",
        body=AccountMerge,
        answers={200: MergeAnswer},
        problems=("account_not_found",),
    ),
    Route(
        "delete_alias",
        "corrections",
        "DELETE",
        "/api/admin/accounts/<int:account_id>/aliases",
        delete_alias,
        "admin",
        query=AliasQuery,
        answers={200: AccountAnswer},
        problems=("account_not_found", "alias_not_found"),
    ),
)
