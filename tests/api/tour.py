"""A tour of every operation on the demo: what the tests hold to the document, and where its examples come from.

`python -m tests.api.tour` writes the examples anew.
"""

from __future__ import annotations

import json
import random
import re
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from webapp.alerts import Mail, Recipient
from webapp.alerts.channels import Post
from webapp.api import ROUTES
from webapp.api.http.openapi import EXAMPLES, Document
from webapp.api.http.routes import Route
from webapp.app import create_app
from webapp.bootstrap import Parts, bootstrap
from webapp.clock import Budget, Clock
from webapp.config import Settings
from webapp.model import Metric
from webapp.rules.alerts import Finding, Key
from webapp.store import alerts, doubts, thresholds
from webapp.store.db import Database
from webapp.store.doubts import DoubtedDay
from webapp.store.migrate import migrate
from webapp.store.tables import accounts, held_observations, observations, projects
from webapp.sync.postman import Postman
from webapp.sync.trigger import Trigger

TOKEN = "token-of-the-tour-0123"
ADMIN = {"Authorization": f"Bearer {TOKEN}"}
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
MIRA = "https://www.tiktok.com/@mira.glow"
# What is sent to operations that take something. A text that names one of the demo's values stands for it.
BODIES: dict[str, dict[str, Any]] = {
    "put_readings": {"readings": [{"profile_url": MIRA, "views": 18_500_000}]},
    "put_auto_sync": {"interval_hours": 2},
    "put_pin": {"value": 130_000, "note": "counted by hand"},
    "create_share_link": {"label": "Client"},
    "create_project": {"name": "Autumn campaign", "target_views": 1_000_000},
    "update_project": {"target_views": 100_000_000},
    "create_account": {"profile_url": "https://x.com/miraglow", "owner": "mira"},
    "update_account": {"mode": "manual"},
    "correct_url": {"profile_url": f"{MIRA}.official"},
    "merge_account": {"into": "account_id"},
    "correct_snapshot": {"views": 18_450_000, "note": "typed twice"},
    "put_mute": {"rule": "moved", "until": "2026-04-01T00:00:00Z"},
    "add_threshold": {"metric": "followers", "kind": "below", "value": 100_000},
}
QUERIES: dict[str, dict[str, Any]] = {
    "acknowledge_alert": {"by": "Mira"},
    "delete_alias": {"url_key": "url_key"},
    "delete_mute": {"rule": "moved"},
}
# What changes something, in an order in which each finds what it needs; then what takes away again.
CHANGES = (
    "smart_sync",
    "acknowledge_lost_history",
    "put_readings",
    "put_auto_sync",
    "put_pin",
    "accept_doubt",
    "accept_held",
    "reject_held",
    "create_share_link",
    "create_project",
    "update_project",
    "create_account",
    "update_account",
    "correct_url",
    "merge_account",
    "delete_alias",
    "correct_snapshot",
    "acknowledge_alert",
    "put_mute",
    "add_threshold",
    "test_alerts",
)
ENDINGS = (
    "delete_mute",
    "delete_threshold",
    "delete_pin",
    "revoke_share_link",
    "delete_snapshot",
    "delete_account",
    "delete_project",
    "restore_project",
)
# What an answer says that is never twice the same: secrets and how long something took.
BY_CHANCE = (
    (r"share_[\w-]{43}", "share_" + "x" * 43),
    (r'("(?:duration_)?seconds":) ?\d+\.\d+', r"\1 0.05"),
)
_synced: list[bytes] = []
BY_ID: dict[str, Route] = {route.name: route for route in ROUTES}


@dataclass
class Demo:
    """The demo, synced once. `values`: what stands in paths."""

    parts: Parts
    client: FlaskClient
    document: Document
    values: dict[str, Any] = field(default_factory=dict)

    def call(self, operation: str, *, values: Mapping[str, Any] | None = None, **more: Any) -> TestResponse:
        route = BY_ID[operation]
        return self.client.open(
            self.path(route.path, values), method=route.method, headers=ADMIN, buffered=True, **more
        )

    def sent(self, operation: str) -> dict[str, Any]:
        """What the operation takes besides its path: `json`, `query_string`."""
        body, query = BODIES.get(operation), QUERIES.get(operation, {})
        known = {
            name: self.values.get(value, value) if isinstance(value, str) else value
            for name, value in (body or query).items()
        }
        return {"json": known} if body else {"query_string": known}

    def path(self, rule: str, values: Mapping[str, Any] | None = None) -> str:
        """The address that a rule such as `/runs/<run_id>` stands for in the demo."""
        known = self.values | dict(values or {})
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda part: str(known[part[1]]), rule)


class Visit(NamedTuple):
    operation: str
    sent: Any
    answer: TestResponse


def demo_on(url: str, **settings: Any) -> Demo:
    """The demo on a database that is migrated or not yet there."""
    _put_synced(Path(url.removeprefix("sqlite:///")))
    chosen = Settings(database_url=url, demo=True, admin_tokens=(TOKEN,), **settings)
    parts = bootstrap(chosen, clock=Clock(now=lambda: NOW))
    _tell_somebody(parts)
    app = create_app(parts)
    demo = Demo(parts, app.test_client(), app.extensions["smart_sync"][Document])
    with parts.db.read() as tx:
        ids = tx.execute(accounts.select().order_by(accounts.c.id)).all()
        project = tx.execute(projects.select().where(projects.c.name == "Beauty Lab")).one()
    mine = [account.id for account in ids if account.project_id == project.id]
    url_key = next(account.url_key for account in ids if account.id == mine[0])
    demo.values = {
        "project_id": project.id,
        "account_id": mine[0],
        "other_account_id": mine[1],
        "url_key": url_key,
        "metric": "followers",
        "day": NOW.date().isoformat(),
        "decision": "accept",
        "name": "style.css",
    }
    demo.values |= {"held_id": held(parts.db, mine[0], 99_000_000), "run_id": _last_run(demo)}
    with parts.db.write() as tx:
        found = Finding(Key("waiting", project.id), None, "1 reading is too far off to be believed", "accept or reject")
        demo.values["alert_id"] = alerts.begin(tx, found, NOW, announced=True)
        demo.values["threshold_id"] = thresholds.add(tx, project.id, None, "views", "above", 20_000_000, NOW).id
    demo.values["link_id"] = demo.call("create_share_link", json={"label": "Client"}).get_json()["share_link"]["id"]
    return demo


class Arrives:
    """A recipient that takes whatever is sent."""

    def send(self, post: Post) -> None:
        assert post.body


def _tell_somebody(parts: Parts) -> None:
    """A demo tells nobody; of this one somebody hears."""
    phone = Recipient("notify:1", "notify", "twilio (1)")
    parts.engine.options = replace(parts.engine.options, mail=Mail((phone,), "https://sync.example"))
    postman = Postman(parts.db, parts.clock, parts.background.stop, {phone.name: Arrives()}, {phone.name: phone.label})
    parts.__dict__["postman"] = postman


def _put_synced(path: Path) -> None:
    """A database in which the demo has been synced once; what a process has made once is copied from then on."""
    if not _synced:
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{folder}/demo.db"
            parts = bootstrap(
                Settings(database_url=url, demo=True, admin_tokens=(TOKEN,)), clock=Clock(now=lambda: NOW)
            )
            migrate(parts.db)
            _sync(parts)
            parts.db.close()
            _synced.append(Path(folder, "demo.db").read_bytes())
    path.write_bytes(_synced[0])


def _sync(parts: Parts) -> None:
    trigger = Trigger(caller="cli")
    for _ in parts.engine.run(parts.engine.start(trigger).run, trigger, Budget(None, parts.clock)):
        pass


def _last_run(demo: Demo) -> str:
    return str(demo.call("list_runs").get_json()["runs"][0]["run_id"])


def held(db: Database, account_id: int, value: int) -> int:
    """A reading that was kept aside; its id."""
    row = {
        "account_id": account_id,
        "metric": "followers",
        "value": value,
        "last_good": 128_400,
        "observed_at": NOW,
        "origin": "tiktok",
        "held_at": NOW,
    }
    with db.write() as tx:
        return int(tx.execute(held_observations.insert().values(row).returning(held_observations.c.id)).scalar_one())


def doubt(db: Database, account_id: int, metric: Metric, typed: int) -> None:
    """A value of the Sheet that is in doubt."""
    one = DoubtedDay(account_id, metric, NOW.date(), typed, typed, 54_210, NOW, NOW, "open", None)
    with db.write() as tx:
        doubts.put(tx, [one])
        row = observations.update().where(observations.c.account_id == account_id)
        tx.execute(row.values(doubted=1 << one.place))


def tour(demo: Demo) -> Iterator[Visit]:
    """Every operation once, reads between changes and endings, so that there is something to read."""
    other = demo.values["other_account_id"]
    doubt(demo.parts.db, other, "views", 9_000_000)
    doubt(demo.parts.db, demo.values["account_id"], "likes", 9_000_000)
    elsewhere = {
        "accept_doubt": {"account_id": other, "metric": "views"},
        "accept_held": {"held_id": held(demo.parts.db, other, 54_300)},
        "reject_held": {"held_id": held(demo.parts.db, demo.values["account_id"] + 2, 1)},
        "merge_account": {"account_id": other},
    }
    reads = [operation for operation, route in BY_ID.items() if route.method == "GET"]
    changes = [operation for operation in CHANGES if operation in BY_ID]
    for operation in [*changes, *reads, *(ending for ending in ENDINGS if ending in BY_ID)]:
        sent = demo.sent(operation)
        yield Visit(operation, sent.get("json"), demo.call(operation, values=elsewhere.get(operation), **sent))


def examples() -> str:
    """Examples for the document, from a tour through a demo of its own; the same whenever they are made."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, _nothing_by_chance():
        demo = demo_on(f"sqlite:///{folder}/demo.db")
        for operation, sent, answer in tour(demo):
            if operation != "get_openapi" and answer.mimetype == "application/json":
                text = answer.get_data(as_text=True).replace(folder, "/data")
                for pattern, instead in BY_CHANCE:
                    text = re.sub(pattern, instead, text)
                found[operation] = {"request": sent} if sent is not None else {}
                found[operation]["answer"] = json.loads(text)
        demo.parts.db.close()
    return json.dumps(dict(sorted(found.items())), ensure_ascii=False, indent=1) + "\n"


@contextmanager
def _nothing_by_chance() -> Iterator[None]:
    """Ids that are drawn alike each time, for a demo that is synced anew: projects go by their ids among equals."""
    numbers, before = random.Random(1), _synced[:]
    _synced.clear()
    with patch("uuid.uuid4", lambda: uuid.UUID(int=numbers.getrandbits(128), version=4)):
        try:
            yield
        finally:
            _synced[:] = before


if __name__ == "__main__":
    written = examples()
    Path(EXAMPLES).write_text(written, encoding="utf-8")
    sys.stdout.write(f"{len(json.loads(written))} examples\n")
