"""Servers that behave badly on purpose, a Google of one spreadsheet, and a clock that does not wait."""

from __future__ import annotations

import itertools
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from webapp.clock import Budget, Clock, Stop
from webapp.sources.http import Limits
from webapp.sources.sheet.credentials import Credentials, ServiceAccount, parse_credentials
from webapp.sources.sheet.google import GoogleSheet

BOOK_ID = "1AbCdEfGhIjKlMnOpQrStUvWxYz0123456789_-abcde"
TOKEN = "ya29.an-access-token"

Script = Callable[[socket.socket], object]


class FakeTime:
    """Time that passes as always, except that whoever sleeps puts it forward instead of waiting."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.on_sleep: Callable[[], object] = int
        self.clock = Clock(now=self._now, monotonic=lambda: time.monotonic() + sum(self.slept), sleep=self._sleep)

    def budget(self, seconds: float | None = 60.0, stop: Stop | None = None) -> Budget:
        return Budget(seconds, self.clock, stop)

    def _now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=sum(self.slept))

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.on_sleep()


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


class Wire:
    """A server that plays one script per connection, the last one again and again, after it has read the request."""

    def __init__(self, scripts: Sequence[Script], wrap: Callable[[socket.socket], socket.socket]) -> None:
        self.requests: list[bytes] = []
        self._scripts = scripts
        self._wrap = wrap
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        for number in itertools.count():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            try:
                with self._wrap(connection) as wrapped:
                    self.requests.append(_request(wrapped))
                    self._scripts[min(number, len(self._scripts) - 1)](wrapped)
            except OSError:
                connection.close()


def _request(connection: socket.socket) -> bytes:
    """The whole request: what stays unread makes the end of a connection a reset."""
    received = b""
    while not _is_whole(received) and (part := connection.recv(65536)):
        received += part
    return received


def _is_whole(received: bytes) -> bool:
    head, end, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)^content-length: (\d+)", head, re.MULTILINE)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


def hang(connection: socket.socket) -> None:
    """Silent until the client goes."""
    connection.recv(1)


def drip(data: bytes) -> Script:
    """A byte now and then, never silent for long and never done before the client goes."""

    def script(connection: socket.socket) -> None:
        connection.settimeout(0.02)
        for byte in itertools.chain(data, itertools.repeat(ord("x"))):
            connection.sendall(bytes([byte]))
            try:
                connection.recv(1)
            except TimeoutError:
                continue
            return

    return script


def say(data: bytes) -> Script:
    """Exactly these bytes, then the end."""
    return lambda connection: connection.sendall(data)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def answer(body: bytes, *headers: str) -> bytes:
    head = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


class Wires:
    """Makes such servers."""

    hang = staticmethod(hang)
    drip = staticmethod(drip)
    say = staticmethod(say)
    reset = staticmethod(reset)
    answer = staticmethod(answer)

    def __init__(self) -> None:
        self._open: list[Wire] = []

    def serve(self, *scripts: Script, wrap: Callable[[socket.socket], socket.socket] = lambda plain: plain) -> Wire:
        self._open.append(Wire(scripts, wrap))
        return self._open[-1]

    def close(self) -> None:
        for wire in self._open:
            wire.close()


@pytest.fixture
def wires() -> Iterator[Wires]:
    made = Wires()
    yield made
    made.close()


@pytest.fixture(scope="session")
def private_key() -> str:
    # A short one, for every test has an account of its own, whose key is checked when it is first used.
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture
def key_file(httpserver: HTTPServer, private_key: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """A service account's key. Its e-mail is the test's own, since tokens are kept by account."""
    return {
        "type": "service_account",
        "project_id": "a-project",
        "private_key_id": "0" * 40,
        "private_key": private_key,
        "client_email": f"robot-{abs(hash(request.node.nodeid))}@a-project.iam.gserviceaccount.com",
        "client_id": "100000000000000000000",
        "token_uri": httpserver.url_for("/token"),
    }


@pytest.fixture
def account(key_file: dict[str, str]) -> ServiceAccount:
    return parse_credentials(json.dumps(key_file))


class Google:
    """One spreadsheet behind a real socket. `first` are answers given, in order, before it behaves."""

    id = BOOK_ID
    token = TOKEN

    def __init__(self, server: HTTPServer, fake_time: FakeTime, account: ServiceAccount) -> None:
        self.tabs: dict[str, list[list[Any]]] = {"Project A": [["Profile URL", "Followers"], ["x.com/a", 12]]}
        self.properties: dict[str, dict[str, Any]] = {}
        self.first: list[Response] = []
        self.first_tokens: list[Response] = []
        self.server = server
        self.api = server.url_for("").rstrip("/")
        self._time = fake_time
        self._account = account
        server.expect_request("/token").respond_with_handler(self._grant)
        server.expect_request(f"/v4/spreadsheets/{BOOK_ID}").respond_with_handler(self._behaving(self._book))
        server.expect_request(f"/v4/spreadsheets/{BOOK_ID}/values:batchGet").respond_with_handler(
            self._behaving(self._values)
        )

    def sheet(self, credentials: Credentials | None = None, limits: Limits | None = None) -> GoogleSheet:
        return GoogleSheet(
            BOOK_ID,
            credentials=credentials or self._account,
            api_base=self.api,
            clock=self._time.clock,
            limits=limits or Limits(),
        )

    @property
    def asked(self) -> list[str]:
        """Paths asked for, in order."""
        return [request.path for request, _ in self.server.log]

    @property
    def reads(self) -> list[Request]:
        """The calls for cells."""
        return [request for request, _ in self.server.log if request.path.endswith(":batchGet")]

    def _behaving(self, handle: Callable[[Request], Response]) -> Callable[[Request], Response]:
        return lambda request: self.first.pop(0) if self.first else handle(request)

    def _grant(self, _: Request) -> Response:
        if self.first_tokens:
            return self.first_tokens.pop(0)
        return as_json({"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"})

    def _book(self, _: Request) -> Response:
        sheets = []
        for number, title in enumerate(self.tabs):
            grid = {"rowCount": 1000, "columnCount": 26}
            properties = {"sheetId": number * 7, "title": title, "sheetType": "GRID", "gridProperties": grid}
            sheets.append({"properties": properties | self.properties.get(title, {})})
        return as_json({"properties": {"title": "A book", "locale": "de_DE"}, "sheets": sheets})

    def _values(self, request: Request) -> Response:
        found = []
        for asked in request.args.getlist("ranges"):
            title = asked.rpartition("!")[0][1:-1].replace("''", "'")
            if title not in self.tabs:
                return self.refuses(400, f"Unable to parse range: {asked}")
            rows = self.tabs[title]
            found.append({"range": asked, "values": rows} if rows else {"range": asked})
        return as_json({"valueRanges": found})

    @staticmethod
    def refuses(status: int, message: str, reason: str = "", **headers: str) -> Response:
        """An error in Google's form, in which everything after `message` is Google's own talk."""
        details = [{"reason": reason, "domain": "googleapis.com", "metadata": {"service": "sheets.googleapis.com"}}]
        body = {"error": {"code": status, "message": message, "status": "SOME", "details": details}}
        return as_json(body, status, **headers)


def as_json(value: object, status: int = 200, **headers: str) -> Response:
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(json.dumps(value), status, names, content_type="application/json")


@pytest.fixture
def google(httpserver: HTTPServer, fake_time: FakeTime, account: ServiceAccount) -> Google:
    return Google(httpserver, fake_time, account)
