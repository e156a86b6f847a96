"""Readings from outside: what a program read of a platform, delivered in a batch."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from flask import Response

from webapp.actions import readings
from webapp.actions.readings import Delivery
from webapp.api.http.desk import desk
from webapp.api.http.problems import json_answer
from webapp.api.http.routes import NoQuery, Route
from webapp.api.shapes import answers
from webapp.model import LARGEST, METRICS, Counts

UNMATCHED_SHOWN = 100

Number = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]


class ReadingBody(msgspec.Struct, forbid_unknown_fields=True):
    """One account's counts. Named by its id or its profile URL; a metric left out keeps its last reading."""

    account_id: Annotated[int, msgspec.Meta(ge=1, le=LARGEST)] | None = None
    profile_url: Annotated[str, msgspec.Meta(min_length=1, max_length=2048)] | None = None
    followers: Number | None = None
    likes: Number | None = None
    comments: Number | None = None
    videos: Number | None = None
    views: Number | None = None
    observed_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    origin: Annotated[str, msgspec.Meta(max_length=100)] | None = None


class ReadingsBody(msgspec.Struct, forbid_unknown_fields=True):
    """A batch. With `project_id` profile URLs are looked for in that project only, else in all."""

    readings: Annotated[list[ReadingBody], msgspec.Meta(min_length=1, max_length=10_000)]
    project_id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None


def put_readings(_: NoQuery, asked: ReadingsBody) -> Response:
    """Keep a batch of readings; the next sync merges them. What fits no account is listed, never lost silently."""
    done = readings.put_readings(desk(), [_delivery(one) for one in asked.readings], asked.project_id)
    answer = {
        "success": not done.unmatched,
        "received": len(asked.readings),
        "kept": done.kept,
        "older": done.older,
        "unmatched": [_unmatched(place, asked.readings[place]) for place in done.unmatched[:UNMATCHED_SHOWN]],
        "unmatched_count": len(done.unmatched),
    }
    return json_answer(answer)


def _delivery(one: ReadingBody) -> Delivery:
    counts = Counts(*(getattr(one, metric) for metric in METRICS))
    return Delivery(one.account_id, one.profile_url, counts, one.observed_at, one.origin)


def _unmatched(place: int, one: ReadingBody) -> dict[str, Any]:
    return {"index": place, "account_id": one.account_id, "profile_url": one.profile_url}


ROUTES = (
    Route(
        "put_readings",
        "POST",
        "/api/admin/readings",
        put_readings,
        "admin",
        body=ReadingsBody,
        answers={200: answers.ReadingsKept},
    ),
)
