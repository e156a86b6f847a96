"""The set-up page: what to paste, what is missing, and what an examination finds."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask.testing import FlaskClient

from tests.dashboard.conftest import OURS, READ, Site
from tests.dashboard.filled import TOKEN
from tests.dashboard.test_pages import MARKUP, text_of
from webapp import web
from webapp.dashboard.rendering import Doctor
from webapp.doctor.case import Diagnosis


@pytest.fixture
def boss(site: Site) -> FlaskClient:
    return site.visitor(TOKEN)


def pasted(client: FlaskClient, path: str) -> str:
    found = re.search(r'<pre id="snippet"[^>]*><code>(.*?)</code>', client.get(path).get_data(as_text=True), re.DOTALL)
    return unescape(found[1]) if found else ""


def test_what_to_paste_is_shown_for_each_caller(boss: FlaskClient) -> None:
    assert "https://sync.example/api/admin/smart_sync" in pasted(boss, "/set-up?url=https://sync.example")
    github = pasted(boss, "/set-up?caller=github-actions&url=https://sync.example/")
    assert "workflow_dispatch" in github
    assert "https://sync.example/api/admin/smart_sync" in github
    assert pasted(boss, "/set-up?caller=nobody") == pasted(boss, "/set-up")


def test_an_address_that_is_none_is_refused_in_words(boss: FlaskClient) -> None:
    words = text_of(boss, "/set-up?url=not+an+address")

    assert "is not an address such as https://sync.example.com" in words


def test_what_is_asked_stays_text(boss: FlaskClient) -> None:
    assert MARKUP not in boss.get("/set-up", query_string={"url": MARKUP}).get_data(as_text=True)


def test_platforms_say_what_they_miss(boss: FlaskClient) -> None:
    words = text_of(boss, "/set-up")

    assert "youtube no – YOUTUBE_API_KEY" in words
    assert "The demo" not in words


def test_an_examination_shows_the_worst_first_with_its_fix(site: Site, boss: FlaskClient) -> None:
    found = [
        Diagnosis("ok", "database", "all is well"),
        Diagnosis("FAIL", "sheet", f"it is not shared {MARKUP}", "share it"),
        Diagnosis("warn", "disk", "it is small", "take a larger one"),
    ]
    site.app.extensions[web.KEY][Doctor] = Doctor(lambda: found)

    page = boss.post("/set-up", headers=OURS).get_data(as_text=True)

    places = [page.index(f"<strong>{name}</strong>") for name in ("sheet", "disk", "database")]
    assert places == sorted(places)
    assert "share it" in page
    assert MARKUP not in page


@pytest.mark.long
def test_everything_is_examined_for_real(boss: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMART_SYNC_PLATFORMS", "none")

    answer = boss.post("/set-up", headers=OURS)

    assert answer.status_code == 200
    assert "<strong>settings</strong>" in answer.get_data(as_text=True)
    assert TOKEN not in answer.get_data(as_text=True)


def test_who_only_reads_sees_none_of_it(site: Site) -> None:
    reader = site.visitor(READ)

    assert reader.get("/set-up").status_code == 403
    assert reader.post("/set-up", headers=OURS).status_code == 403
