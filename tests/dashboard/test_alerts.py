"""The page of alerts, the count in every head, and numbers that are red until somebody knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from pytest_httpserver import HTTPServer

from tests.dashboard.conftest import OURS, READ, Site
from tests.dashboard.filled import TOKEN
from tests.dashboard.test_pages import MARKUP, project_id, text_of
from tests.fakes.receiver import Receiver
from tests.fakes.told import SECRET
from webapp.alerts import Mail, Recipient
from webapp.app import create_app
from webapp.rules.alerts import Finding, Key
from webapp.store import alerts, outbox, thresholds


def begin(site: Site, rule: Any = "guard", what: str = "8 of 8 accounts have lost their rows", **more: Any) -> int:
    """There is an alert about Beauty Lab; its id."""
    subject = more.pop("subject", "")
    finding = Finding(Key(rule, project_id(site), subject), site.time.now, what, "mend the tab", **more)
    with site.parts.db.write() as tx:
        found = alerts.begin(tx, finding, site.time.now, announced=True)
    assert found is not None
    return found


def post(client: FlaskClient, path: str, **fields: str) -> Any:
    return client.post(path, data=fields, headers=OURS)


@pytest.fixture
def boss(site: Site) -> FlaskClient:
    return site.visitor(TOKEN)


def test_it_says_what_since_when_how_bad_and_what_to_do(site: Site, boss: FlaskClient) -> None:
    begin(site, cell="Beauty Lab!G14")
    words = text_of(boss, "/alerts")

    assert "Open 1 Beauty Lab: a tab lost too much at once problem 8 of 8 accounts have lost their rows Since" in words
    assert "To do: mend the tab. Beauty Lab Beauty Lab!G14" in words
    assert "Nobody. Set SMART_SYNC_NOTIFY" in words


def test_where_there_is_none_it_says_so(site: Site, boss: FlaskClient) -> None:
    words = text_of(boss, "/alerts")

    assert "Nothing needs anybody now." in words
    assert "No alert has ended yet." in words
    assert "Alerts" in words


@pytest.mark.parametrize("path", ["/", "/runs", "/alerts", "/accounts/2"])
def test_every_head_counts_those_that_nobody_knows_of(site: Site, boss: FlaskClient, path: str) -> None:
    assert "Runs Alerts Set-up Sign out" in text_of(boss, path)
    begin(site)
    begin(site, "stale")

    assert "Runs Alerts 2 Set-up Sign out" in text_of(boss, path)


def test_many_are_shown_page_by_page_and_all_of_them_are_counted(site: Site, boss: FlaskClient) -> None:
    for number in range(45):
        begin(site, subject=str(number), what=f"it is number {number}.")

    first, second = text_of(boss, "/alerts"), text_of(boss, "/alerts?page=2")

    assert "Open 45 " in first
    assert "Open 45 " in second
    assert "Page 1 of 2 Next" in first
    assert ("it is number 44." in first, "it is number 4." in first) == (True, False)
    assert ("it is number 44." in second, "it is number 4." in second) == (False, True)
    assert "Page 2 of 2" in text_of(boss, "/alerts?page=9")


def test_who_only_reads_sees_no_alerts(site: Site) -> None:
    begin(site)
    reader = site.visitor(READ)

    assert "Alerts" not in text_of(reader, "/")
    assert reader.get("/alerts").status_code == 403
    assert post(reader, "/alerts/1/acknowledge").status_code == 403


def test_somebody_acknowledges_one(site: Site, boss: FlaskClient) -> None:
    number = begin(site)

    answer = post(boss, f"/alerts/{number}/acknowledge")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/alerts")
    words = text_of(boss, "/alerts")
    assert "Acknowledged by page" in words
    assert "Runs Alerts Set-up Sign out" in words


def test_what_others_send_is_refused(site: Site, boss: FlaskClient) -> None:
    number = begin(site)

    answer = boss.post(f"/alerts/{number}/acknowledge", headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403
    assert "Acknowledged" not in text_of(boss, "/alerts")


def test_one_that_is_over_stands_below(site: Site, boss: FlaskClient) -> None:
    number = begin(site)
    with site.parts.db.write() as tx:
        alerts.end(tx, number, site.time.now)

    words = text_of(boss, "/alerts")
    assert "Open 0 Nothing needs anybody now." in words
    assert words.endswith("8 of 8 accounts have lost their rows")


def test_what_is_muted_is_listed_until_it_is_taken_back(site: Site, boss: FlaskClient) -> None:
    begin(site)
    mine = project_id(site)

    assert post(boss, "/alerts/mute", rule="guard", project_id=mine, hours="12").status_code == 303
    words = text_of(boss, "/alerts")
    assert "Muted 1 guard of Beauty Lab ends in 11 h" in words
    assert "Acknowledge muted" in words
    post(boss, "/alerts/mute", hours="")
    assert "Muted 2 Every rule of every project until taken back" in text_of(boss, "/alerts")
    post(boss, "/alerts/unmute", rule="guard", project_id=mine)
    post(boss, "/alerts/unmute")

    assert "Muted 0 Nothing is muted." in text_of(boss, "/alerts")


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/alerts/mute", {"hours": "13"}),
        ("/alerts/mute", {"hours": "12", "rule": "nonsense"}),
        ("/thresholds", {"metric": "karma", "kind": "above", "value": "5"}),
        ("/thresholds", {"metric": "views", "kind": "sideways", "value": "5"}),
        ("/thresholds", {"metric": "views", "kind": "above", "value": "many"}),
        ("/thresholds", {"metric": "views", "kind": "above", "value": "9" * 16}),
        ("/alerts/test", {}),
    ],
)
def test_what_makes_no_sense_is_refused(site: Site, boss: FlaskClient, path: str, fields: dict[str, str]) -> None:
    answer = post(boss, path, **({"project_id": project_id(site)} | fields if path == "/thresholds" else fields))

    assert answer.status_code == 422
    assert answer.mimetype == "text/html"


def test_a_number_is_watched_and_no_more(site: Site, boss: FlaskClient) -> None:
    mine = project_id(site)
    assert (
        post(boss, "/thresholds", project_id=mine, metric="views", kind="above", value="20 000,000").status_code == 303
    )
    post(boss, "/thresholds", project_id=mine, metric="followers", kind="fallen", value="5")
    words = text_of(boss, "/alerts")
    assert "views in total above 20,000,000 Stop" in words
    assert "followers in total fallen by 5 % in 24 hours Stop" in words

    with site.parts.db.read() as tx:
        for one in thresholds.listed(tx):
            assert post(boss, f"/thresholds/{one.id}/remove").status_code == 303

    assert "Watched numbers 0" in text_of(boss, "/alerts")


def test_a_number_that_crossed_its_line_is_red_until_somebody_knows(site: Site, boss: FlaskClient) -> None:
    mine = project_id(site)
    total = begin(
        site,
        "threshold",
        "views reached 20,000,000",
        subject="1",
        level="risk",
        details={"metric": "views", "account_id": None},
    )
    begin(site, "threshold", "likes fell to 5", subject="2", level="risk", details={"metric": "likes", "account_id": 2})

    page, account = (boss.get(path).get_data(as_text=True) for path in (f"/projects/{mine}", "/accounts/2"))
    assert page.count("crossed") == 2
    assert 'class="big crossed" value="' in page
    assert "views reached 20,000,000, since" in page
    assert account.count("crossed") == 1
    assert "likes fell to 5" in account

    assert post(boss, f"/alerts/{total}/acknowledge?from=project").headers["Location"] == f"/projects/{mine}"
    page = boss.get(f"/projects/{mine}").get_data(as_text=True)
    assert 'class="big crossed" value="' not in page
    assert page.count("crossed") == 1


def test_words_from_a_sheet_stay_words(site: Site, boss: FlaskClient) -> None:
    begin(site, what=MARKUP, cell=MARKUP)

    assert MARKUP not in boss.get("/alerts").get_data(as_text=True)


# Who is told


@pytest.fixture
def hook(httpserver: HTTPServer) -> Receiver:
    return Receiver(httpserver)


@pytest.fixture
def telling(site: Site, hook: Receiver) -> Iterator[Site]:
    """The same that tells a webhook."""
    settings = replace(site.parts.settings, demo=False, private_targets=True, webhook_urls=(hook.url,))
    parts = replace(site.parts, settings=replace(settings, webhook_secrets=(SECRET,)))
    assert parts.postman is not None
    (name,) = parts.postman.channels
    mail = Mail((Recipient(name, "webhook", "https://hook.example/…"),))
    parts.engine.options = replace(parts.engine.options, mail=mail)
    yield Site(create_app(parts), parts, site.time)
    parts.background.stop.request()


def test_a_test_is_sent_and_said_where_it_arrived(telling: Site, hook: Receiver) -> None:
    boss = telling.visitor(TOKEN)
    assert "https://hook.example/… a program nothing waits" in text_of(boss, "/alerts")

    good = post(boss, "/alerts/test").get_data(as_text=True)
    hook.status = 500
    bad = post(boss, "/alerts/test").get_data(as_text=True)

    assert ": the test arrived" in good
    assert ": the webhook&#39;s address failed with status 500" in bad
    assert hook.events == ["test", "test"]


def test_what_waits_and_who_is_left_alone_is_said(telling: Site) -> None:
    boss, now = telling.visitor(TOKEN), telling.time.now
    name = telling.parts.engine.options.mail.recipients[0].name
    with telling.parts.db.write() as tx:
        outbox.put(tx, [outbox.Message("msg_1", name, "test", "{}", now)], now)
    assert "a program 1 waiting" in text_of(boss, "/alerts")
    with telling.parts.db.write() as tx:
        outbox.put_off(tx, 1, now, "it answered 500")
    assert "a program 1 waiting: it answered 500" in text_of(boss, "/alerts")
    with telling.parts.db.write() as tx:
        outbox.refuse(tx, name, "it is gone", now)

    assert "a program left alone: it is gone" in text_of(boss, "/alerts")
