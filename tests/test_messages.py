"""What is sent to whom, over real sockets, and that nothing of it ever touches a sync."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook as Standard
from standardwebhooks import WebhookVerificationError

from tests.fakes.mailbox import Mailbox
from tests.fakes.receiver import Got, Receiver
from tests.fakes.service import Service
from tests.fakes.told import SECRET, Told, until
from webapp.alerts.channels import Post, notify
from webapp.alerts.channels.notify import Notify
from webapp.alerts.messages import Letter
from webapp.bootstrap import channels_of, mail_of
from webapp.clock import Clock, Stop
from webapp.config import Settings
from webapp.errors import ConfigError, SmartSyncError
from webapp.store import outbox
from webapp.sync.postman import WAITS_S, Postman
from webapp.sync.watch import at_once

MARKUP = {
    "title": "<i>A</i>: a limit is crossed",
    "text": "RISK: <b>A</b> & <img src=x>\nTo do: see.\nhttps://sync.example/alerts?a=1&b=2",
    "short": "x",
}
NEWER = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


def words_of(told: Told) -> set[str]:
    """Why messages did not arrive."""
    rows = told.service.rows("SELECT error FROM alert_deliveries WHERE error IS NOT NULL")
    return {row["error"] for row in rows}


@pytest.fixture(scope="module")
def threaded() -> Iterator[HTTPServer]:
    """One that answers several at once, so that who hangs holds up nobody else."""
    with HTTPServer(threaded=True) as server:
        yield server


@pytest.fixture
def httpserver(threaded: HTTPServer) -> Iterator[HTTPServer]:
    yield threaded
    threaded.clear()


@pytest.fixture
def hook(httpserver: HTTPServer) -> Receiver:
    return Receiver(httpserver)


@pytest.fixture
def phone(httpserver: HTTPServer) -> Receiver:
    return Receiver(httpserver, "/phone")


@pytest.fixture
def told(sqlite_service: Service, hook: Receiver) -> Iterator[Told]:
    sqlite_service.sheet.rows("Project A", ["x.com/ann", 1000])
    yield Told(sqlite_service, webhook_urls=(hook.url,), webhook_secrets=(SECRET,))
    hook.open.set()


@pytest.fixture
def both(sqlite_service: Service, hook: Receiver, phone: Receiver) -> Told:
    sqlite_service.sheet.rows("Project A", ["x.com/ann", 1000])
    address = phone.url.replace("http://", "json://")
    return Told(sqlite_service, webhook_urls=(hook.url,), webhook_secrets=(SECRET,), notify=(address,))


class Broken:
    """A channel with a fault."""

    def send(self, post: Post) -> None:
        raise ZeroDivisionError(post.event)


class TestWebhooks:
    def test_a_run_and_what_it_changed_are_told_beside_the_answer(self, told: Told, hook: Receiver) -> None:
        told.live()
        run_id = told.sync()["run_id"]

        until(lambda: len(hook.got) == 2)
        (changed, finished) = sorted((one.json for one in hook.got), key=lambda body: body["type"])
        assert (changed["type"], finished["type"]) == ("project.changed", "run.finished")
        assert changed["data"]["project_name"] == "Project A"
        assert changed["data"]["added_count"] == 1
        assert finished["data"]["run_id"] == run_id
        assert finished["timestamp"].endswith("Z")

    def test_a_run_that_fails_is_told_as_such_and_an_alert_begins_and_ends(self, told: Told, hook: Receiver) -> None:
        told.sync()
        told.fail()
        told.mend()
        told.send()

        alerts = [one.json for one in hook.got if one.event.startswith("alert.")]
        assert "run.failed" in hook.events
        assert [one["type"] for one in alerts] == ["alert.opened", "alert.closed"]
        data = alerts[0]["data"]
        assert (data["rule"], data["level"], data["project_name"]) == ("guard", "problem", "Project A")
        assert data["page_url"] == f"https://sync.example/projects/{data['project_id']}"
        assert "1 of 1 accounts have lost their rows" in data["what"]
        assert data["advice"]

    def test_every_body_is_verified_by_the_standards_own_library(self, told: Told, hook: Receiver) -> None:
        told.sync()
        told.send()

        with time_machine.travel(told.service.time.now):
            for got in hook.got:
                assert Standard(SECRET).verify(got.body, dict(got.headers)) == got.json

    @pytest.mark.parametrize(
        "forge",
        [
            lambda got: got._replace(body=got.body.replace(b"Project A", b"Project B")),
            lambda got: got._replace(headers={**got.headers, "Webhook-Id": "msg_another"}),
            lambda got: got._replace(headers={**got.headers, "Webhook-Signature": "v1,bm9uZQ=="}),
            lambda got: got._replace(
                headers={**got.headers, "Webhook-Timestamp": str(int(got.headers["Webhook-Timestamp"]) + 1)}
            ),
        ],
    )
    def test_one_that_was_tampered_with_is_rejected(
        self, told: Told, hook: Receiver, forge: Callable[[Got], Got]
    ) -> None:
        told.sync()
        told.send()
        (got,) = [one for one in hook.got if one.event == "project.changed"]
        forged = forge(got)

        with time_machine.travel(told.service.time.now), pytest.raises(WebhookVerificationError):
            Standard(SECRET).verify(forged.body, dict(forged.headers))

    def test_one_that_is_sent_again_later_by_somebody_is_rejected(self, told: Told, hook: Receiver) -> None:
        told.sync()
        told.send()

        with (
            time_machine.travel(told.service.time.now + timedelta(minutes=6)),
            pytest.raises(WebhookVerificationError, match="too old"),
        ):
            Standard(SECRET).verify(hook.got[0].body, dict(hook.got[0].headers))

    def test_while_the_secret_is_changed_either_verifies(self, sqlite_service: Service, hook: Receiver) -> None:
        sqlite_service.sheet.rows("Project A", ["x.com/ann", 1000])
        told = Told(sqlite_service, webhook_urls=(hook.url,), webhook_secrets=(NEWER, SECRET))
        told.sync()
        told.send()

        with time_machine.travel(told.service.time.now):
            for secret in (SECRET, NEWER):
                assert Standard(secret).verify(hook.got[0].body, dict(hook.got[0].headers))

    def test_a_private_address_is_sent_nothing_unless_allowed(self, sqlite_service: Service, hook: Receiver) -> None:
        sqlite_service.sheet.rows("Project A", ["x.com/ann", 1000])
        told = Told(sqlite_service, webhook_urls=(hook.url,), webhook_secrets=(SECRET,))
        settings = replace(told.parts.settings, private_targets=False)
        told.channels = channels_of(settings, told.parts.clock, told.parts.background.stop)
        told.sync()

        told.send(1)

        assert hook.got == []
        assert told.service.one("SELECT error FROM alert_deliveries WHERE error IS NOT NULL") == (
            "localhost is a private address, which is refused"
        )

    def test_whoever_takes_it_and_says_much_has_it(self, told: Told, hook: Receiver) -> None:
        hook.status, hook.body = 200, "thank you " * 20_000
        told.sync()

        told.send()

        assert (len(hook.got), told.waiting) == (2, {})

    def test_a_redirect_is_not_followed(self, told: Told, hook: Receiver, phone: Receiver) -> None:
        hook.status, hook.headers = 307, {"Location": phone.url}
        told.sync()

        told.send()

        assert len(hook.got) == 2
        assert phone.got == []
        assert told.waiting == {"webhook": 2}


class TestAttempts:
    def test_one_of_two_recipients_that_fails_is_tried_again_alone(
        self, both: Told, hook: Receiver, phone: Receiver
    ) -> None:
        both.sync()
        both.send()
        both.service.time.forward(minutes=30)
        hook.status = 500
        both.fail()
        both.send()
        first = {one.id: one.body for one in hook.got[2:]}
        assert (len(phone.got), len(first), both.waiting) == (1, 2, {"webhook": 2})

        hook.status = 204
        both.service.time.forward(seconds=6)
        both.send()

        assert (len(phone.got), both.waiting) == (1, {})
        assert {one.id: one.body for one in hook.got[4:]} == first

    def test_a_thread_waits_for_the_next_attempt_and_for_what_comes_meanwhile(self, told: Told, hook: Receiver) -> None:
        told.live()
        hook.status = 500
        told.sync()
        failed = "SELECT count(error) FROM alert_deliveries"
        until(lambda: told.service.one(failed) == 2)
        hook.status = 204

        told.service.time.forward(minutes=1)
        until(lambda: not told.waiting)
        told.service.sheet.rows("Project A", ["x.com/ann", 2000])
        told.sync()

        until(lambda: not told.waiting)
        assert sorted(set(hook.events)) == ["project.changed", "run.finished"]

    def test_what_comes_meanwhile_ends_the_wait(self, told: Told, hook: Receiver) -> None:
        hook.status = 500
        told.sync()
        told.send()
        (name,), more = told.channels, threading.Event()
        more.set()

        assert told.postman._await_next(name, more)
        assert not more.is_set()

    def test_a_long_wait_looks_for_a_shutdown_now_and_then(self, told: Told, hook: Receiver) -> None:
        hook.status = 500
        told.sync()
        told.send()
        (name,) = told.channels

        class Slices(threading.Event):
            """Time passes in the second of them."""

            seen = 0

            def wait(self, timeout: float | None = None) -> bool:
                self.seen += 1
                told.service.time.forward(seconds=10 * (self.seen - 1))
                return timeout is None

        slices = Slices()

        assert told.postman._await_next(name, slices)
        assert slices.seen == 2

    def test_what_does_not_arrive_is_tried_for_three_days_and_then_given_up(self, told: Told, hook: Receiver) -> None:
        told.sync()
        hook.status = 503

        for wait_s in (*WAITS_S, 0):
            told.send()
            told.service.time.forward(seconds=1.1 * wait_s)

        assert len(hook.got) == 2 * (len(WAITS_S) + 1)
        assert told.waiting == {}
        assert ("project.changed", "failed", len(WAITS_S) + 1) in told.states

    def test_a_recipient_says_when_to_come_again(self, told: Told, hook: Receiver) -> None:
        hook.status, hook.headers = 429, {"Retry-After": "7200"}
        told.sync()
        told.send()
        assert len(hook.got) == 2
        until(lambda: [one[2] for one in told.states] == [1, 1])
        hook.status = 204

        told.service.time.forward(seconds=3600)
        told.send()
        assert len(hook.got) == 2
        told.service.time.forward(seconds=3700)
        told.send()

        assert len(hook.got) == 4

    def test_whoever_is_gone_is_left_alone(self, told: Told, hook: Receiver, caplog: pytest.LogCaptureFixture) -> None:
        hook.status = 410
        told.sync()
        told.send()
        told.service.time.forward(hours=1)
        told.sync()
        told.send()

        assert len(hook.got) == 1
        assert "a recipient wants nothing more" in caplog.text
        assert hook.url not in caplog.text

    def test_the_end_of_an_alert_never_overtakes_its_beginning(self, told: Told, hook: Receiver) -> None:
        told.sync()
        told.send()
        hook.status = 500
        told.fail()
        told.send()
        told.mend()
        told.send()
        hook.got.clear()
        hook.status = 204

        told.service.time.forward(hours=1)
        told.send()

        assert [event for event in hook.events if event.startswith("alert.")] == ["alert.opened", "alert.closed"]

    def test_a_recipient_that_hangs_holds_up_neither_the_sync_nor_others(
        self, both: Told, hook: Receiver, phone: Receiver
    ) -> None:
        both.live()
        hook.open.clear()
        both.sync()
        until(lambda: hook.got)
        both.service.time.forward(minutes=30)

        both.fail()  # which comes back while the webhook hangs
        until(lambda: len(phone.got) == 1)

        assert len(hook.got) == 1
        hook.open.set()
        until(lambda: "webhook" not in both.waiting)

    def test_a_crash_after_the_commit_loses_nothing(self, told: Told, hook: Receiver) -> None:
        told.sync()  # and the process ends

        labels = dict.fromkeys(told.channels, "the webhook")
        Postman(told.service.db, told.parts.clock, Stop(), told.channels, labels).wake(at_once, patient=False)

        assert sorted(hook.events) == ["project.changed", "run.finished"]

    def test_one_that_was_claimed_by_a_process_that_died_is_sent_later_with_the_same_id(
        self, told: Told, hook: Receiver
    ) -> None:
        told.sync()
        (name,) = told.channels
        now = told.service.time.now
        with told.service.db.write() as tx:
            claimed = outbox.claim(tx, name, now, now + timedelta(seconds=90))
        assert claimed is not None

        told.send()
        assert claimed.message_id not in {one.id for one in hook.got}
        told.service.time.forward(seconds=91)
        told.send()

        assert claimed.message_id in {one.id for one in hook.got}

    def test_a_fault_of_a_channel_is_no_reason_to_try_at_once_again(
        self, told: Told, caplog: pytest.LogCaptureFixture
    ) -> None:
        told.sync()
        told.channels = dict.fromkeys(told.channels, Broken())

        told.send()

        assert "it failed with ZeroDivisionError" in {
            row["error"] for row in told.service.rows("SELECT error FROM alert_deliveries")
        }
        assert "a message was not sent" in caplog.text

    def test_a_test_says_so_too(self, told: Told) -> None:
        told.postman.channels = dict.fromkeys(told.channels, Broken())
        (name,) = told.channels

        (tried,) = told.postman.try_out([Letter("msg_1", name, "test", "{}", told.service.time.now)])

        assert tried.error == "it failed with ZeroDivisionError"

    def test_the_addresses_of_apprise_are_told_apart(self, both: Told) -> None:
        both.live()

        assert [type(one) for one in both.postman.people()] == [Notify]

    def test_without_threads_it_waits_for_the_next_trigger(self, told: Told, caplog: pytest.LogCaptureFixture) -> None:
        def none(*_: object) -> None:
            raise RuntimeError("can't start new thread")

        told.live()
        told.postman.wake(none)

        assert "messages were not sent" in caplog.text

    def test_whoever_ends_sends_nothing(self, told: Told, hook: Receiver) -> None:
        told.parts.background.stop.request()

        told.send()

        assert hook.got == []

    def test_a_database_that_fails_lets_others_send_later(self, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
        told.sync()
        with monkeypatch.context() as patch:
            patch.setattr(outbox, "claim", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                told.send()

        told.send()

        assert not told.waiting


class TestPeople:
    def test_people_hear_of_alerts_and_of_no_run(self, both: Told, phone: Receiver) -> None:
        both.sync()
        both.service.time.forward(minutes=30)
        both.fail()
        both.send()
        both.mend()
        both.send()

        (opened, closed) = [one.json for one in phone.got]
        assert opened["title"] == "Project A: a tab lost too much at once"
        assert opened["message"].startswith("PROBLEM: Project A: 1 of 1 accounts have lost their rows")
        assert "To do: mend the tab, or sync with force." in opened["message"]
        assert f"https://sync.example/projects/{both.service.project()['id']}" in opened["message"]
        assert closed["title"] == "Over: Project A: a tab lost too much at once"

    def test_what_a_service_answers_is_said_and_nothing_of_its_address(
        self, both: Told, phone: Receiver, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        both.sync()
        phone.status = 401
        both.fail()

        both.send()

        assert "json (1) did not take the message: it answered 401" in words_of(both)
        lines = [record.getMessage() for record in caplog.records if record.name == "smart_sync"]
        assert phone.url.partition("://")[2] not in " ".join([*lines, *capfd.readouterr(), *words_of(both)])

    def test_short_messages_are_for_services_that_take_no_long_ones(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sent: list[dict[str, Any]] = []
        address = f"twilio://AC{'a' * 32}:{'b' * 32}@+14155550100/+14155550101"
        channel = Notify(address, "twilio (1)")
        channel.check()
        (service,) = channel._opened()

        def send(_: object, **said: Any) -> bool:
            sent.append(said)
            return True

        monkeypatch.setattr(type(service), "send", send)
        words = {"title": "A title", "text": "a long text\nof lines", "short": "short words " * 20}

        channel.send(Post("msg_1", "alert.opened", json.dumps(words)))

        assert len(sent) == 2
        assert all(len(one["body"]) <= 160 for one in sent)
        assert "long text" not in str(sent)

    @pytest.mark.parametrize("address", ["foo://x", "json://", "twilio://x"])
    def test_an_address_that_apprise_does_not_know_is_named_by_its_place(self, address: str) -> None:
        with pytest.raises(ConfigError, match=r"foo \(1\): Apprise does not know such an address") as refused:
            Notify(address, "foo (1)").check()

        assert address not in str(refused.value)

    def test_a_mail_is_plain_text_whatever_names_look_like(self) -> None:
        with Mailbox().serving() as box:
            channel = Notify(f"mailto://127.0.0.1:{box.port}?from=a@example.com&to=b@example.com", "mailto (1)")
            channel.send(Post("msg_1", "alert.opened", json.dumps(MARKUP)))

        (mail,) = box.mails
        assert mail.get_content_type() == "text/plain"
        body = mail.get_payload(decode=True)
        assert isinstance(body, bytes)
        assert body.decode().splitlines() == MARKUP["text"].splitlines()

    def test_where_markup_is_wanted_a_name_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sent: list[str] = []
        channel = Notify("tgram://123456789:abcdefg_hijklmnop/12345", "tgram (1)")
        (service,) = channel._opened()

        def send(_: object, **said: Any) -> bool:
            sent.append(said["body"])
            return True

        monkeypatch.setattr(type(service), "send", send)

        channel.send(Post("msg_1", "alert.opened", json.dumps(MARKUP)))

        assert "&lt;b&gt;A&lt;/b&gt; &amp; &lt;img" in sent[0]
        assert "<b>A" not in sent[0]

    def test_one_that_never_ends_to_answer_is_left_behind_once(
        self, both: Told, phone: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(notify, "PATIENCE_S", 0.1)
        monkeypatch.setattr(notify, "EARLIER_S", 0.1)
        channel = Notify(phone.url.replace("http://", "json://"), "json (1)")
        post = Post("msg_1", "alert.opened", json.dumps({"title": "A title", "text": "a text", "short": "short"}))
        channel.check()
        phone.open.clear()

        with pytest.raises(SmartSyncError, match=r"json \(1\) did not answer within 0\.1 s"):
            channel.send(post)
        with pytest.raises(SmartSyncError, match=r"json \(1\) has not done with an earlier message"):
            channel.send(post)
        phone.open.set()
        monkeypatch.setattr(notify, "PATIENCE_S", 20)
        monkeypatch.setattr(notify, "EARLIER_S", 20)
        channel.send(post)

        assert len(phone.got) == 2

    def test_an_address_may_say_how_long_texts_are_sent(self) -> None:
        channel = Notify("json://127.0.0.1:1/?overflow=truncate", "json (1)")

        assert [one.overflow_mode for one in channel._opened()] == ["truncate"]


class TestSettings:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("json://a", ("json://a",)),
            ("json://a, mailto://b?to=c,d", ("json://a", "mailto://b?to=c,d")),
            ("json://a\n twilio://b/c", ("json://a", "twilio://b/c")),
        ],
    )
    def test_several_addresses_are_told_apart(self, text: str, found: tuple[str, ...]) -> None:
        assert Settings.from_env({"SMART_SYNC_NOTIFY": text}).notify == found

    @pytest.mark.parametrize("text", ["someone@example.com", "json://a b", "://a"])
    def test_what_is_no_address_is_refused_without_being_shown(self, text: str) -> None:
        with pytest.raises(ConfigError) as refused:
            Settings.from_env({"SMART_SYNC_NOTIFY": text})

        assert "SMART_SYNC_NOTIFY: address 1 is none of Apprise" in str(refused.value)
        assert text not in str(refused.value)

    def test_without_apprise_the_extra_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("webapp.setting.find_spec", lambda _: None)

        with pytest.raises(ConfigError, match="install smart-sync with the extra `notify`"):
            Settings.from_env({"SMART_SYNC_NOTIFY": "json://a"})

    @pytest.mark.parametrize("secret", ["short", "whsec_", "whsec_AAAA", "whsec_%%%", SECRET.removeprefix("whsec_")])
    def test_a_webhook_needs_a_secret_that_is_one(self, secret: str) -> None:
        with pytest.raises(ConfigError, match="SMART_SYNC_WEBHOOK_SECRET: is"):
            Settings.from_env({"SMART_SYNC_WEBHOOK_URL": "https://a.example", "SMART_SYNC_WEBHOOK_SECRET": secret})

    def test_the_secret_that_is_suggested_can_be_used(self) -> None:
        with pytest.raises(ConfigError, match="use one such as") as refused:
            Settings.from_env({"SMART_SYNC_WEBHOOK_SECRET": "x"})
        secret = str(refused.value).partition("such as ")[2]

        env = {"SMART_SYNC_WEBHOOK_URL": "https://a.example", "SMART_SYNC_WEBHOOK_SECRET": secret}
        assert Settings.from_env(env).webhook_secrets == (secret,)

    def test_an_address_without_a_secret_is_told(self) -> None:
        with pytest.raises(ConfigError, match="SMART_SYNC_WEBHOOK_SECRET: is not set"):
            Settings.from_env({"SMART_SYNC_WEBHOOK_URL": "https://a.example"})

    def test_a_secret_without_an_address_is_told(self) -> None:
        with pytest.raises(ConfigError, match="SMART_SYNC_WEBHOOK_URL: is not set"):
            Settings.from_env({"SMART_SYNC_WEBHOOK_SECRET": SECRET})

    def test_addresses_and_secrets_are_seen_nowhere(self) -> None:
        env = {
            "SMART_SYNC_WEBHOOK_URL": "https://a.example/a-secret-path",
            "SMART_SYNC_WEBHOOK_SECRET": SECRET,
            "SMART_SYNC_NOTIFY": "mailto://user:a-secret-word@example.com",
        }
        settings = Settings.from_env(env)
        mail = mail_of(settings)

        assert "secret" not in repr(settings) + repr(mail)
        assert SECRET not in repr(settings)
        assert {one.label for one in mail.recipients} == {"mailto (1)", "https://a.example/…"}
        assert {*env.values()} <= set(settings.secrets)

    @pytest.mark.parametrize(
        "text", ["22-7", "25:00-07:00", "22:00-22:00", "22:00-07:00 Nowhere/Town", "22:00-07:00 ../x"]
    )
    def test_other_words_are_no_quiet_hours(self, text: str) -> None:
        with pytest.raises(ConfigError, match="is not such as 22:00-07:00"):
            Settings.from_env({"SMART_SYNC_QUIET_HOURS": text})

    def test_quiet_hours_are_read_as_people_write_them(self) -> None:
        settings = Settings.from_env({"SMART_SYNC_QUIET_HOURS": "22:00-07:30 Europe/Berlin"})
        utc = Settings.from_env({"SMART_SYNC_QUIET_HOURS": "9:00-10:00"})

        assert str(mail_of(settings).quiet) == (
            "Quiet(start=datetime.time(22, 0), end=datetime.time(7, 30), timezone='Europe/Berlin')"
        )
        assert str(mail_of(utc).quiet).endswith("timezone='UTC')")

    def test_links_lead_to_the_address_that_was_set_or_that_render_knows(self) -> None:
        of_render = {"RENDER_EXTERNAL_URL": "https://mine.onrender.example"}

        assert mail_of(Settings.from_env(of_render)).base_url == "https://mine.onrender.example"
        assert mail_of(Settings.from_env(of_render | {"SMART_SYNC_URL": "https://a.example/"})).base_url == (
            "https://a.example"
        )

    def test_the_demo_tells_nobody(self) -> None:
        settings = Settings(demo=True, notify=("json://a",), webhook_urls=("https://a.example",))

        assert mail_of(settings).recipients == ()
        assert channels_of(settings, Clock(), Stop()) == {}
