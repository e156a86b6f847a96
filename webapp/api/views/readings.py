"""Readings from outside: what a program read of a platform, delivered in a batch."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from flask import Response

from webapp import web
from webapp.api.http.problems import Problem, json_answer
from webapp.api.http.routes import NoQuery, Route
from webapp.api.shapes import answers
from webapp.clock import Clock
from webapp.model import METRICS
from webapp.sources.urls import BadProfile, profile_of
from webapp.store import corrections
from webapp.store.corrections import Reading
from webapp.store.db import Database

BIGGEST = 2**63 - 1
FUTURE = timedelta(minutes=5)  # clocks differ
Number = Annotated[int, msgspec.Meta(ge=0, le=BIGGEST)]


class ReadingBody(msgspec.Struct, forbid_unknown_fields=True):
    """One account's counts. Named by its id or its profile URL; a metric left out keeps its last reading."""

    account_id: Annotated[int, msgspec.Meta(ge=1, le=BIGGEST)] | None = None
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
    now = web.get(Clock).now()
    keys = [_key(reading, place) for place, reading in enumerate(asked.readings)]
    with web.get(Database).write() as tx:
        by_key = corrections.accounts_of_keys(tx, sorted({key for key in keys if key}), asked.project_id)
        ids = [reading.account_id for reading in asked.readings if reading.account_id is not None]
        there = corrections.existing_accounts(tx, sorted(set(ids)))
        rows: list[Reading] = []
        unmatched: list[dict[str, Any]] = []
        for place, (reading, key) in enumerate(zip(asked.readings, keys, strict=True)):
            found = by_key.get(key, []) if key else [i for i in (reading.account_id or 0,) if i in there]
            rows.extend(_row(account_id, reading, now) for account_id in found)
            if not found:
                unmatched.append({"index": place, "account_id": reading.account_id, "profile_url": reading.profile_url})
        kept = corrections.put_readings(tx, rows)
    answer = {
        "success": not unmatched,
        "received": len(asked.readings),
        "kept": kept,
        "older": len(rows) - kept,
        "unmatched": unmatched[:100],
        "unmatched_count": len(unmatched),
    }
    return json_answer(answer)


def _key(reading: ReadingBody, place: int) -> str | None:
    """The reading's url_key; None when it names its account by id."""
    if (reading.account_id is None) == (reading.profile_url is None):
        raise _bad(place, "name the account by either account_id or profile_url")
    if all(getattr(reading, metric) is None for metric in METRICS):
        raise _bad(place, f"has none of {', '.join(METRICS)}")
    if reading.profile_url is None:
        return None
    try:
        return profile_of(reading.profile_url).url_key
    except BadProfile as error:
        raise _bad(place, f"profile_url {error}") from None


def _row(account_id: int, reading: ReadingBody, now: datetime) -> Reading:
    at = reading.observed_at or now
    if at > now + FUTURE:
        at = now
    return Reading(
        account_id=account_id,
        followers=reading.followers,
        likes=reading.likes,
        comments=reading.comments,
        videos=reading.videos,
        views=reading.views,
        observed_at=at,
        origin=reading.origin,
    )


def _bad(place: int, words: str) -> Problem:
    return Problem(422, "invalid_parameter", f"readings[{place}]: {words}", field=f"readings[{place}]")


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
