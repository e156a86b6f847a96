"""Every page there is, in both themes and on four widths: nothing keeps anybody out, nothing sticks out, nothing complains."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect
from pytest_httpserver import HTTPServer

from tests.e2e.browser.addresses import pages
from tests.e2e.browser.conftest import READ, TROUBLED, Opening, Watched
from tests.e2e.browser.looking import faults, submit
from tests.e2e.harness import TOKEN, Service, serving


def test_no_page_keeps_anybody_out(busy: Service, opened: Opening, tmp_path: Path) -> None:
    page = opened(busy.url, token=TOKEN)
    found = list(pages(busy, tmp_path, page.context))
    assert {"/", "/accounts/2", "/alerts", "/docs", "/runs", "/set-up"} < set(found)
    wrong: list[str] = []
    for path in found:
        page.goto(busy.url + path)
        wrong += faults(page)
    assert "\n".join(wrong) == ""


def test_no_state_of_a_page_keeps_anybody_out(busy: Service, opened: Opening, watched: Watched) -> None:
    watched.expected += ["404", "403", "422"]
    page = opened(busy.url, token=TOKEN)
    wrong: list[str] = []
    for path in (
        f"/projects/{project_of(busy, 'Gone')}",
        "/accounts/6",
        "/?q=nobody",
        "/?show=failed&metric=followers&days=365",
        f"/projects/{project_of(busy, TROUBLED)}?q=nobody",
        f"/projects/{project_of(busy, TROUBLED)}?metric=likes",
        f"/projects/{project_of(busy, TROUBLED)}?from=2026-01-01&to=2026-01-02",
        "/runs?outcome=cancelled",
        "/set-up?caller=github-actions&url=nonsense",
        "/accounts/999",
        "/projects/none",
        "/share/none",
    ):
        page.goto(busy.url + path)
        wrong += faults(page)
    submit(page, action="/thresholds", project_id="none", metric="views", kind="above", value="many")
    expect(page.get_by_role("heading", name="That did not work")).to_be_visible()
    wrong += faults(page)
    page.goto(f"{busy.url}/set-up")
    page.get_by_role("button", name="Examine everything").click()
    page.locator(".findings li").first.wait_for()
    wrong += faults(page)
    assert "\n".join(wrong) == ""


def test_no_page_of_a_service_without_anything_keeps_anybody_out(opened: Opening, tmp_path: Path) -> None:
    with serving(tmp_path / "empty", None) as empty:
        page = opened(empty.url, token=TOKEN)
        expect(page.get_by_role("heading", name="Three steps to the first numbers")).to_be_visible()
        wrong: list[str] = []
        for path in ("/", "/runs", "/alerts", "/set-up"):
            page.goto(empty.url + path)
            wrong += faults(page)
        page.context.close()
    assert "\n".join(wrong) == ""


def test_nobody_is_kept_out_before_they_are_in(
    busy: Service, opened: Opening, watched: Watched, httpserver: HTTPServer
) -> None:
    watched.expected += ["401", "403", "404"]
    page = opened(f"{busy.url}/sign-in", token=None)
    wrong = list(faults(page))
    page.get_by_label("Token").fill("not-a-token")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("This is none of the tokens of this service.")
    wrong += faults(page)
    page.goto(f"{busy.url}/sign-in?ended=1")
    wrong += faults(page)

    reader = opened(busy.url, token=READ)
    for path in ("/", f"/projects/{project_of(busy, TROUBLED)}", "/accounts/2", "/runs"):
        reader.goto(busy.url + path)
        wrong += faults(reader)
    expect(reader.get_by_role("heading", name="This needs the admin token")).to_be_visible()

    admin = opened(busy.url, token=TOKEN)
    open_elsewhere(admin, httpserver, f'<form method="post" action="{busy.url}/sync"><button>Win</button></form>')
    with admin.expect_response(lambda answer: answer.status == 403):
        admin.get_by_role("button", name="Win").click()
    expect(admin.get_by_role("heading", name="That did not come from here")).to_be_visible()
    wrong += faults(admin)
    assert "\n".join(wrong) == ""
    assert len(busy.rows("SELECT id FROM sync_runs")) == 3


def open_elsewhere(page: Page, httpserver: HTTPServer, body: str) -> None:
    """A page of somebody else's, open in the same browser."""
    httpserver.expect_request("/favicon.ico").respond_with_data(status=204)
    httpserver.expect_request("/theirs").respond_with_data(body, content_type="text/html; charset=utf-8")
    page.goto(httpserver.url_for("/theirs"))


def project_of(service: Service, name: str) -> str:
    (found,) = service.rows("SELECT id FROM projects WHERE name = ?", name)
    return str(found)
