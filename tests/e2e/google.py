"""A Google Sheets of one spreadsheet that people edit while a test decides when it answers."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

__all__ = ["BOOK_ID", "Gate", "Google", "google"]

BOOK_ID = "1AbCdEfGhIjKlMnOpQrStUvWxYz0123456789_-e2e00"
HEADER = ("Link", "Followers", "Views", "Notes")
PATIENCE_S = 60.0
# So many rows say that a tab is large, so that a service which has not read it yet asks for it alone.
ROWS = 30_000

Call = Literal["tabs", "cells"]


@dataclass
class Gate:
    """Where a call waits; with a tab only one for its cells. `reached` is set when it has come, `opened` lets it on, and `passed` is set when it has gone."""

    call: Call
    skip: int
    tab: str | None = None
    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)
    passed: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> None:
        """Until a call stands at the gate."""
        assert self.reached.wait(PATIENCE_S), f"nobody asked for {self.call}"

    def open(self) -> None:
        """Let the call on, if one stands here; its answer is then as the sheet was at this moment."""
        self.opened.set()
        assert not self.reached.is_set() or self.passed.wait(PATIENCE_S)


class Google:
    """Tabs by title with rows of (link, followers). `calls` lists what was asked for, in order.

    trouble: asked before each answer; true when it has answered in its own way.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[Call, tuple[str, ...]]] = []
        self.url = ""
        self.trouble: Callable[[BaseHTTPRequestHandler], bool] = lambda _: False
        self._tabs: dict[str, list[list[Any]]] = {}
        self._gates: list[Gate] = []
        self._lock = threading.Lock()

    # What people do

    def tab(self, title: str, count: int, followers: int, *, note: str = "") -> None:
        """A tab of so many accounts that all have so many followers; in place of what was there."""
        place = len(self._tabs) if title not in self._tabs else list(self._tabs).index(title)
        rows = [
            [f"https://www.tiktok.com/@tab{place}.account{n}", followers, followers * 10, note] for n in range(count)
        ]
        with self._lock:
            self._tabs[title] = [list(HEADER), *rows]

    def put(self, title: str, row: int, followers: int | str) -> None:
        """Type into one cell; rows are counted from 2, as people see them."""
        with self._lock:
            self._tabs[title][row - 1][1] = followers

    def drop(self, title: str) -> None:
        """Delete the last tab; the others keep their places, and with them their ids."""
        with self._lock:
            assert title == list(self._tabs)[-1], f"{title} is not the last tab"
            del self._tabs[title]

    # What a test does

    @contextmanager
    def gate(self, call: Call = "cells", *, skip: int = 0, tab: str | None = None) -> Iterator[Gate]:
        """Make the next call of a kind wait, or the one after so many; open again at the end.

        tab: the next one for its cells. Several calls are under way at once, and which comes first is chance.
        """
        gate = Gate(call, skip, tab)
        with self._lock:
            self._gates.append(gate)
        try:
            yield gate
        finally:
            gate.open()
            with self._lock:
                self._gates.remove(gate)

    def asked(self, call: Call) -> int:
        """How often it was asked for something."""
        return sum(asked == call for asked, _ in self.calls)

    # What the service gets

    def answer(self, path: str) -> Any:
        """The JSON of one call; cells are those of the moment it is let on."""
        parts = urlsplit(path)
        if parts.path == "/":  # an examination only wants to know whether anybody answers
            return {}
        if parts.path == f"/v4/spreadsheets/{BOOK_ID}":
            with self._passing("tabs", ()):
                return self._book()
        assert unquote(parts.path) == f"/v4/spreadsheets/{BOOK_ID}/values:batchGet", parts.path
        titles = tuple(text.rpartition("!")[0][1:-1].replace("''", "'") for text in parse_qs(parts.query)["ranges"])
        with self._passing("cells", titles), self._lock:
            return {"valueRanges": [{"range": title, "values": copy.deepcopy(self._tabs[title])} for title in titles]}

    @contextmanager
    def _passing(self, call: Call, titles: Sequence[str]) -> Iterator[None]:
        """On the way through the gate there may be."""
        gate = self._gate(call, titles)
        if gate is None:
            yield
            return
        gate.reached.set()
        gate.opened.wait(PATIENCE_S)
        yield
        gate.passed.set()

    def _gate(self, call: Call, titles: Sequence[str]) -> Gate | None:
        """The gate at which a call has to wait."""
        with self._lock:
            self.calls.append((call, tuple(titles)))
            fitting = (gate for gate in self._gates if gate.call == call and gate.tab in {None, *titles})
            gate = next((gate for gate in fitting if gate.skip >= 0), None)
            if gate is None:
                return None
            gate.skip -= 1
            return gate if gate.skip < 0 else None

    def _book(self) -> Any:
        grid = {"rowCount": ROWS, "columnCount": 10}
        with self._lock:
            sheets = [
                {"properties": {"sheetId": gid, "title": title, "sheetType": "GRID", "gridProperties": grid}}
                for gid, title in enumerate(self._tabs)
            ]
        return {"properties": {"title": "Accounts", "locale": "en_US"}, "sheets": sheets}


@contextmanager
def google() -> Iterator[Google]:
    """A spreadsheet without tabs, behind a server of its own."""
    sheet = Google()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if sheet.trouble(self):
                return
            body = json.dumps(sheet.answer(self.path)).encode()
            try:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:  # whoever asked was killed meanwhile
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    sheet.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield sheet
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
