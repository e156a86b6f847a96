"""YouTube in a sync, over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from werkzeug import Request, Response

from tests.fakes.platforms import FakeYouTube, channel_id
from tests.fakes.service import Service
from tests.fakes.sheet import FakeSheet
from tests.platforms.conftest import Reads, parsed, unread
from webapp.sources.sheet import Cell


def page(number: int) -> str:
    return f"https://www.youtube.com/channel/{channel_id(number)}"


@pytest.fixture
def syncing(service: Service, sheet: FakeSheet, youtube: FakeYouTube, reads: Reads) -> Service:
    reads(youtube)
    return service


@pytest.mark.parametrize(("channels", "calls"), [(1, 1), (50, 1), (51, 2), (1000, 20)])
def test_fifty_channels_are_one_call(
    syncing: Service, sheet: FakeSheet, youtube: FakeYouTube, channels: int, calls: int
) -> None:
    for number in range(channels):
        youtube.channel(number, subscriberCount=1000 + number)
    sheet.rows("Project A", *([page(number)] for number in range(channels)))
    syncing.sync()
    assert not youtube.calls  # nobody knew of them before

    syncing.sync()

    assert len(youtube.calls) == calls
    assert syncing.followers(page(channels - 1)) == 1000 + channels - 1
    assert syncing.one("SELECT quota_used FROM platform_states") == calls


def test_a_handle_is_looked_up_once_and_read_by_its_id_from_then_on(
    syncing: Service, sheet: FakeSheet, youtube: FakeYouTube
) -> None:
    youtube.channel(1, "@Ada", subscriberCount=500)
    sheet.rows("Project A", ["https://www.youtube.com/@ada"])
    syncing.sync()
    syncing.sync()
    syncing.time.forward(minutes=31)
    youtube.channels[channel_id(1)]["statistics"]["subscriberCount"] = "600"

    syncing.sync()

    assert [sorted(call.args.keys() & {"id", "forHandle"}) for call in youtube.calls] == [["forHandle"], ["id"]]
    assert syncing.followers("https://www.youtube.com/@ada") == 600


def test_a_renamed_channel_keeps_its_history_and_its_old_name_is_not_followed(
    syncing: Service, sheet: FakeSheet, youtube: FakeYouTube
) -> None:
    youtube.channel(1, "@ada", subscriberCount=500)
    sheet.rows("Project A", ["https://www.youtube.com/@ada"])
    syncing.sync()
    syncing.sync()
    before = syncing.account("https://www.youtube.com/@ada")["id"]
    youtube.channels[channel_id(1)]["snippet"]["customUrl"] = "@countess"
    youtube.channel(2, "@ada", subscriberCount=9)  # somebody else has the name now
    syncing.time.forward(minutes=31)
    syncing.sync()
    assert syncing.followers("https://www.youtube.com/@ada") == 500

    sheet.rows("Project A", ["https://www.youtube.com/@countess"])
    syncing.sync()

    (account,) = syncing.rows("SELECT id, followers, removed_at FROM accounts")
    assert account == {"id": before, "followers": 500, "removed_at": None}


def test_a_hidden_count_is_unknown_and_no_metric_is_zero_instead(
    syncing: Service, sheet: FakeSheet, youtube: FakeYouTube
) -> None:
    youtube.channel(1, hidden=True, subscriberCount=0, viewCount=77)
    sheet.rows("Project A", [page(1), 12])
    syncing.sync()

    syncing.sync()

    assert parsed(syncing, page(1)) == {"followers": None, "likes": None, "comments": None, "videos": 10, "views": 77}
    assert syncing.followers(page(1)) == 12


def test_a_count_of_three_digits_does_not_beat_an_exact_one_that_agrees(
    syncing: Service, sheet: FakeSheet, youtube: FakeYouTube
) -> None:
    youtube.channel(1, subscriberCount=1_230_000)
    sheet.rows("Project A", [page(1), 1_234_567])
    syncing.sync()

    syncing.sync()

    assert syncing.followers(page(1)) == 1_234_567


def test_what_is_gone_keeps_its_last_reading_and_says_why(
    syncing: Service, sheet: FakeSheet, youtube: FakeYouTube
) -> None:
    youtube.channel(1, subscriberCount=500)
    youtube.channel(2)
    sheet.rows(
        "Project A", [page(1)], [page(2)], ["https://www.youtube.com/c/ada"], ["https://www.youtube.com/@nobody"]
    )
    syncing.sync()
    syncing.sync()
    del youtube.channels[channel_id(1)]
    syncing.time.forward(minutes=31)

    syncing.sync()

    assert (syncing.followers(page(1)), unread(syncing, page(1))) == (500, "gone")
    assert (unread(syncing, page(2)), unread(syncing, "https://www.youtube.com/c/ada")) == (None, "no_lookup")
    assert unread(syncing, "https://www.youtube.com/@nobody") == "gone"
    assert syncing.one("SELECT state FROM platform_states") == "ok"


def test_what_comes_back_is_read_again(syncing: Service, sheet: FakeSheet, youtube: FakeYouTube) -> None:
    sheet.rows("Project A", [page(1)])
    syncing.sync()
    syncing.sync()
    assert unread(syncing, page(1)) == "gone"
    youtube.channel(1, subscriberCount=3)
    syncing.time.forward(hours=7)

    syncing.sync()

    assert (syncing.followers(page(1)), unread(syncing, page(1))) == (3, None)


def test_an_account_is_not_asked_for_before_its_reading_is_old(
    syncing: Service, sheet: FakeSheet, youtube: FakeYouTube
) -> None:
    youtube.channel(1)
    sheet.rows("Project A", [page(1)])
    for _ in range(4):
        syncing.sync()
    assert len(youtube.calls) == 1

    syncing.sync(force=True)

    assert len(youtube.calls) == 2


def test_a_legacy_user_name_is_looked_up(syncing: Service, sheet: FakeSheet, youtube: FakeYouTube) -> None:
    youtube.users["ada"] = youtube.channel(1, subscriberCount=3)
    sheet.rows("Project A", ["https://www.youtube.com/user/ada"])
    syncing.sync()

    syncing.sync()

    assert syncing.followers("https://www.youtube.com/user/ada") == 3


def test_a_dry_run_asks_nobody_and_writes_nothing(syncing: Service, sheet: FakeSheet, youtube: FakeYouTube) -> None:
    youtube.channel(1)
    sheet.rows("Project A", [page(1)])
    syncing.sync()
    before = syncing.tables(without=("sync_runs", "sync_run_projects"))

    syncing.sync(dry_run=True)

    assert not youtube.calls
    assert syncing.tables(without=("sync_runs", "sync_run_projects")) == before


def test_accounts_counted_by_hand_and_those_switched_off_are_not_read(
    syncing: Service, sheet: FakeSheet, youtube: FakeYouTube
) -> None:
    for number in range(3):
        youtube.channel(number)
    rows: list[list[Cell]] = [[page(number), *[1] * 5, status] for number, status in enumerate(("NEW", "OLD", "BAN"))]
    sheet.rows("Project A", *rows)
    syncing.sync()

    syncing.sync()

    (call,) = youtube.calls
    assert call.args["id"] == channel_id(0)


class TestQuota:
    def test_units_are_granted_as_the_day_goes_on(
        self, syncing: Service, sheet: FakeSheet, youtube: FakeYouTube, reads: Reads
    ) -> None:
        reads(youtube, SMART_SYNC_YOUTUBE_QUOTA=24)
        syncing.time.now = datetime(2026, 3, 2, 8, 0, 1, tzinfo=UTC)  # a second after midnight in California
        for number in range(250):
            youtube.channel(number)
        sheet.rows("Project A", *([page(number)] for number in range(250)))
        syncing.sync()

        syncing.sync()

        (state,) = syncing.rows("SELECT state, code, message, quota_used, quota_limit, unread FROM platform_states")
        assert (state["state"], state["code"], state["quota_used"]) == ("degraded", "quota_used_up", 2)
        assert state["message"] == "youtube: 2 of 24 units a day are used up; there are more as the day goes on"
        assert (len(youtube.calls), state["unread"], state["quota_limit"]) == (2, 150, 24)

        syncing.time.forward(hours=2)
        syncing.sync()

        assert len(youtube.calls) == 4

    def test_what_the_platform_says_is_used_up_rests_until_its_next_day(
        self, syncing: Service, sheet: FakeSheet, youtube: FakeYouTube
    ) -> None:
        youtube.channel(1, subscriberCount=7)
        sheet.rows("Project A", [page(1), 5])
        syncing.sync()
        words = "The request cannot be completed because you have exceeded your quota."
        youtube.first.append(youtube.refuses(403, words, "quotaExceeded"))

        assert syncing.sync()["success"]
        syncing.time.forward(hours=2)
        syncing.sync()

        assert len(youtube.calls) == 1
        assert syncing.one("SELECT code FROM platform_states") == "quota_used_up"
        assert syncing.followers(page(1)) == 5
        syncing.time.forward(hours=22)
        syncing.sync()
        assert syncing.followers(page(1)) == 7
        assert syncing.one("SELECT code FROM platform_states") is None

    def test_units_of_who_dies_stay_counted(
        self, syncing: Service, sheet: FakeSheet, youtube: FakeYouTube, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        youtube.channel(1)
        sheet.rows("Project A", [page(1)])
        syncing.sync()
        counted: list[int] = []
        answer = youtube.answer

        def look_and_answer(request: Request) -> Response:
            counted.append(syncing.one("SELECT quota_used FROM platform_states"))
            return answer(request)

        monkeypatch.setattr(youtube, "answer", look_and_answer)

        syncing.sync()

        assert counted == [1]  # before the answer was there

    def test_units_that_were_not_used_are_given_back(
        self, syncing: Service, sheet: FakeSheet, youtube: FakeYouTube
    ) -> None:
        for number in range(120):
            youtube.channel(number)
        sheet.rows("Project A", *([page(number)] for number in range(120)))
        syncing.sync()
        youtube.broken = youtube.refuses(400, "API key expired. Please renew the API key.", "badRequest")

        syncing.sync()

        (state,) = syncing.rows("SELECT state, code, quota_used FROM platform_states")
        assert state == {"state": "failed", "code": "key_refused", "quota_used": 1}
