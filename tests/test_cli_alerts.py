"""`smart-sync alerts`, as it is typed, and what `doctor` says of who is told."""

from __future__ import annotations

import pytest
from pytest_httpserver import HTTPServer

from tests.fakes.receiver import Receiver
from tests.fakes.shell import Shell
from tests.fakes.told import SECRET


@pytest.fixture
def hook(httpserver: HTTPServer) -> Receiver:
    return Receiver(httpserver)


@pytest.fixture
def told(shell: Shell, hook: Receiver) -> Shell:
    """A terminal of a service that tells a webhook, with a project that fails."""
    shell.env |= {
        "SMART_SYNC_WEBHOOK_URL": hook.url,
        "SMART_SYNC_WEBHOOK_SECRET": SECRET,
        "SMART_SYNC_ALLOW_PRIVATE_TARGETS": "true",
        "SMART_SYNC_URL": "https://sync.example",
        "USER": "ann",
    }
    shell.run("sync")
    tab = shell.sheet / "Street Food.csv"
    tab.write_text(tab.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    shell.run("sync")
    return shell


def test_a_sync_sends_what_it_has_to_tell_before_it_ends(told: Shell, hook: Receiver) -> None:
    assert hook.events.count("run.finished") == 1
    assert hook.events[-2:] == ["alert.opened", "run.failed"]
    assert told.run("alerts", "list").stdout.splitlines()[-1].endswith("0 messages wait")


def test_a_receiver_that_fails_does_not_fail_the_sync(told: Shell, hook: Receiver) -> None:
    hook.status = 500

    done = told.run("sync", "--force")

    assert done.exit_code == 0
    assert "messages wait: the webhook's address failed with status 500" in told.run("alerts", "list").stdout


def test_alerts_are_listed_and_acknowledged(told: Shell) -> None:
    (first, what, todo, *_) = told.run("alerts", "list").stdout.splitlines()
    assert first.startswith("1 problem Street Food: a tab lost too much at once (open), since 20")
    assert what.startswith("    Street Food: 8 of 8 accounts have lost their rows")
    assert todo == "    to do: mend the tab, or sync with force"

    assert told.run("alerts", "ack", "1").stdout == ("Street Food: a tab lost too much at once: acknowledged by ann\n")
    assert "(open, acknowledged by ann)" in told.run("alerts", "list").stdout


def test_where_there_is_none_it_says_so(shell: Shell) -> None:
    shell.run("sync")

    assert shell.run("alerts", "list").stdout.splitlines() == [
        "no alert is open",
        "nobody is told: set SMART_SYNC_NOTIFY or SMART_SYNC_WEBHOOK_URL",
    ]
    assert shell.run("alerts", "list", "--state", "all").stdout.startswith("there is no alert\n")


def test_an_alert_that_is_not_there(shell: Shell) -> None:
    shell.run("sync")

    done = shell.run("alerts", "ack", "7")

    assert (done.exit_code, done.stderr) == (1, "Error: there is no alert 7\n")


def test_what_is_muted_is_listed_until_it_is_not(told: Shell) -> None:
    muted = told.run("alerts", "mute", "--rule", "guard", "--project", "Street Food", "--for", "12h")
    assert muted.stdout.startswith("muted: guard of project ")
    assert ", until 20" in muted.stdout
    listed = told.run("alerts", "list").stdout
    assert "(open, muted)" in listed
    assert "\nmuted: guard of project " in listed

    assert told.run("alerts", "unmute", "--rule", "guard", "--project", "Street Food").exit_code == 0
    assert "muted" not in told.run("alerts", "list").stdout
    again = told.run("alerts", "unmute", "--rule", "guard", "--project", "Street Food")
    assert again.stderr == "Error: just that is not muted; `smart-sync alerts list` shows what is\n"


def test_everything_is_muted_until_it_is_taken_back(told: Shell) -> None:
    assert told.run("alerts", "mute").stdout == "muted: every rule of every project, until it is taken back\n"
    assert told.run("alerts", "unmute").stdout == "people are told again\n"


@pytest.mark.parametrize("length", ["", "12", "h", "0h", "1y", "1h30m", "9999999w"])
def test_a_length_that_is_none(told: Shell, length: str) -> None:
    done = told.run("alerts", "mute", "--for", length)

    assert done.exit_code == 2
    assert "is not such as 90m, 12h, 3d or 2w" in done.stderr


def test_a_test_says_where_it_arrives(told: Shell, hook: Receiver) -> None:
    assert told.run("alerts", "test").stdout.endswith("/…: it arrived\n")
    hook.status = 404

    done = told.run("alerts", "test")

    assert done.exit_code == 2
    assert done.stdout.endswith("/…: the webhook's address answered 404\n")


def test_numbers_are_watched_and_no_more(told: Shell) -> None:
    assert told.run("alerts", "watched").stdout == "no number is watched\n"
    assert told.run("alerts", "watch", "Beauty Lab", "followers", "above", "5").stdout == "watched from now on, as 1\n"
    told.run("alerts", "watch", "Beauty Lab", "views", "below", "5", "--account", "1")
    first, second = told.run("alerts", "watched").stdout.splitlines()
    assert first.endswith(": followers of the total above 5")
    assert second.endswith(": views of account 1 below 5")

    told.run("sync", "--force")
    assert "RISK" not in told.run("alerts", "list").stdout
    assert "risk Beauty Lab: a limit is crossed (open)" in told.run("alerts", "list").stdout
    assert told.run("alerts", "unwatch", "1").stdout == "watched no more\n"
    assert told.run("alerts", "unwatch", "1").stderr == "Error: there is no threshold 1\n"


class TestDoctor:
    def test_it_says_whom_it_would_tell(self, told: Shell, hook: Receiver) -> None:
        before = len(hook.got)

        said = told.run("doctor").stdout

        assert "alerts to http://" in said
        assert "0 messages wait; `smart-sync alerts test` sends one" in said
        assert len(hook.got) == before

    def test_it_says_when_nobody_is_told(self, shell: Shell) -> None:
        assert "nobody is told; SMART_SYNC_NOTIFY and SMART_SYNC_WEBHOOK_URL are not set" in shell.run("doctor").stdout

    def test_it_says_that_links_lead_nowhere(self, told: Shell) -> None:
        assert "messages have no link to a page" in told.run("doctor", SMART_SYNC_URL="").stdout

    def test_it_says_what_does_not_arrive_and_who_is_left_alone(self, told: Shell, hook: Receiver) -> None:
        hook.status = 500
        told.run("sync", "--force")
        said = told.run("doctor").stdout
        assert "messages wait; the last attempt failed: the webhook's address failed with status 500" in said
        hook.status = 410

        told.run("sync", "--force")

        assert "is left alone: the webhook's address answered 410: it is gone" in told.run("doctor").stdout
        assert "left alone: the webhook's address answered 410" in told.run("alerts", "list").stdout

    def test_it_says_which_address_apprise_does_not_know(self, told: Shell) -> None:
        done = told.run("doctor", SMART_SYNC_NOTIFY="json://127.0.0.1:1/x, nonsense://a")

        assert "FAIL" in done.stdout
        assert "nonsense (2): Apprise does not know such an address" in done.stdout
        assert "alerts to json (1)" in done.stdout
