"""Messages of a server that is killed, and one whose recipients cannot be reached at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from tests.e2e.google import Google
from tests.e2e.harness import CLI, environment, free_port, run, serving, until
from tests.fakes.receiver import Receiver
from tests.fakes.told import SECRET

pytestmark = pytest.mark.usefixtures("processes")


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with HTTPServer(threaded=True) as server:
        receiver = Receiver(server)
        yield receiver
        receiver.open.set()


def env_of(hook: Receiver) -> dict[str, str]:
    return {
        "SMART_SYNC_WEBHOOK_URL": hook.url,
        "SMART_SYNC_WEBHOOK_SECRET": SECRET,
        "SMART_SYNC_ALLOW_PRIVATE_TARGETS": "true",
    }


def test_a_server_that_is_killed_before_it_has_sent_loses_no_message(
    sheet: Google, tmp_path: Path, hook: Receiver
) -> None:
    sheet.tab("Project A", 5, 100)
    hook.open.clear()
    with serving(tmp_path, sheet, env=env_of(hook)) as service:
        assert service.sync().status == 200  # while the receiver hangs with the first of two
        until(lambda: hook.got)
        service.kill()
        assert service.rows("SELECT state FROM alert_deliveries") == ["waiting", "waiting"]
        first = hook.got[0].id
        hook.open.set()
        with closing(sqlite3.connect(service.database)) as connection, connection:  # a minute and a half goes by
            connection.execute("UPDATE alert_deliveries SET next_try_at = created_at")

    with serving(tmp_path, sheet, env=env_of(hook)) as service:  # which nobody asks for anything
        until(lambda: service.rows("SELECT state FROM alert_deliveries") == ["sent", "sent"])

    ids = [one.id for one in hook.got]
    assert ids.count(first) == 2
    assert len(ids) == 3
    assert sorted(hook.events[1:]) == ["project.changed", "run.finished"]


def test_an_address_that_apprise_does_not_know_ends_the_start_in_words(tmp_path: Path) -> None:
    env = environment(
        tmp_path, env={"SMART_SYNC_NOTIFY": "json://127.0.0.1:1, nonsense://a-secret", "PORT": str(free_port())}
    )

    ended = run(tmp_path, *CLI, env=env)

    assert ended.returncode != 0
    assert "SMART_SYNC_NOTIFY: nonsense (2): Apprise does not know such an address" in ended.stdout
    assert "a-secret" not in ended.stdout
    assert "Traceback" not in ended.stdout
