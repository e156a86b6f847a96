"""Answers packed for who takes them so: the same answers, with tags that match."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.api.tour import ADMIN, BY_ID, Demo, demo_on, tour
from webapp.api.http import packing
from webapp.api.http.packing import KEPT, SMALLEST, Packing, takes_gzip

TAKEN = ADMIN | {"Accept-Encoding": "gzip, deflate, br"}
LIST = "list_accounts"


@pytest.fixture
def demo(sqlite_url: str) -> Iterator[Demo]:
    demo = demo_on(sqlite_url)
    yield demo
    demo.parts.db.close()


def get(demo: Demo, operation: str = LIST, *, method: str = "GET", **headers: str) -> TestResponse:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return demo.client.open(demo.path(BY_ID[operation].path), method=method, headers=TAKEN | more, buffered=True)


def plain(demo: Demo, operation: str = LIST, **headers: str) -> TestResponse:
    return get(demo, operation, Accept_Encoding="identity", **headers)


def test_every_answer_says_the_same_in_both_forms(demo: Demo) -> None:
    for _ in tour(demo):
        pass
    sizes: dict[str, tuple[int, int]] = {}
    for route in BY_ID.values():
        if route.method == "GET":
            for query in ("", "?format=csv"):
                path = demo.path(route.path) + query
                asked = {
                    name: demo.client.get(path, headers=headers, buffered=True)
                    for name, headers in (("packed", TAKEN), ("plain", ADMIN))
                }
                one, other = asked["packed"], asked["plain"]
                assert (one.status_code, one.content_type) == (other.status_code, other.content_type), path
                assert "Content-Encoding" not in other.headers
                if "Content-Encoding" in one.headers:
                    assert gzip.decompress(one.data) == other.data, path
                    assert int(one.headers["Content-Length"]) == len(one.data)
                    assert one.headers.get("ETag") == (
                        f"W/{other.headers['ETag']}" if "ETag" in other.headers else None
                    )
                    sizes[path] = (len(one.data), len(other.data))
                else:
                    assert one.data == other.data, path
                    assert len(other.data) <= SMALLEST or route.path.endswith("/events"), path
                is_large = len(other.data) > SMALLEST and not route.path.endswith("/events")
                assert ("Accept-Encoding" in other.headers.get("Vary", "")) == is_large, path
    assert len(sizes) > 15
    assert sum(one for one, _ in sizes.values()) < sum(other for _, other in sizes.values()) / 4


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/static/{style}"])
def test_pages_and_files_are_packed_too(demo: Demo, path: str) -> None:
    from webapp.dashboard.assets import address_of  # noqa: PLC0415

    path = path.replace("/static/{style}", address_of("style.css"))
    answer = demo.client.get(path, headers=TAKEN, follow_redirects=True)

    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.data) == demo.client.get(path, headers=ADMIN, follow_redirects=True).data
    before = demo.client.get(path, headers=ADMIN, follow_redirects=True).headers.get("Vary")
    assert answer.headers["Vary"] == before
    if path == "/":
        assert before == "Cookie, Accept-Encoding"


def test_the_tag_of_either_form_is_answered_without_a_body(demo: Demo) -> None:
    packed, whole = get(demo), plain(demo)
    weak, strong = packed.headers["ETag"], whole.headers["ETag"]

    for known, told in ((weak, weak), (strong, strong), (f'"other", {weak}', weak), ("*", strong)):
        for _ in range(2):  # the second is given in front of the framework
            answer = get(demo, If_None_Match=known)
            assert (answer.status_code, answer.data) == (304, b"")
            assert (answer.headers["ETag"], answer.headers["Vary"]) == (told, "Accept-Encoding")
            assert "Content-Encoding" not in answer.headers
        assert plain(demo, If_None_Match=known).status_code == 304


def test_the_head_of_an_answer_is_that_of_the_answer(demo: Demo) -> None:
    first = get(demo, method="HEAD")
    whole = get(demo)
    second = get(demo, method="HEAD")

    assert (first.data, second.data) == (b"", b"")
    assert "Content-Length" not in first.headers  # nobody has packed it yet
    differ = {"Date"}
    heads = [{n: v for n, v in one.headers.items() if n not in differ} for one in (second, whole)]
    assert heads[0] == heads[1]


def test_what_is_kept_is_packed_once(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    packed: list[int] = []
    pack = packing._gzip

    def note(whole: bytes) -> bytes:
        packed.append(len(whole))
        return pack(whole)

    monkeypatch.setattr(packing, "_gzip", note)

    bodies = {get(demo).data for _ in range(5)}

    assert (len(packed), len(bodies)) == (1, 1)


def test_small_answers_and_those_that_nobody_wants_packed_stay_as_they_are(demo: Demo) -> None:
    small = get(demo, "get_health") if "get_health" in BY_ID else demo.client.get("/health", headers=TAKEN)
    assert "Content-Encoding" not in small.headers
    assert "Vary" not in small.headers
    unasked = demo.client.get(demo.path(BY_ID[LIST].path), headers=ADMIN)
    assert "Content-Encoding" not in unasked.headers
    assert unasked.headers["Vary"] == "Accept-Encoding"
    assert not unasked.headers["ETag"].startswith("W/")


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("gzip", True),
        ("GZip", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("x-gzip", True),
        ("*", True),
        ("gzip;q=0.5, identity;q=0.5", True),
        ("gzip;q=0.5, identity", False),
        ("gzip;q=0", False),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("identity", False),
        ("br", False),
        ("", False),
        ("gzip;q=much", False),
        ("not gzip", False),
    ],
)
def test_what_a_client_takes(said: str, taken: bool) -> None:
    assert takes_gzip(said) is taken


class Answers:
    """An application that answers what it was given, and the answer behind Packing."""

    def __init__(self, status: str, headers: dict[str, str], *pieces: bytes) -> None:
        self.status, self.headers, self.pieces = status, headers, pieces
        self.closed = False
        self.seen: list[Any] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        start_response(self.status, [*self.headers.items()])
        return self

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            self.seen.append(piece)
            yield piece

    def close(self) -> None:
        self.closed = True

    def through(self, said: str = "gzip") -> tuple[str, dict[str, str], Iterator[bytes]]:
        found: list[Any] = []
        body = Packing(self)({"HTTP_ACCEPT_ENCODING": said}, lambda *told: found.extend(told))
        return found[0], dict(found[1]), iter(body)


def test_what_comes_piece_by_piece_comes_as_it_is_made() -> None:
    app = Answers("200 OK", {"Content-Type": "text/event-stream"}, b"a" * 2000, b"b" * 2000)

    status, headers, body = app.through()

    assert (status, headers, app.seen) == ("200 OK", {"Content-Type": "text/event-stream"}, [])
    assert next(body) == b"a" * 2000
    assert app.seen == [b"a" * 2000]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/json", "Content-Length": "2000", "Content-Encoding": "br"},
        {"Content-Type": "image/png", "Content-Length": "2000"},
        {"Content-Type": "text/plain"},
        {"Content-Length": "2000"},
        {"Content-Type": "application/json", "Content-Length": "1024"},
    ],
)
def test_what_is_packed_already_or_of_another_kind_goes_as_it_is(headers: dict[str, str]) -> None:
    _, told, body = Answers("200 OK", headers, b"x" * 2000).through()

    assert told == headers
    assert b"".join(body) == b"x" * 2000


def test_a_packed_answer_is_closed_and_is_the_same_each_time() -> None:
    headers = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": "4000", "Vary": "Origin"}
    app = Answers("404 NOT FOUND", headers, b"x" * 2000, b"y" * 2000)

    status, told, body = app.through()
    (packed,) = body

    assert app.closed
    assert (status, told["Vary"], told["Content-Encoding"]) == ("404 NOT FOUND", "Origin, Accept-Encoding", "gzip")
    assert zlib.decompress(packed, 31) == b"x" * 2000 + b"y" * 2000
    assert [*app.through()[2]] == [packed]


def test_packed_answers_are_kept_up_to_a_size() -> None:
    kept = packing._Packed()
    for number in range(100):
        kept.put(f'"{number}"', bytes(100_000))
    kept.put('"large"', bytes(KEPT))
    kept.put('"99"', bytes(50_000))

    assert kept.get('"0"') is None
    assert kept.get('"large"') is None
    assert len(kept.get('"99"') or b"") == 50_000
    assert kept._size <= KEPT
    assert kept._size == sum(map(len, kept._known.values()))
