"""Answers given in front of the framework are those that the long way would give, whoever asks and whatever happens."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from tests.fakes.copied import replace_by_copy
from tests.fakes.service import ADMIN, TOKEN
from tests.read.test_tags import READS
from tests.read.world import World
from webapp.access import Sessions, Tokens
from webapp.api.http import front
from webapp.api.http.memory import Memory
from webapp.app import create_app
from webapp.bootstrap import Parts
from webapp.store import share_links

LIST = READS[0]
READ = {"Authorization": "Bearer token-that-only-reads"}
BEAT = "INSERT INTO leases (name) VALUES (hex(randomblob(8)))"
APP = "https://app.example.com"
ELSEWHERE = [
    "/api/projects",
    "/api/projects/project-a",
    "/api/projects/none/accounts",
    "/api/projects/project-a/accounts?limit=0",
    "/api/projects/project-a/accounts?sort=views&limit=1",
    "/api/projects/project-a/accounts.csv",
    "/api/projects/project-a/analytics.csv",
    "/api/projects/project-b/analytics?platform=x",
    "/api/projects/project-b/accounts/",
    "/api/accounts/2",
    "/api/accounts/99",
    "/api/totals?project_id=project-b",
    "/api/accounts/1/explain",
    "/api/admin/runs",
    "/health",
]


def app_of(parts: Parts, **more: Any) -> Flask:
    """The app with a token that only reads, for pages of one other origin."""
    settings = replace(parts.settings, cors_origins=(APP,))
    tokens = Tokens((TOKEN,), (READ["Authorization"][7:],))
    return create_app(replace(parts, settings=settings, tokens=tokens), **more)


def front_of(app: Flask) -> Any:
    """What stands in front of the framework, behind what packs answers and takes slashes away."""
    return app.wsgi_app._app._app  # type: ignore[attr-defined]


@pytest.fixture
def answers() -> None:
    """Each of these tests says by itself where answers are kept."""


@pytest.fixture
def laid(sqlite_world: World) -> World:
    """Two projects with an account and two days each, a minute ago."""
    for project, name in (("Project A", "ann"), ("Project B", "ben")):
        sqlite_world.every_day(sqlite_world.account(sqlite_world.project(project), name, views=5), "03-01", [3, 5])
    sqlite_world.service.time.forward(minutes=1)
    sqlite_world.tell()
    return sqlite_world


@pytest.fixture
def app(laid: World) -> Flask:
    return app_of(laid.service.parts, keep_answers=True)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@contextmanager
def long_way(app: Flask) -> Iterator[list[str]]:
    """The requests that reach the framework meanwhile."""
    seen: list[str] = []
    signal = front_of(app)
    before = signal._app

    def note(environ: Any, start_response: Any) -> Any:
        seen.append(environ["PATH_INFO"])
        return before(environ, start_response)

    signal._app = note
    yield seen
    signal._app = before


def said(answer: Any) -> tuple[Any, ...]:
    return answer.status, list(answer.headers), answer.data


def test_the_same_question_is_answered_the_same_without_the_framework(app: Flask, client: FlaskClient) -> None:
    for path in READS:
        tag = client.get(path, headers=ADMIN).headers["ETag"]
        for method, headers in (
            ("GET", ADMIN),
            ("GET", READ),
            ("HEAD", ADMIN),
            ("GET", ADMIN | {"Origin": APP}),
            ("GET", ADMIN | {"If-None-Match": tag}),
            ("GET", READ | {"If-None-Match": f'W/"x", W/{tag}'}),
            ("HEAD", ADMIN | {"If-None-Match": "*"}),
        ):
            first = client.open(path, method=method, headers=headers)
            with long_way(app) as seen:
                second = client.open(path, method=method, headers=headers)

            assert (said(second), seen) == (said(first), []), (path, method, headers)


def test_what_is_kept_is_given_without_reading_rows(laid: World, client: FlaskClient) -> None:
    first = client.get(LIST, headers=ADMIN)
    with laid.counted() as statements:
        second = client.get(LIST, headers=ADMIN)

    assert (said(second), statements) == (said(first), [])


def test_apps_do_not_share_what_they_keep(laid: World, client: FlaskClient) -> None:
    client.get(LIST, headers=ADMIN)
    another = app_of(laid.service.parts).test_client()
    with laid.counted() as statements:
        another.get(LIST, headers=ADMIN)

    assert statements


def test_what_anybody_commits_elsewhere_leaves_answers_as_they_are(
    laid: World, app: Flask, client: FlaskClient
) -> None:
    for path in READS:
        client.get(path, headers=ADMIN)
    laid.service.write(BEAT)
    with long_way(app) as seen, laid.counted() as statements:
        for path in READS:
            client.get(path, headers=ADMIN)

    assert (seen, statements) == ([], [])


def test_a_new_revision_goes_the_long_way_once(laid: World, app: Flask, client: FlaskClient) -> None:
    tags = [client.get(LIST, headers=ADMIN).headers["ETag"]]
    laid.change("project-a", target_views=7)
    with long_way(app) as seen:
        tags += [client.get(LIST, headers=ADMIN).headers["ETag"] for _ in range(3)]

    assert (len(set(tags[:2])), len(set(tags[1:])), seen) == (2, 1, [LIST])


def test_a_new_day_goes_the_long_way_once(laid: World, app: Flask, client: FlaskClient) -> None:
    client.get(LIST, headers=ADMIN)
    laid.service.time.forward(days=1)
    with long_way(app) as seen:
        client.get(LIST, headers=ADMIN)
        client.get(LIST, headers=ADMIN)

    assert seen == [LIST]


def test_an_answer_of_the_second_of_a_change_is_not_given_again(laid: World, app: Flask, client: FlaskClient) -> None:
    laid.change("project-a", changed_at=laid.service.time.now)
    with long_way(app) as seen:
        first, second = (client.get(LIST, headers=ADMIN) for _ in range(2))
        laid.service.time.forward(seconds=1)
        third = client.get(LIST, headers=ADMIN)

    assert ["Last-Modified" in one.headers for one in (first, second, third)] == [False, False, True]
    assert len(seen) == 3


def test_a_clock_that_is_set_back_takes_the_date_away_again(laid: World, client: FlaskClient) -> None:
    before = laid.service.time.now
    laid.service.time.forward(minutes=1)
    laid.change("project-a", changed_at=before)
    dated = client.get(LIST, headers=ADMIN)
    laid.service.time.now = before

    assert "Last-Modified" in dated.headers
    assert "Last-Modified" not in client.get(LIST, headers=ADMIN).headers


def test_a_body_that_was_forgotten_is_made_anew(app: Flask, client: FlaskClient) -> None:
    first = client.get(LIST, headers=ADMIN)
    memory: Memory = app.extensions["smart_sync"][Memory]
    memory._answers.clear()
    with long_way(app) as seen:
        second = client.get(LIST, headers=ADMIN)

    assert (said(second), seen) == (said(first), [LIST])


def test_only_so_many_questions_are_kept(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "MOST", 3)
    kept = front_of(app)
    for number in range(1, 9):
        client.get(f"{LIST}?limit={number}", headers=ADMIN)

        assert 0 < len(kept._sent) <= 3
    kept._sent.clear()
    client.get(LIST, headers=ADMIN | {"If-None-Match": f'"{"x" * front.LONGEST}"'})

    assert not kept._sent


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}])
def test_who_has_no_token_is_refused_whatever_is_known(client: FlaskClient, headers: dict[str, str]) -> None:
    client.get(LIST, headers=ADMIN)

    assert client.get(LIST, headers=headers).status_code == 401


def test_who_keeps_guessing_is_slowed_down_whatever_is_known(client: FlaskClient) -> None:
    client.get(LIST, headers=ADMIN)
    found = [client.get(LIST, headers={"Authorization": "Bearer wrong"}).status_code for _ in range(11)]

    assert found == [401] * 10 + [429]
    assert client.get(LIST, headers=ADMIN).status_code == 200


def test_a_share_token_that_was_taken_away_opens_nothing(laid: World, app: Flask, client: FlaskClient) -> None:
    with laid.service.db.write() as tx:
        made = share_links.add(tx, "project-a", "Client", laid.service.time.now)
    assert made is not None
    link, token = made
    shared = {"Authorization": f"Bearer {token}"}
    with long_way(app) as seen:
        opened = [client.get(LIST, headers=shared).status_code for _ in range(2)]
    with laid.service.db.write() as tx:
        share_links.revoke(tx, link.id, laid.service.time.now)

    assert (opened, seen) == ([200, 200], [LIST, LIST])
    assert client.get(LIST, headers=shared).status_code == 401


def test_a_session_that_was_ended_opens_nothing(laid: World, app: Flask) -> None:
    visitor = app.test_client()
    cookie = app.extensions["smart_sync"][Sessions].open(TOKEN)
    visitor.set_cookie("smart_sync_session", cookie)
    with long_way(app) as seen:
        opened = [visitor.get(LIST).status_code for _ in range(2)]
    visitor.post("/sign-out", headers={"Sec-Fetch-Site": "same-origin"})
    visitor.set_cookie("smart_sync_session", cookie)

    assert (opened, seen) == ([200, 200], [LIST, LIST])
    assert visitor.get(LIST).status_code == 401


def test_public_reads_need_no_token_in_front_either(laid: World) -> None:
    parts = laid.service.parts
    app = create_app(replace(parts, tokens=Tokens((TOKEN,), public_reads=True)), keep_answers=True)
    client = app.test_client()
    first = client.get(LIST)
    with long_way(app) as seen:
        again = [client.get(LIST, headers=headers) for headers in ({}, {"Authorization": "Bearer wrong"})]

    assert ([said(one) for one in again], seen) == ([said(first)] * 2, [])


def test_a_file_that_was_replaced_is_noticed_though_it_says_the_same(
    laid: World, client: FlaskClient, tmp_path: Path
) -> None:
    client.get(LIST, headers=ADMIN)
    replace_by_copy(Path(laid.service.db.storage()), tmp_path)

    assert [client.get(LIST, headers=ADMIN).status_code for _ in range(3)] == [503, 200, 200]


# Compared with the long way


class Both:
    """One service through two apps: with kept answers, and without."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.chance = world, random.Random(seed)
        parts = world.service.parts
        self.kept = app_of(parts, keep_answers=True)
        self.clients = [self.kept.test_client(), app_of(parts, keep_answers=False).test_client()]
        self.tags: list[str] = ['"none"']
        self.shared: list[tuple[str, str]] = []  # id and token of each link
        self.recent: list[Question] = []

    def step(self) -> None:
        if self.chance.random() < 0.08:
            self._change()
            self.world.service.time.forward(seconds=self.chance.choice([0, 1, 1]))
        else:
            self._compare()

    def _compare(self) -> None:
        known = self.recent and self.chance.random() < 0.7
        asked = self.chance.choice(self.recent) if known else self._question()
        self.recent = [*self.recent[-8:], asked]
        answers = [
            client.open(
                asked.path, method=asked.method, headers=asked.headers, environ_base={"REMOTE_ADDR": f"10.0.0.{n}"}
            )
            for n, client in enumerate(self.clients)
        ]

        assert said(answers[0]) == said(answers[1]), asked
        if "ETag" in answers[0].headers:
            self.tags = [*self.tags[-5:], answers[0].headers["ETag"]]

    def _question(self) -> Question:
        choose = self.chance.choice
        method = choose(["GET"] * 8 + ["HEAD", "OPTIONS", "POST"])
        share = f"Bearer {choose(self.shared)[1]}" if self.shared else "Bearer none"
        token = choose([ADMIN["Authorization"]] * 6 + [READ["Authorization"]] * 3 + [share, "Bearer wrong", None])
        headers = {"Authorization": token, "Origin": choose([None, None, APP, "https://evil.example"])}
        headers["If-None-Match"] = choose([None, None, choose(self.tags), f"W/{choose(self.tags)}", "*"])
        path = choose(READS * 3 + ELSEWHERE)
        return Question(method, path, {name: value for name, value in headers.items() if value is not None})

    def _change(self) -> None:
        world, time, choose = self.world, self.world.service.time, self.chance.choice
        project, now = choose(["project-a", "project-b"]), time.now
        match choose(
            ["number", "number", "touch", "beat", "beat", "rename", "second", "minute", "day", "leave", "share"]
        ):
            case "number":
                world.change_account(choose([1, 2]), views=self.chance.randrange(1000))
            case "touch":
                world.service.write("UPDATE projects SET checked_at = :now WHERE id = :id", now=_text(now), id=project)
            case "beat":
                world.service.write(BEAT)
            case "rename":
                world.change(project, name=f"Name {self.chance.randrange(100)}", updated_at=now)
            case "minute":
                time.forward(minutes=1)
            case "day":
                time.forward(days=self.chance.random() < 0.2)
            case "leave":
                world.change_account(2, removed_at=choose([None, now]))
            case "share":
                self._share(project)

    def _share(self, project: str) -> None:
        now = self.world.service.time.now
        with self.world.service.db.write() as tx:
            if self.shared and self.chance.random() < 0.5:
                share_links.revoke(tx, self.chance.choice(self.shared)[0], now)
            else:
                made = share_links.add(tx, project, "Client", now)
                assert made is not None
                self.shared = [*self.shared[-2:], (made[0].id, made[1])]


class Question(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]


def _text(moment: Any) -> str:
    return str(moment.strftime("%Y-%m-%d %H:%M:%S.%f"))


@pytest.mark.parametrize("steps", [400, pytest.param(10_000, marks=pytest.mark.long)])
def test_whatever_happens_and_whoever_asks_both_ways_answer_alike(laid: World, steps: int) -> None:
    both = Both(laid, steps)
    with long_way(both.kept) as seen:
        for _ in range(steps):
            both.step()

    assert len(seen) < steps * 0.7


# What is kept of each project


@pytest.mark.parametrize("path", ["/", "/api/projects"])
def test_a_change_of_one_project_leaves_what_is_known_of_others(laid: World, app: Flask, path: str) -> None:
    visitor = app.test_client()
    visitor.set_cookie("smart_sync_session", app.extensions["smart_sync"][Sessions].open(TOKEN))
    visitor.get(path)
    laid.change("project-a", target_views=7)
    asked: list[Any] = []

    def note(connection: Any, cursor: Any, statement: str, values: Any, *rest: Any) -> None:
        asked.append(values)

    sa.event.listen(laid.service.db._engine, "before_cursor_execute", note)
    answer = visitor.get(path)
    sa.event.remove(laid.service.db._engine, "before_cursor_execute", note)

    assert answer.status_code == 200
    assert ("project-a" in repr(asked), "project-b" in repr(asked)) == (True, False)
