"""What every reader of a platform makes of bad answers: words for the platform, and no count out of nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from webapp.config import Settings
from webapp.errors import SourceError
from webapp.model import LARGEST, NOTHING, Counts
from webapp.platforms import PLATFORMS
from webapp.sources.platforms import ProfileReading, ReadBudget, Reader, Wanted
from webapp.sources.platforms.asking import at, count_at, items_of, text_at
from webapp.sources.platforms.registry import sources_of

if TYPE_CHECKING:
    from tests.sources.conftest import FakeTime, Wires


class Case(NamedTuple):
    """A reader. keys: of two accounts that it asks for at once. says: the body about the first, with these followers."""

    name: str
    settings: Callable[[str], Mapping[str, Any]]
    keys: tuple[str, str]
    says: Callable[[Any], Any]
    empty: Any


CHANNELS = ("UC" + "a" * 22, "UC" + "b" * 22)

CASES = (
    Case(
        "youtube",
        lambda base: {"YOUTUBE_API_KEY": "a-key-of-youtube", "SMART_SYNC_YOUTUBE_API": base},
        (f"youtube:channel/{CHANNELS[0]}", f"youtube:channel/{CHANNELS[1]}"),
        lambda count: {"items": [{"id": CHANNELS[0], "statistics": {"subscriberCount": count}}]},
        {"items": []},
    ),
    Case(
        "bluesky",
        lambda base: {"SMART_SYNC_BLUESKY_API": base},
        ("bluesky:ada.bsky.social", "bluesky:did:plc:Bob"),
        lambda count: {"profiles": [{"did": "did:plc:1", "handle": "Ada.bsky.social", "followersCount": count}]},
        {"profiles": []},
    ),
)


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


class Reading:
    """A reader against a server that gives the same answer to everything."""

    def __init__(self, case: Case, base: str, fake_time: FakeTime) -> None:
        self.case = case
        self.time = fake_time
        settings = Settings(platforms=dict(case.settings(base)), read_platforms=(case.name,))
        (self.source,) = sources_of(settings)
        self.reader: Reader = self.source.open(fake_time.clock)

    def read(self, *keys: str, seconds: float = 60.0) -> dict[str, ProfileReading]:
        wanted = [Wanted(key, None) for key in keys or self.case.keys]
        budget = ReadBudget(seconds, self.time.clock)
        return {one.key: one for part in self.reader.read(wanted, budget) for one in part}

    def fail(self, **how: Any) -> SourceError:
        with pytest.raises(SourceError) as caught:
            self.read(**how)
        return caught.value


@pytest.fixture
def reading(case: Case, httpserver: HTTPServer, fake_time: FakeTime) -> Any:
    made = Reading(case, httpserver.url_for("").rstrip("/"), fake_time)
    yield made
    made.reader.close()


def always(server: HTTPServer, answer: Response | Callable[[Request], Response]) -> None:
    server.expect_request("").respond_with_handler(
        lambda request: answer if isinstance(answer, Response) else answer(request)
    )


def as_json(value: Any, status: int = 200, **headers: str) -> Response:
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(json.dumps(value), status, names, content_type="application/json")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (as_json({}, 401), "key_refused"),
        (as_json({"error": {"errors": []}}, 403), "key_refused"),
        (Response("<html>403 Forbidden</html>", 403), "key_refused"),
        (as_json({}, 404), "not_found"),
        (as_json({}, 410), "status_410"),
        (as_json({}, 429), "rate_limited"),
        (as_json({}, 429, Retry_After="7"), "rate_limited"),
        (as_json({}, 429, Retry_After="86400"), "rate_limited"),
        (Response("<html>Bad gateway</html>", 502, content_type="text/html"), "upstream_error"),
        (Response("", 503, {"Retry-After": "2"}), "upstream_error"),
        (Response("<!doctype html><title>Sign in</title>", 200, content_type="text/html"), "bad_response"),
        (Response("", 200), "bad_response"),
        (Response(b"\xff\xfe{}", 200), "bad_response"),
        (Response("[" * 100_000, 200), "bad_response"),
        (Response("", 302, {"Location": "https://consent.example.com/"}), "redirect"),
    ],
    ids=lambda value: f"{value.status_code}-{len(value.data)}" if isinstance(value, Response) else value,
)
def test_an_answer_that_is_none_has_words(
    reading: Reading, httpserver: HTTPServer, answer: Response, code: str
) -> None:
    always(httpserver, answer)

    error = reading.fail()

    assert error.code == code
    assert "a-key-of-youtube" not in str(error)
    assert len(httpserver.log) == (3 if code in ("bad_response", "upstream_error") else len(httpserver.log))


@pytest.mark.parametrize("body", [[1], "text", 7, {"items": "x", "profiles": 3}, {"items": {}, "profiles": {}}])
def test_json_of_another_shape_is_no_answer(reading: Reading, httpserver: HTTPServer, body: Any) -> None:
    always(httpserver, as_json(body))

    try:
        found = reading.read()
    except SourceError as error:
        assert error.code == "bad_response"  # noqa: PT017
    else:
        assert all(one.counts == NOTHING for one in found.values())


def test_an_empty_list_says_that_a_few_are_gone(reading: Reading, httpserver: HTTPServer) -> None:
    always(httpserver, as_json(reading.case.empty))

    found = reading.read()

    assert [one.unread.code for one in found.values() if one.unread] == ["gone", "gone"]


def test_an_empty_list_says_nothing_about_many(reading: Reading, httpserver: HTTPServer) -> None:
    always(httpserver, as_json(reading.case.empty))
    keys = {
        "youtube": [f"youtube:channel/UC{number:022d}" for number in range(12)],
        "bluesky": [f"bluesky:ada{number}.bsky.social" for number in range(12)],
    }[reading.case.name]

    with pytest.raises(SourceError, match="nothing about any of 12 profiles"):
        reading.read(*keys)


@pytest.mark.parametrize(
    ("said", "count"),
    [
        (0, 0),
        ("0", 0),
        ("1234", 1234),
        (12.0, 12),
        (LARGEST, LARGEST),
        (None, None),
        (LARGEST + 1, None),
        ("9" * 40, None),
        (-1, None),
        ("-1", None),
        (1.5, None),
        (True, None),
        ("", None),
        ("1.2K", None),
        ("١٢", None),
        ([3], None),
        ({"count": 3}, None),
    ],
)
def test_what_is_no_count_is_unknown(reading: Reading, httpserver: HTTPServer, said: Any, count: int | None) -> None:
    always(httpserver, as_json(reading.case.says(said)))

    found = reading.read()

    first, second = (found[key] for key in reading.case.keys)
    assert (first.counts.followers, first.unread) == (count, None)
    assert second.unread is not None
    assert second.counts == Counts()


def test_a_server_that_hangs_or_drips_ends_in_time(case: Case, fake_time: FakeTime, wires: Wires) -> None:
    for script in (wires.hang, wires.drip(b"HTTP/1.1 200 OK\r\n\r\n{")):
        wire = wires.serve(script)
        made = Reading(case, wire.url, fake_time)

        assert made.fail(seconds=0.3).code == "timeout"

        made.reader.close()


def test_the_cheap_question_is_answered_in_words(reading: Reading, httpserver: HTTPServer) -> None:
    always(httpserver, as_json(reading.case.says(1)))

    assert reading.reader.check(ReadBudget(5, reading.time.clock))
    assert len(httpserver.log) == 1


def test_every_platform_is_here() -> None:
    assert {case.name for case in CASES} == {platform.name for platform in PLATFORMS}


class TestYouTube:
    @pytest.fixture
    def case(self) -> Case:
        return CASES[0]

    @pytest.mark.parametrize(
        ("status", "reason", "message", "code"),
        [
            (400, "badRequest", "API key not valid. Please pass a valid API key.", "key_refused"),
            (400, "badRequest", "API key expired. Please renew the API key.", "key_refused"),
            (403, "accessNotConfigured", "YouTube Data API v3 has not been used in project 1", "key_refused"),
            (403, "quotaExceeded", "The request cannot be completed", "quota_used_up"),
            (403, "rateLimitExceeded", "Too fast", "rate_limited"),
            (400, "invalidFilters", "Nothing", "status_400"),
        ],
    )
    def test_googles_reasons(
        self, reading: Reading, httpserver: HTTPServer, status: int, reason: str, message: str, code: str
    ) -> None:
        body = {"error": {"code": status, "message": message, "errors": [{"reason": reason, "domain": "youtube"}]}}
        always(httpserver, as_json(body, status))

        assert reading.fail().code == code

    def test_a_handle_in_another_script_is_asked_for_as_it_is(self, reading: Reading, httpserver: HTTPServer) -> None:
        always(httpserver, as_json({"items": []}))

        reading.read("youtube:@мама")

        assert httpserver.log[0][0].args["forHandle"] == "@мама"


class TestPaths:
    def test_a_path_that_leads_nowhere_gives_nothing(self) -> None:
        assert at({"a": [{"b": 1}]}, "a", 0, "b") == 1
        assert at({"a": [{"b": 1}]}, "a", 1, "b") is None
        assert at([1], "a") is None
        assert at({"a": 1}, 0) is None
        assert count_at({"a": "7"}, "a") == 7
        assert text_at({"a": " x "}, "a") == "x"
        assert text_at({"a": 3}, "a") is None
        assert items_of("It", None) == []
