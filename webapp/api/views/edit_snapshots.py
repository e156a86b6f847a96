"""One wrong snapshot: correct it, or forget it. There is no way to forget many at once."""

from __future__ import annotations

from datetime import date

import msgspec
from flask import Response

from webapp import actions
from webapp.api.http.asking import refusal
from webapp.api.http.desk import desk
from webapp.api.http.problems import json_answer
from webapp.api.http.routes import Route
from webapp.api.shapes.corrections import SnapshotAnswer, SnapshotUpdate
from webapp.api.shapes.counts import CountsOut
from webapp.api.views.editing import DryRunQuery, named_members
from webapp.model import METRICS, Counts


def correct_snapshot(asked: DryRunQuery, body: SnapshotUpdate, account_id: int, day: str) -> Response:
    """Correct the counts of one account on one UTC day.

    A sync of the same day may still change them, as it does any snapshot of today.
    """
    values, of_day = named_members(body, *METRICS), _day(day)
    before, after = actions.snapshots.correct_snapshot(
        desk(), account_id, of_day, values, note=body.note, dry_run=asked.dry_run
    )
    return _answer(asked, account_id, of_day, before, after)


def delete_snapshot(asked: DryRunQuery, account_id: int, day: str) -> Response:
    """Forget one account's snapshot of one UTC day. If it is today's, the next sync makes it anew."""
    of_day = _day(day)
    before = actions.snapshots.remove_snapshot(desk(), account_id, of_day, dry_run=asked.dry_run)
    return _answer(asked, account_id, of_day, before, None)


def _answer(asked: DryRunQuery, account_id: int, day: date, before: Counts, after: Counts | None) -> Response:
    return json_answer(
        SnapshotAnswer(
            success=True,
            dry_run=asked.dry_run,
            account_id=account_id,
            day=day,
            before=CountsOut(before),
            after=None if after is None else CountsOut(after),
        )
    )


def _day(text: str) -> date:
    try:
        return msgspec.convert(text, date)
    except msgspec.ValidationError:
        raise refusal("day", "day has to be a day such as 2026-03-31") from None


ROUTES = (
    Route(
        "correct_snapshot",
        "corrections",
        "PUT",
        "/api/admin/accounts/<int:account_id>/snapshots/<day>",
        correct_snapshot,
        "admin",
        query=DryRunQuery,
        body=SnapshotUpdate,
        answers={200: SnapshotAnswer},
        problems=("account_not_found", "snapshot_not_found"),
    ),
    Route(
        "delete_snapshot",
        "corrections",
        "DELETE",
        "/api/admin/accounts/<int:account_id>/snapshots/<day>",
        delete_snapshot,
        "admin",
        query=DryRunQuery,
        answers={200: SnapshotAnswer},
        problems=("account_not_found", "snapshot_not_found"),
    ),
)
