"""The first page of the morning: what failed, what needs a hand, and how much everything grew."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e.browser.conftest import TROUBLED, Opening
from tests.e2e.harness import TOKEN, Service


def names(page: Page) -> list[str]:
    return page.locator("#cards h3").all_inner_texts()


def test_what_failed_is_red_comes_first_and_is_counted(busy: Service, opened: Opening) -> None:
    page = opened(busy.url, token=TOKEN)
    assert names(page) == ["Gone", TROUBLED, "Street Food"]

    expect(page.locator(".standing")).to_have_text("1 of 3 projects failed, 1 needs a hand")
    failed = page.locator(".card.failed")
    expect(failed.locator(".badge").first).to_have_text("failed")
    expect(failed).to_contain_text("the tab 'Gone' has gone from the spreadsheet 'Accounts'")
    red = "(one) => getComputedStyle(one).backgroundColor"
    assert failed.locator(".badge").first.evaluate(red) != page.locator(".badge.fresh").first.evaluate(red)
    todo = page.locator(".card").nth(1).locator(".todo a")
    expect(todo).to_have_text(["1 alert", "1 problem", "1 held value", "1 in doubt"])
    page.get_by_role("link", name="1 held value").click()
    expect(page).to_have_url(re.compile(r"/projects/[\w-]+#held$"))
    page.go_back()
    page.get_by_role("link", name="Gone", exact=True).click()
    expect(page.locator("h1 .badge")).to_have_text("failed")
    expect(page.get_by_text("Nothing in the Sheet needs a hand.")).to_have_count(0)


def test_projects_are_filtered_by_what_they_need_and_by_name(busy: Service, opened: Opening) -> None:
    page = opened(busy.url, token=TOKEN)
    page.evaluate("window.same = true")
    shown = page.get_by_role("navigation", name="Projects shown")
    shown.get_by_role("link", name="Failed 1").click()
    expect(page.locator("#cards h3")).to_have_text(["Gone"])
    shown.get_by_role("link", name="Need a hand 1").press("Enter")
    expect(page.locator("#cards h3")).to_have_text([TROUBLED])
    shown.get_by_role("link", name="All 3").press("Enter")
    expect(page.locator("#cards h3")).to_have_count(3)

    find = page.get_by_role("searchbox", name="Find projects")
    find.fill("street")
    find.press("Enter")
    expect(page.locator("#cards h3")).to_have_text(["Street Food"])
    find.fill("nobody")
    find.press("Enter")
    expect(page.get_by_text("No project fits.")).to_be_visible()
    page.get_by_role("link", name="Show all").click()
    expect(page.locator("#cards h3")).to_have_count(3)
    assert page.evaluate("window.same") is True


def test_projects_are_sorted(busy: Service, opened: Opening) -> None:
    page = opened(busy.url, token=TOKEN)
    for option, order in {
        "by name": [TROUBLED, "Gone", "Street Food"],
        "by views": [TROUBLED, "Street Food", "Gone"],
        "by what needs somebody": ["Gone", TROUBLED, "Street Food"],
    }.items():
        page.get_by_label("Sort by").select_option(option)
        expect(page.locator("#cards h3")).to_have_text(order)
    page.get_by_label("Sort by").focus()
    for order in ([TROUBLED, "Gone", "Street Food"], [TROUBLED, "Street Food", "Gone"]):
        page.keyboard.press("ArrowDown")
        expect(page.locator("#cards h3")).to_have_text(order)
        expect(page.get_by_label("Sort by")).to_be_focused()


def test_everything_together_is_looked_at_over_days_and_compared(busy: Service, opened: Opening) -> None:
    page = opened(busy.url, token=TOKEN)
    cards = page.locator("#cards data")
    shown = [int(one.get_attribute("value") or 0) for one in cards.all()]
    whole = page.locator("#tiles li", has_text="views").locator("data")
    assert whole.get_attribute("value") == str(sum(shown)) == str(12_000_000 + 150_000 + 21_000)

    compared = page.locator(".compared")
    expect(compared).to_have_text(re.compile(r"^\+[\d.]+M from \d+ \w+ to \d+ \w+$"))  # 40 days: no 29 before these
    page.get_by_role("link", name="7 d", exact=True).click()
    expect(page.get_by_role("heading", name="Views, 7 days")).to_be_visible()
    expect(compared).to_have_text(re.compile(r"^\+.* \d+ % (more|less) than in the 6 days before \(\+[\d.]+K?M?\)$"))
    page.get_by_role("link", name=re.compile("^followers")).press("Enter")
    expect(page.get_by_role("heading", name="Followers, 7 days")).to_be_visible()
    page.get_by_role("link", name="365 d", exact=True).press("Enter")
    expect(page.get_by_role("heading", name=re.compile(r"^Followers, 365 days since \d+ \w+ \d{4}$"))).to_be_visible()


def test_when_it_was_synced_and_will_be_is_said(busy: Service, opened: Opening) -> None:
    page = opened(busy.url, token=TOKEN)
    head = page.locator("#home-head")
    expect(head).to_contain_text(
        re.compile(r"3 projects, 18 accounts\. Last checked .*\. Next sync (in \d+ min|due now)\.")
    )
    expect(head).to_contain_text(re.compile(r"Latest sync .* partial: 2 projects done, 1 failed"))
    head.get_by_role("link").click()
    expect(page.get_by_role("heading", name=re.compile("^Run "))).to_be_visible()
