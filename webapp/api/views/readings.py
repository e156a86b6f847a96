"""Readings from outside: what a program read of a platform, delivered in a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from flask import Response

from webapp import actions
from webapp.api.http.desk import desk
from webapp.api.http.problems import HttpProblem, json_answer
from webapp.api.http.requests import convert
from webapp.api.http.routes import Route
from webapp.api.shapes.readings import (
    InvalidReading,
    Outcome,
    ReadingBatch,
    ReadingItem,
    ReadingsAnswer,
    ReadingsQuery,
    UnmatchedReading,
)
from webapp.model import Counts

if TYPE_CHECKING:
    from webapp.api.http.batches import Items, Wrong

SHOWN = 100
MOST = 10_000

Batch: TypeAlias = "Items[ReadingItem]"


def read_batch() -> Batch:
    """The readings of the body, and what else it says."""
    from webapp.api.http.batches import decode_items  # noqa: PLC0415  most services are never sent any

    return decode_items(ReadingItem, "readings", MOST)


def put_readings(query: ReadingsQuery, asked: Batch) -> Response:
    """Keep a batch of readings; the next sync merges them. Each is judged by itself, and none is lost silently.

    The body is the object, the array of its `readings` alone, or NDJSON with a reading in each line. A reading that is
    wrong or fits no account takes nothing from the others. Delivering a batch again changes nothing, and an older
    reading never replaces a newer one. Where every reading is wrong the answer is 422.
    """
    from webapp.api.http.batches import Wrong  # noqa: PLC0415  as above

    project_id = _project_id(query, asked)
    wrong = {place: one for place, one in enumerate(asked.items) if isinstance(one, Wrong)}
    usable = {place: one for place, one in enumerate(asked.items) if not isinstance(one, Wrong)}
    done = actions.readings.put_readings(desk(), [*map(_delivery, usable.values())], project_id)
    outcomes: list[Outcome] = ["invalid"] * len(asked.items)
    for place, became in zip(usable, done.became, strict=True):
        if became.outcome == "invalid":
            wrong[place] = Wrong(became.field, became.words)
        outcomes[place] = became.outcome
    if len(wrong) == len(asked.items):
        raise _refusal(wrong)
    unmatched = [
        UnmatchedReading(place, one.account_id, one.profile_url, became.words)
        for (place, one), became in zip(usable.items(), done.became, strict=True)
        if became.outcome == "unmatched"
    ]
    return json_answer(_answer(outcomes, wrong, unmatched, done))


def _project_id(query: ReadingsQuery, asked: Batch) -> str | None:
    in_body = convert(asked.rest, ReadingsQuery, strict=True).project_id
    if in_body is not None and query.project_id not in {None, in_body}:
        raise HttpProblem(422, "invalid_parameter", "the address and the body name two projects", field="project_id")
    return in_body or query.project_id


def _answer(
    outcomes: list[Outcome],
    wrong: Mapping[int, Wrong],
    unmatched: list[UnmatchedReading],
    done: actions.readings.Delivered,
) -> ReadingsAnswer:
    return ReadingsAnswer(
        success=not unmatched and not wrong,
        received=len(outcomes),
        kept=done.kept,
        unchanged=done.unchanged,
        older=done.older,
        unmatched=unmatched[:SHOWN],
        unmatched_count=len(unmatched),
        invalid=[InvalidReading(place, *wrong[place]) for place in sorted(wrong)[:SHOWN]],
        invalid_count=len(wrong),
        outcomes=outcomes,
    )


def _refusal(wrong: dict[int, Wrong]) -> HttpProblem:
    place = min(wrong)
    member, words = wrong[place]
    path = f"readings[{place}]"
    others = f" (and so are the {len(wrong) - 1:,} others)" if len(wrong) > 1 else ""
    field = f"{path}.{member}" if member else path
    return HttpProblem(422, "invalid_parameter", f"{path}: {words}{others}", field=field)


def _delivery(one: ReadingItem) -> actions.readings.Delivery:
    return actions.readings.Delivery(
        one.account_id, one.profile_url, Counts._make(one.counts), one.observed_at, one.origin
    )


ROUTES = (
    Route(
        "put_readings",
        "readings",
        "POST",
        "/api/admin/readings",
        put_readings,
        "admin",
        query=ReadingsQuery,
        body=ReadingBatch,
        answers={200: ReadingsAnswer},
        problems=("project_not_found",),
        decode=read_batch,
    ),
)
