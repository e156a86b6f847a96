"""Held readings and pinned values: what a person decides about single numbers."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from flask import Response

from webapp import actions, store, web
from webapp.api.http.desk import desk
from webapp.api.http.problems import HttpProblem, json_answer
from webapp.api.http.routes import NoQuery, Route
from webapp.api.shapes.corrections import (
    Done,
    DoubtList,
    HeldAnswer,
    HeldList,
    PinAnswer,
    PinList,
    PinUpdate,
    doubted_value,
    held_decision,
    held_reading,
    pin_out,
    pinned_value,
)
from webapp.api.shapes.fields import Identifier, says
from webapp.model import METRICS, Metric
from webapp.rules.held import HeldState
from webapp.store import doubts as doubt_rows
from webapp.store.db import Database

Limit = Annotated[int, msgspec.Meta(ge=1, le=1000, description="lines at most")]
OfProject = Annotated[Identifier | None, says("only of this project")]


class HeldQuery(msgspec.Struct):
    state: Annotated[HeldState | Literal["all"], says("what became of them; `held`: nothing yet")] = "held"
    project_id: OfProject = None
    limit: Limit = 100


class DoubtsQuery(msgspec.Struct):
    project_id: OfProject = None


class PinsQuery(msgspec.Struct):
    project_id: OfProject = None
    limit: Limit = 100


def list_held(asked: HeldQuery) -> Response:
    """Implausible readings that were kept aside, newest first."""
    state = None if asked.state == "all" else asked.state
    with web.get(Database).read() as tx:
        rows = store.held.listed(tx, state=state, project_id=asked.project_id, limit=asked.limit)
    return json_answer(HeldList([held_reading(row) for row in rows]), headers={"Cache-Control": "no-store"})


def accept_held(_: NoQuery, held_id: int) -> Response:
    """Believe a held reading; the next sync merges it."""
    return json_answer(HeldAnswer(success=True, held=held_decision(actions.held.accept_held(desk(), held_id))))


def reject_held(_: NoQuery, held_id: int) -> Response:
    """Disbelieve a held reading for as long as the platform repeats it; the last good one stays."""
    return json_answer(HeldAnswer(success=True, held=held_decision(actions.held.reject_held(desk(), held_id))))


def list_doubts(asked: DoubtsQuery) -> Response:
    """Odd values of the Sheet, which are shown but not believed by history yet."""
    with web.get(Database).read() as tx:
        rows = doubt_rows.listed(tx, project_id=asked.project_id)
    return json_answer(DoubtList([doubted_value(row) for row in rows]), headers={"Cache-Control": "no-store"})


def accept_doubt(_: NoQuery, account_id: int, metric: str) -> Response:
    """Let history believe what the Sheet says: the days since then get what was seen on them."""
    actions.doubts.accept_doubt(desk(), account_id, _metric(metric))
    return json_answer(Done(success=True))


def list_pins(asked: PinsQuery) -> Response:
    """Values that people have fixed."""
    with web.get(Database).read() as tx:
        rows = store.pins.listed(tx, project_id=asked.project_id, limit=asked.limit)
    return json_answer(PinList([pin_out(row) for row in rows]), headers={"Cache-Control": "no-store"})


def put_pin(_: NoQuery, asked: PinUpdate, account_id: int, metric: str) -> Response:
    """Fix a metric of an account to a value, until a time or for good; the next sync shows it."""
    pin = actions.pins.put_pin(desk(), account_id, _metric(metric), asked.value, until=asked.until, note=asked.note)
    return json_answer(PinAnswer(success=True, pin=pinned_value(pin)))


def delete_pin(_: NoQuery, account_id: int, metric: str) -> Response:
    """Let the merge decide again."""
    actions.pins.delete_pin(desk(), account_id, _metric(metric))
    return json_answer(Done(success=True))


def _metric(text: str) -> Metric:
    for metric in METRICS:
        if metric == text:
            return metric
    raise HttpProblem(
        422, "invalid_parameter", f"{text[:40]!r} is no metric", field="metric", allowed=", ".join(METRICS)
    )


ROUTES = (
    Route(
        "list_held", "readings", "GET", "/api/admin/held", list_held, "admin", query=HeldQuery, answers={200: HeldList}
    ),
    Route(
        "accept_held",
        "readings",
        "POST",
        "/api/admin/held/<int:held_id>/accept",
        accept_held,
        "admin",
        answers={200: HeldAnswer},
        problems=["held_not_found"],
    ),
    Route(
        "reject_held",
        "readings",
        "POST",
        "/api/admin/held/<int:held_id>/reject",
        reject_held,
        "admin",
        answers={200: HeldAnswer},
        problems=["held_not_found"],
    ),
    Route(
        "list_doubts",
        "corrections",
        "GET",
        "/api/admin/doubts",
        list_doubts,
        "admin",
        query=DoubtsQuery,
        answers={200: DoubtList},
    ),
    Route(
        "accept_doubt",
        "corrections",
        "POST",
        "/api/admin/accounts/<int:account_id>/doubts/<metric>/accept",
        accept_doubt,
        "admin",
        answers={200: Done},
        problems=["account_not_found", "doubt_not_found"],
    ),
    Route(
        "list_pins",
        "corrections",
        "GET",
        "/api/admin/pins",
        list_pins,
        "admin",
        query=PinsQuery,
        answers={200: PinList},
    ),
    Route(
        "put_pin",
        "corrections",
        "PUT",
        "/api/admin/accounts/<int:account_id>/pins/<metric>",
        put_pin,
        "admin",
        body=PinUpdate,
        answers={200: PinAnswer},
        problems=["account_not_found"],
    ),
    Route(
        "delete_pin",
        "corrections",
        "DELETE",
        "/api/admin/accounts/<int:account_id>/pins/<metric>",
        delete_pin,
        "admin",
        answers={200: Done},
        problems=["pin_not_found"],
    ),
)
