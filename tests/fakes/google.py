"""A Google of one spreadsheet behind a real socket."""

from __future__ import annotations

import json
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

__all__ = ["BOOK_ID", "FakeGoogle"]

BOOK_ID = "1AbCdEfGhIjKlMnOpQrStUvWxYz0123456789_-abcde"


class FakeGoogle:
    """`tabs`: {title: rows}. `first`: answers given, in order, before it behaves; `always`: one given for ever."""

    def __init__(self, server: HTTPServer) -> None:
        self.tabs: dict[str, list[list[Any]]] = {}
        self.first: list[Response] = []
        self.always: Response | None = None
        self.asked: list[str] = []
        self.base = server.url_for("").rstrip("/")
        path = f"/v4/spreadsheets/{BOOK_ID}"
        server.expect_request(path).respond_with_handler(lambda request: self._answer(request, lambda _: self.book()))
        server.expect_request(f"{path}/values:batchGet").respond_with_handler(
            lambda request: self._answer(request, self._values)
        )

    def _answer(self, request: Request, behave: Any) -> Response:
        self.asked.append(request.path.rpartition("/")[2])
        if self.always is not None:
            return self.always
        return self.first.pop(0) if self.first else behave(request)

    def book(self) -> Response:
        """The tabs there are now."""
        sheets = [
            {"properties": {"sheetId": number, "title": title, "sheetType": "GRID", "gridProperties": GRID}}
            for number, title in enumerate(self.tabs)
        ]
        return as_json({"properties": {"title": "A book", "locale": "en_US"}, "sheets": sheets})

    def _values(self, request: Request) -> Response:
        titles = [asked.rpartition("!")[0][1:-1].replace("''", "'") for asked in request.args.getlist("ranges")]
        gone = [title for title in titles if title not in self.tabs]
        if gone:
            return refusal(400, f"Unable to parse range: '{gone[0]}'!A1:Z1000")
        return as_json({"valueRanges": [{"range": title, "values": self.tabs[title]} for title in titles]})


GRID = {"rowCount": 1000, "columnCount": 26}


def as_json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(value), status, headers, content_type="application/json")


def refusal(status: int, message: str, reason: str = "", headers: dict[str, str] | None = None) -> Response:
    """An error in Google's form."""
    details = [{"reason": reason, "domain": "googleapis.com", "metadata": {"service": "sheets.googleapis.com"}}]
    return as_json({"error": {"code": status, "message": message, "status": "X", "details": details}}, status, headers)
