"""Pages are complete without scripts: each link leads somewhere, each form does what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect
from pytest_httpserver import HTTPServer

from tests.e2e.browser.addresses import app_of, pages
from tests.e2e.browser.conftest import Opening, fill_busy, to_project
from tests.e2e.google import Google, google
from tests.e2e.harness import TOKEN, Service, serving
from tests.fakes.told import SECRET
from webapp.dashboard.pages import PAGES


class Form(NamedTuple):
    """A form on a page. action: begins with it; P stands for the project. seen: on the page that it leads to."""

    page: str
    action: str
    fields: dict[str, str]
    seen: str


# One after the other, as each finds what the one before has left.
FORMS = (
    Form("/", "/lost_history", {}, "1 of 3 projects failed"),
    Form("/", "/sync", {}, "Started"),
    Form("/set-up", "/set-up", {}, "The database|database: "),
    Form("/alerts", "/alerts/test", {}, "the test arrived"),
    Form("/alerts", "/alerts/1/acknowledge", {}, "Acknowledged by page"),
    Form("/alerts", "/alerts/mute", {"hours": "72"}, "ends in 2 d"),
    Form("/alerts", "/alerts/unmute", {}, "Nothing is muted"),
    Form("/alerts", "/thresholds", {"metric": "likes", "kind": "below", "value": "5"}, "likes in total below 5"),
    Form("/alerts", "/thresholds/1/remove", {}, "Watched numbers 0"),
    Form("/projects/P", "/held/1/accept", {}, "412,090,000|Problems"),
    Form("/projects/P", "/accounts/6/doubts/followers/accept", {}, "Followers 9,000,000"),
    Form("/projects/P", "/projects/P/auto_sync", {"interval_minutes": "240"}, "Next sync in 3 hours"),
    Form("/projects/P", "/sync", {}, "Started"),
    Form("/projects/P/settings", "/projects/P/change", {"name": "Ada & Co"}, "Projects / Ada & Co"),
    Form("/projects/P/settings", "/projects/P/schedule", {"cron": "0 9 * * *"}, "Its next turns: in "),
    Form("/projects/P/share", "/projects/P/share", {"label": "Client"}, "The link is made"),
    Form("/projects/P/share", "/share_links/", {}, "Over 1"),
    Form("/accounts/3", "/accounts/3/pins/views", {"value": "77", "note": "by hand"}, "Pin 77 by hand"),
    Form("/accounts/3", "/accounts/3/pins/views/remove", {}, "From the Sheet"),
    Form("/accounts/3", "/accounts/3/change", {"mode": "off"}, "Mode off: shown, but not synced"),
    Form("/accounts/3", "/accounts/3/correct_url", {"profile_url": "https://tiktok.com/@mira"}, "tiktok.com/@mira"),
    Form("/accounts/3", "/accounts/3/addresses/remove", {}, "Change this account"),
    Form("/accounts/3", "/accounts/3/days", {"day": "DAY", "metric": "views", "value": "1234"}, "Change this account"),
    Form("/accounts/3", "/accounts/3/remove", {"sure": "yes"}, "No longer in the project"),
    Form("/accounts/3", "/accounts/3/return", {}, "Change this account"),
    Form("/accounts/3", "/accounts/3/merge", {"into": "4", "sure": "yes"}, "tab0.account3"),
    Form("/projects/P/settings", "/projects/P/remove", {"name": "Ada & Co"}, "2 projects"),
    Form("/", "/sign-out", {}, "With the admin token, or the token that reads"),
    Form("/sign-in", "/sign-in", {"token": TOKEN}, "2 projects"),
)


@pytest.fixture
def plain(httpserver: HTTPServer, tmp_path: Path) -> Iterator[Service]:
    """A service on which everything stands that there is a form for."""
    httpserver.expect_request("/hook").respond_with_data(status=204)
    env = {"SMART_SYNC_WEBHOOK_URL": httpserver.url_for("/hook"), "SMART_SYNC_WEBHOOK_SECRET": SECRET}
    env |= {"SMART_SYNC_ALLOW_PRIVATE_TARGETS": "true"}
    with google() as book, serving(tmp_path / "plain", book, env=env) as running:
        fill_busy(running, book)
        yield running


def test_every_form_there_is_does_what_it_says(plain: Service, opened: Opening, tmp_path: Path) -> None:
    page = opened(plain.url, token=TOKEN, java_script_enabled=False)
    (project,) = plain.rows("SELECT project_id FROM accounts WHERE id = 2")
    (day,) = plain.rows("SELECT max(day) FROM account_snapshots WHERE account_id = 3 AND day < date('now')")
    for form in FORMS:
        page.goto(plain.url + form.page.replace("P", project))
        fields = {name: value.replace("DAY", day) for name, value in form.fields.items()}
        send(page.locator(f'form[method="post"][action^="{form.action.replace("P", project)}"]').first, fields)
        expect(page.locator("body"), form.action).to_contain_text(re.compile(form.seen))
        expect(page.get_by_role("heading", name="That did not work"), form.action).to_have_count(0)

    app = app_of(tmp_path)
    tried = {rule_of(app, form.action.replace("P", project)) for form in FORMS}
    assert tried == {path for method, path, *_ in PAGES if method == "POST"}


def send(form: Locator, fields: dict[str, str]) -> None:
    for fold in form.locator("xpath=ancestor::details[not(@open)]/summary").all():
        fold.click()
    for name, value in fields.items():
        field = form.locator(f"[name={name}]")
        if field.evaluate("(one) => one.tagName") == "SELECT":
            field.select_option(value)
        elif field.get_attribute("type") == "checkbox":
            field.check()
        else:
            field.fill(value)
    form.get_by_role("button").last.click()


def rule_of(app: Flask, action: str) -> str:
    if action.endswith("/share_links/"):
        action += "none/revoke"
    rule, _ = app.url_map.bind("localhost").match(action, method="POST", return_rule=True)
    return str(rule.rule)


def test_every_link_leads_somewhere(busy: Service, opened: Opening, tmp_path: Path) -> None:
    page = opened(busy.url, token=TOKEN, java_script_enabled=False)
    followed: dict[str, str] = {}
    for path in pages(busy, tmp_path, page.context):
        page.goto(busy.url + path)
        for href in page.locator("main a[href], header a[href]").evaluate_all(
            "all => all.map((one) => one.getAttribute('href'))"
        ):
            target = urljoin(busy.url + path, href)
            if urlsplit(target).netloc == urlsplit(busy.url).netloc:
                check_fragment(page, path, href)
                followed.setdefault(target.partition("#")[0], path)
    assert len(followed) > 50
    for target, path in followed.items():
        assert page.context.request.get(target).status == 200, (path, target)


def check_fragment(page: Page, path: str, href: str) -> None:
    """A link within the page leads to something that is there."""
    if href.startswith(("#", "?")) and "#" in href:
        there = href.partition("#")[2]
        assert page.locator(f"[id='{there}']").count() == 1, (path, href)


def test_every_question_is_answered(busy: Service, opened: Opening, tmp_path: Path) -> None:
    page = opened(busy.url, token=TOKEN, java_script_enabled=False)
    asked = 0
    for path in pages(busy, tmp_path, page.context):
        page.goto(busy.url + path)
        for number in range(page.locator("form[method=get]").count()):
            page.goto(busy.url + path)
            form = page.locator("form[method=get]").nth(number)
            first = form.locator("[name]").first.get_attribute("name")
            form.get_by_role("button").click()
            expect(page).to_have_url(re.compile(rf"[?&]{first}="))
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            asked += 1
    assert asked >= 4  # projects, days, accounts, callers


def test_projects_and_accounts_are_found(busy: Service, opened: Opening) -> None:
    page = opened(busy.url, token=TOKEN, java_script_enabled=False)
    page.get_by_label("Sort by").select_option("by name")
    page.get_by_role("button", name="Show").click()
    assert page.locator("#cards h3").all_inner_texts() == ["Beauty & Friends", "Gone", "Street Food"]
    to_project(page, "Beauty & Friends")
    page.get_by_role("searchbox").fill("account11")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".accounts tbody tr")).to_have_count(1)


def test_a_run_that_is_at_work_is_looked_at_again_by_itself(service: Service, book: Google, opened: Opening) -> None:
    page = opened(service.url, token=TOKEN, java_script_enabled=False)
    with book.gate() as gate:
        page.get_by_role("button", name="Sync all").click()
        gate.wait()
        expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("succeeded")
