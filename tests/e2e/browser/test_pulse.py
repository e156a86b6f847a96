"""How often an open page asks whether anything has happened."""

from __future__ import annotations

from playwright.sync_api import Page, Route

from tests.dashboard.filled import TOKEN
from tests.e2e.browser.conftest import Opening, Watched
from tests.e2e.harness import Service

HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def count(page: Page, seconds: int) -> int:
    """How often the page asks in so many seconds of its own clock."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/pulse") else None)
    for _ in range(seconds):
        page.clock.run_for(1000)
        page.wait_for_timeout(20)  # what was asked is answered
    return len(asked)


def test_a_page_that_nobody_sees_asks_nothing(site: Service, opened: Opening) -> None:
    page = opened(site.url, token=TOKEN)
    page.clock.install()
    page.goto(site.url)
    page.evaluate(HIDE, True)

    unseen = count(page, 30)
    page.evaluate(HIDE, False)
    seen = count(page, 30)

    assert unseen <= 1  # that was under way
    assert seen >= 5


def test_a_page_asks_ever_more_seldom_while_it_gets_no_answer(site: Service, opened: Opening, watched: Watched) -> None:
    watched.expected.append("503")

    def refuse(route: Route) -> None:
        route.fulfill(status=503, body="")

    page = opened(site.url, token=TOKEN)
    page.clock.install()
    page.route("**/pulse", refuse)
    page.goto(site.url)

    early, later = count(page, 60), count(page, 240)

    assert 3 <= early <= 5  # after 0, 5, 15 and 35 seconds
    assert 3 <= later <= 5  # once a minute
