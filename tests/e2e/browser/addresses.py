"""Every page there is, from the routes of the app, so that none is forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from flask import Flask
from playwright.sync_api import BrowserContext

from tests.dashboard.filled import parts_on
from tests.e2e.harness import TOKEN, Service
from webapp.app import create_app

NEVER = "share_" + "x" * 43
PLACEHOLDER = re.compile(r"<(?:\w+:)?(\w+)>")


class Address(NamedTuple):
    """rule: as the app has it. path: with something in place of each of its parts."""

    method: str
    rule: str
    path: str


def known_parts(service: Service, token: str) -> dict[str, str]:
    """Something for each part that a rule may have; a rule with another has to name it here."""
    return {
        "project_id": project_of(service),
        "account_id": "2",
        "run_id": service.rows("SELECT id FROM sync_runs ORDER BY started_at")[-1],
        "held_id": "1",
        "alert_id": "1",
        "threshold_id": "1",
        "snapshot_id": "1",
        "source_id": "1",
        "name": "style.css",
        "decision": "accept",
        "metric": "views",
        "day": "2026-01-01",
        "rule": "stale",
        "link_id": "none",
        "token": token,
    }


def project_of(service: Service) -> str:
    """The project of the account in the addresses."""
    (found,) = service.rows("SELECT project_id FROM accounts WHERE id = 2")
    return str(found)


def share(service: Service, context: BrowserContext, project_id: str) -> str:
    """The token of a new share link."""
    path = f"/api/admin/projects/{project_id}/share_links"
    answer = context.request.post(service.url + path, data={}, headers={"Authorization": f"Bearer {TOKEN}"})
    return str(answer.json()["token"])


def app_of(folder: Path) -> Flask:
    """An app over an empty database, to ask what routes it has."""
    parts = parts_on(folder / "routes.db")
    app = create_app(parts)
    parts.db.close()
    return app


def addresses(service: Service, folder: Path, token: str = NEVER, *, project_id: str = "") -> Iterator[Address]:
    """All of them, with all methods. token: of a share link. project_id: blank for the project of the account."""
    parts = known_parts(service, token)
    if project_id:
        parts["project_id"] = project_id
    for rule in app_of(folder).url_map.iter_rules():
        path = PLACEHOLDER.sub(lambda found: parts[found[1]], rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Address(method, rule.rule, path)


def pages(service: Service, folder: Path, context: BrowserContext) -> Iterator[str]:
    """The paths of all that answer GET with a page; a share link that is among them is open then."""
    for address in addresses(service, folder, share(service, context, project_of(service))):
        if address.method == "GET" and not address.rule.endswith("/events"):
            answer = context.request.get(service.url + address.path, max_redirects=0)
            if answer.headers.get("content-type", "").startswith("text/html"):
                yield address.path
