"""What people do on the page of an account, with the mouse and with the keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.browser.conftest import TROUBLED, Opening, fill_busy, hold, to_project
from tests.e2e.google import BOOK_ID, Google
from tests.e2e.harness import TOKEN, Service

Hand = Callable[[Locator], None]


def click(button: Locator) -> None:
    button.click()


def press(button: Locator) -> None:
    """With the Tab key to it, and Enter: no pointer has a part in it."""
    reach(button)
    button.page.keyboard.press("Enter")


def reach(control: Locator) -> None:
    """Press Tab until it has the focus."""
    for _ in range(200):
        if control.evaluate("(one) => one === document.activeElement"):
            return
        control.page.keyboard.press("Tab")
    pytest.fail(f"Tab never comes to {control}")


@pytest.fixture(params=[click, press], ids=["mouse", "keyboard"])
def hand(request: pytest.FixtureRequest) -> Hand:
    found: Hand = request.param
    return found


def account(page: Page, service: Service, number: int = 1) -> Page:
    page.goto(f"{service.url}/accounts/{number}")
    return page


@pytest.mark.parametrize("verb", ["Accept", "Reject"])
def test_a_held_value_is_decided_where_it_is_explained(
    service: Service, opened: Opening, hand: Hand, verb: str
) -> None:
    hold(service)
    page = account(opened(service.url, token=TOKEN), service)
    waiting = page.locator("#views")
    expect(waiting).to_contain_text("999,999 waits")
    hand(waiting.get_by_role("button", name=f"{verb} views 999,999"))

    expect(waiting).to_contain_text(f"{verb}ed 999,999")
    assert service.rows("SELECT state FROM held_observations") == [f"{verb.lower()}ed"]
    if verb == "Reject":
        hand(waiting.get_by_role("button", name="Accept views 999,999"))
        expect(waiting).to_contain_text("Accepted 999,999")
        assert service.rows("SELECT state FROM held_observations") == ["accepted"]


def test_a_value_in_doubt_is_accepted(service: Service, book: Google, opened: Opening, hand: Hand) -> None:
    fill_busy(service, book)
    page = to_project(opened(service.url, token=TOKEN), TROUBLED)
    doubts = page.locator("#doubts")
    expect(doubts).to_contain_text("9,000,000 after 100,000")
    hand(doubts.get_by_role("button", name=re.compile("^Accept followers 9,000,000")))

    expect(page.get_by_role("heading", level=3, name="Followers 9,000,000")).to_be_visible()
    assert service.rows("SELECT count(*) FROM doubts WHERE state = 'standing'") == [0]


def test_a_metric_is_pinned_until_a_day_and_unpinned(
    service: Service, book: Google, opened: Opening, hand: Hand
) -> None:
    page = account(opened(service.url, token=TOKEN), service)
    views = page.locator("#views")
    hand(views.locator("summary"))
    views.get_by_role("textbox", name="Views").fill("4 000")
    views.get_by_label("Until").fill("2099-12-31")
    views.get_by_label("Why").fill("counted by hand")
    hand(views.get_by_role("button", name="Pin views to this value"))

    expect(views).to_contain_text("Pin 4,000 until 2100-01-01 00:00 UTC counted by hand from the next sync on")
    assert service.sync().status == 200
    expect(views.get_by_role("heading")).to_have_text("Views 4,000")
    expect(views).to_contain_text("From a pin")
    hand(views.get_by_role("button", name="Unpin views"))
    expect(views).not_to_contain_text("counted by hand")
    assert service.rows("SELECT metric FROM pins") == []


def test_an_account_is_switched_off_and_on_again(service: Service, opened: Opening, hand: Hand) -> None:
    page = account(opened(service.url, token=TOKEN), service)
    mode, save = page.get_by_label("Mode"), page.locator("#change").get_by_role("button", name="Save")
    choose(mode, "off: shown, in no sum", hand)
    hand(save)

    expect(page.get_by_text("Mode off: shown, but not synced and in no sum.")).to_be_visible()
    page.get_by_role("link", name="Project A", exact=True).click()
    row = page.locator(".accounts tbody tr", has_text="tab0.account0")
    expect(row.locator(".badge")).to_have_text("off")
    expect(page.get_by_role("link", name=re.compile("^followers"))).to_contain_text("200")  # of three with 100 each
    account(page, service)
    choose(mode, "as the Status column says", hand)
    hand(save)
    expect(page.get_by_text("Mode off")).to_have_count(0)
    assert service.rows("SELECT mode FROM accounts") == ["auto"] * 3


def choose(select: Locator, option: str, hand: Hand) -> None:
    """An option; by its first letter, as a keyboard does."""
    if hand is click:
        select.select_option(option)
    else:
        reach(select)
        select.page.keyboard.type(option[:5])
    expect(select.locator("option:checked")).to_have_text(option)


def test_an_address_is_corrected_and_the_former_one_dropped(service: Service, opened: Opening, hand: Hand) -> None:
    page = account(opened(service.url, token=TOKEN), service)
    address = page.get_by_label("Profile address", exact=True)
    address.fill("https://www.tiktok.com/@mira.glow")
    page.locator("#url-note").fill("misspelt")
    hand(page.get_by_role("button", name="Correct", exact=True))

    expect(page.get_by_role("link", name="https://www.tiktok.com/@mira.glow")).to_be_visible()
    drop = page.get_by_role("button", name=re.compile("^Let .* mean nobody$"))
    hand(drop)
    expect(drop).to_have_count(0)


def test_an_account_is_merged_into_another_once_somebody_means_it(
    service: Service, opened: Opening, hand: Hand
) -> None:
    page = account(opened(service.url, token=TOKEN), service)
    page.get_by_label("Profile address or number of the one that goes on").fill("https://www.tiktok.com/@tab0.account1")
    merge = page.get_by_role("button", name="Merge")
    hand(merge)
    sure = page.get_by_label("It cannot be taken back")
    assert sure.evaluate("(one) => one.validity.valueMissing")
    expect(sure).to_be_focused()
    assert service.rows("SELECT id FROM accounts ORDER BY id") == [1, 2, 3]
    if hand is click:
        sure.check()
    else:
        page.keyboard.press("Space")
    hand(merge)

    expect(page.get_by_role("heading", level=1, name="tab0.account1")).to_be_visible()
    expect(page).to_have_url(f"{service.url}/accounts/2")
    assert service.rows("SELECT id FROM accounts ORDER BY id") == [2, 3]


def test_a_day_is_corrected(service: Service, opened: Opening, hand: Hand) -> None:
    page = account(opened(service.url, token=TOKEN), service)
    (day,) = service.rows("SELECT day FROM account_snapshots WHERE account_id = 1")
    page.get_by_label("Day (UTC)").fill(day)
    page.get_by_label("Count (blank: not observed)").fill("777")
    page.locator("#day-note").fill("a slip")
    hand(page.get_by_role("button", name="Correct the day"))

    hand(page.locator("summary", has_text="Every day as a table"))
    expect(page.get_by_role("row", name=f"{day} 777", exact=False)).to_be_visible()
    assert service.rows("SELECT views FROM account_snapshots WHERE account_id = 1") == [777]


def test_an_account_is_removed_and_brought_back(service: Service, opened: Opening, hand: Hand) -> None:
    page = account(opened(service.url, token=TOKEN), service)
    sure = page.get_by_label("Take it out of Project A")
    if hand is click:
        sure.check()
    else:
        reach(sure)
        page.keyboard.press("Space")
    hand(page.get_by_role("button", name="Remove"))
    expect(page.get_by_text("No longer in the project; its history stays.")).to_be_visible()
    hand(page.get_by_role("button", name="Bring it back"))

    expect(page.get_by_text("No longer in the project")).to_have_count(0)
    assert service.rows("SELECT count(*) FROM accounts WHERE removed_at IS NULL") == [3]


def test_the_cell_of_a_problem_opens_in_the_sheet_with_one_click(
    service: Service, book: Google, opened: Opening
) -> None:
    book.put("Project A", 3, "12 or 13")
    assert service.sync().status == 200
    page = to_project(opened(service.url, token=TOKEN), "Project A")
    asked: list[str] = []

    def stop(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(body="the Sheet", content_type="text/html")

    page.context.route("https://docs.google.com/**", stop)
    for hand in (click, press):
        with page.context.expect_page() as opening:
            hand(page.locator("#problems").get_by_role("link", name="Project A!B3 in the Sheet, in a new tab"))
        sheet = opening.value
        expect(sheet.get_by_text("the Sheet")).to_be_visible()
        assert sheet.evaluate("window.opener") is None
        sheet.close()

    edit = f"https://docs.google.com/spreadsheets/d/{BOOK_ID}/edit"
    assert {url.partition("#")[0] for url in asked} == {edit}
    account(page, service, 2)
    for cell in ("B3", "C3"):
        links = page.get_by_role("link", name=f"Project A!{cell} in the Sheet")
        assert links.first.get_attribute("href") == f"{edit}#gid=0&range={cell}"


def test_an_account_in_trouble_says_what_is_current_and_what_waits(busy: Service, opened: Opening) -> None:
    page = account(opened(busy.url, token=TOKEN), busy, 2)
    views = page.locator("#views")
    expect(views.get_by_role("heading")).to_have_text("Views 1,000,000")
    expect(views).to_contain_text(
        "412,090,000 from instagram waits, held 3 h ago: it is far off the last good 1,000,000"
    )
    account(page, busy, 4)
    followers = page.locator("#followers")
    expect(followers).to_contain_text("could not be read: '12 or 13' is not a count")
    expect(followers).not_to_contain_text("Nobody observed it")
