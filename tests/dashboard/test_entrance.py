"""Signing in and out, and what a session may."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from tests.dashboard.conftest import OURS, READ, Site
from tests.dashboard.filled import TOKEN
from webapp.access import COOKIE, SESSION_S, Sessions, Tokens, same_origin
from webapp.app import create_app
from webapp.bootstrap import Parts
from webapp.clock import Clock
from webapp.dashboard.pages import PUBLIC
from webapp.store.tables import ended_sessions

OTHERS = {"Sec-Fetch-Site": "cross-site"}


def test_every_page_is_public_by_list_or_sends_to_sign_in(quiet_site: Site) -> None:
    found = [rule for rule in quiet_site.app.url_map.iter_rules() if rule.endpoint.startswith("dashboard.")]
    assert len(found) > 8
    for rule in found:
        for method in (rule.methods or set()) & {"GET", "POST"}:
            answer = quiet_site.visitor().open(re.sub(r"<[^>]+>", "1", rule.rule), method=method, headers=OURS)

            sent = answer.status_code == 303 and answer.headers["Location"].startswith("/sign-in?")
            assert sent == (rule.rule not in PUBLIC), (method, rule.rule)


def test_a_token_opens_a_session_whose_cookie_scripts_and_other_sites_never_get(quiet_site: Site) -> None:
    answer = quiet_site.visitor().post("/sign-in", data={"token": TOKEN, "next": "/runs"}, headers=OURS)

    cookie = answer.headers["Set-Cookie"]
    assert (answer.status_code, answer.headers["Location"]) == (303, "/runs")
    assert {"HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={SESSION_S}"} <= set(cookie.split("; "))
    assert TOKEN not in cookie
    assert "Secure" not in cookie


def test_the_cookie_travels_encrypted_where_the_page_does(quiet_site: Site) -> None:
    answer = quiet_site.visitor().post("/sign-in", data={"token": TOKEN}, headers=OURS | {"X-Forwarded-Proto": "https"})

    assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    "wanted", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "runs", "/\n/x"]
)
def test_nobody_is_sent_to_another_site_after_signing_in(quiet_site: Site, wanted: str) -> None:
    answer = quiet_site.visitor().post("/sign-in", data={"token": TOKEN, "next": wanted}, headers=OURS)

    assert answer.headers["Location"] == "/"


def test_a_wrong_token_is_told_so_and_whoever_goes_on_has_to_wait(site: Site) -> None:
    visitor = site.visitor()
    answers = [visitor.post("/sign-in", data={"token": f"guess-{n}"}, headers=OURS) for n in range(11)]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert visitor.post("/sign-in", data={"token": TOKEN}, headers=OURS).status_code == 303


def test_a_session_ends_after_twelve_hours_and_says_so(site: Site) -> None:
    visitor = site.visitor(TOKEN)

    site.time.forward(hours=11.9)
    assert visitor.get("/").status_code == 200
    site.time.forward(hours=0.2)
    sent = visitor.get("/runs?before=x")

    assert sent.headers["Location"] == "/sign-in?next=/runs%3Fbefore%3Dx&ended=1"
    assert b"session has ended" in visitor.get(sent.headers["Location"]).data
    assert visitor.get("/api/projects").status_code == 401


def test_signing_out_ends_it(quiet_site: Site) -> None:
    visitor = quiet_site.visitor(TOKEN)

    assert visitor.post("/sign-out", headers=OURS).headers["Location"] == "/sign-in"
    assert visitor.get("/").status_code == 303


def test_signing_out_deletes_the_cookie_and_every_page_sends_to_sign_in(quiet_site: Site) -> None:
    visitor = quiet_site.visitor(TOKEN)
    cookie = visitor.post("/sign-out", headers=OURS).headers["Set-Cookie"]

    assert cookie.startswith(f"{COOKIE}=;")
    assert {"Max-Age=0", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert visitor.get_cookie(COOKIE) is None
    sent = visitor.get("/runs")
    assert (sent.status_code, sent.headers["Location"]) == (303, "/sign-in?next=/runs")


def test_another_site_can_not_sign_anybody_out(quiet_site: Site) -> None:
    visitor = quiet_site.visitor(TOKEN)
    visitor.post("/sign-out", headers=OTHERS)

    assert visitor.get("/").status_code == 200


def test_every_worker_knows_a_session_and_a_token_that_is_taken_away_ends_its_own() -> None:
    clock = Clock()
    cookie = Sessions(Tokens(("first-token-0123456", "second-token-012345")), clock).open("first-token-0123456")
    assert cookie is not None

    assert Sessions(Tokens(("second-token-012345", "first-token-0123456")), clock).of(cookie).role == "admin"  # type: ignore[union-attr]
    assert Sessions(Tokens(("second-token-012345",)), clock).of(cookie) is None


def forged(cookie: str) -> list[str]:
    role, until, salt, signature = cookie.split(".")
    return [
        "",
        ".",
        "admin",
        f"{role}.{int(until) + 1}.{salt}.{signature}",
        f"admin.{until}.{salt}.{signature}",
        f"{role}.{until}.{salt}.",
        f"{role}.{until}.{salt}.{signature}é",
        cookie + "A" * 500,
        f"{cookie}=",
        f"{role}.{until}.{salt[1:]}.{signature}",
        f"{role}.0{until}.{salt}.{signature}",
    ]


def test_a_cookie_that_was_touched_opens_nothing() -> None:
    sessions = Sessions(Tokens(("an-admin-token-0123",), ("a-read-token-012345",)), Clock())
    cookie = sessions.open("a-read-token-012345")
    assert cookie is not None

    assert sessions.of(cookie).role == "read"  # type: ignore[union-attr]
    assert {sessions.of(one) for one in forged(cookie)} == {None}
    assert sessions.open("no-token-of-ours") is None


@pytest.mark.parametrize(
    ("fetch_site", "origin", "ours"),
    [
        ("same-origin", None, True),
        ("same-site", "http://here:8000", False),
        ("cross-site", "http://here:8000", False),
        (None, "http://here:8000", True),
        (None, "http://there:8000", False),
        (None, "null", False),
        (None, None, False),
    ],
)
@pytest.mark.parametrize("encrypted", [False, True])
def test_a_change_comes_from_a_page_of_ours(
    fetch_site: str | None, origin: str | None, ours: bool, encrypted: bool
) -> None:
    origin = origin and origin.replace("http:", "https:" if encrypted else "http:")
    assert same_origin("here:8000", fetch_site, origin, encrypted=encrypted) is ours


def test_a_page_that_came_without_encryption_changes_nothing_where_there_is_some() -> None:
    assert not same_origin("here", None, "http://here", encrypted=True)
    assert same_origin("here", None, "https://here", encrypted=False)  # behind a proxy that says nothing


@pytest.mark.parametrize(
    ("forwarded", "encrypted"),
    [
        ("https", True),
        ("https,http", True),
        ("HTTPS , http", True),
        ("http,https", False),
        ("http", False),
        (None, False),
    ],
)
def test_the_first_proxy_says_whether_a_browser_spoke_https(
    quiet_site: Site, forwarded: str | None, encrypted: bool
) -> None:
    headers = OURS | ({"X-Forwarded-Proto": forwarded} if forwarded else {})
    answer = quiet_site.visitor().post("/sign-in", data={"token": TOKEN}, headers=headers)

    assert ("Secure" in answer.headers["Set-Cookie"].split("; ")) == encrypted


def test_a_session_that_was_signed_out_of_opens_nothing_for_anybody(site: Site) -> None:
    visitor = site.visitor(TOKEN)
    copy = site.visitor()
    copy.set_cookie(COOKIE, visitor.get_cookie(COOKIE).value)  # type: ignore[union-attr]
    other = site.visitor(TOKEN)
    assert copy.get("/").status_code == 200

    visitor.post("/sign-out", headers=OURS)

    assert (copy.get("/").status_code, copy.get("/api/projects").status_code) == (303, 401)
    assert other.get("/").status_code == 200


def test_ended_sessions_are_kept_until_they_would_have_ended(site: Site) -> None:
    for hours in (0, 11, 2):
        site.time.forward(hours=hours)
        site.visitor(TOKEN).post("/sign-out", headers=OURS)

    with site.parts.db.read() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(ended_sessions)).scalar() == 2


@pytest.mark.parametrize(
    "path",
    [
        "/sync?async=true",
        "/held/1/accept",
        "/projects/none/auto_sync",
        "/api/admin/smart_sync",
        "/api/admin/held/1/accept",
    ],
)
def test_no_other_site_presses_a_button(admin: FlaskClient, path: str) -> None:
    for headers in (OTHERS, {}):
        assert admin.post(path, headers=headers).status_code in (401, 403)


def test_a_session_opens_the_api_that_the_pages_call(admin: FlaskClient) -> None:
    assert admin.get("/api/projects").status_code == 200
    assert admin.get("/api/admin/runs").status_code == 200
    assert admin.post("/api/admin/smart_sync?project_id=none", headers=OURS).status_code == 404


def test_a_wrong_header_is_not_made_right_by_a_session(admin: FlaskClient) -> None:
    assert admin.get("/api/projects", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_who_only_reads_sees_no_buttons_and_is_refused(reader: FlaskClient) -> None:
    page = reader.get("/").get_data(as_text=True)

    assert "Beauty Lab" in page
    assert "Sync all" not in page
    assert 'href="/runs"' not in page
    assert reader.get("/runs").status_code == 403
    assert reader.get("/api/projects").status_code == 200
    assert reader.get("/api/admin/runs").status_code == 403
    assert reader.post("/api/admin/smart_sync", headers=OURS).status_code == 403
    assert reader.post("/sync?async=true", headers=OURS).status_code == 403


def public(parts: Parts) -> FlaskClient:
    return create_app(replace(parts, tokens=Tokens((TOKEN,), (READ,), public_reads=True))).test_client()


def test_public_numbers_are_shown_to_everybody(quiet_site: Site) -> None:
    visitor = public(quiet_site.parts)
    page = visitor.get("/").get_data(as_text=True)

    assert "Sync all" not in page
    assert 'href="/sign-in"' in page
    assert visitor.get("/runs").status_code == 403
