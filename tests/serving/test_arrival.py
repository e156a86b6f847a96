"""A request as it arrives: when it is whole, what gunicorn makes of it, and what is refused before it is."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http import errors
from gunicorn.http.body import Body, ChunkedReader
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader
from hypothesis import given
from hypothesis import strategies as st

from webapp.serving.arrival import Arrival, BodyTooLarge
from webapp.serving.chunks import MAX_LINE, MAX_TINY, TINY, Chunks

CLIENT = ("127.0.0.1", 1)
GET = b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n"
POST = b"POST /sign-in HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
IN_CHUNKS = CHUNKED + b"2\r\nhe\r\n3;why=not\r\nllo\r\n0\r\nX-After: all\r\n\r\n"
MOST = 1000
ODD = (
    b"G\r\n",
    b"-1\r\n",
    b"0x1\r\nx",
    b"1 \r\nx\r\n",
    b"1\nx\r\n",
    b"1\r\nxy\r\n",
    b"1\r\nx\n\r\n",
    b"1\r\nx\r\r\n",
    b"\r\n",
    b"1;a\rb\r\nx",
    b"1" * 17 + b"\r\n",
    b"1;" + b"x" * MAX_LINE,
    b"1;" + b"x" * MAX_LINE + b"\r\nx\r\n0\r\n\r\n",
    b"1\r\nx\r\n" * (MAX_TINY + MAX_TINY // 32),
    b"0\r\n" + b"x: y\r\n" * 5000,
)


def arrival(number: int = 1, **options: Any) -> Arrival:
    cfg = Config()
    for name, value in options.items():
        cfg.set(name, value)
    return Arrival(cfg, CLIENT, number, MOST)


def fed(data: bytes, size: int | None = None, **options: Any) -> Arrival:
    """What becomes of the bytes, in pieces of this size."""
    found = arrival(**options)
    feed(found, data, size)
    return found


def feed(found: Arrival | Chunks, data: bytes, size: int | None = None) -> None:
    size = size or len(data)
    for at in range(0, len(data), size):
        found.feed(data[at : at + size])


@pytest.mark.parametrize("size", [1, 2, 7, None])
@pytest.mark.parametrize(("data", "body"), [(GET, b""), (POST, b"hello"), (IN_CHUNKS, b"hello")])
def test_a_request_is_whole_with_its_last_byte_and_not_before(data: bytes, body: bytes, size: int | None) -> None:
    found = fed(data[:-1], size)
    before = found.whole

    found.feed(data[-1:])

    assert (before, found.whole, found.finish_body()) == (False, True, True)
    assert next(found).body.read() == body


def test_of_what_has_not_begun_nothing_is_held() -> None:
    found = arrival()

    assert (found.begun, found.whole, found.held, found.wants_word) == (False, False, 0, False)


@pytest.mark.parametrize("data", [GET, POST, IN_CHUNKS])
def test_what_comes_behind_belongs_to_the_next_request(data: bytes) -> None:
    found = fed(data + POST)

    assert (found.whole, found.rest) == (True, POST)


def test_a_head_is_read_as_gunicorn_reads_it() -> None:
    request = next(fed(b"\r\nPOST /a%20b?c=d HTTP/1.1\r\nHost: here\r\nX-A: 1\r\n\r\n"))

    assert (request.method, request.path, request.query, request.version) == ("POST", "/a%20b", "c=d", (1, 1))
    assert request.headers == [("HOST", "here"), ("X-A", "1")]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"GET / HTTP/1.1\nHost: here\n\n", errors.InvalidRequestLine),
        (b"GET / HTTP/1.1\r\nHost: here\n\n", errors.InvalidHeader),
        (b"BREW\r\n\r\n", errors.InvalidRequestLine),
        (b"\r\n\r\n", errors.InvalidRequestLine),
        (b"\x16\x03\x01\x02\x00\x01\n", errors.InvalidRequestLine),
        (b"GET / HTTP/3.0\r\n\r\n", errors.InvalidHTTPVersion),
        (b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", errors.InvalidHeader),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", errors.InvalidHeader),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: odd\r\n\r\n", errors.UnsupportedTransferCoding),
        (b"GET / HTTP/1.1\r\nExpect: more\r\n\r\n", errors.ExpectationFailed),
        (b"GET /" + b"x" * 5000, errors.LimitRequestLine),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 101 + b"\r\n", errors.LimitRequestHeaders),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 9000 + b"\r\n\r\n", errors.LimitRequestHeaders),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 70_000, errors.LimitRequestHeaders),
        (b"GET / HTTP/1.1\r\n" + (b"A: " + b"b" * 8000 + b"\r\n") * 9 + b"\r\n", errors.LimitRequestHeaders),
    ],
)
@pytest.mark.parametrize("size", [997, None])
def test_what_gunicorn_refuses_is_refused_at_once(data: bytes, error: type[Exception], size: int | None) -> None:
    with pytest.raises(error):
        fed(data, size)


def test_limits_are_the_ones_that_somebody_set() -> None:
    long = b"GET /" + b"x" * 6000 + b" HTTP/1.1\r\n\r\n"

    assert fed(long, limit_request_line=8000).whole
    with pytest.raises(errors.LimitRequestLine):
        fed(GET, limit_request_line=10)


def test_a_body_that_says_it_is_too_large_is_not_collected() -> None:
    with pytest.raises(BodyTooLarge):
        fed(POST.replace(b": 5", b": 1001"))


def test_chunks_are_too_large_when_they_are() -> None:
    found = fed(CHUNKED + b"3E8\r\n" + b"x" * 1000 + b"\r\n")

    with pytest.raises(BodyTooLarge):
        found.feed(b"1\r\nx\r\n")


def test_what_is_held_is_what_has_come_of_it() -> None:
    found = arrival()
    found.feed(GET[:10])
    assert found.held == 10

    found.feed(GET[10:-2] + b"Content-Length: 100\r\n\r\nhello")
    assert found.held == 5


def test_a_client_that_waits_for_the_word_is_given_it_once() -> None:
    head = POST.removesuffix(b"hello").replace(b"Host", b"Expect: 100-continue\r\nHost")
    found = fed(head)

    assert (found.wants_word, found.wants_word) == (True, False)
    found.feed(b"hello")
    assert not next(found)._expected_100_continue
    assert not fed(head + b"hello").wants_word


def test_the_line_of_a_proxy_stands_before_the_first_request_only() -> None:
    line = b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n"
    request = next(fed(line + GET, 3, proxy_protocol="auto"))

    assert request.proxy_protocol_info["client_addr"] == "192.0.2.1"
    with pytest.raises(errors.InvalidRequestLine):
        feed(arrival(2, proxy_protocol="auto"), line + GET)


def test_what_a_proxy_says_in_bytes_is_understood_too() -> None:
    addresses = bytes([192, 0, 2, 1, 192, 0, 2, 2]) + (1000).to_bytes(2) + (10).to_bytes(2)
    said = b"\r\n\r\n\x00\r\nQUIT\n\x21\x11" + len(addresses).to_bytes(2) + addresses

    request = next(fed(said + GET, 5, proxy_protocol="auto"))

    assert request.proxy_protocol_info["client_port"] == 1000


@pytest.mark.parametrize("size", [1, 5, None])
@pytest.mark.parametrize("data", ODD, ids=lambda data: repr(data[:12]))
def test_chunks_that_are_malformed_are_refused(data: bytes, size: int | None) -> None:
    with pytest.raises(errors.ParseException):
        feed(Chunks(), data, size)


def test_chunks_may_be_as_many_as_the_payload_is_worth() -> None:
    chunks = Chunks()
    for _ in range(8):
        chunks.feed(b"%x\r\n%s\r\n" % (TINY, b"x" * TINY) * MAX_TINY)

    assert len(chunks.body) == 8 * TINY * MAX_TINY


def test_of_a_long_line_no_more_is_kept_than_a_line_may_have() -> None:
    chunks = Chunks()
    chunks.feed(b"1;" + b"x" * (MAX_LINE - 2))

    with pytest.raises(errors.InvalidChunkSize):
        chunks.feed(b"x")


@given(
    pieces=st.lists(st.binary(min_size=1, max_size=40), max_size=8),
    extension=st.sampled_from([b"", b";a", b" ; a=b", b';a="b"']),
    trailers=st.sampled_from([b"", b"X-A: b\r\n", b"X-A: b\r\nX-B: c\r\n"]),
    cuts=st.sets(st.integers(0, 400)),
    behind=st.binary(max_size=10),
)
def test_chunks_mean_what_gunicorn_takes_them_for_wherever_they_are_cut(
    pieces: list[bytes], extension: bytes, trailers: bytes, cuts: set[int], behind: bytes
) -> None:
    data = b"".join(b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces)
    data += b"0\r\n" + trailers + b"\r\n" + behind
    unreader = IterUnreader([CHUNKED + data])
    request = Request(Config(), unreader, CLIENT)

    ours = Chunks()
    places = sorted({0, *(cut for cut in cuts if cut < len(data)), len(data)})
    for start, end in pairwise(places):
        ours.feed(data[start:end])

    assert ours.whole
    assert ours.body == request.body.read() == b"".join(pieces)
    assert ours.rest == unreader.take_buffered() == behind


@given(st.lists(st.sampled_from([b"0", b"1", b"a", b";", b" ", b"\r", b"\n", b"\r\n", b"x", b'"']), max_size=14))
def test_what_we_take_for_whole_gunicorn_does_not_take_for_something_else(parts: list[bytes]) -> None:
    data = b"".join(parts)
    ours = Chunks()
    try:
        ours.feed(data)
    except errors.ParseException:
        return
    if not ours.whole:
        return
    unreader = IterUnreader([data])
    body = Body(ChunkedReader(Request(Config(), IterUnreader([CHUNKED]), CLIENT), unreader))
    try:
        theirs = body.read()
    except (errors.ParseException, errors.NoMoreData):
        return  # stricter about extensions and trailers, of which nothing is used
    assert (bytes(ours.body), ours.rest) == (theirs, unreader.take_buffered())
