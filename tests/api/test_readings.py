"""Readings that programs outside deliver."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.clock import MONDAY
from tests.fakes.service import ADMIN, Service, moment
from tests.fakes.sheet import FakeSheet
from tests.sync.test_together import statements
from webapp.api.http.batches import LINES
from webapp.model import METRICS, Counts
from webapp.sources.sheet import Cell
from webapp.store.readings import Reading, put

ANN = "https://x.com/ann"
BEN = "https://x.com/ben"
BIGGEST = 2**63 - 1


@pytest.fixture
def known(service: Service, sheet: FakeSheet) -> Service:
    """A service that knows two accounts."""
    sheet.rows("Project A", [ANN, 100], [BEN, 5])
    service.sync()
    return service


def deliver(service: Service, *readings: dict[str, Any], **more: Any) -> Any:
    answer = service.post("/api/admin/readings", {"readings": list(readings), **more})
    assert answer.status_code == 200, answer.text
    return answer.json


@pytest.mark.shortcuts
def test_a_batch_is_kept_and_the_next_sync_merges_it(known: Service) -> None:
    told = deliver(known, {"profile_url": ANN, "followers": 120}, {"profile_url": BEN, "views": 7})
    assert told == {
        "success": True, "received": 2, "kept": 2, "unchanged": 0, "older": 0, "unmatched": [], "unmatched_count": 0,
        "invalid": [], "invalid_count": 0, "outcomes": ["kept", "kept"],
    }  # fmt: skip
    assert known.followers(ANN) == 100

    result = known.sync()["results"][0]

    assert result["updated_count"] == 2
    assert (known.followers(ANN), known.account(BEN)["views"]) == (120, 7)


@pytest.mark.parametrize("url", ["http://www.X.com/Ann/", "twitter.com/ann?s=20", "@x.com/ann"[1:]])
def test_an_account_is_found_however_its_address_is_written(known: Service, url: str) -> None:
    assert deliver(known, {"profile_url": url, "followers": 120})["kept"] == 1


def test_an_account_is_found_by_its_id(known: Service) -> None:
    assert deliver(known, {"account_id": known.account(ANN)["id"], "followers": 120})["kept"] == 1


def test_what_fits_no_account_is_listed_and_the_rest_is_kept(known: Service) -> None:
    told = deliver(
        known,
        {"profile_url": "https://x.com/nobody", "followers": 1},
        {"profile_url": ANN, "followers": 120},
        {"account_id": 999_999, "followers": 1},
    )

    assert (told["success"], told["kept"], told["unmatched_count"]) == (False, 1, 2)
    assert told["outcomes"] == ["unmatched", "kept", "unmatched"]
    assert told["unmatched"] == [
        {
            "index": 0, "account_id": None, "profile_url": "https://x.com/nobody",
            "message": "no account has this address",
        },
        {"index": 2, "account_id": 999_999, "profile_url": None, "message": "no account has this id"},
    ]  # fmt: skip


@pytest.mark.shortcuts
def test_an_address_in_several_projects_means_all_of_them_unless_one_is_named(known: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project B", [ANN, 1])
    known.sync()

    assert deliver(known, {"profile_url": ANN, "followers": 120})["kept"] == 2
    only = deliver(known, {"profile_url": ANN, "followers": 130}, project_id=known.project("Project B")["id"])

    assert only["kept"] == 1
    known.sync()
    assert [row["followers"] for row in known.rows("SELECT followers FROM accounts WHERE url_key LIKE '%ann%'")] != []
    assert sorted(r["followers"] for r in known.rows("SELECT followers FROM observations WHERE source = 'parsed'")) == [
        120, 130,
    ]  # fmt: skip


@pytest.mark.shortcuts
def test_an_older_reading_does_not_replace_a_newer_one(known: Service) -> None:
    deliver(known, {"profile_url": ANN, "followers": 120, "observed_at": "2026-03-02T09:00:00Z"})

    told = deliver(known, {"profile_url": ANN, "followers": 110, "observed_at": "2026-03-02T08:00:00+00:00"})
    known.sync()

    assert (told["kept"], told["older"], known.followers(ANN)) == (0, 1, 120)


def test_a_time_in_the_future_is_refused_beyond_what_clocks_differ(known: Service) -> None:
    told = deliver(
        known,
        {"profile_url": ANN, "followers": 120, "observed_at": "2026-03-02T10:04:59Z"},
        {"profile_url": BEN, "followers": 120, "observed_at": "2026-03-02T10:05:01Z"},
    )

    assert told["outcomes"] == ["kept", "invalid"]
    assert told["invalid"] == [
        {
            "index": 1,
            "field": "observed_at",
            "message": "observed_at: is in the future; here it is 2 Mar 2026, 10:00 UTC",
        }
    ]
    (row,) = known.rows("SELECT observed_at FROM observations WHERE source = 'parsed'")
    assert moment(row["observed_at"]) == MONDAY + timedelta(minutes=4, seconds=59)


def test_a_reading_of_yesterday_makes_no_snapshot_of_today(known: Service) -> None:
    known.time.forward(days=1)
    known.sheet._breaks.clear()
    known.engine.sheets = ()

    deliver(known, {"profile_url": ANN, "followers": 120, "observed_at": "2026-03-02T12:00:00Z"})
    result = known.sync()["results"][0]

    assert (result["updated_count"], result["snapshot_count"]) == (1, 0)


def test_a_reading_of_a_removed_account_is_unmatched(known: Service) -> None:
    number = known.account(ANN)["id"]
    known.remove_account(ANN)

    told = deliver(known, {"profile_url": ANN, "followers": 120}, {"account_id": number, "followers": 120})

    assert told["outcomes"] == ["unmatched", "unmatched"]
    assert {one["message"] for one in told["unmatched"]} == {"the account was removed from Project A"}


def test_a_reading_of_an_account_in_another_project_is_told_where_it_is(known: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project B", ["https://x.com/bob", 1])
    known.sync()
    mine = known.project("Project A")["id"]

    told = deliver(known, {"profile_url": "https://x.com/bob", "followers": 120}, project_id=mine)

    assert told["unmatched"][0]["message"] == "the account is in Project B, and not in the project that is named"


def test_a_project_that_is_not_there_is_404(known: Service) -> None:
    body = json.dumps([{"profile_url": ANN, "followers": 120}])
    answer = raw(known, body, project_id="nobody")

    assert (answer.status_code, answer.json["code"]) == (404, "project_not_found")


def test_two_projects_are_refused(known: Service) -> None:
    mine = known.project("Project A")["id"]
    body = json.dumps({"project_id": mine, "readings": [{"profile_url": ANN, "followers": 120}]})

    assert raw(known, body, project_id=mine).status_code == 200
    assert (raw(known, body, project_id="other").status_code, raw(known, body, project_id="other").json["field"]) == (
        422, "project_id",
    )  # fmt: skip


BAD: dict[str, dict[str, Any]] = {
    "no name": {"followers": 1},
    "two names": {"profile_url": ANN, "account_id": 1, "followers": 1},
    "no number": {"profile_url": ANN},
    "only nulls": {"profile_url": ANN, "followers": None},
    "negative": {"profile_url": ANN, "followers": -1},
    "too large": {"profile_url": ANN, "followers": BIGGEST + 1},
    "far too large": {"profile_url": ANN, "followers": 10**400},
    "fraction": {"profile_url": ANN, "followers": 1.5},
    "text": {"profile_url": ANN, "followers": "12"},
    "boolean": {"profile_url": ANN, "followers": True},
    "list": {"profile_url": ANN, "followers": [1]},
    "unknown member": {"profile_url": ANN, "followers": 1, "subscribers": 2},
    "naive time": {"profile_url": ANN, "followers": 1, "observed_at": "2026-03-02T10:00:00"},
    "no time": {"profile_url": ANN, "followers": 1, "observed_at": "yesterday"},
    "30 February": {"profile_url": ANN, "followers": 1, "observed_at": "2026-02-30T10:00:00Z"},
    "before all time": {"profile_url": ANN, "followers": 1, "observed_at": "0001-01-01T00:00:00+23:59"},
    "after all time": {"profile_url": ANN, "followers": 1, "observed_at": "9999-12-31T23:59:59-23:59"},
    "a post": {"profile_url": "https://x.com/ann/status/1", "followers": 1},
    "no address": {"profile_url": "javascript:alert(1)", "followers": 1},
    "empty address": {"profile_url": "", "followers": 1},
    "long address": {"profile_url": "https://x.com/" + "a" * 3000, "followers": 1},
    "NUL": {"profile_url": ANN, "followers": 1, "origin": "a\x00b"},
    "lone surrogate": {"profile_url": ANN, "followers": 1, "origin": "a\ud800b"},
    "long origin": {"profile_url": ANN, "followers": 1, "origin": "a" * 101},
    "id of zero": {"account_id": 0, "followers": 1},
    "id beyond 64 bits": {"account_id": BIGGEST + 1, "followers": 1},
}


@pytest.mark.parametrize("reading", BAD.values(), ids=BAD.keys())
def test_a_bad_reading_is_told_by_its_place_and_takes_nothing_from_the_others(
    sqlite_service: Service, reading: dict[str, Any]
) -> None:
    sqlite_service.sheet.rows("Project A", [ANN, 100])
    sqlite_service.sync()

    told = deliver(sqlite_service, {"profile_url": ANN, "followers": 120}, reading)

    assert (told["success"], told["kept"], told["invalid_count"]) == (False, 1, 1)
    assert told["outcomes"] == ["kept", "invalid"]
    assert told["invalid"][0]["index"] == 1
    assert told["invalid"][0]["message"]


@pytest.mark.parametrize("reading", BAD.values(), ids=BAD.keys())
def test_nothing_but_bad_readings_is_422(sqlite_service: Service, reading: dict[str, Any]) -> None:
    before = sqlite_service.tables()

    answer = sqlite_service.post("/api/admin/readings", {"readings": [reading, reading]})

    assert (answer.status_code, answer.content_type) == (422, "application/problem+json"), answer.text
    assert answer.json is not None
    assert answer.json["code"] == "invalid_parameter"
    assert answer.json["field"].startswith("readings[0]")
    assert "(and so are the 1 others)" in answer.json["detail"]
    assert sqlite_service.tables() == before


def raw(service: Service, body: str | bytes, kind: str = "application/json", **query: str) -> Any:
    headers = ADMIN | {"Content-Type": kind}
    return service.client.post("/api/admin/readings", data=body, query_string=query, headers=headers)


def test_an_array_of_readings_is_a_batch(known: Service) -> None:
    answer = raw(known, json.dumps([{"profile_url": ANN, "followers": 120}]), project_id=known.project()["id"])

    assert (answer.status_code, answer.json["outcomes"]) == (200, ["kept"])


@pytest.mark.parametrize("kind", LINES)
def test_a_line_for_each_reading_is_a_batch(known: Service, kind: str) -> None:
    lines = [json.dumps({"profile_url": url, "followers": 120}) for url in (ANN, BEN)]
    answer = raw(known, "\ufeff" + "\r\n".join([lines[0], "", '{"profile_url": ', lines[1], '{"a":1,"a":2}', ""]), kind)

    assert answer.status_code == 200
    assert answer.json["outcomes"] == ["kept", "invalid", "kept", "invalid"]
    assert [one["message"] for one in answer.json["invalid"]] == [
        "the line is not JSON", "a member is given more than once",
    ]  # fmt: skip


def test_signs_that_end_a_line_of_text_may_stand_within_a_reading(known: Service) -> None:
    body = json.dumps({"profile_url": ANN, "followers": 120, "origin": "a\u2028b\x85c\x0cd"}, ensure_ascii=False)

    assert raw(known, body.replace("\x0c", "\\f").encode(), LINES[0]).json["outcomes"] == ["kept"]


@pytest.mark.parametrize("spoiled", ['"followers": 1, "followers": 2', '"followers": ' + "9" * 9_999])
def test_what_spoils_one_reading_of_an_array_takes_nothing_from_the_others(known: Service, spoiled: str) -> None:
    answer = raw(known, f'[{{"profile_url": "{ANN}", "followers": 120}}, {{"profile_url": "{BEN}", {spoiled}}}]')

    assert (answer.status_code, answer.json["outcomes"]) == (200, ["kept", "invalid"])
    assert len(answer.json["invalid"][0]["message"]) < 100


def test_a_number_that_is_none_spoils_its_own_reading_alone(known: Service) -> None:
    answer = raw(known, f'[{{"profile_url": "{ANN}", "followers": NaN}}, {{"profile_url": "{BEN}", "followers": 7}}]')

    assert (answer.status_code, answer.json["outcomes"]) == (200, ["invalid", "kept"])
    assert answer.json["invalid"][0]["field"] == "followers"


def test_what_is_nested_too_deep_is_refused(known: Service) -> None:
    deep = "[" * 60 + "]" * 60

    assert raw(known, f'[{{"profile_url": "{ANN}", "followers": {deep}}}]').status_code == 422
    assert raw(known, "[" * 100_000).status_code == 400


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"\xff\xfe[]", 400, "bad_json"),
        (b"[", 400, "bad_json"),
        (b"7", 400, "bad_json"),
        (b"", 400, "bad_json"),
        (b'{"readings": [], "readings": [{"account_id": 1, "followers": 1}]}', 400, "bad_json"),
        (b"[]", 400, "bad_json"),
        (b'{"readings": []}', 422, "invalid_parameter"),
        (b'{"readings": [{"account_id": 1, "followers": 1}], "more": 1}', 422, "invalid_parameter"),
    ],
)
def test_what_is_no_list_is_refused(known: Service, body: bytes, status: int, code: str) -> None:
    answer = raw(known, body)

    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_a_batch_that_is_delivered_again_changes_nothing(known: Service) -> None:
    batch = [
        {"profile_url": ANN, "followers": 120, "observed_at": "2026-03-02T09:00:00Z"},
        {"profile_url": ANN, "followers": 110, "observed_at": "2026-03-02T08:00:00Z"},
        {"profile_url": BEN, "views": 7, "observed_at": "2026-03-02T09:00:00Z"},
    ]
    said = "SELECT account_id, followers, views, observed_at FROM observations ORDER BY account_id, source"
    told = deliver(known, *batch)
    before = known.rows(said), known.tables(without=["observations"])

    again = deliver(known, *batch)

    assert (told["outcomes"], told["older"]) == (["kept", "older", "kept"], 1)
    assert (again["outcomes"], again["kept"], again["unchanged"]) == (["unchanged", "older", "unchanged"], 0, 2)
    assert (known.rows(said), known.tables(without=["observations"])) == before


def test_as_many_statements_do_for_many_readings_as_for_few(sqlite_service: Service) -> None:
    urls = [f"https://x.com/u{number}" for number in range(300)]
    rows: list[list[Cell]] = [[url, 1] for url in urls]
    sqlite_service.sheet.rows("Project A", *rows)
    sqlite_service.sync()
    batches = [[{"profile_url": url, "views": 2} for url in urls[:size]] for size in (2, 300)]
    few, many = (len(statements(partial(deliver, sqlite_service, *batch))) for batch in batches)

    assert many == few


NUMBERS = st.none() | st.integers(0, 9)
SAID = st.builds(
    lambda url, hour, followers, views: {
        "profile_url": url, "observed_at": f"2026-03-02T0{hour}:00:00Z", "followers": followers, "views": views,
    },
    st.sampled_from((ANN, BEN)), st.integers(0, 5), NUMBERS, NUMBERS,
)  # fmt: skip


def numbers(service: Service) -> list[dict[str, Any]]:
    columns = ", ".join((*METRICS, "observed_at"))
    return service.rows(f"SELECT {columns} FROM observations WHERE source = 'parsed' ORDER BY account_id")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(SAID, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_the_order_within_a_batch_does_not_matter_nor_how_often_it_comes(
    sqlite_service: Service, batch: list[dict[str, Any]], dice: Random
) -> None:
    fresh = start_over(sqlite_service)
    at = {(one["profile_url"], one["observed_at"]): one for one in batch}  # of one moment the last one counts
    batch = [*at.values()]
    send(fresh, batch)
    first = numbers(fresh)

    send(fresh, batch)
    again = numbers(fresh)
    start_over(fresh)
    send(fresh, dice.sample(batch, len(batch)))

    assert again == first
    assert numbers(fresh) == first


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(SAID, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_how_readings_are_split_into_batches_does_not_matter(
    sqlite_service: Service, said: list[dict[str, Any]], dice: Random
) -> None:
    whole = [one for one in said if None not in one.values()] or [
        {"profile_url": ANN, "followers": 1, "views": 1, "observed_at": "2026-03-02T09:00:00Z"}
    ]
    whole = [*{(one["profile_url"], one["observed_at"]): one for one in whole}.values()]
    fresh = start_over(sqlite_service)
    send(fresh, whole)
    first = numbers(fresh)

    start_over(fresh)
    for _ in range(3):
        send(fresh, dice.sample(whole, dice.randint(1, len(whole))))
    for one in dice.sample(whole, len(whole)):
        send(fresh, [one])

    assert numbers(fresh) == first


def test_two_of_one_moment_are_the_last_one_however_often_they_come(known: Service) -> None:
    at = "2026-03-02T09:00:00Z"
    batch = [
        {"profile_url": ANN, "followers": 1, "views": 5, "observed_at": at},
        {"profile_url": ANN, "followers": 2, "observed_at": at},
    ]
    deliver(known, *batch)
    before = numbers(known)

    assert (before[0]["followers"], before[0]["views"]) == (2, 5)
    assert deliver(known, *batch)["outcomes"] == ["unchanged", "unchanged"]
    assert numbers(known) == before


def start_over(service: Service) -> Service:
    """The service with its two accounts, and no reading of them."""
    if not service.rows("SELECT id FROM accounts"):
        service.sheet.rows("Project A", [ANN, 100], [BEN, 5])
        service.sync()
    with service.engine.db.write() as tx:
        tx.exec_driver_sql("DELETE FROM observations WHERE source = 'parsed'")
    return service


def send(service: Service, batch: list[dict[str, Any]]) -> None:
    assert service.post("/api/admin/readings", {"readings": batch}).status_code in {200, 422}  # none has a number


@pytest.mark.parametrize("readings", [[], "x", {}, None, [None], [[]], 5], ids=repr)
def test_what_is_no_batch_is_422(sqlite_service: Service, readings: Any) -> None:
    answer = sqlite_service.post("/api/admin/readings", {"readings": readings})

    assert (answer.status_code, answer.json["code"]) == (422, "invalid_parameter")  # type: ignore[index]


def test_a_batch_of_ten_thousand_is_kept_and_more_is_refused(sqlite_service: Service) -> None:
    sqlite_service.sheet.rows("Project A", [ANN, 1])
    sqlite_service.sync()
    one = {"profile_url": ANN, "followers": 120}

    assert sqlite_service.post("/api/admin/readings", {"readings": [one] * 10_000}).status_code == 200
    assert sqlite_service.post("/api/admin/readings", {"readings": [one] * 10_001}).status_code == 422


@pytest.mark.shortcuts
def test_what_nobody_read_today_makes_no_snapshot_of_today(service: Service, sheet: FakeSheet) -> None:
    sheet.rows("Project A", [ANN])
    service.sync()
    deliver(service, {"profile_url": ANN, "views": 500})
    service.sync()
    service.time.forward(days=1)
    deliver(service, {"profile_url": ANN, "followers": 120})
    service.sync()
    days = service.rows("SELECT day, followers, views FROM account_snapshots ORDER BY day")

    assert [(row["followers"], row["views"]) for row in days] == [(None, 500), (120, None)]
    assert service.account(ANN)["views"] == 500  # the last that is known

    deliver(service, {"profile_url": ANN, "views": 510})
    service.sync()

    (_, today) = service.rows("SELECT day, followers, views FROM account_snapshots ORDER BY day")
    assert (today["followers"], today["views"]) == (120, 510)


def test_an_older_reading_says_nothing_of_what_was_read_on_a_later_day(known: Service) -> None:
    account = known.account(ANN)["id"]
    late, early = known.time.now, known.time.now - timedelta(days=2)
    followers, views = Counts(followers=1), Counts(views=2)
    with known.db.write() as tx:
        put(tx, [Reading(account, followers, late, None), Reading(account, views, early, None)])
        put(tx, [Reading(account, views, late, None)])

    assert known.one("SELECT unread FROM observations WHERE source = 'parsed'") == 0b01110
