"""Who gets in: admin, read and share tokens, public reads, and what becomes of everybody else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Response
from flask.testing import FlaskClient

from tests.api.tour import ADMIN, NOW, Demo, demo_on
from webapp import access
from webapp.access import Gate, Tokens
from webapp.api import ROUTES as API
from webapp.api.http import auth
from webapp.api.http.problems import json_answer
from webapp.api.http.routes import NoQuery, Route, add_routes
from webapp.app import create_app
from webapp.bootstrap import Parts
from webapp.clock import Clock
from webapp.config import Settings
from webapp.errors import ConfigError
from webapp.store import share_links, tables

pytestmark = pytest.mark.usefixtures("answers")

READ = {"Authorization": "Bearer token-that-only-reads"}
SECOND = {"Authorization": "Bearer token-that-reads-too"}
GOOD = "a-token-of-some-length"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def list_view(_: NoQuery) -> Response:
    return json_answer({"only": auth.shared_project()})


def project_view(_: NoQuery, project_id: str) -> Response:
    return json_answer({"project_id": project_id, "only": auth.shared_project()})


def account_view(_: NoQuery, account_id: int) -> Response:
    return json_answer({"account_id": account_id, "only": auth.shared_project()})


ROUTES = (
    Route("test_list", "service", "GET", "/test/list", list_view, "read"),
    Route("test_project", "service", "GET", "/test/projects/<project_id>", project_view, "read"),
    Route("test_account", "service", "GET", "/test/accounts/<int:account_id>", account_view, "read"),
)


def client_of(parts: Parts) -> FlaskClient:
    """The app, with one read route of each kind besides its own."""
    app = create_app(parts)
    add_routes(app, ROUTES)
    return app.test_client()


@pytest.fixture
def demo(sqlite_url: str) -> Iterator[Demo]:
    """The demo with two read tokens."""
    demo = demo_on(sqlite_url, read_tokens=(READ["Authorization"][7:], SECOND["Authorization"][7:]))
    demo.client = client_of(demo.parts)
    yield demo
    demo.parts.db.close()


@pytest.fixture
def public_demo(sqlite_url: str) -> Iterator[Demo]:
    """The demo with public reads."""
    demo = demo_on(sqlite_url, public_reads=True)
    demo.client = client_of(demo.parts)
    yield demo
    demo.parts.db.close()


def share(demo: Demo, project_id: str | None = None) -> tuple[dict[str, str], str]:
    """A new share token, as a header, and the id of its link."""
    answer = demo.call("create_share_link", values={"project_id": project_id or demo.values["project_id"]}, json={})
    body = answer.get_json()
    return bearer(body["token"]), body["share_link"]["id"]


def other_project(demo: Demo) -> str:
    with demo.parts.db.read() as tx:
        found = tx.exec_driver_sql("SELECT id FROM projects WHERE name = 'Street Food'").scalar_one()
    return str(found)


def account_of(demo: Demo, project_id: str) -> int:
    with demo.parts.db.read() as tx:
        statement = f"SELECT min(id) FROM accounts WHERE project_id = '{project_id}'"
        return int(tx.exec_driver_sql(statement).scalar_one())


# Admin and read tokens


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer undefined",
        "Bearer None",
        "Bearer null",
        f"Basic {GOOD}",
        f"Token {ADMIN['Authorization'][7:]}",
        ADMIN["Authorization"] + "x",
        ADMIN["Authorization"][:-1],
        f"{ADMIN['Authorization']},{ADMIN['Authorization']}",
        "Bearer t\xf6ken-of-the-tour-0123",
        "Bearer " + "x" * 8192,
        "Bearer share_" + "x" * 43,
        "Bearer share_",
    ],
)
@pytest.mark.parametrize("path", ["/api/admin/sync_status", "/test/list"])
def test_whoever_has_no_right_token_is_turned_away(demo: Demo, path: str, authorization: str | None) -> None:
    answer = demo.client.get(path, headers={} if authorization is None else {"Authorization": authorization})

    assert (answer.status_code, answer.get_json()["code"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="smart-sync"'


def test_a_token_in_the_address_is_no_token_and_is_not_repeated(demo: Demo) -> None:
    answer = demo.client.get(f"/api/admin/sync_status?token={ADMIN['Authorization'][7:]}")

    assert answer.status_code == 401
    assert ADMIN["Authorization"][7:] not in answer.get_data(as_text=True)


@pytest.mark.parametrize("headers", [ADMIN, READ, SECOND], ids=["admin", "read", "the other read"])
def test_reading_takes_a_read_token_or_the_admin_token(demo: Demo, headers: dict[str, str]) -> None:
    assert demo.client.get("/test/list", headers=headers).get_json() == {"only": None}


def test_the_scheme_is_bearer_in_any_case(demo: Demo) -> None:
    assert demo.client.get("/test/list", headers={"Authorization": READ["Authorization"].lower()}).status_code == 200


def test_a_read_token_on_an_admin_route_is_known_and_not_enough(demo: Demo) -> None:
    answer = demo.client.post("/api/admin/smart_sync", headers=READ)

    assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden")
    assert len(demo.call("list_runs").get_json()["runs"]) == 1


def test_public_reads_need_no_token(public_demo: Demo) -> None:
    assert public_demo.client.get("/test/list").status_code == 200
    assert public_demo.client.get("/test/list", headers=bearer("whatever")).status_code == 200
    assert public_demo.client.get("/api/admin/sync_status").status_code == 401


def test_an_address_that_keeps_guessing_waits_while_right_tokens_pass(demo: Demo) -> None:
    wrong = [demo.client.get("/test/list", headers=bearer(f"guess-{number}")) for number in range(12)]

    assert [answer.status_code for answer in wrong] == [401] * 10 + [429] * 2
    assert 0 < int(wrong[-1].headers["Retry-After"]) <= 60
    assert wrong[-1].get_json()["code"] == "too_many_wrong_tokens"
    assert demo.client.get("/test/list", headers=READ).status_code == 200
    assert demo.client.get("/test/list").status_code == 401
    elsewhere = demo.client.get("/test/list", headers=bearer("guess-13"), environ_base={"REMOTE_ADDR": "198.51.100.7"})
    assert elsewhere.status_code == 401


def test_a_forwarded_address_does_not_buy_more_guesses(demo: Demo) -> None:
    statuses = [
        demo.client.get("/test/list", headers=bearer(f"guess-{n}") | {"X-Forwarded-For": f"192.0.2.{n}"}).status_code
        for n in range(11)
    ]

    assert statuses[-1] == 429


def test_the_wait_for_guessers_ends() -> None:
    now = [0.0]
    gate = Gate(Clock(monotonic=lambda: now[0]))
    for _ in range(10):
        assert gate.wrong("192.0.2.1") == 0
    now[0] = 20.0
    assert gate.wrong("192.0.2.1") == 40

    now[0] = 60.0
    assert gate.wrong("192.0.2.1") == 0


def test_guessing_addresses_take_no_more_memory_however_many_there_are() -> None:
    gate = Gate(Clock(monotonic=lambda: 0.0))
    for number in range(20_000):
        gate.wrong(f"2001:db8::{number:x}")

    assert len(gate._memory) < 100_000


def test_processes_that_were_forked_count_together(processes: None) -> None:
    gate = Gate(Clock(monotonic=lambda: 0.0))
    for _ in range(5):
        if (child := os.fork()) == 0:
            gate.wrong("192.0.2.1")
            gate.wrong("192.0.2.1")
            os._exit(0)
        os.waitpid(child, 0)

    assert gate.wrong("192.0.2.1") == 60


def test_an_empty_token_opens_nothing() -> None:
    assert not Tokens(admin=("",), read=("",)).opens("admin", "")
    assert not Tokens(admin=("",), read=("",)).opens("read", "")


def test_what_a_token_may_is_told_by_one_digest_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = Tokens(("the-admin-token",), ("the-read-token",))
    assert [tokens.role(given) for given in ("the-admin-token", "the-read-token", "another")] == ["admin", "read", None]
    digested: list[str] = []
    digest = access._digest

    def tell(token: str) -> bytes:
        digested.append(token)
        return digest(token)

    monkeypatch.setattr(access, "_digest", tell)

    tokens.role("another")

    assert digested == ["another"]


def test_tokens_are_not_shown() -> None:
    assert GOOD not in repr(Tokens(admin=(GOOD,), read=(GOOD,)))
    assert GOOD not in repr(Settings(read_tokens=(GOOD,)))


# Share links


def test_a_share_token_reads_its_project_and_its_accounts(demo: Demo) -> None:
    mine = demo.values["project_id"]
    token, _ = share(demo)

    project = demo.client.get(f"/test/projects/{mine}", headers=token)
    account = demo.client.get(f"/test/accounts/{demo.values['account_id']}", headers=token)

    assert project.get_json() == {"project_id": mine, "only": mine}
    assert account.get_json() == {"account_id": demo.values["account_id"], "only": mine}


def test_a_share_token_opens_nothing_else(demo: Demo) -> None:
    token, _ = share(demo)
    theirs = other_project(demo)
    paths = [
        "/test/list",
        f"/test/projects/{theirs}",
        "/test/projects/none",
        f"/test/accounts/{account_of(demo, theirs)}",
        "/test/accounts/999999",
        f"/test/accounts/{2**63}",
        "/api/admin/sync_status",
        f"/api/admin/projects/{demo.values['project_id']}/share_links",
    ]

    answers = {path: demo.client.get(path, headers=token) for path in paths}

    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(paths, 403)
    assert {answer.get_json()["code"] for answer in answers.values()} == {"forbidden"}
    assert answers["/test/list"].get_json()["project_id"] == demo.values["project_id"]


@pytest.mark.parametrize("route", [route for route in API if route.access == "read"], ids=lambda route: route.name)
def test_a_share_token_opens_the_reads_of_its_project_only(demo: Demo, route: Route) -> None:
    token, _ = share(demo)
    theirs = other_project(demo)
    other = {"project_id": theirs, "account_id": account_of(demo, theirs)}

    mine = demo.client.get(demo.path(route.path), headers=token)
    not_mine = demo.client.get(demo.path(route.path, other), headers=token)

    assert mine.status_code == (200 if "_id>" in route.path else 403)
    assert not_mine.status_code == 403


@pytest.mark.parametrize("name", ["gaps", "changes"])
def test_a_query_does_not_lead_a_share_token_out_of_its_project(demo: Demo, name: str) -> None:
    token, _ = share(demo)
    account_id = account_of(demo, other_project(demo))

    answer = demo.client.get(f"/api/projects/{demo.values['project_id']}/{name}?account_id={account_id}", headers=token)

    lists = [value for value in (answer.get_json() or {}).values() if isinstance(value, list)]
    assert answer.status_code == 404 or lists == [[]]


def test_what_is_there_and_what_is_not_look_the_same_to_a_share_token(demo: Demo) -> None:
    token, _ = share(demo)

    there = demo.client.get(f"/test/projects/{other_project(demo)}", headers=token)
    nowhere = demo.client.get("/test/projects/none", headers=token)

    assert there.data == nowhere.data


def test_a_revoked_share_link_is_no_token_any_more(demo: Demo) -> None:
    token, link_id = share(demo)
    still, _ = share(demo)

    revoked = demo.call("revoke_share_link", values={"link_id": link_id})
    again = demo.call("revoke_share_link", values={"link_id": link_id})

    assert revoked.get_json()["share_link"]["revoked_at"] == "2026-03-02T10:00:00.000000Z"
    assert (again.status_code, again.data) == (200, revoked.data)
    path = f"/test/projects/{demo.values['project_id']}"
    assert demo.client.get(path, headers=token).status_code == 401
    assert demo.client.get(path, headers=still).status_code == 200


def test_a_share_token_opens_nothing_while_its_project_is_removed(demo: Demo) -> None:
    token, _ = share(demo)
    project = demo.values["project_id"]
    paths = [f"/test/projects/{project}", f"/test/accounts/{account_of(demo, project)}"]

    def opened() -> list[int]:
        return [demo.client.get(path, headers=token).status_code for path in paths]

    found = [opened()]
    for operation in ("delete_project", "restore_project"):
        demo.call(operation)
        found.append(opened())

    assert found == [[200, 200], [401, 401], [200, 200]]


def test_the_list_of_share_links_shows_live_ones_first_and_no_tokens(demo: Demo) -> None:
    token, link_id = share(demo)
    demo.call("revoke_share_link")

    answer = demo.call("list_share_links")

    links = answer.get_json()["share_links"]
    assert [(link["id"], link["revoked_at"] is None) for link in links] == [
        (link_id, True),
        (demo.values["link_id"], False),
    ]
    assert token["Authorization"][7:] not in answer.get_data(as_text=True)


def test_only_the_hash_of_a_share_token_is_kept(demo: Demo) -> None:
    token, _ = share(demo)

    with demo.parts.db.read() as tx:
        rows = tx.execute(tables.share_links.select()).all()

    assert token["Authorization"][7:] not in repr(rows)


def test_who_may_read_a_project_is_in_the_audit_log(demo: Demo) -> None:
    _, link_id = share(demo)
    for _ in range(2):
        demo.call("revoke_share_link", values={"link_id": link_id})

    target = f"project:{demo.values['project_id']}"
    rows = demo.call("list_audit", query_string={"target": target, "limit": "2"}).get_json()["audit"]

    assert [(row["action"], row["before"], row["after"]) for row in rows] == [
        ("share_link.revoke", {"id": link_id, "label": None}, None),
        ("share_link.add", None, {"id": link_id, "label": None}),
    ]


def test_share_links_end_with_their_number(demo: Demo) -> None:
    with demo.parts.db.write() as tx:
        while share_links.add(tx, demo.values["project_id"], None, NOW):
            pass

    refused = demo.call("create_share_link", json={})
    demo.call("revoke_share_link")
    made = demo.call("create_share_link", json={})

    assert (refused.status_code, refused.get_json()["code"]) == (422, "too_many_share_links")
    assert made.status_code == 201
    assert len(demo.call("list_share_links").get_json()["share_links"]) == share_links.LIVE_LINKS + 1


def test_the_labels_of_share_links_are_kept_and_may_be_left_out(demo: Demo) -> None:
    named = demo.call("create_share_link", json={"label": "Müller & Söhne"}).get_json()
    nameless = demo.call("create_share_link", json={}).get_json()

    assert (named["share_link"]["label"], nameless["share_link"]["label"]) == ("Müller & Söhne", None)


@pytest.mark.parametrize("body", [{"label": ""}, {"label": "x" * 101}, {"label": 7}, {"project_id": "x"}])
def test_a_share_link_takes_a_label_and_nothing_else(demo: Demo, body: dict[str, Any]) -> None:
    answer = demo.call("create_share_link", json=body)

    assert answer.status_code == 422


@pytest.mark.parametrize("operation", ["list_share_links", "create_share_link"])
def test_a_project_that_is_not_there_has_no_share_links(demo: Demo, operation: str) -> None:
    answer = demo.call(operation, values={"project_id": "none"}, **demo.sent(operation))

    assert (answer.status_code, answer.get_json()["code"]) == (404, "project_not_found")


# Settings


def test_read_settings_are_taken_from_the_environment() -> None:
    settings = Settings.from_env({"SMART_SYNC_READ_TOKEN": f"{GOOD}, {GOOD}-2", "SMART_SYNC_PUBLIC_READS": "true"})

    assert (settings.read_tokens, settings.public_reads) == ((GOOD, f"{GOOD}-2"), True)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"SMART_SYNC_READ_TOKEN": "short"}, "SMART_SYNC_READ_TOKEN: a token needs at least 16"),
        ({"SMART_SYNC_READ_TOKEN": "not-äscii-but-long-enough"}, "SMART_SYNC_READ_TOKEN: a token needs"),
        ({"SMART_SYNC_PUBLIC_READS": "perhaps"}, "SMART_SYNC_PUBLIC_READS: 'perhaps' is neither true nor false"),
        (
            {"SMART_SYNC_READ_TOKEN": GOOD, "SMART_SYNC_ADMIN_TOKEN": f"{GOOD},{GOOD}-2"},
            "SMART_SYNC_READ_TOKEN: is an admin token as well",
        ),
    ],
    ids=["short", "not ASCII", "no flag", "admin as well"],
)
def test_read_settings_that_can_not_be_used_stop_the_start(environment: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as raised:
        Settings.from_env(environment)

    assert GOOD not in str(raised.value)
