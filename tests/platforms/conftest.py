"""A service that reads platforms, which answer on this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from tests.fakes.platforms import FakeBluesky, FakeMastodon, FakeService, FakeTelegram, FakeYouTube
from tests.fakes.service import Service
from webapp.config import Settings
from webapp.sources.platforms import Source
from webapp.sources.platforms.registry import sources_of

Reads = Callable[..., None]


def parsed(service: Service, url: str) -> dict[str, int | None]:
    account = service.account(url)["id"]
    (row,) = service.rows("SELECT * FROM observations WHERE account_id = :id AND source = 'parsed'", id=account)
    return {metric: row[metric] for metric in ("followers", "likes", "comments", "videos", "views")}


def unread(service: Service, url: str) -> str | None:
    rows = service.rows("SELECT code FROM account_reads WHERE account_id = :id", id=service.account(url)["id"])
    return rows[0]["code"] if rows else None


def sources_for(*fakes: Any, **settings: Any) -> list[Source]:
    """These platforms alone."""
    values = {name: value for fake in fakes for name, value in fake.settings.items()} | settings
    named = tuple({name.removeprefix("SMART_SYNC_").partition("_")[0].lower() for name in values})
    return sources_of(Settings(platforms=values, read_platforms=named))


@pytest.fixture
def youtube(httpserver: HTTPServer) -> FakeYouTube:
    return FakeYouTube(httpserver)


@pytest.fixture
def bluesky(httpserver: HTTPServer) -> FakeBluesky:
    return FakeBluesky(httpserver)


@pytest.fixture
def mastodon(httpserver: HTTPServer) -> FakeMastodon:
    return FakeMastodon(httpserver)


@pytest.fixture
def telegram(httpserver: HTTPServer) -> FakeTelegram:
    return FakeTelegram(httpserver)


@pytest.fixture
def scraper(httpserver: HTTPServer) -> FakeService:
    return FakeService(httpserver)


@pytest.fixture
def reads(service: Service) -> Reads:
    """Have the service read these platforms alone: `reads(youtube)`."""

    def set_platforms(*fakes: Any, **settings: Any) -> None:
        sources = sources_for(*fakes, **settings)
        service.engine.platforms = lambda: sources

    return set_platforms
