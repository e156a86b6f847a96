"""What comes over the wire without a right token: it opens nothing, and breaks nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.e2e.google import Google, google
from tests.e2e.harness import TOKEN, Service, request, serving


@pytest.fixture(scope="module")
def book() -> Iterator[Google]:
    with google() as opened:
        opened.tab("Project A", 2, 100)
        yield opened


@pytest.fixture(scope="module")
def service(book: Google, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("doors"), book) as running:
        yield running


def raw(service: Service, headers: bytes) -> bytes:
    """The answer to a trigger with these headers, as it comes over the wire."""
    parts = urlsplit(service.url)
    with socket.create_connection((str(parts.hostname), parts.port or 0), timeout=60) as caller:
        caller.sendall(
            b"POST /api/admin/smart_sync HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 0\r\n"
            + headers
            + b"\r\n"
        )
        return b"".join(iter(lambda: caller.recv(65536), b""))


GOOD = b"Authorization: Bearer " + TOKEN.encode() + b"\r\n"
WRONG = {
    "none": b"",
    "wrong": b"Authorization: Bearer another-token-of-nobody\r\n",
    "empty": b"Authorization: Bearer \r\n",
    "no scheme": b"Authorization: " + TOKEN.encode() + b"\r\n",
    "basic": b"Authorization: Basic " + TOKEN.encode() + b"\r\n",
    "two": b"Authorization: Bearer another-token-of-nobody\r\n" + GOOD,
    "not ASCII": "Authorization: Bearer töken-of-nobody\r\n".encode(),
    "not even UTF-8": b"Authorization: Bearer \xff\xfe-of-nobody\r\n",
    "a beginning": GOOD[:-4] + b"\r\n",
    "8,000 characters": b"Authorization: Bearer " + b"t" * 8_000 + b"\r\n",
    "the name of another header": b"X-Api-Key: " + TOKEN.encode() + b"\r\n",
}


@pytest.mark.parametrize("headers", WRONG.values(), ids=WRONG.keys())
def test_nothing_but_the_token_opens(service: Service, book: Google, headers: bytes) -> None:
    head, _, body = raw(service, headers).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 401 "), head
    assert b"\r\nwww-authenticate: bearer" in head.lower()
    assert b'"code":"unauthorized"' in body
    assert service.states() == {}
    assert book.calls == []


@pytest.mark.parametrize("name", ["token", "access_token", "api_key"])
def test_a_token_in_the_address_opens_nothing_and_is_not_repeated(service: Service, name: str) -> None:
    without = request("POST", f"{service.url}/api/admin/smart_sync?{name}={TOKEN}", token=None)
    beside = request("POST", f"{service.url}/api/admin/smart_sync?{name}={TOKEN}")

    assert (without.status, beside.status) == (401, 422)
    assert TOKEN not in str(without.json) + str(beside.json)
    assert TOKEN not in service.log
    assert service.states() == {}


def test_the_token_opens_whatever_the_case_of_its_scheme(service: Service) -> None:
    answer = raw(service, GOOD.replace(b"Bearer", b"bearer"))

    assert answer.startswith(b"HTTP/1.1 200 ")
