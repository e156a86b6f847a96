"""Readings from outside: what a program read of a platform, delivered in a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response

from webapp import actions
from webapp.api.http.desk import desk
from webapp.api.http.problems import json_answer
from webapp.api.http.routes import NoQuery, Route
from webapp.api.shapes.readings import ReadingBatch, ReadingItem, ReadingsAnswer, UnmatchedReading
from webapp.model import Counts

if TYPE_CHECKING:
    from webapp.actions.readings import Delivery

UNMATCHED_SHOWN = 100


def put_readings(_: NoQuery, asked: ReadingBatch) -> Response:
    """Keep a batch of readings; the next sync merges them. What fits no account is listed, never lost silently."""
    done = actions.readings.put_readings(desk(), [_delivery(one) for one in asked.readings], asked.project_id)
    answer = ReadingsAnswer(
        success=not done.unmatched,
        received=len(asked.readings),
        kept=done.kept,
        older=done.older,
        unmatched=[_unmatched(place, asked.readings[place]) for place in done.unmatched[:UNMATCHED_SHOWN]],
        unmatched_count=len(done.unmatched),
    )
    return json_answer(answer)


def _delivery(one: ReadingItem) -> Delivery:
    return actions.readings.Delivery(
        one.account_id, one.profile_url, Counts._make(one.counts), one.observed_at, one.origin
    )


def _unmatched(place: int, one: ReadingItem) -> UnmatchedReading:
    return UnmatchedReading(place, one.account_id, one.profile_url)


ROUTES = (
    Route(
        "put_readings",
        "readings",
        "POST",
        "/api/admin/readings",
        put_readings,
        "admin",
        body=ReadingBatch,
        answers={200: ReadingsAnswer},
    ),
)
