"""Who uses the service while it is soaked: crons, people, programs and readers, none of whom knows what goes on."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from random import Random
from typing import Any

import psycopg

from tests.e2e.harness import Answer
from tests.soak.servers import Server, call
from tests.soak.stores import Store
from tests.soak.world import TABS, Link, Promised, Sheet, Violations

__all__ = ["Callers"]

PAUSE_S = 0.15
MOST_LINKS = 5
MAY_BE = {200, 201, 202, 502, 503}  # while something is broken; anything else is no answer to a right call


class Callers:
    """Threads that call one of the servers again and again, and note what they were promised."""

    def __init__(
        self, servers: list[Server], store: Store, sheet: Sheet, promised: Promised, violations: Violations, seed: int
    ) -> None:
        self.projects: dict[str, str] = {}
        self._servers = servers
        self._store = store
        self._sheet = sheet
        self._promised = promised
        self._violations = violations
        self._seed = seed
        self._count = 0

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Until the block ends; all have hung up by then."""
        end = threading.Event()
        kinds: list[Callable[[Random], None]] = [self.sync, self.sync, self.write, self.read, self.edit]
        threads = [threading.Thread(target=self._work, args=(kind, n, end)) for n, kind in enumerate(kinds)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            end.set()
            for thread in threads:
                thread.join()

    def _work(self, kind: Callable[[Random], None], number: int, end: threading.Event) -> None:
        self._count += 1
        dice = Random(f"{self._seed} {number} {self._count}")
        while not end.wait(dice.random() * 2 * PAUSE_S):
            try:
                kind(dice)
            except Exception as error:  # noqa: BLE001  a caller that has a fault of its own must be seen
                self._violations.add(f"the soak itself: {type(error).__name__}: {error}")

    def _call(self, dice: Random, method: str, path: str, body: Any = None, **headers: str) -> Answer | None:
        url = dice.choice(self._servers).url
        answer = call(method, url and url + path, body, {**_ADMIN, **headers})
        if answer is not None:
            self._promised.answers += 1
            if answer.status not in MAY_BE:
                self._violations.add(f"{method} {path}: {answer.status} {str(answer.json)[:300]}")
        return answer

    def edit(self, _: Random) -> None:
        self._sheet.edit()

    # Crons

    def sync(self, dice: Random) -> None:
        before = self._sheet.now()
        match dice.choice(["due", "all", "all", "one", "async", "key", "dry", "gone"]):
            case "due":
                self._trigger(dice, "due=true")
            case "one" if self.projects:
                title = dice.choice(TABS)
                self._trigger(dice, f"project_id={self.projects[title]}", {title: before[title]})
            case "async":
                self._trigger(dice, "async=true")
            case "key":
                self._repeat(dice, str(uuid.UUID(int=dice.getrandbits(128))))
            case "dry":
                self._trigger(dice, "dry_run=true")
            case "gone":
                url = dice.choice(self._servers).url
                call("POST", url and f"{url}/api/admin/smart_sync", patience_s=0.05)
            case _:
                self._trigger(dice, "force=true" if dice.random() < 0.3 else "", before)

    def _trigger(self, dice: Random, query: str, at_least: dict[str, int] | None = None, key: str | None = None) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        answer = self._call(dice, "POST", f"/api/admin/smart_sync?{query}", **headers)
        if answer is None or "run_id" not in answer.json:
            return None
        said = answer.json
        self._promised.syncs += 1
        if "dry_run" not in query:
            self._promised.note_run(said)
        if at_least and answer.status == 200 and said["success"] and said["state"] == "succeeded":
            self._hold_to_it(said, at_least)
        return said

    def _hold_to_it(self, said: Any, at_least: dict[str, int]) -> None:
        """A sync that says it went well has read the sheet after it was asked."""
        results = said.get("results") or [said]
        whole = {
            result["project_name"]
            for result in results
            if result["success"] and not result["degraded"] and not result["skipped"]
        }
        for name, followers in self._store.rows(FOLLOWERS):
            if name in whole and name in at_least and followers < at_least[name]:
                self._violations.add(f"{said['run_id']}: success with {name} at {followers}, not {at_least[name]}")

    def _repeat(self, dice: Random, key: str) -> None:
        """The same key twice: one run."""
        runs = {said["run_id"] for _ in range(2) if (said := self._trigger(dice, "", key=key))}
        if len(runs) > 1:
            self._violations.add(f"Idempotency-Key {key}: {runs}")

    # People and programs

    def write(self, dice: Random) -> None:
        if not self.projects:
            return
        dice.choice([self._set_target, self._put_reading, self._share])(dice)

    def _set_target(self, dice: Random) -> None:
        project, value = self.projects[dice.choice(TABS)], dice.randrange(1, 10**9)
        self._promised.try_value(self._promised.targets, project, value)
        answer = self._call(dice, "PATCH", f"/api/admin/projects/{project}", {"target_views": value})
        if answer and answer.status == 200:
            self._promised.keep_value(self._promised.targets, project, value)

    def _put_reading(self, dice: Random) -> None:
        place = dice.randrange(len(TABS))
        url = f"https://www.tiktok.com/@tab{place}.account0"
        value = max(filter(None, self._promised.likes.get(url, ())), default=1_000) + dice.randint(1, 9)
        one = {"profile_url": url, "likes": value, "origin": "soak"}  # of now, whatever the service's clock says
        self._promised.try_value(self._promised.likes, url, value)
        answer = self._call(dice, "POST", "/api/admin/readings", {"readings": [one]})
        if answer and answer.status == 200 and answer.json["kept"]:
            self._promised.keep_value(self._promised.likes, url, value)

    def _share(self, dice: Random) -> None:
        links = self._promised.links
        known = [link for link, is_open in links.items() if is_open]
        if len(known) < MOST_LINKS:
            project = self.projects[dice.choice(TABS)]
            answer = self._call(dice, "POST", f"/api/admin/projects/{project}/share_links", {"label": "soak"})
            if answer and answer.status == 201:
                links[Link(answer.json["share_link"]["id"], project, answer.json["token"])] = True
            return
        link = dice.choice(known)
        links[link] = None
        answer = self._call(dice, "DELETE", f"/api/admin/share_links/{link.id}")
        if answer and answer.status == 200:
            links[link] = False

    # Readers

    def read(self, dice: Random) -> None:
        self._call(dice, "GET", dice.choice(PAGES))
        with suppress(psycopg.errors.LockNotAvailable):  # a fault may have locked the tables; the next reader looks
            for name, numbers in self._store.rows(SPREAD):
                if numbers != 1:
                    self._violations.add(f"{name} is between two syncs: {numbers} different numbers")
            for identity, count in self._store.rows(TWINS):
                self._violations.add(f"{count} live runs of {identity}")


PAGES = ("/health", "/ready", "/api/projects", "/api/totals", "/api/admin/sync_status", "/api/admin/runs")
FOLLOWERS = """
SELECT p.name, min(a.followers) FROM accounts a JOIN projects p ON p.id = a.project_id GROUP BY p.name
"""
SPREAD = """
SELECT p.name, count(DISTINCT coalesce(a.followers, -1)) FROM accounts a JOIN projects p ON p.id = a.project_id
GROUP BY p.name
"""
TWINS = """
SELECT identity, count(*) FROM sync_runs WHERE state IN ('queued', 'running') GROUP BY identity HAVING count(*) > 1
"""
_ADMIN = {"Authorization": "Bearer the-admin-token-of-the-tests"}
