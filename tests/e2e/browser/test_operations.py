"""What an operator does: runs, alerts, and setting the service up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_httpserver import HTTPServer

from tests.e2e.browser.conftest import TROUBLED, Opening, to_project, write
from tests.e2e.google import BOOK_ID, Google
from tests.e2e.harness import TOKEN, Service, serving
from tests.fakes.told import SECRET


def go(page: Page, to: str) -> Page:
    page.get_by_role("navigation", name="Pages").get_by_role("link", name=re.compile(f"^{to}")).click()
    page.get_by_role("heading", level=1, name=to).wait_for()
    return page


def test_runs_are_filtered_by_their_outcome(busy: Service, opened: Opening) -> None:
    page = go(opened(busy.url, token=TOKEN), "Runs")
    page.evaluate("window.same = true")
    outcomes, shown = page.get_by_role("navigation", name="Outcome"), page.locator("#runs tbody .badge")
    expect(shown).to_have_text(["partial", "succeeded", "succeeded"])
    outcomes.get_by_role("link", name="succeeded").click()
    expect(shown).to_have_text(["succeeded", "succeeded"])
    outcomes.get_by_role("link", name="partial").press("Enter")
    expect(shown).to_have_text(["partial"])
    outcomes.get_by_role("link", name="failed").press("Enter")
    expect(page.get_by_text("No run was failed.")).to_be_visible()
    page.go_back()
    expect(shown).to_have_text(["partial"])
    outcomes.get_by_role("link", name="all").click()
    expect(shown).to_have_count(3)
    expect(page.locator(".durations rect")).to_have_count(3)
    assert page.evaluate("window.same") is True


def test_a_run_leads_from_the_cell_to_the_number_and_to_what_is_to_be_mended(busy: Service, opened: Opening) -> None:
    page = go(opened(busy.url, token=TOKEN), "Runs")
    page.locator("#runs tbody a").first.click()
    page.get_by_role("heading", level=1, name=re.compile("^Run .* partial$")).wait_for()
    gone = page.locator("#results tbody tr", has_text="Gone")
    expect(gone.locator(".badge")).to_have_text("failed")
    change = page.locator("#changes tbody tr", has_text="tab0.account5")
    expect(change).to_contain_text(
        re.compile(r"tab0\.account5\s*Beauty & Friends\s*followers\s*100,000\s*9,000,000\s*the Sheet")
    )
    assert change.get_by_role("link", name=f"{TROUBLED}!B7 in the Sheet").get_attribute("href") == (
        f"https://docs.google.com/spreadsheets/d/{BOOK_ID}/edit#gid=0&range=B7"
    )
    page.locator("#results tbody tr", has_text=TROUBLED).get_by_role("link", name=re.compile(r"^\d+$")).press("Enter")
    expect(page.get_by_role("link", name=f"{TROUBLED}!B5 in the Sheet").first).to_be_in_viewport()
    change.get_by_role("link", name="tab0.account5").press("Enter")
    expect(page).to_have_url(re.compile(r"/accounts/6#followers$"))
    expect(page.locator("#followers")).to_be_in_viewport()


@pytest.fixture
def told(book: Google, httpserver: HTTPServer, tmp_path: Path) -> Iterator[Service]:
    """A service that has something to tell, and somebody to tell it to."""
    httpserver.expect_request("/hook").respond_with_data(status=204)
    env = {"SMART_SYNC_WEBHOOK_URL": httpserver.url_for("/hook"), "SMART_SYNC_WEBHOOK_SECRET": SECRET}
    env |= {"SMART_SYNC_ALLOW_PRIVATE_TARGETS": "true"}
    book.tab("Gone", 2, 700)
    with serving(tmp_path / "told", book, env=env) as running:
        assert running.sync().status == 200
        book.drop("Gone")
        running.sync()
        yield running


def test_an_alert_is_acknowledged_muted_and_told_again(told: Service, opened: Opening) -> None:
    page = go(opened(told.url, token=TOKEN), "Alerts")
    count = page.get_by_role("navigation", name="Pages").get_by_role("link", name="Alerts 1")
    expect(count).to_be_visible()
    alert = page.locator(".alerts li", has_text="Gone: a tab or column has gone")
    alert.get_by_role("button", name=re.compile("^Mute: Gone")).press("Enter")
    expect(alert).to_contain_text("muted")
    muted = page.get_by_role("region", name="Muted 1")
    expect(muted).to_contain_text(re.compile(r"of Gone ends in 11 h"))
    muted.get_by_role("button", name=re.compile("^Unmute")).click()
    expect(page.get_by_text("Nothing is muted.")).to_be_visible()
    alert.get_by_label("How long to mute").select_option("until taken back")
    alert.get_by_role("button", name=re.compile("^Mute")).click()
    expect(page.get_by_role("region", name="Muted 1")).to_contain_text("until taken back")

    alert.get_by_role("button", name=re.compile("^Acknowledge: Gone")).press("Enter")
    expect(alert).to_contain_text("Acknowledged by page just now")
    expect(count).to_have_count(0)
    assert told.rows("SELECT acknowledged_by FROM alerts") == ["page"]


def test_an_alert_that_is_over_stands_below_without_a_reload(told: Service, book: Google, opened: Opening) -> None:
    page = go(opened(told.url, token=TOKEN), "Alerts")
    page.evaluate("window.same = true")
    expect(page.get_by_role("heading", name="Open 1")).to_be_visible()
    book.tab("Gone", 2, 700)
    assert told.sync().status == 200

    expect(page.locator("#open")).to_contain_text("not so any more just now, it ends if that stays")
    write(told, "UPDATE alerts SET calm_since = '2026-01-01 00:00:00'")
    assert told.sync().status == 200
    expect(page.get_by_role("heading", name="Open 0")).to_be_visible()
    expect(page.locator("#ended tbody tr")).to_contain_text("Gone: a tab or column has gone")
    expect(page.get_by_role("navigation", name="Pages").get_by_role("link", name="Alerts", exact=True)).to_be_visible()
    assert page.evaluate("window.same") is True


def test_a_number_that_is_watched_turns_red_until_somebody_knows(
    service: Service, book: Google, opened: Opening
) -> None:
    page = go(opened(service.url, token=TOKEN), "Alerts")
    page.get_by_label("Metric").select_option("followers")
    page.get_by_label("How", exact=True).select_option("reach")
    page.get_by_role("textbox", name="Number").fill("1,500")
    page.get_by_role("textbox", name="Number").press("Enter")
    expect(page.get_by_role("region", name="Watched numbers 1")).to_contain_text("followers in total above 1,500")
    book.tab("Project A", 3, 600)
    assert service.sync().status == 200

    to_project(go(page, "Projects"), "Project A")
    crossed = page.locator(".tiles .crossed")
    expect(crossed).to_have_text("1,800")
    page.get_by_role("button", name=re.compile("^Acknowledge: followers")).press("Enter")
    expect(crossed).to_have_count(0)
    go(page, "Alerts").get_by_role("button", name="Stop watching followers of Project A").press("Enter")
    expect(page.get_by_role("region", name="Watched numbers 0")).to_be_visible()


def test_a_test_is_sent_and_its_arrival_is_said(told: Service, httpserver: HTTPServer, opened: Opening) -> None:
    page = go(opened(told.url, token=TOKEN), "Alerts")
    page.get_by_role("button", name="Send a test").press("Enter")
    expect(page.get_by_role("status").filter(has_text="the test arrived")).to_be_visible()

    assert any(b"test" in request.get_data() for request, _ in httpserver.log)


def test_an_examination_says_what_to_mend(told: Service, book: Google, opened: Opening) -> None:
    page = go(opened(told.url, token=TOKEN), "Set-up")
    page.get_by_role("button", name="Examine everything").press("Enter")
    findings = page.get_by_role("status").get_by_role("listitem")
    findings.first.wait_for()

    words = findings.all_inner_texts()
    assert any("sheet Accounts: can be read" in one for one in words)
    assert words[0].startswith("mend\nproject Gone: its tab 'Gone' has gone from the spreadsheet\nrestore the tab, or ")
    assert [re.split(r"\s", one, maxsplit=1)[0] for one in words] == sorted(
        (re.split(r"\s", one, maxsplit=1)[0] for one in words), key=["mend", "look", "ok"].index
    )
    assert told.rows("SELECT count(*) FROM sync_runs") == [2]


def test_what_to_paste_is_chosen_copied_and_runs_with_the_address_of_the_service(
    service: Service, opened: Opening
) -> None:
    page = opened(service.url, token=TOKEN, permissions=["clipboard-read", "clipboard-write"])
    go(page, "Set-up")
    page.get_by_label("Caller").select_option("github-actions")
    page.get_by_label("Address of this service").fill("https://sync.example.com")
    page.get_by_label("Address of this service").press("Enter")
    snippet = page.locator("#snippet")
    expect(snippet).to_contain_text("https://sync.example.com/api/admin/smart_sync?due=true")
    copy = page.get_by_role("button", name="Copy")
    for key in ("Enter", "Space"):
        page.evaluate("navigator.clipboard.writeText('')")
        copy.press(key)
        expect(page.locator("#said")).to_have_text("That is copied.")
        assert page.evaluate("navigator.clipboard.readText()") == snippet.inner_text()


def test_the_description_of_the_api_is_one_click_away(service: Service, opened: Opening) -> None:
    page = go(opened(service.url, token=TOKEN), "Set-up")
    page.get_by_role("link", name="All addresses of the API").click()
    expect(page).to_have_url(f"{service.url}/docs")
    expect(page.get_by_text("/api/admin/smart_sync", exact=True).first).to_be_visible()
