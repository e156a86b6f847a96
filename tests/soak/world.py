"""What is true outside the service while it is soaked: the sheet as people edit it, and what callers were promised."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from random import Random
from typing import Any, NamedTuple

from tests.e2e.google import Google
from webapp.model import LIVE_STATES

__all__ = ["ACCOUNTS", "TABS", "TROUBLES", "Link", "Promised", "Sheet", "Violations"]

TABS = ("Project A", "Project B", "Project C")
ACCOUNTS = 12  # of each tab
FIRST = 10_000
LONGEST_S = 12.0


class Violations:
    """What broke a promise, each once."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._lock = threading.Lock()

    def add(self, words: str) -> None:
        with self._lock:
            if words not in self.found:
                self.found.append(words)


class Sheet:
    """All accounts of a tab have the same number, which only grows, so that half of a change can be seen.

    ever: {tab: every number it had}. first_day: before it nobody counted; a clock may say so later that it is before.
    trouble: what Google does in place of an answer; None when it answers.
    """

    def __init__(self, google: Google, seed: int) -> None:
        self.ever: dict[str, list[int]] = {title: [] for title in TABS}
        self.first_day = datetime.now(UTC).date().isoformat()
        self.trouble: str | None = None
        self._google = google
        self._dice = Random(seed)
        self._released = threading.Event()
        google.trouble = self._answer
        for title in TABS:
            self._put(title, FIRST)

    def edit(self) -> None:
        title = self._dice.choice(TABS)
        self._put(title, self.ever[title][-1] + self._dice.randint(1, 9))

    def _put(self, title: str, followers: int) -> None:
        self.ever[title].append(followers)
        self._google.tab(title, ACCOUNTS, followers)

    def now(self) -> dict[str, int]:
        return {title: numbers[-1] for title, numbers in self.ever.items()}

    def break_down(self, trouble: str) -> None:
        self._released.clear()
        self.trouble = trouble

    def recover(self) -> None:
        self.trouble = None
        self._released.set()

    def _answer(self, handler: BaseHTTPRequestHandler) -> bool:
        """Whether it has answered in its own way."""
        time.sleep(self._dice.random() * 0.15)  # so that something is under way when something happens
        match self.trouble:
            case "hangs":
                self._released.wait(LONGEST_S)
            case "hangs up":
                handler.close_connection = True
            case "breaks off":
                _say(handler, 200, b'{"sheets": [', length=1000)
                handler.close_connection = True
            case "answers nonsense":
                _say(handler, 200, b"<html>\x00\xff" + b"[" * 3000)
            case "is ill":
                _say(handler, self._dice.choice([500, 502, 503]), b"<h1>Error</h1>")
            case "has had enough":
                _say(handler, 429, b'{"error": {"code": 429, "message": "Quota exceeded"}}')
            case "knows nobody":
                _say(handler, 403, b'{"error": {"code": 403, "message": "The caller does not have permission"}}')
            case _:
                return False
        return True


TROUBLES = ("hangs", "hangs up", "breaks off", "answers nonsense", "is ill", "has had enough", "knows nobody")


def _say(handler: BaseHTTPRequestHandler, status: int, body: bytes, length: int | None = None) -> None:
    try:
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(length or len(body)))
        handler.end_headers()
        handler.wfile.write(body)
    except OSError:  # whoever asked was killed meanwhile
        handler.close_connection = True


Values = set[int | None]


class Link(NamedTuple):
    """A share link of a project."""

    id: str
    project: str
    token: str


@dataclass
class Promised:
    """What callers were told, and what they asked without hearing whether it was done.

    targets: {project: the values that may stand there now}. likes: {account: the same}. links: {link: open or not,
    None for one that may be closed}. runs: {run: the state it ended with}.
    """

    targets: dict[str, Values] = field(default_factory=dict)
    likes: dict[str, Values] = field(default_factory=dict)
    links: dict[Link, bool | None] = field(default_factory=dict)
    runs: dict[str, str] = field(default_factory=dict)
    answers: int = 0
    syncs: int = 0

    def try_value(self, what: dict[str, Values], of: str, value: int) -> None:
        """Before it is asked: it may stand there from now on."""
        what.setdefault(of, {None}).add(value)

    def keep_value(self, what: dict[str, Values], of: str, value: int) -> None:
        """It was promised: nothing else may stand there."""
        what[of] = {value}

    def note_run(self, answer: Any) -> None:
        if answer["state"] not in LIVE_STATES:
            self.runs[answer["run_id"]] = answer["state"]
