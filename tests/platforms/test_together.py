"""Several platforms in one sync: what befalls one is its own."""

from __future__ import annotations

import socket
import threading
import time as real_time
from collections.abc import Iterator

import pytest
from werkzeug import Response

from tests.fakes.platforms import FakeBluesky, FakeMastodon, FakeService, FakeTelegram, FakeYouTube, channel_id
from tests.fakes.service import Service
from tests.fakes.sheet import FakeSheet
from tests.platforms.conftest import Reads, parsed, sources_for, unread
from webapp.clock import Clock
from webapp.sources.sheet import Cell

CHANNEL = f"https://www.youtube.com/channel/{channel_id(1)}"
BLUESKY = "https://bsky.app/profile/ada.bsky.social"
MASTODON = "https://mastodon.social/@ada"
TELEGRAM = "https://t.me/ada_channel"
TIKTOK = "https://www.tiktok.com/@ada"
ALL = (CHANNEL, BLUESKY, MASTODON, TELEGRAM, TIKTOK)
ROWS: list[list[Cell]] = [[url, 1] for url in ALL]


@pytest.fixture
def hole() -> Iterator[str]:
    """A server that takes connections and never says anything."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def hold() -> None:
        while True:
            try:
                held.append(listener.accept()[0])
            except OSError:
                return

    thread = threading.Thread(target=hold)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()
    for connection in held:
        connection.close()


@pytest.fixture
def five(
    youtube: FakeYouTube, bluesky: FakeBluesky, mastodon: FakeMastodon, telegram: FakeTelegram, scraper: FakeService
) -> None:
    youtube.channel(1, subscriberCount=101)
    bluesky.profile("ada.bsky.social", followersCount=102)
    mastodon.account("mastodon.social", "ada", followers_count=103)
    telegram.channels["ada_channel"] = {"subscribers": "1.04K", "photos": "3", "videos": "5"}
    scraper.users["ada"] = 105


@pytest.mark.usefixtures("five")
def test_five_platforms_in_one_sync(
    service: Service,
    sheet: FakeSheet,
    reads: Reads,
    youtube: FakeYouTube,
    bluesky: FakeBluesky,
    mastodon: FakeMastodon,
    telegram: FakeTelegram,
    scraper: FakeService,
) -> None:
    reads(youtube, bluesky, mastodon, telegram, scraper)
    sheet.rows("Project A", *([url] for url in ALL))
    service.sync()

    service.sync()

    assert [service.followers(url) for url in ALL] == [101, 102, 103, 1_040, 105]
    assert parsed(service, TELEGRAM)["videos"] == 5
    states = service.rows("SELECT name, state FROM platform_states ORDER BY name")
    assert [row["name"] for row in states] == ["bluesky", "mastodon", "telegram", "tiktok", "youtube"]
    assert {row["state"] for row in states} == {"ok"}


@pytest.mark.usefixtures("five")
def test_one_that_fails_and_one_that_hangs_take_nothing_from_the_others(
    sqlite_url: str,
    hole: str,
    youtube: FakeYouTube,
    mastodon: FakeMastodon,
    telegram: FakeTelegram,
    scraper: FakeService,
) -> None:
    """Over HTTP with a budget of five seconds, by the clock on the wall."""
    service = Service(sqlite_url, clock=Clock())
    try:
        service.sheet.rows("Project A", *ROWS)
        service.sync()
        sources = sources_for(youtube, mastodon, telegram, scraper, SMART_SYNC_BLUESKY_API=hole)
        service.engine.platforms = lambda: sources
        mastodon.broken = Response("<html>Bad gateway</html>", 502)
        service.sheet.put("Project A!B2", 7)
        begun = real_time.monotonic()

        answer = service.sync(budget=5)

        assert real_time.monotonic() - begun < 5
        assert (answer["success"], answer["complete"]) == (True, True)
        assert [service.followers(url) for url in ALL] == [101, 1, 1, 1_040, 105]
        states = {row["name"]: row["code"] for row in service.rows("SELECT name, code FROM platform_states")}
        down = {"bluesky": "timeout", "mastodon": "upstream_error"}
        assert states == {"youtube": None, "telegram": None, "tiktok": None, **down}
        assert unread(service, MASTODON) == "upstream_error"
    finally:
        service.close()


class TestMastodon:
    def test_one_whose_instance_is_down_is_asked_for_again_soon(
        self, service: Service, sheet: FakeSheet, reads: Reads, mastodon: FakeMastodon
    ) -> None:
        reads(mastodon)
        mastodon.account("mastodon.social", "ada", followers_count=103)
        sheet.rows("Project A", [MASTODON, 1])
        service.sync()
        mastodon.broken = Response("", 502)
        service.sync()
        assert unread(service, MASTODON) == "upstream_error"
        assert service.one("SELECT state FROM platform_states") == "degraded"
        mastodon.broken = None
        service.time.forward(minutes=6)

        service.sync()

        assert (service.followers(MASTODON), unread(service, MASTODON)) == (103, None)

    def test_a_name_that_somebody_else_has_now_inherits_nothing(
        self, service: Service, sheet: FakeSheet, reads: Reads, mastodon: FakeMastodon
    ) -> None:
        reads(mastodon)
        mastodon.account("mastodon.social", "ada", "17", followers_count=103)
        sheet.rows("Project A", [MASTODON])
        service.sync()
        service.sync()
        mastodon.account("mastodon.social", "ada", "18", followers_count=9_000)
        service.time.forward(minutes=31)

        service.sync()

        assert (service.followers(MASTODON), unread(service, MASTODON)) == (103, "another_profile")


class TestTelegram:
    def test_what_has_no_preview_keeps_its_reading(
        self, service: Service, sheet: FakeSheet, reads: Reads, telegram: FakeTelegram
    ) -> None:
        reads(telegram)
        telegram.channels["ada_channel"] = {"subscribers": "12.3K"}
        sheet.rows("Project A", [TELEGRAM, 12_345], ["https://t.me/some_group", 5])
        service.sync()
        service.sync()

        assert parsed(service, TELEGRAM)["followers"] == 12_300
        assert service.followers(TELEGRAM) == 12_345  # exact, and agrees
        assert unread(service, "https://t.me/some_group") == "no_preview"
