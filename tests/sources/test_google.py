"""A Google spreadsheet: few calls, whole tabs, and every refusal in words with its fix."""

from __future__ import annotations

import base64
import gc
import json
import logging
import subprocess
import sys
import threading
import time as real_time
import traceback
import weakref
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from webapp.clock import Budget, Clock
from webapp.errors import ConfigError, SourceError, TransientSourceError
from webapp.rules.addresses import column_letters
from webapp.sources.http import Http, Limits
from webapp.sources.sheet import Cells, Tab
from webapp.sources.sheet.credentials import ApiKey, ServiceAccount, parse_credentials
from webapp.sources.sheet.google import GoogleSheet
from webapp.sources.sheet.google.client import Client
from webapp.sources.sheet.google.proofs import _AccessTokens
from webapp.sources.sheet.google.ranges import range_of

if TYPE_CHECKING:
    from tests.sources.conftest import FakeTime, Google, Wires


MOMENT = datetime(2025, 6, 1, 12, tzinfo=UTC)


def all_cells(google: Google, fake_time: FakeTime, sizes: list[int | None] | None = None) -> list[Cells]:
    """Everything of the spreadsheet, as a run reads it."""
    sheet = google.sheet()
    tabs = sheet.book(fake_time.budget()).tabs
    return list(sheet.read(tabs, sizes or [None] * len(tabs), fake_time.budget()))


def ranges(request: Any) -> list[str]:
    found: list[str] = request.args.getlist("ranges")
    return found


def in_order(google: Google) -> list[int]:
    """How many tabs each call asked for, in the order of the tabs: calls are made side by side."""
    return [len(asked) for asked in sorted(ranges(request) for request in google.reads)]


def test_a_book_tells_its_title_locale_and_tabs_in_one_call(google: Google, fake_time: FakeTime) -> None:
    google.tabs = {"Project A": [], "Chart1": [], "Secret": []}
    google.properties = {"Chart1": {"sheetType": "OBJECT", "gridProperties": {}}, "Secret": {"hidden": True}}
    sheet = google.sheet()

    book = sheet.book(fake_time.budget())

    assert (book.title, book.locale, sheet.calls) == ("A book", "de_DE", 1)
    assert book.tabs == (
        Tab("0", "Project A", 1000, 26),
        Tab("7", "Chart1", 0, 0, grid=False),
        Tab("14", "Secret", 1000, 26, hidden=True),
    )


def test_each_call_waits_for_its_turn_with_what_time_there_is(google: Google, fake_time: FakeTime) -> None:
    turns: list[float] = []
    sheet = GoogleSheet(
        google.id,
        credentials=ApiKey("a-key"),
        api_base=google.api,
        clock=fake_time.clock,
        pace=lambda budget: turns.append(budget.left()),
    )

    sheet.book(Budget(60, fake_time.clock))
    sheet.book(Budget(30, fake_time.clock))

    assert len(turns) == sheet.calls == 2
    assert turns[0] > turns[1] > 0


def test_only_what_is_needed_is_asked_for(google: Google, fake_time: FakeTime) -> None:
    all_cells(google, fake_time)

    book, values = (request for request, _ in google.server.log if request.path.startswith("/v4"))
    assert book.args["fields"].startswith("properties(title,locale),sheets.properties(sheetId,title,")
    assert values.args["valueRenderOption"] == "UNFORMATTED_VALUE"
    assert values.args["fields"] == "valueRanges(range,values)"
    for request in (book, values):
        assert request.args["prettyPrint"] == "false"
        assert request.headers["Accept-Encoding"] == "gzip"


def test_ten_tabs_take_one_call_and_come_in_order(google: Google, fake_time: FakeTime) -> None:
    google.tabs = {f"Project {number}": [["Followers"], [number]] for number in range(10)}

    cells = all_cells(google, fake_time)

    assert [(each.tab.title, each.rows()[1][0]) for each in cells] == [(f"Project {n}", n) for n in range(10)]
    assert len(google.reads) == 1


def test_two_hundred_tabs_take_one_call(google: Google, fake_time: FakeTime) -> None:
    google.tabs = {f"Project {number:03}": [["Followers"]] for number in range(200)}

    assert len(all_cells(google, fake_time)) == 200
    assert len(google.reads) == 1


def test_cells_keep_their_types(google: Google, fake_time: FakeTime) -> None:
    row = ["text", 5, 0, 2.5, True, None, "", 9007199254740993, 2**70]
    google.tabs = {"Project A": [row]}

    (cells,) = all_cells(google, fake_time)

    assert cells.rows() == [row]
    assert [type(cell) for cell in cells.rows()[0]] == [str, int, int, float, bool, type(None), str, int, int]


def test_an_empty_tab_is_empty_and_takes_nothing_from_its_neighbours(google: Google, fake_time: FakeTime) -> None:
    google.tabs = {"Empty": [], "Project A": [["Followers"], [7]], "Also empty": []}

    cells = all_cells(google, fake_time)

    assert [each.rows() for each in cells] == [[], [["Followers"], [7]], []]
    assert [each.error for each in cells] == [None, None, None]


def test_rows_stay_ragged(google: Google, fake_time: FakeTime) -> None:
    google.tabs = {"Project A": [["URL", "Followers", "Likes"], ["x.com/a"], [], ["x.com/b", "", 3]]}

    (cells,) = all_cells(google, fake_time)

    assert cells.rows() == google.tabs["Project A"]


def test_the_digest_is_of_the_cells_alone(google: Google, fake_time: FakeTime) -> None:
    google.tabs = {"A": [["x", 1]], "B": [["x", 1]], "C": [["x", 2]]}
    a, b, c = all_cells(google, fake_time)
    google.tabs["A"] = [["x", 2]]
    changed = all_cells(google, fake_time)[0]

    assert a.digest == b.digest
    assert a.digest != c.digest == changed.digest
    assert a.size == len('[["x", 1]]')


@pytest.mark.parametrize("title", ["2024", "A1", "O'Brien", "a!b", "x-y", "t/2", "😀", "Проект", "a&b=c+d %", "'"])
def test_a_strange_title_is_quoted(google: Google, fake_time: FakeTime, title: str) -> None:
    google.tabs = {title: [["Followers"]], "Project A": [["Likes"]]}

    cells = all_cells(google, fake_time)

    assert [each.rows() for each in cells] == [[["Followers"]], [["Likes"]]]


@pytest.mark.parametrize(
    ("tab", "expected"),
    [
        (Tab("0", "Project A", 1000, 26), "'Project A'!A1:Z1000"),
        (Tab("0", "O'Brien", 7, 3), "'O''Brien'!A1:C7"),
        (Tab("0", "Wide", 20_000, 300), "'Wide'!A1:AZ20000"),
        (Tab("0", "Unknown"), "'Unknown'!A:AZ"),
    ],
)
def test_a_range_covers_the_tab_up_to_52_columns(tab: Tab, expected: str) -> None:
    assert range_of(tab) == expected


@given(st.integers(1, 20_000))
def test_letters_of_columns_count_in_base_26(number: int) -> None:
    value = 0
    for letter in column_letters(number - 1):
        value = value * 26 + ord(letter) - 64

    assert value == number


def test_charts_are_never_asked_for(google: Google, fake_time: FakeTime) -> None:
    google.tabs = {"Project A": [["Followers"]], "Chart1": [], "Project B": [["Likes"]]}
    google.properties = {"Chart1": {"sheetType": "DATA_SOURCE", "gridProperties": {}}}

    cells = all_cells(google, fake_time)

    assert [each.error.code if each.error else None for each in cells] == [None, "no_grid", None]
    assert not any("Chart1" in asked for request in google.reads for asked in ranges(request))


def test_nothing_but_charts_needs_no_call_for_cells(google: Google, fake_time: FakeTime) -> None:
    google.properties = {"Project A": {"sheetType": "OBJECT"}}

    assert len(all_cells(google, fake_time)) == 1
    assert google.reads == []


@pytest.mark.parametrize(
    ("sizes", "calls"),
    [
        ([None, None, None], [3]),
        ([900_000, 900_000, 900_000], [2, 1]),
        ([1_250_000, 1_250_000, 1], [2, 1]),
        ([9_000_000, 1, 1], [1, 2]),
        ([1, 9_000_000, 1], [1, 1, 1]),
        ([0, 2_000_000, 0], [3]),
    ],
    ids=["unknown", "too much together", "just fits", "a large one first", "a large one between", "zero is known"],
)
def test_a_call_stays_near_two_megabytes_but_never_splits_a_tab(
    google: Google, fake_time: FakeTime, sizes: list[int | None], calls: list[int]
) -> None:
    google.tabs = {title: [[title]] for title in "ABC"}

    cells = all_cells(google, fake_time, sizes)

    assert in_order(google) == calls
    assert [each.rows() for each in cells] == [[["A"]], [["B"]], [["C"]]]


def test_two_tabs_of_a_good_megabyte_share_a_call(google: Google, fake_time: FakeTime) -> None:
    google.tabs = {title: [[title]] for title in "ABCDEFGHIJ"}

    all_cells(google, fake_time, [1_100_000] * 10)

    assert in_order(google) == [2] * 5


@pytest.mark.parametrize(
    ("rows", "columns", "calls"),
    [(1000, 26, [3]), (11_000, 26, [1, 1, 1]), (10_000, 5, [3]), (25_000, 4, [2, 1])],
    ids=["the default grid says nothing", "tall", "tall and narrow", "taller"],
)
def test_a_tab_never_read_is_planned_by_its_grid(
    google: Google, fake_time: FakeTime, rows: int, columns: int, calls: list[int]
) -> None:
    google.tabs = {title: [[title]] for title in "ABC"}
    grid = {"gridProperties": {"rowCount": rows, "columnCount": columns}}
    google.properties = dict.fromkeys("ABC", grid)

    all_cells(google, fake_time)

    assert in_order(google) == calls


def test_no_url_is_longer_than_8000_characters(google: Google, fake_time: FakeTime) -> None:
    google.tabs = {f"{'Ж' * 90} {number}": [[number]] for number in range(40)}

    cells = all_cells(google, fake_time)

    assert [each.rows() for each in cells] == [[[number]] for number in range(40)]
    assert len(google.reads) > 2
    assert all(len(google.api + request.full_path) <= 8_000 for request in google.reads)
    assert len(google.api + google.reads[0].full_path) > 7_000


@pytest.mark.parametrize(
    ("sizes", "reads"),
    [([2_000_000] * 7, [5, 6, 7, 7, 7, 7, 7]), ([2_000_000] * 6 + [9_000_000], [3, 4, 5, 6, 7, 7, 7])],
    ids=["four", "two where an answer is large"],
)
def test_while_tabs_are_worked_on_the_next_calls_are_made_and_no_other(
    google: Google, fake_time: FakeTime, sizes: list[int], reads: list[int]
) -> None:
    google.tabs = {title: [[title]] for title in "ABCDEFG"}
    sheet = google.sheet()
    tabs = sheet.book(fake_time.budget()).tabs
    seen: list[tuple[str, int]] = []
    for each in sheet.read(tabs, sizes, fake_time.budget()):
        while len(google.reads) < reads[len(seen)]:
            real_time.sleep(0.001)
        real_time.sleep(0.02)
        seen.append((each.tab.title, len(google.reads)))

    assert seen == [*zip("ABCDEFG", reads, strict=True)]


def test_who_stops_reading_waits_for_the_calls_that_were_begun(google: Google, fake_time: FakeTime) -> None:
    google.tabs = {title: [[title]] for title in "ABCDEF"}
    sheet = google.sheet()
    cells = sheet.read(sheet.book(fake_time.budget()).tabs, [2_000_000] * 6, fake_time.budget())
    next(cells)

    cells.close()  # type: ignore[attr-defined]

    assert len(google.reads) == 5
    assert not [thread for thread in threading.enumerate() if thread.name == "smart-sync-fetch"]


def test_an_answer_is_let_go_before_the_call_after_the_next_ones(google: Google, fake_time: FakeTime) -> None:
    google.tabs = {title: [[title]] for title in "ABCDEF"}
    sheet = google.sheet()
    cells = sheet.read(sheet.book(fake_time.budget()).tabs, [2_000_000] * 6, fake_time.budget())
    first = weakref.ref(next(cells))
    gone = []
    while len(google.reads) < 5:
        real_time.sleep(0.001)

    def look(_: Any) -> Response:
        gc.collect()
        gone.append(first() is None)
        return Response('{"valueRanges":[{}]}')

    google.server.clear()
    google.server.expect_request(f"/v4/spreadsheets/{google.id}/values:batchGet").respond_with_handler(look)
    for _ in cells:
        pass

    assert gone == [True]


def test_a_tab_renamed_meanwhile_fails_alone(google: Google, fake_time: FakeTime) -> None:
    google.tabs = {title: [[title]] for title in ("A", "O'Brien", "C")}
    sheet = google.sheet()
    tabs = sheet.book(fake_time.budget()).tabs
    google.tabs["Renamed"] = google.tabs.pop("O'Brien")

    first, gone, last = sheet.read(tabs, [None] * 3, fake_time.budget())

    assert (first.rows(), last.rows()) == ([["A"]], [["C"]])
    assert gone.error is not None
    assert gone.error.code == "tab_missing"
    assert "O'Brien was renamed" in gone.error.message
    assert [len(ranges(request)) for request in google.reads] == [3, 2]
    with pytest.raises(SourceError):
        gone.rows()


def test_a_tab_cut_meanwhile_fails_alone(google: Google, fake_time: FakeTime) -> None:
    google.tabs = {title: [[title]] for title in "AB"}
    message = "Range ('A'!A1:Z1000) exceeds grid limits. Max rows: 10, max columns: 26"
    sheet = google.sheet()
    tabs = sheet.book(fake_time.budget()).tabs
    google.first = [google.refuses(400, message)]

    cut, whole = sheet.read(tabs, [None, None], fake_time.budget())

    assert cut.error is not None
    assert whole.rows() == [["B"]]


def test_a_refusal_that_names_no_tab_is_narrowed_down(google: Google, fake_time: FakeTime) -> None:
    google.tabs = {title: [[title]] for title in "ABCD"}
    sheet = google.sheet()
    tabs = sheet.book(fake_time.budget()).tabs
    nameless = "Unable to parse range: ???"
    google.first = [google.refuses(400, nameless), google.refuses(400, nameless), google.refuses(400, nameless)]

    cells = list(sheet.read(tabs, [None] * 4, fake_time.budget()))

    assert [each.error is None for each in cells] == [False, True, True, True]


def odd(google: Google, *titles: str, message: str = "Invalid value at 'ranges' (TYPE_STRING)") -> None:
    """Have Google refuse every call for cells that asks for one of these tabs, in words that do not name it."""
    answer = google._values

    def refuse(request: Request) -> Response:
        asked = [each.rpartition("!")[0][1:-1] for each in request.args.getlist("ranges")]
        return google.refuses(400, message) if set(asked) & set(titles) else answer(request)

    google.server.clear_all_handlers()
    google.server.expect_request("/token").respond_with_handler(google._grant)
    google.server.expect_request(f"/v4/spreadsheets/{google.id}").respond_with_handler(google._book)
    google.server.expect_request(f"/v4/spreadsheets/{google.id}/values:batchGet").respond_with_handler(refuse)


@pytest.mark.parametrize(
    "message",
    [
        *("Invalid value at 'ranges' (TYPE_STRING)", "Request contains an invalid argument.", "Invalid range", ""),
        *("Unable to parse range", "Requested entity was not found", "El intervalo no es válido", "The tab is too odd"),
    ],
)
@pytest.mark.parametrize("place", [0, 4, 8])
def test_one_odd_tab_fails_alone_whatever_google_says_of_it(
    google: Google, fake_time: FakeTime, message: str, place: int
) -> None:
    google.tabs = {title: [[title]] for title in "ABCDEFGHI"}
    odd(google, "ABCDEFGHI"[place], message=message)
    sheet = google.sheet()
    tabs = sheet.book(fake_time.budget()).tabs

    cells = list(sheet.read(tabs, [None] * 9, fake_time.budget()))

    assert [each.error is None for each in cells] == [number != place for number in range(9)]
    assert [each.rows() for each in cells if each.error is None] == [
        [[title]] for number, title in enumerate("ABCDEFGHI") if number != place
    ]
    assert len(google.reads) <= 9
    assert all(message not in str(each.error) for each in cells if message)


def test_several_odd_tabs_fail_alone(google: Google, fake_time: FakeTime) -> None:
    titles = [f"Tab {number}" for number in range(40)]
    google.tabs = {title: [[title]] for title in titles}
    odd(google, "Tab 3", "Tab 20", "Tab 21")
    sheet = google.sheet()
    tabs = sheet.book(fake_time.budget()).tabs

    cells = list(sheet.read(tabs, [None] * 40, fake_time.budget()))

    assert [each.tab.title for each in cells if each.error] == ["Tab 3", "Tab 20", "Tab 21"]
    assert {each.error.code for each in cells if each.error} == {"bad_request"}
    assert "Tab 20" in str(cells[20].error)
    assert len(google.reads) < 30


def test_google_is_not_asked_for_ever_where_it_grants_nothing(google: Google, fake_time: FakeTime) -> None:
    titles = [f"Tab {number}" for number in range(100)]
    google.tabs = {title: [[title]] for title in titles}
    odd(google, *titles)
    sheet = google.sheet()
    tabs = sheet.book(fake_time.budget()).tabs

    cells = list(sheet.read(tabs, [None] * 100, fake_time.budget()))

    assert {each.error.code for each in cells if each.error} == {"bad_request"}
    assert len(google.reads) < 25


def test_every_tab_may_have_gone(google: Google, fake_time: FakeTime) -> None:
    google.tabs = {title: [[title]] for title in "AB"}
    sheet = google.sheet()
    tabs = sheet.book(fake_time.budget()).tabs
    google.tabs = {"New": []}

    assert [each.error.code for each in sheet.read(tabs, [None] * 2, fake_time.budget()) if each.error] == [
        "tab_missing",
        "tab_missing",
    ]


def refused(google: Google, fake_time: FakeTime, *answers: Response) -> SourceError:
    google.first = list(answers)
    with pytest.raises(SourceError) as error:
        google.sheet().book(fake_time.budget())
    return error.value


@pytest.mark.parametrize(
    ("status", "message", "reason", "code", "hint"),
    [
        (401, "Request had invalid authentication credentials.", "ACCESS_TOKEN_EXPIRED", "credentials", "new key"),
        (403, "The caller does not have permission", "", "not_shared", "as a viewer"),
        (403, "The caller does not have permission", "", "not_shared", "its administrator has to allow it"),
        (403, "Google Sheets API has not been used", "SERVICE_DISABLED", "api_disabled", "sheets.googleapis.com"),
        (403, "Access Not Configured", "accessNotConfigured", "api_disabled", "library/sheets"),
        (400, "This operation is not supported for this document", "", "office_file", "Save as Google Sheets"),
        (400, "API key not valid. Please pass a valid API key.", "API_KEY_INVALID", "credentials", "GOOGLE_API_KEY"),
        (403, "Requests from this address are blocked", "API_KEY_IP_ADDRESS_BLOCKED", "credentials", "GOOGLE_API_KEY"),
        (400, "Invalid value", "", "bad_request", ""),
        (400, "Unable to parse range: 'x'!A1", "", "tab_missing", ""),
        (418, "I am a teapot", "", "bad_request", ""),
    ],
)
def test_a_refusal_is_final_and_says_the_fix(
    google: Google, fake_time: FakeTime, status: int, message: str, reason: str, code: str, hint: str
) -> None:
    error = refused(google, fake_time, google.refuses(status, message, reason))

    assert (type(error).__name__ == "TransientSourceError", error.code) == (False, code)
    assert hint in (error.hint or "")
    assert message not in str(error)
    assert fake_time.slept == []


def test_a_refusal_in_html_is_final_too(google: Google, fake_time: FakeTime) -> None:
    error = refused(google, fake_time, Response("<html>Bad Request</html>", 400))

    assert (type(error), error.code) == (SourceError, "bad_request")


def test_a_sheet_that_is_not_shared_names_whom_to_share_it_with(
    google: Google, fake_time: FakeTime, account: ServiceAccount
) -> None:
    error = refused(google, fake_time, google.refuses(403, "The caller does not have permission"))

    assert f"share it with {account.client_email}" in str(error)


def test_the_api_to_enable_is_named(google: Google, fake_time: FakeTime) -> None:
    disabled = Response(
        '{"error":{"message":"x","details":[{"reason":"SERVICE_DISABLED",'
        '"metadata":{"service":"drive.googleapis.com"}}]}}',
        403,
    )

    assert "Google Drive API" in refused(google, fake_time, disabled).message


def test_a_quota_told_as_403_passes(google: Google, fake_time: FakeTime) -> None:
    google.first = [google.refuses(403, "Quota", "rateLimitExceeded")]

    assert google.sheet().book(fake_time.budget()).title == "A book"
    assert sum(fake_time.slept) >= 5


def test_a_spreadsheet_is_missing_only_at_the_second_look(google: Google, fake_time: FakeTime) -> None:
    sheet = google.sheet()
    google.first = [google.refuses(404, "Requested entity was not found.") for _ in range(2)]

    with pytest.raises(SourceError) as error:
        sheet.book(fake_time.budget())

    assert (type(error.value), error.value.code, sheet.calls) == (SourceError, "spreadsheet_missing", 2)


def test_a_spreadsheet_missing_for_a_moment_is_not_missing(google: Google, fake_time: FakeTime) -> None:
    google.first = [google.refuses(404, "Requested entity was not found.")]

    assert google.sheet().book(fake_time.budget()).title == "A book"


def test_a_redirect_is_refused(google: Google, fake_time: FakeTime, wires: Wires) -> None:
    elsewhere = wires.serve(wires.say(wires.answer(b"{}")))

    error = refused(google, fake_time, Response("", 302, {"Location": elsewhere.url}))

    assert (error.code, elsewhere.requests) == ("redirected", [])


def test_nothing_is_read_without_credentials(google: Google, fake_time: FakeTime) -> None:
    sheet = GoogleSheet(google.id, credentials=None, api_base=google.api, clock=fake_time.clock)

    with pytest.raises(SourceError, match="set GOOGLE_CREDENTIALS") as error:
        sheet.book(fake_time.budget())

    assert (error.value.code, sheet.calls, google.asked) == ("no_credentials", 0, [])


def test_a_quota_is_waited_for_and_counted(google: Google, fake_time: FakeTime) -> None:
    google.first = [google.refuses(429, "Quota exceeded", "RATE_LIMIT_EXCEEDED", Retry_After="9")]
    sheet = google.sheet()

    sheet.book(fake_time.budget())

    assert (sum(fake_time.slept), sheet.calls) == (9, 2)


def test_a_quota_hit_between_two_calls_is_no_success(google: Google, fake_time: FakeTime) -> None:
    google.tabs = {title: [[title]] for title in "AB"}
    sheet = google.sheet()
    tabs = sheet.book(fake_time.budget()).tabs
    google.server.clear()
    google.server.expect_request(f"/v4/spreadsheets/{google.id}/values:batchGet").respond_with_handler(
        lambda request: (
            google.refuses(429, "Quota exceeded")
            if "'B'" in ranges(request)[0]
            else Response('{"valueRanges":[{"values":[["A"]]}]}')
        )
    )
    cells = sheet.read(tabs, [2_000_000] * 2, fake_time.budget())

    assert next(cells).rows() == [["A"]]
    with pytest.raises(TransientSourceError) as error:
        next(cells)

    assert error.value.code == "rate_limited"
    assert "Quota" not in str(error.value)


def test_an_error_page_in_html_is_a_failure_like_others(google: Google, fake_time: FakeTime) -> None:
    google.first = [Response("<html>Error 502</html>", 502, content_type="text/html")] * 2

    assert google.sheet().book(fake_time.budget()).title == "A book"


BAD_BODIES = {
    "truncated": b'{"valueRanges":[{"values":[[1,2',
    "no json": b"oops",
    "html": b"<html><body>Sign in</body></html>",
    "empty": b"",
    "a list": b"[]",
    "another object": b"{}",
    "not a number": b'{"valueRanges":[{"values":[[NaN]]}]}',
    "infinity": b'{"valueRanges":[{"values":[[-Infinity]]}]}',
    "deep": b'{"valueRanges":[{"values":' + b"[" * 100_000 + b"]" * 100_000 + b"}]}",
    "too few tabs": b'{"valueRanges":[]}',
    "too many tabs": b'{"valueRanges":[{},{}]}',
    "null": b"null",
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_an_answer_that_is_no_spreadsheet_is_asked_again_and_then_told(
    google: Google, fake_time: FakeTime, body: bytes
) -> None:
    sheet = google.sheet()
    tabs = sheet.book(fake_time.budget()).tabs
    google.first = [Response(body) for _ in range(5)]

    with pytest.raises(TransientSourceError) as error:
        list(sheet.read(tabs, [None], fake_time.budget()))

    assert (error.value.code, sheet.calls) == ("bad_response", 6)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"properties":{},"sheets":[{"properties":{}}]}'])
def test_a_book_that_is_none_is_asked_again(google: Google, fake_time: FakeTime, body: bytes) -> None:
    google.first = [Response(body)]

    assert google.sheet().book(fake_time.budget()).title == "A book"


@pytest.mark.parametrize(
    "value",
    ['[[["a"]]]', '[[{"a":1}]]', "[1]", '{"a":1}', "null", '"x"', "[[1e400]]", '[["\udcff"]]'],
    ids=["list", "object", "no row", "no rows", "null", "text", "beyond any number", "no utf-8"],
)
def test_a_tab_without_a_grid_of_cells_fails_alone(google: Google, fake_time: FakeTime, value: str) -> None:
    google.tabs = {title: [[title]] for title in "AB"}
    sheet = google.sheet()
    tabs = sheet.book(fake_time.budget()).tabs
    body = '{"valueRanges":[{"values":' + value + '},{"values":[["B"]]}]}'
    google.first = [Response(body.encode(errors="surrogateescape"))]

    bad, good = sheet.read(tabs, [None, None], fake_time.budget())

    with pytest.raises(SourceError, match="no table of cells") as error:
        bad.rows()
    assert (error.value.code, good.rows()) == ("bad_response", [["B"]])


def test_a_body_over_the_cap_says_what_to_do(google: Google, fake_time: FakeTime) -> None:
    google.tabs = {"Project A": [["x" * 100]] * 20_000}
    sheet = google.sheet(limits=Limits(body_bytes=2**20))
    tabs = sheet.book(fake_time.budget()).tabs

    with pytest.raises(SourceError, match="split the tab") as error:
        list(sheet.read(tabs, [None], fake_time.budget()))

    assert error.value.code == "too_large"


def test_a_google_that_hangs_is_late(
    wires: Wires, account: ServiceAccount, fake_time: FakeTime, google: Google
) -> None:
    api = wires.serve(wires.hang).url
    sheet = GoogleSheet(google.id, credentials=account, api_base=api, clock=fake_time.clock)

    with pytest.raises(TransientSourceError) as error:
        sheet.book(fake_time.budget(0.3))

    assert error.value.code == "timeout"


def test_a_google_that_can_not_be_reached_is_a_network_error(
    account: ServiceAccount, fake_time: FakeTime, google: Google
) -> None:
    sheet = GoogleSheet(google.id, credentials=account, api_base="http://127.0.0.1:1", clock=fake_time.clock)

    with pytest.raises(TransientSourceError) as error:
        sheet.book(fake_time.budget())

    assert error.value.code == "network"


def test_one_token_serves_a_whole_process(google: Google, fake_time: FakeTime) -> None:
    for _ in range(3):
        all_cells(google, fake_time)

    assert google.asked.count("/token") == 1
    assert {request.headers["Authorization"] for request in google.reads} == {f"Bearer {google.token}"}


def test_threads_that_need_a_token_share_one(google: Google, fake_time: FakeTime) -> None:
    threads = [threading.Thread(target=lambda: google.sheet().book(fake_time.budget())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(google.asked) == ["/token"] + [f"/v4/spreadsheets/{google.id}"] * 6


def test_a_refused_token_is_dropped_unless_another_thread_has_renewed_it_already(account: ServiceAccount) -> None:
    tokens = _AccessTokens(account)
    tokens._credentials.token = "new"

    tokens.drop("old")
    kept = tokens._credentials.token
    tokens.drop("new")

    assert (kept, tokens._credentials.token) == ("new", None)


def test_who_waits_in_vain_for_a_token_that_another_thread_fetches_tries_again(
    account: ServiceAccount, fake_time: FakeTime
) -> None:
    tokens = _AccessTokens(account)
    http = Http("Google", fake_time.clock, limits=Limits(call_s=0.01))

    with tokens._lock, pytest.raises(TransientSourceError, match="Google did not answer in time") as error:
        tokens.get(http, fake_time.budget())

    assert error.value.code == "timeout"


def test_to_read_no_tab_costs_no_call(google: Google, fake_time: FakeTime) -> None:
    sheet = google.sheet()

    assert list(sheet.read([], [], fake_time.budget())) == []
    assert (sheet.calls, google.asked) == (0, [])


def test_nobody_else_is_asked_for_anything(google: Google, fake_time: FakeTime) -> None:
    before = threading.active_count()

    all_cells(google, fake_time)

    base = f"/v4/spreadsheets/{google.id}"
    assert google.asked == ["/token", base, f"{base}/values:batchGet"]
    assert threading.active_count() == before


def test_the_token_is_for_reading_only(google: Google, fake_time: FakeTime) -> None:
    google.sheet().book(fake_time.budget())

    assertion = parse_qs(google.server.log[0][0].get_data(as_text=True))["assertion"][0]
    claims = json.loads(base64.urlsafe_b64decode(assertion.split(".")[1] + "=="))
    assert claims["scope"] == "https://www.googleapis.com/auth/spreadsheets.readonly"


def test_a_kept_token_that_was_revoked_is_replaced_once(google: Google, fake_time: FakeTime) -> None:
    google.sheet().book(fake_time.budget())
    google.first = [google.refuses(401, "invalid credentials")]

    assert google.sheet().book(fake_time.budget()).title == "A book"
    assert google.asked.count("/token") == 2


def test_a_new_token_that_is_refused_is_final(google: Google, fake_time: FakeTime) -> None:
    google.sheet().book(fake_time.budget())
    sheet = google.sheet()
    google.first = [google.refuses(401, "invalid credentials") for _ in range(3)]

    with pytest.raises(SourceError) as error:
        sheet.book(fake_time.budget())

    assert (type(error.value), error.value.code, sheet.calls) == (SourceError, "credentials", 2)


def sign_in_fails(google: Google, fake_time: FakeTime, *answers: Response) -> SourceError:
    google.first_tokens = list(answers)
    sheet = google.sheet()
    with pytest.raises(SourceError) as error:
        sheet.book(fake_time.budget())
    assert sheet.calls == 0
    return error.value


def invalid_grant() -> Response:
    talk = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
    return Response(json.dumps(talk), 400)


def sign_in_at(google: Google, key_file: dict[str, str], wires: Wires, date: str, ours: datetime) -> SourceError:
    """The error of a sign-in that fails at our time with an answer that tells theirs."""
    body = b'{"error":"invalid_grant"}'
    head = f"HTTP/1.1 400 Bad\r\nDate: {date}\r\nContent-Length: {len(body)}\r\n\r\n"
    key_file["token_uri"] = wires.serve(wires.say(head.encode() + body)).url
    account, clock = parse_credentials(json.dumps(key_file)), Clock(now=lambda: ours)
    with pytest.raises(SourceError) as error:
        GoogleSheet(google.id, credentials=account, api_base=google.api, clock=clock).book(Budget(10))
    return error.value


@pytest.mark.parametrize(
    ("skew", "words"),
    [(61, "61 s ahead of Google's"), (200, "200 s ahead of Google's"), (-3600, "3600 s behind Google's")],
    ids=["a little fast", "fast", "slow"],
)
def test_a_wrong_clock_is_measured(
    google: Google, key_file: dict[str, str], wires: Wires, skew: int, words: str
) -> None:
    date = format_datetime(MOMENT, usegmt=True)

    error = sign_in_at(google, key_file, wires, date, MOMENT + timedelta(seconds=skew))

    assert (error.code, error.hint) == ("credentials", "set the clock, with NTP for instance")
    assert error.message.endswith(words)


@pytest.mark.parametrize("date", ["", "yesterday", format_datetime(MOMENT, usegmt=True)])
def test_a_clock_that_is_right_or_can_not_be_compared_is_not_blamed(
    google: Google, key_file: dict[str, str], wires: Wires, date: str
) -> None:
    error = sign_in_at(google, key_file, wires, date, MOMENT + timedelta(seconds=60))

    assert error.code == "credentials"
    assert "make a new key" in str(error)


def test_a_revoked_key_is_not_tried_again(google: Google, fake_time: FakeTime, account: ServiceAccount) -> None:
    error = sign_in_fails(google, fake_time, invalid_grant(), invalid_grant())

    assert (type(error), error.code, google.asked) == (SourceError, "credentials", ["/token"])
    assert account.client_email in error.message
    assert "Signature" not in str(error)


def test_a_sign_in_that_fails_for_a_moment_is_tried_again(google: Google, fake_time: FakeTime) -> None:
    google.first_tokens = [
        Response("<html>", 503),
        Response("{}"),
        Response('{"access_token": "x", "expires_in": "soon"}'),
        Response("[]"),
    ]

    assert google.sheet().book(fake_time.budget()).title == "A book"
    assert google.asked.count("/token") == 5


def grant(token: str, expires_in: int = 3599) -> Response:
    return Response(json.dumps({"access_token": token, "expires_in": expires_in}))


BROKEN_TOKENS = ["", " ", "ya29.a\r\nb", "ya29.\u0444", "ya29.\xe9", "ya29.a b", "ya29.a\0", "x" * 20_000]


@pytest.mark.parametrize("token", BROKEN_TOKENS)
def test_a_broken_token_is_dropped_at_once(google: Google, fake_time: FakeTime, token: str) -> None:
    google.first_tokens = [grant(token)]

    assert google.sheet().book(fake_time.budget()).title == "A book"
    assert google.asked.count("/token") == 2


@pytest.mark.parametrize("expires_in", [0, -3599, 10**12, 10**30])
def test_a_token_for_no_time_or_for_ever_is_none(google: Google, fake_time: FakeTime, expires_in: int) -> None:
    google.first_tokens = [grant("ya29.odd", expires_in)]

    google.sheet().book(fake_time.budget())

    assert google.asked.count("/token") == 2


@pytest.mark.parametrize("token", BROKEN_TOKENS)
def test_a_sign_in_that_gives_broken_tokens_alone_says_so(google: Google, fake_time: FakeTime, token: str) -> None:
    error = sign_in_fails(google, fake_time, *[grant(token)] * 5)

    assert (error.code, error.message) == ("bad_response", "Google sign-in answered with something other than a token")


def test_a_sign_in_that_keeps_failing_ends_after_five_attempts(google: Google, fake_time: FakeTime) -> None:
    error = sign_in_fails(google, fake_time, *[Response("", 500) for _ in range(5)])

    assert (type(error).__mro__[1], error.code, len(google.asked)) == (TransientSourceError, "upstream_error", 5)


def test_a_sign_in_that_hangs_is_late(
    google: Google, fake_time: FakeTime, wires: Wires, key_file: dict[str, str]
) -> None:
    key_file["token_uri"] = wires.serve(wires.hang).url

    with pytest.raises(TransientSourceError) as error:
        google.sheet(parse_credentials(json.dumps(key_file))).book(fake_time.budget(0.3))

    assert error.value.code == "timeout"


def test_a_thread_does_not_wait_for_anothers_sign_in_longer_than_its_budget(
    google: Google, fake_time: FakeTime, wires: Wires, key_file: dict[str, str]
) -> None:
    key_file["token_uri"] = wires.serve(wires.hang).url
    account = parse_credentials(json.dumps(key_file))

    def sign_in_slowly() -> None:
        with pytest.raises(TransientSourceError):
            google.sheet(account).book(fake_time.budget(0.6))

    slow = threading.Thread(target=sign_in_slowly)
    slow.start()

    with pytest.raises(TransientSourceError) as error:
        google.sheet(account).book(fake_time.budget(0.1))

    slow.join()
    assert error.value.code == "timeout"


def test_a_key_that_only_looks_like_one_is_refused(
    google: Google, fake_time: FakeTime, key_file: dict[str, str]
) -> None:
    key_file["private_key"] = "-----BEGIN PRIVATE KEY-----\nbm8ga2V5\n-----END PRIVATE KEY-----\n"

    with pytest.raises(SourceError, match="private key in GOOGLE_CREDENTIALS") as error:
        google.sheet(parse_credentials(json.dumps(key_file))).book(fake_time.budget())

    assert error.value.code == "credentials"
    assert "bm8ga2V5" not in "".join(traceback.format_exception(error.value))


@pytest.mark.parametrize("uri", ["http://169.254.169.254/token", "https://oauth2.googleapis.com.evil.example/token"])
def test_a_key_may_not_sign_in_elsewhere(key_file: dict[str, str], uri: str) -> None:
    key_file["token_uri"] = uri
    account = parse_credentials(json.dumps(key_file))

    with pytest.raises(ConfigError, match="token_uri"):
        GoogleSheet("x" * 44, credentials=account, api_base=None, clock=Clock())


def test_googles_own_token_addresses_are_fine(key_file: dict[str, str]) -> None:
    for uri in ("https://oauth2.googleapis.com/token", "https://accounts.google.com/o/oauth2/token"):
        account = parse_credentials(json.dumps(key_file | {"token_uri": uri}))

        assert GoogleSheet("x" * 44, credentials=account, api_base=None, clock=Clock()).key == "x" * 44


def test_an_api_key_travels_in_a_header_only(google: Google, fake_time: FakeTime) -> None:
    google.sheet(ApiKey("AIza-s3cret")).book(fake_time.budget())

    ((request, _),) = google.server.log
    assert request.headers["x-goog-api-key"] == "AIza-s3cret"
    assert "Authorization" not in request.headers
    assert "s3cret" not in request.full_path


def test_an_api_key_reads_what_anyone_may_read(google: Google, fake_time: FakeTime) -> None:
    google.first = [google.refuses(403, "The caller does not have permission")]

    with pytest.raises(SourceError, match="anyone with the link"):
        google.sheet(ApiKey("AIza-s3cret")).book(fake_time.budget())


def test_an_api_key_that_is_refused_is_not_tried_again(google: Google, fake_time: FakeTime) -> None:
    google.first = [google.refuses(401, "no")]

    with pytest.raises(SourceError) as error:
        google.sheet(ApiKey("AIza-s3cret")).book(fake_time.budget())

    assert (error.value.code, fake_time.slept) == ("credentials", [])


def test_no_secret_gets_into_errors_logs_or_reprs(
    google: Google, fake_time: FakeTime, account: ServiceAccount, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    faults: list[Callable[[], None]] = [
        lambda: google.first_tokens.append(invalid_grant()),
        lambda: google.first.append(google.refuses(403, "no")),
        lambda: google.first.extend([google.refuses(401, "no")] * 2),
        lambda: google.first.extend([Response("x")] * 5),
    ]
    told = [repr(account), repr(google.sheet()), repr(ApiKey("AIza-s3cret"))]
    for fault in faults:
        fault()
        with pytest.raises(SourceError) as error:
            google.sheet().book(fake_time.budget())
        told.append("".join(traceback.format_exception(error.value)))

    secrets = [google.token, "AIza-s3cret", account.info["private_key"].splitlines()[1], "assertion="]
    assert not [secret for secret in secrets for text in [*told, caplog.text] if secret in text]


def test_nothing_can_be_written_through_the_client(
    google: Google, fake_time: FakeTime, account: ServiceAccount
) -> None:
    client = Client(
        Http("Google", fake_time.clock),
        Http("Sign-in", fake_time.clock),
        account,
        api=google.api,
        budget=fake_time.budget(),
        decode=json.loads,
        refuse=lambda _: SourceError("no"),
    )

    with pytest.raises(PermissionError, match="never changed"):
        client.values_clear(google.id, "'Project A'!A1")
    assert google.asked == []


def test_drive_has_the_same_stand_in(
    google: Google, fake_time: FakeTime, account: ServiceAccount, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/drive/v3/files").respond_with_json({"files": []})
    client = Client(
        Http("Google", fake_time.clock),
        Http("Sign-in", fake_time.clock),
        account,
        api=google.api,
        budget=fake_time.budget(),
        decode=json.loads,
        refuse=lambda _: SourceError("no"),
    )

    assert client.request("get", "https://www.googleapis.com/drive/v3/files").json() == {"files": []}


@pytest.mark.usefixtures("processes")
def test_answers_that_are_read_side_by_side_are_read_by_what_was_made_before() -> None:
    """Two threads that are the first to come to a type crash the process."""
    code = """
import sys, threading
from webapp.sources.sheet.google.answers import decode_values
sys.setswitchinterval(1e-6)
ready = threading.Barrier(8)
def read():
    ready.wait()
    decode_values(b'{"valueRanges":[{"values":[[1]]}]}', 1)
threads = [threading.Thread(target=read) for _ in range(8)]
[one.start() for one in threads]
[one.join() for one in threads]
"""
    ended = [subprocess.run([sys.executable, "-c", code], check=False).returncode for _ in range(5)]

    assert ended == [0] * 5
