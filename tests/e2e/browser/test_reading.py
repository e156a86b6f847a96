"""The page that docs/reading.md shows works as it stands, from another origin."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect
from pytest_httpserver import HTTPServer

from tests.dashboard.filled import TOKEN, filled_demo
from tests.documents import block
from tests.e2e.browser.conftest import READ, Opening
from tests.e2e.harness import serving
from tests.reference import DOCS


def test_the_page_for_frontend_developers_draws_a_project(
    tmp_path: Path, httpserver: HTTPServer, opened: Opening
) -> None:
    with filled_demo(tmp_path / "data" / "demo" / "demo.db"):
        pass
    origin = httpserver.url_for("").rstrip("/")
    env = {"SMART_SYNC_ADMIN_TOKEN": TOKEN, "SMART_SYNC_READ_TOKEN": READ, "SMART_SYNC_CORS_ORIGINS": origin}
    with serving(tmp_path, None, "--demo", workers=1, env=env) as service:
        projects = service.get("/api/projects", token=READ).json["projects"]
        text = block(DOCS / "reading.md", "html", "If-None-Match")
        filled = {
            "https://sync.example.com": service.url,
            "a read or share token": READ,
            "the id of a project": next(one["id"] for one in projects if one["name"] == "Beauty Lab"),
            "60_000": "200",
        }
        for shown, real in filled.items():
            assert text.count(shown) == 1
            text = text.replace(shown, real)
        httpserver.expect_request("/favicon.ico").respond_with_data(status=204)
        httpserver.expect_request("/page").respond_with_data(text, content_type="text/html; charset=utf-8")

        page = opened(f"{origin}/page", token=None)
        with page.expect_response(lambda answer: answer.status == 304):
            expect(page.get_by_role("heading")).to_contain_text("Beauty Lab:")

        assert page.locator("svg rect").count() > 20
        page.close()  # before the service ends, which it would go on asking
