"""What others start and change reaches every open page, and disturbs nobody who is at work on it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser.conftest import READ, Opening, Watched, to_project
from tests.e2e.browser.looking import barriers
from tests.e2e.google import Google
from tests.e2e.harness import TOKEN, Service, serving


def test_progress_is_shown_wherever_the_run_is_and_numbers_change_without_a_reload(
    service: Service, book: Google, opened: Opening
) -> None:
    page = opened(service.url, token=TOKEN)
    page.evaluate("window.same = true")
    card = page.locator(".card", has_text="Project A")
    expect(card.locator(".facts dd").first).to_have_text("300")
    book.tab("Project A", 3, 500)

    with book.gate() as gate:
        triggered = service.sync_later(run_async=True)
        gate.wait()
        page.goto(f"{service.url}/runs")
        page.goto(service.url)
        page.evaluate("window.same = true")
        expect(page.get_by_role("progressbar")).to_be_visible()
        expect(page.get_by_role("button", name="Sync all")).to_be_disabled()
        assert barriers(page) == []
        expect(card.locator(".badge")).to_have_text("syncing")
    assert triggered.result().status == 202

    expect(card.locator(".facts dd").first).to_have_text("1,500")
    expect(page.get_by_role("button", name="Sync all")).to_be_enabled()
    assert page.evaluate("window.same") is True


def test_what_somebody_else_starts_and_changes_is_seen_without_a_reload(
    service: Service, book: Google, opened: Opening
) -> None:
    mine, others = opened(service.url, token=TOKEN), opened(service.url, token=TOKEN)
    others.evaluate("window.same = true")
    with others.expect_response("**/pulse"):
        pass
    book.tab("Project A", 3, 700)

    with book.gate() as gate:
        mine.get_by_role("button", name="Sync all").click()
        gate.wait()
        expect(others.get_by_role("progressbar")).to_be_visible()
    card = others.locator(".card", has_text="Project A")
    expect(card.locator(".facts dd").first).to_have_text("2,100")

    assert others.evaluate("window.same") is True


def test_refresh_syncs_one_project_and_shows_its_new_numbers(service: Service, book: Google, opened: Opening) -> None:
    page = to_project(opened(service.url, token=TOKEN), "Project A")
    page.evaluate("window.same = true")
    book.put("Project A", 2, 4_321)
    page.get_by_role("button", name="Refresh").click()

    expect(page.get_by_role("cell", name="4,321", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Refresh")).to_be_enabled()
    assert page.evaluate("window.same") is True


def test_what_a_sync_of_everything_came_to_is_said(service: Service, book: Google, opened: Opening) -> None:
    page = opened(service.url, token=TOKEN)
    book.put("Project A", 2, 4_321)
    page.get_by_role("button", name="Sync all").click()

    expect(page.locator("#said")).to_have_text(re.compile(r"^Latest sync .* succeeded: 1 project done, 0 failed"))


@pytest.fixture
def others(service: Service, opened: Opening) -> dict[str, Page]:
    """Somebody else's browser, with a page of each kind open that numbers or runs are on."""
    first = to_project(opened(service.url, token=TOKEN), "Project A")
    found = {"project": first}
    for name, path in (("home", "/"), ("runs", "/runs"), ("account", "/accounts/1")):
        found[name] = first.context.new_page()
        found[name].goto(service.url + path)
    for page in found.values():
        page.evaluate("window.same = true")
        with page.expect_response("**/pulse"):
            pass
    return found


def test_what_one_starts_others_see_on_every_page(
    service: Service, book: Google, opened: Opening, others: dict[str, Page]
) -> None:
    mine = opened(service.url, token=TOKEN)
    book.tab("Project A", 3, 700)
    with book.gate() as gate:
        mine.get_by_role("button", name="Sync all").click()
        gate.wait()
        expect(others["home"].get_by_role("progressbar")).to_be_visible()
        expect(others["project"].get_by_role("progressbar")).to_be_visible()
        expect(others["project"].get_by_role("button", name="Refresh")).to_be_disabled()
        expect(others["runs"].locator("tbody .badge").first).to_have_text("running")
    expect(others["home"].locator(".card .facts dd").first).to_have_text("2,100")
    expect(others["project"].get_by_role("link", name=re.compile("^followers 2,100"))).to_be_visible()
    expect(others["account"].get_by_role("link", name=re.compile("^followers 700"))).to_be_visible()
    expect(others["account"].locator("#followers h3")).to_have_text("Followers 700")
    expect(others["runs"].locator("tbody .badge").first).to_have_text("succeeded")

    assert all(page.evaluate("window.same") for page in others.values())


def test_a_change_of_somebody_else_s_is_seen_too(service: Service, opened: Opening, others: dict[str, Page]) -> None:
    mine = to_project(opened(service.url, token=TOKEN), "Project A")
    mine.get_by_role("switch", name="Auto-sync").press("Space")
    expect(mine.get_by_text("Not synced by itself", exact=True)).to_be_visible()

    expect(others["project"].get_by_text("Not synced by itself", exact=True)).to_be_visible()
    expect(others["home"].get_by_text("auto-sync is off")).to_be_visible()
    assert others["project"].evaluate("window.same") is True


@pytest.mark.parametrize("selector", ["summary", "#accounts .scroll", "#accounts thead a", "[type=range]"])
def test_the_focus_stays_where_it_is_when_numbers_change(
    service: Service, book: Google, opened: Opening, selector: str
) -> None:
    page = to_project(opened(service.url, token=TOKEN), "Project A")
    control = page.locator(selector).first
    control.focus()
    if selector == "[type=range]":
        page.keyboard.press("Home")
    before = day_of(control)
    control.evaluate("(one) => { one.old = true }")
    book.tab("Project A", 3, 700)
    assert service.sync().status == 200
    expect(page.get_by_role("link", name=re.compile("^followers 2,100"))).to_be_visible()

    expect(control).to_be_focused()
    assert control.evaluate("(one) => one.old") is None
    assert day_of(control) == before


def day_of(control: Locator) -> str:
    """The day that a chart is read at; nothing of another control."""
    return (control.get_attribute("aria-valuetext") or "").partition(":")[0]


def test_what_is_typed_and_not_sent_stays_when_numbers_change(service: Service, book: Google, opened: Opening) -> None:
    page = opened(service.url, token=TOKEN)
    page.goto(f"{service.url}/accounts/1")
    views, likes = page.locator("#views"), page.locator("#likes")
    for metric in (views, likes):
        metric.locator("summary").click()
    views.get_by_role("textbox", name="Views").fill("4,000")
    likes.get_by_role("textbox", name="Likes").focus()
    book.tab("Project A", 3, 700)
    assert service.sync().status == 200
    expect(page.locator("#followers h3")).to_have_text("Followers 700")

    expect(page.get_by_role("link", name=re.compile("^views 7,000"))).to_be_visible()
    expect(views.get_by_role("textbox", name="Views")).to_have_value("4,000")
    expect(likes.get_by_role("textbox", name="Likes")).to_be_focused()


def test_a_page_without_a_stream_asks_and_sees_the_same(service: Service, book: Google, opened: Opening) -> None:
    page = opened(service.url, token=TOKEN)
    page.route("**/events", lambda route: route.fulfill(status=204))
    book.tab("Project A", 3, 700)
    with book.gate() as gate:
        page.get_by_role("button", name="Sync all").click()
        gate.wait()
        expect(page.locator(".run-words")).to_have_text(re.compile("^Read · 0 of 1"))

    expect(page.locator(".card .facts dd").first).to_have_text("2,100")


def test_who_only_reads_sees_progress_and_new_numbers_too(book: Google, opened: Opening, tmp_path: Path) -> None:
    with serving(tmp_path / "read", book, workers=2, env={"SMART_SYNC_READ_TOKEN": READ}) as running:
        assert running.sync().status == 200
        page = opened(running.url, token=READ)
        with page.expect_response("**/pulse"):
            pass
        book.tab("Project A", 3, 700)
        with book.gate() as gate:
            triggered = running.sync_later(run_async=True)
            gate.wait()
            expect(page.get_by_role("progressbar")).to_be_visible()
        assert triggered.result().status == 202

        expect(page.locator(".card .facts dd").first).to_have_text("2,100")
        expect(page.get_by_role("progressbar")).to_have_count(0)
        page.context.close()


def test_what_failed_is_said_after_a_sync_of_everything(service: Service, book: Google, opened: Opening) -> None:
    book.tab("Gone", 2, 700)
    assert service.sync().status == 200
    page = opened(service.url, token=TOKEN)
    book.drop("Gone")
    page.get_by_role("button", name="Sync all").click()

    expect(page.locator("#said")).to_have_text(re.compile(r"^Latest sync .* partial: 1 project done, 1 failed"))
    expect(page.locator(".standing")).to_have_text("1 of 2 projects failed")
    expect(page.locator("#cards h3").first).to_have_text("Gone")


def test_a_filter_that_is_typed_and_not_sent_stays_while_its_list_changes(
    service: Service, book: Google, opened: Opening
) -> None:
    page = to_project(opened(service.url, token=TOKEN), "Project A")
    day = page.locator("#from").input_value()[:-2] + "01"
    page.get_by_label("Find accounts").fill("account1")
    page.get_by_label("From").fill(day)
    page.get_by_role("heading", level=1).click()
    book.tab("Project A", 3, 700)
    assert service.sync().status == 200

    expect(page.locator("#accounts").get_by_role("link", name="700", exact=True).first).to_be_visible()
    expect(page.get_by_label("Find accounts")).to_have_value("account1")
    expect(page.get_by_label("From")).to_have_value(day)


def test_a_length_that_is_chosen_stays_while_the_alerts_change(service: Service, opened: Opening, book: Google) -> None:
    book.tab("Gone", 2, 700)
    assert service.sync().status == 200
    book.drop("Gone")
    service.sync()
    page = opened(service.url, token=TOKEN)
    page.goto(f"{service.url}/alerts")
    with page.expect_response("**/pulse"):
        pass
    page.get_by_label("How long to mute").select_option("2 weeks")
    page.get_by_role("heading", level=1).click()
    mine = opened(service.url, token=TOKEN)
    mine.goto(f"{service.url}/alerts")
    mine.get_by_role("button", name=re.compile("^Acknowledge")).click()

    expect(page.get_by_text("Acknowledged by")).to_be_visible()
    expect(page.get_by_label("How long to mute")).to_have_value("336")


def test_a_service_that_is_away_is_said_at_once_and_that_it_is_back(
    service: Service, opened: Opening, watched: Watched
) -> None:
    watched.expected.append("ERR_FAILED")
    page = opened(service.url, token=TOKEN)
    with page.expect_response("**/pulse"):
        pass
    page.route("**/pulse", lambda route: route.abort())
    expect(page.get_by_text("The service cannot be reached")).to_be_visible()
    page.unroute("**/pulse")

    expect(page.get_by_text("The service cannot be reached")).to_be_hidden(timeout=10_000)


def test_a_session_that_ends_in_another_tab_ends_here(service: Service, opened: Opening) -> None:
    page = to_project(opened(service.url, token=TOKEN), "Project A")
    with page.expect_response("**/pulse"):
        pass
    other = page.context.new_page()
    other.goto(service.url)
    other.get_by_role("button", name="Sign out").click()

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", level=1, name="Project A").wait_for()


def test_settings_that_somebody_else_changes_are_seen_and_not_put_back(service: Service, opened: Opening) -> None:
    page, other = (to_project(opened(service.url, token=TOKEN), "Project A") for _ in range(2))
    for one in (page, other):
        one.get_by_role("link", name="Settings").click()
        with one.expect_response("**/pulse"):
            pass
    page.get_by_label("Name", exact=True).fill("Ada")
    other.get_by_label("Target of views").fill("5,000")
    other.get_by_label("Target of views").press("Enter")
    expect(other.get_by_label("Target of views")).to_have_value("5,000")
    other.get_by_label("Every so many minutes").fill("90")
    other.get_by_label("Every so many minutes").press("Enter")

    expect(page.get_by_label("Every so many minutes")).to_have_value("90")
    page.get_by_label("Name", exact=True).press("Enter")
    expect(page.get_by_label("Target of views")).to_have_value("5,000")
    assert service.rows("SELECT name, target_views FROM projects") == [("Ada", 5000)]
