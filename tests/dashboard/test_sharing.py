"""Links that open the page of one project, for people who have no token of the service."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.dashboard.conftest import OURS, READ, Filled, Site
from tests.dashboard.filled import TOKEN, parts_on
from tests.dashboard.test_pages import project_id, text_of
from tests.fakes.clock import FakeClock
from webapp.app import create_app
from webapp.config import Settings
from webapp.errors import ConfigError
from webapp.store.tables import projects

NEVER = "share_" + "x" * 43


def make(site: Site, **fields: str) -> str:
    """A link to Beauty Lab, made on its page; the address below the service."""
    answer = site.visitor(TOKEN).post(f"/projects/{project_id(site)}/share", data=fields, headers=OURS)
    assert answer.status_code == 200
    found = re.search(r"data-copy>http://localhost(/share/share_[\w-]{43})<", answer.get_data(as_text=True))
    assert found is not None
    return found[1]


def visit(client: FlaskClient, path: str) -> TestResponse:
    """The page that a link leads to in the end."""
    return client.get(path, follow_redirects=True)


def test_a_link_opens_its_project_and_its_token_leaves_the_address(site: Site) -> None:
    path, mine = make(site, label="Client"), project_id(site)
    visitor = site.visitor()

    first = visitor.get(path)
    words = text_of(visitor, f"/shared/{mine}")

    assert (first.status_code, first.headers["Location"]) == (303, f"/shared/{mine}")
    cookie = first.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert f"Path=/shared/{mine}" in cookie
    assert "Beauty Lab" in words
    assert "88.2M" in words
    assert "lee.nails 41,200,780" in words


def test_a_shared_page_shows_nothing_of_the_work_behind_it(site: Site) -> None:
    visitor = site.visitor()
    answer = visit(visitor, make(site))
    page = answer.get_data(as_text=True)

    for word in (
        "Beauty Lab!",
        "Held",
        "Problems",
        "Auto-sync",
        "Accept",
        "<form",
        "token",
        "Owner",
        "/projects/",
        "/accounts/",
    ):
        assert word not in page, word
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow, noarchive"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert '<meta name="robots" content="noindex, nofollow">' in page
    assert len(answer.data) < 100_000
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)


def test_every_other_address_refuses_whoever_came_by_a_link(site: Site) -> None:
    visitor = site.visitor()
    visit(visitor, make(site))
    with site.parts.db.read() as tx:
        other = tx.execute(sa.select(projects.c.id).where(projects.c.name == "Street Food")).scalar_one()

    for rule in site.app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}:
            if rule.rule in ("/sign-in", "/sign-out", "/static/<name>", "/health", "/ready", "/openapi.json", "/docs"):
                continue
            path = rule.rule.replace("<project_id>", other).replace("<token>", NEVER)
            path = re.sub(r"<int:\w+>", "2", path)
            path = re.sub(r"<[\w:]+>", "views", path)
            answer = visitor.open(path, method=method, headers=OURS)
            refused = answer.status_code in (401, 403, 404, 429) or answer.headers.get("Location", "").startswith(
                "/sign-in"
            )
            assert refused, (method, path, answer.status)


@pytest.mark.parametrize("how", ["revoked", "expired", "removed"])
def test_a_link_that_is_over_opens_nothing_any_more(site: Site, how: str) -> None:
    until = (site.time.now + timedelta(days=1)).date().isoformat()
    path, admin, visitor = make(site, until=until), site.visitor(TOKEN), site.visitor()
    before = visit(visitor, path).status_code
    if how == "revoked":
        page = admin.get(f"/projects/{project_id(site)}/share").get_data(as_text=True)
        (form,) = re.findall(r'action="(/share_links/[^"]+/revoke)"', page)
        assert admin.post(form, headers=OURS).headers["Location"] == f"/projects/{project_id(site)}/share"
    elif how == "expired":
        site.time.forward(days=2)
    else:
        with site.parts.db.write() as tx:
            tx.execute(projects.update().where(projects.c.name == "Beauty Lab").values(removed_at=site.time.now))

    again, anew = visitor.get(f"/shared/{project_id(site)}"), visit(site.visitor(), path)

    assert before == 200
    assert (again.status_code, anew.status_code) == (404, 404)
    assert b"This link opens nothing" in again.data
    assert b"All projects" not in again.data


def test_links_are_told_apart_live_or_over(site: Site) -> None:
    make(site, label="Client", until=(site.time.now + timedelta(days=1)).date().isoformat())
    make(site)
    site.time.forward(days=3)

    words = text_of(site.visitor(TOKEN), f"/projects/{project_id(site)}/share")

    assert "Live 1 without a name" in words
    assert "Over 1 Client made 3 d ago, ended 1 d ago" in words


@pytest.mark.parametrize("fields", [{"until": "2001-01-01"}, {"until": "soon"}, {"label": "x" * 101}])
def test_a_link_that_cannot_be_is_not_made(site: Site, fields: dict[str, str]) -> None:
    answer = site.visitor(TOKEN).post(f"/projects/{project_id(site)}/share", data=fields, headers=OURS)

    assert answer.status_code == 422


def test_links_are_made_by_admins_alone(site: Site) -> None:
    path = f"/projects/{project_id(site)}/share"

    assert site.visitor(READ).get(path).status_code == 403
    assert site.visitor().get(path).headers["Location"].startswith("/sign-in")


def test_whoever_guesses_links_has_to_wait(site: Site) -> None:
    visitor = site.visitor()
    codes = [visitor.get(f"/share/share_{n:043}").status_code for n in range(12)]

    assert codes == [404] * 10 + [429] * 2
    assert visit(visitor, make(site)).status_code == 200


def test_a_link_of_the_api_ends_when_it_says(site: Site) -> None:
    admin, path = site.visitor(TOKEN), f"/api/admin/projects/{project_id(site)}/share_links"
    end = site.time.now + timedelta(hours=1)
    made = admin.post(path, json={"label": "API", "expires_at": end.isoformat()}, headers=OURS).get_json()
    late = admin.post(path, json={"expires_at": (end - timedelta(days=1)).isoformat()}, headers=OURS)
    reads = f"/api/projects/{project_id(site)}"
    bearer = {"Authorization": f"Bearer {made['token']}"}

    before = site.visitor().get(reads, headers=bearer).status_code
    site.time.forward(hours=2)
    after = site.visitor().get(reads, headers=bearer).status_code

    assert made["path"] == f"/share/{made['token']}"
    assert made["share_link"]["expires_at"].startswith(end.strftime("%Y-%m-%dT%H:%M"))
    assert (before, after, late.status_code) == (200, 401, 422)


@pytest.fixture
def branded(filled: Filled, tmp_path: Path) -> Iterator[Site]:
    logo = tmp_path / "logo.svg"
    logo.write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', encoding="utf-8")
    found = Settings.from_env({"SMART_SYNC_SHARE_NAME": "Ada & Co", "SMART_SYNC_SHARE_LOGO": str(logo)})
    parts = parts_on(
        shutil.copyfile(filled.path, tmp_path / "demo.db"), share_name=found.share_name, share_logo=found.share_logo
    )
    yield Site(create_app(parts), parts, FakeClock())
    parts.db.close()


def test_a_shared_page_has_the_name_and_picture_of_whoever_shares_it(branded: Site) -> None:
    page = visit(branded.visitor(), make(branded)).get_data(as_text=True)

    assert "<title>Beauty Lab · Ada & Co</title>" in unescape(page)
    assert '<img src="data:image/svg+xml;base64,' in page
    assert "Smart Sync" not in page


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [
        ("logo.gif", 10, "is none of .svg"),
        ("none.png", None, "cannot be read"),
        ("logo.png", 32 * 1024 + 1, "is larger than 32 KB"),
    ],
)
def test_a_picture_that_cannot_be_shown_stops_the_start(tmp_path: Path, name: str, size: int | None, said: str) -> None:
    path = tmp_path / name
    if size is not None:
        path.write_bytes(b"x" * size)

    with pytest.raises(ConfigError, match=said):
        Settings.from_env({"SMART_SYNC_SHARE_LOGO": str(path)})
    with pytest.raises(ConfigError, match="is not one line"):
        Settings.from_env({"SMART_SYNC_SHARE_NAME": "x" * 61})
