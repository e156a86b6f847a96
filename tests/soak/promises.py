"""What has to be so once nothing is broken any more, whatever has happened."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.soak.servers import Server, call
from tests.soak.stores import Store
from tests.soak.world import ACCOUNTS, Promised, Sheet

__all__ = ["broken_promises"]

LEASE_MS = 1_000


def broken_promises(servers: list[Server], store: Store, sheet: Sheet, promised: Promised) -> Iterator[str]:
    """Each that is broken, in words. To be asked after a sync that went well, while nobody calls."""
    yield from store.unsound()
    yield from _counts(store, sheet)
    yield from _snapshots(store, sheet)
    yield from _runs(store, promised)
    yield from _writes(store, promised)
    yield from _links(servers, promised)
    for server in servers:
        health = call("GET", f"{server.url}/health", patience_s=5)
        if health is None or health.status != 200:
            yield f"/health is not answered: {health}"


def _counts(store: Store, sheet: Sheet) -> Iterator[str]:
    """Every account shows what the sheet says."""
    expected = sorted((title, number, number * 10, ACCOUNTS) for title, number in sheet.now().items())
    found = sorted(tuple(row) for row in store.rows(COUNTS))
    if found != expected:
        yield f"counts are {found}, and the sheet says {expected}"


def _snapshots(store: Store, sheet: Sheet) -> Iterator[str]:
    for row in store.rows(DOUBLES):
        yield f"more than one snapshot of an account and day: {row}"
    for name, followers in store.rows(SNAPSHOTS):
        if followers not in sheet.ever[name]:
            yield f"a snapshot of {name} says {followers}, which the sheet never said"
    for project, day, sums, carried, total in store.rows(SUMS):
        if str(day) >= sheet.first_day and not carried and json.loads(sums)[0][0] != total:
            yield f"{day} of {project} is summed up as {sums}, and its snapshots make {total} followers"


def _runs(store: Store, promised: Promised) -> Iterator[str]:
    """Every run has ended, in the state that was told, and holds nothing."""
    for row in store.rows(OPEN):
        yield f"a run that does not end: {row}"
    now = store.rows(NOW[store.url.split(":", 1)[0]])[0][0]
    for name, holder, expires_at in store.rows("SELECT name, holder, expires_at FROM leases WHERE holder IS NOT NULL"):
        if now < expires_at <= now + 2 * LEASE_MS or store.rows(f"{OPEN} AND id = '{holder}'"):
            yield f"a lease that is held by nobody: {name} by {holder} for {expires_at - now} ms"
    states = dict(store.rows("SELECT id, state FROM sync_runs"))
    for run, state in promised.runs.items():
        if states.get(run) != state:
            yield f"run {run} was told to be {state} and is {states.get(run)}"


def _writes(store: Store, promised: Promised) -> Iterator[str]:
    targets = dict(store.rows("SELECT id, target_views FROM projects"))
    for project, values in promised.targets.items():
        if targets.get(project) not in values:
            yield f"the target of {project} is {targets.get(project)}, and {values} was promised"
    likes = dict(store.rows("SELECT profile_url, likes FROM accounts WHERE likes IS NOT NULL"))
    for account, values in promised.likes.items():
        if likes.get(account) not in values:
            yield f"the likes of {account} are {likes.get(account)}, and {values} was promised"


def _links(servers: list[Server], promised: Promised) -> Iterator[str]:
    for link, is_open in promised.links.items():
        headers = {"Authorization": f"Bearer {link.token}"}
        answer = call("GET", f"{servers[0].url}/api/projects/{link.project}", headers=headers)
        status = answer.status if answer else None
        if is_open is not None and status not in ((200,) if is_open else (401, 429)):  # 429: too many that are closed
            yield f"share link {link.id} is {'open' if is_open else 'closed'} and answered with {status}"


COUNTS = """
SELECT p.name, a.followers, a.views, count(*) FROM accounts a JOIN projects p ON p.id = a.project_id
WHERE a.removed_at IS NULL AND p.removed_at IS NULL GROUP BY p.name, a.followers, a.views
"""
DOUBLES = "SELECT day, account_id, count(*) FROM account_snapshots GROUP BY day, account_id HAVING count(*) > 1"
SNAPSHOTS = """
SELECT DISTINCT p.name, s.followers FROM account_snapshots s JOIN accounts a ON a.id = s.account_id
JOIN projects p ON p.id = a.project_id
"""
SUMS = """
SELECT d.project_id, d.day, d.sums, d.carried, sum(s.followers) FROM project_days d
JOIN accounts a ON a.project_id = d.project_id
JOIN account_snapshots s ON s.account_id = a.id AND s.day = d.day
GROUP BY d.project_id, d.day, d.sums, d.carried
"""
OPEN = "SELECT id, state FROM sync_runs WHERE (state IN ('queued', 'running') OR finished_at IS NULL)"
NOW = {
    "sqlite": "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
    "postgresql": "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
}
