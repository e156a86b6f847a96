"""Two hosts behind a balancer, on one PostgreSQL: whichever answers, the answer is the same."""

from __future__ import annotations

import http.client
import json
import socket
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from email.message import Message
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit

import psycopg
import pytest
from pytest_httpserver import HTTPServer

from tests.e2e.balancer import Balancer, balancer
from tests.e2e.google import Google, google
from tests.e2e.harness import TOKEN, Answer, Service, later, serving, until
from tests.fakes.receiver import Receiver
from tests.fakes.told import SECRET
from tests.postgres_server import Server
from webapp.access import COOKIE

LEASE_S = 3


class WithoutRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """A browser is sent somewhere; a test wants to see where."""


OPEN = urllib.request.build_opener(WithoutRedirects)


@dataclass(frozen=True)
class Hosts:
    """Two servers, and what stands in front of them."""

    first: Service
    second: Service
    front: Balancer
    database: str
    sheet: Google
    hook: Receiver

    def ask(self, method: str, path: str, body: Any = None, *, at: Service | None = None, **headers: str) -> Answer:
        """One request to whoever's turn it is, or to one host; the body of an answer that is no JSON as text."""
        given = {"Authorization": f"Bearer {TOKEN}"} | {name.replace("_", "-"): text for name, text in headers.items()}
        form = body is None or isinstance(body, bytes)
        data = body if form else json.dumps(body).encode()
        given |= {} if form else {"Content-Type": "application/json"}
        url = (self.front if at is None else at).url + path
        request = urllib.request.Request(url, data, given, method=method)
        try:
            with OPEN.open(request, timeout=60) as response:
                return _answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error.headers, error.read())

    def both(self, path: str, **headers: str) -> tuple[Answer, Answer]:
        return self.ask("GET", path, at=self.first, **headers), self.ask("GET", path, at=self.second, **headers)

    def sync(self, at: Service | None = None, **parameters: str) -> Answer:
        """One trigger; `run_async` is `async`, which Python keeps for itself."""
        said = {name.removeprefix("run_"): value for name, value in parameters.items()}
        return self.ask("POST", f"/api/admin/smart_sync?{urlencode(said)}", at=at)

    def rows(self, sql: str) -> list[Any]:
        with psycopg.connect(self.database) as connection:
            return connection.execute(sql.encode()).fetchall()

    def project(self) -> str:
        return str(self.ask("GET", "/api/projects").json["projects"][0]["id"])


def _answer(status: int, headers: Message[str, str], body: bytes) -> Answer:
    text = body.decode()
    return Answer(status, dict(headers), json.loads(text) if text.startswith(("{", "[")) else text)


@pytest.fixture(scope="module")
def hosts(processes: None, postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    postgres.execute("CREATE DATABASE two_hosts")
    url = postgres.url("two_hosts")
    folder = tmp_path_factory.mktemp("hosts")
    with HTTPServer(threaded=True) as server, google() as sheet:
        hook = Receiver(server)
        env = {
            "DATABASE_URL": url,
            "SMART_SYNC_LEASE_SECONDS": str(LEASE_S),
            "SMART_SYNC_WEBHOOK_URL": hook.url,
            "SMART_SYNC_WEBHOOK_SECRET": SECRET,
            "SMART_SYNC_ALLOW_PRIVATE_TARGETS": "true",
        }
        sheet.tab("Project A", 20, 100)
        with ExitStack() as stack:
            # Both at once, over a database without a table.
            starts = [
                later(partial(stack.enter_context, serving(folder / name, sheet, env=env)))
                for name in ("first", "second")
            ]
            one, other = (start.result() for start in starts)
            front = stack.enter_context(balancer([int(host.url.rpartition(":")[2]) for host in (one, other)]))
            hosts = Hosts(one, other, front, url, sheet, hook)
            assert hosts.sync().status == 200
            yield hosts
    postgres.execute("DROP DATABASE two_hosts WITH (FORCE)")


pytestmark = pytest.mark.postgres


def test_both_take_their_turns(hosts: Hosts) -> None:
    hosts.front.turns.clear()
    for _ in range(6):
        assert hosts.ask("GET", "/api/projects").status == 200

    assert Counter(hosts.front.turns) == {0: 3, 1: 3}


def test_both_say_the_same_of_how_it_stands_and_none_misses_a_database_of_its_own(hosts: Hosts) -> None:
    one, other = (answer.json for answer in hosts.both("/api/admin/sync_status"))

    for name in ("last_run", "next_due_at", "sheet", "total_projects", "stale_projects", "failing_projects", "storage"):
        assert one[name] == other[name], name
    assert one["storage"]["lost_history_since"] is None
    assert "Traceback" not in hosts.first.log + hosts.second.log


def test_triggers_that_come_to_both_are_answered_by_one_run(hosts: Hosts) -> None:
    before = len(hosts.rows("SELECT id FROM sync_runs"))
    with hosts.sheet.gate() as gate:
        holder = later(hosts.sync)
        gate.wait()
        others = [hosts.sync() for _ in range(5)]
        gate.open()
        first = holder.result()

    assert first.status == 200
    assert {(answer.status, answer.json["run_id"]) for answer in others} == {(202, first.json["run_id"])}
    assert len(hosts.rows("SELECT id FROM sync_runs")) == before + 1


def test_the_same_key_at_both_is_one_run(hosts: Hosts) -> None:
    path = "/api/admin/smart_sync"
    one = hosts.ask("POST", path, at=hosts.first, Idempotency_Key="a-key-of-two")
    other = hosts.ask("POST", path, at=hosts.second, Idempotency_Key="a-key-of-two")

    assert one.json["run_id"] == other.json["run_id"]


def test_progress_is_told_by_the_host_that_does_not_sync(hosts: Hosts) -> None:
    with hosts.sheet.gate() as gate:
        run_id = hosts.sync(at=hosts.first, run_async="true").json["run_id"]
        gate.wait()
        states = {answer.json["state"] for answer in hosts.both(f"/api/admin/runs/{run_id}")}
        streams = [_stream(host, run_id) for host in (hosts.first, hosts.second)]
        begun = [b"".join(stream.readline() for _ in range(5)) for _, stream in streams]
        gate.open()
        ends = [stream.read() for _, stream in streams]
        for connection, _ in streams:
            connection.close()

    assert states == {"running"}
    assert all(b"event: progress" in text for text in begun)
    assert all(b"event: end" in text and b'"state":"succeeded"' in text for text in ends)


def _stream(host: Service, run_id: str) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    connection = http.client.HTTPConnection(urlsplit(host.url).netloc, timeout=60)
    connection.request("GET", f"/api/admin/runs/{run_id}/events", headers={"Authorization": f"Bearer {TOKEN}"})
    return connection, connection.getresponse()


def test_who_signed_in_at_one_is_known_at_the_other_and_signed_out_of_both(hosts: Hosts) -> None:
    form = urlencode({"token": TOKEN}).encode()
    site = {"Authorization": "", "Sec_Fetch_Site": "same-origin"}
    cookie = hosts.ask("POST", "/sign-in", form, at=hosts.first, **site).headers["Set-Cookie"].partition(";")[0]

    known = hosts.ask("GET", "/", at=hosts.second, Authorization="", Cookie=cookie)
    left = hosts.ask("POST", "/sign-out", b"", at=hosts.second, Cookie=cookie, **site)
    after = [hosts.ask("GET", "/", at=host, Authorization="", Cookie=cookie) for host in (hosts.first, hosts.second)]

    assert cookie.startswith(COOKIE)
    assert (known.status, left.status) == (200, 303)
    assert [(answer.status, answer.headers["Location"].partition("?")[0]) for answer in after] == [
        (303, "/sign-in")
    ] * 2


def test_a_share_link_of_one_opens_the_other_and_is_closed_at_both(hosts: Hosts) -> None:
    project = hosts.project()
    made = hosts.ask("POST", f"/api/admin/projects/{project}/share_links", {"label": "Client"}, at=hosts.first).json
    path, client = f"/api/projects/{project}", {"Authorization": f"Bearer {made['token']}"}

    opened = hosts.both(path, **client)
    hosts.ask("DELETE", f"/api/admin/share_links/{made['share_link']['id']}", at=hosts.second)
    closed = hosts.both(path, **client)

    assert [answer.status for answer in opened] == [200, 200]
    assert [answer.status for answer in closed] == [401, 401]


def test_neither_keeps_an_answer_that_the_other_has_made_old(hosts: Hosts) -> None:
    project = hosts.project()
    paths = [
        f"/api/projects/{project}/accounts?limit=20",
        f"/api/projects/{project}/analytics",
        "/api/projects",
        "/api/totals",
        f"/api/projects/{project}",
    ]
    for turn, followers in enumerate(range(300, 306)):
        writer, reader = (hosts.first, hosts.second) if turn % 2 else (hosts.second, hosts.first)
        kept = [hosts.ask("GET", path, at=reader) for path in paths]
        hosts.sheet.tab("Project A", 20, followers)
        assert hosts.sync(at=writer).status == 200

        fresh = [
            hosts.ask("GET", path, at=reader, If_None_Match=old.headers["ETag"])
            for path, old in zip(paths, kept, strict=True)
        ]
        other = [hosts.ask("GET", path, at=writer) for path in paths]

        assert [answer.status for answer in fresh] == [200] * len(paths)
        assert {account["followers"] for account in fresh[0].json["accounts"]} == {followers}
        assert [answer.headers["ETag"] for answer in fresh] == [answer.headers["ETag"] for answer in other]
        assert [answer.json for answer in fresh] == [answer.json for answer in other]


def test_pages_show_what_the_other_has_written(hosts: Hosts) -> None:
    form = urlencode({"token": TOKEN}).encode()
    site = {"Authorization": "", "Sec_Fetch_Site": "same-origin"}
    cookie = hosts.ask("POST", "/sign-in", form, at=None, **site).headers["Set-Cookie"].partition(";")[0]
    for host, other, followers in ((hosts.first, hosts.second, 411), (hosts.second, hosts.first, 412)):
        hosts.ask("GET", "/", at=other, Authorization="", Cookie=cookie)
        hosts.sheet.tab("Project A", 1, followers)
        assert hosts.sync(at=host, force="true").status == 200

        page = hosts.ask("GET", "/", at=other, Authorization="", Cookie=cookie)

        assert str(followers) in page.json
    hosts.sheet.tab("Project A", 20, 412)
    hosts.sync(force="true")


def test_a_change_by_hand_at_one_is_seen_at_the_other_at_once(hosts: Hosts) -> None:
    project = hosts.project()
    for host, other, minutes in ((hosts.first, hosts.second, 45), (hosts.second, hosts.first, 90)):
        path = f"/api/admin/projects/{project}/auto_sync"
        hosts.ask("GET", path, at=other)
        put = hosts.ask("PUT", path, {"enabled": True, "interval_minutes": minutes}, at=host)

        assert put.status == 200
        assert hosts.ask("GET", path, at=other).json["interval_minutes"] == minutes


def test_each_message_is_sent_once_whoever_ends_the_run(hosts: Hosts) -> None:
    until(lambda: not hosts.rows("SELECT 1 FROM alert_deliveries WHERE state = 'waiting'"))
    hosts.hook.got.clear()
    runs = []
    for followers in range(500, 506):
        hosts.sheet.tab("Project A", 20, followers)
        runs.append(hosts.sync().json["run_id"])
    until(lambda: not hosts.rows("SELECT 1 FROM alert_deliveries WHERE state = 'waiting'"))

    told = Counter(one.json["data"]["run_id"] for one in hosts.hook.got if one.event == "run.finished")
    ids = Counter(one.id for one in hosts.hook.got)

    assert told == dict.fromkeys(runs, 1)
    assert set(ids.values()) == {1}


def test_an_alert_begins_and_ends_once_whoever_notices(hosts: Hosts) -> None:
    until(lambda: not hosts.rows("SELECT 1 FROM alert_deliveries WHERE state = 'waiting'"))
    hosts.hook.got.clear()
    hosts.sheet.tab("Project A", 2, 505)  # most rows are gone: a guard holds, and somebody has to look
    for _ in range(4):
        hosts.sync()
    seen = [len(answer.json["alerts"]) for answer in hosts.both("/api/admin/alerts")]
    hosts.sheet.tab("Project A", 20, 505)
    for _ in range(2):
        hosts.sync()
    until(lambda: not hosts.rows("SELECT 1 FROM alert_deliveries WHERE state = 'waiting'"))

    told = Counter(one.event for one in hosts.hook.got if one.event.startswith("alert"))
    assert seen[0] == seen[1] > 0
    assert told
    assert len(set(told.values())) == 1
    assert max(Counter(one.id for one in hosts.hook.got).values()) == 1


@pytest.mark.long
def test_what_a_host_that_dies_had_begun_the_other_takes_up(hosts: Hosts) -> None:
    hosts.sheet.tab("Project A", 20, 600)
    with hosts.sheet.gate() as gate:
        waiting = later(lambda: hosts.sync(at=hosts.first))
        gate.wait()
        hosts.first.kill()
        with pytest.raises(OSError):  # noqa: PT011  in one of many words
            waiting.result()
    until(lambda: not _listens(hosts.first))
    done = until(lambda: answer.json if (answer := hosts.sync()).json.get("success_count") == 1 else None)

    assert done["success"] is True
    states = Counter(state for (state,) in hosts.rows("SELECT state FROM sync_runs"))
    assert states["abandoned"] == 1
    assert not hosts.rows("SELECT 1 FROM sync_runs WHERE state IN ('queued', 'running')")
    accounts = hosts.ask("GET", f"/api/projects/{hosts.project()}/accounts?limit=20").json["accounts"]
    assert {account["followers"] for account in accounts} == {600}


def _listens(host: Service) -> bool:
    """Whether any of its processes is left."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(host.url.rpartition(":")[2]))) == 0
