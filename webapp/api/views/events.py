"""A run's progress as Server-Sent Events, read from its row: any worker can tell of any run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
from flask import Response, request

from webapp import web
from webapp.actions import Background
from webapp.api.http.problems import RETRY_AFTER_S, HttpProblem
from webapp.api.http.routes import Answer, NoQuery, Route
from webapp.api.shapes.runs import run_progress
from webapp.clock import Clock
from webapp.errors import NotFound, StoreError
from webapp.store import runs
from webapp.store.db import Database
from webapp.store.runs import Run

STREAM_S = 60.0
LOOK_EVERY_S = 1.0
COMMENT_EVERY_S = 15.0
AGAIN_MS = 2_000


@dataclass
class Streams:
    """Streams open in this process. Each holds a thread, so there are few: the others are for people who read."""

    limit: int = 3
    _open: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self) -> bool:
        with self._lock:
            if self._open >= self.limit:
                return False
            self._open += 1
            return True

    def leave(self) -> None:
        with self._lock:
            self._open -= 1


def stream_run(_: NoQuery, run_id: str) -> Response:
    """A run's progress as Server-Sent Events: `progress` while it works, `end` once it is over.

    Each event's data has `state`, `phase`, `done`, `total` and `percent`, which never falls and is 100 only at the
    end. A stream ends after 60 seconds; the browser comes back by itself with `Last-Event-ID` and misses nothing.
    After the `end` event the next call answers 204, which tells it to stay away.
    """
    db, streams = web.get(Database), web.get(Streams)
    seen = request.headers.get("Last-Event-ID", "")
    run = _look(db, run_id)
    if not run.live and seen == _event_id(run, 100):
        return Response(status=204)
    if not streams.enter():
        raise HttpProblem(
            503,
            "too_many_streams",
            "as many progress streams are open as this process carries",
            hint=f"poll /api/admin/runs/{run.id} instead, or try again",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )
    events = _events(db, run_id, seen, web.get(Clock), web.get(Background))
    answer = Response(events, content_type="text/event-stream")
    answer.headers["X-Accel-Buffering"] = "no"  # nginx would otherwise keep the events to itself
    answer.call_on_close(streams.leave)
    return answer


def _look(db: Database, run_id: str) -> Run:
    with db.read() as tx:
        return runs.get(tx, run_id)


def _events(db: Database, run_id: str, seen: str, clock: Clock, background: Background) -> Iterator[str]:
    """Never holds a transaction while it waits: a pinned reader lets the database's log grow without end."""
    start = clock.monotonic()
    spoke = start
    shown = _percent_of(seen)
    yield f"retry: {AGAIN_MS}\n\n"
    while True:
        try:
            run = _look(db, run_id)
        except (StoreError, NotFound):
            return
        shown = max(shown, percent(run))  # a run may find more to do, which is no reason to go back
        if _event_id(run, shown) != seen:
            seen, spoke = _event_id(run, shown), clock.monotonic()
            yield _event(run, shown)
        if not run.live or clock.monotonic() - start >= STREAM_S or background.stop.requested:
            return
        if clock.monotonic() - spoke >= COMMENT_EVERY_S:
            spoke = clock.monotonic()
            yield ": still at it\n\n"
        clock.sleep(LOOK_EVERY_S)


def _event_id(run: Run, shown: int) -> str:
    return f"{shown}-{run.state}-{run.phase or ''}-{run.done}-{run.total}"


def _percent_of(event_id: str) -> int:
    text = event_id.partition("-")[0]
    return min(99, int(text)) if text.isascii() and text.isdigit() and len(text) <= len("100") else 0


def percent(run: Run) -> int:
    """How far a run is; 100 says that it is over, however it ended."""
    return min(99, 100 * run.done // max(run.total, 1)) if run.live else 100


def _event(run: Run, shown: int) -> str:
    name = "progress" if run.live else "end"
    data = msgspec.json.encode(run_progress(run, shown)).decode()
    return f"id: {_event_id(run, shown)}\nevent: {name}\ndata: {data}\n\n"


ROUTES = (
    Route(
        "stream_run",
        "sync",
        "GET",
        "/api/admin/runs/<run_id>/events",
        stream_run,
        "admin",
        headers=("Last-Event-ID",),
        answers={
            200: Answer(words="the events as they come", media=["text/event-stream"]),
            204: Answer(words="the run is over, and the `end` event was seen"),
        },
        problems=("run_not_found", "too_many_streams"),
    ),
)
