"""A service that tells somebody, in the hands of a test: what is sent, when, to whom."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.fakes.service import ADMIN, Service
from webapp.app import create_app
from webapp.bootstrap import Parts, mail_of
from webapp.store import outbox
from webapp.sync.engine import Engine
from webapp.sync.postman import Postman
from webapp.sync.watch import at_once

__all__ = ["SECRET", "Told", "until"]

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwvM3pXlWk"


class Told:
    """A service that tells: `send` sends what is due now, and nobody else does until it is `live`."""

    def __init__(self, service: Service, **settings: Any) -> None:
        self.service = service
        changed = replace(service.parts.settings, private_targets=True, own_url="https://sync.example", **settings)
        service.options(mail=mail_of(changed))
        engine: Engine = service.engine
        self.parts: Parts = replace(service.parts, settings=changed, engine=engine)
        self.client = create_app(self.parts).test_client()
        self.channels = self.postman.channels
        self.postman.channels = {}

    @property
    def postman(self) -> Postman:
        assert self.parts.postman is not None
        return self.parts.postman

    def sync(self, **parameters: str) -> Any:
        return self.client.post("/api/admin/smart_sync", query_string=parameters, headers=ADMIN).json

    def live(self) -> None:
        """Let messages be sent in threads, as a server does."""
        self.postman.channels = self.channels

    def send(self, times: int = 2) -> None:
        """Send what is due, as a command does: a recipient that fails is asked once at a time."""
        self.postman.channels = self.channels
        for _ in range(times):
            self.postman.wake(at_once, patient=False)
        self.postman.channels = {}

    @property
    def waiting(self) -> dict[str, int]:
        with self.service.db.read() as tx:
            return {name.partition(":")[0]: one.waiting for name, one in outbox.standing(tx).items()}

    @property
    def states(self) -> list[tuple[str, str, int]]:
        """(event, state, attempts) of every message."""
        rows = self.service.rows("SELECT event, state, attempts FROM alert_deliveries ORDER BY id")
        return [(row["event"], row["state"], row["attempts"]) for row in rows]

    def fail(self) -> None:
        """A tab loses all its rows, so that there is an alert."""
        self.service.sheet.rows("Project A")
        self.sync()

    def mend(self) -> None:
        self.sync(force="true")
        self.service.time.forward(hours=1)
        self.sync()


def until(what: Callable[[], object]) -> None:
    ends = time.monotonic() + 20
    while not what():
        assert time.monotonic() < ends, "in vain"
        time.sleep(0.01)
