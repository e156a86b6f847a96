"""One wrong snapshot: correct it, or forget it. There is no way to forget many at once."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from flask import Response

from webapp import web
from webapp.api.http.problems import json_answer
from webapp.api.http.routes import Route
from webapp.api.views.editing import BIGGEST, DryRunQuery, FiveCounts, Note, edit, given, invalid, note_of
from webapp.clock import Clock
from webapp.model import METRICS, Counts
from webapp.store import editing

Number = Annotated[int, msgspec.Meta(ge=0, le=BIGGEST)]


class SnapshotCounts(msgspec.Struct, forbid_unknown_fields=True):
    """What the day's counts should be. A metric left out stays; null: it was not observed."""

    followers: Number | msgspec.UnsetType | None = msgspec.UNSET
    likes: Number | msgspec.UnsetType | None = msgspec.UNSET
    comments: Number | msgspec.UnsetType | None = msgspec.UNSET
    videos: Number | msgspec.UnsetType | None = msgspec.UNSET
    views: Number | msgspec.UnsetType | None = msgspec.UNSET
    note: Note | None = None


class SnapshotAnswer(msgspec.Struct):
    """One day's counts before and after; `after` null: the day has no snapshot any more."""

    success: bool
    dry_run: bool
    account_id: int
    day: date
    before: FiveCounts
    after: FiveCounts | None


def correct_snapshot(asked: DryRunQuery, body: SnapshotCounts, account_id: int, day: str) -> Response:
    """Correct the counts of one account on one UTC day.

    A sync of the same day may still change them, as it does any snapshot of today.
    """
    values, note, of_day = given(body, *METRICS), note_of(body.note), _day(day)
    with edit(dry_run=asked.dry_run) as tx:
        account = editing.locked_account(tx, account_id)
        before, after = editing.correct_snapshot(tx, account, of_day, values, web.get(Clock).now(), note)
        if all(count is None for count in after):
            raise invalid("followers", "and every other metric would be null; delete the snapshot instead")
    return _answer(asked, account_id, of_day, before, after)


def delete_snapshot(asked: DryRunQuery, account_id: int, day: str) -> Response:
    """Forget one account's snapshot of one UTC day. If it is today's, the next sync makes it anew."""
    of_day = _day(day)
    with edit(dry_run=asked.dry_run) as tx:
        before = editing.remove_snapshot(tx, editing.locked_account(tx, account_id), of_day, web.get(Clock).now())
    return _answer(asked, account_id, of_day, before, None)


def _answer(asked: DryRunQuery, account_id: int, day: date, before: Counts, after: Counts | None) -> Response:
    return json_answer(
        SnapshotAnswer(
            success=True,
            dry_run=asked.dry_run,
            account_id=account_id,
            day=day,
            before=FiveCounts(*before),
            after=None if after is None else FiveCounts(*after),
        )
    )


def _day(text: str) -> date:
    try:
        return msgspec.convert(text, date)
    except msgspec.ValidationError:
        raise invalid("day", "has to be a day such as 2026-03-31") from None


ROUTES = (
    Route(
        "correct_snapshot",
        "PUT",
        "/api/admin/accounts/<int:account_id>/snapshots/<day>",
        correct_snapshot,
        "admin",
        query=DryRunQuery,
        body=SnapshotCounts,
        answers={200: SnapshotAnswer},
        problems=("account_not_found", "snapshot_not_found"),
    ),
    Route(
        "delete_snapshot",
        "DELETE",
        "/api/admin/accounts/<int:account_id>/snapshots/<day>",
        delete_snapshot,
        "admin",
        query=DryRunQuery,
        answers={200: SnapshotAnswer},
        problems=("account_not_found", "snapshot_not_found"),
    ),
)
