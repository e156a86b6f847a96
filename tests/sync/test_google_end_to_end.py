"""From Google's wire to the database: what one sync costs, and what it makes of Google's moods."""

from __future__ import annotations

import random
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from tests.fakes.google import BOOK_ID, FakeGoogle, refusal
from tests.fakes.service import TIMES, Service
from webapp.bootstrap import sheets_of
from webapp.config import Settings

HEADER = ["Profile URL", "Followers", "Likes", "Comments", "Videos", "Views"]
KEY = "AIzaSyA-an-api-key-of-the-tests"


@pytest.fixture
def google(httpserver: HTTPServer) -> FakeGoogle:
    """Ten tabs of a hundred accounts."""
    fake = FakeGoogle(httpserver)
    for tab in range(10):
        rows = [[f"https://x.com/user{tab}x{n}", 1000 + n, n, None, 3, 10 * n] for n in range(100)]
        fake.tabs[f"Project {tab}"] = [HEADER, *rows]
    return fake


@pytest.fixture
def online(service: Service, google: FakeGoogle) -> Service:
    settings = Settings(sheets=(BOOK_ID,), sheets_api=google.base, google_api_key=KEY)
    service.engine.sheets = tuple(sheets_of(settings, service.time.clock))
    return service


def totals(answer: Any) -> tuple[int, int]:
    return (
        sum(result["updated_count"] for result in answer["results"]),
        sum(result["snapshot_count"] for result in answer["results"]),
    )


def test_a_thousand_accounts_cost_two_calls_and_nothing_the_second_time(online: Service, google: FakeGoogle) -> None:
    first = online.sync()
    assert (first["success_count"], totals(first), first["api_calls"], len(google.asked)) == (10, (1000, 1000), 2, 2)
    before = online.tables(without=TIMES)

    second = online.sync()

    assert (totals(second), second["api_calls"], len(google.asked)) == ((0, 0), 2, 4)
    assert online.tables(without=TIMES) == before


def test_edits_are_counted_exactly(online: Service, google: FakeGoogle) -> None:
    online.sync()
    dice = random.Random(7)
    edited = dice.sample([(tab, row) for tab in range(10) for row in range(1, 101)], 37)

    for tab, row in edited:
        google.tabs[f"Project {tab}"][row][dice.choice([1, 2, 5])] += dice.choice([1, 5, 100])
    answer = online.sync()

    assert totals(answer) == (37, 0)
    assert {result["project_name"] for result in answer["results"] if result["updated_count"]} == {
        f"Project {tab}" for tab, _ in edited
    }


def test_the_next_day_every_account_has_a_snapshot_again(online: Service, google: FakeGoogle) -> None:
    online.sync()
    online.time.forward(days=1)

    assert totals(online.sync()) == (0, 1000)


def test_a_call_that_is_refused_for_now_is_made_again_when_google_says(online: Service, google: FakeGoogle) -> None:
    google.first = [refusal(429, "Quota exceeded", "RATE_LIMIT_EXCEEDED", {"Retry-After": "7"})]

    answer = online.sync()

    assert (answer["success"], answer["degraded"], totals(answer)) == (True, False, (1000, 1000))
    assert sum(online.time.slept) >= 7


def test_a_page_of_html_instead_of_an_answer_is_tried_again(online: Service, google: FakeGoogle) -> None:
    google.first = [Response("<h1>502 Bad Gateway</h1>", 502, content_type="text/html")]

    assert online.sync()["success"] is True


def test_a_quota_that_stays_exceeded_ends_within_the_budget_with_the_stored_numbers(
    online: Service, google: FakeGoogle
) -> None:
    online.sync()
    before, began = online.tables(without=TIMES), online.time.now
    google.always = refusal(429, "Quota exceeded", "RATE_LIMIT_EXCEEDED")

    answer = online.sync(budget=20)

    assert (answer["success"], answer["degraded"], answer["success_count"]) == (True, True, 10)
    assert (online.time.now - began).total_seconds() <= 20
    assert online.tables(without=TIMES) == before
    assert 1 < answer["api_calls"] < 20


@pytest.mark.parametrize(("status", "calls"), [(403, 1), (400, 1), (404, 2)])  # a 404 may be a passing mood
def test_what_google_refuses_for_good_is_not_asked_for_long(
    online: Service, google: FakeGoogle, status: int, calls: int
) -> None:
    online.sync()
    google.always = refusal(status, "No.")

    answer = online.sync(status=502)

    assert (answer["success"], answer["error_count"], answer["api_calls"]) == (False, 10, calls)
    assert KEY not in str(answer)


def test_without_credentials_the_answer_says_what_to_set(service: Service, google: FakeGoogle) -> None:
    settings = Settings(sheets=(BOOK_ID,), sheets_api=google.base)
    service.engine.sheets = tuple(sheets_of(settings, service.time.clock))

    answer = service.sync(status=502)

    assert (answer["error_code"], google.asked) == ("no_credentials", [])
    assert "GOOGLE_CREDENTIALS" in answer["error"]


def test_a_tab_that_vanishes_between_the_calls_fails_alone(online: Service, google: FakeGoogle) -> None:
    online.sync()
    google.tabs["Project 3"][1][1] = 5000
    google.first = [google.book()]
    del google.tabs["Project 4"]

    answer = online.sync()

    failed = [result["project_name"] for result in answer["results"] if not result["success"]]
    assert (failed, online.followers("https://x.com/user3x0")) == (["Project 4"], 5000)
