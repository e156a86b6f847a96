"""Everything that the service answers to whoever reads numbers, as JSON, as tables and as pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from tests.dashboard.conftest import OURS
from tests.fakes.service import ADMIN, TOKEN, Service
from webapp.app import create_app

__all__ = ["paths_of", "public_answers"]


def public_answers(service: Service, first: date, last: date) -> dict[str, tuple[int, str | None, bytes]]:
    """{path: (status, tag, body)}, for several stretches of days between first and last; nothing comes from memory."""
    app = create_app(service.parts)
    client, browser = app.test_client(), app.test_client()
    browser.post("/sign-in", data={"token": TOKEN}, headers=OURS)
    found = {}
    for path in paths_of(service, first, last):
        answer = client.get(path, headers=ADMIN) if path.startswith("/api") else browser.get(path)
        assert answer.status_code == 200, (path, answer.text)
        found[path] = answer.status_code, answer.headers.get("ETag"), answer.data
    return found


def paths_of(service: Service, first: date, last: date) -> Iterator[str]:
    middle = first + (last - first) // 2
    week = timedelta(days=7)
    stretches = [(first, last), (middle, last), (middle, middle + week), (last - week, last + week)]
    days = [f"start_date={start}&end_date={end}" for start, end in stretches]
    yield from ("/", "/api/projects", "/api/totals")
    yield from (f"/api/totals?{one}" for one in days)
    for row in service.rows("SELECT id FROM projects ORDER BY id"):
        project = f"/api/projects/{row['id']}"
        yield from (project, f"{project}/accounts?limit=100", f"{project}/accounts.csv")
        yield from (f"{project}/analytics", f"{project}/analytics.csv")
        for one in days:
            yield from (f"{project}/analytics?{one}", f"{project}/analytics.csv?{one}", f"{project}/gaps?{one}")
        yield from (f"/projects/{row['id']}?days={number}" for number in (7, 30, 90))
    for row in service.rows("SELECT id FROM accounts WHERE removed_at IS NULL ORDER BY id"):
        account = f"/api/accounts/{row['id']}"
        yield from (account, f"{account}/explain", f"/accounts/{row['id']}")
        for one in days:
            yield from (
                f"{account}/snapshots?{one}",
                f"{account}/daily-stats?{one}",
                f"{account}/daily-stats.csv?{one}",
            )
