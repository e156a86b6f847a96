"""A CSV published to the web, or anywhere else: one tab, no credentials, no detours."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from webapp.clock import Clock
from webapp.errors import SourceError, TransientSourceError
from webapp.sources.http import LIMITS, Limits
from webapp.sources.sheet import Cells
from webapp.sources.sheet.published import PublishedCsv

if TYPE_CHECKING:
    from tests.sources.conftest import FakeTime, Wires

CSV = b"URL,Followers\nx.com/a,12\n"


class Page:
    """What the server has at `/pub`."""

    def __init__(self, server: HTTPServer, fake_time: FakeTime) -> None:
        self.answers: list[Response] = [Response(CSV, content_type="text/csv")]
        self.server = server
        self._time = fake_time
        server.expect_request("/pub").respond_with_handler(self._answer)

    def source(self, query: str = "", limits: Limits = LIMITS) -> PublishedCsv:
        url, home = self.server.url_for("/pub") + query, self.server.url_for("")
        return PublishedCsv(url, api_base=home, clock=self._time.clock, limits=limits)

    def _answer(self, _: object) -> Response:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def page(httpserver: HTTPServer, fake_time: FakeTime) -> Page:
    return Page(httpserver, fake_time)


def read(source: PublishedCsv, fake_time: FakeTime) -> Cells:
    tabs = source.book(fake_time.budget()).tabs
    (cells,) = source.read(tabs, [None], fake_time.budget())
    return cells


def refused(page: Page, fake_time: FakeTime) -> SourceError:
    with pytest.raises(SourceError) as error:
        page.source().book(fake_time.budget())
    return error.value


def test_a_published_csv_is_one_tab_got_with_one_call(page: Page, fake_time: FakeTime) -> None:
    source = page.source("?gid=17&single=true&output=csv")

    cells = read(source, fake_time)

    assert cells.rows() == [["URL", "Followers"], ["x.com/a", "12"]]
    assert (cells.tab.id, cells.tab.title, source.calls) == ("17", "Sheet1", 1)
    assert source.plan([cells.tab], [None]) == [1]


def test_cells_are_got_anew_for_a_second_read(page: Page, fake_time: FakeTime) -> None:
    source = page.source()
    tab = read(source, fake_time).tab
    page.answers = [Response(b"changed")]

    (cells,) = source.read([tab], [None], fake_time.budget())

    assert (cells.rows(), source.calls) == ([["changed"]], 2)


@pytest.mark.parametrize(
    ("header", "title"),
    [
        ('attachment; filename="Tracker-ProjectA.csv"', "Tracker-ProjectA"),
        ("attachment; filename=\"x.csv\"; filename*=UTF-8''%D0%9F%D1%80%D0%BE%D0%B5%D0%BA%D1%82.csv", "Проект"),
        ("attachment", "Sheet1"),
        ("", "Sheet1"),
        ("attachment; filename=.csv", "Sheet1"),
    ],
)
def test_the_title_is_the_name_of_the_file(page: Page, fake_time: FakeTime, header: str, title: str) -> None:
    page.answers = [Response(CSV, headers={"Content-Disposition": header})]

    assert page.source().book(fake_time.budget()).title == title


@pytest.mark.parametrize(
    "reply",
    [
        Response("<html>Sign in</html>", content_type="text/html; charset=utf-8"),
        Response("\ufeff\n <!DOCTYPE HTML><title>", content_type="text/plain"),
        Response("no", 401),
        Response("no", 403),
        Response("no", 400),
        Response("", 302, {"Location": "https://accounts.google.com/ServiceLogin?continue=x"}),
    ],
    ids=["a page", "a page in disguise", "401", "403", "400", "sign-in"],
)
def test_what_is_not_published_says_how_to_publish_it(page: Page, fake_time: FakeTime, reply: Response) -> None:
    page.answers = [reply]

    error = refused(page, fake_time)

    assert (type(error), error.code) == (SourceError, "not_published")
    assert "Publish to web" in str(error)


def test_a_page_is_missing_only_at_the_second_look(page: Page, fake_time: FakeTime) -> None:
    page.answers = [Response("", 404), Response("", 404), Response(CSV)]

    assert refused(page, fake_time).code == "spreadsheet_missing"


def test_a_page_missing_for_a_moment_is_not_missing(page: Page, fake_time: FakeTime) -> None:
    page.answers = [Response("", 404), Response(CSV)]

    assert read(page.source(), fake_time).rows()


def test_failures_that_pass_are_tried_again(page: Page, fake_time: FakeTime) -> None:
    page.answers = [Response("", 429, {"Retry-After": "3"}), Response("", 500), Response(CSV)]
    source = page.source()

    assert read(source, fake_time).rows()
    assert source.calls == 3


def test_failures_that_do_not_pass_are_told(page: Page, fake_time: FakeTime) -> None:
    page.answers = [Response("", 503)]

    error = refused(page, fake_time)

    assert (isinstance(error, TransientSourceError), error.code) == (True, "upstream_error")


def test_a_bomb_is_cut(page: Page, fake_time: FakeTime) -> None:
    page.answers = [Response(gzip.compress(bytes(2**21)), headers={"Content-Encoding": "gzip"})]

    with pytest.raises(SourceError) as error:
        page.source(limits=Limits(body_bytes=2**20)).book(fake_time.budget())

    assert error.value.code == "too_large"


def test_a_page_that_drips_is_late(wires: Wires, fake_time: FakeTime) -> None:
    server = wires.serve(wires.drip(b"HTTP/1.1 200 OK\r\n\r\n"))

    with pytest.raises(TransientSourceError) as error:
        PublishedCsv(server.url, api_base=server.url, clock=fake_time.clock).book(fake_time.budget(0.2))

    assert error.value.code == "timeout"


def test_a_csv_in_another_encoding_is_the_tabs_own_error(page: Page, fake_time: FakeTime) -> None:
    page.answers = [Response("Подписчики".encode("cp1251"))]

    cells = read(page.source(), fake_time)

    assert cells.error is not None
    assert cells.error.code == "bad_encoding"


def test_a_redirect_to_where_the_csv_is_kept_is_followed(page: Page, fake_time: FakeTime) -> None:
    page.server.expect_request("/kept").respond_with_data(CSV)
    page.answers = [Response("", 307, {"Location": "/kept?token=x"})]

    assert read(page.source(), fake_time).rows()[1] == ["x.com/a", "12"]


def test_three_redirects_are_enough(page: Page, fake_time: FakeTime) -> None:
    page.answers = [Response("", 302, {"Location": "/pub"})]
    source = page.source()

    with pytest.raises(SourceError, match="from address to address"):
        source.book(fake_time.budget())

    assert source.calls == 4


@pytest.mark.parametrize(
    "location",
    [
        "http://docs.google.com/x",
        "https://googleusercontent.com.evil.example/",
        "https://evilgoogleusercontent.com/",
        "https://docs.google.com@evil.example/",
        "//evil.example/x",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "javascript:alert(1)",
    ],
)
def test_no_other_redirect_is_followed(page: Page, fake_time: FakeTime, location: str) -> None:
    page.answers = [Response("", 302, {"Location": location})]

    error = refused(page, fake_time)

    assert (error.code, len(page.server.log)) == ("redirected", 1)
    assert "the browser ends up at" in str(error)


@pytest.mark.parametrize(
    "location", ["https://docs.google.com/x?a=b", "https://doc-0s-7k-sheets.googleusercontent.com/x"]
)
def test_redirects_within_google_are_followed(fake_time: FakeTime, location: str) -> None:
    source = PublishedCsv("https://docs.google.com/pub", api_base=None, clock=fake_time.clock)

    assert source._next(location) == location


def test_a_private_address_is_refused(httpserver: HTTPServer, fake_time: FakeTime) -> None:
    httpserver.expect_request("/pub").respond_with_data(CSV)
    source = PublishedCsv(httpserver.url_for("/pub"), api_base=None, clock=fake_time.clock)

    with pytest.raises(SourceError) as error:
        source.book(fake_time.budget())

    assert (error.value.code, httpserver.log) == ("private_address", [])


def test_the_key_of_a_google_page_is_its_address() -> None:
    url = "https://docs.google.com/spreadsheets/d/e/2PACX-x/pub?gid=1&output=csv"

    assert PublishedCsv(url + "#frag", api_base=None, clock=Clock()).key == url


def test_the_key_of_another_address_hides_its_query_and_still_tells_addresses_apart() -> None:
    one, two = (
        PublishedCsv(f"https://example.com/x.csv?token={secret}", api_base=None, clock=Clock()).key
        for secret in ("s3cret", "other")
    )

    assert one != two
    assert "s3cret" not in one
    assert one.startswith("https://example.com/x.csv#")
    assert PublishedCsv("https://example.com/x.csv", api_base=None, clock=Clock()).key == "https://example.com/x.csv"
