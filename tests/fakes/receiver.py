"""Somebody who is told: an address of a webhook, and of Apprise, that keeps what it gets."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

__all__ = ["Got", "Receiver"]


class Got(NamedTuple):
    """One request that came. body: to the byte."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["Webhook-Id"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def event(self) -> str:
        return str(self.json["type"])


class Receiver:
    """Answers `status`, and only once `open` is set."""

    def __init__(self, server: HTTPServer, path: str = "/hook") -> None:
        self.got: list[Got] = []
        self.status = 204
        self.headers: dict[str, str] = {}
        self.body = ""
        self.open = threading.Event()
        self.open.set()
        self.url = server.url_for(path)
        server.expect_request(path).respond_with_handler(self._take)

    @property
    def events(self) -> list[str]:
        return [one.event for one in self.got]

    def _take(self, request: Request) -> Response:
        self.got.append(Got(dict(request.headers), request.get_data()))
        self.open.wait(20)
        return Response(self.body, self.status, headers=self.headers)
