"""The dashboard as people meet it: in a browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.dashboard.filled import TOKEN
from tests.e2e.browser.conftest import PHONE, READ, Opening, Watched, to_project, write
from tests.e2e.browser.looking import barriers
from tests.e2e.harness import TOKEN as SERVICE_TOKEN
from tests.e2e.harness import Service
from webapp.access import COOKIE

MARKUP = "<img src=x onerror=alert(1)>"


def addresses(page: Page) -> list[str]:
    """Every kind of page."""
    to_project(page)
    project = page.url
    page.goto(re.sub(r"/projects/.*", "/runs", project))
    run = page.locator("tbody a").first.get_attribute("href")
    base = project.split("/projects/")[0]
    return [
        f"{base}/",
        project,
        f"{base}/accounts/2",
        f"{base}/runs",
        f"{base}{run}",
        f"{base}/alerts",
        f"{base}/projects/none",
    ]


def test_somebody_signs_in_looks_around_and_signs_out(site: Service, opened: Opening, watched: Watched) -> None:
    watched.expected.append("401")
    page = opened(f"{site.url}/runs", token=None)
    page.get_by_label("Token").fill("not-a-token")
    with page.expect_response(lambda answer: answer.status == 401):
        page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("This is none of the tokens of this service.")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Runs").wait_for()

    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in").wait_for()
    page.goto(f"{site.url}/")

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_cell_of_a_file_is_copied_with_a_click(site: Service, opened: Opening) -> None:
    page = to_project(opened(site.url, token=TOKEN, permissions=["clipboard-read", "clipboard-write"]))
    cell = page.locator("#problems [data-copy]").first
    words = cell.inner_text()
    cell.click()

    expect(page.locator("#said")).to_have_text(f"{words} is copied.")
    assert page.evaluate("navigator.clipboard.readText()") == words


def test_accounts_are_sorted_and_filtered_in_place(site: Service, opened: Opening) -> None:
    page = to_project(opened(site.url, token=TOKEN))
    page.evaluate("window.same = true")
    names = page.locator(".accounts tbody th a")
    expect(names).to_have_count(8)

    page.get_by_label("Platform", exact=True).select_option("instagram")
    expect(names).to_have_count(2)
    page.get_by_role("link", name="Account", exact=True).click()
    expect(page).to_have_url(re.compile("sort=username"))
    page.go_back()
    page.go_back()

    expect(names).to_have_count(8)
    assert page.evaluate("window.same") is True


def test_who_reads_has_no_buttons(site: Service, opened: Opening) -> None:
    page = opened(site.url, token=READ)

    expect(page.get_by_role("button")).to_have_text(["Sign out"])
    to_project(page)
    expect(page.get_by_role("button")).to_have_text(["Sign out", "Show", "Filter"])


def test_how_often_a_project_is_synced_by_itself_is_saved_at_once(service: Service, opened: Opening) -> None:
    page = to_project(opened(service.url, token=SERVICE_TOKEN), "Project A")
    page.evaluate("window.same = true")
    switch, interval, upcoming = scheduled(page)
    expect(upcoming).to_have_text(re.compile(r"^Next sync in \d\d minutes$"))
    expect(page.get_by_role("button", name="Save")).to_have_count(0)

    interval.focus()
    interval.select_option("every 4 hours")
    expect(upcoming).to_have_text("Next sync in 3 hours")
    expect(interval).to_be_focused()
    expect(page.locator("#said")).to_have_text("Saved. Next sync in 3 hours.")
    switch.press("Space")
    expect(upcoming).to_have_text("Not synced by itself")
    assert page.evaluate("window.same") is True
    page.reload()

    expect(switch).not_to_be_checked()
    expect(interval).to_have_value("240")
    assert service.rows("SELECT auto_sync, interval_minutes FROM projects") == [(0, 240)]


def test_a_schedule_that_is_refused_is_put_back_and_told(service: Service, opened: Opening, watched: Watched) -> None:
    watched.expected.append("404")
    page = to_project(opened(service.url, token=SERVICE_TOKEN), "Project A")
    switch, _, _ = scheduled(page)
    page.route("**/auto_sync", lambda route: route.fulfill(status=404, json={"detail": "there is no such project"}))
    switch.press("Space")

    expect(page.locator("#offline")).to_have_text("there is no such project")
    expect(switch).to_be_checked()


def test_a_schedule_is_saved_without_scripts(service: Service, opened: Opening) -> None:
    page = to_project(opened(service.url, token=SERVICE_TOKEN, java_script_enabled=False), "Project A")
    switch, interval, upcoming = scheduled(page)
    interval.select_option("every day")
    page.get_by_role("button", name="Save").click()
    expect(upcoming).to_have_text("Next sync in 23 hours")
    switch.uncheck()
    page.get_by_role("button", name="Save").click()
    expect(upcoming).to_have_text("Not synced by itself")

    expect(switch).not_to_be_checked()
    expect(interval).to_have_value("1440")


def scheduled(page: Page) -> tuple[Locator, Locator, Locator]:
    """The switch, the interval, and what is said of the next sync."""
    form = page.locator("[data-auto-sync]")
    return form.get_by_role("switch", name="Auto-sync"), form.get_by_label("Interval"), form.locator(".next")


def test_markup_from_a_sheet_is_shown_and_not_run(service: Service, opened: Opening) -> None:
    write(service, "UPDATE accounts SET username = ?, topic = ?", MARKUP, MARKUP)
    write(service, "UPDATE projects SET name = ?", MARKUP)
    page = opened(service.url, token=SERVICE_TOKEN)
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))

    to_project(page, MARKUP)
    page.get_by_label("Topic", exact=True).select_option(MARKUP)
    expect(page.get_by_role("link", name=MARKUP)).to_have_count(4)  # three accounts and their topic
    page.get_by_role("link", name=MARKUP).last.click()

    expect(page.get_by_role("heading", level=1, name=MARKUP)).to_be_visible()
    assert page.locator("img").count() == 0


def test_a_session_that_has_ended_leads_to_sign_in_and_back(site: Service, opened: Opening) -> None:
    page = to_project(opened(site.url, token=TOKEN))
    value = next(str(cookie["value"]) for cookie in page.context.cookies())
    ended = re.sub(r"\.\d+\.", ".1.", value)
    page.context.add_cookies([{"name": COOKIE, "value": ended, "url": site.url}])
    page.get_by_role("link", name="7 d", exact=True).click()

    expect(page.get_by_role("alert")).to_have_text("Your session has ended. Sign in again.")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Views, 7 days")).to_be_visible()


def test_a_service_out_of_reach_is_told_and_the_numbers_stay(site: Service, opened: Opening, watched: Watched) -> None:
    watched.expected.append("ERR_INTERNET_DISCONNECTED")
    page = to_project(opened(site.url, token=TOKEN))
    page.context.set_offline(True)

    expect(page.get_by_text("You are offline.")).to_be_visible()
    page.get_by_role("link", name="7 d", exact=True).click()
    expect(page.get_by_text("cannot be reached")).to_be_visible()
    expect(page.get_by_role("heading", name="Views, 30 days")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator("#offline")).to_be_hidden()


def test_a_phone_shows_every_page_without_scrolling_sideways(site: Service, opened: Opening) -> None:
    page = opened(site.url, token=TOKEN, **PHONE)
    for address in addresses(page)[:-1]:
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") == 360, address


def test_times_are_said_in_the_viewer_s_zone_with_utc_beside_it(site: Service, opened: Opening) -> None:
    page = opened(site.url, token=TOKEN, timezone_id="Asia/Tokyo", locale="en-GB")

    expect(page.locator("time").first).to_have_attribute("title", re.compile(r" here, \d+ \w+ \d{4}, \d\d:\d\d UTC$"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_keeps_anybody_out(site: Service, opened: Opening, watched: Watched, theme: str) -> None:
    watched.expected.append("404")  # the page that is not there
    out = opened(f"{site.url}/sign-in", token=None, color_scheme=theme)
    assert barriers(out) == []
    page = opened(site.url, token=TOKEN, color_scheme=theme)
    for address in addresses(page):
        page.goto(address)
        for twin in page.locator("summary").all():
            twin.click()
        assert barriers(page) == [], address


def test_every_page_is_complete_without_scripts(site: Service, opened: Opening) -> None:
    page = opened(site.url, token=TOKEN, java_script_enabled=False)
    for address in addresses(page)[:-1]:
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator("main")).not_to_be_empty()
    page.goto(site.url)
    to_project(page)
    page.get_by_role("link", name="7 d", exact=True).click()
    expect(page.get_by_role("heading", name="Views, 7 days")).to_be_visible()
    page.get_by_role("searchbox").fill("dana")
    page.get_by_role("button", name="Filter").click()

    expect(page.locator(".accounts tbody tr")).to_have_count(2)
