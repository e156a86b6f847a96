"""A chunked body, decoded as it arrives."""

from __future__ import annotations

import re

from gunicorn.http.errors import ChunkMissingTerminator, InvalidChunkSize, LimitRequestHeaders

MAX_LINE = 4 * 1024
MAX_TRAILERS = 16 * 1024
MAX_TINY = 1024  # chunks, beyond one for each 64 bytes: tiny ones are much work for few bytes
TINY = 64
PLAIN = re.compile(rb"([0-9a-fA-F]{1,8})\r\n")
SIZE_LINE = re.compile(rb"([0-9a-fA-F]{1,16})(?:[ \t]*;[\t -~\x80-\xff]*)?")


class Chunks:
    """The payload of a chunked body, in `body`; `rest` is what came after it, once `whole`.

    Extensions and trailers are bounded and left out. Only what is understood to the last byte counts: two readers that
    understand a body differently are how one request is smuggled in another.
    """

    def __init__(self) -> None:
        self.body = bytearray()
        self.whole = False
        self.rest = b""
        self._raw = bytearray()  # a line of which the end has not come
        self._left: int | None = None  # of a chunk's payload; None between chunks
        self._last = False  # whether the chunk of size 0 has come
        self._chunks = 0
        self._trailers = 0

    def feed(self, data: bytes) -> None:
        """Take what has come, up to the end of the body.

        Raises: what gunicorn raises for chunks that are malformed.
        """
        self._raw += data
        at = self._read_plain(0)
        while not self.whole and (end := self._read(at)) is not None:
            at = self._read_plain(end)
        del self._raw[:at]
        if self.whole:
            self.rest += self._raw
            self._raw.clear()

    def _read(self, at: int) -> int | None:
        """One piece, from there on: where it ends, or None when there is no more to read yet."""
        if self._left:
            return self._read_payload(at, self._left)
        end = self._find_line_end(at)
        if end is None:
            return None
        line = bytes(self._raw[at:end])
        self._take_line(line)
        return end + 2

    def _read_plain(self, at: int) -> int:
        """Chunks that are all there and have nothing odd, in one go; where the first other piece begins."""
        if self._left is not None:
            return at
        while (found := PLAIN.match(self._raw, at)) is not None:
            start = found.end()
            end = start + int(found[1], 16)
            if end == start or self._raw[end : end + 2] != b"\r\n":
                break
            self.body += self._raw[start:end]
            self._count_chunk()
            at = end + 2
        return at

    def _count_chunk(self) -> None:
        self._chunks += 1
        if self._chunks > MAX_TINY + len(self.body) // TINY:
            raise InvalidChunkSize(b"too many tiny chunks")

    def _read_payload(self, at: int, left: int) -> int | None:
        taken = self._raw[at : at + left]
        self.body += taken
        self._left = left - len(taken)
        return at + len(taken) if taken else None

    def _take_line(self, line: bytes) -> None:
        if self._last:
            self._trailers += len(line)
            if self._trailers > MAX_TRAILERS:
                raise LimitRequestHeaders("limit request trailer section size")
            self.whole = not line
        elif self._left == 0:
            if line:
                raise ChunkMissingTerminator(line[:2])
            self._left = None
        else:
            found = SIZE_LINE.fullmatch(line)
            if found is None:
                raise InvalidChunkSize(line[:20])
            self._count_chunk()
            self._left = int(found[1], 16)
            self._last = not self._left

    def _find_line_end(self, at: int) -> int | None:
        end = self._raw.find(b"\r", at, at + MAX_LINE + 1)
        stray = self._raw.find(b"\n", at, end if end >= 0 else at + MAX_LINE + 1)
        if stray >= 0 or (end >= 0 and not b"\r\n".startswith(self._raw[end : end + 2])):
            raise InvalidChunkSize(b"a line that does not end as one")
        if end < 0 and len(self._raw) > at + MAX_LINE:
            raise InvalidChunkSize(b"a line of more than %d bytes" % MAX_LINE)
        return end if end >= 0 and end + 1 < len(self._raw) else None
