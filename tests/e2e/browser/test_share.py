"""The page that a share link opens, in the private window of somebody who has nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browser.addresses import addresses
from tests.e2e.browser.conftest import PHONE, Opening, Watched, to_project, write
from tests.e2e.browser.looking import barriers, faults, sticks_out
from tests.e2e.google import Google
from tests.e2e.harness import TOKEN, Service

# What is open to everybody, a link or not.
OPEN = {"/sign-in", "/sign-out", "/static/<name>", "/health", "/ready", "/openapi.json", "/docs"}


def test_a_share_link_opens_one_project_in_a_private_window_and_prints_on_one_page(
    service: Service, opened: Opening, watched: Watched
) -> None:
    page = to_project(opened(service.url, token=TOKEN), "Project A")
    page.get_by_role("link", name="Share").click()
    page.get_by_label("Whom it is for").fill("Client")
    page.get_by_role("button", name="Make a link").press("Enter")
    link = page.locator("[data-copy]").inner_text()
    assert barriers(page) == []

    for options in ({"color_scheme": "dark"}, {**PHONE}, {"java_script_enabled": False}):
        private = opened(link, token=None, **options)
        private.get_by_role("heading", level=1, name="Project A").wait_for()
        assert re.fullmatch(rf"{service.url}/shared/[\w-]+", private.url)
        private.get_by_role("link", name="7 d", exact=True).click()
        expect(private.get_by_role("heading", name="Views, 7 days")).to_be_visible()
        expect(private.locator(".accounts tbody tr")).to_have_count(3)
        if "java_script_enabled" not in options:
            assert barriers(private) == []
            assert sticks_out(private) == 0
    assert pages_of(private) == 1
    private.goto(f"{service.url}/")
    expect(private.get_by_role("heading", name="Sign in")).to_be_visible()

    watched.expected.append("404")
    page.get_by_role("button", name="Revoke Client").press("Enter")
    expect(page.get_by_role("heading", name="Over 1")).to_be_visible()
    private.goto(link)
    expect(private.get_by_role("heading", name="This link opens nothing")).to_be_visible()


def make_link(page: Page, name: str) -> str:
    """A link to a project, made by hand."""
    to_project(page, name)
    page.get_by_role("link", name="Share").click()
    page.get_by_role("button", name="Make a link").click()
    return page.locator("[data-copy]").inner_text()


def test_a_link_that_was_made_is_copied_with_a_click(service: Service, opened: Opening) -> None:
    page = opened(service.url, token=TOKEN, permissions=["clipboard-read", "clipboard-write"])
    link = make_link(page, "Project A")
    page.locator("[data-copy]").click()

    expect(page.locator("#said")).to_have_text(f"{link} is copied.")
    assert page.evaluate("navigator.clipboard.readText()") == link
    page.goto(page.url)
    expect(page.get_by_role("heading", name="Live 1")).to_be_visible()
    expect(page.locator("[data-copy]")).to_have_count(0)


def test_nothing_of_a_link_is_left_where_others_could_see_it(service: Service, opened: Opening) -> None:
    link = make_link(opened(service.url, token=TOKEN), "Project A")
    token = link.rpartition("/")[2]
    private = opened("about:blank", token=None)
    answer = private.goto(link)
    assert answer is not None
    assert answer.headers["x-robots-tag"] == "noindex, nofollow, noarchive"
    assert answer.headers["referrer-policy"] == "no-referrer"

    expect(private.locator("meta[name=robots]")).to_have_attribute("content", "noindex, nofollow")
    assert token not in private.url
    assert token not in private.content()
    assert token not in private.evaluate("document.cookie + JSON.stringify({...localStorage, ...sessionStorage})")
    private.go_back()
    expect(private).to_have_url("about:blank")


def test_every_other_address_refuses_whoever_came_by_a_link(
    service: Service, book: Google, opened: Opening, watched: Watched, tmp_path: Path
) -> None:
    watched.expected.append("404")
    book.tab("Project B", 2, 900)
    assert service.sync().status == 200
    private = opened(make_link(opened(service.url, token=TOKEN), "Project B"), token=None)
    private.get_by_role("heading", level=1, name="Project B").wait_for()
    mine = private.url.rpartition("/")[2]

    let_in = list(entered(service, private.context, tmp_path)) + list(entered(service, private.context, tmp_path, mine))
    assert let_in == [("GET", f"/shared/{mine}")]
    for path in ("/", "/accounts/2", f"/projects/{mine}"):
        private.goto(service.url + path)
        expect(private.get_by_role("heading", name="Sign in")).to_be_visible()
    (other,) = service.rows("SELECT id FROM projects WHERE name = 'Project A'")
    private.goto(f"{service.url}/shared/{other}")
    expect(private.get_by_role("heading", name="This link opens nothing")).to_be_visible()
    private.goto(f"{service.url}/shared/{mine}")
    assert {one.get_attribute("href") for one in private.locator("a:not([data-soft])").all()} == {
        "#main",
        *(f"https://www.tiktok.com/@tab1.account{n}" for n in range(2)),
    }


def entered(service: Service, context: BrowserContext, folder: Path, project_id: str = "") -> list[tuple[str, str]]:
    """What did not refuse, of all there is but what is open to everybody."""
    found = []
    for address in addresses(service, folder, project_id=project_id):
        if address.rule in OPEN:
            continue
        url, ours = service.url + address.path, {"Sec-Fetch-Site": "same-origin"}
        answer = context.request.fetch(url, method=address.method, max_redirects=0, headers=ours)
        to_sign_in = answer.status == 303 and answer.headers["location"].startswith("/sign-in")
        if not to_sign_in and answer.status not in (401, 404):
            found.append((address.method, address.path))
    return found


def test_a_link_ends_when_it_says(service: Service, opened: Opening, watched: Watched) -> None:
    watched.expected.append("404")
    page = to_project(opened(service.url, token=TOKEN), "Project A")
    page.get_by_role("link", name="Share").press("Enter")
    page.get_by_label("Whom it is for").fill("Client")
    page.get_by_label("Until the end of").fill("2099-12-31")
    page.get_by_role("button", name="Make a link").press("Enter")
    expect(page.get_by_role("listitem").filter(has_text="Client")).to_contain_text("ends in")
    private = opened(page.locator("[data-copy]").inner_text(), token=None)
    private.get_by_role("heading", level=1, name="Project A").wait_for()
    write(service, "UPDATE share_links SET expires_at = '2026-01-01 00:00:00'")
    private.reload()

    expect(private.get_by_role("heading", name="This link opens nothing")).to_be_visible()


def test_a_shared_page_with_a_past_keeps_nobody_out_and_prints_on_one_page(busy: Service, opened: Opening) -> None:
    private = opened(make_link(opened(busy.url, token=TOKEN), "Beauty & Friends"), token=None)
    expect(private.locator(".accounts tbody tr")).to_have_count(12)
    assert "\n".join(faults(private)) == ""
    assert pages_of(private) == 1


@pytest.mark.parametrize("accounts", [1, 60])
def test_a_shared_page_prints_on_one_page_however_many_accounts_there_are(
    service: Service, book: Google, opened: Opening, accounts: int
) -> None:
    book.tab("Project B", accounts, 900)
    assert service.sync().status == 200
    private = opened(make_link(opened(service.url, token=TOKEN), "Project B"), token=None)
    private.get_by_role("heading", level=1, name="Project B").wait_for()

    assert pages_of(private) == 1


def test_a_shared_page_prints_on_one_page_however_long_its_words_are(
    service: Service, book: Google, opened: Opening
) -> None:
    book.tab("Project B", 40, 900)
    assert service.sync().status == 200
    link = make_link(opened(service.url, token=TOKEN), "Project B")
    write(service, "UPDATE projects SET name = ? WHERE name = 'Project B'", "A name as long as it may be " * 7)
    name = "'Somebody who is called by a name of sixty letters or more ' || id"
    write(
        service,
        f"UPDATE accounts SET username = {name}, topic = 'A topic of many words, one behind the other: ' || (id % 9),"
        " platform = 'platform ' || (id % 9)",
    )
    write(service, "UPDATE projects SET revision = revision + 1, target_views = 1000000")
    private = opened(link, token=None)
    expect(private.get_by_text("A topic of many words").first).to_be_visible()

    assert pages_of(private) == 1


def pages_of(page: Page) -> int:
    """How many pages it is printed on."""
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True)))
