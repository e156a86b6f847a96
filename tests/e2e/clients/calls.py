"""What a program does with the client that openapi-python-client makes of our document. The type checker reads it too.

Arguments: address and token. `smart_sync_client` is generated before; see `test_clients.py`.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import httpx
from smart_sync_client import AuthenticatedClient
from smart_sync_client.api.accounts import explain_account, get_account, list_accounts
from smart_sync_client.api.history import export_history, get_analytics, get_totals
from smart_sync_client.api.projects import get_project, list_projects
from smart_sync_client.api.readings import put_readings
from smart_sync_client.api.sync import get_run, list_runs, smart_sync, sync_status
from smart_sync_client.models import (
    Account,
    AccountDetail,
    AccountList,
    Analytics,
    Explanation,
    Problem,
    Project,
    ProjectList,
    ProjectSyncStatus,
    ReadingBatch,
    ReadingItem,
    ReadingsAnswer,
    RunDetail,
    RunList,
    RunReport,
    SyncStatus,
    Totals,
)
from smart_sync_client.types import UNSET, Unset


def call_everything(url: str, token: str) -> None:
    with AuthenticatedClient(base_url=url, token=token) as client:
        project = read_projects(client)
        account = read_accounts(client, project.id)
        read_numbers(client, project.id)
        read_runs(client, trigger(client, project.id))
        deliver(client, account)
        find_nothing(client)
        take_either(client)
    with AuthenticatedClient(base_url=url, token="a-wrong-token-0123456789") as stranger:
        be_refused(stranger)


def read_projects(client: AuthenticatedClient) -> Project:
    found = list_projects.sync(client=client)
    assert isinstance(found, ProjectList)
    first = found.projects[0]
    one = get_project.sync(first.id, client=client)
    assert isinstance(one, Project)
    assert one == first
    views: int | None = one.total_views
    assert views is not None
    return one


def read_accounts(client: AuthenticatedClient, project_id: str) -> Account:
    page = list_accounts.sync(project_id, client=client, limit=2, growth=True)
    assert isinstance(page, AccountList)
    assert page.next_cursor is not None
    following = list_accounts.sync(project_id, client=client, limit=2, growth=True, cursor=page.next_cursor)
    assert isinstance(following, AccountList)
    first = page.accounts[0]
    detail = get_account.sync(first.id, client=client)
    assert isinstance(detail, AccountDetail)
    assert (detail.id, detail.followers) == (first.id, first.followers)
    why = explain_account.sync(first.id, client=client)
    assert isinstance(why, Explanation)
    assert why.followers.value == first.followers
    return first


def read_numbers(client: AuthenticatedClient, project_id: str) -> None:
    analytics = get_analytics.sync(project_id, client=client)
    assert isinstance(analytics, Analytics)
    groups = analytics.platform_stats.additional_properties
    assert sum(group.profiles for group in groups.values()) == analytics.total_profiles
    totals = get_totals.sync(client=client)
    assert isinstance(totals, Totals)
    table = export_history.sync_detailed(project_id, client=client)
    assert table.content.startswith(b"\xef\xbb\xbfdate,")


def trigger(client: AuthenticatedClient, project_id: str) -> str:
    everything = smart_sync.sync_detailed(client=client)
    assert everything.status_code == 200
    assert isinstance(everything.parsed, RunReport)
    assert not isinstance(everything.parsed.results, Unset)
    assert everything.parsed.results[0].project_name
    one = smart_sync.sync(client=client, project_id=project_id, dry_run=True)
    assert isinstance(one, RunReport)
    assert (one.project_id, one.results) == (project_id, UNSET)
    later = smart_sync.sync_detailed(client=client, async_=True)
    assert later.status_code == 202
    assert isinstance(later.parsed, RunReport)
    assert later.headers["Location"].endswith(later.parsed.run_id)
    run_id: str = everything.parsed.run_id
    return run_id


def read_runs(client: AuthenticatedClient, run_id: str) -> None:
    runs = list_runs.sync(client=client, limit=1)
    assert isinstance(runs, RunList)
    assert runs.next_before is not None
    run = get_run.sync(run_id, client=client)
    assert isinstance(run, RunDetail)
    started: datetime = run.started_at
    assert started.tzinfo is not None
    service = sync_status.sync(client=client)
    assert isinstance(service, SyncStatus)
    assert service.storage.kind.value == "sqlite"
    one = sync_status.sync(client=client, project_id=run.results[0].project_id)
    assert isinstance(one, ProjectSyncStatus)
    assert one.is_syncing in (True, False)


def deliver(client: AuthenticatedClient, account: Account) -> None:
    known = ReadingItem(account_id=account.id, views=1, observed_at=datetime(2020, 1, 1, tzinfo=UTC))
    unknown = ReadingItem(profile_url="https://x.com/nobody_here", views=1)
    kept = put_readings.sync(client=client, body=ReadingBatch(readings=[known, unknown]))
    assert isinstance(kept, ReadingsAnswer)
    assert (kept.received, [one.index for one in kept.unmatched]) == (2, [1])
    refused = put_readings.sync_detailed(client=client, body=ReadingBatch(readings=[ReadingItem(views=-1)]))
    assert refused.status_code == 422
    assert isinstance(refused.parsed, Problem)
    assert refused.parsed.code == "invalid_parameter"


def find_nothing(client: AuthenticatedClient) -> None:
    answer = get_project.sync_detailed("none", client=client)
    assert answer.status_code == 404
    assert isinstance(answer.parsed, Problem)
    assert answer.parsed.code == "project_not_found"


def take_either(client: AuthenticatedClient) -> None:
    """A run that was cut short and a database that is busy have the one status."""
    busy = {"type": "", "title": "", "status": 503, "code": "database_busy", "detail": ""}
    answer = smart_sync._parse_response(client=client, response=httpx.Response(503, json=busy))
    assert isinstance(answer, Problem)
    assert answer.code == "database_busy"


def be_refused(stranger: AuthenticatedClient) -> None:
    answer = list_projects.sync_detailed(client=stranger)
    assert answer.status_code == 401
    assert isinstance(answer.parsed, Problem)
    assert answer.parsed.code == "unauthorized"


if __name__ == "__main__":
    call_everything(*sys.argv[1:])
