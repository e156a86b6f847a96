"""A platform of one's own, as docs/readers.md shows it: its page is what is run here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from tests.documents import blocks, rows
from tests.fakes.service import Service
from tests.fakes.sheet import FakeSheet
from tests.platforms import acme, reddit
from tests.platforms.conftest import parsed, unread
from tests.reference import DOCS
from webapp import config
from webapp.api.shapes import platforms as shapes
from webapp.clock import Clock
from webapp.config import Settings
from webapp.platforms import PLATFORMS, Listed
from webapp.sources.platforms import ReadBudget, Wanted, registry

PAGE = DOCS / "readers.md"
ADA, EVE = "https://www.reddit.com/user/ada", "https://www.reddit.com/user/eve"


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file and its line are there."""
    line = Listed("reddit", "REDDIT_", keyless=True)
    assert '    Listed("reddit", "REDDIT_", keyless=True),\n' in blocks(PAGE, "python")[1]
    monkeypatch.setitem(sys.modules, line.module, reddit)
    for module in (config, registry, shapes):
        monkeypatch.setattr(module, "PLATFORMS", (*PLATFORMS, line))


def test_the_page_shows_what_is_run_here() -> None:
    shown = blocks(PAGE, "python")[0]

    assert shown == Path(reddit.__file__).read_text(encoding="utf-8")
    assert len(shown.splitlines()) <= 40


def test_the_page_shows_the_one_that_asks_for_many() -> None:
    assert blocks(PAGE, "python")[2] == Path(acme.__file__).read_text(encoding="utf-8")


def test_many_are_asked_for_by_name(httpserver: HTTPServer) -> None:
    items = [{"id": 7, "name": "Ada", "followers": 12}, {"id": 8, "name": "eve", "followers": 3}]
    key, query = {"Authorization": "Bearer a-key-of-acme"}, "name=ada&name=bob&name=eve"
    httpserver.expect_request("/channels", query_string=query, headers=key).respond_with_json({"data": items})
    reader = acme.Acme({"ACME_KEY": "a-key-of-acme", "SMART_SYNC_ACME_API": httpserver.url_for("")[:-1]}, Clock())
    wanted = [Wanted("acme:ada", "ada", "7"), Wanted("acme:bob", "bob"), Wanted("acme:eve", "eve", "5")]

    (found,) = reader.read(wanted, ReadBudget(5, Clock()))

    assert [(one.counts.followers, one.platform_id) for one in found] == [(12, "7"), (None, None), (None, None)]
    assert [one.unread.code for one in found if one.unread] == ["gone", "another_profile"]
    reader.close()


@pytest.mark.usefixtures("listed")
def test_it_reads_in_a_sync(service: Service, sheet: FakeSheet, httpserver: HTTPServer) -> None:
    said = {"kind": "t2", "data": {"id": "x7", "name": "ada", "subreddit": {"subscribers": 1_204}}}
    httpserver.expect_request("/user/ada/about.json").respond_with_json(said)
    httpserver.expect_request("/user/eve/about.json").respond_with_json({"message": "Not Found"}, status=404)
    settings = Settings.from_env({"SMART_SYNC_REDDIT_API": httpserver.url_for(""), "SMART_SYNC_PLATFORMS": "reddit"})
    sources = registry.sources_of(settings)
    service.engine.platforms = lambda: sources
    sheet.rows("Project A", [ADA], [EVE, 5])
    service.sync()

    service.sync()

    assert (parsed(service, ADA)["followers"], service.followers(EVE), unread(service, EVE)) == (1_204, 5, "gone")
    (state,) = service.get("/api/admin/sync_status")["platforms"]
    assert (state["name"], state["state"]) == ("reddit", "ok")


def test_every_platform_has_a_line_with_what_it_gives() -> None:
    table = rows(PAGE, "platform | needs | gives | a call | limits")
    told = {name.strip("`"): gives.split(", ") for name, _, gives, *_ in table}

    assert set(told) == {platform.name for platform in PLATFORMS}
    for platform in PLATFORMS:
        assert told[platform.name] == list(platform.load().gives), platform.name
