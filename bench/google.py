"""A Google of our own for measurements: one spreadsheet, answers made beforehand, served from another process."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import random
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

BOOK = "bench-spreadsheet-0123456789-abcdefghij"
HEADER = ["Profile URL", "Platform", "Username", "Topic", "Followers", "Likes", "Comments", "Videos", "Views"]
FIRST_METRIC = 4
HOSTS = (
    "https://www.tiktok.com/@{}",
    "https://www.instagram.com/{}/",
    "https://www.youtube.com/@{}",
    "https://x.com/{}",
)
NAMES = ("TikTok", "Instagram", "YouTube", "X")

Grid = list[list[str | int]]


class Size(NamedTuple):
    """Of a spreadsheet: tabs, and accounts in each of them."""

    tabs: int
    rows: int

    def __str__(self) -> str:
        return f"{self.tabs} x {self.rows:,}"

    @property
    def accounts(self) -> int:
        return self.tabs * self.rows

    @property
    def titles(self) -> list[str]:
        return [f"Project {tab + 1:03}" for tab in range(self.tabs)]


def invent(size: Size, seed: int = 1) -> dict[str, Grid]:
    """Tabs of accounts with random counts."""
    rng = random.Random(seed)
    book: dict[str, Grid] = {}
    for tab, title in enumerate(size.titles):
        grid: Grid = [list(HEADER)]
        for row in range(size.rows):
            kind, name = row % 4, f"someone_{tab}_{row}"
            counts = [rng.randrange(10, 10**6) for _ in range(5)]
            grid.append([HOSTS[kind].format(name), NAMES[kind], name, "Topic", *counts])
        book[title] = grid
    return book


def _edit(book: dict[str, Grid], share: float, seed: int) -> int:
    """Raise that share of all metric cells; how many accounts that touches."""
    rng = random.Random(seed)
    titles = list(book)
    touched = set()
    cells = sum(len(grid) - 1 for grid in book.values()) * 5
    for _ in range(max(1, round(cells * share))):
        title = rng.choice(titles)
        row = rng.randrange(1, len(book[title]))
        place = FIRST_METRIC + rng.randrange(5)
        book[title][row][place] = int(book[title][row][place]) + rng.randrange(1, 500)
        touched.add((title, row))
    return len(touched)


class Counts:
    """Reads, and those of them that were refused because there were too many within a minute."""

    def __init__(self) -> None:
        self.reads = self.refused = 0
        self._granted: deque[float] = deque()
        self._lock = threading.Lock()

    def count(self, per_minute: int | None) -> bool:
        """Whether one more is granted."""
        with self._lock:
            now = time.monotonic()
            while self._granted and self._granted[0] <= now - 60:
                self._granted.popleft()
            self.reads += 1
            if per_minute is not None and len(self._granted) >= per_minute:
                self.refused += 1
                return False
            self._granted.append(now)
            return True


class _Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    book: dict[str, Grid]
    parts: dict[str, str]
    latency_s: float
    per_minute: int | None
    counts: Counts

    def do_GET(self) -> None:
        granted = self.counts.count(self.per_minute)
        body = self._body() if granted else '{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}'
        data = gzip.compress(body.encode(), 1)
        time.sleep(self.latency_s)
        self.send_response(200 if granted else 429)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self) -> None:
        """An access token for whoever asks."""
        self.rfile.read(int(self.headers["Content-Length"]))
        data = b'{"access_token": "bench", "expires_in": 3600, "token_type": "Bearer"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _body(self) -> str:
        url = urlsplit(self.path)
        if url.path.endswith("/values:batchGet"):
            shown = map(self._values, parse_qs(url.query)["ranges"])
            return '{"valueRanges":[' + ",".join(shown) + "]}"
        _, _, one_range = url.path.partition("/values/")
        if not one_range:
            return self._titles()
        return '{"majorDimension":"ROWS",' + self._values(unquote(one_range)).removeprefix("{")

    def _titles(self) -> str:
        sheets = [
            {
                "properties": {
                    "sheetId": place * 7,
                    "title": title,
                    "sheetType": "GRID",
                    "gridProperties": {"rowCount": max(1000, len(grid)), "columnCount": 26},
                }
            }
            for place, (title, grid) in enumerate(self.book.items())
        ]
        return json.dumps({"properties": {"title": "Bench", "locale": "en_US"}, "sheets": sheets})

    def _values(self, text: str) -> str:
        title = text.rpartition("!")[0].strip("'") or text.strip("'")
        if title not in self.parts:
            self.parts[title] = json.dumps(self.book[title], separators=(",", ":"))
        return f'{{"range":{json.dumps(text)},"values":{self.parts[title]}}}'

    def log_message(self, *words: object) -> None:
        pass


def _serve(size: Size, latency_s: float, per_minute: int | None, pipe: Connection) -> None:
    _Api.book, _Api.parts, _Api.latency_s = invent(size), {}, latency_s
    _Api.per_minute, _Api.counts = per_minute, Counts()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pipe.send(server.server_port)
    for asked in iter(pipe.recv, None):
        if asked == "counts":
            pipe.send((_Api.counts.reads, _Api.counts.refused))
            continue
        touched = _edit(_Api.book, *asked)
        _Api.parts.clear()
        pipe.send(touched)


class Google:
    """The served spreadsheet, with the one thing people do to it."""

    def __init__(self, url: str, pipe: Connection) -> None:
        self.url = url
        self._pipe = pipe

    def edit(self, share: float, seed: int) -> int:
        """Raise that share of the metric cells; how many accounts were touched."""
        self._pipe.send((share, seed))
        return int(self._pipe.recv())

    def counts(self) -> tuple[int, int]:
        """(reads so far, refused ones among them)."""
        self._pipe.send("counts")
        reads, refused = self._pipe.recv()
        return reads, refused


@contextmanager
def served(size: Size, latency_s: float = 0.0, per_minute: int | None = None) -> Iterator[Google]:
    """A spreadsheet of that size on a loopback port, in a process of its own; the same one under any id.

    latency_s: before each answer. per_minute: more reads within any minute are refused.
    """
    ours, theirs = multiprocessing.Pipe()
    args = (size, latency_s, per_minute, theirs)
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=args, daemon=True)
    process.start()
    try:
        yield Google(f"http://127.0.0.1:{ours.recv()}", ours)
        ours.send(None)
        process.join(5)
    finally:
        process.terminate()
