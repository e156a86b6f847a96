"""Held readings and pinned values: what a person decides about single numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from flask import Response

from webapp import web
from webapp.actions import held, pins
from webapp.api.http.desk import desk
from webapp.api.http.problems import Problem, json_answer
from webapp.api.http.routes import NoQuery, Route
from webapp.api.shapes import answers
from webapp.api.shapes.answers import says
from webapp.clock import iso
from webapp.model import LARGEST, METRICS, Metric
from webapp.store import held as held_rows
from webapp.store import pins as pin_rows
from webapp.store.db import Database

Limit = Annotated[int, msgspec.Meta(ge=1, le=1000, description="lines at most")]
Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=100, description="only of this project")]


class HeldQuery(msgspec.Struct):
    state: Annotated[answers.HeldState | Literal["all"], says("what became of them; `held`: nothing yet")] = "held"
    project_id: Identifier | None = None
    limit: Limit = 100


class PinsQuery(msgspec.Struct):
    project_id: Identifier | None = None
    limit: Limit = 100


class PinBody(msgspec.Struct, forbid_unknown_fields=True):
    value: Annotated[int, msgspec.Meta(ge=0, le=LARGEST, description="what the metric shows from now on")]
    until: Annotated[datetime, msgspec.Meta(tz=True, description="the end of it; for good when left out")] | None = None
    note: Annotated[str, msgspec.Meta(max_length=500, description="why, in your words")] | None = None


def list_held(asked: HeldQuery) -> Response:
    """Implausible readings that were kept aside, newest first."""
    state = None if asked.state == "all" else asked.state
    with web.get(Database).read() as tx:
        rows = held_rows.listed(tx, state=state, project_id=asked.project_id, limit=asked.limit)
    return json_answer({"held": [_held(row) for row in rows]}, headers={"Cache-Control": "no-store"})


def accept_held(_: NoQuery, held_id: int) -> Response:
    """Believe a held reading; the next sync merges it."""
    return json_answer({"success": True, "held": _held(held.accept_held(desk(), held_id))})


def reject_held(_: NoQuery, held_id: int) -> Response:
    """Disbelieve a held reading for as long as the platform repeats it; the last good one stays."""
    return json_answer({"success": True, "held": _held(held.reject_held(desk(), held_id))})


def _held(row: object) -> dict[str, Any]:
    return {name: iso(value) if isinstance(value, datetime) else value for name, value in vars(row).items()}


def list_pins(asked: PinsQuery) -> Response:
    """Values that people have fixed."""
    with web.get(Database).read() as tx:
        rows = pin_rows.listed(tx, project_id=asked.project_id, limit=asked.limit)
    return json_answer({"pins": [_held(row) for row in rows]}, headers={"Cache-Control": "no-store"})


def put_pin(_: NoQuery, asked: PinBody, account_id: int, metric: str) -> Response:
    """Fix a metric of an account to a value, until a time or for good; the next sync shows it."""
    name = _metric(metric)
    pins.put_pin(desk(), account_id, name, asked.value, until=asked.until, note=asked.note)
    pin = {
        "account_id": account_id,
        "metric": name,
        "value": asked.value,
        "until": iso(asked.until),
        "note": asked.note,
    }
    return json_answer({"success": True, "pin": pin})


def delete_pin(_: NoQuery, account_id: int, metric: str) -> Response:
    """Let the merge decide again."""
    pins.delete_pin(desk(), account_id, _metric(metric))
    return json_answer({"success": True})


def _metric(text: str) -> Metric:
    for metric in METRICS:
        if metric == text:
            return metric
    raise Problem(422, "invalid_parameter", f"{text[:40]!r} is no metric", field="metric", allowed=", ".join(METRICS))


ROUTES = (
    Route("list_held", "GET", "/api/admin/held", list_held, "admin", query=HeldQuery, answers={200: answers.HeldList}),
    Route(
        "accept_held",
        "POST",
        "/api/admin/held/<int:held_id>/accept",
        accept_held,
        "admin",
        answers={200: answers.HeldDecided},
        problems=["held_not_found"],
    ),
    Route(
        "reject_held",
        "POST",
        "/api/admin/held/<int:held_id>/reject",
        reject_held,
        "admin",
        answers={200: answers.HeldDecided},
        problems=["held_not_found"],
    ),
    Route("list_pins", "GET", "/api/admin/pins", list_pins, "admin", query=PinsQuery, answers={200: answers.Pins}),
    Route(
        "put_pin",
        "PUT",
        "/api/admin/accounts/<int:account_id>/pins/<metric>",
        put_pin,
        "admin",
        body=PinBody,
        answers={200: answers.PinPut},
        problems=["account_not_found"],
    ),
    Route(
        "delete_pin",
        "DELETE",
        "/api/admin/accounts/<int:account_id>/pins/<metric>",
        delete_pin,
        "admin",
        answers={200: answers.Done},
        problems=["pin_not_found"],
    ),
)
