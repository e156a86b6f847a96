"""What every reader of a platform makes of bad answers: words for the platform, and no count out of nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from webapp.clock import Clock
from webapp.config import Settings
from webapp.errors import ConfigError, SourceError, TransientSourceError
from webapp.model import LARGEST, NOTHING, Counts
from webapp.platforms import PLATFORMS
from webapp.sources.platforms import ProfileReading, Quota, ReadBudget, Reader, Wanted, json_reader
from webapp.sources.platforms.doubt import doubt_gone
from webapp.sources.platforms.json_reader import json_readers
from webapp.sources.platforms.registry import sources_of

if TYPE_CHECKING:
    from tests.sources.conftest import FakeTime, Wires


class Case(NamedTuple):
    """A reader. keys: of two accounts that it asks for; together, where it is not `single`.

    settings: by the server's address; a secret in them begins as one of SECRETS. says: the body about the first, with
    these followers. empty: the body about nobody. many: a key by its number. codes: what it makes of a code that others
    raise. single: one account a call; then neither empty nor many is needed. html: says is the followers alone.
    """

    name: str
    settings: Callable[[str], Mapping[str, Any]]
    keys: tuple[str, str]
    says: Callable[[Any], Any]
    empty: Any = None
    many: Callable[[int], str] = str
    codes: Mapping[str, str] = {}
    single: bool = False
    html: bool = False


CHANNELS = ("UC" + "a" * 22, "UC" + "b" * 22)


def described(path: str, **more: Any) -> Callable[[str], Mapping[str, Any]]:
    """A JSON reader of TikTok."""
    spec = {"platform": "tiktok", "metrics": {"followers": "stats.fans"}, "id": "uid"} | more
    return lambda base: {"SMART_SYNC_JSON_READERS": json_readers(json.dumps([spec | {"url": base + path}]))}


def tiktok(count: Any) -> dict[str, Any]:
    return {"username": "@Ada", "uid": 17, "stats": {"fans": count}}


CASES = (
    Case(
        "youtube",
        lambda base: {"YOUTUBE_API_KEY": "a-key-of-youtube", "SMART_SYNC_YOUTUBE_API": base},
        (f"youtube:channel/{CHANNELS[0]}", f"youtube:channel/{CHANNELS[1]}"),
        lambda count: {"items": [{"id": CHANNELS[0], "statistics": {"subscriberCount": count}}]},
        {"items": []},
        lambda number: f"youtube:channel/UC{number:022d}",
    ),
    Case(
        "bluesky",
        lambda base: {"SMART_SYNC_BLUESKY_API": base},
        ("bluesky:ada.bsky.social", "bluesky:did:plc:Bob"),
        lambda count: {"profiles": [{"did": "did:plc:1", "handle": "Ada.bsky.social", "followersCount": count}]},
        {"profiles": []},
        lambda number: f"bluesky:ada{number}.bsky.social",
    ),
    Case(
        "mastodon",
        lambda base: {"SMART_SYNC_MASTODON_API": base + "/{instance}"},
        ("mastodon:mastodon.social/@ada", "mastodon:fosstodon.org/@bob"),
        lambda count: {"id": "1", "username": "ada", "acct": "ada", "followers_count": count},
        codes={"key_refused": "closed", "not_found": "gone"},
        single=True,
    ),
    Case(
        "telegram",
        lambda base: {"SMART_SYNC_TELEGRAM_API": base},
        ("telegram:ada", "telegram:bob_channel"),
        lambda count: count,
        codes={"not_found": "gone"},
        single=True,
        html=True,
    ),
    Case(
        "twitch",
        lambda base: {
            "TWITCH_CLIENT_ID": "an-id-of-twitch",
            "TWITCH_CLIENT_SECRET": "a-secret-of-twitch",
            "SMART_SYNC_TWITCH_API": base,
        },
        ("twitch:ada", "twitch:bob"),
        lambda count: {"data": [{"id": "1", "login": "ada"}], "total": count},
        {"data": []},
        lambda number: f"twitch:ada{number}",
    ),
    Case(
        "instagram",
        lambda base: {
            "INSTAGRAM_USER_ID": "17841400000000000",
            "INSTAGRAM_ACCESS_TOKEN": "a-token-of-instagram",
            "SMART_SYNC_INSTAGRAM_API": base,
        },
        ("instagram:ada", "instagram:bob"),
        lambda count: {
            "business_discovery": {"id": "1", "username": "ada", "followers_count": count},
            "id": "17841400",
        },
        codes={"not_found": "gone"},
        single=True,
    ),
    Case(
        "x",
        lambda base: {"X_BEARER_TOKEN": "a-token-of-x-corp", "SMART_SYNC_X_API": base},
        ("x:ada", "x:bob"),
        lambda count: {"data": [{"id": "1", "username": "Ada", "public_metrics": {"followers_count": count}}]},
        {"data": []},
        lambda number: f"x:ada{number}",
    ),
    Case(
        "json",
        described("/users?names={usernames}", items="data.users", headers={"X-Key": "a-key-of-a-service"}),
        ("tiktok:@ada", "tiktok:@bob"),
        lambda count: {"data": {"users": [tiktok(count)]}},
        {"data": {"users": []}},
        lambda number: f"tiktok:@ada{number}",
    ),
    Case(
        "json",
        described("/users/{username}", items="user"),
        ("tiktok:@ada", "tiktok:@bob"),
        lambda count: {"user": tiktok(count)},
        codes={"not_found": "gone"},
        single=True,
    ),
    Case(
        "json",
        described("/all/{page}"),
        ("tiktok:@ada", "tiktok:@bob"),
        lambda count: [tiktok(count)],
        [],
    ),
)


def case_of(name: str, path: str = "") -> Case:
    """The one of this name; path: in what it is told."""
    (found,) = (case for case in CASES if case.name == name and path in repr(case.settings("http://x.example")))
    return found


SECRETS = ("a-key-of", "a-token-of", "a-secret-of")


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

    def read(self, *keys: str, seconds: float = 600.0) -> dict[str, ProfileReading]:
        wanted = [_wanted(key) for key in keys or self.case.keys]
        budget = ReadBudget(seconds, self.time.clock)
        found = doubt_gone(wanted, self.reader.read(wanted, budget), self.case.name)
        return {one.key: one for part in found for one in part}

    def codes(self, **how: Any) -> tuple[set[str], str]:
        """What was raised, or is said of the accounts; codes and words."""
        try:
            # One that reads several at once gets one: time that one of them puts forward passes for the others too.
            keys = self.case.keys[:1] if self.case.single else self.case.keys
            found = [one.unread for one in self.read(*keys, **how).values()]
        except SourceError as error:
            found = [error]
        errors = [error for error in found if error]
        assert len(errors) == len(found)
        return {error.code for error in errors}, " ".join(map(str, errors))


def _wanted(key: str) -> Wanted:
    return Wanted(key, key.rpartition("@")[2] if "@" in key else key.partition(":")[2])


def counts_of(case: Case, found: Mapping[str, ProfileReading]) -> set[Counts]:
    return {one.counts for one in found.values()}


@pytest.fixture
def reading(case: Case, httpserver: HTTPServer, fake_time: FakeTime) -> Iterator[Reading]:
    if case.name == "twitch":
        httpserver.expect_request("/oauth2/token").respond_with_json({"access_token": "t", "expires_in": 9})
    made = Reading(case, httpserver.url_for("").rstrip("/"), fake_time)
    yield made
    made.reader.close()


def always(server: HTTPServer, answer: Response | Callable[[Request], Response]) -> None:
    server.expect_request("").respond_with_handler(
        lambda request: answer if isinstance(answer, Response) else answer(request)
    )


def page(*counters: str) -> Response:
    """A preview page of Telegram; the counters without their kinds are of subscribers."""
    said = "".join(
        f'<div class="tgme_channel_info_counter"><span class="counter_value">{value or one}</span> '
        f'<span class="counter_type">{kind or "subscribers"}</span></div>'
        for one in counters
        for value, _, kind in [one.partition(" ")]
    )
    return Response(f"<html><div class='tgme_header'>{said}</div></html>", content_type="text/html; charset=utf-8")


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
        (Response(b" " * (8 * 2**20 + 1), 200), "too_large"),
    ],
    ids=lambda value: f"{value.status_code}-{len(value.data)}" if isinstance(value, Response) else value,
)
def test_an_answer_that_is_none_has_words(
    reading: Reading, httpserver: HTTPServer, answer: Response, code: str
) -> None:
    always(httpserver, answer)

    codes, words = reading.codes()

    assert codes == {reading.case.codes.get(code, code)}
    assert not any(secret in words for secret in SECRETS)
    assert "tab" not in words


@pytest.mark.parametrize("body", [[1], "text", 7, {"items": "x", "profiles": 3}, {"items": {}, "profiles": {}}])
def test_json_of_another_shape_is_no_answer(reading: Reading, httpserver: HTTPServer, body: Any) -> None:
    always(httpserver, as_json(body))

    try:
        found = reading.read()
    except SourceError as error:
        assert error.code == "bad_response"  # noqa: PT017
    else:
        assert counts_of(reading.case, found) == {NOTHING}


def test_an_object_without_a_list_says_nothing_about_anybody(reading: Reading, httpserver: HTTPServer) -> None:
    """Such as the words of a proxy, or of an error that calls itself a success."""
    if reading.case.html:
        return
    always(httpserver, as_json({"message": "try again later"}))

    assert reading.codes()[0] == {"bad_response"}


def test_an_empty_list_says_that_a_few_are_gone(reading: Reading, httpserver: HTTPServer) -> None:
    if reading.case.single:
        return
    always(httpserver, as_json(reading.case.empty))

    found = reading.read()

    assert [one.unread.code for one in found.values() if one.unread] == ["gone", "gone"]


def test_an_empty_list_says_nothing_about_many(reading: Reading, httpserver: HTTPServer) -> None:
    if reading.case.many is str:
        return
    always(httpserver, as_json(reading.case.empty))

    with pytest.raises(SourceError, match="nothing about any of 12 profiles"):
        reading.read(*map(reading.case.many, range(12)))


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
    if reading.case.html:
        return
    always(httpserver, as_json(reading.case.says(said)))

    found = reading.read()

    first, second = (found[key] for key in reading.case.keys)
    assert (first.counts.followers, first.unread) == (count, None)
    if not reading.case.single:
        assert second.unread is not None
        assert second.counts == Counts()


def test_a_server_that_hangs_or_drips_ends_in_time(case: Case, fake_time: FakeTime, wires: Wires) -> None:
    for script in (wires.hang, wires.drip(b"HTTP/1.1 200 OK\r\n\r\n{")):
        wire = wires.serve(script)
        made = Reading(case, wire.url, fake_time)
        begun = time.monotonic()

        try:
            made.read(seconds=0.3)
        except SourceError as error:
            assert error.code == "timeout"  # noqa: PT017

        assert time.monotonic() - begun < 3

        made.reader.close()


def test_the_cheap_question_is_answered_in_words(reading: Reading, httpserver: HTTPServer) -> None:
    always(httpserver, page("1") if reading.case.html else as_json(reading.case.says(1)))

    assert reading.reader.check(ReadBudget(5, reading.time.clock))
    assert len(httpserver.log) == 1


def test_every_platform_is_here() -> None:
    assert {case.name for case in CASES} == {platform.name for platform in PLATFORMS}


class TestYouTube:
    @pytest.fixture
    def case(self) -> Case:
        return case_of("youtube")

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

        codes, _ = reading.codes()

        assert codes == {code}

    def test_a_handle_in_another_script_is_asked_for_as_it_is(self, reading: Reading, httpserver: HTTPServer) -> None:
        always(httpserver, as_json({"items": []}))

        reading.read("youtube:@мама")

        assert httpserver.log[0][0].args["forHandle"] == "@мама"


class TestMastodon:
    @pytest.fixture
    def case(self) -> Case:
        return case_of("mastodon")

    def test_each_is_asked_of_its_own_instance(self, reading: Reading, httpserver: HTTPServer) -> None:
        always(httpserver, as_json(reading.case.says(3)))

        reading.read()

        asked = {(request.path, request.args["acct"]) for request, _ in httpserver.log}
        assert asked == {
            ("/mastodon.social/api/v1/accounts/lookup", "ada"),
            ("/fosstodon.org/api/v1/accounts/lookup", "bob"),
        }

    def test_one_instance_that_is_down_takes_nothing_from_another(
        self, reading: Reading, httpserver: HTTPServer
    ) -> None:
        def answer(request: Request) -> Response:
            down = request.path.startswith("/fosstodon.org") or request.args["acct"] != "ada"
            return Response("", 502) if down else as_json(reading.case.says(3))

        always(httpserver, answer)
        names = ("ada", "eve", "mel", "kim", "joe")

        found = reading.read("mastodon:fosstodon.org/@bob", *(f"mastodon:mastodon.social/@{name}" for name in names))

        codes = {key.rpartition("@")[2]: one.unread.code if one.unread else None for key, one in found.items()}
        down = dict.fromkeys(("bob", "eve", "mel", "kim", "joe"), "upstream_error")
        assert codes == {"ada": None, **down}
        assert not [request for request, _ in httpserver.log if request.args["acct"] == "joe"]

    def test_a_name_that_somebody_else_has_now_inherits_nothing(self, reading: Reading, httpserver: HTTPServer) -> None:
        always(httpserver, as_json(reading.case.says(3)))
        wanted = [Wanted(reading.case.keys[0], "ada", platform_id="2")]

        ((found,),) = reading.reader.read(wanted, ReadBudget(5, reading.time.clock))

        assert found.unread is not None
        assert (found.unread.code, found.counts) == ("another_profile", NOTHING)

    @pytest.mark.parametrize("body", [[1], "text", None, {"error": "later"}, {"id": ""}, {"id": 5}])
    def test_an_answer_about_nobody_is_no_change_of_identity(
        self, reading: Reading, httpserver: HTTPServer, body: Any
    ) -> None:
        always(httpserver, as_json(body))
        wanted = [Wanted(reading.case.keys[0], "ada", platform_id="2")]

        ((found,),) = reading.reader.read(wanted, ReadBudget(60, reading.time.clock))

        assert found.unread is not None
        assert (found.unread.code, type(found.unread)) == ("bad_response", TransientSourceError)

    def test_a_suspended_profile_says_so(self, reading: Reading, httpserver: HTTPServer) -> None:
        always(httpserver, as_json(reading.case.says(0) | {"suspended": True}))

        codes, _ = reading.codes()

        assert codes == {"suspended"}

    def test_a_private_address_is_not_asked(self, fake_time: FakeTime) -> None:
        (source,) = sources_of(Settings(read_platforms=("mastodon",)))
        reader = source.open(fake_time.clock)
        wanted = [Wanted("mastodon:127.0.0.1/@ada", "ada")]

        ((found,),) = reader.read(wanted, ReadBudget(5, fake_time.clock))

        assert found.unread is not None
        assert found.unread.code == "private_address"

    def test_no_time_is_nobodys_fault(self, reading: Reading, httpserver: HTTPServer) -> None:
        assert reading.read(seconds=0.0) == {}


class TestTelegram:
    @pytest.fixture
    def case(self) -> Case:
        return case_of("telegram")

    @pytest.mark.parametrize(
        ("counters", "counts"),
        [
            (["12.3K", "4.5K photos", "120 videos", "3 links"], Counts(followers=12_300, videos=120)),
            (["1.02M", "1 video"], Counts(followers=1_020_000, videos=1)),
            (["987"], Counts(followers=987)),
            (["0"], Counts(followers=0)),
            (["many", "1K videos"], Counts(videos=1_000)),
        ],
    )
    def test_what_the_page_shows(
        self, reading: Reading, httpserver: HTTPServer, counters: list[str], counts: Counts
    ) -> None:
        always(httpserver, page(*counters))

        assert counts_of(reading.case, reading.read()) == {counts}

    def test_posts_are_no_subscribers_where_those_are_left_out(self, reading: Reading, httpserver: HTTPServer) -> None:
        always(httpserver, page("3 photos", "5 videos"))

        assert counts_of(reading.case, reading.read()) == {Counts(videos=5)}

    @pytest.mark.parametrize(
        ("location", "code"),
        [
            ("https://t.me/Ada", "no_preview"),
            ("/ada", "no_preview"),
            ("https://telegram.org/", "redirect"),
            ("https://consent.example.com/s/ada", "redirect"),
            ("", "redirect"),
        ],
    )
    def test_only_the_page_of_its_name_means_that_there_is_no_preview(
        self, reading: Reading, httpserver: HTTPServer, location: str, code: str
    ) -> None:
        always(httpserver, Response("", 302, {"Location": location} if location else {}))

        assert reading.codes()[0] == {code}

    def test_what_is_no_address_is_no_page_of_its_name(self, case: Case, fake_time: FakeTime, wires: Wires) -> None:
        wire = wires.serve(wires.say(b"HTTP/1.1 302 Found\r\nLocation: https://[::1\r\nContent-Length: 0\r\n\r\n"))
        made = Reading(case, wire.url, fake_time)

        assert made.codes()[0] == {"redirect"}
        made.reader.close()

    def test_one_page_that_is_none_of_its_own_takes_nothing_from_the_others(
        self, reading: Reading, httpserver: HTTPServer
    ) -> None:
        always(httpserver, lambda request: Response("?") if request.path == "/s/ada" else page("9"))

        found = reading.read("telegram:ada", *(f"telegram:bob{number}" for number in range(9)))

        assert [one.counts.followers for one in found.values() if not one.unread] == [9] * 9
        assert [one.unread.code for one in found.values() if one.unread] == ["bad_response"]

    def test_a_page_without_counters_is_no_channel(self, reading: Reading, httpserver: HTTPServer) -> None:
        always(httpserver, page())

        codes, _ = reading.codes()

        assert codes == {"no_preview"}

    def test_no_time_is_nobodys_fault(self, reading: Reading, httpserver: HTTPServer) -> None:
        assert reading.read(seconds=0.0) == {}


class TestTwitch:
    @pytest.fixture
    def case(self) -> Case:
        return case_of("twitch")

    @pytest.mark.parametrize(
        ("answer", "code"),
        [
            (as_json({"status": 400, "message": "invalid client"}, 400), "key_refused"),
            (as_json({"status": 403, "message": "invalid client secret"}, 403), "key_refused"),
            (as_json({"token_type": "bearer"}), "bad_response"),
        ],
    )
    def test_who_is_not_let_in(
        self, case: Case, httpserver: HTTPServer, fake_time: FakeTime, answer: Response, code: str
    ) -> None:
        always(httpserver, answer)
        made = Reading(case, httpserver.url_for("").rstrip("/"), fake_time)

        codes, _ = made.codes()

        assert codes == {code}
        made.reader.close()

    def test_one_whose_followers_cannot_be_told_takes_nothing_from_the_others(
        self, reading: Reading, httpserver: HTTPServer
    ) -> None:
        users = [{"id": "1", "login": "ada"}, {"id": "2", "login": "bob"}]

        def answer(request: Request) -> Response:
            if request.path.endswith("/users"):
                return as_json({"data": users})
            return as_json({}, 500) if request.args["broadcaster_id"] == "1" else as_json({"total": 5})

        always(httpserver, answer)

        found = reading.read()

        assert found["twitch:ada"].unread is not None
        assert found["twitch:bob"].counts.followers == 5

    def test_users_without_a_name_have_no_other_one(self, reading: Reading, httpserver: HTTPServer) -> None:
        always(httpserver, as_json({"data": [{"id": "7"}], "total": 5}))
        wanted = [Wanted("twitch:ada", "ada", platform_id="7")]

        found = [one for part in reading.reader.read(wanted, ReadBudget(5, reading.time.clock)) for one in part]

        assert [(one.counts.followers, one.urls) for one in found] == [(5, ())]


class TestInstagram:
    @pytest.fixture
    def case(self) -> Case:
        return case_of("instagram")

    @pytest.mark.parametrize(
        ("code", "outcome"), [(110, "not_shown"), (190, "key_refused"), (4, "rate_limited"), (100, "status_400")]
    )
    def test_its_reasons_are_numbers(self, reading: Reading, httpserver: HTTPServer, code: int, outcome: str) -> None:
        body = {"error": {"message": "(#110) Invalid user id", "type": "OAuthException", "code": code}}
        always(httpserver, as_json(body, 400))

        codes, _ = reading.codes()

        assert codes == {outcome}

    def test_a_name_that_somebody_else_has_now_inherits_nothing(self, reading: Reading, httpserver: HTTPServer) -> None:
        always(httpserver, as_json(reading.case.says(3)))
        wanted = [Wanted("instagram:ada", "ada", platform_id="2")]

        ((found,),) = reading.reader.read(wanted, ReadBudget(5, reading.time.clock))

        assert found.unread is not None
        assert found.unread.code == "another_profile"


class TestX:
    @pytest.fixture
    def case(self) -> Case:
        return case_of("x")

    def test_ids_are_asked_for_as_ids_and_who_is_suspended_says_so(
        self, reading: Reading, httpserver: HTTPServer
    ) -> None:
        refused = {"value": "Bob", "title": "Forbidden", "resource_type": "user", "detail": "User has been suspended"}
        always(httpserver, as_json(reading.case.says(3) | {"errors": [refused]}))

        found = reading.read("x:i/user/1", "x:bob", "x:eve")

        assert [request.path for request, _ in httpserver.log] == ["/2/users", "/2/users/by"]
        assert found["x:i/user/1"].counts.followers == 3
        codes = [one.unread.code for one in found.values() if one.unread]
        assert codes == ["suspended", "gone"]

    def test_a_user_without_id_and_name_has_no_address(self, reading: Reading, httpserver: HTTPServer) -> None:
        always(httpserver, as_json({"data": [{"username": "ada"}, {"id": "7"}]}))

        found = reading.read("x:ada")

        assert found["x:ada"].urls == ("https://x.com/ada",)
        assert reading.read("x:i/user/7")["x:i/user/7"].urls == ("https://x.com/i/user/7",)

    def test_it_asks_for_no_more_at_once_than_there_are_units(self, reading: Reading, httpserver: HTTPServer) -> None:
        def answer(request: Request) -> Response:
            names = request.args["usernames"].split(",")
            return as_json({"data": [{"id": name[3:], "username": name} for name in names]})

        always(httpserver, answer)
        wanted = [_wanted(f"x:ada{number}") for number in range(5)]
        budget = ReadBudget(60, reading.time.clock, afford=lambda units: min(units, 2))

        found = [one for part in reading.reader.read(wanted, budget) for one in part]

        assert [len(request.args["usernames"].split(",")) for request, _ in httpserver.log] == [2, 2, 1]
        assert len(found) == 5

    def test_an_answer_may_leave_out_whom_it_found_if_it_says_why(
        self, reading: Reading, httpserver: HTTPServer
    ) -> None:
        errors = [{"value": name, "title": "Not Found Error"} for name in ("ada", "bob")]
        always(httpserver, as_json({"errors": errors}))

        assert reading.codes()[0] == {"gone"}


A_SERVICE = '{"platform": "x", "url": "https://a.example/{page}", "metrics": {"views": "v"}}'


class TestJson:
    def test_a_page_after_the_other_until_all_are_found(self, httpserver: HTTPServer, fake_time: FakeTime) -> None:
        pages = {"1": [{"username": "ada", "stats": {"fans": 1}}], "2": [{"username": "bob", "stats": {"fans": 2}}]}
        always(httpserver, lambda request: as_json(pages.get(request.path.rpartition("/")[2], [])))
        made = Reading(case_of("json", "/all/{page}"), httpserver.url_for("").rstrip("/"), fake_time)

        found = made.read()
        assert [one.counts.followers for one in found.values()] == [1, 2]
        assert len(httpserver.log) == 2

        found = made.read("tiktok:@ada", "tiktok:@eve")
        assert [one.unread.code for one in found.values() if one.unread] == ["gone"]
        assert len(httpserver.log) == 5
        made.reader.close()

    def test_a_service_that_heeds_no_pages_is_asked_for_two(self, httpserver: HTTPServer, fake_time: FakeTime) -> None:
        always(httpserver, lambda _: as_json([tiktok(len(httpserver.log)), {"stats": {}}]))
        made = Reading(case_of("json", "/all/{page}"), httpserver.url_for("").rstrip("/"), fake_time)

        found = made.read()

        assert [one.unread.code if one.unread else None for one in found.values()] == [None, "gone"]
        assert len(httpserver.log) == 2
        made.reader.close()

    def test_pages_without_an_end_are_an_error(
        self, httpserver: HTTPServer, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(json_reader, "MOST_PAGES", 3)
        always(httpserver, lambda request: as_json([{"username": request.path}]))
        made = Reading(case_of("json", "/all/{page}"), httpserver.url_for("").rstrip("/"), fake_time)

        assert made.codes()[0] == {"endless"}
        made.reader.close()

    @pytest.mark.parametrize(
        ("item", "followers", "id_"),
        [
            ({"stats": {"fans": 5}}, 5, None),
            ({"username": "https://www.tiktok.com/@ADA", "stats": {"fans": 5}, "uid": "u1"}, 5, "u1"),
            ({"username": "ada", "stats": [{"fans": 5}], "uid": 3}, None, "3"),
        ],
    )
    def test_whose_the_numbers_are(
        self, httpserver: HTTPServer, fake_time: FakeTime, item: Any, followers: int | None, id_: str | None
    ) -> None:
        always(httpserver, as_json({"user": item}))
        made = Reading(case_of("json", "/users/{username}"), httpserver.url_for("").rstrip("/"), fake_time)

        found = made.read("tiktok:@ada")["tiktok:@ada"]

        assert (found.counts.followers, found.platform_id, found.unread) == (followers, id_, None)
        made.reader.close()

    def test_a_name_that_somebody_else_has_now_inherits_nothing(
        self, httpserver: HTTPServer, fake_time: FakeTime
    ) -> None:
        always(httpserver, as_json({"user": tiktok(9)}))
        made = Reading(case_of("json", "/users/{username}"), httpserver.url_for("").rstrip("/"), fake_time)
        wanted = [Wanted("tiktok:@ada", "ada", platform_id="16")]

        ((found,),) = made.reader.read(wanted, ReadBudget(5, fake_time.clock))

        assert found.unread is not None
        assert (found.unread.code, found.counts, found.platform_id) == ("another_profile", NOTHING, None)
        made.reader.close()

    def test_who_was_renamed_is_known_by_the_id_on_a_page(self, httpserver: HTTPServer, fake_time: FakeTime) -> None:
        renamed, other = tiktok(9) | {"username": "countess"}, tiktok(4) | {"uid": 18}
        always(httpserver, as_json([renamed, other]))
        made = Reading(case_of("json", "/all/{page}"), httpserver.url_for("").rstrip("/"), fake_time)
        wanted = [Wanted("tiktok:@ada", "ada", platform_id="17")]

        ((found,),) = made.reader.read(wanted, ReadBudget(5, fake_time.clock))

        assert (found.counts.followers, found.handle) == (9, "countess")
        assert found.urls == ("https://www.tiktok.com/@countess",)
        made.reader.close()

    def test_who_was_renamed_is_known_though_somebody_else_has_the_name_on_an_earlier_page(
        self, httpserver: HTTPServer, fake_time: FakeTime
    ) -> None:
        pages = {"1": [tiktok(4) | {"uid": 18}], "2": [tiktok(9) | {"username": "countess"}]}
        always(httpserver, lambda request: as_json(pages.get(request.path.rpartition("/")[2], [])))
        made = Reading(case_of("json", "/all/{page}"), httpserver.url_for("").rstrip("/"), fake_time)

        for platform_id, expected in (("17", (9, None)), ("16", (None, "another_profile"))):
            wanted = [Wanted("tiktok:@ada", "ada", platform_id=platform_id)]
            found = [one for part in made.reader.read(wanted, ReadBudget(5, fake_time.clock)) for one in part]
            assert [(one.counts.followers, one.unread.code if one.unread else None) for one in found] == [expected]
        made.reader.close()

    @pytest.mark.parametrize("uid", [True, "", "a\0b", "x" * 5_000, 1.5, [3], None])
    def test_what_is_no_id_is_none(self, httpserver: HTTPServer, fake_time: FakeTime, uid: Any) -> None:
        always(httpserver, as_json({"user": tiktok(5) | {"uid": uid}}))
        made = Reading(case_of("json", "/users/{username}"), httpserver.url_for("").rstrip("/"), fake_time)

        found = made.read("tiktok:@ada")["tiktok:@ada"]

        assert (found.counts.followers, found.platform_id) == (5, None)
        made.reader.close()

    @pytest.mark.parametrize(
        ("name", "codes"),
        [
            ("ada", {"in/ada": "ambiguous", "company/ada": "ambiguous"}),
            ("https://www.linkedin.com/company/ada", {"in/ada": "gone", "company/ada": None}),
        ],
    )
    def test_a_name_that_two_addresses_have_is_nobodys(
        self, httpserver: HTTPServer, fake_time: FakeTime, name: str, codes: Mapping[str, str | None]
    ) -> None:
        always(httpserver, as_json([{"username": name, "fans": 5}]))
        spec = described("/{usernames}", platform="linkedin", metrics={"followers": "fans"})
        made = Reading(Case("json", spec, ("", ""), str), httpserver.url_for("").rstrip("/"), fake_time)
        wanted = [Wanted(f"linkedin:{path}", "ada") for path in codes]

        found = [one for part in made.reader.read(wanted, ReadBudget(5, fake_time.clock)) for one in part]

        said = {one.key.partition(":")[2]: one.unread.code if one.unread else None for one in found}
        assert said == codes
        made.reader.close()

    def test_where_one_is_asked_for_alone_a_name_of_two_is_nobodys_too(
        self, httpserver: HTTPServer, fake_time: FakeTime
    ) -> None:
        always(httpserver, as_json({"fans": 5}))
        spec = described("/{username}", platform="linkedin", metrics={"followers": "fans"})
        made = Reading(Case("json", spec, ("", ""), str), httpserver.url_for("").rstrip("/"), fake_time)
        wanted = [Wanted(f"linkedin:{path}/ada", "ada") for path in ("in", "company")]

        found = [one for part in made.reader.read(wanted, ReadBudget(5, fake_time.clock)) for one in part]

        assert [one.unread.code for one in found if one.unread] == ["ambiguous", "ambiguous"]
        made.reader.close()

    @pytest.mark.parametrize("path", ["/users?names={usernames}", "/all/{page}"])
    @pytest.mark.parametrize("items", [[1, None, [], "x", {}], [{"handle": "ada", "stats": {"fans": 1}}]])
    def test_a_list_that_names_nobody_says_nothing_about_anybody(
        self, httpserver: HTTPServer, fake_time: FakeTime, path: str, items: Any
    ) -> None:
        """Such as with a path to the name that is misspelt."""
        always(httpserver, as_json(items))
        made = Reading(
            Case("json", described(path), ("tiktok:@ada", "tiktok:@bob"), str),
            httpserver.url_for("").rstrip("/"),
            fake_time,
        )

        codes, words = made.codes()

        assert (codes, "nothing has a name at username" in words) == ({"bad_response"}, True)
        made.reader.close()

    @pytest.mark.parametrize(
        ("body", "code"),
        [({"user": None}, "gone"), ({}, "bad_response"), ({"user": {}}, "bad_response"), ({"user": 3}, "bad_response")],
    )
    def test_nobody_is_said_by_null(self, httpserver: HTTPServer, fake_time: FakeTime, body: Any, code: str) -> None:
        always(httpserver, as_json(body))
        made = Reading(case_of("json", "/users/{username}"), httpserver.url_for("").rstrip("/"), fake_time)

        assert made.codes()[0] == {code}
        made.reader.close()

    def test_one_that_the_service_fails_about_takes_nothing_from_the_others(
        self, httpserver: HTTPServer, fake_time: FakeTime
    ) -> None:
        def answer(request: Request) -> Response:
            names = request.args["names"].split(",")
            if "bob" in names:
                return as_json({}, 400)
            return as_json({"data": {"users": [{"username": name, "stats": {"fans": 1}} for name in names]}})

        always(httpserver, answer)
        made = Reading(case_of("json", "usernames"), httpserver.url_for("").rstrip("/"), fake_time)

        found = made.read(*(f"tiktok:@{name}" for name in ("ada", "bob", "eve", "mel")))

        assert [one.unread.code if one.unread else None for one in found.values()] == [None, "refused", None, None]
        made.reader.close()

    def test_an_answer_about_somebody_else_is_none(self, httpserver: HTTPServer, fake_time: FakeTime) -> None:
        always(httpserver, as_json({"user": {"username": "bob", "stats": {"fans": 5}}}))
        made = Reading(case_of("json", "/users/{username}"), httpserver.url_for("").rstrip("/"), fake_time)

        assert made.read("tiktok:@ada")["tiktok:@ada"].unread is not None
        made.reader.close()

    def test_the_cheap_question_may_be_about_nobody(self, httpserver: HTTPServer, fake_time: FakeTime) -> None:
        made = Reading(case_of("json", "/users/{username}"), httpserver.url_for("").rstrip("/"), fake_time)
        for answer in (as_json({}, 404), as_json({"error": "nobody"})):
            always(httpserver, answer)
            assert made.reader.check(ReadBudget(5, fake_time.clock))
            httpserver.clear()
        always(httpserver, as_json({}, 401))

        with pytest.raises(SourceError):
            made.reader.check(ReadBudget(5, fake_time.clock))
        made.reader.close()

    def test_a_page_is_looked_at_by_the_cheap_question(self, httpserver: HTTPServer, fake_time: FakeTime) -> None:
        made = Reading(case_of("json", "/all/{page}"), httpserver.url_for("").rstrip("/"), fake_time)
        always(httpserver, as_json({"error": "nobody"}))

        with pytest.raises(SourceError, match="without a list at its top"):
            made.reader.check(ReadBudget(5, fake_time.clock))
        made.reader.close()

    def test_a_service_may_have_a_name_and_a_quota_of_its_own(self) -> None:
        one = {"platform": "tiktok", "url": "https://x.example/{username}", "metrics": {"views": "v"}}
        other = {"platform": "youtube", "url": "https://y.example/{page}", "metrics": {"views": "v"}, "quota": 5}
        text = json.dumps([one | {"source": "scraper", "headers": {"X-Key": "a-key-of-scraper"}}, other])

        settings = Settings.from_env({"SMART_SYNC_JSON_READERS": text, "YOUTUBE_API_KEY": "a-key-of-youtube"})

        sources = {source.name: source for source in sources_of(settings)}
        assert [sources["scraper"].platform, sources["youtube"].platform] == ["tiktok", "youtube"]
        assert sources["youtube"].open(Clock()).quota == Quota(5)
        assert "a-key-of-scraper" in settings.secrets
        assert PLATFORMS[0].load().open(settings.platforms, Clock()).quota is None

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("[", "is no JSON"),
            ("[{}]", "is no list of readers: Object missing required field"),
            ('[{"platform": "nope", "url": "https://a.example/{page}", "metrics": {"views": "v"}}]', "is no platform"),
            ('[{"platform": "x", "url": "https://a.example/", "metrics": {"views": "v"}}]', "needs one of"),
            ('[{"platform": "x", "url": "ftp://a.example/{page}", "metrics": {"views": "v"}}]', "is no address"),
            ('[{"platform": "x", "url": "https://a.example/{page}", "metrics": {}}]', "has no metrics"),
            (
                '[{"platform": "x", "url": "https://{username}.example/", "metrics": {"views": "v"}}]',
                "leaves it to the sheet which host is asked",
            ),
            ('[{"platform": "x", "url": "https://a.example/{page}", "metrics": {"fans": "v"}}]', "Invalid enum value"),
            (
                '[{"platform": "x", "url": "https://a.example/{page}", "metrics": {"views": "v"}, "headers": {"a b": "c"}}]',
                "a name that is none",
            ),
            (
                '[{"platform": "x", "url": "https://a.example/{page}", "metrics": {"views": "v"}, "headers": {"a": "\\n"}}]',
                "signs that no header has",
            ),
            (
                f"[{A_SERVICE}, {A_SERVICE}]",
                "two readers of one platform",
            ),
        ],
    )
    def test_what_is_no_description_is_said_at_the_start(self, text: str, words: str) -> None:
        with pytest.raises(ConfigError) as caught:
            Settings.from_env({"SMART_SYNC_JSON_READERS": text})

        assert words in str(caught.value)
