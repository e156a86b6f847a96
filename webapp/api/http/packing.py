"""Answers packed for who takes them so: a list of accounts has a sixth of its size on the way.

What is packed is the same answer in another form, so its tag becomes a weak one, which matches all the same. An answer
that is kept is packed once.
"""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

App = Callable[..., Iterable[bytes]]
Headers = list[tuple[str, str]]

SMALLEST = 1024  # bytes from which on it is worth it
LEVEL = 3  # a tenth larger than by zlib's default, in a third of the time
GZIP_BITS = 31
KEPT = 2 * 1024 * 1024  # bytes of packed answers that a process keeps
TYPES = {"application/json", "application/problem+json", "application/openapi+json", "image/svg+xml"}
STREAM = "text/event-stream"


class Packing:
    """A WSGI application before another. What comes piece by piece, such as progress, goes through as it comes."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._packed = _Packed()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        said = environ.get("HTTP_ACCEPT_ENCODING")
        taken = said is not None and takes_gzip(said)
        held: list[tuple[str, Headers]] = []

        def start(status: str, headers: Headers, *error: Any) -> Any:
            told = _in_two_forms(status, tuple(headers))
            if told is not None:
                headers = [*told]
                if taken and status.startswith("304"):
                    headers = _weak_if_known(headers, environ.get("HTTP_IF_NONE_MATCH", ""))
                elif taken:
                    held.append((status, headers))
                    return _refuse
            return start_response(status, headers, *error)

        body = self._app(environ, start)
        if not held:
            return body
        try:
            whole = b"".join(body)
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()
        status, headers = held[-1]
        headers, packed = self._pack(headers, whole)
        start_response(status, headers)
        return [packed]

    def _pack(self, headers: Headers, whole: bytes) -> tuple[Headers, bytes]:
        """The answer in its other form. whole: nothing for one that was only asked for its head."""
        tag = next((value for name, value in headers if name.lower() == "etag"), None)
        packed = self._packed.get(tag) if tag is not None else None
        if packed is None and whole:
            packed = _gzip(whole)
            if tag is not None:
                self._packed.put(tag, packed)
        left = [(name, value) for name, value in headers if name.lower() not in {"content-length", "etag"}]
        left.append(("Content-Encoding", "gzip"))
        if packed is not None:  # else nobody knows its length yet, and need not be told
            left.append(("Content-Length", str(len(packed))))
        if tag is not None:
            left.append(("ETag", _weak(tag)))
        return left, packed if whole and packed is not None else b""


class _Packed:
    """Packed answers by their tags, which cover all that answers say; the least recently used are dropped."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, tag: str) -> bytes | None:
        with self._lock:
            found = self._known.get(tag)
            if found is not None:
                self._known.move_to_end(tag)
            return found

    def put(self, tag: str, packed: bytes) -> None:
        if len(packed) > KEPT // 4:
            return
        with self._lock:
            self._size += len(packed) - len(self._known.pop(tag, b""))
            self._known[tag] = packed
            while self._size > KEPT:
                self._size -= len(self._known.popitem(last=False)[1])


@lru_cache(maxsize=256)
def takes_gzip(said: str) -> bool:
    """Whether an `Accept-Encoding` takes gzip, and not less than the answer as it is."""
    weights: dict[str, float] = {}
    for part in said.lower().split(","):
        name, _, parameter = part.partition(";")
        weights[name.strip()] = _weight(parameter.strip())
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


def _weight(parameter: str) -> float:
    if not parameter:
        return 1.0
    try:
        return float(parameter.removeprefix("q=").strip())
    except ValueError:
        return 0.0


@lru_cache(maxsize=1024)  # an answer that is kept has the same headers each time
def _in_two_forms(status: str, headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...] | None:
    """The headers of an answer that has two forms, which say so; None for one that has a single form.

    Two has what is of a kind and a size to be packed, and the word that nothing has changed, which is about either.
    """
    if not (status.startswith("304") or _is_worth_it(headers)):
        return None
    before = [value for name, value in headers if name.lower() == "vary"]
    left = (pair for pair in headers if pair[0].lower() != "vary")
    return (*left, ("Vary", ", ".join([*before, "Accept-Encoding"])))


def _is_worth_it(headers: tuple[tuple[str, str], ...]) -> bool:
    kind, size = "", 0
    for name, value in headers:
        match name.lower():
            case "content-type":
                kind = value.partition(";")[0]
            case "content-length":
                size = int(value)
            case "content-encoding":
                return False
    return size > SMALLEST and kind != STREAM and (kind.startswith("text/") or kind in TYPES)


def _weak(tag: str) -> str:
    return tag if tag.startswith("W/") else f"W/{tag}"


def _weak_if_known(headers: Headers, known: str) -> Headers:
    """The tag as the client has it, of the form that it has."""
    return [
        (name, _weak(value) if name.lower() == "etag" and _weak(value) in known else value) for name, value in headers
    ]


def _gzip(whole: bytes) -> bytes:
    """The same bytes each time: with no time in them."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP_BITS)
    return packer.compress(whole) + packer.flush()


def _refuse(_: bytes) -> None:
    """What a WSGI application may write to before it answers; none of ours does."""
    raise NotImplementedError
