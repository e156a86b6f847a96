"""Pages of other origins: those that are named may read, with a token in a header, and nothing more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from werkzeug.test import TestResponse

from tests.api.tour import ADMIN, Demo, demo_on
from webapp.config import Settings
from webapp.errors import ConfigError

pytestmark = pytest.mark.usefixtures("answers")

APP = "https://app.example.com"
LOCAL = "http://localhost:5173"


@pytest.fixture
def demo(sqlite_url: str) -> Iterator[Demo]:
    """The demo, for pages of two origins."""
    demo = demo_on(sqlite_url, cors_origins=(APP, LOCAL))
    yield demo
    demo.parts.db.close()


@pytest.fixture
def open_demo(sqlite_url: str) -> Iterator[Demo]:
    """The demo, for everybody's pages."""
    demo = demo_on(sqlite_url, cors_origins=("*",), public_reads=True)
    yield demo
    demo.parts.db.close()


def path_of(demo: Demo) -> str:
    return f"/api/projects/{demo.values['project_id']}/changes"


def cors(answer: TestResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items() if name.lower().startswith("access-control")}


def preflight(demo: Demo, path: str, origin: str, method: str = "GET") -> TestResponse:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,if-none-match",
    }
    return demo.client.options(path, headers=headers)


@pytest.mark.parametrize("origin", [APP, LOCAL])
def test_a_named_origin_may_read_the_answer_and_its_tag(demo: Demo, origin: str) -> None:
    answer = demo.client.get(path_of(demo), headers=ADMIN | {"Origin": origin})

    assert answer.status_code == 200
    assert cors(answer) == {
        "access-control-allow-origin": origin,
        "access-control-expose-headers": "ETag, Last-Modified, Link, Location, Retry-After",
    }
    assert "Origin" in answer.vary


@pytest.mark.parametrize("headers", [{}, {"If-None-Match": "*"}], ids=["without a token", "unchanged"])
def test_a_named_origin_may_read_refusals_too(demo: Demo, headers: dict[str, str]) -> None:
    given = (ADMIN if headers else {}) | headers | {"Origin": APP}

    answer = demo.client.get(path_of(demo), headers=given)

    assert answer.status_code in (304, 401)
    assert cors(answer)["access-control-allow-origin"] == APP


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://app.example.com.evil.example",
        "https://evilapp.example.com",
        "http://app.example.com",
        "https://app.example.com:444",
        "https://APP.example.com",
        "null",
        "",
    ],
)
def test_any_other_origin_gets_nothing(demo: Demo, origin: str) -> None:
    read = demo.client.get(path_of(demo), headers=ADMIN | {"Origin": origin})
    asked = preflight(demo, path_of(demo), origin)

    assert (cors(read), cors(asked)) == ({}, {})
    assert "Origin" in read.vary


def test_a_preflight_allows_reading_with_a_token_and_a_tag(demo: Demo) -> None:
    answer = preflight(demo, path_of(demo), APP)

    assert (answer.status_code, answer.data) == (204, b"")
    assert cors(answer) == {
        "access-control-allow-origin": APP,
        "access-control-allow-methods": "GET",
        "access-control-allow-headers": "Authorization, If-None-Match",
        "access-control-max-age": "600",
        "access-control-expose-headers": "ETag, Last-Modified, Link, Location, Retry-After",
    }


@pytest.mark.parametrize("path", ["/api/admin/smart_sync", "/api/admin/runs", "/health", "/api/nothing"])
def test_what_is_no_read_route_is_closed_to_pages_of_other_origins(demo: Demo, path: str) -> None:
    assert cors(preflight(demo, path, APP, "POST")) == {}
    assert cors(demo.client.get(path, headers=ADMIN | {"Origin": APP})) == {}


def test_public_numbers_may_be_for_every_page_and_never_with_cookies(open_demo: Demo) -> None:
    answer = open_demo.client.get(path_of(open_demo), headers={"Origin": "https://any.example"})

    assert cors(answer)["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in cors(answer)
    assert "Origin" not in answer.vary


def test_by_default_no_page_of_another_origin_reads_anything(quiet_demo: Demo) -> None:
    answer = quiet_demo.client.get(path_of(quiet_demo), headers=ADMIN | {"Origin": APP})

    assert cors(answer) == {}
    assert "Origin" not in answer.vary


def test_origins_are_taken_from_the_environment() -> None:
    settings = Settings.from_env({"SMART_SYNC_CORS_ORIGINS": f"{APP}, {LOCAL},http://[::1]:8080"})

    assert settings.cors_origins == (APP, LOCAL, "http://[::1]:8080")


def test_every_origin_is_allowed_together_with_public_reads() -> None:
    settings = Settings.from_env({"SMART_SYNC_CORS_ORIGINS": "*", "SMART_SYNC_PUBLIC_READS": "1"})

    assert settings.cors_origins == ("*",)


@pytest.mark.parametrize(
    "text",
    [
        "app.example.com",
        "https://app.example.com/",
        "https://app.example.com/path",
        "https://app.example.com?x",
        "https://app.example.com#x",
        "https://user@app.example.com",
        "https://App.example.com",
        "https://app.example.com:443",
        "http://app.example.com:80",
        "https://app.example.com:99999",
        "https://app.example.com:x",
        "https://*.example.com",
        "https://bücher.example",
        "https://app.example.com https://other.example",
        "https://",
        "null",
        "ftp://app.example.com",
        "*, https://app.example.com",
        "*",
    ],
)
def test_what_no_browser_sends_as_origin_stops_the_start(text: str) -> None:
    with pytest.raises(ConfigError, match="SMART_SYNC_CORS_ORIGINS: "):
        Settings.from_env({"SMART_SYNC_CORS_ORIGINS": text})
