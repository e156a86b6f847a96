"""What status, pages and explanations say of platforms that are read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.platforms import FakeYouTube, channel_id
from tests.fakes.service import Service
from tests.fakes.sheet import FakeSheet
from tests.platforms.conftest import Reads


def page(number: int) -> str:
    return f"https://www.youtube.com/channel/{channel_id(number)}"


def platforms(service: Service) -> Any:
    return service.get("/api/admin/sync_status")["platforms"]


@pytest.fixture
def syncing(service: Service, sheet: FakeSheet, youtube: FakeYouTube, reads: Reads) -> Service:
    reads(youtube)
    for number in range(1, 6):
        youtube.channel(number, subscriberCount=number)
    sheet.rows("Project A", *([page(number)] for number in range(1, 7)))
    service.sync()
    return service


def test_health_quota_and_what_is_unread(syncing: Service, youtube: FakeYouTube) -> None:
    syncing.sync()
    now = syncing.time.now

    (one,) = platforms(syncing)

    assert (one["name"], one["platform"], one["state"], one["accounts"], one["waiting"]) == (
        "youtube",
        "youtube",
        "ok",
        6,
        0,
    )
    assert one["checked_at"][:16] == one["last_success_at"][:16] == now.strftime("%Y-%m-%dT%H:%M")
    assert one["quota"] == {"limit": 10_000, "used": 1, "left": 9_999, "ends_at": "2026-03-03T08:00:00.000000Z"}
    (reason,) = one["unread"]
    assert (reason["code"], reason["accounts"]) == ("gone", 1)
    mine = syncing.get("/api/admin/sync_status", project_id=syncing.project()["id"])
    assert mine["unread"] == one["unread"]
    syncing.time.forward(days=1)
    assert platforms(syncing)[0]["quota"] == {"limit": 10_000, "used": 0, "left": 10_000, "ends_at": None}


def test_one_that_is_refused_says_so(syncing: Service, youtube: FakeYouTube) -> None:
    youtube.broken = youtube.refuses(400, "API key not valid. Please pass a valid API key.", "badRequest")
    syncing.sync()

    (one,) = platforms(syncing)

    assert (one["state"], one["code"], one["last_success_at"], one["waiting"]) == ("failed", "key_refused", None, 6)
    assert (
        one["message"]
        == "YouTube refuses us: the key is not valid, or has expired (check its settings, or renew the key)"
    )


def test_one_that_is_away_says_until_when_it_is_left_alone(syncing: Service, youtube: FakeYouTube) -> None:
    youtube.first += [youtube.refuses(503, "Backend error", "backendError", Retry_After="3600")]
    syncing.sync()

    (one,) = platforms(syncing)

    assert (one["state"], one["code"]) == ("degraded", "upstream_error")
    assert one["again_at"] is not None
    syncing.time.forward(hours=1, minutes=1)
    syncing.sync()
    assert (platforms(syncing)[0]["state"], platforms(syncing)[0]["again_at"]) == ("ok", None)


def test_one_that_is_set_and_was_not_read_yet_is_listed(service: Service) -> None:
    settings = replace(service.parts.settings, platforms={"YOUTUBE_API_KEY": "a-key-of-youtube"})
    service.parts = replace(service.parts, settings=settings)

    (one,) = platforms(service)

    assert (one["name"], one["state"], one["quota"]) == ("youtube", "not_read_yet", None)


def test_an_account_says_why_it_was_not_read(syncing: Service) -> None:
    syncing.sync()
    gone, there = (syncing.account(page(number))["id"] for number in (6, 1))

    said = syncing.get(f"/api/accounts/{gone}/explain")["unread"]

    assert (said["source"], said["code"]) == ("youtube", "gone")
    assert said["since"] is not None
    assert syncing.get(f"/api/accounts/{there}/explain")["unread"] is None


def test_a_source_that_says_the_same_for_long_is_frozen(syncing: Service, youtube: FakeYouTube) -> None:
    syncing.sync()
    for _ in range(8):
        syncing.time.forward(days=1)
        syncing.sync()

    readings = syncing.get("/api/admin/sync_status")["readings"]

    assert (readings["state"], readings["programs"][0]["frozen_accounts"]) == ("frozen", 5)
    assert readings["message"] == "readings of youtube are frozen: 5 of 5 accounts say the same for 7 days"
    mine = syncing.get("/api/admin/sync_status", project_id=syncing.project()["id"])
    assert mine["readings"] == readings
    assert syncing.followers(page(5)) == 5

    for number in (1, 2):
        youtube.channels[channel_id(number)]["statistics"]["viewCount"] = "1001"
    syncing.time.forward(days=1)
    syncing.sync()
    assert syncing.get("/api/admin/sync_status")["readings"]["state"] == "fresh"
