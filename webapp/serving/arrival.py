"""A request as it arrives: bytes go in, and whether it is whole comes out. No sockets and no clock."""

from __future__ import annotations

import io
import re
from typing import Any

from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.http.errors import LimitRequestHeaders, NoMoreData
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader

from webapp.serving.chunks import Chunks

MAX_HEAD = 64 * 1024
# Where a head ends; or a line that ends in no way a head may have, which is refused at once and not waited on.
END = re.compile(rb"\r\n\r\n|(?<!\r)\n")


class BodyTooLarge(Exception):
    """A body of more bytes than are taken."""


class Arrival:
    """One request of a connection. gunicorn reads the head, once all of it is there; a body is only collected.

    number: of the request on its connection, from 1. most: bytes a body may have.
    """

    def __init__(self, cfg: Any, client: Any, number: int, most: int) -> None:
        self.request: Any = None  # once the head is there
        self.rest = b""  # what came after the request, once it is whole
        self._cfg = cfg
        self._client = client
        self._number = number
        self._most = most
        self._head = bytearray()
        self._look_at = cfg.limit_request_line + len("\r\n\r\n")
        self._most_head = max(MAX_HEAD, cfg.limit_request_line + cfg.limit_request_field_size)
        self._body: _Sized | Chunks | None = None

    @property
    def begun(self) -> bool:
        """Whether anything of it has come."""
        return bool(self._head) or self._body is not None

    @property
    def whole(self) -> bool:
        return self._body is not None and self._body.whole

    @property
    def is_last(self) -> bool:
        """Whether all of it has come, and the client said that nothing follows."""
        return self.whole and bool(self.request.should_close())

    @property
    def held(self) -> int:
        """Bytes it keeps in memory."""
        return len(self._head) + (len(self._body.body) if self._body else 0)

    @property
    def wants_word(self) -> bool:
        """Whether the client waits for `100 Continue`. True once at most."""
        request = self.request
        wants = bool(request and request._expected_100_continue and not self.whole)  # noqa: SLF001  has no other name
        if request:
            # gunicorn would say it as well, when the body is long there.
            request._expected_100_continue = False  # noqa: SLF001
        return wants

    def feed(self, data: bytes) -> None:
        """Take what has come.

        Raises: what gunicorn raises for a head or chunks that it does not take; BodyTooLarge.
        """
        if self._body is None:
            data = self._feed_head(data)
        if self._body is not None:
            self._feed_body(self._body, data)

    def _feed_head(self, data: bytes) -> bytes:
        """What follows the head, if its end has come."""
        searched = max(0, len(self._head) - 3)
        self._head += data
        found = END.search(self._head, searched)
        if (found.end() if found else len(self._head)) > self._most_head:
            raise LimitRequestHeaders("limit request headers size")
        if found or len(self._head) > self._look_at:
            # A head that is not at its end is looked at all the same when it grows: its first line may be too long.
            self._look_at = 2 * len(self._head)
            return self._parse()
        return b""

    def _parse(self) -> bytes:
        unreader = IterUnreader([bytes(self._head)])
        try:
            request = Request(self._cfg, unreader, self._client, self._number)
        except NoMoreData:
            return b""
        self._head.clear()
        self.request = request
        self._body = self._collector(request.body.reader)
        rest: bytes = unreader.take_buffered()
        return rest

    def _collector(self, reader: Any) -> _Sized | Chunks:
        if isinstance(reader, ChunkedReader):
            return Chunks()
        assert isinstance(reader, LengthReader)  # noqa: S101  a request without a length has no body
        if reader.length > self._most:
            raise BodyTooLarge
        return _Sized(reader.length)

    def _feed_body(self, body: _Sized | Chunks, data: bytes) -> None:
        body.feed(data)
        if len(body.body) > self._most:
            raise BodyTooLarge
        if body.whole:
            self.request.body = io.BytesIO(body.body)
            self.rest = body.rest

    # What gunicorn's thread asks of its parser

    def __next__(self) -> Any:
        return self.request

    def finish_body(self, deadline: float | None = None) -> bool:
        """Nothing of the body is left on the socket."""
        del deadline
        return self.whole


class _Sized:
    """A body whose length is known."""

    def __init__(self, length: int) -> None:
        self.body = bytearray()
        self.rest = b""
        self._length = length

    @property
    def whole(self) -> bool:
        return len(self.body) == self._length

    def feed(self, data: bytes) -> None:
        missing = self._length - len(self.body)
        self.body += data[:missing]
        self.rest += data[missing:]
